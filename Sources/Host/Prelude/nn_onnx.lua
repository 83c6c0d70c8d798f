-- Networks as ONNX files.
local nn, host, core = ...
local tensor = require "tensor"
local declare, fail = host.declare, host.fail
local ipairs = host.prelude "lists"

-- Tensors of results and states, however they are nested, in order.
local function flatten(value, out)
  if host.is_tensor(value) then
    out[#out + 1] = value
  elseif type(value) == "table" and getmetatable(value) == nil then
    for i = 1, value.n or #value do flatten(value[i], out) end
  end
  return out
end

-- Puts each module back into the mode it was in, also after an error.
local restore = {
  __close = function(self)
    core.traces = false
    for module, mode in pairs(self) do rawset(module, "training", mode) end
  end,
}

local function names_for(name, given, count)
  if given then
    if #given ~= count then fail(("nn.export_onnx: %s_names has %d names for %d tensors"):format(name, #given, count)) end
    return given
  end
  if count == 1 then return {name} end
  local names = {}
  for i = 1, count do names[i] = name .. "_" .. i - 1 end
  return names
end

nn.export_onnx = declare([[
nn.export_onnx(path: string, module: module, example_input: tensor|list, *, input_names: list = nil, output_names: list = nil, batch_dim: int = 0)
Writes a module in evaluation mode as an ONNX file (operator set 18), which onnxruntime and others run. The module takes `example_input` (a tensor, or a list of its arguments) twice, the second time with one sample more: so the file works for any number of samples along `batch_dim`. With {batch_dim = -1} it works for the example's shape alone.
Args:
  path: the file; it is replaced as a whole
  module: its parameters and buffers are stored under their names in the state dict
  example_input: what it takes; only shapes and dtypes matter
  input_names: names of the file's inputs; "input", or "input_0", "input_1" ...
  output_names: names of its outputs; "output", or "output_0", "output_1" ...; tensors in nested results are counted in order
  batch_dim: the dimension of the inputs that counts samples, 1 for recurrent layers without batch_first
Errors: an operation that ONNX cannot say, by its name; results that depend on the input's values beyond what tensors compute
Example:
  local path = os.tmpname()
  nn.export_onnx(path, nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), tensor.zeros(1, 3, 4))
  print(#require("fs").read(path) > 100) --> true
See: nn.save
Source: https://onnx.ai/onnx/operators; torch.onnx.export
]], function(path, module, example, input_names, output_names, batch_dim)
  local inputs = host.is_tensor(example) and {example} or example
  local own, larger = {}, {}
  for i, x in ipairs(inputs) do
    if not host.is_tensor(x) then fail(("nn.export_onnx: example_input %d is a %s, expected a tensor"):format(i, type(x))) end
    -- Tensors of our own: the caller's may be parameters, or one and the same.
    own[i] = x:detach():clone()
  end
  if #own == 0 then fail("nn.export_onnx: expected an example input") end
  if batch_dim >= 0 then
    local size = batch_dim < own[1].ndim and own[1]:size(batch_dim)
    if not size or size == 0 then
      fail(("nn.export_onnx: the example of shape %s has no sample along dimension %d; name the one that counts samples with {batch_dim = ..}")
        :format(core.shape_text(own[1]), batch_dim))
    end
    for i, x in ipairs(own) do
      -- Another input that does not count samples stays as it is.
      local counts = batch_dim < x.ndim and x:size(batch_dim) == size
      larger[i] = counts and tensor.cat({x, x:narrow(batch_dim, 0, 1)}, batch_dim) or x:clone()
    end
  end
  local state_names, state = {}, {}
  for name, t in module:named_parameters() do state_names[#state_names + 1], state[#state + 1] = name, t end
  for name, t in module:named_buffers() do state_names[#state_names + 1], state[#state + 1] = name, t end
  local modes = {}
  for _, m in ipairs(module:modules()) do modes[m] = m.training end
  local _ <close> = setmetatable(modes, restore)
  module:eval()
  core.traces = true
  local function run(arguments) return flatten(table.pack(module(table.unpack(arguments))), {}) end
  tensor.no_grad(
    host.export_onnx, path, run, own, larger, batch_dim, getmetatable(module).__name or "module",
    names_for("input", input_names, #own), output_names, state_names, state)
end)
