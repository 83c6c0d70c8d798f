-- Matrix products: square ones, and those of training with their gradients. One run is one product.
local tensor = require "tensor"
local nn = require "nn"

local cases = {}

local function product(m, n, k, a_transposed, b_transposed)
  return function()
    local a = a_transposed and tensor.randn(k, m):t() or tensor.randn(m, k)
    local b = b_transposed and tensor.randn(n, k):t() or tensor.randn(k, n)
    return function() a:matmul(b) end
  end
end

for _, n in ipairs{512, 1024, 2048} do cases["square_" .. n] = product(n, n, n) end
-- Forward of a layer (weight is [out, in]), gradient of its input, gradient of its weight.
for _, s in ipairs{{64, 512, 784}, {128, 128, 9216}, {36864, 64, 288}} do
  local m, n, k = table.unpack(s)
  local name = ("%dx%dx%d"):format(m, n, k)
  cases["forward_" .. name] = product(m, n, k, false, true)
  cases["input_gradient_" .. name] = product(m, k, n)
  cases["weight_gradient_" .. name] = product(n, k, m, true)
end
cases.linear_relu_64x512x784 = function()
  local x, w, b = tensor.randn(64, 784), tensor.randn(512, 784), tensor.randn(512)
  return function() nn.functional.linear(x, w, b):relu() end
end

return cases
