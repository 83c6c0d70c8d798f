-- nn.save, nn.load and checkpoints: what comes back, and training that goes on to the same bits.
local check = require "check"
local tensor = require "tensor"
local nn = require "nn"
local optim = require "optim"
local folder = arg[1] or os.tmpname()
os.remove(folder)
require("fs").mkdir(folder)
local function path(name) return folder .. "/" .. name end

local function network()
  return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3))
end

tensor.manual_seed(5)
local net = network()
nn.save(path("a.safetensors"), net, {note = "first"})
local dict, metadata = nn.load(path("a.safetensors"))
check.equal("metadata", metadata.note, "first")
local other = network()
other:load_state_dict(dict)
for name, t in pairs(net:state_dict()) do
  check.that(name, t:equal(other:state_dict()[name]) and t.dtype == dict[name].dtype)
end
nn.save(path("b.safetensors"), {only = tensor.arange(3)})
check.equal("a plain table", nn.load(path("b.safetensors")).only:sum():item(), 3)
nn.save(path("half.safetensors"), net, nil, {dtype = "float16"})
check.close("narrowed", nn.load(path("half.safetensors"))["0.weight"], net[0].weight, 1e-3, 1e-3)
check.fails({"nn.load", "missing.safetensors"}, nn.load, path("missing.safetensors"))
check.fails({"cannot", "none"}, nn.save, path("none/x.safetensors"), net)

-- A run of n steps; `stop` saves everything after that step into a file that another run goes on from.
local function run(make, from, to, file, resume)
  tensor.manual_seed(11)
  local model = network()
  local opt, schedule = make(model)
  if resume then
    tensor.manual_seed(999)
    local rest = nn.load_checkpoint(path(file), {model = model, optimizer = opt, scheduler = schedule})
    check.equal("the rest comes back", rest.step .. rest.nested.name .. rest.list[2], from - 1 .. "x7")
  end
  for step = from, to do
    local x, y = tensor.randn(10, 6), tensor.randint(0, 3, {10})
    opt:step(function()
      opt:zero_grad()
      local loss = nn.functional.cross_entropy(model(x), y)
      loss:backward()
      return loss
    end)
    schedule:step(step)
  end
  if not resume then
    nn.save_checkpoint(path(file), {
      model = model, optimizer = opt, scheduler = schedule, step = to, nested = {name = "x"}, list = {1, 7},
    })
  end
  return model
end

local S = optim.lr_scheduler
for name, make in pairs{
  sgd = function(m)
    local o = optim.SGD(m:parameters(), {lr = 0.1, momentum = 0.9})
    return o, S.CosineAnnealingLR(o, 7)
  end,
  adamw = function(m)
    local o = optim.AdamW({{params = m[0]:parameters()}, {params = m[4]:parameters(), lr = 0.02}}, {lr = 0.01, amsgrad = true})
    return o, S.OneCycleLR(o, {max_lr = 0.05, total_steps = 12})
  end,
  rmsprop = function(m)
    local o = optim.RMSprop(m:parameters(), {momentum = 0.5, centered = true})
    return o, S.SequentialLR(o, {S.LinearLR(o), S.ExponentialLR(o, 0.9)}, {4})
  end,
  adagrad = function(m)
    local o = optim.Adagrad(m:parameters(), {lr_decay = 0.1})
    return o, S.ReduceLROnPlateau(o, {patience = 1})
  end,
  lbfgs = function(m)
    local o = optim.LBFGS(m:parameters(), {lr = 0.1, max_iter = 3})
    return o, S.StepLR(o, 3)
  end,
} do
  local whole = run(make, 1, 10, name .. ".whole")
  run(make, 1, 6, name .. ".part")
  local resumed = run(make, 7, 10, name .. ".part", true)
  for key, t in pairs(whole:state_dict()) do
    check.that(name .. ": " .. key .. " after a break", t:equal(resumed:state_dict()[key]))
  end
end

check.fails({"has no state of 'critic'", "'model'"}, nn.load_checkpoint, path("sgd.part"), {critic = net})
check.fails("without load_state_dict", nn.load_checkpoint, path("sgd.part"), {model = {}})
check.fails("function", nn.save_checkpoint, path("x"), {f = print})
local loose = nn.load_checkpoint(path("sgd.part"))
check.that("state that was not asked for", loose.model["0.weight"]:numel() == 48 and loose.optimizer.param_groups[1].momentum == 0.9)
require("fs").remove(folder, {recursive = true})
check.done(60)
