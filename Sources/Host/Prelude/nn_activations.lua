-- Activations as modules. Each is one row: arguments, what it does, the tensor function.
local nn, host, core = ...
local tensor = require "tensor"
local F = nn.functional
local define, Module, number = core.define, core.Module, core.number

-- Changes the values of x itself. What backward keeps of the input is a copy; a graph that is exported knows values only.
function core.in_place(x, fn, ...)
  if core.traces then return fn(x, ...) end
  return x:copy_(fn(x.requires_grad and x:clone() or x, ...))
end
local in_place = core.in_place

-- fields: the names of the arguments, in the order in which fn takes them after x. All but those marked `pure` have
-- PyTorch's `inplace` as their last.
local function activation(name, arguments, text, source, fn, fields, pure)
  if not pure then arguments = arguments .. (arguments == "" and "" or ", ") .. "inplace: bool = false" end
  local C = define(("nn.%s(%s)\n%s\nSource: %s\n"):format(name, arguments, text, source), Module, function(self, ...)
    for i, field in ipairs(fields or {}) do self[field] = (select(i, ...)) end
    if not pure and select(fields and #fields + 1 or 1, ...) then self.inplace = true end
  end)
  if not fields then
    function C:forward(x)
      if self.inplace then return in_place(x, fn) end
      return fn(x)
    end
    function C:extra_repr() return self.inplace and "inplace=true" or "" end
    return C
  end
  local a, b = fields[1], fields[2]
  if b then
    function C:forward(x)
      if self.inplace then return in_place(x, fn, self[a], self[b]) end
      return fn(x, self[a], self[b])
    end
  else
    function C:forward(x)
      if self.inplace then return in_place(x, fn, self[a]) end
      return fn(x, self[a])
    end
  end
  function C:extra_repr()
    local parts = {}
    for i, field in ipairs(fields) do
      local value = self[field]
      parts[i] = field .. "=" .. (type(value) == "number" and number(value) or ("'%s'"):format(tostring(value)))
    end
    if self.inplace then parts[#parts + 1] = "inplace=true" end
    return table.concat(parts, ", ")
  end
  return C
end

activation("ReLU", "", "Gives max(x, 0)."
  .. "\nExample: nn.ReLU()(tensor{-1.0, 2.0}) --> tensor([0., 2.])", "torch.nn.ReLU", tensor.relu)
activation("SiLU", "", "Gives x * sigmoid(x)."
  .. "\nExample: nn.SiLU()(tensor{-1.0, 2.0}) --> tensor([-0.2689,  1.7616])", "torch.nn.SiLU", tensor.silu)
activation("Tanh", "", "Gives the hyperbolic tangent."
  .. "\nExample: nn.Tanh()(tensor{0.0, 1.0}) --> tensor([0.0000, 0.7616])", "torch.nn.Tanh", tensor.tanh, nil, true)
activation("Sigmoid", "", "Gives 1 / (1 + e^-x)."
  .. "\nExample: nn.Sigmoid()(tensor{0.0, 2.0}) --> tensor([0.5000, 0.8808])", "torch.nn.Sigmoid", tensor.sigmoid, nil, true)
activation("LeakyReLU", "negative_slope: number = 0.01", "Gives x where positive and negative_slope * x elsewhere."
  .. "\nExample: nn.LeakyReLU(0.1)(tensor{-1.0, 2.0}) --> tensor([-0.1000,  2.0000])",
  "torch.nn.LeakyReLU", tensor.leaky_relu, {"negative_slope"})
activation("ELU", "alpha: number = 1", "Gives x where positive and alpha * (e^x - 1) elsewhere."
  .. "\nExample: nn.ELU()(tensor{-1.0, 2.0}) --> tensor([-0.6321,  2.0000])", "torch.nn.ELU", tensor.elu, {"alpha"})
activation("GELU", "approximate: \"none\"|\"tanh\" = \"none\"", "Gives x times the normal distribution's share below x."
  .. "\nExample: nn.GELU()(tensor{-1.0, 1.0}) --> tensor([-0.1587,  0.8413])",
  "Hendrycks and Gimpel 2016; torch.nn.GELU", function(x, mode) return tensor.gelu(x, {approximate = mode}) end, {"approximate"}, true)
activation("Softplus", "beta: number = 1, threshold: number = 20", "Gives log(1 + e^(beta x)) / beta; x where beta x is above the threshold."
  .. "\nExample: nn.Softplus()(tensor{0.0, 30.0}) --> tensor([ 0.6931, 30.0000])",
  "torch.nn.Softplus", tensor.softplus, {"beta", "threshold"}, true)
activation("Hardtanh", "min_val: number = -1, max_val: number = 1", "Limits x to the range from min_val to max_val."
  .. "\nExample: nn.Hardtanh()(tensor{-3.0, 0.5}) --> tensor([-1.0000,  0.5000])",
  "torch.nn.Hardtanh", tensor.hardtanh, {"min_val", "max_val"})
activation("Softmax", "dim: int", "Gives e^x divided by its sum along dim."
  .. "\nExample: nn.Softmax(1)(tensor{{0.0, 0.0}}) --> tensor([[0.5000, 0.5000]])", "torch.nn.Softmax", tensor.softmax, {"dim"}, true)
activation("LogSoftmax", "dim: int", "Gives the logarithm of softmax along dim."
  .. "\nExample: nn.LogSoftmax(1)(tensor{{0.0, 0.0}}) --> tensor([[-0.6931, -0.6931]])", "torch.nn.LogSoftmax", tensor.log_softmax, {"dim"}, true)

local PReLU = define([[
nn.PReLU(num_parameters: int = 1, init: number = 0.25, *, dtype: dtype = "float32")
Gives x where positive and weight * x elsewhere. Parameter: weight, one number or one for each channel.
Example: nn.PReLU()(tensor{-2.0, 2.0}):detach() --> tensor([-0.5000,  2.0000])
Source: He et al. 2015; torch.nn.PReLU
]], Module, function(self, count, value, dtype)
  core.positive("nn.PReLU", "num_parameters", count)
  self.count = count
  self.weight = nn.Parameter(tensor.full({count}, value, {dtype = dtype}))
end)
function PReLU:forward(x) return F.prelu(x, self.weight) end
function PReLU:extra_repr() return "num_parameters=" .. self.count end
