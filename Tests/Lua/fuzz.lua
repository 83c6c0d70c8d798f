-- Calls everything with everything: each documented function of modules with arguments of all kinds, fitting and wild;
-- fields, methods, operators, indices and assignments of what came out; all of it also inside coroutines and finalisers.
-- Whatever a call gives, the process goes on: a crash or a hang is what this looks for.
--   host fuzz.lua SEED CALLS MODULE...        CALLS is a number, or a time such as 30s
-- FUZZ_TRACE=FILE writes each call before it is made; FUZZ_TRACE=1 to standard error.
local tensor = require "tensor"
local time = require "time"
local calls = require "fuzzing.calls"
local values = require "fuzzing.values"
local pick, random, format, sub = values.pick, math.random, string.format, string.sub

local seed, limit = tonumber(arg[1]), tonumber(arg[2]) or math.huge
local seconds = arg[2]:match "^(%d+)s$"
local stop_at = seconds and time.monotonic() + tonumber(seconds) or math.huge
math.randomseed(seed)
tensor.manual_seed(seed)
local known = calls.all{table.unpack(arg, 3)}
assert(#known > 0, "no documented function in these modules")

local trace = os.getenv "FUZZ_TRACE"
local trace_file = trace and (trace == "1" and io.stderr or assert(io.open(trace, "w")))
local function word(value)
  local kind = type(value)
  if kind == "userdata" and tensor.is_tensor(value) then return value.dtype .. "{" .. table.concat(value.shape, ",") .. "}" end
  if kind == "string" then return format("%q", sub(value, 1, 20)) end
  if kind == "table" or kind == "userdata" then return kind end
  return tostring(value)
end
local function tell(name, arguments, n)
  if not trace_file then return end
  local words = {}
  for i = 1, n do words[i] = word(arguments[i]) end
  trace_file:seek("set", 0)
  trace_file:write(name, "(", table.concat(words, ", "), ")\n")
  trace_file:flush()
end

-- Output of printed functions and of progress bars is not what this looks for.
local null = assert(io.open("/dev/null", "w"))
io.output(null)
print = function(...) for i = 1, select("#", ...) do tostring((select(i, ...))) end end

local function use(result)
  if result == nil then return end
  values.keep(result)
  if type(result) == "userdata" and tensor.is_tensor(result) and result:numel() < 1e5 then
    tostring(result)
    if result.requires_grad and random() < 0.5 then result:sum():backward() end
  end
end

-- Other things than calling a function: each takes an object and two values.
local actions = {
  field = function(o, k) use(o[k]) end,
  assign = function(o, k, v) o[k] = v end,
  call = function(o, a, b) use(o(a, b)) end,
  length = function(o) return #o end,
  text = function(o) return tostring(o) end,
  add = function(o, a) use(o + a) end,
  reversed = function(o, a) use(a - o) end,
  multiply = function(o, a) use(o * a) end,
  divide = function(o, a) use(o // a) end,
  power = function(o, a) use(o ^ a) end,
  modulo = function(o, a) use(a % o) end,
  negate = function(o) use(-o) end,
  join = function(o, a) return o .. a end,
  compare = function(o, a) return o == a, pcall(function() return o < a end) end,
  pairs = function(o) for k, v in pairs(o) do if random() < 0.2 then values.keep(v) return k end end end,
  iterate = function(o)
    local n = 0
    for x in o do
      n = n + 1
      if n == 3 then break end
    end
  end,
  close = function(o) local x <close> = o end,
  metatable = function(o) return getmetatable(o) end,
  rawset = function(o, k, v) if type(o) == "table" and k ~= nil and not (o == _G) then rawset(o, k, v) end end,
  collect = function() collectgarbage(pick{"collect", "step"}) end,
}
local action_names = {}
for name in pairs(actions) do action_names[#action_names + 1] = name end
table.sort(action_names)
local field_names = {
  "shape", "dtype", "ndim", "grad", "requires_grad", "is_leaf", "T", "data", "_native", "training", "param_groups", "state", "images", "labels",
  "config", "summary", "id", "dir", "weight", "bias", "parameters", "forward", "step", "__index", "__gc", "nothing",
}
local function key()
  local way = random()
  if way < 0.4 then return pick(field_names) end
  if way < 0.6 then return random(-2, 3) end
  if way < 0.7 then return pick{"0", "1:", ":, 0", "...", "::2", "None", "::-1", ":::", "9999999999999999999:"} end
  return values.any()
end

local function act(fn, arguments, n)
  local results = table.pack(fn(table.unpack(arguments, 1, n)))
  for i = 1, math.min(results.n, 4) do use(results[i]) end
end

-- All strings share one metatable and one table of functions, which calls above get hold of and change: that may break calls
-- after it, which is their affair, but not the search.
local string_meta, string_functions = getmetatable "", {}
for name, fn in pairs(string) do string_functions[name] = fn end
local function mend_strings()
  string_meta.__index = string
  for name, fn in next, string_functions do rawset(string, name, fn) end
end

local made, fine = 0, 0
local function one()
  local name, fn, arguments, n
  if random() < 0.7 then
    local call = pick(known)
    name, fn = call.name, call.fn
    arguments, n = calls.arguments(call)
  else
    name = pick(action_names)
    fn = actions[name]
    local object = random() < 0.3 and values.tensor() or values.kept()
    arguments, n = {object, key(), values.any()}, 3
  end
  tell(name, arguments, n)
  local way, ok = random(), nil
  if way < 0.75 then
    ok = pcall(act, fn, arguments, n)
  elseif way < 0.95 then
    -- In a coroutine, which may yield out of a callback, and is then resumed, closed or forgotten.
    local thread = coroutine.create(act)
    ok = coroutine.resume(thread, fn, arguments, n)
    if coroutine.status(thread) == "suspended" then
      local end_of_it = random(3)
      if end_of_it == 1 then coroutine.resume(thread, values.any()) end
      if end_of_it == 2 then coroutine.close(thread) end
    end
  else
    -- In a finaliser.
    setmetatable({}, {__gc = function() act(fn, arguments, n) end})
    collectgarbage "step"
    ok = true
  end
  mend_strings()
  made = made + 1
  if ok then fine = fine + 1 end
  tensor.set_grad_enabled(true)
end

warn "@off" -- errors in finalisers are wanted here
while made < limit and time.monotonic() < stop_at do
  one()
  -- A table of a module may have lost its functions to an assignment; they are held in `known`.
  if made % 5000 == 0 then io.stderr:write(format("fuzz: seed %d, %d calls\n", seed, made)) end
end
values.drop()
io.stdout:write(format("%d calls survived, %d of them successful\n", made, fine))
