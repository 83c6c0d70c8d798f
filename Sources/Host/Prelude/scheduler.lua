-- Learning-rate schedules. Formulas and names are PyTorch's; each schedule gives the next rate from the last one, so that
-- several can act on one optimiser.
local lr_scheduler, host = ...
local ipairs = host.prelude "lists"
local declare, document, fail = host.declare, host.document, host.fail

local Scheduler = {}
Scheduler.__index = Scheduler
document([[
optim.lr_scheduler.Scheduler
The base of all schedules. Any object with step, state_dict and load_state_dict can stand in for one.
Source: torch.optim.lr_scheduler.LRScheduler
]], Scheduler)
host.document_field("optim.lr_scheduler.Scheduler.optimizer: optim.Optimizer\nThe optimiser whose rates it sets.")
host.document_field("optim.lr_scheduler.Scheduler.last_epoch: int\nThe number of the last step, from 0.")
host.document_field("optim.lr_scheduler.Scheduler.base_lrs: list\nThe rates that it began with, one for each parameter group.")

local function last_rates(self)
  local rates = {}
  for i, group in ipairs(self.optimizer.param_groups) do rates[i] = group.lr end
  return rates
end

-- A schedule is a class with
--   prepare(self, ...)              the arguments after the optimiser
--   rate(self, group, i)            the rate of group i at self.last_epoch, from the one before
--   closed(self, base)              optional: the rate at self.last_epoch from the first one alone
local function define(doc, parts)
  local name = doc:match("lr_scheduler%.([%w_]+)%(")
  local class = {__name = name, name = name}
  class.__index = class
  local arrange = declare(doc, function(...) return ... end, false)
  setmetatable(class, {
    __index = Scheduler,
    __call = function(_, ...)
      local self = setmetatable({}, class)
      return self:init(arrange(...))
    end,
    __tostring = function() return "class " .. name end,
  })
  for key, value in pairs(parts) do class[key] = value end
  document(doc, class)
  lr_scheduler[name] = class
  return class
end

function Scheduler:init(optimizer, ...)
  self.optimizer = optimizer
  self.last_epoch = -1
  if self.prepare then self:prepare(...) end
  self.base_lrs = {}
  for i, group in ipairs(optimizer.param_groups) do
    if group.initial_lr == nil then group.initial_lr = group.lr end
    self.base_lrs[i] = group.initial_lr
  end
  self:begin()
  return self
end

-- The first step, which sets the rate of epoch 0.
function Scheduler:begin()
  self._step_count = 0
  self.is_initial = true
  self:step()
  self.is_initial = nil
end

-- Goes to the next epoch, or to a given one.
function Scheduler:update(epoch)
  self.last_epoch = epoch or self.last_epoch + 1
  local rates = {}
  for i, group in ipairs(self.optimizer.param_groups) do
    rates[i] = epoch and self.closed and self:closed(self.base_lrs[i]) or self:rate(group, i)
  end
  for i, group in ipairs(self.optimizer.param_groups) do group.lr = rates[i] end
  self._last_lr = last_rates(self)
end

function Scheduler:step()
  self._step_count = self._step_count + 1
  self:update()
end
document([[
optim.lr_scheduler.Scheduler:step(self: any)
Sets the optimiser's rates for the next epoch (or step, whatever one call stands for).
Example:
  local opt = optim.SGD({nn.Parameter(tensor{1.0})}, {lr = 1})
  local s = optim.lr_scheduler.StepLR(opt, 1)
  opt:step()
  s:step()
  opt.param_groups[1].lr --> 0.1
Source: torch.optim.lr_scheduler.LRScheduler.step
]], Scheduler.step)

function Scheduler:get_last_lr() return self._last_lr end
document([[
optim.lr_scheduler.Scheduler:get_last_lr(self: any) -> list
Lists the rates that were set last, one for each parameter group.
Example:
  local opt = optim.SGD({nn.Parameter(tensor{1.0})}, {lr = 1})
  optim.lr_scheduler.StepLR(opt, 2):get_last_lr() --> {1}
Source: torch.optim.lr_scheduler.LRScheduler.get_last_lr
]], Scheduler.get_last_lr)

-- Numbers, strings, booleans and tables of them; functions and the optimiser stay out.
local function plain(value)
  local kind = type(value)
  if kind == "number" or kind == "string" or kind == "boolean" then return value end
  if kind ~= "table" or getmetatable(value) ~= nil then return nil end
  local copy = {}
  for key, item in pairs(value) do copy[key] = plain(item) end
  return copy
end

function Scheduler:state_dict()
  local state = {}
  for key, value in next, self do
    if key ~= "optimizer" then state[key] = plain(value) end
  end
  return state
end

document([[
optim.lr_scheduler.Scheduler:state_dict(self: any) -> table
Gives what the schedule must remember to go on: plain values only.
Example:
  local opt = optim.SGD({nn.Parameter(tensor{1.0})}, {lr = 1})
  optim.lr_scheduler.StepLR(opt, 2):state_dict().last_epoch --> 0
Source: torch.optim.lr_scheduler.LRScheduler.state_dict
]], Scheduler.state_dict)

function Scheduler:load_state_dict(state)
  if type(state) ~= "table" then fail(("optim.lr_scheduler.%s: load_state_dict expects a table, got %s"):format(self.name, type(state))) end
  for key, value in pairs(state) do
    if key ~= "optimizer" then self[key] = plain(value) end
  end
end
document([[
optim.lr_scheduler.Scheduler:load_state_dict(self: any, state_dict: table)
Goes on where the schedule was that gave the state.
Args:
  state_dict: what state_dict gave
Example:
  local opt = optim.SGD({nn.Parameter(tensor{1.0})}, {lr = 1})
  local a, b = optim.lr_scheduler.StepLR(opt, 2), optim.lr_scheduler.StepLR(opt, 2)
  a:step()
  b:load_state_dict(a:state_dict())
  b.last_epoch --> 1
Source: torch.optim.lr_scheduler.LRScheduler.load_state_dict
]], Scheduler.load_state_dict)

-- Values per group: one for all, or a list.
local function per_group(self, what, value)
  local count = #self.optimizer.param_groups
  if type(value) ~= "table" then
    local list = {}
    for i = 1, count do list[i] = value end
    return list
  end
  if #value ~= count then
    fail(("optim.lr_scheduler.%s: %s must be one number or one for each of the %d groups, got %d"):format(
      self.name, what, count, #value))
  end
  return {table.unpack(value)}
end

local core = {Scheduler = Scheduler, define = define, plain = plain, per_group = per_group, last_rates = last_rates}
host.prelude("scheduler_formulas", host, core)
host.prelude("scheduler_more", host, core)
