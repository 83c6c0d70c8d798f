-- Writes a file of each format for check.py to read: write.lua FOLDER
local data = require "data"
local nn = require "nn"
local plot = require "plot"
local tensor = require "tensor"
local folder = arg[1]
local function path(name) return folder .. "/" .. name end

-- Values that every type holds exactly, and their edges.
local types = {
  float32 = tensor{-1.5, 0, 1 / 3, 3.4e38, -1e-40, math.huge, -math.huge},
  float64 = tensor({-1.5, 0, 1 / 3, 1.7e308, 5e-324, math.huge}, {dtype = "float64"}),
  int64 = tensor{math.mininteger, -1, 0, math.maxinteger},
  int32 = tensor({-2147483648, -1, 0, 2147483647}, {dtype = "int32"}),
  uint8 = tensor({0, 1, 255}, {dtype = "uint8"}),
  bool = tensor{true, false, true},
}
types.scalar = tensor(2.5)
types.empty = tensor.zeros(0, 3)
types.strided = tensor.arange(12, {dtype = "float32"}):view(3, 4):transpose(0, 1)

nn.save(path("types.safetensors"), types, {note = "grüße", epoch = 3})
tensor.save_npz(path("types.npz"), types)
for name, t in pairs(types) do t:save(path(name .. ".npy")) end

-- Narrow types: rounding to nearest even, subnormals, overflow, NaN.
local wide = tensor.cat{
  tensor.linspace(-4, 4, 1001), tensor{65504, 65519.9, 65520, 1e-7, 6e-8, 2.9e-8, 3.4e38, 0 / 0, math.huge, -math.huge, -0.0, 1.00048828125},
}
nn.save(path("wide.safetensors"), {x = wide, whole = tensor.arange(5)})
nn.save(path("half.safetensors"), {x = wide, whole = tensor.arange(5)}, nil, {dtype = "float16"})
nn.save(path("bfloat.safetensors"), {x = wide, whole = tensor.arange(5)}, nil, {dtype = "bfloat16"})

-- Pictures: each pixel stands for itself where the picture is not enlarged.
local picture = tensor.arange(28 * 28):reshape(28, 28):remainder(256):float() / 255
plot.image(picture):save(path("picture.png"))
plot.image(picture):save(path("picture.svg"))
plot.line({1, 4, 9, 16}, {title = "squares & <roots>"}):save(path("line.svg"))
plot.line({1, 4, 9, 16}, {title = "squares"}):save(path("line.png"))

-- A network whose state dict PyTorch must take as it is, and its logits.
tensor.manual_seed(3)
local net = nn.ModuleDict{
  conv = nn.Conv2d(1, 4, 3), norm = nn.BatchNorm2d(4), lstm = nn.LSTM(5, 6, {num_layers = 2, bidirectional = true}),
  attention = nn.MultiheadAttention(8, 2), layer = nn.TransformerEncoderLayer(8, 2, {dim_feedforward = 16}),
  embedding = nn.Embedding(7, 3), prelu = nn.PReLU(4), linear = nn.Linear(5, 2),
}
nn.save(path("modules.safetensors"), net)
