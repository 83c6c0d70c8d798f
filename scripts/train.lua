-- Trains a digit classifier on MNIST. Options: host scripts/train.lua --help
local cli = require "cli"
local data = require "data"
local fs = require "fs"
local json = require "json"
local nn = require "nn"
local optim = require "optim"
local pachyderm = require "pachyderm"
local progress = require "progress"
local tensor = require "tensor"
local time = require "time"
local models = require "models" -- scripts/lib/models.lua
local report = require "report" -- scripts/lib/report.lua
local tracking = require "tracking" -- scripts/lib/tracking.lua
local versions = require "versions" -- scripts/lib/versions.lua

local began = time.now()
local opt = cli.parse{
  model = {"cnn", "what to train", choices = {"linear", "mlp", "cnn"}},
  epochs = {0, "passes over the training set; 0 takes the model's default"},
  batch_size = {0, "samples per step; 0 takes the model's default"},
  lr = {0.0, "learning rate, or the peak of its schedule; 0 takes the model's default"},
  seed = {1, "seed of all randomness"},
  data = {"", "folder with the four MNIST files; else the job's input `mnist`, or data/mnist"},
  out = {"", "folder for the model, metrics and predictions; else the job's output, or out"},
  resume = {false, "continue from the checkpoint; a retried job does so by itself"},
  wandb_project = {"", "W&B project; else the pipeline's name, or mnist"},
  name = {"", "the run's name; else the job's id"},
}
for name, value in pairs(models.defaults[opt.model]) do
  if opt[name] == 0 then opt[name] = value end
end

if opt.data == "" then opt.data = pachyderm.input("mnist", "data/mnist") end
if opt.out == "" then opt.out = pachyderm.inside and pachyderm.output() or "out" end

-- Data: the last 5,000 training images choose nothing, they only watch (validation).
local full = data.mnist{root = opt.data, split = "train"}
local train = data.Subset(full, tensor.arange(0, 55000))
local val = data.loader(data.Subset(full, tensor.arange(55000, 60000)), {batch_size = 250})
local digits = data.mnist{root = opt.data, split = "test"}
local test = data.loader(digits, {batch_size = 250})

-- Each epoch has a loader of its own, so that a resumed run sees the same order.
local function epoch_loader(epoch)
  return data.loader(train, {batch_size = opt.batch_size, shuffle = true, seed = opt.seed * 1000 + epoch})
end

tensor.manual_seed(opt.seed)
local net = models[opt.model]()
local loss_fn = models.loss(opt.model)
local optimizer, scheduler = models.optimizer(opt, net, #epoch_loader(1))

-- Inside a job only /tmp outlives a killed try; the folder there belongs to this job, datum and pipeline.
local checkpoint = pachyderm.inside and pachyderm.scratch("checkpoint.safetensors") or fs.join(opt.out, "checkpoint.safetensors")
-- `batches` and `sum` are of an epoch that was left in the middle.
local history = {start = 1, step = 0, seconds = 0, epochs = {}, batches = 0, sum = 0}
if (opt.resume or pachyderm.inside) and fs.exists(checkpoint) then
  history = nn.load_checkpoint(checkpoint, {model = net, optimizer = optimizer, scheduler = scheduler})
  print(("resuming from %s at epoch %d"):format(checkpoint, history.start))
end

local losses = history.losses and history.losses:tolist() or {} -- of each step, for the page

local function save()
  history.losses = tensor(losses)
  local state = {model = net, optimizer = optimizer, scheduler = scheduler}
  for name, value in pairs(history) do state[name] = value end
  nn.save_checkpoint(checkpoint, state)
end

local function evaluate(loader)
  net:eval()
  local loss, correct, count = 0, 0, 0
  tensor.no_grad(function()
    for x, y in loader do
      local logits = net(x)
      loss = loss + nn.functional.cross_entropy(logits, y):item() * #y
      correct = correct + logits:argmax(1):eq(y):sum():item()
      count = count + #y
    end
  end)
  return loss / count, correct / count
end

fs.mkdir(opt.out)
local run = tracking.start(opt)
cli.stop_requested() -- from here on SIGTERM waits for the end of a step
print(net)

local train_loss, val_loss, val_accuracy = history.train_loss, history.val_loss, history.val_accuracy
for epoch = history.start, opt.epochs do
  local began, sum, steps = time.monotonic(), history.sum, 0
  net:train()
  local bar = progress(epoch_loader(epoch), {desc = ("epoch %d/%d"):format(epoch, opt.epochs)})
  for x, y in bar do
    steps = steps + 1
    if steps <= history.batches then goto continue end -- computed before this try
    local loss = loss_fn(net(x), y)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    local value = loss:item()
    if value ~= value then
      error(("the loss became NaN at epoch %d, step %d; try a smaller --lr (it was %g). The last good state is %s")
        :format(epoch, history.step, opt.lr, fs.exists(checkpoint) and checkpoint or "not saved yet"), 0)
    end
    history.step, sum = history.step + 1, sum + value
    losses[#losses + 1] = value
    -- Steps are named: what a retried job computes a second time is known by them, and logged once.
    run:log({["train/loss"] = value, ["train/lr"] = scheduler and scheduler:get_last_lr()[1] or opt.lr, epoch = epoch},
      {step = history.step})
    if scheduler then scheduler:step() end
    bar:set{loss = value}
    -- SIGTERM: the state of this very step is kept, the run is marked, the next try goes on from here.
    if cli.stop_requested() then
      history.batches, history.sum, history.seconds = steps, sum, history.seconds + time.monotonic() - began
      save()
      print(("stopped after step %d; --resume goes on from %s"):format(history.step, checkpoint))
      os.exit(143)
    end
    ::continue::
  end
  history.seconds = history.seconds + time.monotonic() - began
  train_loss = sum / steps
  val_loss, val_accuracy = evaluate(val)
  run:log({["val/loss"] = val_loss, ["val/accuracy"] = val_accuracy, epoch = epoch}, {step = history.step})
  print(("epoch %d: train loss %.4f, validation loss %.4f, validation accuracy %.2f%%")
    :format(epoch, train_loss, val_loss, 100 * val_accuracy))
  history.start, history.batches, history.sum = epoch + 1, 0, 0
  table.insert(history.epochs, {
    epoch = epoch, train_loss = train_loss, val_loss = val_loss, val_accuracy = val_accuracy,
  })
  history.train_loss, history.val_loss, history.val_accuracy = train_loss, val_loss, val_accuracy
  save()
end

-- The results. The model's bytes depend on data, script and seed alone; times and ids live in other files.
local test_loss, test_accuracy = evaluate(test)
run:log({["test/loss"] = test_loss, ["test/accuracy"] = test_accuracy}, {step = history.step})
local metrics = {
  test_accuracy = test_accuracy, test_loss = test_loss, val_accuracy = val_accuracy, val_loss = val_loss,
  train_loss = train_loss, epochs = opt.epochs, seed = opt.seed, model = opt.model, seconds = history.seconds,
  samples_per_second = history.seconds > 0 and #train * (history.start - 1) / history.seconds or 0,
}
nn.save(fs.join(opt.out, "model.safetensors"), net, {model = opt.model})
fs.write(fs.join(opt.out, "metrics.json"), json.encode(metrics, {pretty = true}) .. "\n")
local outcome = report.outcome(net, test)
fs.write(fs.join(opt.out, "predictions.csv"), report.predictions(outcome))
local paths = {table.unpack(full.paths)}
table.move(digits.paths, 1, #digits.paths, #paths + 1, paths)
fs.write(fs.join(opt.out, "report.html"), report.html{
  options = opt, metrics = metrics, epochs = history.epochs, losses = losses, outcome = outcome, net = tostring(net),
  images = digits.images, classes = digits.classes, data = versions.files(paths), code = versions.code(),
  commit = versions.commit(fs.dirname(arg[0])), program = "host " .. tensor.__version__, provenance = pachyderm.inside and pachyderm.provenance() or nil,
  timing = {
    began = os.date("!%Y-%m-%d %H:%M:%S UTC", began // 1), ["whole run"] = ("%.1f s"):format(time.now() - began),
    ["training, all tries"] = ("%.1f s"):format(history.seconds), ["threads"] = tensor.get_num_threads(), steps = history.step,
  },
})
tracking.finish(run, opt)
print(("test loss %.4f, test accuracy %.2f%%; model and metrics are in %s"):format(test_loss, 100 * test_accuracy, opt.out))
