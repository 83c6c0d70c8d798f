-- Schedules made of other schedules, and the one that watches results.
local host, core = ...
local ipairs = host.prelude "lists"
local fail, define, plain = host.fail, core.define, core.plain
local per_group, last_rates = core.per_group, core.last_rates

local function passed(milestones, epoch)
  local n = 0
  for _, milestone in ipairs(milestones) do
    if milestone <= epoch then n = n + 1 end
  end
  return n + 1
end

local function undo(scheduler)
  if scheduler.schedulers then
    for _, inner in ipairs(scheduler.schedulers) do undo(inner) end
  else
    scheduler.last_epoch = scheduler.last_epoch - 1
  end
end

define([[
optim.lr_scheduler.SequentialLR(optimizer: optimizer, schedulers: list, milestones: ints)
Uses one schedule after the other; milestones are the epochs at which the next one takes over.
Errors: a number of milestones that is not one less than that of schedules
Example:
  local opt = optim.SGD({nn.Parameter(tensor{1.0})}, {lr = 1})
  local warm = optim.lr_scheduler.LinearLR(opt, {start_factor = 0.5, total_iters = 2})
  local s = optim.lr_scheduler.SequentialLR(opt, {warm, optim.lr_scheduler.ExponentialLR(opt, 0.5)}, {2})
  for _ = 1, 3 do opt:step() s:step() end
  opt.param_groups[1].lr --> 0.5
Source: torch.optim.lr_scheduler.SequentialLR
]], {
  init = function(self, optimizer, schedulers, milestones)
    milestones = type(milestones) == "table" and {table.unpack(milestones)} or {milestones}
    if #schedulers < 1 or #milestones ~= #schedulers - 1 then
      fail(("optim.lr_scheduler.SequentialLR: %d schedules need %d milestones, got %d"):format(
        #schedulers, math.max(#schedulers - 1, 0), #milestones))
    end
    for i, scheduler in ipairs(schedulers) do
      if type(scheduler) ~= "table" or scheduler.optimizer ~= optimizer or scheduler.mode then
        fail(("optim.lr_scheduler.SequentialLR: entry %d must be a schedule (not ReduceLROnPlateau) of the same optimizer"):format(i))
      end
    end
    self.optimizer, self.schedulers, self.milestones, self.last_epoch = optimizer, {table.unpack(schedulers)}, milestones, 0
    for _, group in ipairs(optimizer.param_groups) do group.lr = group.initial_lr end
    -- Each schedule took its first step when it was made; only the one that begins keeps it.
    undo(self)
    local first = self.schedulers[passed(milestones, 0)]
    first:begin()
    self._last_lr = first:get_last_lr()
    return self
  end,
  step = function(self)
    self.last_epoch = self.last_epoch + 1
    local i = passed(self.milestones, self.last_epoch)
    local scheduler = self.schedulers[i]
    if i > 1 and self.milestones[i - 1] == self.last_epoch then scheduler:update(0) else scheduler:step() end
    self._last_lr = scheduler:get_last_lr()
  end,
  update = function(self, epoch)
    self.last_epoch = epoch
    self.schedulers[passed(self.milestones, epoch)]:update(epoch)
  end,
  begin = function(self) self.schedulers[passed(self.milestones, 0)]:begin() end,
  state_dict = function(self)
    local state = {schedulers = {}}
    for key, value in next, self do
      if key ~= "optimizer" and key ~= "schedulers" then state[key] = plain(value) end
    end
    for i, scheduler in ipairs(self.schedulers) do state.schedulers[i] = scheduler:state_dict() end
    return state
  end,
  load_state_dict = function(self, state)
    for key, value in pairs(state) do
      if key ~= "schedulers" then self[key] = plain(value) end
    end
    for i, scheduler in ipairs(self.schedulers) do scheduler:load_state_dict(state.schedulers[i]) end
  end,
})

define([[
optim.lr_scheduler.ReduceLROnPlateau(optimizer: optimizer, mode: "min"|"max" = "min", factor: number = 0.1, patience: int = 10, threshold: number = 0.0001, threshold_mode: "rel"|"abs" = "rel", cooldown: int = 0, min_lr: numbers = 0, eps: number = 1e-08)
Multiplies the rate by `factor` when step(metric) has brought nothing better for more than `patience` epochs.
Errors: a factor of 1 or more
Example:
  local opt = optim.SGD({nn.Parameter(tensor{1.0})}, {lr = 1})
  local s = optim.lr_scheduler.ReduceLROnPlateau(opt, {patience = 0})
  s:step(0.5)
  s:step(0.6)
  opt.param_groups[1].lr --> 0.1
Source: torch.optim.lr_scheduler.ReduceLROnPlateau
]], {
  init = function(self, optimizer, mode, factor, patience, threshold, threshold_mode, cooldown, min_lr, eps)
    if factor >= 1 then fail("optim.lr_scheduler.ReduceLROnPlateau: factor must be below 1, got " .. factor) end
    self.optimizer = optimizer
    self.mode, self.factor, self.patience, self.threshold, self.threshold_mode = mode, factor, patience, threshold, threshold_mode
    self.cooldown, self.eps, self.min_lrs = cooldown, eps, per_group(self, "min_lr", min_lr)
    self.last_epoch, self.cooldown_counter, self.num_bad_epochs = 0, 0, 0
    self.best = mode == "min" and math.huge or -math.huge
    self._last_lr = last_rates(self)
    return self
  end,
  step = function(self, metric)
    if type(metric) == "userdata" and host.is_tensor(metric) then metric = metric:item() end
    if type(metric) ~= "number" then
      fail("optim.lr_scheduler.ReduceLROnPlateau: step expects the watched number, as in scheduler:step(val_loss), got " .. type(metric))
    end
    self.last_epoch = self.last_epoch + 1
    local better
    if self.mode == "min" then
      better = metric < (self.threshold_mode == "rel" and self.best * (1 - self.threshold) or self.best - self.threshold)
    else
      better = metric > (self.threshold_mode == "rel" and self.best * (self.threshold + 1) or self.best + self.threshold)
    end
    if better then
      self.best, self.num_bad_epochs = metric, 0
    else
      self.num_bad_epochs = self.num_bad_epochs + 1
    end
    if self.cooldown_counter > 0 then
      self.cooldown_counter = self.cooldown_counter - 1
      self.num_bad_epochs = 0
    end
    if self.num_bad_epochs > self.patience then
      for i, group in ipairs(self.optimizer.param_groups) do
        local rate = math.max(group.lr * self.factor, self.min_lrs[i] or self.min_lrs[1])
        if group.lr - rate > self.eps then group.lr = rate end
      end
      self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
    end
    self._last_lr = last_rates(self)
  end,
})
