-- The logits of a model that scripts/train.lua trained, for the first test digits: trained.lua MODEL KIND COUNT OUT
local data = require "data"
local nn = require "nn"
local tensor = require "tensor"
local models = require "models"
local path, kind, count, out = arg[1], arg[2], tonumber(arg[3]), arg[4]

local net = models[kind]()
net:load_state_dict((nn.load(path)))
net:eval()
local test = data.Subset(data.mnist{root = "data/mnist", split = "test"}, tensor.arange(count))
local parts = {}
tensor.no_grad(function()
  for x in data.loader(test, {batch_size = 500}) do parts[#parts + 1] = net(x) end
end)
tensor.cat(parts):save(out)
nn.export_onnx(out .. ".onnx", net, tensor.zeros(2, 1, 28, 28))
