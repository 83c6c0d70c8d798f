-- Limited-memory BFGS: steps along an estimate of the inverse Hessian times the gradient. Nocedal and Wright, "Numerical
-- Optimization", algorithms 7.4 and 7.5 (the direction), 3.5 and 3.6 (the line search).
local optim, host, define = ...
local tensor = require "tensor"
local ipairs = host.prelude "lists"
local fail = host.fail

local LBFGS = define([[
optim.LBFGS(params: list, lr: number = 1, max_iter: int = 20, max_eval: int = nil, tolerance_grad: number = 1e-07, tolerance_change: number = 1e-09, history_size: int = 100, line_search_fn: "strong_wolfe" = nil, *, maximize: bool = false)
Quasi-Newton steps from the last history_size gradients; step(closure) evaluates the closure (which computes the loss, calls backward and gives the loss) several times.
Errors: several parameter groups, a step without a closure
Example:
  local p = nn.Parameter(tensor{1.0})
  local opt = optim.LBFGS({p})
  opt:step(function() opt:zero_grad() local loss = (p - 3):square():sum() loss:backward() return loss end)
  p:detach() --> tensor([3.])
Source: Liu and Nocedal 1989; torch.optim.LBFGS
]], {"lr", "max_iter", "max_eval", "tolerance_grad", "tolerance_change", "history_size", "line_search_fn", "maximize"}, {
  defaults = function(defaults)
    if defaults.max_eval == nil then defaults.max_eval = defaults.max_iter * 5 // 4 end
    defaults.line_search_fn = defaults.line_search_fn or false
  end,
  check = function(group)
    if not (group.lr >= 0) then fail("optim.LBFGS: lr must not be negative, got " .. group.lr) end
  end,
})

local function flat_gradient(group)
  local parts = {}
  for i, p in ipairs(group.params) do
    local g = p.grad
    parts[i] = g and g:detach():reshape(-1) or tensor.zeros({p:numel()}, {dtype = p.dtype})
  end
  local flat = tensor.cat(parts)
  return group.maximize and flat:neg() or flat
end

local function move(group, step, direction)
  local at = 0
  for _, p in ipairs(group.params) do
    local n = p:numel()
    p:add_(direction:narrow(0, at, n):view(p.shape), {alpha = step})
    at = at + n
  end
end

local function largest(t) return t:abs():max():item() end

-- The lowest point of the cubic through two points with slopes, kept within [low, high].
local function cubic_minimum(x1, f1, g1, x2, f2, g2, low, high)
  if not low then low, high = math.min(x1, x2), math.max(x1, x2) end
  local d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
  local square = d1 * d1 - g1 * g2
  if not (square >= 0) then return (low + high) / 2 end
  local d2 = math.sqrt(square)
  local x
  if x1 <= x2 then
    x = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
  else
    x = x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2))
  end
  return math.min(math.max(x, low), high)
end

-- Finds a step that lowers the loss enough (c1) and flattens the slope enough (c2): first a bracket, then its refinement.
-- evaluate(t) gives loss and gradient at step t. A point is {t, loss, gradient, slope}.
local function strong_wolfe(evaluate, t, direction, loss, gradient, slope, tolerance, most)
  local c1, c2 = 1e-4, 0.9
  local size = largest(direction)
  local function probe(step)
    local f, g = evaluate(step)
    return {step, f, g, g:dot(direction):item()}
  end
  local start = {0, loss, gradient, slope}
  local function too_high(point) return point[2] > loss + c1 * point[1] * slope end
  local function flat_enough(point) return math.abs(point[4]) <= -c2 * slope end

  local before, now = start, probe(t)
  local evaluations, n, bracket, done = 1, 0, nil, false
  while n < most do
    if too_high(now) or (n > 1 and now[2] >= before[2]) then
      bracket = {before, now}
      break
    end
    if flat_enough(now) then
      bracket, done = {now}, true
      break
    end
    if now[4] >= 0 then
      bracket = {before, now}
      break
    end
    local step = cubic_minimum(
      before[1], before[2], before[4], now[1], now[2], now[4], now[1] + 0.01 * (now[1] - before[1]), now[1] * 10)
    before, now = now, probe(step)
    evaluations, n = evaluations + 1, n + 1
  end
  bracket = bracket or {start, now}
  if done then return now[2], now[3], now[1], evaluations end

  local low, high = 1, 2
  if not (bracket[1][2] <= bracket[2][2]) then low, high = 2, 1 end
  local stuck = false
  while not done and n < most do
    if math.abs(bracket[2][1] - bracket[1][1]) * size < tolerance then break end
    local a, b = bracket[1], bracket[2]
    local step = cubic_minimum(a[1], a[2], a[4], b[1], b[2], b[4])
    local left, right = math.min(a[1], b[1]), math.max(a[1], b[1])
    local margin = 0.1 * (right - left)
    if math.min(right - step, step - left) < margin then
      -- Too near to a border twice in a row: step away from it.
      if stuck or step >= right or step <= left then
        step = math.abs(step - right) < math.abs(step - left) and right - margin or left + margin
        stuck = false
      else
        stuck = true
      end
    else
      stuck = false
    end
    local point = probe(step)
    evaluations, n = evaluations + 1, n + 1
    if too_high(point) or point[2] >= bracket[low][2] then
      bracket[high] = point
      low, high = 1, 2
      if not (bracket[1][2] <= bracket[2][2]) then low, high = 2, 1 end
    else
      if flat_enough(point) then
        done = true
      elseif point[4] * (bracket[high][1] - bracket[low][1]) >= 0 then
        bracket[high] = bracket[low]
      end
      bracket[low] = point
    end
  end
  local best = bracket[low]
  return best[2], best[3], best[1], evaluations
end

-- The two-loop recursion: minus the estimated inverse Hessian times the gradient.
local function direction_of(state, gradient)
  local dirs, steps, ro = state.old_dirs, state.old_stps, state.ro
  local q, share = gradient:neg(), {}
  for i = #dirs, 1, -1 do
    share[i] = steps[i]:dot(q):item() * ro[i]
    q:add_(dirs[i], {alpha = -share[i]})
  end
  local r = q:mul(state.H_diag)
  for i = 1, #dirs do
    local back = dirs[i]:dot(r):item() * ro[i]
    r:add_(steps[i], {alpha = share[i] - back})
  end
  return r
end

local function remember(state, gradient, history)
  local y, s = gradient:sub(state.prev_flat_grad), state.d:mul(state.t)
  local ys = y:dot(s):item()
  if ys <= 1e-10 then return end
  if #state.old_dirs == history then
    table.remove(state.old_dirs, 1)
    table.remove(state.old_stps, 1)
    table.remove(state.ro, 1)
  end
  table.insert(state.old_dirs, y)
  table.insert(state.old_stps, s)
  table.insert(state.ro, 1 / ys)
  state.H_diag = ys / y:dot(y):item()
end

local function advance(self, closure)
  local group = self.param_groups[1]
  self.memory = self.memory or {func_evals = 0, n_iter = 0}
  local state = self.memory
  local sign = group.maximize and -1 or 1
  local function run()
    local value = tensor.enable_grad(closure)
    local number = host.is_tensor(value) and value:item() or value
    if type(number) ~= "number" then fail("optim.LBFGS: the closure must give the loss, got " .. type(value)) end
    return sign * number, value
  end

  local loss, first = run()
  local evaluations = 1
  state.func_evals = state.func_evals + 1
  local gradient = flat_gradient(group)
  if largest(gradient) <= group.tolerance_grad then return first end

  local n = 0
  while n < group.max_iter do
    n = n + 1
    state.n_iter = state.n_iter + 1
    if state.n_iter == 1 then
      state.d, state.old_dirs, state.old_stps, state.ro, state.H_diag = gradient:neg(), {}, {}, {}, 1
    else
      remember(state, gradient, group.history_size)
      state.d = direction_of(state, gradient)
    end
    state.prev_flat_grad = gradient
    local before = loss
    state.t = group.lr
    if state.n_iter == 1 then state.t = math.min(1, 1 / gradient:abs():sum():item()) * group.lr end
    local slope = gradient:dot(state.d):item()
    if slope > -group.tolerance_change then break end

    local used = 0
    if group.line_search_fn then
      local kept = {}
      for i, p in ipairs(group.params) do kept[i] = p:detach():clone() end
      local function evaluate(t)
        move(group, t, state.d)
        local value = run()
        local g = flat_gradient(group)
        for i, p in ipairs(group.params) do p:copy_(kept[i]) end
        return value, g
      end
      loss, gradient, state.t, used = strong_wolfe(
        evaluate, state.t, state.d, loss, gradient, slope, 1e-9, group.max_eval - evaluations)
      move(group, state.t, state.d)
    else
      move(group, state.t, state.d)
      if n ~= group.max_iter then
        loss = run()
        gradient = flat_gradient(group)
        used = 1
      end
    end
    evaluations = evaluations + used
    state.func_evals = state.func_evals + used
    if n == group.max_iter or evaluations >= group.max_eval or largest(gradient) <= group.tolerance_grad
      or largest(state.d:mul(state.t)) <= group.tolerance_change or math.abs(loss - before) < group.tolerance_change then
      break
    end
  end
  return first
end

function LBFGS:step(closure)
  if type(closure) ~= "function" then
    fail("optim.LBFGS: step needs a function that computes the loss, calls backward and gives the loss")
  end
  if #self.param_groups ~= 1 then fail("optim.LBFGS: there can be one parameter group only") end
  return tensor.no_grad(advance, self, closure)
end

-- The memory belongs to all parameters together; it is saved with the first.
function LBFGS:export_more(state)
  if not self.memory then return end
  local copy = {}
  for key, value in pairs(self.memory) do
    copy[key] = type(value) == "table" and {table.unpack(value)} or value
  end
  state[0] = copy
end

function LBFGS:import_more(state)
  local saved = state[0] or state["0"]
  self.memory = nil
  if not saved then return end
  self.memory = {}
  for key, value in pairs(saved) do
    if type(value) == "table" then
      self.memory[key] = {}
      for i, item in ipairs(value) do self.memory[key][i] = host.is_tensor(item) and item:clone() or item end
    else
      self.memory[key] = host.is_tensor(value) and value:clone() or value
    end
  end
end
