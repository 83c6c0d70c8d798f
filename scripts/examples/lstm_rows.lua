-- An LSTM that reads a digit row by row, as a sequence of 28 steps with 28 numbers each.
local cli = require "cli"
local nn = require "nn"
local optim = require "optim"
local progress = require "progress"
local tensor = require "tensor"
local digits = require "digits" -- scripts/examples/lib/digits.lua

local opt = cli.parse(digits.options{epochs = 2, more = {
  lr = {4e-3, "peak of the learning rate"},
  hidden = {64, "size of the state"},
}})
tensor.manual_seed(opt.seed)
local train, test = digits.loaders(opt)

local RowReader = nn.class("RowReader")

function RowReader:init(hidden)
  self.lstm = nn.LSTM(28, hidden, {batch_first = true})
  self.head = nn.Linear(hidden, 10)
end

function RowReader:forward(x)
  local _, state = self.lstm(x:squeeze(1)) -- [B, 1, 28, 28] -> [B, rows, columns]
  local h = state[1] -- the last state of each layer: [1, B, hidden]
  return self.head(h[-1])
end

local net = RowReader(opt.hidden)
local optimizer = optim.Adam(net:parameters(), {lr = opt.lr})
local scheduler = optim.lr_scheduler.OneCycleLR(optimizer, {max_lr = opt.lr, total_steps = opt.epochs * #train})
for epoch = 1, opt.epochs do
  local bar = progress(train, {desc = ("epoch %d/%d"):format(epoch, opt.epochs)})
  for x, y in bar do
    local loss = nn.functional.cross_entropy(net(x), y)
    optimizer:zero_grad()
    loss:backward()
    -- Long sequences can make gradients explode.
    local norm = nn.utils.clip_grad_norm_(net:parameters(), 1.0)
    optimizer:step()
    scheduler:step()
    bar:set{loss = loss:item(), norm = norm}
  end
end
print(("test accuracy %.2f%%"):format(100 * digits.accuracy(net, test)))
