-- Training and evaluation on MNIST through the loader, as scripts do it. One run is some steps; the time of one pass
-- over all images is given.
local data = require "data"
local nn = require "nn"
local optim = require "optim"
local tensor = require "tensor"
local wandb = require "wandb"

local root = os.getenv "BENCH_MNIST" or "data/mnist"
local quick = os.getenv "BENCH_QUICK" == "1"

local models = {}

function models.linear() return nn.Sequential(nn.Flatten(), nn.Linear(784, 10)) end

function models.mlp()
  return nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))
end

-- The network of PyTorch's own MNIST example.
function models.cnn()
  return nn.Sequential(
    nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
    nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10))
end

local Rows = nn.class("Rows")
function Rows:init()
  self.lstm = nn.LSTM(28, 128, {batch_first = true})
  self.out = nn.Linear(128, 10)
end
function Rows:forward(x)
  local y = self.lstm(x:squeeze(1))
  return self.out(y[":, -1"])
end
models.lstm = Rows

-- A function that makes one step of training.
local function stepper(model, batch_size, optimizer, run)
  tensor.manual_seed(1)
  local loader = data.loader(data.mnist{root = root, split = "train"}, {batch_size = batch_size, shuffle = true, seed = 1, drop_last = true})
  local net = models[model]()
  local opt = optimizer(net:parameters())
  local loss_fn = nn.CrossEntropyLoss()
  local batches = coroutine.wrap(function()
    while true do for x, y in loader do coroutine.yield(x, y) end end
  end)
  return function()
    local x, y = batches()
    local loss = loss_fn(net(x), y)
    opt:zero_grad()
    loss:backward()
    opt:step()
    if run then run:log{loss = loss:item()} end
  end
end

local function training(model, batch_size, steps, optimizer, logged)
  return function()
    local run = logged and wandb.init{mode = "offline", project = "bench", dir = os.getenv "BENCH_TMP", settings = {console = "off"}}
    local step = stepper(model, batch_size, optimizer, run)
    return function() for _ = 1, steps do step() end end, 60000 / (batch_size * steps)
  end
end

local function sgd(parameters) return optim.SGD(parameters, {lr = 0.01}) end
local function adam(parameters) return optim.Adam(parameters, {lr = 0.001}) end

local cases = {
  linear_logged = training("linear", 32, 500, sgd, true),
  linear = training("linear", 32, 500, sgd),
  mlp = training("mlp", 64, 100, adam),
  cnn = training("cnn", 64, quick and 8 or 16, adam),
  lstm = training("lstm", 64, quick and 20 or 50, adam),
}

function cases.cnn_evaluation()
  local net = models.cnn():eval()
  local count = quick and 2000 or 10000
  local loader = data.loader(data.Subset(data.mnist{root = root, split = "test"}, tensor.arange(0, count)), {batch_size = 500})
  return function()
    local correct = 0
    tensor.no_grad(function()
      for x, y in loader do correct = correct + net(x):argmax(1):eq(y):sum():item() end
    end)
  end, 10000 / count
end

return setmetatable(cases, {__index = {stepper = stepper, adam = adam}})
