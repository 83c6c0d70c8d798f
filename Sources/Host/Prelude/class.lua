-- nn.Module: classes whose objects know the parameters, buffers and modules that were assigned to them.
local nn, host = ...
local tensor = require "tensor"
local declare, document, fail = host.declare, host.document, host.fail
local is_parameter, is_tensor, identity = host.is_parameter, host.is_tensor, host.identity

host.kind("module", "__module")

-- Each object keeps, under a key that no script can name, what it must remember besides its fields:
--   names    field names that ever held a module, parameter or buffer, in order of registration
--   known    the same as a set
--   buffers  name -> "persistent" or "transient"
--   hooks    list of forward hooks, nil while there are none
-- Modules and tensors themselves are plain fields, so that reading them costs nothing.
local RECORD = {}

local Module = {__module = true, __name = "Module", training = true}
Module.__index = Module

local function is_module(value)
  if type(value) ~= "table" then return false end
  local meta = getmetatable(value)
  return type(meta) == "table" and rawget(meta, "__module") == true
end

local function register(self, key)
  local record = rawget(self, RECORD)
  if not record.known[key] then
    record.known[key] = true
    record.names[#record.names + 1] = key
  end
end

-- Only new fields come here: a field that is assigned again keeps its place in the order.
function Module.__newindex(self, key, value)
  local kind = type(value)
  if (kind == "userdata" and is_parameter(value)) or (kind == "table" and is_module(value)) then register(self, key) end
  rawset(self, key, value)
end

-- A plain field that later became a module or parameter was registered by nobody.
local function adopt(self, record)
  local late
  for key, value in next, self do
    if key ~= RECORD and not record.known[key]
      and ((type(value) == "userdata" and is_parameter(value)) or is_module(value)) then
      late = late or {}
      late[#late + 1] = key
    end
  end
  if late then
    table.sort(late, function(a, b) return tostring(a) < tostring(b) end)
    for _, key in ipairs(late) do register(self, key) end
  end
end

-- Calls visit(kind, name, value) for the module's own members in order; kind is "module", "parameter" or "buffer".
local function members(self, visit)
  local record = rawget(self, RECORD)
  adopt(self, record)
  for _, key in ipairs(record.names) do
    local value = rawget(self, key)
    if type(value) == "userdata" and is_tensor(value) then
      if record.buffers[key] then
        visit("buffer", key, value)
      elseif is_parameter(value) then
        visit("parameter", key, value)
      else
        fail(("%s.%s was a parameter and now holds a plain tensor; wrap it in nn.Parameter or use another field")
          :format(getmetatable(self).__name, tostring(key)))
      end
    elseif is_module(value) then
      visit("module", key, value)
    end
  end
end

local function join(prefix, name)
  return prefix == "" and tostring(name) or prefix .. "." .. tostring(name)
end

-- Calls visit(path, module) for the module and all below it, parents first; with `seen`, each once.
local function walk(self, prefix, visit, seen, open)
  if seen then
    if seen[self] then return end
    seen[self] = true
  else
    open = open or {}
    if open[self] then fail(("%s: module '%s' contains itself"):format(getmetatable(self).__name, prefix)) end
    open[self] = true
  end
  visit(prefix, self)
  members(self, function(kind, key, value)
    if kind == "module" then walk(value, join(prefix, key), visit, seen, open) end
  end)
  if open then open[self] = nil end
end

-- Calls visit(path, tensor) for all tensors of a kind; shared ones once, under their first name.
local function each_tensor(self, wanted, prefix, recurse, visit)
  local seen = {}
  local function own(path, module)
    members(module, function(kind, key, value)
      if kind == wanted and not seen[identity(value)] then
        seen[identity(value)] = true
        visit(join(path, key), value)
      end
    end)
  end
  if recurse then walk(self, prefix, own, {}) else own(prefix, self) end
end

local function pairs_of(names, values)
  local i = 0
  return function()
    i = i + 1
    return names[i], values[i]
  end
end

-- Calls

local function run_hooked(self, forward, hooks, ...)
  local inputs = {...}
  local results = table.pack(forward(self, ...))
  for _, handle in ipairs(hooks) do
    local output = results[1]
    if results.n > 1 then output = {table.unpack(results, 1, results.n)} end
    local replaced = handle.hook(self, inputs, output)
    if replaced ~= nil then
      if results.n > 1 and type(replaced) == "table" and getmetatable(replaced) == nil then
        results = table.pack(table.unpack(replaced))
      else
        results = {replaced, n = 1}
      end
    end
  end
  return table.unpack(results, 1, results.n)
end

function Module.__call(self, ...)
  local hooks = rawget(self, RECORD).hooks
  local forward = self.forward
  -- It would be called with self; and one that is its own forward without end, as a call in the last place takes no room on
  -- the stack.
  if type(forward) == "table" and is_module(forward) then
    fail(("%s.forward is a %s, expected a function"):format(getmetatable(self).__name, getmetatable(forward).__name))
  end
  if hooks then return run_hooked(self, forward, hooks, ...) end
  return forward(self, ...)
end

function Module:forward()
  local name = getmetatable(self).__name
  fail(("%s has no forward; define function %s:forward(x)"):format(name, name))
end

function Module:init() end

-- Classes

local function construct(class, ...)
  local self = setmetatable({[RECORD] = {names = {}, known = {}, buffers = {}}}, class)
  class.init(self, ...)
  return self
end

local inherited = {"__call", "__newindex", "__len", "__pairs", "__tostring", "__concat", "__close"}

local function class(name, parent)
  local C = {__module = true, __name = name}
  local index = rawget(parent, "__index")
  C.__index = index == parent and C or index
  for _, event in ipairs(inherited) do C[event] = rawget(parent, event) end
  return setmetatable(C, {
    __index = parent, __call = construct,
    __tostring = function() return "class " .. name end,
  })
end

setmetatable(Module, {__call = construct, __tostring = function() return "class Module" end})
document([[
nn.Module()
The base of all modules: what is assigned to `self` is registered when it is a module or an nn.Parameter. Calling a module runs its forward.
Example:
  local net = nn.Module()
  net.fc = nn.Linear(2, 3)
  net:num_parameters() --> 9
See: nn.class, nn.Sequential
Source: torch.nn.Module
]], Module)
nn.Module = Module

local function is_class(value)
  return type(value) == "table" and rawget(value, "__module") == true and type(rawget(value, "__name")) == "string"
end

nn.class = declare([[
nn.class(name: string, parent: any = nil) -> nn.Class
Makes a class of modules: define `init` and `forward` on it, call it to make an object. `parent` is the class it inherits from.
Fields are registered in the order of their assignments; `self.a, self.b = x, y` assigns b first.
Errors: a parent that is no class of modules
Example:
  local Net = nn.class("Net")
  function Net:init(n) self.fc = nn.Linear(4, n) end
  function Net:forward(x) return self.fc(x):relu() end
  print(#Net(3)(tensor.zeros(2, 4))) --> 2
Source: torch.nn.Module
]], function(name, parent)
  if parent ~= nil and not is_class(parent) then
    fail("nn.class: the parent of " .. name .. " must be a class (nn.Module, nn.Sequential, one made by nn.class), got "
      .. (is_module(parent) and "an object" or type(parent)))
  end
  return class(name, parent or Module)
end)

-- A class of the library: `doc` states the constructor's arguments, which init gets one by one.
local function define(doc, parent, init)
  local name = doc:match("nn%.([%w_]+)%(")
  local arrange = declare(doc, function(...) return ... end, false)
  local C = class(name, parent)
  function C.init(self, ...) return init(self, arrange(...)) end
  document(doc, C)
  nn[name] = C
  return C
end

-- A method of all modules: `doc` does not name the receiver, which is checked here.
local function method(doc, body)
  local name = doc:match("nn%.Module:([%w_]+)%(")
  Module[name] = declare(doc, body)
end

-- Registration by name

local function check_name(self, where, name)
  if name == "" or name:find(".", 1, true) then
    fail(("%s: a name must not be empty or contain a dot, got '%s'"):format(where, name))
  end
  if rawget(self, name) == nil and getmetatable(self)[name] ~= nil then
    fail(("%s: '%s' is already a method or field of %s"):format(where, name, getmetatable(self).__name))
  end
end

nn.Parameter = declare([[
nn.Parameter(data: tensor, requires_grad: bool = true) -> tensor
Makes a tensor that a module registers when it is assigned to a field; it shares the memory of `data`.
Example: nn.Parameter(tensor.zeros(2)).requires_grad --> true
Source: torch.nn.parameter.Parameter
]], host.parameter)

method([[
nn.Module:register_buffer(self: module, name: string, tensor: tensor|nil, persistent: bool = true)
Registers a tensor that belongs to the state but is not trained; without `persistent` it stays out of the state dict.
Example:
  local net = nn.Module()
  net:register_buffer("count", tensor(0))
  #net:buffers() --> 1
Source: torch.nn.Module.register_buffer
]], function(self, name, value, persistent)
  check_name(self, "register_buffer", name)
  local record = rawget(self, RECORD)
  register(self, name)
  record.buffers[name] = persistent and "persistent" or "transient"
  rawset(self, name, value)
end)

method([[
nn.Module:register_parameter(self: module, name: string, param: tensor|nil)
Registers a parameter under a name, as assigning it to that field does.
Errors: a tensor that is no nn.Parameter
Example:
  local net = nn.Module()
  net:register_parameter("scale", nn.Parameter(tensor.ones(1)))
  #net:parameters() --> 1
Source: torch.nn.Module.register_parameter
]], function(self, name, param)
  check_name(self, "register_parameter", name)
  if param ~= nil and not is_parameter(param) then
    fail(("register_parameter: '%s' must be an nn.Parameter, got a plain tensor"):format(name))
  end
  register(self, name)
  rawset(self, name, param)
end)

method([[
nn.Module:add_module(self: module, name: string, module: module|nil)
Registers a module under a name, as assigning it to that field does.
Example:
  local net = nn.Module()
  net:add_module("fc", nn.Linear(2, 3))
  #net:children() --> 1
Source: torch.nn.Module.add_module
]], function(self, name, module)
  check_name(self, "add_module", name)
  register(self, name)
  rawset(self, name, module)
end)

return {
  Module = Module, RECORD = RECORD, class = class, define = define, method = method, register = register,
  members = members, walk = walk, each_tensor = each_tensor, join = join, pairs_of = pairs_of,
  is_module = is_module, is_class = is_class,
}
