-- Trains a small network of many kinds of layers for some steps on synthetic images, and writes the model to the file
-- that is named; prints the CPU level of the kernels. Run by Tests/cpu-levels.sh.
local nn = require "nn"
local optim = require "optim"
local tensor = require "tensor"

tensor.manual_seed(7)
local net = nn.Sequential(
  nn.Conv2d(1, 8, 3, {padding = 1}), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.GELU(),
  nn.Dropout(0.2), nn.Flatten(), nn.Linear(16 * 12 * 12, 64), nn.LayerNorm(64), nn.Tanh(), nn.Linear(64, 10))
local optimizer = optim.AdamW(net:parameters(), {lr = 0.005})
local loss_fn = nn.CrossEntropyLoss()
for _ = 1, 4 do
  local x, y = tensor.randn(16, 1, 28, 28), tensor.randint(0, 10, {16})
  local loss = loss_fn(net(x), y)
  optimizer:zero_grad()
  loss:backward()
  optimizer:step()
end
nn.save(arg[1], net)
print(require("host.catalog").cpu_level())
