-- Layers that multiply, look up, reshape and drop.
local nn, host, core = ...
local tensor = require "tensor"
local F, init, fail = nn.functional, nn.init, host.fail
local define, Module, Parameter = core.define, core.Module, nn.Parameter
local number = core.number

-- Draws weight, then bias, as PyTorch does: uniform within 1 / sqrt(fan_in).
local function uniform_parameters(self, weight_shape, bias_size, fan_in, dtype)
  local bound = fan_in > 0 and 1 / math.sqrt(fan_in) or 0
  self.weight = Parameter(tensor.empty(weight_shape, {dtype = dtype}):uniform_(-bound, bound))
  if bias_size then self.bias = Parameter(tensor.empty({bias_size}, {dtype = dtype}):uniform_(-bound, bound)) end
end
core.uniform_parameters = uniform_parameters

local function positive(name, what, value)
  if value < 1 then fail(("%s: %s must be at least 1, got %d"):format(name, what, value)) end
end
core.positive = positive

local linear = F.linear
local Linear = define([[
nn.Linear(in_features: int, out_features: int, bias: bool = true, *, dtype: dtype = "float32")
Gives y = x W^T + b for x [.., in_features]. Parameters: weight [out_features, in_features], bias [out_features], uniform within 1 / sqrt(in_features) at first.
Example: print(table.concat(nn.Linear(3, 5)(tensor.zeros(2, 3)).shape, " ")) --> 2 5
Errors: another number of features
Source: torch.nn.Linear
]], Module, function(self, in_features, out_features, bias, dtype)
  if in_features < 0 or out_features < 0 then
    fail(("nn.Linear: sizes must not be negative, got %d and %d"):format(in_features, out_features))
  end
  self.in_features, self.out_features = in_features, out_features
  uniform_parameters(self, {out_features, in_features}, bias and out_features, in_features, dtype)
end)
function Linear:forward(x) return linear(x, self.weight, self.bias) end
function Linear:extra_repr()
  return ("in_features=%d, out_features=%d, bias=%s"):format(self.in_features, self.out_features, self.bias ~= nil)
end

local Bilinear = define([[
nn.Bilinear(in1_features: int, in2_features: int, out_features: int, bias: bool = true, *, dtype: dtype = "float32")
Gives y = x1 W x2 + b for x1 [.., in1_features] and x2 [.., in2_features].
Example: nn.Bilinear(2, 3, 4)(tensor.ones(5, 2), tensor.ones(5, 3)).shape --> {5, 4}
Source: torch.nn.Bilinear
]], Module, function(self, in1, in2, out, bias, dtype)
  positive("nn.Bilinear", "in1_features", in1)
  self.in1_features, self.in2_features, self.out_features = in1, in2, out
  uniform_parameters(self, {out, in1, in2}, bias and out, in1, dtype)
end)
function Bilinear:forward(x1, x2) return F.bilinear(x1, x2, self.weight, self.bias) end
function Bilinear:extra_repr()
  return ("in1_features=%d, in2_features=%d, out_features=%d, bias=%s"):format(
    self.in1_features, self.in2_features, self.out_features, self.bias ~= nil)
end

local Identity = define([[
nn.Identity(...: any)
Gives its input; takes any arguments and ignores them.
Example: nn.Identity()(tensor{1, 2}) --> tensor([1, 2])
Source: torch.nn.Identity
]], Module, function() end)
function Identity:forward(x) return x end

local Flatten = define([[
nn.Flatten(start_dim: int = 1, end_dim: int = -1)
Joins the dimensions from start_dim to end_dim into one.
Example: nn.Flatten()(tensor.zeros(2, 3, 4)).shape --> {2, 12}
Source: torch.nn.Flatten
]], Module, function(self, start_dim, end_dim) self.start_dim, self.end_dim = start_dim, end_dim end)
function Flatten:forward(x) return tensor.flatten(x, self.start_dim, self.end_dim) end
function Flatten:extra_repr() return ("start_dim=%d, end_dim=%d"):format(self.start_dim, self.end_dim) end

local Unflatten = define([[
nn.Unflatten(dim: int, unflattened_size: ints)
Splits a dimension into several; one size may be -1.
Example: nn.Unflatten(1, {3, 4})(tensor.zeros(2, 12)).shape --> {2, 3, 4}
Source: torch.nn.Unflatten
]], Module, function(self, dim, size)
  self.dim = dim
  self.unflattened_size = type(size) == "table" and table.move(size, 1, #size, 1, {}) or {size}
end)
function Unflatten:forward(x) return tensor.unflatten(x, self.dim, self.unflattened_size) end
function Unflatten:extra_repr()
  return ("dim=%d, unflattened_size=%s"):format(self.dim, core.tuple(self.unflattened_size))
end

local Embedding = define([[
nn.Embedding(num_embeddings: int, embedding_dim: int, padding_idx: int = nil, max_norm: number = nil, norm_type: number = 2, scale_grad_by_freq: bool = false, *, dtype: dtype = "float32")
Holds a row of embedding_dim numbers for each of num_embeddings positions and gives the rows at integer positions. The row padding_idx is 0 and gets no gradient.
Errors: a position out of range
Example: nn.Embedding(10, 4)(tensor{1, 2, 3}).shape --> {3, 4}
Source: torch.nn.Embedding
]], Module, function(self, count, width, padding, max_norm, norm_type, scale, dtype)
  positive("nn.Embedding", "num_embeddings", count)
  if padding and (padding >= count or padding < -count) then
    fail(("nn.Embedding: padding_idx %d is out of range; valid: %d..%d"):format(padding, -count, count - 1))
  end
  self.num_embeddings, self.embedding_dim = count, width
  self.padding_idx = padding and (padding < 0 and padding + count or padding)
  self.max_norm, self.norm_type, self.scale_grad_by_freq = max_norm, norm_type, scale
  local weight = tensor.empty({count, width}, {dtype = dtype}):normal_()
  if padding then weight[self.padding_idx] = 0 end
  self.weight = Parameter(weight)
end)
function Embedding:forward(x)
  return F.embedding(x, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq)
end
function Embedding:extra_repr()
  return ("%d, %d%s"):format(
    self.num_embeddings, self.embedding_dim, self.padding_idx and ", padding_idx=" .. self.padding_idx or "")
end

local function probability(name, p)
  if not (p >= 0 and p <= 1) then fail(("%s: p must be in 0..1, got %s"):format(name, tostring(p))) end
end

local dropout, dropout2d = F.dropout, F.dropout2d
local Dropout = define([[
nn.Dropout(p: number = 0.5, inplace: bool = false)
Zeroes elements with probability p while training, and scales the others by 1 / (1 - p).
Errors: p outside 0..1
Example: nn.Dropout(1)(tensor.ones(3)) --> tensor([0., 0., 0.])
Source: torch.nn.Dropout
]], Module, function(self, p, inplace)
  probability("nn.Dropout", p)
  self.p, self.inplace = p, inplace or nil
end)
function Dropout:forward(x)
  if not self.training then return x end
  if self.inplace then return core.in_place(x, dropout, self.p, true) end
  return dropout(x, self.p, true)
end
function Dropout:extra_repr() return "p=" .. number(self.p) .. (self.inplace and ", inplace=true" or "") end

local Dropout2d = define([[
nn.Dropout2d(p: number = 0.5, inplace: bool = false)
Zeroes whole channels with probability p while training, and scales the others by 1 / (1 - p).
Errors: p outside 0..1
Example: nn.Dropout2d(1)(tensor.ones(1, 2, 2, 2)):sum() --> tensor(0.)
Source: torch.nn.Dropout2d
]], Module, function(self, p, inplace)
  probability("nn.Dropout2d", p)
  self.p, self.inplace = p, inplace or nil
end)
function Dropout2d:forward(x)
  if not self.training then return x end
  if self.inplace then return core.in_place(x, dropout2d, self.p, true) end
  return dropout2d(x, self.p, true)
end
Dropout2d.extra_repr = Dropout.extra_repr

local Upsample = define([[
nn.Upsample(size: ints = nil, scale_factor: numbers = nil, mode: "nearest"|"linear"|"bilinear"|"bicubic"|"area"|"nearest-exact" = "nearest", align_corners: bool = nil, recompute_scale_factor: bool = false)
Resizes [N, C, L] or [N, C, H, W] to `size`, or to scale_factor times its size.
Example: nn.Upsample{scale_factor = 2}(tensor.zeros(1, 3, 4, 4)).shape --> {1, 3, 8, 8}
Source: torch.nn.Upsample
]], Module, function(self, size, scale, mode, align, recompute)
  self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor = size, scale, mode, align, recompute
end)
function Upsample:forward(x)
  return F.interpolate(x, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor)
end
function Upsample:extra_repr()
  local what = self.size and "size=" .. core.tuple(self.size) or "scale_factor=" .. core.tuple(self.scale_factor)
  return ("%s, mode='%s'"):format(what, self.mode)
end

local PixelShuffle = define([[
nn.PixelShuffle(upscale_factor: int)
Moves channels [.., C * r^2, H, W] into the picture: [.., C, H * r, W * r].
Example: nn.PixelShuffle(2)(tensor.zeros(1, 4, 2, 2)).shape --> {1, 1, 4, 4}
Source: torch.nn.PixelShuffle
]], Module, function(self, factor)
  positive("nn.PixelShuffle", "upscale_factor", factor)
  self.upscale_factor = factor
end)
function PixelShuffle:forward(x) return F.pixel_shuffle(x, self.upscale_factor) end
function PixelShuffle:extra_repr() return "upscale_factor=" .. self.upscale_factor end

local ZeroPad2d = define([=[
nn.ZeroPad2d(padding: ints)
Surrounds pictures with zeros: one width for all sides, or {left, right, top, bottom}.
Example: nn.ZeroPad2d(1)(tensor.ones(1, 1, 1, 1)) --> tensor([[[[0., 0., 0.],
          [0., 1., 0.],
          [0., 0., 0.]]]])
Source: torch.nn.ZeroPad2d
]=], Module, function(self, padding)
  if type(padding) ~= "table" then padding = {padding, padding, padding, padding} end
  if #padding ~= 4 then fail("nn.ZeroPad2d: expected one width or {left, right, top, bottom}, got " .. #padding .. " numbers") end
  self.padding = table.move(padding, 1, 4, 1, {})
end)
function ZeroPad2d:forward(x) return tensor.pad(x, self.padding) end
function ZeroPad2d:extra_repr() return "padding=" .. core.tuple(self.padding) end
