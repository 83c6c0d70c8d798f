-- Values for random calls: fitting ones for each kind that signatures name, and hostile ones for everything.
local tensor = require "tensor"
local random = math.random
local find, gmatch, sub = string.find, string.gmatch, string.sub -- calls may break the methods of strings

local values = {}

local function pick(list) return list[random(#list)] end
values.pick = pick

values.dtypes = {"float32", "float64", "int64", "int32", "uint8", "bool"}
local shapes = {
  {}, {3}, {2, 3}, {3, 4}, {0}, {2, 0, 3}, {1, 1}, {2, 3, 4}, {5, 5}, {2, 2, 2, 2}, {1, 3, 6, 6}, {4, 2, 9}, {1, 1, 1, 1, 1, 1, 1, 1}, {70, 60},
}

function values.tensor()
  local x = tensor.randn(pick(shapes)):mul(pick{0, 1, 3, 100, 1e30, 1/0, 0/0}):to(pick(values.dtypes))
  local way = random(7)
  if way == 1 and x.ndim >= 2 then x = x:transpose(0, -1) end
  if way == 2 and x.ndim >= 1 then x = x:slice(-1, 0, nil, 2) end
  if way == 3 and x.ndim < 8 then x = x:unsqueeze(0):expand(pick{1, 2, 0}, table.unpack(x.shape)) end
  if way == 4 and find(x.dtype, "float") then x:requires_grad_() end
  if way == 5 and find(x.dtype, "float") then x = x:requires_grad_():mul(2) end
  return x
end

local wild_ints = {0, 1, 2, 3, -1, -2, 5, 8, 64, -64, 1 << 20, 1 << 31, -(1 << 31), 1 << 40, 1 << 62, math.maxinteger, math.mininteger}
local wild_numbers = {0, 0.5, -0.5, 1e-30, 1e300, -1e300, 1/0, -1/0, 0/0, 2^53, 2^63, -2^63, 3.0}
local cycle = {}
cycle[1], cycle.self = cycle, cycle

-- Things that earlier calls gave: objects of all classes, results, options. New ones replace old ones at random.
local pool, pool_size = {}, 150
function values.keep(value)
  if value == nil or type(value) == "boolean" or type(value) == "number" then return end
  if #pool < pool_size then pool[#pool + 1] = value else pool[random(pool_size)] = value end
end
-- Lets everything go. What finalisers make while Lua closes is not freed any more: so they run before.
function values.drop()
  for _ = 1, 4 do
    pool, values.resurrected = {}, {}
    collectgarbage()
  end
end
function values.kept() return pool[random(math.max(1, #pool))] end

-- Objects whose metamethods throw, call back, yield, lie or never come to an end by themselves.
local function throw() error("from a metamethod") end
local function yield(...) return coroutine.yield(...) end
local function callback() return tensor.ones(2, 2):add(values.kept()) end
local function itself(x) return x end
local tricks = {
  throw, yield, callback, itself, function() return nil end, function() return -1 end, function() return math.maxinteger end,
  function() return 0.5 end, function() return {} end, function() return values.kept() end, tostring, print == nil or itself,
}
local names = {
  "__index", "__newindex", "__len", "__call", "__tostring", "__eq", "__lt", "__le", "__add", "__sub", "__mul", "__div", "__unm", "__concat",
  "__pairs", "__close", "__name", "__metatable", "__mode", "__module", "__optimizer", "__dataset",
}
-- Tensors that a finaliser put back into the world.
values.resurrected = {}
function values.hostile()
  local meta, object = {}, {}
  for _ = 1, random(5) do meta[pick(names)] = pick(tricks) end
  if random() < 0.2 then meta.__index = meta end
  if random() < 0.1 then meta.__name = "Tensor" end
  if random() < 0.3 then
    object.held = values.tensor()
    meta.__gc = pick{
      function(o) values.resurrected[random(20)] = o.held end,
      function(o) o.held:add(1):sum():item() end,
      function() error("from __gc") end,
      function() collectgarbage("step") tensor.ones(3) end,
      function(o) values.resurrected[random(20)] = o end,
    }
  end
  for _ = 1, random(0, 3) do object[pick{1, 2, "dim", "dtype", "lr", "params", "x", 0.5, true}] = values.any() end
  return setmetatable(object, meta)
end

local thread = coroutine.create(function() coroutine.yield(1) end)
local functions = {
  function(...) return ... end, function() error("from a callback") end, function() error({}) end, function() return end,
  function(x) return coroutine.yield(x) end, function(x) return x + x end, function() collectgarbage() return 1 end,
  function(...) return select("#", ...), ... end, function() return values.kept() end, coroutine.wrap(function(x) while true do x = coroutine.yield(x) end end),
  function(x) return tensor.is_tensor(x) and x:sum() or x end, tensor.relu, math.floor,
}

local function list(of)
  local out = {}
  for i = 1, pick{0, 1, 2, 2, 3, 4, 9} do out[i] = of() end
  return out
end

local option_names = {
  "dim", "keepdim", "dtype", "requires_grad", "lr", "momentum", "weight_decay", "batch_size", "shuffle", "seed", "prefetch", "collate",
  "transform", "padding", "stride", "bias", "reduction", "weight", "p", "mode", "size", "step", "metric", "gamma", "max_lr", "params", "columns", "data",
}
local function options()
  local out = {}
  for _ = 1, random(0, 4) do out[pick(option_names)] = values.any() end
  if random() < 0.2 then out[pick{1, 0, -1, 1.5, true, math.mininteger}] = values.any() end
  return out
end

local xs = ("x"):rep(3000)
local makers
makers = {
  tensor = values.tensor,
  int = function() return random() < 0.6 and random(-3, 4) or pick(wild_ints) end,
  number = function() return random() < 0.5 and random() * 4 - 2 or pick(wild_numbers) end,
  bool = function() return random() < 0.5 end,
  string = function()
    return pick{"", "a", "fro", "reduced", "mean", "ij,jk->ik", "0", "1:2", "...", "\0", xs, "\xff\xfe", "%s%n", "file.npy", "x.idx", "b.safetensors", "lr"}
  end,
  dtype = function() return pick(values.dtypes) end,
  ints = function() return list(function() return random() < 0.7 and random(-2, 4) or pick(wild_ints) end) end,
  list = function() return list(random() < 0.6 and values.tensor or values.any) end,
  table = function() return random() < 0.5 and options() or pick{{}, {1, 2, 3}, {a = 1}, cycle, {{1, 2}, {3}}, {{{}}}, {[2] = 1}} end,
  options = options,
  ["function"] = function() return pick(functions) end,
  hostile = function() return values.hostile() end,
  kept = function() return values.kept() end,
  thread = function() return thread end,
  ["nil"] = function() return nil end,
}
makers.shape, makers.numbers, makers.integer, makers.boolean = makers.ints, makers.ints, makers.int, makers.bool
makers.module, makers.optimizer, makers.dataset, makers.native_run, makers.scheduler = makers.kept, makers.kept, makers.kept, makers.kept, makers.kept
local kinds = {"tensor", "int", "number", "bool", "string", "dtype", "ints", "list", "table", "function", "hostile", "kept", "thread", "nil"}

local depth = 0
function values.any()
  if depth > 3 then return 1 end
  depth = depth + 1
  local value = makers[pick(kinds)]()
  depth = depth - 1
  return value
end

-- A value of one of the kinds that a parameter names, now and then of another one.
function values.of(spec)
  if spec and random() < 0.85 then
    local choices = {}
    for kind in gmatch(spec, "[^|]+") do choices[#choices + 1] = kind end
    local kind = pick(choices)
    if kind and sub(kind, 1, 1) == '"' then return sub(kind, 2, -2) end
    if kind and makers[kind] then return makers[kind]() end
    if kind and kind ~= "any" then return values.kept() end
  end
  return values.any()
end

return values
