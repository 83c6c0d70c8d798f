-- Schedules that follow a formula.
local host, core = ...
local ipairs = host.prelude "lists"
local fail, define, per_group, Scheduler = host.fail, core.define, core.per_group, core.Scheduler

local function at_least_one(self, what, value)
  if value < 1 then fail(("optim.lr_scheduler.%s: %s must be at least 1, got %d"):format(self.name, what, value)) end
end

define([[
optim.lr_scheduler.StepLR(optimizer: optimizer, step_size: int, gamma: number = 0.1)
Multiplies the rate by gamma every step_size epochs.
Example:
  local opt = optim.SGD({nn.Parameter(tensor{1.0})}, {lr = 1})
  local s = optim.lr_scheduler.StepLR(opt, 2, {gamma = 0.5})
  for _ = 1, 4 do opt:step() s:step() end
  opt.param_groups[1].lr --> 0.25
Source: torch.optim.lr_scheduler.StepLR
]], {
  prepare = function(self, step_size, gamma)
    at_least_one(self, "step_size", step_size)
    self.step_size, self.gamma = step_size, gamma
  end,
  rate = function(self, group)
    if self.last_epoch == 0 or self.last_epoch % self.step_size ~= 0 then return group.lr end
    return group.lr * self.gamma
  end,
  closed = function(self, base) return base * self.gamma ^ (self.last_epoch // self.step_size) end,
})

define([[
optim.lr_scheduler.MultiStepLR(optimizer: optimizer, milestones: ints, gamma: number = 0.1)
Multiplies the rate by gamma at each of the epochs `milestones`.
Example:
  local opt = optim.SGD({nn.Parameter(tensor{1.0})}, {lr = 1})
  local s = optim.lr_scheduler.MultiStepLR(opt, {1, 3}, {gamma = 0.5})
  for _ = 1, 4 do opt:step() s:step() end
  opt.param_groups[1].lr --> 0.25
Source: torch.optim.lr_scheduler.MultiStepLR
]], {
  prepare = function(self, milestones, gamma)
    self.milestones = type(milestones) == "table" and {table.unpack(milestones)} or {milestones}
    self.gamma = gamma
  end,
  rate = function(self, group)
    local times = 0
    for _, epoch in ipairs(self.milestones) do
      if epoch == self.last_epoch then times = times + 1 end
    end
    return times == 0 and group.lr or group.lr * self.gamma ^ times
  end,
  closed = function(self, base)
    local passed = 0
    for _, epoch in ipairs(self.milestones) do
      if epoch <= self.last_epoch then passed = passed + 1 end
    end
    return base * self.gamma ^ passed
  end,
})

define([[
optim.lr_scheduler.ExponentialLR(optimizer: optimizer, gamma: number)
Multiplies the rate by gamma every epoch.
Example:
  local opt = optim.SGD({nn.Parameter(tensor{1.0})}, {lr = 1})
  local s = optim.lr_scheduler.ExponentialLR(opt, 0.5)
  for _ = 1, 2 do opt:step() s:step() end
  opt.param_groups[1].lr --> 0.25
Source: torch.optim.lr_scheduler.ExponentialLR
]], {
  prepare = function(self, gamma) self.gamma = gamma end,
  rate = function(self, group) return self.is_initial and group.lr or group.lr * self.gamma end,
  closed = function(self, base) return base * self.gamma ^ self.last_epoch end,
})

define([[
optim.lr_scheduler.CosineAnnealingLR(optimizer: optimizer, T_max: int, eta_min: number = 0)
Lowers the rate along half a cosine to eta_min in T_max epochs, and raises it again after.
Example:
  local opt = optim.SGD({nn.Parameter(tensor{1.0})}, {lr = 1})
  local s = optim.lr_scheduler.CosineAnnealingLR(opt, 4)
  for _ = 1, 4 do opt:step() s:step() end
  opt.param_groups[1].lr --> 0.0
Source: Loshchilov and Hutter 2017; torch.optim.lr_scheduler.CosineAnnealingLR
]], {
  prepare = function(self, T_max, eta_min)
    at_least_one(self, "T_max", T_max)
    self.T_max, self.eta_min = T_max, eta_min
  end,
  rate = function(self, group, i)
    local n, T, low = self.last_epoch, self.T_max, self.eta_min
    if self.is_initial then return group.lr end
    if self._step_count == 1 and n > 0 then return self:closed(self.base_lrs[i]) end
    if (n - 1 - T) % (2 * T) == 0 then
      -- The recursion below would divide by zero at the lowest point.
      return group.lr + (self.base_lrs[i] - low) * (1 - math.cos(math.pi / T)) / 2
    end
    return (1 + math.cos(math.pi * n / T)) / (1 + math.cos(math.pi * (n - 1) / T)) * (group.lr - low) + low
  end,
  closed = function(self, base)
    return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2
  end,
})

define([[
optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer: optimizer, T_0: int, T_mult: int = 1, eta_min: number = 0)
Lowers the rate along half a cosine to eta_min in T_0 epochs, then starts again with a period T_mult times as long.
Example:
  local opt = optim.SGD({nn.Parameter(tensor{1.0})}, {lr = 1})
  local s = optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, 4)
  for _ = 1, 4 do opt:step() s:step() end
  opt.param_groups[1].lr --> 1.0
Source: Loshchilov and Hutter 2017 (SGDR); torch.optim.lr_scheduler.CosineAnnealingWarmRestarts
]], {
  prepare = function(self, T_0, T_mult, eta_min)
    at_least_one(self, "T_0", T_0)
    at_least_one(self, "T_mult", T_mult)
    self.T_0, self.T_i, self.T_mult, self.eta_min, self.T_cur = T_0, T_0, T_mult, eta_min, -1
  end,
  rate = function(self, _, i)
    return self.eta_min + (self.base_lrs[i] - self.eta_min) * (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
  end,
  -- Given an epoch, which may be a fraction, the schedule goes there: step(epoch + batch / #loader) moves with each batch.
  step = function(self, epoch)
    if epoch ~= nil then
      if type(epoch) ~= "number" or not (epoch >= 0 and epoch < math.huge) then
        fail(("optim.lr_scheduler.CosineAnnealingWarmRestarts: expected an epoch from 0, got %s"):format(tostring(epoch)))
      end
      self.T_i, self.T_cur = self.T_0, epoch
      if epoch >= self.T_0 and self.T_mult == 1 then
        self.T_cur = epoch % self.T_0
      elseif epoch >= self.T_0 then
        -- The periods so far are a geometric series.
        local n = math.floor(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
        self.T_cur = epoch - self.T_0 * (self.T_mult ^ n - 1) / (self.T_mult - 1)
        self.T_i = self.T_0 * self.T_mult ^ n
      end
      return self:update(math.floor(epoch))
    end
    if self.last_epoch < 0 then
      self.T_i, self.T_cur = self.T_0, 0
    else
      self.T_cur = self.T_cur + 1
      if self.T_cur >= self.T_i then
        self.T_cur = self.T_cur % self.T_i
        self.T_i = self.T_i * self.T_mult
      end
    end
    self:update()
  end,
})

local function set_momentum(self, group, value)
  if self.use_beta1 then group.betas = {value, table.unpack(group.betas, 2)} else group.momentum = value end
end

define([[
optim.lr_scheduler.OneCycleLR(optimizer: optimizer, max_lr: numbers, total_steps: int = nil, epochs: int = nil, steps_per_epoch: int = nil, pct_start: number = 0.3, anneal_strategy: "cos"|"linear" = "cos", cycle_momentum: bool = true, base_momentum: numbers = 0.85, max_momentum: numbers = 0.95, div_factor: number = 25, final_div_factor: number = 10000, three_phase: bool = false)
Raises the rate from max_lr / div_factor to max_lr, then lowers it to far below where it began; momentum (or beta1) goes the other way. Step it after every batch, total_steps = epochs * steps_per_epoch times.
Errors: more steps than total_steps, an optimiser without momentum
Example:
  local opt = optim.AdamW({nn.Parameter(tensor{1.0})})
  local s = optim.lr_scheduler.OneCycleLR(opt, 0.1, {total_steps = 10})
  for _ = 1, 2 do opt:step() s:step() end
  opt.param_groups[1].lr --> 0.1
Source: Smith and Topin 2018; torch.optim.lr_scheduler.OneCycleLR
]], {
  prepare = function(self, max_lr, total, epochs, per_epoch, pct, strategy, cycle, base_momentum, max_momentum, div, final_div, three)
    if not total and not (epochs and per_epoch) then
      fail("optim.lr_scheduler.OneCycleLR: give total_steps, or epochs and steps_per_epoch")
    end
    self.total_steps = total or epochs * per_epoch
    at_least_one(self, "the number of steps", self.total_steps)
    if not (pct >= 0 and pct <= 1) then fail("optim.lr_scheduler.OneCycleLR: pct_start must be in 0..1, got " .. pct) end
    local n = self.total_steps
    if three then
      self.phases = {
        {pct * n - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum"},
        {2 * pct * n - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"},
        {n - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"},
      }
    else
      self.phases = {
        {pct * n - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum"},
        {n - 1, "max_lr", "min_lr", "base_momentum", "max_momentum"},
      }
    end
    self.anneal_strategy, self.cycle_momentum = strategy, cycle
    local groups = self.optimizer.param_groups
    for i, rate in ipairs(per_group(self, "max_lr", max_lr)) do
      local group = groups[i]
      group.initial_lr = rate / div
      group.max_lr = rate
      group.min_lr = group.initial_lr / final_div
    end
    if not cycle then return end
    local defaults = self.optimizer.defaults
    if defaults.momentum == nil and defaults.betas == nil then
      fail("optim.lr_scheduler.OneCycleLR: the optimizer has neither momentum nor betas; pass cycle_momentum = false")
    end
    self.use_beta1 = defaults.betas ~= nil
    local low, high = per_group(self, "base_momentum", base_momentum), per_group(self, "max_momentum", max_momentum)
    for i, group in ipairs(groups) do
      group.max_momentum, group.base_momentum = high[i], low[i]
      set_momentum(self, group, high[i])
    end
  end,
  rate = function(self, group)
    local n = self.last_epoch
    if n > self.total_steps then
      fail(("optim.lr_scheduler.OneCycleLR: step %d is beyond the %d steps that the cycle was made for"):format(n, self.total_steps))
    end
    local start = 0
    for i, phase in ipairs(self.phases) do
      local finish = phase[1]
      if n <= finish or i == #self.phases then
        local share = (n - start) / (finish - start)
        local function anneal(from, to)
          if self.anneal_strategy == "linear" then return (to - from) * share + from end
          return to + (from - to) / 2 * (math.cos(math.pi * share) + 1)
        end
        if self.cycle_momentum then set_momentum(self, group, anneal(group[phase[4]], group[phase[5]])) end
        return anneal(group[phase[2]], group[phase[3]])
      end
      start = finish
    end
  end,
})

define([[
optim.lr_scheduler.LinearLR(optimizer: optimizer, start_factor: number = 0.3333333333333333, end_factor: number = 1, total_iters: int = 5)
Begins with start_factor times the rate and goes linearly to end_factor times the rate in total_iters epochs.
Errors: factors outside 0..1
Example:
  local opt = optim.SGD({nn.Parameter(tensor{1.0})}, {lr = 1})
  optim.lr_scheduler.LinearLR(opt, {start_factor = 0.5})
  opt.param_groups[1].lr --> 0.5
Source: torch.optim.lr_scheduler.LinearLR
]], {
  prepare = function(self, first, last, total)
    if not (first > 0 and first <= 1) then
      fail("optim.lr_scheduler.LinearLR: start_factor must be above 0 and at most 1, got " .. first)
    end
    if not (last >= 0 and last <= 1) then fail("optim.lr_scheduler.LinearLR: end_factor must be in 0..1, got " .. last) end
    self.start_factor, self.end_factor, self.total_iters = first, last, total
  end,
  rate = function(self, group)
    local n = self.last_epoch
    if n == 0 then return group.lr * self.start_factor end
    if self.is_initial or n > self.total_iters then return group.lr end
    local step = self.end_factor - self.start_factor
    return group.lr * (1 + step / (self.total_iters * self.start_factor + (n - 1) * step))
  end,
  closed = function(self, base)
    local step = self.end_factor - self.start_factor
    return base * (self.start_factor + step * math.min(self.total_iters, self.last_epoch) / self.total_iters)
  end,
})

define([[
optim.lr_scheduler.LambdaLR(optimizer: optimizer, lr_lambda: function|list)
Multiplies the first rate by lr_lambda(epoch), epochs from 0; a list has one function for each parameter group.
Example:
  local opt = optim.SGD({nn.Parameter(tensor{1.0})}, {lr = 1})
  local s = optim.lr_scheduler.LambdaLR(opt, function(epoch) return 1 / (1 + epoch) end)
  opt:step()
  s:step()
  opt.param_groups[1].lr --> 0.5
Source: torch.optim.lr_scheduler.LambdaLR
]], {
  prepare = function(self, lambda) self.lr_lambdas = per_group(self, "lr_lambda", lambda) end,
  rate = function(self, _, i)
    local factor = self.lr_lambdas[i](self.last_epoch)
    if type(factor) ~= "number" then
      fail(("optim.lr_scheduler.LambdaLR: lr_lambda(%d) gave a %s, expected a number"):format(self.last_epoch, type(factor)))
    end
    return self.base_lrs[i] * factor
  end,
  state_dict = function(self)
    local state = Scheduler.state_dict(self)
    state.lr_lambdas = nil
    return state
  end,
})
