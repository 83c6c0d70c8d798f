-- Trains the linear model on a stream of synthetic samples that a Lua object makes one by one; prints the seconds for
-- a sample and the largest memory in bytes.
local data = require "data"
local nn = require "nn"
local optim = require "optim"
local tensor = require "tensor"
local time = require "time"

local count = math.tointeger(arg[1])
tensor.manual_seed(1)
local sample = tensor.randn(784)
local stream = setmetatable({}, {
  __len = function() return count end,
  __index = function(_, i) return {sample, i % 10} end,
})
local net = nn.Linear(784, 10)
local opt = optim.SGD(net:parameters(), {lr = 0.01})
local loss_fn = nn.CrossEntropyLoss()
local began = time.monotonic()
for x, y in data.loader(stream, {batch_size = 100}) do
  local loss = loss_fn(net(x), y)
  opt:zero_grad()
  loss:backward()
  opt:step()
end
print("seconds", (time.monotonic() - began) / count)
for line in io.lines "/proc/self/status" do
  local kilobytes = line:match "^VmHWM:%s*(%d+)"
  if kilobytes then print("memory", kilobytes * 1024) end
end
