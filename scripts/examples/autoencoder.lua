-- An autoencoder: 784 pixels through 16 numbers and back; digits and their reconstructions side by side in a picture.
local cli = require "cli"
local fs = require "fs"
local nn = require "nn"
local optim = require "optim"
local plot = require "plot"
local progress = require "progress"
local tensor = require "tensor"
local digits = require "digits" -- scripts/examples/lib/digits.lua
local data = require "data"

local opt = cli.parse(digits.options{epochs = 2, more = {
  lr = {3e-3, "learning rate"},
  code = {16, "numbers that stand for a digit"},
  out = {"out/autoencoder.png", "the picture"},
}})
tensor.manual_seed(opt.seed)

-- Pixels from 0 to 1: what a sigmoid gives.
local function loader(split, count, shuffle)
  local ds = data.mnist{root = opt.data, split = split, normalize = false}
  return data.loader(data.Subset(ds, tensor.arange(math.min(count, #ds))), {batch_size = opt.batch_size, shuffle = shuffle, seed = opt.seed})
end
local train, test = loader("train", opt.samples, true), loader("test", opt.test_samples)

local encoder = nn.Sequential(
  nn.Conv2d(1, 8, 3, {stride = 2, padding = 1}), nn.ReLU(), nn.Conv2d(8, 16, 3, {stride = 2, padding = 1}), nn.ReLU(),
  nn.Flatten(), nn.Linear(16 * 7 * 7, opt.code))
local decoder = nn.Sequential(
  nn.Linear(opt.code, 16 * 7 * 7), nn.ReLU(), nn.Unflatten(1, {16, 7, 7}),
  nn.ConvTranspose2d(16, 8, 4, {stride = 2, padding = 1}), nn.ReLU(),
  nn.ConvTranspose2d(8, 1, 4, {stride = 2, padding = 1}))
local net = nn.Sequential(encoder, decoder)
local optimizer = optim.Adam(net:parameters(), {lr = opt.lr})

for epoch = 1, opt.epochs do
  local bar = progress(train, {desc = ("epoch %d/%d"):format(epoch, opt.epochs)})
  for x in bar do
    local loss = nn.functional.binary_cross_entropy_with_logits(net(x), x)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    bar:set{loss = loss:item()}
  end
end

-- The error beside that of the dullest answer, the mean digit.
net:eval()
local sum, dull, count, pictures = 0, 0, 0, nil
tensor.no_grad(function()
  for x in test do
    local y = net(x):sigmoid()
    sum = sum + nn.functional.mse_loss(y, x, {reduction = "sum"}):item()
    dull = dull + (x - x:mean(0)):square():sum():item()
    count = count + x:numel()
    pictures = pictures or tensor.cat({x["0:8"], y["0:8"]})
  end
end)

local folder = fs.dirname(opt.out)
if folder ~= "" then fs.mkdir(folder) end
plot.images(pictures:squeeze(1), {columns = 8}):save(opt.out)
print(("reconstruction error %.4f (the mean digit: %.4f); picture in %s"):format(sum / count, dull / count, opt.out))
