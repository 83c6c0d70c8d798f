-- Element-wise work on 16 million floats, which no cache holds.
local tensor = require "tensor"

local n = 1 << 24

local function case(f)
  return function()
    local a, b = tensor.randn(n), tensor.randn(n)
    return function() f(a, b) end
  end
end

return {
  add = case(function(a, b) return a + b end),
  add_in_place = case(function(a, b) return a:add_(b) end),
  relu = case(function(a) return a:relu() end),
  exp = case(function(a) return a:exp() end),
  tanh = case(function(a) return a:tanh() end),
  sum = case(function(a) return a:sum() end),
}
