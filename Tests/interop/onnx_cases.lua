-- Exports networks as ONNX, and for several batch sizes writes what went in and what came out: onnx_cases.lua FOLDER [PATTERN]
local nn = require "nn"
local tensor = require "tensor"
local F = nn.functional
local folder, pattern = arg[1], arg[2]
tensor.manual_seed(7)

local Fn = nn.class("Fn")
function Fn:init(f, parameters)
  self.f = f
  for name, t in pairs(parameters or {}) do self[name] = nn.Parameter(t) end
end
function Fn:forward(...) return self.f(...) end

local cases = {}
-- inputs: sizes after the batch dimension, or a function of the batch size that makes a list of tensors.
local function case(name, module, inputs, options)
  if type(module) == "function" then module = Fn(module) end
  local make = inputs
  if type(inputs) == "table" then
    make = function(n)
      local shape = table.move(inputs, 1, #inputs, 1, {})
      table.insert(shape, (options and options.batch_dim or 0) + 1, n)
      return {tensor.randn(shape)}
    end
  end
  cases[#cases + 1] = {name = name, module = module, make = make, options = options or {}}
end

-- Layers.
case("linear", nn.Linear(5, 3), {5})
case("linear_no_bias", nn.Linear(5, 3, {bias = false}), {5})
case("linear_3d", nn.Linear(5, 3), {4, 5})
case("bilinear", nn.Bilinear(3, 4, 5), function(n) return {tensor.randn(n, 3), tensor.randn(n, 4)} end)
case("flatten", nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), {3, 4})
case("flatten_part", nn.Flatten(1, 2), {3, 4, 2})
case("unflatten", nn.Unflatten(1, {3, -1}), {12})
case("identity", nn.Identity(), {3})
case("embedding", nn.Embedding(10, 4, {padding_idx = 2}), function(n) return {tensor.randint(0, 10, {n, 6})} end)
case("conv1d", nn.Conv1d(4, 6, 3, {stride = 2, padding = 1, dilation = 2, groups = 2}), {4, 11})
case("conv1d_same", nn.Conv1d(2, 3, 4, {padding = "same"}), {2, 9})
case("conv2d", nn.Conv2d(3, 5, 3), {3, 8, 9})
case("conv2d_more", nn.Conv2d(4, 6, {3, 2}, {stride = {2, 1}, padding = {1, 0}, dilation = {1, 2}, groups = 2, bias = false}), {4, 8, 9})
case("conv2d_same", nn.Conv2d(2, 3, {4, 3}, {padding = "same"}), {2, 6, 7})
case("conv_transpose2d", nn.ConvTranspose2d(3, 4, 3), {3, 5, 6})
case("conv_transpose2d_more", nn.ConvTranspose2d(4, 6, 3, {stride = 2, padding = 1, output_padding = 1, groups = 2}), {4, 5, 6})
case("conv_transpose2d_dilated", nn.ConvTranspose2d(3, 2, {2, 3}, {stride = {1, 2}, dilation = {2, 1}, bias = false}), {3, 5, 6})
case("max_pool1d", nn.MaxPool1d(3, {stride = 2, padding = 1}), {3, 10})
case("max_pool2d", nn.MaxPool2d(2), {3, 8, 9})
case("max_pool2d_more", nn.MaxPool2d({3, 2}, {stride = {2, 1}, padding = {1, 0}, dilation = {1, 2}, ceil_mode = true}), {3, 8, 9})
case("avg_pool2d", nn.AvgPool2d(2), {3, 8, 8})
case("avg_pool2d_padded", nn.AvgPool2d(3, {stride = 2, padding = 1}), {3, 8, 9})
case("avg_pool2d_uncounted", nn.AvgPool2d(3, {stride = 2, padding = 1, count_include_pad = false}), {3, 8, 9})
case("avg_pool2d_ceil", nn.AvgPool2d(3, {stride = 2, ceil_mode = true}), {3, 8, 9})
case("avg_pool2d_ceil_padded", nn.AvgPool2d(3, {stride = 2, padding = 1, ceil_mode = true}), {3, 8, 8})
case("adaptive_avg_1", nn.AdaptiveAvgPool2d(1), {3, 7, 5})
case("adaptive_avg", nn.AdaptiveAvgPool2d({3, 2}), {3, 7, 5})
case("adaptive_max_1", nn.AdaptiveMaxPool2d(1), {3, 7, 5})
case("adaptive_max", nn.AdaptiveMaxPool2d({3, 4}), {3, 7, 5})

-- Norms with weights and statistics of their own.
local function lived_in(module)
  for _, p in ipairs(module:parameters()) do tensor.no_grad(function() p:normal_() end) end
  for name, b in module:named_buffers() do
    if name:find("running_var") then b:uniform_(0.5, 2) elseif name:find("running_mean") then b:normal_() end
  end
  return module
end
case("batch_norm1d", lived_in(nn.BatchNorm1d(4)), {4})
case("batch_norm1d_3d", lived_in(nn.BatchNorm1d(4)), {4, 5})
case("batch_norm2d", lived_in(nn.BatchNorm2d(3, {eps = 1e-3})), {3, 4, 5})
case("batch_norm2d_bare", lived_in(nn.BatchNorm2d(3, {affine = false})), {3, 4, 5})
case("batch_norm2d_untracked", lived_in(nn.BatchNorm2d(3, {track_running_stats = false})), {3, 4, 5})
case("layer_norm", lived_in(nn.LayerNorm(5)), {4, 5})
case("layer_norm_bare", nn.LayerNorm({4, 5}, {elementwise_affine = false}), {4, 5})
case("layer_norm_no_bias", lived_in(nn.LayerNorm({4, 5}, {bias = false})), {4, 5})
case("group_norm", lived_in(nn.GroupNorm(2, 6)), {6, 4, 5})
case("group_norm_bare", nn.GroupNorm(3, 6, {affine = false}), {6, 5})
case("instance_norm2d", nn.InstanceNorm2d(3), {3, 4, 5})
case("instance_norm2d_affine", lived_in(nn.InstanceNorm2d(3, {affine = true, track_running_stats = true})), {3, 4, 5})
case("rms_norm", lived_in(nn.RMSNorm(5)), {4, 5})
case("rms_norm_eps", nn.RMSNorm({4, 5}, {eps = 1e-3, elementwise_affine = false}), {4, 5})
case("dropout", nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 2), nn.Dropout(0.5)), {4})
case("dropout2d", nn.Dropout2d(0.5), {3, 4, 4})
for _, name in ipairs{"ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Tanh", "Sigmoid", "Softplus", "Hardtanh"} do
  case(name, nn[name](), {3, 4})
end
case("LeakyReLU_slope", nn.LeakyReLU(0.3), {3, 4})
case("ELU_alpha", nn.ELU(0.4), {3, 4})
case("GELU_tanh", nn.GELU{approximate = "tanh"}, {3, 4})
case("Softplus_more", nn.Softplus{beta = 3, threshold = 2}, {3, 4})
case("Hardtanh_more", nn.Hardtanh(-0.5, 2), {3, 4})
case("PReLU", nn.PReLU(), {3, 4})
case("PReLU_channels", lived_in(nn.PReLU(3)), {3, 4, 2})
case("Softmax", nn.Softmax(1), {3, 4})
case("LogSoftmax", nn.LogSoftmax(-1), {3, 4})
case("upsample_nearest", nn.Upsample{scale_factor = 2}, {3, 4, 5})
case("upsample_size", nn.Upsample{size = {7, 3}}, {3, 4, 5})
case("upsample_linear", nn.Upsample{scale_factor = 3, mode = "linear"}, {3, 4})
case("upsample_bilinear", nn.Upsample{scale_factor = {2, 1.5}, mode = "bilinear"}, {3, 4, 5})
case("upsample_corners", nn.Upsample{size = {7, 9}, mode = "bilinear", align_corners = true}, {3, 4, 5})
case("pixel_shuffle", nn.PixelShuffle(2), {8, 3, 4})
case("zero_pad2d", nn.ZeroPad2d({1, 2, 0, 3}), {3, 4, 5})

-- Recurrent layers.
for _, kind in ipairs{"RNN", "LSTM", "GRU"} do
  case(kind, nn[kind](3, 4, {batch_first = true}), {5, 3})
  case(kind .. "_time_first", nn[kind](3, 4), {5, 3}, {batch_dim = 1})
  case(kind .. "_deep", nn[kind](3, 4, {num_layers = 2, bidirectional = true, batch_first = true, dropout = 0.5}), {5, 3})
  case(kind .. "_no_bias", nn[kind](3, 4, {bias = false, batch_first = true}), {5, 3})
end
case("RNN_relu", nn.RNN(3, 4, {nonlinearity = "relu", batch_first = true}), {5, 3})
local gru = nn.GRU(3, 4, {batch_first = true})
case("GRU_state", gru, function(n) return {tensor.randn(n, 5, 3), tensor.randn(1, n, 4)} end, {fixed = true})

-- Attention.
local function attend(m, options) return function(q, k, v) return m(q, k, v, options) end end
local mha = nn.MultiheadAttention(8, 2, {batch_first = true})
case("mha_self", (function() local m = Fn(function(x) return mha(x, x, x) end) m.mha = mha return m end)(), {4, 8})
local cross = nn.MultiheadAttention(8, 2, {kdim = 5, vdim = 6, batch_first = true, add_bias_kv = true})
case("mha_cross", (function() local m = Fn(attend(cross)) m.mha = cross return m end)(),
  function(n) return {tensor.randn(n, 3, 8), tensor.randn(n, 4, 5), tensor.randn(n, 4, 6)} end)
local masked = nn.MultiheadAttention(8, 2, {batch_first = true, add_zero_attn = true})
case("mha_causal", (function()
  local m = Fn(function(x) return (masked(x, x, x, {is_causal = true, need_weights = false})) end)
  m.mha = masked
  return m
end)(), {4, 8})
case("mha_time_first", (function()
  local inner = nn.MultiheadAttention(8, 4)
  local m = Fn(function(x) return (inner(x, x, x)) end)
  m.inner = inner
  return m
end)(), {4, 8}, {batch_dim = 1})
case("encoder_layer", nn.TransformerEncoderLayer(8, 2, 12, {batch_first = true}), {4, 8})
case("encoder_layer_first", nn.TransformerEncoderLayer(8, 2, 12, {batch_first = true, norm_first = true, activation = "gelu"}), {4, 8})
case("sdpa_causal", function(q) return F.scaled_dot_product_attention(q, q * 2, q + 1, {is_causal = true}) end, {2, 4, 8})
case("sdpa_mask", function(q)
  return F.scaled_dot_product_attention(q, q, q, {attn_mask = tensor{{true, false, false}, {true, true, false}, {false, false, false}}, scale = 0.5})
end, {3, 4})

-- Functions of elements.
for _, name in ipairs{
  "abs", "sign", "exp", "exp2", "expm1", "square", "sin", "cos", "tan", "atan", "sinh", "cosh", "tanh", "sigmoid", "relu", "erf",
  "erfc", "floor", "ceil", "round", "trunc", "frac", "neg", "isnan", "isinf", "isfinite", "nan_to_num", "logical_not", "clone", "detach",
} do
  case(name, function(x) return x[name](x * 1.7) end, {3, 4})
end
for _, name in ipairs{"log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal"} do
  case(name, function(x) return tensor[name](x:abs() + 0.1) end, {3, 4})
end
for _, name in ipairs{"asin", "acos"} do case(name, function(x) return tensor[name](x:tanh()) end, {3, 4}) end
case("round_decimals", function(x) return x:round{decimals = 1} end, {3, 4})
case("clamp", function(x) return x:clamp(-0.5, 0.5), x:clamp{min = 0}, x:clamp{max = 0.1}, x:clamp(x - 1, tensor(0.2)) end, {3, 4})

-- Arithmetic, with numbers on either side, other types and broadcasting.
case("operators", function(x) return x + 1, 2 - x, x * 3, 1 / (x + 10), x // 0.7, x % 0.6, -x, (x * x + 1) ^ 0.5, 2 ^ x end, {3, 4})
case("two", function(x, y) return x + y, x - y, x * y, x / y, x:minimum(y), x:maximum(y), x:lerp(y, 0.3), x:pow(2), x:add(y, {alpha = 3}) end,
  function(n) return {tensor.randn(n, 3, 4), tensor.randn(n, 1, 4)} end)
case("integers", function(x, y) return x + y, x * 2, x / y, x // y, x % y, x * 1.5, x:float() * y, x + tensor(2.5), x:div(y, {rounding_mode = "trunc"}) end,
  function(n) return {tensor.randint(-9, 9, {n, 5}), tensor.randint(1, 4, {n, 5})} end)
case("compare", function(x, y) return x:eq(y), x:ne(y), x:lt(y), x:le(0), x:gt(0.5), x:ge(y), x:gt(0):logical_and(y:gt(0)), x:logical_or(y), x:gt(0):logical_xor(y:gt(0)) end,
  function(n) return {tensor.randn(n, 4):round(), tensor.randn(n, 4):round()} end)
case("where", function(x) return tensor.where(x:gt(0), x, 0.0), tensor.where(x:gt(0), 1, x), x:masked_fill(x:lt(0), -1) end, {4})
case("casts", function(x) return x:long(), x:int(), x:double(), x:bool(), x:to("float64"):float(), x:gt(0):float() end, {4})
case("products", function(x, y) return x:matmul(y), x:bmm(y), tensor.einsum("bij,bjk->bk", x, y), tensor.baddbmm(x:matmul(y), x, y, {beta = 0.5, alpha = 2}) end,
  function(n) return {tensor.randn(n, 3, 4), tensor.randn(n, 4, 2)} end)

-- Reductions.
case("reductions", function(x)
  return x:sum(1), x:mean({1, 2}), x:mean(-1, true), x:prod(1), x:amax(2), x:amin({1, 2}), x:logsumexp(1), x:var(1), x:std({1, 2}), x:var(1, {correction = 0}), x:std(2, {unbiased = false, keepdim = true})
end, {3, 4})
case("reductions_all", function(x) return x:sum(), x:mean(), x:max(), x:min(), x:argmax(), x:norm() end, {3, 4})
case("reductions_max", function(x)
  local v, i = x:max(1)
  local w, j = x:min(2, true)
  return v, i, w, j, x:argmax(1), x:argmin(-1, true), x:gt(0):all(1), x:gt(1):any(2), x:round():count_nonzero(1), x:cumsum(1), x:max(x * 2)
end, {3, 4})
case("norms", function(x) return x:norm(2, 1), x:norm(1, 2, true), x:norm(math.huge, 1), x:norm(3, 1), F.normalize(x), F.normalize(x, {p = 1, dim = 2}) end, {3, 4})
case("cosine_similarity", function(x, y) return F.cosine_similarity(x, y) end, function(n) return {tensor.randn(n, 5), tensor.randn(n, 5)} end)
case("softmax", function(x) return x:softmax(1), x:log_softmax(-1), F.softmax(x, -1) end, {3, 4})

-- Shapes.
case("shapes", function(x)
  return x:reshape(x:size(0), -1), x:view(-1, 4), x:flatten(1), x:transpose(1, 2), x:permute(2, 0, 1), x:unsqueeze(1):squeeze(1), x:reshape(x:size(0) * 3, 4),
    x:unflatten(2, {2, 2}), x:unsqueeze(1):expand(-1, 5, -1, -1), x:flatten(), x.T
end, {3, 4})
case("repeats", function(x) return x:tile(1, 2, 3), x:tile(2), x:repeat_interleave(2, 1), x:flip({1, 2}), x:roll({1, -1}, {1, 2}), x:pad({1, 2, 0, 1}, {value = 3}) end, {3, 4})
case("expand_batch", function(x) return tensor.cat({tensor.ones(1, 2, 4):expand(x:size(0), -1, -1), x}, 1), x:sum({1, 2}, true):expand_as(x) end, {3, 4})
case("joins", function(x) return tensor.cat({x, x * 2}, 2), tensor.stack({x, x + 1}, 1), tensor.cat({x, x}), tensor.hstack({x, x}), tensor.vstack({x, x}) end, {3, 4})
case("pieces", function(x)
  local a = x:split(2, 2)
  local b = x:chunk(2, 1)
  local c = x:unbind(1)
  return a[1], a[2], b[2], c[3], x:narrow(1, 1, 2), x:select(2, -1), x:slice(2, 1, nil, 2), x:narrow(0, 0, x:size(0))
end, {3, 5})
case("index", function(x)
  return x[0], x["1:2"], x["..., -1"], x[":, 1:3, None, ::2"], x[{":", 1}], x[{":", {0, 2}}], x[{":", tensor{2, 0, 1, 1}}], x["..., 0, :"]
end, {3, 5}, {least = 2})
case("gathers", function(x)
  local at = tensor{{0, 2, 1}}
  return x:index_select(1, tensor{2, 0}), x:gather(1, x:argsort(1)), x:take_along_dim(x:argsort(1), 1), x:tril(), x:triu(1)
end, {3, 4})
case("scatters", function(x)
  return tensor.zeros_like(x):scatter(1, x:argsort(1), x), x:scatter_add(1, x:argsort(1), x * 2)
end, {3, 4})
case("sorts", function(x)
  local v, i = x:topk(2, 1)
  local w, j = x:sort(2, true)
  local u = x:topk(2, {dim = -1, largest = false})
  return v, i, w, j, x:argsort(1), u
end, {3, 4})
case("one_hot", function(x) return F.one_hot(x, 5) end, function(n) return {tensor.randint(0, 5, {n, 2})} end)

-- Networks: everything in one go, several inputs, several outputs, state in a table, memory changed in place.
case("mnist_cnn", nn.Sequential(
  nn.Conv2d(1, 8, 5), lived_in(nn.BatchNorm2d(8)), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
  nn.Linear(256, 10)), {1, 28, 28})
case("in_place", nn.Sequential(nn.Linear(4, 4), function(x) return x:relu_() end, function(x) x:add_(1):mul_(2) return x end), {4})
case("buffers", (function()
  local m = Fn(function() end)
  m:register_buffer("scale", tensor.randn(4))
  m.f = function(x) return x * m.scale[{{1, 3}}]:sum() + m.scale end
  return m
end)(), {4})
case("double", nn.Sequential(nn.Linear(4, 3, {dtype = "float64"}), nn.Tanh()), function(n) return {tensor.randn(n, 4, {dtype = "float64"})} end)
case("shared", (function()
  local shared = nn.Linear(4, 4)
  return nn.Sequential(shared, nn.ReLU(), shared)
end)(), {4})
case("function", (function()
  local twice = tensor.Function{forward = function(ctx, x) return x * 2 end, backward = function(ctx, g) return g * 2 end}
  return function(x) return twice(x:exp()) end
end)(), {4})
case("fixed", function(x) return x:view(3, 4) * tensor.arange(3):unsqueeze(1) end, {4}, {fixed = true})

local done = 0
for _, c in ipairs(cases) do
  if not pattern or c.name:find(pattern) then
    c.module:eval()
    local least = c.options.least or 1
    local path = folder .. "/" .. c.name
    local export = {batch_dim = c.options.fixed and -1 or c.options.batch_dim}
    local ok, message = xpcall(nn.export_onnx, debug.traceback, path .. ".onnx", c.module, c.make(c.options.fixed and 3 or 2), export)
    if not ok then error(c.name .. ": " .. tostring(message), 0) end
    for _, n in ipairs(c.options.fixed and {3} or {least, 3, 7}) do
      local inputs = c.make(n)
      local file = {}
      for i, x in ipairs(inputs) do file["in_" .. i - 1] = x end
      local given = {}
      for i, x in ipairs(inputs) do given[i] = x:clone() end
      local flat = {}
      local function collect(v)
        if tensor.is_tensor(v) then flat[#flat + 1] = v elseif type(v) == "table" then for _, w in ipairs(v) do collect(w) end end
      end
      tensor.no_grad(function() collect({c.module(table.unpack(given))}) end)
      for i, y in ipairs(flat) do file["out_" .. i - 1] = y:contiguous() end
      tensor.save_npz(("%s.%d.npz"):format(path, n), file)
    end
    local names = {}
    for name in c.module:named_parameters() do names[#names + 1] = name end
    require "fs".write(path .. ".names", table.concat(names, "\n"))
    done = done + 1
  end
end
print(done .. " networks exported")
