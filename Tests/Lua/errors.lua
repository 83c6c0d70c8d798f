-- Errors say which function it was, by the name that help knows, and where the script called it.
package.path = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") .. "/?.lua;" .. package.path
local check = require "check"
local catalog, wandb, http, nn, tensor = require "host.catalog", require "wandb", require "http", require "nn", require "tensor"
for _, name in ipairs(catalog.modules()) do require(name) end

-- Sixty arguments are too many for every function that does not take any number of them: nothing of it runs.
local function value_of(name)
  local value = package.loaded[name:match("^[^.:]+")]
  for part in name:gmatch("[.:]([^.:]+)") do
    if type(value) ~= "table" then return nil end
    value = value[part]
  end
  return value
end
local called = 0
for _, entry in ipairs(catalog.docs()) do
  local value = entry.kind == "function" and not entry.head:find("%.%.%.") and entry.name:find("%.") and value_of(entry.name)
  if type(value) == "function" then
    local ok, message = pcall(value, table.unpack({}, 1, 60))
    -- A function of several modules answers by one of its names.
    local own = catalog.name_of(value) or entry.name
    check.that(entry.name, not ok and (message:find("errors.lua:%d+: ") and message:find(": " .. own .. ": ", 1, true)), tostring(message))
    called = called + 1
  end
end
check.that("many functions", called > 300, called)

-- What native code finds out is said in the name of the function that the script called.
local function says(expected, f, ...)
  local ok, message = pcall(f, ...)
  check.that(expected, not ok and tostring(message):find(expected, 1, true), tostring(message))
end
local run = wandb.init{mode = "disabled", project = "errors"}
says(": run:log: loss: a function cannot be logged", run.log, run, {loss = print})
says(": run:log: a.b[1]: a function cannot be logged", run.log, run, {a = {b = {print}}})
says(": run:log: row: expected a table with string keys, got a list", run.log, run, {1, 2})
says(": run:log: loss: a function cannot be logged", wandb.log, {loss = print})
says(": run.config: lr: a function cannot be logged", function() run.config.lr = print end)
says(": run.summary: best.x: a function cannot be logged", function() run.summary.best = {x = print} end)
says(": run.tags: expected strings, got integer", function() run.tags = {3} end)
says(": run:watch: expected a module, got number", run.watch, run, 3)
says(": wandb.init: config.lr: a function cannot be logged", wandb.init, {mode = "disabled", config = {lr = print}})
says(": wandb.Image: expected a tensor or a path, got integer", wandb.Image, 3)
says(": wandb.Histogram: values: expected a list of numbers or a tensor, got string", wandb.Histogram, "x")
says(": wandb.plot.bar: table: expected a wandb.Table, got integer", wandb.plot.bar, 3, "a", "b")
says(": Artifact:add: expected a wandb.Table and a name", function() wandb.Artifact("a", "b"):add(3, "x") end)
says(": http.get: argument 1 'url': missing", http.get, {})
says(": http.get: x://y: ", http.get, {url = "x://y"})
says(": data.loader: expected a dataset", require("data").loader, 3)
says(": Tensor:tolist: takes at most 1 argument", function() tensor.ones(2):tolist(1) end)
run:finish()
check.done()

-- Lists whose metamethods lie about what is in them come to an end.
do
  local optim = require "optim"
  local endless = setmetatable({}, {__index = function() return {} end, __len = function() return 2 end})
  local optimizer = optim.SGD(require("nn").Linear(2, 1):parameters(), {lr = 0.1})
  pcall(optimizer.load_state_dict, optimizer, {param_groups = {{params = endless}}, state = {}})
  pcall(optim.SGD, endless, {lr = 0.1})
  pcall(require("nn").utils.clip_grad_norm_, endless, 1)
  pcall(require("nn").Conv2d, 1, 1, 3, {padding = endless})
  local words = arg
  arg = endless
  pcall(require "progress", {1, 2})
  arg = words
  local script = [[local choices = setmetatable({}, {__index = function() return "no" end})
    require "cli".parse{x = {"a", choices = choices}}]]
  local out = io.popen(("echo '%s' | timeout 20 %s - --x b 2>&1"):format(script, arg[-1]))
  local text = out:read "a"
  local _, _, status = out:close()
  assert(status == 1 or status == 2, ("%s %s"):format(status, text))
end
