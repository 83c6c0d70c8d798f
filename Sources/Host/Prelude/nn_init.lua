-- nn.init: first values of parameters, drawn from the one random generator.
local nn, host, core = ...
local tensor = require "tensor"
local declare, fail = host.declare, host.fail
local quietly = core.quietly
local init = {}
nn.init = init

local function define(doc, body)
  init[doc:match("nn%.init%.([%w_]+)%(")] = declare(doc, function(t, ...)
    quietly(body, t, ...)
    return t
  end)
end

define([[
nn.init.uniform_(tensor: tensor, a: number = 0, b: number = 1) -> tensor
Fills with draws from the uniform distribution on [a, b).
Example: nn.init.uniform_(tensor.zeros(100), 2, 3):ge(2):all():item() --> true
Source: torch.nn.init.uniform_
]], function(t, a, b) t:uniform_(a, b) end)

define([[
nn.init.normal_(tensor: tensor, mean: number = 0, std: number = 1) -> tensor
Fills with draws from a normal distribution.
Example: nn.init.normal_(tensor.zeros(1000), 5, 0.1):mean():round():item() --> 5.0
Source: torch.nn.init.normal_
]], function(t, mean, std) t:normal_(mean, std) end)

define([[
nn.init.constant_(tensor: tensor, val: number) -> tensor
Fills with a value.
Example: nn.init.constant_(tensor.zeros(2), 3) --> tensor([3., 3.])
Source: torch.nn.init.constant_
]], function(t, value) t:fill_(value) end)

define([[
nn.init.ones_(tensor: tensor) -> tensor
Fills with 1.
Example: nn.init.ones_(tensor.zeros(2)) --> tensor([1., 1.])
Source: torch.nn.init.ones_
]], function(t) t:fill_(1) end)

define([[
nn.init.zeros_(tensor: tensor) -> tensor
Fills with 0.
Example: nn.init.zeros_(tensor.ones(2)) --> tensor([0., 0.])
Source: torch.nn.init.zeros_
]], function(t) t:zero_() end)

define([=[
nn.init.eye_(tensor: tensor) -> tensor
Fills a matrix with ones on the diagonal and zeros elsewhere.
Errors: a tensor that is no matrix
Example: nn.init.eye_(tensor.zeros(2, 2)) --> tensor([[1., 0.],
        [0., 1.]])
Source: torch.nn.init.eye_
]=], function(t)
  if t.ndim ~= 2 then fail("nn.init.eye_: expected a matrix, got " .. core.shape_text(t)) end
  t:copy_(tensor.eye(t.shape[1], t.shape[2]))
end)

define([=[
nn.init.dirac_(tensor: tensor) -> tensor
Fills a convolution's weight [O, C, ..] so that it passes its input through.
Errors: fewer than 3 dimensions
Example: nn.init.dirac_(tensor.zeros(1, 1, 3)) --> tensor([[[0., 1., 0.]]])
Source: torch.nn.init.dirac_
]=], function(t)
  if t.ndim < 3 then fail("nn.init.dirac_: expected a weight [O, C, ..], got " .. core.shape_text(t)) end
  t:zero_()
  local centre = t
  for d = t.ndim, 3, -1 do centre = centre:select(d - 1, t.shape[d] // 2) end
  for i = 0, math.min(t.shape[1], t.shape[2]) - 1 do centre[{i, i}] = 1 end
end)

-- How many inputs and outputs each element of the weight works for.
local function fans(t, name)
  if t.ndim < 2 then
    fail(("nn.init.%s: fan in and fan out need at least 2 dimensions, got %s"):format(name, core.shape_text(t)))
  end
  local area = 1
  for d = 3, t.ndim do area = area * t.shape[d] end
  return t.shape[2] * area, t.shape[1] * area
end

local gains = {
  linear = 1, conv1d = 1, conv2d = 1, conv_transpose2d = 1, sigmoid = 1, tanh = 5 / 3, relu = math.sqrt(2), selu = 3 / 4,
}

local function gain_of(nonlinearity, param)
  if nonlinearity == "leaky_relu" then return math.sqrt(2 / (1 + (param or 0.01) ^ 2)) end
  local gain = gains[nonlinearity]
  if not gain then
    local known = {"leaky_relu"}
    for name in pairs(gains) do known[#known + 1] = name end
    table.sort(known)
    fail(("nn.init.calculate_gain: unknown nonlinearity '%s'%s"):format(nonlinearity, host.suggest(nonlinearity, known)))
  end
  return gain
end

init.calculate_gain = declare([[
nn.init.calculate_gain(nonlinearity: string, param: number = nil) -> number
Gives the factor that keeps the size of signals through a nonlinearity: "linear", "relu", "tanh", "sigmoid", "selu", "leaky_relu" (`param`: its slope), a convolution's name.
Example: nn.init.calculate_gain("tanh") --> 1.6666666666667
Source: torch.nn.init.calculate_gain
]], gain_of)

define([[
nn.init.xavier_uniform_(tensor: tensor, gain: number = 1) -> tensor
Fills uniformly within gain * sqrt(6 / (fan_in + fan_out)).
Example: nn.init.xavier_uniform_(tensor.zeros(3, 3)):abs():le(1):all():item() --> true
Source: Glorot and Bengio 2010; torch.nn.init.xavier_uniform_
]], function(t, gain)
  local fan_in, fan_out = fans(t, "xavier_uniform_")
  local bound = gain * math.sqrt(6 / (fan_in + fan_out))
  t:uniform_(-bound, bound)
end)

define([[
nn.init.xavier_normal_(tensor: tensor, gain: number = 1) -> tensor
Fills with normal draws of deviation gain * sqrt(2 / (fan_in + fan_out)).
Example: nn.init.xavier_normal_(tensor.zeros(50, 50)):std():mul(10):round():item() --> 1.0
Source: Glorot and Bengio 2010; torch.nn.init.xavier_normal_
]], function(t, gain)
  local fan_in, fan_out = fans(t, "xavier_normal_")
  t:normal_(0, gain * math.sqrt(2 / (fan_in + fan_out)))
end)

local function kaiming_std(t, a, mode, nonlinearity, name)
  local fan_in, fan_out = fans(t, name)
  return gain_of(nonlinearity, a) / math.sqrt(mode == "fan_in" and fan_in or fan_out)
end

define([[
nn.init.kaiming_uniform_(tensor: tensor, a: number = 0, mode: "fan_in"|"fan_out" = "fan_in", nonlinearity: string = "leaky_relu") -> tensor
Fills uniformly within gain * sqrt(3 / fan); `a` is the slope of a leaky ReLU.
Example: nn.init.kaiming_uniform_(tensor.zeros(4, 6)):abs():le(1):all():item() --> true
Source: He et al. 2015; torch.nn.init.kaiming_uniform_
]], function(t, a, mode, nonlinearity)
  local bound = math.sqrt(3) * kaiming_std(t, a, mode, nonlinearity, "kaiming_uniform_")
  t:uniform_(-bound, bound)
end)

define([[
nn.init.kaiming_normal_(tensor: tensor, a: number = 0, mode: "fan_in"|"fan_out" = "fan_in", nonlinearity: string = "leaky_relu") -> tensor
Fills with normal draws of deviation gain / sqrt(fan); `a` is the slope of a leaky ReLU.
Example: nn.init.kaiming_normal_(tensor.zeros(50, 50), {nonlinearity = "relu"}):std():mul(10):round():item() --> 2.0
Source: He et al. 2015; torch.nn.init.kaiming_normal_
]], function(t, a, mode, nonlinearity) t:normal_(0, kaiming_std(t, a, mode, nonlinearity, "kaiming_normal_")) end)

-- The number whose error function is v: a first guess (Winitzki 2008), then two steps of Halley's method.
local function inverse_erf(v)
  local most = 1 - 2 ^ -53
  v = v:clamp(-most, most)
  local logarithm = ((1 - v) * (1 + v)):log()
  local half = logarithm / 2 + 2 / (math.pi * 0.147)
  local x = v:sign() * ((half * half - logarithm / 0.147):sqrt() - half):sqrt()
  for _ = 1, 2 do
    local step = (x:erf() - v) * (x * x):exp() * (math.pi ^ 0.5 / 2)
    x = x - step / (1 + x * step)
  end
  return x
end

define([[
nn.init.trunc_normal_(tensor: tensor, mean: number = 0, std: number = 1, a: number = -2, b: number = 2) -> tensor
Fills with draws of a normal distribution that is cut off outside [a, b].
Errors: an interval that holds next to nothing of the distribution
Example: nn.init.trunc_normal_(tensor.zeros(1000)):abs():le(2):all():item() --> true
Source: torch.nn.init.trunc_normal_
]], function(t, mean, std, a, b)
  if not (a < b and a < mean + 6 * std and b > mean - 6 * std and std >= 0 and std < math.huge) then
    fail(("nn.init.trunc_normal_: [%g, %g] holds next to nothing of a normal distribution with mean %g and deviation %g")
      :format(a, b, mean, std))
  end
  -- The inverse of the distribution at uniform draws: no interval, however narrow, makes it try again and again. The tail
  -- on the right is drawn on the left, where numbers are finer.
  local side = a > mean and -1 or 1
  local function edge(x) return tensor({(x - mean) * side / (std * 2 ^ 0.5)}, {dtype = "float64"}):erf():item() end
  local low, high = edge(side == 1 and a or b), edge(side == 1 and b or a)
  local x = inverse_erf(tensor.rand(t.shape, {dtype = "float64"}):mul(high - low):add(low))
  t:copy_(x:mul(side * std * 2 ^ 0.5):add(mean))
  t:clamp_(a, b)
end)

define([[
nn.init.orthogonal_(tensor: tensor, gain: number = 1) -> tensor
Fills with a random matrix whose rows (or columns, whichever are fewer) are orthogonal and of length `gain`; further dimensions count as columns.
Errors: fewer than 2 dimensions
Example:
  local w = nn.init.orthogonal_(tensor.zeros(3, 3))
  w:mm(w:t()):allclose(tensor.eye(3), {atol = 1e-5}) --> true
Source: Saxe et al. 2014; torch.nn.init.orthogonal_
]], function(t, gain)
  if t.ndim < 2 then fail("nn.init.orthogonal_: expected at least 2 dimensions, got " .. core.shape_text(t)) end
  local rows = t.shape[1]
  local columns = t:numel() // math.max(rows, 1)
  local m = tensor.randn(math.min(rows, columns), math.max(rows, columns), {dtype = "float64"})
  -- Gram and Schmidt; the second pass removes what rounding left over in the first.
  for i = 0, m.shape[1] - 1 do
    local row = m[i]
    for _ = 1, 2 do
      if i > 0 then
        local before = m:narrow(0, 0, i)
        row:sub_(before:t():mv(before:mv(row)))
      end
    end
    row:div_(row:norm())
  end
  if rows > columns then m = m:t() end
  t:copy_(m:mul(gain):reshape(t.shape))
end)

define([[
nn.init.sparse_(tensor: tensor, sparsity: number, std: number = 0.01) -> tensor
Fills a matrix with normal draws and zeroes the fraction `sparsity` of each column.
Errors: a tensor that is no matrix
Example: nn.init.sparse_(tensor.zeros(10, 4), 0.3):eq(0):sum(0) --> tensor([3, 3, 3, 3])
Source: Martens 2010; torch.nn.init.sparse_
]], function(t, sparsity, std)
  if t.ndim ~= 2 then fail("nn.init.sparse_: expected a matrix, got " .. core.shape_text(t)) end
  if sparsity < 0 or sparsity > 1 then fail("nn.init.sparse_: sparsity must be in 0..1, got " .. sparsity) end
  t:normal_(0, std)
  local zeros = math.ceil(sparsity * t.shape[1])
  for column = 0, t.shape[2] - 1 do
    local order = tensor.randperm(t.shape[1])
    for i = 0, zeros - 1 do t[{order[i]:item(), column}] = 0 end
  end
end)
