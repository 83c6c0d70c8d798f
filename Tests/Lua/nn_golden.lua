-- Layers, losses and functions against PyTorch: Tests/Golden/make_layers.py made the file.
local check = require "check"
local tensor = require "tensor"
local json = require "json"
nn = require "nn"
F = nn.functional
_G.tensor = tensor

local golden, metadata = nn.load(check.golden("layers.safetensors"))
local only = arg[1]

local function flat(values, out)
  for i = 1, values.n or #values do
    local v = values[i]
    if tensor.is_tensor(v) then out[#out + 1] = v elseif type(v) == "table" then flat(v, out) end
  end
  return out
end

local function weights(t)
  return tensor.arange(t:numel(), {dtype = "float64"}):mul(0.7):sin():add(1.5):reshape(t.shape):to(t.dtype)
end

local function run(case, dtype, rtol, atol)
  local name = case.name .. (dtype == "float32" and " (float32)" or "")
  local function get(key)
    local t = golden[case.name .. "/" .. key]
    if t and t.dtype == "float64" then return t:to(dtype) end
    return t
  end
  net = nil
  if case.make ~= "" then
    net = load("return " .. case.make)():to(dtype)
    local state, order = {}, {}
    for _, key in ipairs(case.names) do state[key] = get("state/" .. key) end
    net:load_state_dict(state)
    for key in pairs(net:state_dict()) do order[#order + 1] = key end
    check.equal(name .. ": names", table.concat(order, " "), table.concat(case.names, " "))
    if case.mode == "eval" then net:eval() end
  end
  local inputs = {}
  for i = 1, case.inputs do
    local x = get("in/" .. i - 1):clone()
    if x.dtype == dtype then x:requires_grad_() end
    inputs[i] = x
  end
  local outputs = flat(table.pack(load("return " .. case.call)(table.unpack(inputs))), {})
  check.equal(name .. ": outputs", #outputs, case.outputs)
  local loss
  for i, y in ipairs(outputs) do
    check.close(name .. ": output " .. i, y, get("out/" .. i - 1), rtol, atol)
    if y.requires_grad then
      local part = (y * weights(y)):sum()
      loss = loss and loss + part or part
    end
  end
  if loss then loss:backward() end
  for i, x in ipairs(inputs) do
    local expected = get("gin/" .. i - 1)
    if expected then check.close(name .. ": gradient of input " .. i, x.grad, expected, rtol, atol) end
  end
  if net then
    for key, p in net:named_parameters() do
      local expected = get("grad/" .. key)
      if expected then check.close(name .. ": gradient of " .. key, p.grad, expected, rtol, atol) end
    end
    for key, b in net:named_buffers() do
      check.close(name .. ": buffer " .. key, b, get("buffer/" .. key), rtol, atol)
    end
    -- Drawing it works, and starts with the class.
    check.that(name .. ": tostring", tostring(net):find("^" .. case.make:match("^nn%.(%w+)") .. "%("), tostring(net))
  end
end

for _, case in ipairs(json.decode(metadata.cases)) do
  if not only or case.name:find(only) then
    for _, mode in ipairs{{"float64", 1e-9, 1e-10}, {"float32", 2e-4, 2e-5}} do
      local ok, message = xpcall(run, debug.traceback, case, table.unpack(mode))
      if not ok then check.fail(case.name .. " " .. mode[1], message) end
    end
  end
end
check.done(only and 1 or 1500)
