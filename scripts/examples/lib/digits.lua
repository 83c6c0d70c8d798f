-- What the examples share: MNIST in loaders, and the share of digits that a network names right.
local data = require "data"
local tensor = require "tensor"

local digits = {}

-- Options that every example takes; each adds its own.
function digits.options(own)
  local options = {
    data = {"data/mnist", "folder with the four MNIST files"},
    samples = {own.samples or 60000, "training images to use"},
    test_samples = {10000, "test images to use"},
  }
  -- Methods without a network take no steps.
  if own.epochs then
    options.epochs = {own.epochs, "passes over them"}
    options.batch_size = {own.batch_size or 128, "images in a step"}
    options.seed = {1, "seed of all randomness"}
  end
  for name, value in pairs(own.more or {}) do options[name] = value end
  return options
end

-- The first n images of a split.
function digits.set(opt, split)
  local ds = data.mnist{root = opt.data, split = split}
  local n = split == "train" and opt.samples or opt.test_samples
  return n < #ds and data.Subset(ds, tensor.arange(n)) or ds
end

-- Loaders for training and test. `more` goes to the training loader: a transform.
function digits.loaders(opt, more)
  local options = {batch_size = opt.batch_size, shuffle = true, drop_last = true, seed = opt.seed}
  for name, value in pairs(more or {}) do options[name] = value end
  return data.loader(digits.set(opt, "train"), options), data.loader(digits.set(opt, "test"), {batch_size = 500})
end

function digits.accuracy(net, loader)
  net:eval()
  local right, count = 0, 0
  tensor.no_grad(function()
    for x, y in loader do
      right = right + net(x):argmax(1):eq(y):sum():item()
      count = count + #y
    end
  end)
  net:train()
  return right / count
end

return digits
