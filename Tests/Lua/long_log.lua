-- A long run's log costs memory that does not grow with the run.
--   host long_log.lua ROWS [DIR]
local fs = require "fs"
local wandb = require "wandb"
local rows = tonumber(arg[1])
local function resident() return tonumber(fs.read "/proc/self/status":match "VmRSS:%s*(%d+)") end
local run = wandb.init{project = "long", id = "long", mode = "offline", dir = arg[2] or "."}
run:define_metric("loss", {summary = "min,mean"})
local base
for step = 1, rows do
  run:log({loss = 1 / step, accuracy = step % 100, nested = {a = step}}, {step = step})
  if step == rows // 10 then
    collectgarbage()
    base = resident()
  end
end
collectgarbage()
local grown = resident() - base
run:finish()
print(("long log: %d rows, %d KB more than after a tenth of them"):format(rows, grown))
assert(grown < 4096, grown .. " KB")
