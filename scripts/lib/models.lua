-- The models that train.lua can train, with the settings that suit each.
local nn = require "nn"
local optim = require "optim"

local models = {
  defaults = {
    linear = {epochs = 5, batch_size = 32, lr = 0.02},
    mlp = {epochs = 4, batch_size = 128, lr = 0.004},
    cnn = {epochs = 1, batch_size = 64, lr = 0.02},
  },
}

function models.linear()
  return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
end

function models.mlp()
  return nn.Sequential(
    nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Dropout(0.1), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
end

function models.cnn()
  return nn.Sequential(
    nn.Conv2d(1, 8, 5), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(8, 24, 5), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(384, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
end

-- What training minimises. Smoothed labels bring the short training of the CNN a tenth of a percent; its loss then ends
-- near 0.3 instead of 0. Validation and test always measure plain cross-entropy.
function models.loss(name)
  return nn.CrossEntropyLoss{label_smoothing = name == "cnn" and 0.05 or 0}
end

-- The linear model keeps one learning rate; the others follow one cycle.
function models.optimizer(opt, net, steps_per_epoch)
  if opt.model == "linear" then return optim.Adam(net:parameters(), {lr = opt.lr}) end
  local optimizer = optim.AdamW(net:parameters(), {lr = opt.lr})
  return optimizer, optim.lr_scheduler.OneCycleLR(optimizer, {
    max_lr = opt.lr, epochs = opt.epochs, steps_per_epoch = steps_per_epoch,
  })
end

return models
