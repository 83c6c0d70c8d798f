-- Normalisation.
local nn, host, core = ...
local tensor = require "tensor"
local F, fail = nn.functional, host.fail
local define, Module, Parameter = core.define, core.Module, nn.Parameter
local number, tuple, positive = core.number, core.tuple, core.positive

local function add_affine(self, shape, dtype, bias)
  self.weight = Parameter(tensor.ones(shape, {dtype = dtype}))
  if bias then self.bias = Parameter(tensor.zeros(shape, {dtype = dtype})) end
end

local function add_statistics(self, count, dtype)
  self:register_buffer("running_mean", tensor.zeros({count}, {dtype = dtype}))
  self:register_buffer("running_var", tensor.ones({count}, {dtype = dtype}))
  self:register_buffer("num_batches_tracked", tensor(0))
end

local function batch_init(name)
  return function(self, features, eps, momentum, affine, track, dtype)
    positive(name, "num_features", features)
    if momentum == true then fail(name .. ": momentum must be a number, or false for a plain average over all batches") end
    self.num_features, self.eps, self.momentum = features, eps, momentum
    self.affine, self.track_running_stats = affine, track
    if affine then add_affine(self, {features}, dtype, true) end
    if track then add_statistics(self, features, dtype) end
  end
end

local function batch_repr(self)
  return ("%d, eps=%s, momentum=%s, affine=%s, track_running_stats=%s"):format(
    self.num_features, number(self.eps), self.momentum and number(self.momentum) or "false", self.affine, self.track_running_stats)
end

local batch_norm = F.batch_norm
local methods = host.methods("Tensor")
local add_, dim = methods.add_, methods.dim

local function batch_forward(name, ranks, dims, apply)
  return function(self, x)
    local rank = dim(x)
    if rank ~= ranks[1] and rank ~= ranks[2] then
      fail(("%s: expected input %s, got %s"):format(name, dims, core.shape_text(x)))
    end
    local mean, var = self.running_mean, self.running_var
    local momentum = self.momentum
    if self.training and mean then
      add_(self.num_batches_tracked, 1)
      if not momentum then momentum = 1 / self.num_batches_tracked:item() end
    end
    return apply(x, mean, var, self.weight, self.bias, self.training or mean == nil, momentum or 0.1, self.eps)
  end
end

local function define_batch_norm(name, dims, example, ranks)
  local C = define(([[
nn.%s(num_features: int, eps: number = 1e-05, momentum: number|bool = 0.1, affine: bool = true, track_running_stats: bool = true, *, dtype: dtype = "float32")
Normalises each channel of %s: with the batch's statistics while training, with running ones afterwards. `momentum = false` averages over all batches.
Parameters: weight, bias [num_features] (unless affine is false). Buffers: running_mean, running_var, num_batches_tracked.
Errors: one value per channel while training
Example: nn.%s(3)(tensor.rand(%s)).shape --> {%s}
Source: Ioffe and Szegedy 2015; torch.nn.%s
]]):format(name, dims, name, example, example, name), Module, batch_init("nn." .. name))
  C.forward = batch_forward(name, ranks, dims, batch_norm)
  C.extra_repr = batch_repr
end

define_batch_norm("BatchNorm1d", "[N, C] or [N, C, L]", "8, 3", {2, 3})
define_batch_norm("BatchNorm2d", "[N, C, H, W]", "2, 3, 4, 4", {4, 4})

-- What nn.Sequential calls in place of the layer, relu and pooling of 2x2 behind it.
core.batch_norm_relu_pool = batch_forward("BatchNorm2d", {4, 4}, "[N, C, H, W]", host.batch_norm_relu_pool)

local InstanceNorm2d = define([[
nn.InstanceNorm2d(num_features: int, eps: number = 1e-05, momentum: number = 0.1, affine: bool = false, track_running_stats: bool = false, *, dtype: dtype = "float32")
Normalises each channel of each picture of [N, C, H, W] (or [C, H, W]) on its own; with track_running_stats an evaluating layer uses running statistics.
Example: nn.InstanceNorm2d(3)(tensor.rand(2, 3, 4, 4)).shape --> {2, 3, 4, 4}
Source: Ulyanov et al. 2016; torch.nn.InstanceNorm2d
]], Module, batch_init("nn.InstanceNorm2d"))
function InstanceNorm2d:forward(x)
  local rank = dim(x)
  if rank ~= 3 and rank ~= 4 then
    fail("InstanceNorm2d: expected input [N, C, H, W] or [C, H, W], got " .. core.shape_text(x))
  end
  if rank == 3 then return InstanceNorm2d.forward(self, x:unsqueeze(0)):squeeze(0) end
  if self.affine and x.shape[2] ~= self.num_features then
    fail(("InstanceNorm2d: expected %d channels, got input %s"):format(self.num_features, core.shape_text(x)))
  end
  return F.instance_norm(
    x, self.running_mean, self.running_var, self.weight, self.bias, self.training or self.running_mean == nil, self.momentum,
    self.eps)
end
InstanceNorm2d.extra_repr = batch_repr

local function sizes(value) return type(value) == "table" and table.move(value, 1, #value, 1, {}) or {value} end

local LayerNorm = define([=[
nn.LayerNorm(normalized_shape: ints, eps: number = 1e-05, elementwise_affine: bool = true, bias: bool = true, *, dtype: dtype = "float32")
Normalises over the trailing dimensions normalized_shape. Parameters: weight and bias of that shape.
Errors: trailing dimensions that differ
Example: nn.LayerNorm(2)(tensor{{0.0, 2.0}}):detach() --> tensor([[-1.0000,  1.0000]])
Source: Ba, Kiros and Hinton 2016; torch.nn.LayerNorm
]=], Module, function(self, shape, eps, affine, bias, dtype)
  self.normalized_shape, self.eps, self.elementwise_affine = sizes(shape), eps, affine
  if affine then add_affine(self, self.normalized_shape, dtype, bias) end
end)
function LayerNorm:forward(x) return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps) end
function LayerNorm:extra_repr()
  return ("%s, eps=%s, elementwise_affine=%s"):format(tuple(self.normalized_shape), number(self.eps), self.elementwise_affine)
end

local RMSNorm = define([=[
nn.RMSNorm(normalized_shape: ints, eps: number = nil, elementwise_affine: bool = true, *, dtype: dtype = "float32")
Divides by the root mean square over the trailing dimensions normalized_shape. Parameter: weight of that shape.
Errors: trailing dimensions that differ
Example: nn.RMSNorm(2)(tensor{{3.0, 4.0}}):detach() --> tensor([[0.8485, 1.1314]])
Source: Zhang and Sennrich 2019; torch.nn.RMSNorm
]=], Module, function(self, shape, eps, affine, dtype)
  self.normalized_shape, self.eps, self.elementwise_affine = sizes(shape), eps, affine
  if affine then add_affine(self, self.normalized_shape, dtype, false) end
end)
function RMSNorm:forward(x) return F.rms_norm(x, self.normalized_shape, self.weight, self.eps) end
function RMSNorm:extra_repr()
  return ("%s, eps=%s, elementwise_affine=%s"):format(
    tuple(self.normalized_shape), self.eps and number(self.eps) or "nil", self.elementwise_affine)
end

local GroupNorm = define([[
nn.GroupNorm(num_groups: int, num_channels: int, eps: number = 1e-05, affine: bool = true, *, dtype: dtype = "float32")
Normalises groups of channels of each element of the batch [N, C, ..]. Parameters: weight, bias [num_channels].
Errors: channels that do not divide into groups
Example: nn.GroupNorm(2, 4)(tensor.rand(2, 4, 3)).shape --> {2, 4, 3}
Source: Wu and He 2018; torch.nn.GroupNorm
]], Module, function(self, groups, channels, eps, affine, dtype)
  positive("nn.GroupNorm", "num_groups", groups)
  if channels % groups ~= 0 then
    fail(("nn.GroupNorm: num_channels %d must divide by num_groups %d"):format(channels, groups))
  end
  self.num_groups, self.num_channels, self.eps, self.affine = groups, channels, eps, affine
  if affine then add_affine(self, {channels}, dtype, true) end
end)
function GroupNorm:forward(x) return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps) end
function GroupNorm:extra_repr()
  return ("%d, %d, eps=%s, affine=%s"):format(self.num_groups, self.num_channels, number(self.eps), self.affine)
end
