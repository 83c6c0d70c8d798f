-- Optimisers whose steps follow from the gradients and running means of them; the steps are native.
local optim, host, define, native, with_loss = ...
local ipairs = host.prelude "lists"
local fail = host.fail

-- Checks shared by the optimisers

local function at_least_zero(name, ...)
  local fields = {...}
  return function(group)
    for _, field in ipairs(fields) do
      local value = group[field]
      if type(value) ~= "number" or not (value >= 0) then
        fail(("optim.%s: %s must not be negative, got %s"):format(name, field, tostring(value)))
      end
    end
  end
end

local function check_betas(name)
  local positive = at_least_zero(name, "lr", "eps", "weight_decay")
  return function(group)
    positive(group)
    local betas = group.betas
    if type(betas) ~= "table" or #betas ~= 2 then fail(("optim.%s: betas must be a list of two numbers"):format(name)) end
    for i, beta in ipairs(betas) do
      if type(beta) ~= "number" or not (beta >= 0 and beta < 1) then
        fail(("optim.%s: beta %d must be in 0..1 (1 excluded), got %s"):format(name, i, tostring(beta)))
      end
    end
  end
end

local SGD = define([[
optim.SGD(params: list, lr: number = 0.001, momentum: number = 0, dampening: number = 0, weight_decay: number = 0, nesterov: bool = false, *, maximize: bool = false)
Stochastic gradient descent with momentum: b = momentum b + (1 - dampening) g, p -= lr b.
Errors: negative values, nesterov without momentum or with dampening
Example:
  local p = nn.Parameter(tensor{1.0})
  p.grad = tensor{2.0}
  optim.SGD({p}, {lr = 0.1}):step()
  p:detach() --> tensor([0.8000])
Source: Sutskever et al. 2013; torch.optim.SGD
]], {"lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize"}, {
  check = function(group)
    at_least_zero("SGD", "lr", "momentum", "weight_decay")(group)
    if group.nesterov and (group.momentum <= 0 or group.dampening ~= 0) then
      fail("optim.SGD: nesterov needs a momentum above 0 and no dampening")
    end
  end,
})

local sgd_step = host.sgd_step
function SGD:step(closure)
  local loss = with_loss(closure)
  local groups = self.param_groups
  for i = 1, #groups do
    local g = groups[i]
    sgd_step(native[g], g.lr, g.momentum, g.dampening, g.weight_decay, g.nesterov, g.maximize)
  end
  return loss
end

local adam_step = host.adam_step
local function define_adam(name, decay, decoupled, text)
  local C = define(([[
optim.%s(params: list, lr: number = 0.001, betas: numbers = {0.9, 0.999}, eps: number = 1e-08, weight_decay: number = %s, amsgrad: bool = false, *, maximize: bool = false)
%s
Errors: negative values, betas outside 0..1
Example:
  local p = nn.Parameter(tensor{1.0})
  p.grad = tensor{2.0}
  optim.%s({p}, {lr = 0.1}):step()
  p:detach() --> tensor([%s])
Source: %s; torch.optim.%s
]]):format(name, decay, text, name, decoupled and "0.8990" or "0.9000", decoupled and "Loshchilov and Hutter 2019" or "Kingma and Ba 2015", name),
    {"lr", "betas", "eps", "weight_decay", "amsgrad", "maximize"}, {check = check_betas(name)})
  function C:step(closure)
    local loss = with_loss(closure)
    local groups = self.param_groups
    for i = 1, #groups do
      local g = groups[i]
      local betas = g.betas
      adam_step(native[g], g.lr, betas[1], betas[2], g.eps, g.weight_decay, decoupled, g.amsgrad, g.maximize)
    end
    return loss
  end
end
define_adam("Adam", "0", false, "Steps by the running mean of gradients divided by their running size.")
define_adam("AdamW", "0.01", true, "Adam with weight decay that does not pass through the running means: p -= lr weight_decay p.")

local RMSprop = define([[
optim.RMSprop(params: list, lr: number = 0.01, alpha: number = 0.99, eps: number = 1e-08, weight_decay: number = 0, momentum: number = 0, centered: bool = false, *, maximize: bool = false)
Divides gradients by the root of the running mean of their squares; `centered` subtracts the squared mean first.
Errors: negative values
Example:
  local p = nn.Parameter(tensor{1.0})
  p.grad = tensor{2.0}
  optim.RMSprop({p}, {lr = 0.05}):step()
  p:detach() --> tensor([0.5000])
Source: Hinton 2012 (lecture 6e); torch.optim.RMSprop
]], {"lr", "alpha", "eps", "weight_decay", "momentum", "centered", "maximize"}, {
  check = at_least_zero("RMSprop", "lr", "alpha", "eps", "weight_decay", "momentum"),
})
local rmsprop_step = host.rmsprop_step
function RMSprop:step(closure)
  local loss = with_loss(closure)
  for _, g in ipairs(self.param_groups) do
    rmsprop_step(native[g], g.lr, g.alpha, g.eps, g.weight_decay, g.momentum, g.centered, g.maximize)
  end
  return loss
end

local Adagrad = define([[
optim.Adagrad(params: list, lr: number = 0.01, lr_decay: number = 0, weight_decay: number = 0, initial_accumulator_value: number = 0, eps: number = 1e-10, *, maximize: bool = false)
Divides gradients by the root of the sum of all their squares so far.
Errors: negative values
Example:
  local p = nn.Parameter(tensor{1.0})
  p.grad = tensor{2.0}
  optim.Adagrad({p}, {lr = 0.1}):step()
  p:detach() --> tensor([0.9000])
Source: Duchi, Hazan and Singer 2011; torch.optim.Adagrad
]], {"lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps", "maximize"}, {
  check = at_least_zero("Adagrad", "lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"),
  start = function(state, group) host.optimizer_prepare_adagrad(state, group.initial_accumulator_value) end,
})
local adagrad_step = host.adagrad_step
function Adagrad:step(closure)
  local loss = with_loss(closure)
  for _, g in ipairs(self.param_groups) do
    adagrad_step(native[g], g.lr, g.lr_decay, g.weight_decay, g.initial_accumulator_value, g.eps, g.maximize)
  end
  return loss
end

local Adadelta = define([[
optim.Adadelta(params: list, lr: number = 1, rho: number = 0.9, eps: number = 1e-06, weight_decay: number = 0, *, maximize: bool = false)
Divides gradients by their running size and multiplies by the running size of the steps.
Errors: negative values, rho above 1
Example:
  local p = nn.Parameter(tensor{1.0})
  p.grad = tensor{2.0}
  optim.Adadelta({p}):step()
  p:detach() --> tensor([0.9968])
Source: Zeiler 2012; torch.optim.Adadelta
]], {"lr", "rho", "eps", "weight_decay", "maximize"}, {
  check = function(group)
    at_least_zero("Adadelta", "lr", "rho", "eps", "weight_decay")(group)
    if group.rho > 1 then fail("optim.Adadelta: rho must be in 0..1, got " .. group.rho) end
  end,
})
local adadelta_step = host.adadelta_step
function Adadelta:step(closure)
  local loss = with_loss(closure)
  for _, g in ipairs(self.param_groups) do
    adadelta_step(native[g], g.lr, g.rho, g.eps, g.weight_decay, g.maximize)
  end
  return loss
end
