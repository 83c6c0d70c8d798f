-- nn.export_onnx: the file's structure, read here byte by byte, and what is refused. That onnxruntime computes the same
-- is checked by `make interop`.
local check = require "check"
local fs = require "fs"
local nn = require "nn"
local tensor = require "tensor"
local path = os.tmpname()

-- The fields of a protobuf message by number: integers, and the bytes of everything else.
local function message(bytes)
  local at, fields = 1, setmetatable({}, {__index = function(t, k) t[k] = {} return t[k] end})
  local function varint()
    local value, shift = 0, 0
    repeat
      local byte = bytes:byte(at)
      at = at + 1
      value = value | (byte & 127) << shift
      shift = shift + 7
    until byte < 128
    return value
  end
  while at <= #bytes do
    local key = varint()
    local field, kind = key >> 3, key & 7
    if kind == 0 then
      table.insert(fields[field], varint())
    elseif kind == 5 then
      table.insert(fields[field], (string.unpack("<f", bytes, at)))
      at = at + 4
    else
      assert(kind == 2, "wire type " .. kind)
      local length = varint()
      table.insert(fields[field], bytes:sub(at, at + length - 1))
      at = at + length
    end
  end
  return fields
end

-- A model as tables: what the format's field numbers say.
local function model(module, example, options)
  nn.export_onnx(path, module, example, options or {})
  local m = message(fs.read(path))
  local graph = message(m[7][1])
  local result = {ir = m[1][1], opset = message(m[8][1])[2][1], producer = m[2][1], ops = {}, weights = {}, inputs = {}, outputs = {}}
  for i, bytes in ipairs(graph[1]) do result.ops[i] = message(bytes)[4][1] end
  for _, bytes in ipairs(graph[5]) do
    local t = message(bytes)
    result.weights[t[8][1]] = {kind = t[2][1], dims = t[1][1] or "", bytes = t[9][1] or ""}
  end
  for field, list in pairs{[11] = result.inputs, [12] = result.outputs} do
    for i, bytes in ipairs(graph[field]) do
      local info = message(bytes)
      local kind = message(message(info[2][1])[1][1])
      local dims = {}
      for k, dim in ipairs(message(kind[2] and kind[2][1] or "")[1]) do
        local d = message(dim)
        dims[k] = d[2][1] or d[1][1]
      end
      list[i] = info[1][1] .. ":" .. kind[1][1] .. "[" .. table.concat(dims, ",") .. "]"
    end
  end
  return result
end

tensor.manual_seed(1)
local net = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Dropout(0.5), nn.Linear(5, 2))
local m = model(net, tensor.zeros(2, 3, 4))
check.equal("ir version", m.ir, 8)
check.equal("operator set", m.opset, 18)
check.equal("producer", m.producer, "host")
check.equal("operations", table.concat(m.ops, " "), "Reshape Gemm Relu Gemm")
check.equal("input", m.inputs[1], "input:1[batch,3,4]")
check.equal("output", m.outputs[1], "output:1[batch,2]")
for name, p in net:named_parameters() do
  local w = m.weights[name]
  check.that("weight " .. name, w and w.kind == 1 and #w.bytes == 4 * p:numel())
  if w then
    local flat = p:flatten()
    for i = 0, p:numel() - 1 do check.equal(name .. "[" .. i .. "]", (string.unpack("<f", w.bytes, 4 * i + 1)), flat[i]:item()) end
  end
end
check.that("the mode is as it was", net.training and net[3].training)

-- Names, other types, several inputs and outputs, a fixed batch.
local Two = nn.class("Two")
function Two:forward(a, b) return a + b:double(), {b, a:sum(0)} end
m = model(Two(), {tensor.zeros(3, 2, {dtype = "float64"}), tensor.zeros(3, 2, {dtype = "int64"})}, {input_names = {"a", "b"}})
check.equal("two inputs", table.concat(m.inputs, " "), "a:11[batch,2] b:7[batch,2]")
check.equal("three outputs", table.concat(m.outputs, " "), "output_0:11[batch,2] output_1:7[batch,2] output_2:11[2]")
m = model(nn.Linear(2, 1), tensor.zeros(3, 2), {batch_dim = -1, output_names = {"y"}})
check.equal("a fixed batch", m.inputs[1] .. m.outputs[1], "input:1[3,2]y:1[3,1]")
m = model(nn.LSTM(2, 3), tensor.zeros(4, 1, 2), {batch_dim = 1})
check.equal("a batch in the middle", table.concat(m.outputs, " "), "output_0:1[4,batch,3] output_1:1[1,batch,3] output_2:1[1,batch,3]")
check.that("recurrent weights keep their names", m.weights.weight_ih_l0 and m.weights.bias_hh_l0)

-- What a graph cannot say is refused by name, and the file that was there stays.
local before = fs.read(path)
local Fn = nn.class("Fn")
function Fn:init(f) self.f = f end
function Fn:forward(...) return self.f(...) end
local x = tensor.rand(3, 4)
local function refuses(words, f, options, example)
  check.fails(words, nn.export_onnx, path, Fn(f), example or x, options or {})
end
refuses({"nn.export_onnx", "svd", "cannot be written"}, function(t) return (tensor.linalg.svd(t)) end)
refuses({"item", "values"}, function(t) return t * t:sum():item() end)
refuses({"tolist"}, function(t) return t + #t:tolist() end)
refuses({"index assignment", "cat"}, function(t) local y = t * 2 y[0] = 1 return y end)
refuses({"dropout", "random"}, function(t) return nn.functional.dropout(t, 0.5, true) end)
refuses({"mask"}, function(t) return t[t:gt(0)] end)
refuses({"batch size", "batch_dim"}, function(t) return t:sum(0) * (#t > 3 and t:sum() or 2) end)
refuses({"batch size"}, function(t) return t * tensor.arange(#t):unsqueeze(1) end)
refuses({"no tensor"}, function() end)
refuses({"view"}, function(t) return t:view(3, 2, 2) end)
refuses({"shares"}, function(t) local y = t * 2 local v = y:view(-1) v:add_(1) return y end)
check.fails({"batch_dim"}, nn.export_onnx, path, nn.Identity(), tensor(1.0))
check.fails({"output_names", "2", "1"}, nn.export_onnx, path, nn.Identity(), x, {output_names = {"a", "b"}})
check.fails({"input_names"}, nn.export_onnx, path, nn.Identity(), x, {input_names = {"a", "b"}})
check.equal("the old file is whole", fs.read(path), before)
check.that("an error leaves the mode as it was", net.training)

-- Afterwards nothing is traced any more, and gradients are recorded.
local p = nn.Parameter(tensor.ones(2))
check.that("gradients", (p * 2).requires_grad)
os.remove(path)
check.done(100)
