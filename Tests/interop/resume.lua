-- Trains 20 steps, in one go or from a checkpoint after the first 10: resume.lua FOLDER whole|first|second
local nn = require "nn"
local optim = require "optim"
local tensor = require "tensor"
local folder, part = arg[1], arg[2]

tensor.manual_seed(part == "second" and 99 or 5)
local net = nn.Sequential(nn.Linear(6, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.4), nn.Linear(32, 3))
local optimizer = optim.AdamW(net:parameters(), {lr = 0.01})
local scheduler = optim.lr_scheduler.OneCycleLR(optimizer, {max_lr = 0.02, total_steps = 20})
local first = 1
if part == "second" then
  local rest = nn.load_checkpoint(folder .. "/half.ckpt", {model = net, optimizer = optimizer, scheduler = scheduler})
  first = rest.step + 1
end
for step = first, part == "first" and 10 or 20 do
  local x = tensor.randn(16, 6)
  local loss = nn.functional.cross_entropy(net(x), x:narrow(1, 0, 3):argmax(1))
  optimizer:zero_grad()
  loss:backward()
  optimizer:step()
  scheduler:step()
  if part == "first" and step == 10 then
    nn.save_checkpoint(folder .. "/half.ckpt", {model = net, optimizer = optimizer, scheduler = scheduler, step = step})
  end
end
nn.save(folder .. "/" .. part .. ".safetensors", net)
