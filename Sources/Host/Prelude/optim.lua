-- Optimisers: options live in Lua tables (so that scripts and schedules can change them), state and math are native.
local optim, host = ...
local tensor = require "tensor"
local ipairs = host.prelude "lists"
local declare, document, fail = host.declare, host.document, host.fail
local optimizer_state, zero_grad, export = host.optimizer_state, host.optimizer_zero_grad, host.optimizer_export

-- The native state of a parameter group, by the group's table.
local native = setmetatable({}, {__mode = "k"})

local Optimizer = {__optimizer = true, __name = "Optimizer"}
Optimizer.__index = Optimizer
optim.Optimizer = Optimizer
host.kind("optimizer", "__optimizer")

local function is_list_of_groups(params)
  local first = params[1]
  return type(first) == "table" and first.params ~= nil
end

-- Copies a group and fills in the defaults.
local function complete(self, group)
  local made = {}
  for key, value in pairs(group) do
    if key ~= "params" and self.defaults[key] == nil and not self.optional[key] then
      local known = {}
      for name in pairs(self.defaults) do known[#known + 1] = name end
      table.sort(known)
      fail(("optim.%s: a parameter group has the unknown option '%s'%s"):format(
        self.name, tostring(key), host.suggest(tostring(key), known)))
    end
    made[key] = value
  end
  for key, value in pairs(self.defaults) do
    if made[key] == nil then made[key] = type(value) == "table" and {table.unpack(value)} or value end
  end
  made.params = {}
  if type(group.params) ~= "table" and not host.is_tensor(group.params) then
    fail(("optim.%s: params of a group must be a list of tensors, or one tensor, got %s"):format(self.name, type(group.params)))
  end
  for i, p in ipairs(host.is_tensor(group.params) and {group.params} or group.params) do
    if not host.is_tensor(p) then
      fail(("optim.%s: parameter %d of the group is a %s, expected a tensor (net:parameters())"):format(self.name, i, type(p)))
    end
    made.params[i] = p
  end
  return made
end

local function add_group(self, group)
  local made = complete(self, group)
  if self.check then self.check(made) end
  local id = {}
  for _, other in ipairs(self.param_groups) do
    for _, p in ipairs(other.params) do id[host.identity(p)] = true end
  end
  for _, p in ipairs(made.params) do
    if id[host.identity(p)] then fail(("optim.%s: a parameter appears in more than one group"):format(self.name)) end
  end
  local ok, state = pcall(optimizer_state, made.params)
  if not ok then fail(("optim.%s: %s"):format(self.name, (tostring(state):gsub("^.-optimizer_state: ", "")))) end
  native[made] = state
  if self.start then self.start(state, made) end
  self.param_groups[#self.param_groups + 1] = made
end

document([[
optim.Optimizer
The base of all optimisers. `param_groups` is a list of tables with `params` and the options, which may be changed at any time (`opt.param_groups[1].lr = 0.01`).
Source: torch.optim.Optimizer
]], Optimizer)
host.document_field("optim.Optimizer.param_groups: list\nOne table for each group: `params`, `lr` and the other options, which may be changed.")
host.document_field("optim.Optimizer.defaults: table\nThe options of groups that do not state their own.")

-- Makes a class: its constructor takes arguments as `doc` says; names lists those after params, in order.
local function define(doc, names, parts)
  local name = doc:match("optim%.([%w_]+)%(")
  local class = {__optimizer = true, __name = name, __index = nil, __tostring = Optimizer.__tostring}
  class.__index = class
  local arrange = declare(doc, function(...) return ... end, false)
  local function construct(_, ...)
    local values = table.pack(arrange(...))
    local params = values[1]
    local self = setmetatable({param_groups = {}, defaults = {}, optional = {initial_lr = true}, name = name}, class)
    self.check, self.start = parts.check, parts.start
    for i, key in ipairs(names) do self.defaults[key] = values[i + 1] end
    if parts.defaults then parts.defaults(self.defaults) end
    if type(params) == "function" then fail(("optim.%s: expected a list of parameters, got a function; pass net:parameters()"):format(name)) end
    if #params == 0 then fail(("optim.%s: the list of parameters is empty"):format(name)) end
    if is_list_of_groups(params) then
      for _, group in ipairs(params) do add_group(self, group) end
    else
      add_group(self, {params = params})
    end
    return self
  end
  setmetatable(class, {__index = Optimizer, __call = construct, __tostring = function() return "class " .. name end})
  document(doc, class)
  optim[name] = class
  return class
end

local function with_loss(closure)
  if closure == nil then return nil end
  return tensor.enable_grad(closure)
end

-- What all optimisers can do

-- zero_grad runs once a step, so it reads its argument by hand.
function Optimizer:zero_grad(options)
  local none = true
  if type(options) == "table" then
    if options.set_to_none ~= nil then none = options.set_to_none end
  elseif options ~= nil then
    none = options
  end
  if type(none) ~= "boolean" then fail("zero_grad: set_to_none must be a boolean, got " .. type(none)) end
  local groups = self.param_groups
  for i = 1, #groups do zero_grad(native[groups[i]], none) end
end
document([[
optim.Optimizer:zero_grad(self: optimizer, set_to_none: bool = true)
Forgets the gradients of all parameters (or sets them to 0).
Example:
  local p = nn.Parameter(tensor{1.0})
  p.grad = tensor{2.0}
  optim.SGD({p}, {lr = 0.1}):zero_grad()
  p.grad --> nil
Source: torch.optim.Optimizer.zero_grad
]], Optimizer.zero_grad)

Optimizer.add_param_group = declare([[
optim.Optimizer:add_param_group(self: optimizer, param_group: table)
Adds parameters with options of their own: {params = {...}, lr = 0.01}.
Errors: an unknown option, a parameter that is there already
Example:
  local opt = optim.SGD(nn.Linear(2, 1):parameters(), {lr = 0.1})
  opt:add_param_group{params = nn.Linear(1, 1):parameters(), lr = 0.01}
  opt.param_groups[2].lr --> 0.01
Source: torch.optim.Optimizer.add_param_group
]], function(self, group)
  if group.params == nil then fail("add_param_group: expected {params = {...}, ...}") end
  add_group(self, group)
end)

Optimizer.state_dict = declare([[
optim.Optimizer:state_dict(self: optimizer) -> table
Gives {state, param_groups} as PyTorch does: state[i] holds the steps and tensors of parameter i (from 0 over all groups).
Example: optim.SGD(nn.Linear(2, 1):parameters(), {lr = 0.1}):state_dict().param_groups[1].lr --> 0.1
Source: torch.optim.Optimizer.state_dict
]], function(self)
  local state, groups, n = {}, {}, 0
  for g, group in ipairs(self.param_groups) do
    local saved = {params = {}}
    for key, value in pairs(group) do
      if key ~= "params" then saved[key] = type(value) == "table" and {table.unpack(value)} or value end
    end
    for i, entry in ipairs(export(native[group])) do
      saved.params[i] = n
      -- A parameter that never had a gradient has no state.
      if entry.step > 0 or next(entry, next(entry)) ~= nil then state[n] = entry end
      n = n + 1
    end
    groups[g] = saved
  end
  if self.export_more then self:export_more(state) end
  return {state = state, param_groups = groups}
end)

Optimizer.load_state_dict = declare([[
optim.Optimizer:load_state_dict(self: optimizer, state_dict: table)
Takes over options and state saved by state_dict; tensors are copied.
Errors: another number of groups or parameters, state of other shapes
Example:
  local net = nn.Linear(2, 1)
  local a, b = optim.SGD(net:parameters(), {lr = 0.1}), optim.SGD(net:parameters(), {lr = 1})
  b:load_state_dict(a:state_dict())
  b.param_groups[1].lr --> 0.1
Source: torch.optim.Optimizer.load_state_dict
]], function(self, dict)
  local groups, state = dict.param_groups, dict.state
  if type(groups) ~= "table" or type(state) ~= "table" then
    fail("load_state_dict: expected {state = ..., param_groups = ...} as state_dict gives it")
  end
  if #groups ~= #self.param_groups then
    fail(("load_state_dict: the saved state has %d parameter groups, this optimizer %d"):format(#groups, #self.param_groups))
  end
  for g, group in ipairs(self.param_groups) do
    if #groups[g].params ~= #group.params then
      fail(("load_state_dict: group %d of the saved state has %d parameters, this optimizer's has %d"):format(
        g, #groups[g].params, #group.params))
    end
  end
  for g, group in ipairs(self.param_groups) do
    for key, value in pairs(groups[g]) do
      if key ~= "params" then group[key] = type(value) == "table" and {table.unpack(value)} or value end
    end
    host.optimizer_forget(native[group])
    for i, id in ipairs(groups[g].params) do
      local entry = state[id] or state[tostring(id)]
      if entry and not self.import_more then
        local names = {}
        for name in pairs(entry) do names[#names + 1] = name end
        table.sort(names)
        for _, name in ipairs(names) do
          local value = entry[name]
          if name == "step" then
            value = host.is_tensor(value) and value:item() or value
            host.optimizer_import(native[group], i - 1, name, math.tointeger(value) or 0)
          elseif host.is_tensor(value) then
            host.optimizer_import(native[group], i - 1, name, value)
          end
        end
      end
    end
  end
  if self.import_more then self:import_more(state) end
end)

function Optimizer.__tostring(self)
  local lines = {self.name .. " ("}
  for i, group in ipairs(self.param_groups) do
    local keys, count = {}, 0
    for key in pairs(group) do
      if key ~= "params" then keys[#keys + 1] = key end
    end
    table.sort(keys)
    for _, p in ipairs(group.params) do count = count + p:numel() end
    lines[#lines + 1] = ("parameter group %d: %d tensors, %d elements"):format(i, #group.params, count)
    for _, key in ipairs(keys) do
      local value = group[key]
      lines[#lines + 1] = ("    %s: %s"):format(key, type(value) == "table" and "{" .. table.concat(value, ", ") .. "}" or tostring(value))
    end
  end
  return table.concat(lines, "\n") .. "\n)"
end

host.prelude("optim_first_order", optim, host, define, native, with_loss)
host.prelude("optim_lbfgs", optim, host, define)
optim.lr_scheduler = {}
host.prelude("scheduler", optim.lr_scheduler, host)
