-- Optimisers and schedules against PyTorch: 50 steps each. Tests/Golden/make_layers.py made the files.
local check = require "check"
local tensor = require "tensor"
local json = require "json"
local nn = require "nn"
optim = require "optim"
S = optim.lr_scheduler

local golden, metadata = nn.load(check.golden("optimizers.safetensors"))
local kept = {}
for _, step in ipairs(json.decode(metadata.kept)) do kept[step] = true end

local function objective(p, q)
  return ((p:mm(golden.A) - golden.b) ^ 2):sum() * 0.1 + ((q - 1) ^ 2 * (q + 0.5) ^ 2):sum() * 0.3
    + (p[0] * q["0:4"]):sum() * 0.05
end

local function run(case, dtype, rtol, atol)
  local p, q = nn.Parameter(golden["start/p"]:clone()), nn.Parameter(golden["start/q"]:clone())
  ps = {p, q}
  opt = load("return " .. case.make)()
  local saved
  for step = 1, 50 do
    opt:step(function()
      opt:zero_grad()
      local loss = objective(p, q)
      loss:backward()
      return loss
    end)
    if kept[step] then
      check.close(("%s: p after step %d"):format(case.name, step), p, golden[("%s/p/%d"):format(case.name, step)], rtol, atol)
      check.close(("%s: q after step %d"):format(case.name, step), q, golden[("%s/q/%d"):format(case.name, step)], rtol, atol)
    end
    if step == 25 then
      -- State goes into another optimiser and back as if nothing had happened.
      saved = opt:state_dict()
      opt = load("return " .. case.make)()
      opt:load_state_dict(saved)
    end
  end
  local names, state = {}, opt:state_dict().state[0] or {}
  if #case.state > 0 then
    for name in pairs(state) do names[#names + 1] = name end
    table.sort(names)
    -- PyTorch's SGD counts no steps.
    local text = table.concat(names, " ")
    if case.make:find("SGD") then text = text:gsub(" ?step", "") end
    check.equal(case.name .. ": state", text, table.concat(case.state, " "))
    for _, name in ipairs(case.state) do
      local expected = golden[("%s/state/%s"):format(case.name, name)]
      if expected then check.close(case.name .. ": state " .. name, state[name], expected, rtol, atol) end
    end
  end
end

for _, case in ipairs(json.decode(metadata.cases)) do
  local ok, message = xpcall(run, debug.traceback, case, "float64", 1e-8, 1e-10)
  if not ok then check.fail(case.name, message) end
end

local rates, described = nn.load(check.golden("schedules.safetensors"))

local function metric(step)
  if step >= 20 then return 0.5 end
  return 2 / (step + 1) + (step % 7 == 3 and 0.3 or 0)
end

local function schedule(case)
  local groups = {
    {params = {nn.Parameter(tensor.zeros(2))}},
    {params = {nn.Parameter(tensor.zeros(3))}, lr = 0.3},
  }
  opt = case.adam and optim.Adam(groups, {lr = 0.1}) or optim.SGD(groups, {lr = 0.1, momentum = 0.9})
  local s = load("return " .. case.make)()
  local lr, momentum = rates[case.name .. "/lr"], rates[case.name .. "/momentum"]
  for step = 0, 50 do
    for g = 1, 2 do
      local group = opt.param_groups[g]
      local where = ("%s: step %d, group %d"):format(case.name, step, g)
      check.close(where .. ", rate", group.lr, lr[step][g - 1], 1e-14, 1e-17)
      check.close(where .. ", momentum", case.adam and group.betas[1] or group.momentum, momentum[step][g - 1], 1e-14, 0)
      if s.get_last_lr then check.equal(where .. ", last rate", s:get_last_lr()[g], group.lr) end
    end
    opt:step()
    if step < 50 then s:step(case.metric and metric(step) or nil) end
    if step == 20 and s.state_dict then
      -- A fresh optimiser and schedule that take over the state go on in the same way.
      local kept_opt, kept_s = opt:state_dict(), json.decode(json.encode(s:state_dict(), {nan = "literal"}))
      local fresh = {{params = {nn.Parameter(tensor.zeros(2))}}, {params = {nn.Parameter(tensor.zeros(3))}, lr = 0.3}}
      opt = case.adam and optim.Adam(fresh, {lr = 0.1}) or optim.SGD(fresh, {lr = 0.1, momentum = 0.9})
      s = load("return " .. case.make)()
      opt:load_state_dict(kept_opt)
      s:load_state_dict(kept_s)
    end
  end
end

for _, case in ipairs(json.decode(described.cases)) do
  local ok, message = xpcall(schedule, debug.traceback, case)
  if not ok then check.fail(case.name, message) end
end
check.done(2000)
