-- nn.utils: gradients and parameters of a whole network at once.
local nn, host, core = ...
local tensor = require "tensor"
local ipairs = host.prelude "lists"
local declare, fail = host.declare, host.fail
local utils = {}
nn.utils = utils

local function list_of(parameters) return host.is_tensor(parameters) and {parameters} or parameters end

utils.clip_grad_norm_ = declare([[
nn.utils.clip_grad_norm_(parameters: list|tensor, max_norm: number, norm_type: number = 2, error_if_nonfinite: bool = false) -> number
Scales all gradients by one factor so that their common norm is at most max_norm; gives the norm before.
Errors: a norm that is not finite, with error_if_nonfinite
Example:
  local p = nn.Parameter(tensor{0.0, 0.0})
  p.grad = tensor{3.0, 4.0}
  nn.utils.clip_grad_norm_({p}, 1)
  p.grad --> tensor([0.6000, 0.8000])
Source: Pascanu et al. 2013; torch.nn.utils.clip_grad_norm_
]], function(parameters, max_norm, norm_type, strict)
  return host.clip_grad_norm(list_of(parameters), max_norm, norm_type, strict)
end)

utils.clip_grad_value_ = declare([[
nn.utils.clip_grad_value_(parameters: list|tensor, clip_value: number)
Limits every element of the gradients to the range from -clip_value to clip_value.
Example:
  local p = nn.Parameter(tensor{0.0, 0.0})
  p.grad = tensor{3.0, -4.0}
  nn.utils.clip_grad_value_({p}, 1)
  p.grad --> tensor([ 1., -1.])
Source: torch.nn.utils.clip_grad_value_
]], function(parameters, limit) host.clip_grad_value(list_of(parameters), limit) end)

utils.parameters_to_vector = declare([[
nn.utils.parameters_to_vector(parameters: list) -> tensor
Joins all parameters into one vector.
Example: nn.utils.parameters_to_vector(nn.Linear(2, 3):parameters()).shape --> {9}
Source: torch.nn.utils.parameters_to_vector
]], function(parameters)
  local parts = {}
  for i, p in ipairs(parameters) do parts[i] = p:reshape(-1) end
  return tensor.cat(parts)
end)

utils.vector_to_parameters = declare([[
nn.utils.vector_to_parameters(vec: tensor, parameters: list)
Copies the pieces of a vector back into the parameters.
Errors: a vector of another length
Example:
  local net = nn.Linear(2, 1)
  nn.utils.vector_to_parameters(tensor{1.0, 2.0, 3.0}, net:parameters())
  net.bias:detach() --> tensor([3.])
Source: torch.nn.utils.vector_to_parameters
]], function(vec, parameters)
  local total = 0
  for _, p in ipairs(parameters) do total = total + p:numel() end
  if vec.ndim ~= 1 or vec:numel() ~= total then
    fail(("nn.utils.vector_to_parameters: expected a vector of %d elements, got %s"):format(total, core.shape_text(vec)))
  end
  tensor.no_grad(function()
    local at = 0
    for _, p in ipairs(parameters) do
      local n = p:numel()
      p:copy_(vec:narrow(0, at, n):view(p.shape))
      at = at + n
    end
  end)
end)
