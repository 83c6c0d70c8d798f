-- Layers of a CNN at batch 64: forward, and forward with backward. One run is one batch.
local tensor = require "tensor"
local nn = require "nn"
local F = nn.functional

local cases = {}

local function layer(name, x, apply, leaves)
  cases[name .. "_forward"] = function()
    local input, parameters = x(), leaves and leaves() or {}
    return function() tensor.no_grad(function() apply(input, parameters) end) end
  end
  cases[name .. "_forward_backward"] = function()
    local input, parameters = x():requires_grad_(), leaves and leaves() or {}
    for _, p in ipairs(parameters) do p:requires_grad_() end
    local gradient
    return function()
      input.grad = nil
      for _, p in ipairs(parameters) do p.grad = nil end
      local y = apply(input, parameters)
      gradient = gradient or tensor.ones_like(y)
      y:backward(gradient)
    end
  end
end

layer("conv_1_32", function() return tensor.randn(64, 1, 28, 28) end,
  function(x, p) return F.conv2d(x, p[1], p[2]) end, function() return {tensor.randn(32, 1, 3, 3), tensor.randn(32)} end)
layer("conv_32_64", function() return tensor.randn(64, 32, 26, 26) end,
  function(x, p) return F.conv2d(x, p[1], p[2]) end, function() return {tensor.randn(64, 32, 3, 3), tensor.randn(64)} end)
layer("max_pool", function() return tensor.randn(64, 64, 24, 24) end, function(x) return F.max_pool2d(x, 2) end)
layer("batch_norm", function() return tensor.randn(64, 64, 24, 24) end,
  function(x, p) return F.batch_norm(x, nil, nil, p[1], p[2], true) end, function() return {tensor.ones(64), tensor.zeros(64)} end)
layer("dropout", function() return tensor.randn(64, 64, 24, 24) end, function(x) return F.dropout(x, 0.25, true) end)
layer("layer_norm", function() return tensor.randn(2048, 512) end,
  function(x, p) return F.layer_norm(x, {512}, p[1], p[2]) end, function() return {tensor.ones(512), tensor.zeros(512)} end)

function cases.cross_entropy_forward_backward()
  local x, y = tensor.randn(4096, 10, {requires_grad = true}), tensor.randint(0, 10, {4096})
  return function()
    x.grad = nil
    F.cross_entropy(x, y):backward()
  end
end

return cases
