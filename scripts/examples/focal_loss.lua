-- A loss written by hand with its own gradient: focal loss (Lin et al. 2017), which cares more for what is still wrong.
local cli = require "cli"
local nn = require "nn"
local optim = require "optim"
local tensor = require "tensor"
local digits = require "digits" -- scripts/examples/lib/digits.lua

local opt = cli.parse(digits.options{epochs = 4, more = {
  lr = {2e-3, "learning rate"},
  gamma = {2.0, "how much less a sample counts that is right already; 0 is cross-entropy"},
}})
tensor.manual_seed(opt.seed)

-- L = -(1 - p)^gamma log p, p the probability of the true class.
-- dL/dlogits_j = ((1 - p)^gamma - gamma p (1 - p)^(gamma - 1) log p) (softmax_j - [j is true])
local FocalLoss = tensor.Function{
  name = "FocalLoss",
  forward = function(ctx, logits, target)
    local log_all = logits:log_softmax(1)
    local log_p = log_all:gather(1, target:unsqueeze(1))
    local wrong = 1 - log_p:exp()
    ctx:save_for_backward(log_all, log_p, target)
    return -(wrong:pow(opt.gamma) * log_p):mean()
  end,
  backward = function(ctx, g)
    local log_all, log_p, target = table.unpack(ctx.saved_tensors)
    local p = log_p:exp()
    local wrong = (1 - p):clamp{min = 1e-12}
    local factor = wrong:pow(opt.gamma) - opt.gamma * p * wrong:pow(opt.gamma - 1) * log_p
    local difference = log_all:exp() - nn.functional.one_hot(target, log_all:size(1))
    return g * factor * difference / #target
  end,
}

-- The derivation is checked against finite differences before it is used.
local logits = tensor.randn(4, 10, {dtype = "float64"}):requires_grad_()
assert(tensor.gradcheck(function(x) return FocalLoss(x, tensor{3, 0, 9, 3}) end, logits))
print("the gradient agrees with finite differences")

local train, test = digits.loaders(opt)
local net = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
local optimizer = optim.RMSprop(net:parameters(), {lr = opt.lr})
for epoch = 1, opt.epochs do
  local sum = 0
  for x, y in train do
    local loss = FocalLoss(net(x), y)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    sum = sum + loss:item()
  end
  print(("epoch %d: focal loss %.4f, test accuracy %.2f%%"):format(epoch, sum / #train, 100 * digits.accuracy(net, test)))
end
