-- Checks every operation's samples as they are declared: gradients against central differences in float64, on packed
-- and on strided inputs; samples marked "!" have no gradient and just run. Every sample also meets empty inputs,
-- other dtypes, NaN and infinity, which may fail but not crash.
--   host gradcheck.lua tensor | nn.functional
local tensor = require "tensor"
local catalog = require "host.catalog"
local wanted = {}
for _, name in ipairs(arg) do wanted[name] = true end
local environment = {tensor = tensor, select = select, math = math, table = table}
if wanted["nn.functional"] then
  environment.nn = require "nn"
  environment.F = environment.nn.functional
end

local variables = catalog.variables()
local known = {}
for _, v in ipairs(variables) do known[v.name] = v end

-- The variables that a sample names, in order of declaration.
local function used(sample)
  local words, out = {}, {}
  for word in sample:gsub('"[^"]*"', ""):gmatch("[%a_][%w_]*") do words[word] = true end
  for _, v in ipairs(variables) do
    if words[v.name] then out[#out + 1] = v end
  end
  return out
end

local function draw(v, shape)
  return tensor.rand(shape or v.shape, {dtype = "float64"}):mul(v.high - v.low):add(v.low)
end

-- The sample as a function of its variables.
local function compile(sample, vars)
  local names = {}
  for i, v in ipairs(vars) do names[i] = v.name end
  local head = #names > 0 and "local " .. table.concat(names, ", ") .. " = ...; " or ""
  return assert(load(head .. "return " .. sample, sample, "t", environment))
end

-- Layouts: how a leaf of another shape becomes the sample's variable.
local layouts = {
  packed = {shape = function(s) return s end, view = function(x) return x end},
  strided = {
    shape = function(s)
      local wide = {table.unpack(s)}
      if #wide == 0 then return {3} end
      wide[#wide] = 2 * wide[#wide] + 1
      return wide
    end,
    view = function(x, rank)
      if rank == 0 then return x[1] end
      return x:slice(-1, 1, nil, 2)
    end,
  },
  transposed = {
    shape = function(s)
      local back = {}
      for i = #s, 1, -1 do back[#back + 1] = s[i] end
      return back
    end,
    view = function(x, rank)
      if rank < 2 then return x end
      return x.T
    end,
  },
}

local checked, ran, failures = 0, 0, {}
local function fail(op, sample, what, message)
  failures[#failures + 1] = string.format("%s.%s: %s (%s)\n  %s", op.module, op.name, sample, what, tostring(message):gsub("\n", "\n  "))
end

local function gradients(op, sample)
  local vars = used(sample)
  local fn = compile(sample, vars)
  for name, layout in pairs(layouts) do
    tensor.manual_seed(11)
    local inputs = {}
    for i, v in ipairs(vars) do inputs[i] = draw(v, layout.shape(v.shape)):requires_grad_() end
    local ok, message = pcall(tensor.gradcheck, function(...)
      local views = {...}
      for i, v in ipairs(vars) do views[i] = layout.view(views[i], #v.shape) end
      return fn(table.unpack(views))
    end, inputs)
    checked = checked + 1
    if not ok then fail(op, sample, name, message) end
  end
end

-- The gradient's own gradient.
local twice = 0
local function second_gradients(op, sample)
  local vars = used(sample)
  if #vars == 0 then return end
  local fn = compile(sample, vars)
  tensor.manual_seed(11)
  local inputs = {}
  for i, v in ipairs(vars) do inputs[i] = draw(v):requires_grad_() end
  -- A number from the gradients of the sample by all its inputs; history is recorded whoever asks.
  local function slope(...)
    return tensor.enable_grad(function(...)
      local y, total = fn(...), nil
      local weights = tensor.arange(y:numel(), {dtype = "float64"}):mul(0.7):sin():add(1.5):reshape(y.shape)
      for _, g in pairs(tensor.grad((y * weights):sum(), {...}, {create_graph = true, allow_unused = true})) do
        if g and g.requires_grad then
          local part = (g * tensor.arange(g:numel(), {dtype = "float64"}):mul(1.1):cos():add(0.7):reshape(g.shape)):sum()
          total = total and total + part or part
        end
      end
      return total or tensor.zeros({}, {dtype = "float64"})
    end, ...)
  end
  local ok, message = pcall(slope, table.unpack(inputs))
  if not ok then
    fail(op, sample, "second gradient", message)
  elseif message.requires_grad then
    twice = twice + 1
    ok, message = pcall(tensor.gradcheck, slope, inputs, {atol = 1e-4, rtol = 1e-3})
    if not ok then fail(op, sample, "second gradient", message) end
  end
end

local function runs(op, sample)
  local vars = used(sample)
  local values = {}
  tensor.manual_seed(11)
  for i, v in ipairs(vars) do values[i] = draw(v) end
  ran = ran + 1
  local ok, message = pcall(compile(sample, vars), table.unpack(values))
  if not ok then fail(op, sample, "run", message) end
end

-- Wild inputs: whatever comes out, the process goes on, and so does backward.
local function survives(sample)
  local vars = used(sample)
  local fn = compile(sample, vars)
  local function try(make)
    local values, leaves = {}, {}
    for i, v in ipairs(vars) do
      values[i] = make(v)
      if values[i].dtype:find("float") then leaves[#leaves + 1] = values[i]:requires_grad_() end
    end
    local results = table.pack(pcall(fn, table.unpack(values)))
    for i = 2, results.n do
      local r = results[i]
      if r ~= nil and tensor.is_tensor(r) and r.requires_grad then
        -- Every other time by the way that can be differentiated again, and so it is.
        local again = ran % 2 == 0
        local ok, slopes = pcall(tensor.grad, r:sum(), leaves, {allow_unused = true, create_graph = again})
        for _, g in pairs(ok and again and slopes or {}) do
          if g and g.requires_grad then pcall(tensor.grad, g:sum(), leaves, {allow_unused = true, retain_graph = true}) end
        end
      end
    end
    ran = ran + 1
  end
  for _, size in ipairs{2, 3, 4, 5, 6, 7, 9} do
    try(function(v)
      local shape = {}
      for d, n in ipairs(v.shape) do shape[d] = n == size and 0 or n end
      return draw(v, shape)
    end)
  end
  for _, dtype in ipairs{"float32", "int64", "int32", "uint8", "bool"} do
    try(function(v) return draw(v):mul(3):to(dtype) end)
  end
  for _, special in ipairs{0/0, 1/0, -1/0, 0} do
    try(function(v) return tensor.full(v.shape, special, {dtype = "float64"}) end)
  end
  try(function(v) return draw(v, {}) end)
  try(function(v) return draw(v, {1, 1, 1, 1, 1, 1, 1, 1}) end)
end

for _, op in ipairs(catalog.operations()) do
  if wanted[op.module] then
    for _, sample in ipairs(op.samples) do
      if sample:sub(1, 1) == "!" then
        runs(op, sample:sub(2))
        survives(sample:sub(2))
      else
        gradients(op, sample)
        second_gradients(op, sample)
        survives(sample)
      end
    end
  end
end
for _, failure in ipairs(failures) do print("FAILED " .. failure) end
print(string.format("%d gradient checks, %d second gradients, %d runs, %d failed", checked, twice, ran, #failures))
os.exit(#failures == 0)
