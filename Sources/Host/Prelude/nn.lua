-- The module `nn`, put together from its parts.
local nn, host = ...
local tensor = require "tensor"
local F = nn.functional

-- Activations and shape functions are methods of tensors as well; here they go by PyTorch's second name.
for _, name in ipairs{
  "relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid", "softmax", "log_softmax", "softplus", "hardtanh",
  "pad", "one_hot",
} do
  F[name] = tensor[name]
end

local core = host.prelude("class", nn, host)
core.quietly = tensor.no_grad

-- One number for both dimensions, or a list of two.
function core.pair(value)
  if type(value) == "table" then return #value == 1 and {value[1], value[1]} or {value[1], value[2]} end
  return {value, value}
end
function core.single(value)
  return type(value) == "table" and value[1] or value
end

-- "(5, 5)" for a pair, as PyTorch prints it.
function core.tuple(values)
  if type(values) ~= "table" then return tostring(values) end
  return "(" .. table.concat(values, ", ") .. (#values == 1 and ",)" or ")")
end
-- 1e-05 and 0.1 as PyTorch prints them.
function core.number(x)
  return math.type(x) == "integer" and tostring(x) or (("%.6g"):format(x))
end

for _, part in ipairs{
  "nn_module", "nn_draw", "nn_init", "nn_containers", "nn_layers", "nn_conv", "nn_norm", "nn_activations", "nn_losses",
  "nn_recurrent", "nn_attention", "nn_utils", "nn_files", "nn_onnx",
} do
  host.prelude(part, nn, host, core)
end
