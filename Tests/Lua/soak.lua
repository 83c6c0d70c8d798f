-- Trains for a while with everything that a long run does: a loader that augments, logging, media, plots, checkpoints.
-- Resident memory, open files and threads must stay where they are.
--   host soak.lua SECONDS [DIR]
local data = require "data"
local fs = require "fs"
local nn = require "nn"
local optim = require "optim"
local progress = require "progress"
local tensor = require "tensor"
local time = require "time"
local wandb = require "wandb"
local has_plot, plot = pcall(require, "plot")

local seconds, dir = tonumber(arg[1]), arg[2] or "."
local began = time.monotonic()
local function elapsed() return time.monotonic() - began end

-- Resident memory in KB, open files, threads.
local function usage()
  local status = fs.read "/proc/self/status"
  return tonumber(status:match "VmRSS:%s*(%d+)"), #fs.list "/proc/self/fd", tonumber(status:match "Threads:%s*(%d+)")
end

tensor.manual_seed(1)
local images = tensor.rand(2000, 1, 28, 28)
local set = data.TensorDataset(images, tensor.randint(0, 10, {2000}))
local net = nn.Sequential(
  nn.Conv2d(1, 4, 5), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.1), nn.Linear(576, 10))
local optimizer = optim.AdamW(net:parameters(), {lr = 1e-4})
local scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, {T_max = 1000})
local run = wandb.init{project = "soak", id = "soak", mode = "offline", dir = dir, config = {seconds = seconds}}

-- Memory is flat after a warm-up: the first minute, of a short run the first third.
local warm = math.min(60, seconds / 3)
local base, most, samples = nil, 0, 0
local next_sample, step, pass = 0, 0, 0
while elapsed() < seconds do
  pass = pass + 1
  local loader = data.loader(set, {
    batch_size = 50, shuffle = true, seed = pass, transform = data.transforms.random_shift(2),
  })
  for x, y in progress(loader, {desc = "pass " .. pass}) do
    step = step + 1
    local loss = nn.functional.cross_entropy(net(x), y)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    scheduler:step()
    run:log({loss = loss:item(), lr = scheduler:get_last_lr()[1]}, {step = step})
    if step % 20 == 0 then run:log({weights = net[0].weight, image = wandb.Image(images[0][0])}, {step = step}) end
    local ok = pcall(function() return net(tensor.ones(3)) end) -- errors cost nothing either
    assert(not ok)
    if elapsed() >= next_sample then
      next_sample = next_sample + math.min(1, seconds / 30)
      collectgarbage()
      local rss, files, threads = usage()
      if elapsed() >= warm then
        base = base or {rss = rss, files = files, threads = threads}
        most, samples = math.max(most, rss), samples + 1
        assert(files <= base.files + 1, ("%d files are open, %d were"):format(files, base.files))
        assert(threads <= base.threads + 1, ("%d threads run, %d did"):format(threads, base.threads))
      end
    end
    if elapsed() >= seconds then break end
  end
  nn.save_checkpoint(fs.join(dir, "checkpoint.safetensors"), {model = net, optimizer = optimizer, scheduler = scheduler, pass = pass})
  nn.load_checkpoint(fs.join(dir, "checkpoint.safetensors"), {model = net, optimizer = optimizer, scheduler = scheduler})
  if has_plot and pass % 10 == 0 then plot.image(images[0][0]):save(fs.join(dir, "image.png")) end
end
run:finish()
local rss, files, threads = usage()
local growth = 100 * (most - base.rss) / base.rss
print(("soak: %d steps, %d passes in %.0f s; %d samples after %.0f s: memory %.1f MB, at most %+.2f%%; %d files, %d threads; plots %s")
  :format(step, pass, elapsed(), samples, warm, base.rss / 1024, growth, files, threads, has_plot and "too" or "not"))
-- A short run still fills caches.
local allowed = seconds >= 240 and 2 or 10
assert(growth < allowed, ("resident memory grew by %.2f%%, allowed are %d%%"):format(growth, allowed))
