-- Calls every documented function of modules with arguments of all kinds, fitting and wild. Whatever a call gives, the
-- process goes on: a crash or a hang is what this looks for.
--   host fuzz.lua SEED ROUNDS MODULE...
local tensor = require "tensor"
local catalog = require "host.catalog"
local seed, rounds = tonumber(arg[1]), tonumber(arg[2])
local tables = {}
for i = 3, #arg do tables[arg[i]] = require(arg[i]) end
math.randomseed(seed)

local function pick(list) return list[math.random(#list)] end

local dtypes = {"float32", "float64", "int64", "int32", "uint8", "bool"}
local shapes = {{}, {3}, {2, 3}, {3, 4}, {0}, {2, 0, 3}, {1, 1}, {2, 3, 4}, {5, 5}, {2, 2, 2, 2}, {1, 3, 6, 6}, {4, 2, 9}, {1, 1, 1, 1, 1, 1, 1, 1}}
local function any_tensor()
  local x = tensor.randn(pick(shapes)):mul(pick{0, 1, 3, 100, 1e30}):to(pick(dtypes))
  local way = math.random(6)
  if way == 1 and x.ndim >= 2 then x = x:transpose(0, -1) end
  if way == 2 and x.ndim >= 1 then x = x:slice(-1, 0, nil, 2) end
  if way == 3 and x.ndim < 8 then x = x:unsqueeze(0):expand(pick{1, 2, 0}, table.unpack(x.shape)) end
  if way == 4 and x.dtype:find("float") then x:requires_grad_() end
  return x
end

local wild_ints = {0, 1, 2, 3, -1, -2, 5, 8, 64, -64, 1 << 20, 1 << 31, -(1 << 31), 1 << 40, 1 << 62, math.maxinteger, math.mininteger}
local wild_numbers = {0, 0.5, -0.5, 1e-30, 1e300, -1e300, 1/0, -1/0, 0/0, 2^53, 2^63, -2^63}
local cycle = {}
cycle[1], cycle.self = cycle, cycle

local value
local function list(of)
  local out = {}
  for i = 1, pick{0, 1, 2, 2, 3, 4, 9} do out[i] = of() end
  return out
end
local makers = {
  tensor = any_tensor,
  int = function() return math.random() < 0.6 and math.random(-3, 4) or pick(wild_ints) end,
  number = function() return math.random() < 0.5 and math.random() * 4 - 2 or pick(wild_numbers) end,
  bool = function() return math.random() < 0.5 end,
  string = function() return pick{"", "a", "fro", "reduced", "ij,jk->ik", "0", "1:2", "\0", ("x"):rep(3000), "\xff\xfe"} end,
  dtype = function() return pick(dtypes) end,
  ints = function() return list(function() return math.random() < 0.7 and math.random(-2, 4) or pick(wild_ints) end) end,
  list = function() return list(any_tensor) end,
  table = function() return pick{{}, {1, 2, 3}, {a = 1}, cycle, {{1, 2}, {3}}, {dim = 0}} end,
  ["function"] = function() return pick{function(...) return ... end, function() error("from fuzz") end, print} end,
  ["nil"] = function() return nil end,
}
makers.shape, makers.numbers, makers.any, makers.integer, makers.boolean = makers.ints, makers.ints, nil, makers.int, makers.bool
local kinds = {"tensor", "int", "number", "bool", "string", "dtype", "ints", "list", "table", "function", "nil"}

-- A value of one of the kinds that a parameter names, now and then of another one.
function value(spec)
  if spec and math.random() < 0.85 then
    local choices = {}
    for kind in spec:gmatch("[^|]+") do choices[#choices + 1] = kind end
    local kind = pick(choices)
    if kind and kind:sub(1, 1) == '"' then return kind:sub(2, -2) end
    if kind and makers[kind] then return makers[kind]() end
  end
  return makers[pick(kinds)]()
end

-- The parameters of a signature: {name, kinds, keyword only}.
local function parameters(head)
  local inside = head:match("%((.*)%)") or ""
  local out, keyword = {}, false
  for part in (inside .. ","):gmatch("%s*(.-),") do
    if part == "*" then keyword = true
    elseif part ~= "" and part ~= "..." then
      local name, kind = part:gsub("%s*=.*$", ""):match("^([%w_]+):%s*(%S+)")
      if name then out[#out + 1] = {name = name, kind = kind, keyword = keyword} end
    elseif part == "..." then
      out[#out + 1] = {name = "...", kind = "tensor"}
      out[#out + 1] = {name = "...", kind = "tensor"}
    end
  end
  return out
end

local function find(name)
  local owner, field = name:match("^(.*)[.:]([%w_]+)$")
  if owner == "Tensor" then return function(x, ...) return x[field](x, ...) end end
  local at = owner and tables[owner:match("^[^.]+")]
  for part in (owner or ""):gmatch("%.([%w_]+)") do at = type(at) == "table" and at[part] end
  return type(at) == "table" and at[field]
end

-- Not for fuzzing: they end, block or reconfigure the process, or fill the disk.
local excluded = {["tensor.set_num_threads"] = true, ["tensor.save_npz"] = true, ["Tensor:save"] = true}

local calls, fine = 0, 0
for _, entry in ipairs(catalog.docs()) do
  local top = entry.name == "Tensor" and "" or entry.name:match("^[^.:]+")
  local fn = (tables[top] or top == "Tensor") and entry.is_function and not excluded[entry.name] and find(entry.name)
  if fn then
    local params = parameters(entry.text:match("^%s*([^\n]*)"))
    for round = 1, rounds do
      local arguments, options, n = {}, nil, 0
      for i, p in ipairs(params) do
        if p.keyword then
          if math.random() < 0.3 then
            options = options or {}
            options[p.name] = value(p.kind)
          end
        elseif math.random() < 0.9 or i <= 1 then
          n = n + 1
          arguments[n] = value(p.kind)
        else
          break
        end
      end
      if options then
        n = n + 1
        arguments[n] = options
      end
      if os.getenv("FUZZ_TRACE") then
        local words = {}
        for i = 1, n do
          local a = arguments[i]
          words[i] = a ~= nil and tensor.is_tensor(a) and a.dtype .. "{" .. table.concat(a.shape, ",") .. "}" or tostring(a):sub(1, 40)
        end
        io.stderr:write(entry.name, "(", table.concat(words, ", "), ")\n")
      end
      calls = calls + 1
      local results = table.pack(pcall(fn, table.unpack(arguments, 1, n)))
      if results[1] then
        fine = fine + 1
        for i = 2, results.n do
          local r = results[i]
          if r ~= nil and tensor.is_tensor(r) and r:numel() < 1e6 then
            tostring(r)
            if r.requires_grad then pcall(function() r:sum():backward() end) end
          end
        end
      end
      tensor.set_grad_enabled(true)
    end
  end
end
print(string.format("%d calls survived, %d of them successful", calls, fine))
