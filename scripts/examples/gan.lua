-- A generative adversarial network: two networks, two optimisers, one against the other.
local cli = require "cli"
local data = require "data"
local nn = require "nn"
local optim = require "optim"
local progress = require "progress"
local tensor = require "tensor"
local digits = require "digits" -- scripts/examples/lib/digits.lua

local opt = cli.parse(digits.options{samples = 30000, epochs = 15, batch_size = 64, more = {
  lr = {1e-3, "learning rate of both networks"},
  noise = {32, "random numbers that become a digit"},
  digit = {3, "the digit to learn to draw"},
}})
tensor.manual_seed(opt.seed)

-- One digit only, pixels from -1 to 1.
local mnist = data.mnist{root = opt.data, split = "train", normalize = false}
local at = mnist.labels:narrow(0, 0, opt.samples):eq(opt.digit):nonzero():flatten()
local train = data.loader(data.Subset(mnist, at), {batch_size = opt.batch_size, shuffle = true, drop_last = true, seed = opt.seed})

local generator = nn.Sequential(
  nn.Linear(opt.noise, 128), nn.BatchNorm1d(128), nn.LeakyReLU(0.2), nn.Linear(128, 256), nn.BatchNorm1d(256), nn.LeakyReLU(0.2),
  nn.Linear(256, 784), nn.Tanh())
local critic = nn.Sequential(
  nn.Linear(784, 256), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(256, 64), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(64, 1))
local options = {lr = opt.lr, betas = {0.5, 0.999}}
local optimizer_g = optim.Adam(generator:parameters(), options)
local optimizer_c = optim.Adam(critic:parameters(), options)
local loss_fn = nn.BCEWithLogitsLoss()

local function draw(n) return generator(tensor.randn(n, opt.noise)) end

-- How far the mean and the spread of drawn pixels are from those of real ones.
local real = tensor.stack((function()
  local all = {}
  for i = 0, math.min(500, #at) - 1 do all[#all + 1] = mnist[at[i]:item()][1]:flatten() end
  return all
end)()) * 2 - 1
local function distance()
  generator:eval()
  local fake = tensor.no_grad(draw, #real)
  generator:train()
  return (fake:mean(0) - real:mean(0)):square():mean():sqrt():item() + (fake:std(0) - real:std(0)):square():mean():sqrt():item()
end

local before = distance()
for epoch = 1, opt.epochs do
  local bar = progress(train, {desc = ("epoch %d/%d"):format(epoch, opt.epochs)})
  for x in bar do
    x = x:flatten(1) * 2 - 1
    local ones, zeros = tensor.ones(#x, 1), tensor.zeros(#x, 1)

    -- The critic learns to tell them apart; the drawn ones are detached from what drew them.
    local fake = draw(#x)
    local loss_c = loss_fn(critic(x), ones * 0.9) + loss_fn(critic(fake:detach()), zeros)
    optimizer_c:zero_grad()
    loss_c:backward()
    optimizer_c:step()

    -- The generator learns to be taken for real.
    local loss_g = loss_fn(critic(fake), ones)
    optimizer_g:zero_grad()
    loss_g:backward()
    optimizer_g:step()
    bar:set{critic = loss_c:item(), generator = loss_g:item()}
  end
end
print(("distance of drawn pixels from real ones %.3f, before training %.3f"):format(distance(), before))
