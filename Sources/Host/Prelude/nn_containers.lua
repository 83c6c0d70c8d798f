-- Sequential, ModuleList, ModuleDict.
local nn, host, core = ...
local ipairs = host.prelude "lists"
local fail = host.fail
local dim = host.methods("Tensor").dim
local Module, RECORD, is_module = core.Module, core.RECORD, core.is_module

-- What stands where a module was expected, in words.
local function described(value)
  if core.is_class(value) then
    local name = rawget(value, "__name")
    return ("the class %s (make an object of it: %s())"):format(name, name)
  end
  return type(value)
end

local function callable(value)
  if type(value) == "function" then return true end
  local meta = type(value) == "table" and not core.is_class(value) and getmetatable(value)
  return type(meta) == "table" and meta.__call ~= nil
end

local function out_of_range(self, what, key, last)
  fail(("%s%s: index %s is out of range; valid: 0..%d or -%d..-1"):format(
    getmetatable(self).__name, what, tostring(key), last, last + 1))
end

-- The container of the places that a Python slice like "1:3" or "::2" names.
local function sliced(self, key)
  local start, stop, step = key:match("^%s*(%-?%d*)%s*:%s*(%-?%d*)%s*:?%s*(%-?%d*)%s*$")
  if not start then return nil end
  local n, items = rawget(self, RECORD).count or 0, {}
  local function place(text, default)
    local at = text == "" and default or tonumber(text)
    return at and math.tointeger(math.max(0, math.min(n, at < 0 and at + n or at)))
  end
  local first, last = place(start, 0), place(stop, n)
  step = step == "" and 1 or tonumber(step)
  if not first or not last or not step or step < 1 then
    fail(("%s: '%s' is no slice start:stop:step with a positive step"):format(getmetatable(self).__name, key))
  end
  step = math.tointeger(math.min(step, n + 1))
  for i = first, last - 1, step do items[#items + 1] = rawget(self, i) end
  return getmetatable(self)(items)
end

-- Places of a numbered container lie at integer keys 0, 1, ...; negative ones count from the end.
local function numbered(self, key)
  if math.type(key) == "integer" then
    local n = rawget(self, RECORD).count or 0
    if key < 0 and key >= -n then return rawget(self, key + n) end
    if n == 0 then fail(getmetatable(self).__name .. ": index " .. key .. " is out of range: it is empty") end
    out_of_range(self, "", key, n - 1)
  end
  local value = getmetatable(self)[key]
  if value == nil and type(key) == "string" then return sliced(self, key) end
  return value
end

local function count(self) return rawget(self, RECORD).count or 0 end

local function place(self, i, item)
  if is_module(item) then core.register(self, i) end
  rawset(self, i, item)
end

local function next_item(self, i)
  i = i + 1
  if i < count(self) then return i, rawget(self, i) end
end

-- Methods and metamethods that Sequential and ModuleList share; `check` refuses what must not stand in them.
local function make_numbered(C, check)
  C.__index = numbered
  function C.__newindex(self, key, value)
    if math.type(key) == "integer" then
      local n = count(self)
      if key < 0 then key = key + n end
      if key < 0 or key > n then
        fail(("%s: index %d is out of range; valid: 0..%d, or %d to append"):format(getmetatable(self).__name, key, n - 1, n))
      end
      check(self, value)
      if key == n then rawget(self, RECORD).count = n + 1 end
      place(self, key, value)
      return
    end
    Module.__newindex(self, key, value)
  end
  C.__len = count
  function C.__pairs(self) return next_item, self, -1 end

  function C:iter() return next_item, self, -1 end
  function C:append(item)
    self[count(self)] = item
    return self
  end
  function C:extend(items)
    if type(items) ~= "table" then fail(getmetatable(self).__name .. ":extend: expected a list, got " .. type(items)) end
    if is_module(items) then
      for _, item in items:iter() do self:append(item) end
    else
      for _, item in ipairs(items) do self:append(item) end
    end
    return self
  end
  function C:insert(index, item)
    local n = count(self)
    if math.type(index) ~= "integer" or index < -n or index > n then
      fail(("%s:insert: index %s is out of range; valid: 0..%d"):format(getmetatable(self).__name, tostring(index), n))
    end
    if index < 0 then index = index + n end
    check(self, item)
    self[n] = item
    for i = n, index + 1, -1 do place(self, i, rawget(self, i - 1)) end
    place(self, index, item)
    -- Names are listed by place.
    table.sort(rawget(self, RECORD).names, function(a, b)
      local x, y = math.type(a) == "integer", math.type(b) == "integer"
      if x ~= y then return x end
      return x and a < b
    end)
    return self
  end
  function C:pop(index)
    local n = count(self)
    if index == nil then index = -1 end
    if math.type(index) ~= "integer" or n == 0 or index < -n or index >= n then
      if n == 0 then fail(getmetatable(self).__name .. ":pop: it is empty") end
      out_of_range(self, ":pop", index, n - 1)
    end
    if index < 0 then index = index + n end
    local item = rawget(self, index)
    for i = index, n - 2 do place(self, i, rawget(self, i + 1)) end
    rawset(self, n - 1, nil)
    rawget(self, RECORD).count = n - 1
    return item
  end
end

local function fill(self, name, n, ...)
  local items = {...}
  if n == 1 and type(items[1]) == "table" and getmetatable(items[1]) == nil then
    items = items[1]
    n = #items
    for key in pairs(items) do
      if math.type(key) ~= "integer" then
        fail(("%s: expected modules or one list of them; the table has the key '%s' (ModuleDict takes names)"):format(name, tostring(key)))
      end
    end
  end
  for i = 1, n do self[i - 1] = items[i] end
end

local Sequential = core.class("Sequential", Module)
nn.Sequential = Sequential
host.document([[
nn.Sequential(...: any)
Runs modules and plain functions one after the other; also takes one list of them. net[0] is the first, net["1:3"] a Sequential of some, #net their number; append, insert, extend and pop change it.
Example: print(#nn.Sequential(nn.Flatten(), nn.Linear(4, 2))) --> 2
Errors: something that is neither a module nor a function
Source: torch.nn.Sequential
]], Sequential)

make_numbered(Sequential, function(self, item)
  if not is_module(item) and not callable(item) then
    fail(("nn.Sequential: place %d must be a module or a function, got %s"):format(count(self), described(item)))
  end
end)

function Sequential:init(...) fill(self, "nn.Sequential", select("#", ...), ...) end

-- Whether `m` is of class C as it came, with nothing that wants to see its output.
local function is_plain(m, C, forward)
  return getmetatable(m) == C and C.forward == forward and rawget(m, "forward") == nil and rawget(m, RECORD).hooks == nil
end

-- Whether an argument (a number or a list of equal ones) is n.
local function is_all(value, n)
  if type(value) ~= "table" then return value == n end
  for _, v in ipairs(value) do
    if v ~= n then return false end
  end
  return #value > 0
end

-- A convolution or batch norm, relu and pooling of 2x2 that stand side by side run as one operation, and so do a linear layer
-- and relu: their values in between are seen by nobody, and need not be written. Made when first needed: the layers are defined after this file.
local fuse

local function make_fuse()
  local Conv2d, BatchNorm2d, ReLU, MaxPool2d, conv2d_relu = nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d, host.conv2d_relu
  local conv, norm, relu, max_pool = Conv2d.forward, BatchNorm2d.forward, ReLU.forward, MaxPool2d.forward
  local Linear, linear, linear_relu = nn.Linear, nn.Linear.forward, host.linear_relu
  -- Gives the result of the places from i on and the last of them, or nil.
  return function(self, i, x)
    local m, after = rawget(self, i), rawget(self, i + 1)
    if core.traces then return nil end -- nn.export_onnx knows the single operations
    if is_plain(m, Linear, linear) then
      if not is_plain(after, ReLU, relu) or not host.is_tensor(x) then return nil end
      return linear_relu(x, m.weight, m.bias), i + 1
    end
    local norms = is_plain(m, BatchNorm2d, norm)
    if not (norms or is_plain(m, Conv2d, conv)) or not is_plain(after, ReLU, relu) then return nil end
    if not norms and (type(m.padding) == "string" or m.padding_mode ~= "zeros") then return nil end
    if not host.is_tensor(x) or dim(x) ~= 4 then return nil end
    local pool = rawget(self, i + 2)
    local pools = is_plain(pool, MaxPool2d, max_pool) and is_all(pool.kernel_size, 2) and is_all(pool.stride, 2)
      and is_all(pool.padding, 0) and is_all(pool.dilation, 1) and not pool.return_indices and not pool.ceil_mode
    if norms then
      if not pools then return nil end
      return core.batch_norm_relu_pool(m, x), i + 2
    end
    return conv2d_relu(x, m.weight, m.bias, m.stride, m.padding, m.dilation, m.groups, pools), i + (pools and 2 or 1)
  end
end

function Sequential:forward(...)
  local n = count(self)
  if n == 0 then return ... end
  fuse = fuse or make_fuse()
  local y, last = fuse(self, 0, (...))
  if not last then y, last = rawget(self, 0)(...), 0 end
  local i = last + 1
  while i < n do
    local z, done = fuse(self, i, y)
    if not done then z, done = rawget(self, i)(y), i end
    y, i = z, done + 1
  end
  return y
end

local ModuleList = core.class("ModuleList", Module)
nn.ModuleList = ModuleList
host.document([[
nn.ModuleList(modules: list = {})
Holds modules by number, from 0, and registers them: list[0], list["1:3"], #list, for i, m in list:iter() do; append, insert, extend and pop change it.
Errors: something that is no module
Example: #nn.ModuleList{nn.Linear(2, 3), nn.ReLU()} --> 2
Source: torch.nn.ModuleList
]], ModuleList)

make_numbered(ModuleList, function(self, item)
  if not is_module(item) then fail(("nn.ModuleList: place %d must be a module, got %s"):format(count(self), described(item))) end
end)

function ModuleList:init(...) fill(self, "nn.ModuleList", select("#", ...), ...) end

local ModuleDict = core.class("ModuleDict", Module)
nn.ModuleDict = ModuleDict
host.document([[
nn.ModuleDict(modules: table = {})
Holds modules by name and registers them: dict.name, dict["name"], dict:keys(), for name, m in pairs(dict) do. The first ones are registered in alphabetical order.
Errors: something that is no module, the name of a method
Example: nn.ModuleDict{first = nn.ReLU(), second = nn.Tanh()}:keys() --> {first, second}
Source: torch.nn.ModuleDict
]], ModuleDict)

function ModuleDict.__newindex(self, key, value)
  if type(key) ~= "string" or not is_module(value) then
    if type(key) == "string" and (key == "training" or type(value) == "function") then return rawset(self, key, value) end
    fail(("nn.ModuleDict: expected a module under a name, got %s under %s"):format(described(value), tostring(key)))
  end
  if getmetatable(self)[key] ~= nil then fail(("nn.ModuleDict: '%s' is the name of a method or field; take another"):format(key)) end
  core.register(self, key)
  rawset(self, key, value)
end

function ModuleDict:init(modules, ...)
  if select("#", ...) > 0 or (modules ~= nil and (type(modules) ~= "table" or is_module(modules))) then
    fail("nn.ModuleDict: expected one table of names and modules")
  end
  local names = {}
  for name in pairs(modules or {}) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for _, name in ipairs(names) do self[name] = modules[name] end
end

function ModuleDict:keys()
  local names = {}
  for name in self:named_children() do names[#names + 1] = name end
  return names
end
function ModuleDict:pop(name)
  local item = rawget(self, name)
  if not is_module(item) then fail(("nn.ModuleDict:pop: there is no module '%s'"):format(tostring(name))) end
  rawset(self, name, nil)
  return item
end
function ModuleDict:values() return self:children() end
function ModuleDict:items() return self:named_children() end
function ModuleDict:update(modules)
  ModuleDict.init(self, modules)
  return self
end
function ModuleDict.__len(self) return #self:children() end
function ModuleDict.__pairs(self) return self:named_children() end
