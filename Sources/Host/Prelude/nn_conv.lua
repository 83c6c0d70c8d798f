-- Convolution and pooling.
local nn, host, core = ...
local tensor = require "tensor"
local F, fail = nn.functional, host.fail
local ipairs = host.prelude "lists"
local define, Module, pair, single, tuple, positive = core.define, core.Module, core.pair, core.single, core.tuple, core.positive

-- The input surrounded as padding_mode says, for a convolution that then pads nothing.
local function surrounded(self, x)
  local widths = {}
  for d = #self.kernel_size, 1, -1 do
    local before, after = 0, 0
    if self.padding == "same" then
      local total = self.dilation[d] * (self.kernel_size[d] - 1)
      before, after = total // 2, total - total // 2
    elseif self.padding ~= "valid" then
      before, after = self.padding[d], self.padding[d]
    end
    widths[#widths + 1] = before
    widths[#widths + 1] = after
  end
  return F.pad(x, widths, self.padding_mode)
end

-- What all convolutions check and keep.
local function prepare(self, name, in_channels, out_channels, groups)
  positive(name, "in_channels", in_channels)
  positive(name, "out_channels", out_channels)
  positive(name, "groups", groups)
  if in_channels % groups ~= 0 or out_channels % groups ~= 0 then
    fail(("%s: in_channels %d and out_channels %d must divide by groups %d"):format(name, in_channels, out_channels, groups))
  end
  self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
end

local function is_default(value, default)
  if type(value) ~= "table" then return value == default end
  for _, v in ipairs(value) do
    if v ~= default then return false end
  end
  return true
end

local function conv_repr(self)
  local text = ("%d, %d, kernel_size=%s, stride=%s"):format(
    self.in_channels, self.out_channels, tuple(self.kernel_size), tuple(self.stride))
  if not is_default(self.padding, 0) then text = text .. ", padding=" .. tuple(self.padding) end
  if not is_default(self.dilation, 1) then text = text .. ", dilation=" .. tuple(self.dilation) end
  if self.output_padding and not is_default(self.output_padding, 0) then
    text = text .. ", output_padding=" .. tuple(self.output_padding)
  end
  if self.groups ~= 1 then text = text .. ", groups=" .. self.groups end
  if self.bias == nil then text = text .. ", bias=false" end
  if self.padding_mode and self.padding_mode ~= "zeros" then text = text .. ", padding_mode=" .. self.padding_mode end
  return text
end

local function list(value) return {single(value)} end

local conv1d = F.conv1d
local Conv1d = define([[
nn.Conv1d(in_channels: int, out_channels: int, kernel_size: ints, stride: ints = 1, padding: ints|"same"|"valid" = 0, dilation: ints = 1, groups: int = 1, bias: bool = true, padding_mode: "zeros"|"reflect"|"replicate"|"circular" = "zeros", *, dtype: dtype = "float32")
Slides kernels over [N, in_channels, L]. Parameters: weight [out_channels, in_channels / groups, kernel_size], bias [out_channels].
Errors: channels that do not divide by groups
Example: nn.Conv1d(2, 4, 3)(tensor.zeros(1, 2, 8)).shape --> {1, 4, 6}
Source: torch.nn.Conv1d
]], Module, function(self, in_channels, out_channels, kernel, stride, padding, dilation, groups, bias, mode, dtype)
  prepare(self, "nn.Conv1d", in_channels, out_channels, groups)
  self.padding_mode = mode
  self.kernel_size, self.stride, self.dilation = list(kernel), list(stride), list(dilation)
  self.padding = type(padding) == "string" and padding or list(padding)
  local k = self.kernel_size[1]
  core.uniform_parameters(
    self, {out_channels, in_channels // groups, k}, bias and out_channels, in_channels // groups * k, dtype)
end)
function Conv1d:forward(x)
  if self.padding_mode ~= "zeros" then
    return conv1d(surrounded(self, x), self.weight, self.bias, self.stride, 0, self.dilation, self.groups)
  end
  return conv1d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
end
Conv1d.extra_repr = conv_repr

local conv2d = F.conv2d
local Conv2d = define([[
nn.Conv2d(in_channels: int, out_channels: int, kernel_size: ints, stride: ints = 1, padding: ints|"same"|"valid" = 0, dilation: ints = 1, groups: int = 1, bias: bool = true, padding_mode: "zeros"|"reflect"|"replicate"|"circular" = "zeros", *, dtype: dtype = "float32")
Slides kernels over [N, in_channels, H, W]. Parameters: weight [out_channels, in_channels / groups, KH, KW], bias [out_channels].
Example: print(table.concat(nn.Conv2d(1, 4, 3, {padding = 1})(tensor.zeros(2, 1, 8, 8)).shape, " ")) --> 2 4 8 8
Errors: channels that do not divide by groups
Source: torch.nn.Conv2d
]], Module, function(self, in_channels, out_channels, kernel, stride, padding, dilation, groups, bias, mode, dtype)
  prepare(self, "nn.Conv2d", in_channels, out_channels, groups)
  self.padding_mode = mode
  self.kernel_size, self.stride, self.dilation = pair(kernel), pair(stride), pair(dilation)
  self.padding = type(padding) == "string" and padding or pair(padding)
  local kh, kw = self.kernel_size[1], self.kernel_size[2]
  core.uniform_parameters(
    self, {out_channels, in_channels // groups, kh, kw}, bias and out_channels, in_channels // groups * kh * kw, dtype)
end)
function Conv2d:forward(x)
  if self.padding_mode ~= "zeros" then
    return conv2d(surrounded(self, x), self.weight, self.bias, self.stride, 0, self.dilation, self.groups)
  end
  return conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
end
Conv2d.extra_repr = conv_repr

local ConvTranspose2d = define([[
nn.ConvTranspose2d(in_channels: int, out_channels: int, kernel_size: ints, stride: ints = 1, padding: ints = 0, output_padding: ints = 0, groups: int = 1, bias: bool = true, dilation: ints = 1, *, dtype: dtype = "float32")
Turns a convolution round: [N, in_channels, H, W] grows by the stride. Parameters: weight [in_channels, out_channels / groups, KH, KW], bias [out_channels].
Errors: channels that do not divide by groups
Example: nn.ConvTranspose2d(2, 4, 2, {stride = 2})(tensor.zeros(1, 2, 3, 3)).shape --> {1, 4, 6, 6}
Source: torch.nn.ConvTranspose2d
]], Module, function(self, in_channels, out_channels, kernel, stride, padding, output_padding, groups, bias, dilation, dtype)
  prepare(self, "nn.ConvTranspose2d", in_channels, out_channels, groups)
  self.kernel_size, self.stride, self.padding = pair(kernel), pair(stride), pair(padding)
  self.output_padding, self.dilation = pair(output_padding), pair(dilation)
  local kh, kw = self.kernel_size[1], self.kernel_size[2]
  core.uniform_parameters(
    self, {in_channels, out_channels // groups, kh, kw}, bias and out_channels, out_channels // groups * kh * kw, dtype)
end)
function ConvTranspose2d:forward(x)
  return F.conv_transpose2d(
    x, self.weight, self.bias, self.stride, self.padding, self.output_padding, self.groups, self.dilation)
end
ConvTranspose2d.extra_repr = conv_repr

-- Pooling

local function pool_repr(self)
  return ("kernel_size=%s, stride=%s, padding=%s, dilation=%s, ceil_mode=%s"):format(
    tuple(self.kernel_size), tuple(self.stride), tuple(self.padding), tuple(self.dilation), self.ceil_mode)
end

local function define_max_pool(name, dims, input, output, F_pool)
  local C = define(([[
nn.%s(kernel_size: ints, stride: ints = nil, padding: ints = 0, dilation: ints = 1, return_indices: bool = false, ceil_mode: bool = false)
Gives the largest element of each window of %s; the stride is the kernel's size unless given. With return_indices also the positions.
Errors: padding above half of the kernel
Example: nn.%s(2)(tensor.zeros(1, 3, %s)).shape --> {1, 3, %s}
Source: torch.nn.%s
]]):format(name, dims, name, input, output, name), Module, function(self, kernel, stride, padding, dilation, indices, ceil)
    self.kernel_size, self.stride, self.padding, self.dilation = kernel, stride or kernel, padding, dilation
    self.return_indices, self.ceil_mode = indices, ceil
  end)
  function C:forward(x)
    return F_pool(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices)
  end
  C.extra_repr = pool_repr
end

define_max_pool("MaxPool1d", "[N, C, L]", "8", "4", F.max_pool1d)
define_max_pool("MaxPool2d", "[N, C, H, W]", "8, 8", "4, 4", F.max_pool2d)

local AvgPool2d = define([=[
nn.AvgPool2d(kernel_size: ints, stride: ints = nil, padding: ints = 0, ceil_mode: bool = false, count_include_pad: bool = true)
Gives the average of each window of [N, C, H, W]; the stride is the kernel's size unless given.
Errors: padding above half of the kernel
Example: nn.AvgPool2d(2)(tensor.ones(1, 1, 2, 2)) --> tensor([[[[1.]]]])
Source: torch.nn.AvgPool2d
]=], Module, function(self, kernel, stride, padding, ceil, count)
  self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad = kernel, stride or kernel, padding, ceil, count
end)
function AvgPool2d:forward(x)
  return F.avg_pool2d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)
end
function AvgPool2d:extra_repr()
  return ("kernel_size=%s, stride=%s, padding=%s"):format(tuple(self.kernel_size), tuple(self.stride), tuple(self.padding))
end

-- One size, or two, each of which may be nil: that of the input.
local function output_size(name, size)
  if type(size) ~= "table" then return size end
  local height, width = size[1], size[2]
  for key, value in pairs(size) do
    if (key ~= 1 and key ~= 2) or math.type(value) ~= "integer" or value < 0 then
      fail(("%s: output_size must be one or two integers, or nil for the input's, got %s"):format(name, tostring(value)))
    end
  end
  if height and not width and #size == 1 then return height end
  return {height, width}
end

local function size_for(size, x)
  if type(size) ~= "table" or (size[1] and size[2]) then return size end
  return {size[1] or x:size(-2), size[2] or x:size(-1)}
end

local AdaptiveAvgPool2d = define([[
nn.AdaptiveAvgPool2d(output_size: ints)
Averages pictures over as many windows as give pictures of output_size; {nil, 3} keeps the height.
Example: nn.AdaptiveAvgPool2d(1)(tensor.zeros(1, 3, 5, 7)).shape --> {1, 3, 1, 1}
Source: torch.nn.AdaptiveAvgPool2d
]], Module, function(self, size) self.output_size = output_size("nn.AdaptiveAvgPool2d", size) end)
function AdaptiveAvgPool2d:forward(x) return F.adaptive_avg_pool2d(x, size_for(self.output_size, x)) end
function AdaptiveAvgPool2d:extra_repr()
  local size = self.output_size
  return "output_size=" .. (type(size) == "table" and ("(%s, %s)"):format(size[1], size[2]) or tostring(size))
end

local AdaptiveMaxPool2d = define([[
nn.AdaptiveMaxPool2d(output_size: ints, return_indices: bool = false)
Gives the largest elements of as many windows as give pictures of output_size.
Example: nn.AdaptiveMaxPool2d{2, 3}(tensor.zeros(1, 3, 5, 7)).shape --> {1, 3, 2, 3}
Source: torch.nn.AdaptiveMaxPool2d
]], Module, function(self, size, indices)
  self.output_size, self.return_indices = output_size("nn.AdaptiveMaxPool2d", size), indices
end)
function AdaptiveMaxPool2d:forward(x) return F.adaptive_max_pool2d(x, size_for(self.output_size, x), self.return_indices) end
AdaptiveMaxPool2d.extra_repr = AdaptiveAvgPool2d.extra_repr
