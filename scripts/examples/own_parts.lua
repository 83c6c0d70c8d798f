-- A dataset, a transform and a schedule written in Lua: two digits side by side, and the network says what they add up to.
local cli = require "cli"
local data = require "data"
local nn = require "nn"
local optim = require "optim"
local progress = require "progress"
local tensor = require "tensor"
local digits = require "digits" -- scripts/examples/lib/digits.lua

local opt = cli.parse(digits.options{epochs = 5, batch_size = 64, more = {lr = {3e-3, "highest learning rate"}}})
opt.test_samples = math.min(opt.test_samples, 2000)
tensor.manual_seed(opt.seed)

-- A dataset is any object with __len and __index; samples count from 0.
local Pairs = {}
function Pairs.__len(self) return #self.digits // 2 end
function Pairs.__index(self, i)
  local a, b = self.digits[2 * i], self.digits[2 * i + 1]
  return {a[1], b[1], a[2] + b[2]}
end
local function pairs_of(split) return setmetatable({digits = digits.set(opt, split)}, Pairs) end

-- A transform is any function of a sample's parts. Sums do not care for the order.
local function swap_at_random(a, b, sum)
  if tensor.rand(1):item() < 0.5 then a, b = b, a end
  return a, b, sum
end

-- A schedule is any object that sets the groups' rates: here one that falls when the loss no longer does.
local Patient = {}
Patient.__index = Patient
function Patient:step(loss)
  if loss < 0.97 * self.best then self.best, self.waited = loss, 0 else self.waited = self.waited + 1 end
  if self.waited < 40 then return end
  self.waited = 0
  for _, group in ipairs(self.optimizer.param_groups) do group.lr = group.lr * 0.6 end
end
-- With these two a checkpoint can hold it.
function Patient:state_dict() return {best = self.best, waited = self.waited} end
function Patient:load_state_dict(state) self.best, self.waited = state.best, state.waited end

local Adder = nn.class("Adder")
function Adder:init()
  -- One network for both digits: its parameters are shared.
  self.look = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU())
  self.add = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 19))
end
function Adder:forward(a, b) return self.add(self.look(a) + self.look(b)) end

local train = data.loader(pairs_of("train"), {batch_size = opt.batch_size, shuffle = true, seed = opt.seed, transform = swap_at_random})
local test = data.loader(pairs_of("test"), {batch_size = 250})
local net = Adder()
local optimizer = optim.Adam(net:parameters(), {lr = opt.lr})
local scheduler = setmetatable({optimizer = optimizer, best = math.huge, waited = 0}, Patient)
local smooth = 3.0
for epoch = 1, opt.epochs do
  local bar = progress(train, {desc = ("epoch %d/%d"):format(epoch, opt.epochs)})
  for a, b, sum in bar do
    local loss = nn.functional.cross_entropy(net(a, b), sum)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    smooth = 0.95 * smooth + 0.05 * loss:item()
    scheduler:step(smooth)
    bar:set{loss = smooth, lr = optimizer.param_groups[1].lr}
  end
end

net:eval()
local right, count = 0, 0
tensor.no_grad(function()
  for a, b, sum in test do
    right = right + net(a, b):argmax(1):eq(sum):sum():item()
    count = count + #sum
  end
end)
print(("right sums of unseen digits: %.2f%%"):format(100 * right / count))
