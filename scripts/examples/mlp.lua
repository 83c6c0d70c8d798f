-- A network of three linear layers. The shortest complete training script.
--   host scripts/examples/mlp.lua --help
local cli = require "cli"
local nn = require "nn"
local optim = require "optim"
local progress = require "progress"
local tensor = require "tensor"
local digits = require "digits" -- scripts/examples/lib/digits.lua

local opt = cli.parse(digits.options{epochs = 4, more = {lr = {2e-3, "peak of the learning rate"}}})
tensor.manual_seed(opt.seed)
local train, test = digits.loaders(opt)

local net = nn.Sequential(
  nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Dropout(0.1), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
local loss_fn = nn.CrossEntropyLoss{label_smoothing = 0.05}
local optimizer = optim.AdamW(net:parameters(), {lr = opt.lr, weight_decay = 0.01})
local scheduler = optim.lr_scheduler.OneCycleLR(optimizer, {
  max_lr = opt.lr, epochs = opt.epochs, steps_per_epoch = #train,
})
print(net)

for epoch = 1, opt.epochs do
  local bar = progress(train, {desc = ("epoch %d/%d"):format(epoch, opt.epochs)})
  for x, y in bar do
    local loss = loss_fn(net(x), y)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    scheduler:step()
    bar:set{loss = loss:item()}
  end
end
print(("test accuracy %.2f%%"):format(100 * digits.accuracy(net, test)))
