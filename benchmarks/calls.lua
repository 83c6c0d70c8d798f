-- What one call from Lua costs, on tensors of 64 elements. One run is 10,000 calls; the time of one is given.
local tensor = require "tensor"

local n = 10000
local a, b = tensor.randn(64), tensor.randn(64)
local w, s = tensor.randn(64, {requires_grad = true}), tensor(1.5)

local function case(run) return function() return run, 1 / n end end

return {
  add = case(function() for _ = 1, n do local _ = a + b end end),
  add_number = case(function() for _ = 1, n do local _ = a + 1 end end),
  relu = case(function() for _ = 1, n do local _ = a:relu() end end),
  add_in_place = case(function() for _ = 1, n do a:add_(b) end end),
  sum = case(function() for _ = 1, n do local _ = a:sum() end end),
  item = case(function() for _ = 1, n do local _ = s:item() end end),
  add_gradient = case(function() for _ = 1, n do local _ = w + b end end),
  mul_gradient = case(function() for _ = 1, n do local _ = w * b end end),
  relu_gradient = case(function() for _ = 1, n do local _ = w:relu() end end),
}
