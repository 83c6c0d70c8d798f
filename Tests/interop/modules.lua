-- Weights that PyTorch drew, in our modules, on PyTorch's inputs: modules.lua FOLDER
local nn = require "nn"
local tensor = require "tensor"
local folder = arg[1]
local inputs = nn.load(folder .. "/inputs.safetensors")
local net = nn.Sequential(
  nn.Conv2d(1, 4, 3, {padding = 1}), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(2),
  nn.TransformerEncoderLayer(16, 2, {dim_feedforward = 24, batch_first = true}))
net:load_state_dict((nn.load(folder .. "/from_torch.safetensors")))
net:eval()
nn.save(folder .. "/outputs.safetensors", {y = tensor.no_grad(net, inputs.x)})
