-- Runs every operation's samples, as declared and with larger inputs, at several numbers of threads: results and
-- gradients must have the same bits each time. Prints a digest of each sample, for comparing with another CPU level.
--   host digests.lua 1,2,3,7
local tensor = require "tensor"
local nn = require "nn"
local catalog = require "host.catalog"
local threads = {}
for n in arg[1]:gmatch "%d+" do threads[#threads + 1] = tonumber(n) end
local environment = {tensor = tensor, nn = nn, F = nn.functional, select = select, math = math, table = table}
local variables = catalog.variables()

-- The variables that a sample names, in order of declaration.
local function used(sample)
  local words, out = {}, {}
  for word in sample:gsub('"[^"]*"', ""):gmatch "[%a_][%w_]*" do words[word] = true end
  for _, v in ipairs(variables) do
    if words[v.name] then out[#out + 1] = v end
  end
  return out
end

local function compile(sample, vars)
  local names = {}
  for i, v in ipairs(vars) do names[i] = v.name end
  local head = #names > 0 and "local " .. table.concat(names, ", ") .. " = ...; " or ""
  return assert(load(head .. "return " .. sample, sample, "t", environment))
end

local seen, words
local function take(value)
  if value ~= nil and tensor.is_tensor(value) then
    words[#words + 1] = ("%x"):format(catalog.digest(value))
  elseif type(value) == "table" and not seen[value] then
    seen[value] = true
    for _, v in ipairs(value) do take(v) end
  elseif type(value) == "number" or type(value) == "string" or type(value) == "boolean" then
    words[#words + 1] = math.type(value) == "float" and ("%a"):format(value) or tostring(value)
  end
end

-- One evaluation: digests of all results and of the gradients of the inputs.
local function evaluate(fn, vars, scale, dtype, differentiable)
  words, seen = {}, {}
  tensor.manual_seed(5)
  local inputs = {}
  for i, v in ipairs(vars) do
    local shape = {}
    for d, size in ipairs(v.shape) do shape[d] = size > 1 and size * scale or size end
    inputs[i] = tensor.rand(shape, {dtype = dtype}):mul(v.high - v.low):add(v.low)
    if differentiable then inputs[i]:requires_grad_() end
  end
  local results = table.pack(fn(table.unpack(inputs)))
  for i = 1, results.n do take(results[i]) end
  if differentiable then
    for i = 1, results.n do
      local r = results[i]
      if r ~= nil and tensor.is_tensor(r) and r.requires_grad then r:backward(tensor.rand_like(r)) break end
    end
    for _, x in ipairs(inputs) do if x.grad then take(x.grad) end end
  end
  return table.concat(words, " ")
end

local samples, large, differ = 0, 0, {}
local function check(op, sample, scale, dtype)
  local plain = sample:sub(1, 1) == "!"
  local source = plain and sample:sub(2) or sample
  local vars = used(source)
  local fn = compile(source, vars)
  local first
  for _, n in ipairs(threads) do
    tensor.set_num_threads(n)
    local ok, digest = pcall(evaluate, fn, vars, scale, dtype, not plain)
    if not ok then digest = "error" end -- larger inputs do not fit every sample
    first = first or digest
    if digest ~= first then differ[#differ + 1] = ("%s.%s: %s x%d %s at %d threads"):format(op.module, op.name, source, scale, dtype, n) end
  end
  if scale == 1 then samples = samples + 1 elseif first ~= "error" then large = large + 1 end
  print(op.module .. "." .. op.name, source, scale, dtype, first)
end

for _, op in ipairs(catalog.operations()) do
  for _, sample in ipairs(op.samples) do
    for _, dtype in ipairs{"float32", "float64"} do check(op, sample, 1, dtype) end
    local rank = 0
    for _, v in ipairs(used(sample)) do rank = math.max(rank, #v.shape) end
    -- About 60,000 elements: more than one piece of work.
    if rank > 0 then check(op, sample, ({40000, 75, 14, 5})[rank], "float32") end
  end
end
print(("digests: %d samples, %d of them with large inputs too, at %s threads: %d differ"):format(samples, large, arg[1], #differ))
assert(#differ == 0, table.concat(differ, "\n"))
