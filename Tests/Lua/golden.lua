-- Runs golden cases (see Tests/Golden/golden_case.py for what a line holds) and reports.
--   host golden.lua CASES REPORT MODULE...    checks that every documented name of the modules has cases
local tensor = require "tensor"
local catalog = require "host.catalog"
local cases_path, report_path = arg[1], arg[2]
local modules = {table.unpack(arg, 3)}
for _, name in ipairs(modules) do require(name) end

local dtypes = {f = "float32", d = "float64", l = "int64", i = "int32", u = "uint8", b = "bool"}
-- Relative and absolute tolerance; results of float32 pass through a few roundings.
local tolerances = {f = {2e-5, 2e-6}, d = {1e-10, 1e-12}}

-- An input in the layout that the case asks for.
local function input(spec)
  local dtype, shape, values, layout, grad = dtypes[spec[1]], spec[2], spec[3], spec[4], spec[5]
  local x
  if #values == 0 then
    x = tensor.zeros(shape, {dtype = dtype})
  else
    x = tensor(values, {dtype = dtype}):reshape(shape)
  end
  if layout == "t" then
    local order = {}
    for d = #shape - 1, 0, -1 do order[#order + 1] = d end
    if #order > 0 then x = x:permute(order):contiguous():permute(order) end
  elseif layout == "s" and #shape > 0 then
    local wide = {table.unpack(shape)}
    wide[#wide] = 2 * wide[#wide]
    local big = tensor.zeros(wide, {dtype = dtype})
    local view = big:slice(-1, 0, nil, 2)
    view:copy_(x)
    x = view
  end
  if grad then x:requires_grad_() end
  return x
end

local function show(value)
  if tensor.is_tensor(value) then return value.dtype .. " " .. tostring(value) end
  if type(value) == "table" then
    local parts = {}
    for i, v in ipairs(value) do parts[i] = show(v) end
    return "{" .. table.concat(parts, ", ") .. "}"
  end
  return math.type(value) and string.format("%s (%s)", value, math.type(value)) or tostring(value)
end

local function close(a, b, rtol, atol)
  if a == b then return true end
  if a ~= a or b ~= b then return a ~= a and b ~= b end
  return math.abs(a - b) <= atol + rtol * math.abs(b) and math.abs(b) ~= 1/0
end

-- nil when `got` is the tensor that `want` describes, else what differs.
local function differs(got, want, tolerance)
  if not tensor.is_tensor(got) then return "expected a tensor, got " .. show(got) end
  if got.dtype ~= dtypes[want[1]] then return "expected dtype " .. dtypes[want[1]] .. ", got " .. show(got) end
  local shape = got.shape
  if table.concat(shape, ",") ~= table.concat(want[2], ",") then
    return "expected shape {" .. table.concat(want[2], ",") .. "}, got {" .. table.concat(shape, ",") .. "}"
  end
  local flat = got:detach():reshape(-1):tolist()
  local rtol, atol = 0, 0
  if tolerances[want[1]] then
    rtol, atol = table.unpack(tolerances[want[1]])
    if tolerance then rtol, atol = tolerance, tolerance end
  end
  for i, b in ipairs(want[3]) do
    local a = flat[i]
    if type(a) == "boolean" then a = a and 1 or 0 end
    if not close(a, b, rtol, atol) then
      return string.format("element %d is %.10g, expected %.10g, in %s", i - 1, a, b, show(got))
    end
  end
end

local function compare(got, want, tolerance)
  if type(want) == "table" and want.list then
    if type(got) ~= "table" or #got ~= #want.list then return "expected a list of " .. #want.list .. ", got " .. show(got) end
    for i, w in ipairs(want.list) do
      local problem = compare(got[i], w, tolerance)
      if problem then return "item " .. i .. ": " .. problem end
    end
  elseif type(want) == "table" and type(want[1]) == "string" then
    return differs(got, want, tolerance)
  elseif type(want) == "table" then
    if type(got) ~= "table" or #got ~= #want then return "expected " .. show(want) .. ", got " .. show(got) end
    for i, w in ipairs(want) do
      local problem = compare(got[i], w, tolerance)
      if problem then return problem end
    end
  elseif math.type(want) ~= math.type(got) or type(want) ~= type(got) then
    return "expected " .. show(want) .. ", got " .. show(got)
  elseif type(want) == "number" then
    if not close(got, want, 1e-6, 0) then return "expected " .. show(want) .. ", got " .. show(got) end
  elseif got ~= want then
    return "expected " .. show(want) .. ", got " .. show(got)
  end
end

-- The weighted sum that golden_case.py takes the gradients of.
local function loss(results, total)
  for _, r in ipairs(results) do
    if tensor.is_tensor(r) then
      if r.requires_grad and not r.is_leaf then
        local weights = tensor.arange(r:numel()):mul(7):remainder(5):sub(2):to(r.dtype):div(2):add(0.25)
        local part = (r:reshape(-1) * weights):sum()
        total = total and total + part or part
      end
    elseif type(r) == "table" then
      total = loss(r, total)
    end
  end
  return total
end

local environment = setmetatable({tensor = tensor}, {__index = _G})

local function run(case)
  local values = setmetatable({}, {__index = environment})
  for name, spec in pairs(case.i or {}) do values[name] = input(spec) end
  local body = load("return " .. case.c, case.c, "t", values) or assert(load(case.c, case.c, "t", values))
  local results = table.pack(pcall(body))
  if not results[1] then
    return not case.e and "failed: " .. tostring(results[2]) or nil
  end
  if case.e then return "was expected to fail, gave " .. show({table.unpack(results, 2, results.n)}) end
  if results.n - 1 ~= #case.o then return "expected " .. #case.o .. " results, got " .. results.n - 1 end
  for i, want in ipairs(case.o) do
    local problem = compare(results[i + 1], want, case.t)
    if problem then return (#case.o > 1 and "result " .. i .. ": " or "") .. problem end
  end
  if case.a then
    if case.n:find("_$") and results[2] ~= values[case.a] then return "did not give the tensor itself" end
    local problem = differs(values[case.a], case.o[1], case.t)
    if problem then return case.a .. " itself: " .. problem end
  end
  if case.g then
    local names, inputs = {}, {}
    for name in pairs(case.g) do
      names[#names + 1] = name
      inputs[#inputs + 1] = values[name]
    end
    local total = loss({table.unpack(results, 2, results.n)})
    if not total then return "no result requires gradients" end
    local ok, grads = pcall(tensor.grad, total, inputs, {allow_unused = true})
    if not ok then return "backward failed: " .. tostring(grads) end
    -- What passed through float32 is only as exact as that.
    local scale = case.t or 1e-9
    for _, spec in pairs(case.i) do
      if spec[1] == "f" then scale = case.t or 1e-4 end
    end
    for i, name in ipairs(names) do
      local want = case.g[name]
      local g = grads[i] or tensor.zeros_like(inputs[i])
      local problem = differs(g, want, scale)
      if problem then return "gradient of " .. name .. ": " .. problem end
    end
  end
end

local counts, total, failed = {}, 0, 0
for line in io.lines(cases_path) do
  local case = assert(load("return " .. line, "case", "t", {}))()
  total = total + 1
  local problem = run(case)
  if problem then
    failed = failed + 1
    if failed <= tonumber(os.getenv("GOLDEN_SHOW") or 40) then
      print("FAILED " .. case.c .. "\n  " .. problem:gsub("\n", "\n  "))
      for name, spec in pairs(case.i or {}) do
        print(string.format("  %s = %s {%s} %s%s", name, spec[1], table.concat(spec[2], ","), spec[4] or "c", spec[5] and " grad" or ""))
      end
    end
  end
  for name in case.n:gmatch("%S+") do counts[name] = (counts[name] or 0) + 1 end
end

-- Functions over files: their tests compare with files that the other libraries wrote.
local elsewhere = {from_file = true, save = true, save_npz = true, load_npz = true}

-- Every documented name of the modules has cases.
local report, missing = {}, {}
for _, entry in ipairs(catalog.docs()) do
  for _, module in ipairs(modules) do
    if entry.module == module and entry.name ~= module and entry.name ~= "Tensor" then
      local name = entry.name:match("linalg%.[%w_]+$") or entry.name:match("[%w_]+$")
      report[#report + 1] = string.format("%-28s %d", entry.name, counts[name] or 0)
      if not counts[name] and not elsewhere[name] then missing[#missing + 1] = entry.name end
    end
  end
end
table.sort(report)
local file = assert(io.open(report_path, "w"))
file:write(table.concat(report, "\n"), "\n")
file:close()
print(string.format("%d cases, %d failed, %d documented names, %d without a case", total, failed, #report, #missing))
if #missing > 0 then print("without a case: " .. table.concat(missing, " ")) end
os.exit(failed == 0 and #missing == 0)
