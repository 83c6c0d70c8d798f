-- A small residual network with batch norm, trained on shifted and turned digits: classes of modules, hooks, augmentation.
local cli = require "cli"
local data = require "data"
local nn = require "nn"
local optim = require "optim"
local progress = require "progress"
local tensor = require "tensor"
local digits = require "digits" -- scripts/examples/lib/digits.lua
local F = nn.functional

local opt = cli.parse(digits.options{epochs = 1, more = {
  lr = {0.01, "peak of the learning rate"},
  width = {8, "channels of the first stage"},
}})
tensor.manual_seed(opt.seed)
local t = data.transforms
local train, test = digits.loaders(opt, {transform = t.random_affine{degrees = 8, translate = {0.06, 0.06}}})

-- Two convolutions beside a shortcut, which is a 1x1 convolution where the shape changes.
local Block = nn.class("Block")

function Block:init(from, to, stride)
  self.conv1 = nn.Conv2d(from, to, 3, {stride = stride, padding = 1, bias = false})
  self.bn1 = nn.BatchNorm2d(to)
  self.conv2 = nn.Conv2d(to, to, 3, {padding = 1, bias = false})
  self.bn2 = nn.BatchNorm2d(to)
  if stride ~= 1 or from ~= to then
    self.shortcut = nn.Sequential(nn.Conv2d(from, to, 1, {stride = stride, bias = false}), nn.BatchNorm2d(to))
  else
    self.shortcut = nn.Identity()
  end
end

function Block:forward(x)
  local y = F.relu(self.bn1(self.conv1(x)))
  y = self.bn2(self.conv2(y))
  return F.relu(y + self.shortcut(x))
end

local w = opt.width
local net = nn.Sequential(
  nn.Conv2d(1, w, 3, {stride = 2, padding = 1, bias = false}), nn.BatchNorm2d(w), nn.ReLU(),
  Block(w, w, 1), Block(w, 2 * w, 2), Block(2 * w, 4 * w, 2),
  nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * w, 10))

-- A hook sees what goes in and what comes out of a module: here the shapes, once.
local handles = {}
for name, module in net:named_children() do
  handles[#handles + 1] = module:register_forward_hook(function(m, inputs, output)
    print(("  %s %-18s %s -> %s"):format(name, getmetatable(m).__name, table.concat(inputs[1].shape, "x"), table.concat(output.shape, "x")))
  end)
end
tensor.no_grad(function() net:eval()(tensor.zeros(1, 1, 28, 28)) end)
for _, handle in ipairs(handles) do handle:remove() end
net:train()

local optimizer = optim.SGD(net:parameters(), {lr = opt.lr, momentum = 0.9, nesterov = true, weight_decay = 5e-4})
local scheduler = optim.lr_scheduler.OneCycleLR(optimizer, {max_lr = 10 * opt.lr, total_steps = opt.epochs * #train})
for epoch = 1, opt.epochs do
  local bar = progress(train, {desc = ("epoch %d/%d"):format(epoch, opt.epochs)})
  for x, y in bar do
    local loss = F.cross_entropy(net(x), y)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    scheduler:step()
    bar:set{loss = loss:item()}
  end
end
print(("%d parameters, test accuracy %.2f%%"):format(net:num_parameters(), 100 * digits.accuracy(net, test)))
