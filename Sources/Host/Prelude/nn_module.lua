-- What every module can do: list its parts, give and take its state, change mode and dtype.
local nn, host, core = ...
local tensor = require "tensor"
local fail, is_module = host.fail, core.is_module
local ipairs = host.prelude "lists"
local Module, RECORD, method = core.Module, core.RECORD, core.method
local members, walk, each_tensor, join, pairs_of = core.members, core.walk, core.each_tensor, core.join, core.pairs_of

host.document_field("nn.Module.training: bool\nWhether the module is in training mode: see train and eval.")

-- Lists and iterators

local function collect(self, kind, prefix, recurse)
  local names, values = {}, {}
  each_tensor(self, kind, prefix, recurse, function(name, value)
    names[#names + 1], values[#values + 1] = name, value
  end)
  return names, values
end

local function own_modules(self)
  local names, values, seen = {}, {}, {}
  members(self, function(kind, key, value)
    if kind == "module" and not seen[value] then
      seen[value] = true
      names[#names + 1], values[#values + 1] = tostring(key), value
    end
  end)
  return names, values
end

local function all_modules(self, prefix)
  local names, values = {}, {}
  walk(self, prefix, function(name, value) names[#names + 1], values[#values + 1] = name, value end, {})
  return names, values
end

method([[
nn.Module:parameters(self: module, recurse: bool = true) -> list
Lists the parameters of this module and those below it, in order of registration, shared ones once.
Example: #nn.Linear(2, 3):parameters() --> 2
Source: torch.nn.Module.parameters
]], function(self, recurse) return (select(2, collect(self, "parameter", "", recurse))) end)

method([[
nn.Module:named_parameters(self: module, prefix: string = "", recurse: bool = true) -> function
Iterates over names and parameters: for name, p in net:named_parameters() do.
Example:
  for name, p in nn.Linear(2, 3):named_parameters() do print(name, p:numel()) end --> weight 6
  --> bias 3
Source: torch.nn.Module.named_parameters
]], function(self, prefix, recurse) return pairs_of(collect(self, "parameter", prefix, recurse)) end)

method([[
nn.Module:buffers(self: module, recurse: bool = true) -> list
Lists the buffers of this module and those below it.
Example: #nn.BatchNorm1d(4):buffers() --> 3
Source: torch.nn.Module.buffers
]], function(self, recurse) return (select(2, collect(self, "buffer", "", recurse))) end)

method([[
nn.Module:named_buffers(self: module, prefix: string = "", recurse: bool = true) -> function
Iterates over names and buffers.
Example:
  for name in nn.BatchNorm1d(4):named_buffers() do print(name) end --> running_mean
  --> running_var
  --> num_batches_tracked
Source: torch.nn.Module.named_buffers
]], function(self, prefix, recurse) return pairs_of(collect(self, "buffer", prefix, recurse)) end)

method([[
nn.Module:modules(self: module) -> list
Lists this module and all below it, each once.
Example: #nn.Sequential(nn.Linear(2, 3), nn.ReLU()):modules() --> 3
Source: torch.nn.Module.modules
]], function(self) return (select(2, all_modules(self, ""))) end)

method([[
nn.Module:named_modules(self: module, prefix: string = "") -> function
Iterates over paths and modules, beginning with this one under the name "".
Example:
  for name in nn.Sequential(nn.ReLU(), nn.Tanh()):named_modules("net") do print(name) end --> net
  --> net.0
  --> net.1
Source: torch.nn.Module.named_modules
]], function(self, prefix) return pairs_of(all_modules(self, prefix)) end)

method([[
nn.Module:children(self: module) -> list
Lists the modules assigned to this one.
Example: #nn.Sequential(nn.Linear(2, 3), nn.ReLU()):children() --> 2
Source: torch.nn.Module.children
]], function(self) return (select(2, own_modules(self))) end)

method([[
nn.Module:named_children(self: module) -> function
Iterates over names and modules assigned to this one.
Example:
  for name in nn.Sequential(nn.ReLU(), nn.Tanh()):named_children() do print(name) end --> 0
  --> 1
Source: torch.nn.Module.named_children
]], function(self) return pairs_of(own_modules(self)) end)

method([[
nn.Module:num_parameters(self: module, trainable: bool = false) -> int
Counts the elements of all parameters (with `trainable`: of those that require gradients).
Example: nn.Linear(2, 3):num_parameters() --> 9
Source: torch.nn.Module.parameters, torch.Tensor.numel
]], function(self, trainable)
  local count = 0
  for _, p in ipairs(self:parameters()) do
    if p.requires_grad or not trainable then count = count + p:numel() end
  end
  return count
end)

-- State

-- A table of names and tensors that pairs() walks in order of registration.
local StateDict = {}
StateDict.__name = "state_dict"
function StateDict.__pairs(self)
  local order, i = {}, 0
  for _, name in ipairs(getmetatable(self).names) do
    if rawget(self, name) ~= nil then
      i = i + 1
      order[i] = name
      order[name] = true
    end
  end
  local late = {}
  for name in next, self do
    if not order[name] then late[#late + 1] = name end
  end
  table.sort(late, function(a, b) return tostring(a) < tostring(b) end)
  table.move(late, 1, #late, i + 1, order)
  local k = 0
  return function()
    k = k + 1
    local name = order[k]
    if name ~= nil then return name, rawget(self, name) end
  end
end

local function ordered_dict()
  local names = {}
  local dict = setmetatable({}, {__name = "state_dict", __pairs = StateDict.__pairs, names = names})
  return dict, function(name, value)
    names[#names + 1] = name
    rawset(dict, name, value)
  end
end
core.ordered_dict = ordered_dict

-- Calls visit(name, tensor) for what belongs into the state dict: shared tensors under each of their names.
local function each_state(self, prefix, visit)
  walk(self, prefix, function(path, module)
    local buffers = rawget(module, RECORD).buffers
    for _, wanted in ipairs{"parameter", "buffer"} do
      members(module, function(kind, key, value)
        if kind == wanted and (kind == "parameter" or buffers[key] == "persistent") then visit(join(path, key), value) end
      end)
    end
  end)
end

method([[
nn.Module:state_dict(self: module, prefix: string = "") -> table
Gives name -> tensor for all parameters and persistent buffers; the tensors share memory with the module's. pairs() keeps the order of registration.
Example: nn.Linear(2, 3):state_dict().weight.shape --> {3, 2}
Source: torch.nn.Module.state_dict
]], function(self, prefix)
  local dict, add = ordered_dict()
  each_state(self, prefix, function(name, value) add(name, value:detach()) end)
  return dict
end)

local function shape_text(t) return "[" .. table.concat(t.shape, ", ") .. "]" end
core.shape_text = shape_text
core.shape_text = shape_text

method([[
nn.Module:load_state_dict(self: module, state_dict: table, strict: bool = true) -> table
Copies tensors into parameters and buffers by name. Gives {missing_keys, unexpected_keys}; with `strict` both must be empty.
Errors: names that are missing or unknown, shapes that differ; then nothing is changed
Example:
  local a, b = nn.Linear(2, 3), nn.Linear(2, 3)
  b:load_state_dict(a:state_dict())
  b.weight:equal(a.weight) --> true
Source: torch.nn.Module.load_state_dict
]], function(self, dict, strict)
  local missing, unexpected, problems, copies, known = {}, {}, {}, {}, {}
  each_state(self, "", function(name, own)
    known[name] = true
    local value = dict[name]
    if value == nil then
      missing[#missing + 1] = name
      if strict then problems[#problems + 1] = ("checkpoint lacks '%s' %s"):format(name, shape_text(own)) end
    elseif not host.is_tensor(value) then
      problems[#problems + 1] = ("'%s' is a %s, expected a tensor %s"):format(name, type(value), shape_text(own))
    elseif shape_text(value) ~= shape_text(own) then
      problems[#problems + 1] = ("'%s' is %s, the module has %s"):format(name, shape_text(value), shape_text(own))
    else
      copies[#copies + 1] = {own, value}
    end
  end)
  for name, value in pairs(dict) do
    if not known[name] then
      unexpected[#unexpected + 1] = tostring(name)
      if strict then
        problems[#problems + 1] = ("checkpoint has unknown '%s'%s"):format(
          tostring(name), host.is_tensor(value) and " " .. shape_text(value) or "")
      end
    end
  end
  if #problems > 0 then
    local shown = table.concat(problems, "; ", 1, math.min(#problems, 12))
    if #problems > 12 then shown = shown .. ("; and %d more"):format(#problems - 12) end
    fail(("load_state_dict: the checkpoint does not fit %s: %s"):format(getmetatable(self).__name, shown))
  end
  tensor.no_grad(function()
    for _, copy in ipairs(copies) do copy[1]:copy_(copy[2]) end
  end)
  return {missing_keys = missing, unexpected_keys = unexpected}
end)

-- Mode, gradients, dtype

method([[
nn.Module:train(self: module, mode: bool = true) -> module
Puts this module and those below it into training mode (dropout drops, batch norm learns); gives the module.
Example: nn.Dropout(0.5):eval():train().training --> true
Source: torch.nn.Module.train
]], function(self, mode)
  walk(self, "", function(_, module) rawset(module, "training", mode) end, {})
  return self
end)

method([[
nn.Module:eval(self: module) -> module
Puts this module and those below it into evaluation mode; gives the module.
Example: nn.Dropout(0.5):eval()(tensor.ones(3)) --> tensor([1., 1., 1.])
Source: torch.nn.Module.eval
]], function(self) return self:train(false) end)

method([[
nn.Module:zero_grad(self: module, set_to_none: bool = true)
Forgets the gradients of all parameters (without `set_to_none`: sets them to 0).
Example:
  local net = nn.Linear(2, 1)
  net(tensor.ones(1, 2)):sum():backward()
  net:zero_grad()
  net.weight.grad --> nil
Source: torch.nn.Module.zero_grad
]], function(self, set_to_none)
  for _, p in ipairs(self:parameters()) do
    if set_to_none then
      p.grad = nil
    else
      local g = p.grad
      if g then tensor.no_grad(g.zero_, g) end
    end
  end
end)

method([[
nn.Module:requires_grad_(self: module, requires_grad: bool = true) -> module
Makes all parameters collect gradients, or stops them from doing so (to freeze them); gives the module.
Example: nn.Linear(2, 1):requires_grad_(false).weight.requires_grad --> false
Source: torch.nn.Module.requires_grad_
]], function(self, on)
  for _, p in ipairs(self:parameters()) do p:requires_grad_(on) end
  return self
end)

method([[
nn.Module:apply(self: module, fn: function) -> module
Calls fn(module) for all modules below and then for this one; gives the module.
Example:
  local count = 0
  nn.Sequential(nn.ReLU(), nn.Tanh()):apply(function() count = count + 1 end)
  count --> 3
Source: torch.nn.Module.apply
]], function(self, fn)
  for _, child in ipairs(self:children()) do child:apply(fn) end
  fn(self)
  return self
end)

local function convert(self, dtype)
  local made = {}
  walk(self, "", function(_, module)
    members(module, function(kind, key, value)
      if kind == "module" or value.dtype == dtype or not value.dtype:find("^float") then return end
      local id = host.identity(value)
      local fresh = made[id]
      if not fresh then
        fresh = value:detach():to(dtype)
        if kind == "parameter" then
          fresh = nn.Parameter(fresh, value.requires_grad)
          if value.grad then fresh.grad = value.grad:detach():to(dtype) end
        end
        made[id] = fresh
      end
      rawset(module, key, fresh)
    end)
  end, {})
  return self
end

method([[
nn.Module:to(self: module, dtype: dtype) -> module
Converts floating-point parameters and buffers to a dtype; gives the module. Parameters become other tensors: convert before making the optimiser.
Errors: an integer dtype
Example: nn.Linear(2, 1):to("float64").weight.dtype --> float64
Source: torch.nn.Module.to
]], function(self, dtype)
  if not dtype:find("^float") then fail("to: a module's dtype must be float32 or float64, got " .. dtype) end
  return convert(self, dtype)
end)

method([[
nn.Module:float(self: module) -> module
Converts floating-point parameters and buffers to float32; gives the module.
Example: nn.Linear(2, 1, {dtype = "float64"}):float().weight.dtype --> float32
Source: torch.nn.Module.float
]], function(self) return convert(self, "float32") end)

method([[
nn.Module:double(self: module) -> module
Converts floating-point parameters and buffers to float64; gives the module.
Example: nn.Linear(2, 1):double().weight.dtype --> float64
Source: torch.nn.Module.double
]], function(self) return convert(self, "float64") end)

-- Hooks

local Handle = {}
Handle.__index = Handle

function Handle:remove()
  local record = rawget(self.module, RECORD)
  -- A new list: the old one may be in use further up.
  local rest = {}
  for _, handle in ipairs(record.hooks or {}) do
    if handle ~= self then rest[#rest + 1] = handle end
  end
  record.hooks = #rest > 0 and rest or nil
end

method([[
nn.Module:register_forward_hook(self: module, hook: function) -> table
Has hook(module, inputs, output) run after each forward; inputs is a list, several outputs come as a list too. What it gives replaces the output. The result's `remove()` ends that.
Example:
  local net = nn.ReLU()
  net:register_forward_hook(function(module, inputs, output) return output + 1 end)
  net(tensor{-1.0, 2.0}) --> tensor([1., 3.])
Source: torch.nn.Module.register_forward_hook
]], function(self, hook)
  local record = rawget(self, RECORD)
  local handle = setmetatable({module = self, hook = hook}, Handle)
  record.hooks = table.move(record.hooks or {}, 1, #(record.hooks or {}), 1, {})
  record.hooks[#record.hooks + 1] = handle
  return handle
end)
