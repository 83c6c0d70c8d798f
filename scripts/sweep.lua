-- One trial of a sweep: trains with the options in a JSON file of the repo `params`; outside a job: host scripts/sweep.lua FILE.
-- What the trial leaves lies in a folder of its name, so that no two trials write one path.
local fs = require "fs"
local json = require "json"
local pachyderm = require "pachyderm"
local wandb = require "wandb"

local file = pachyderm.inside and pachyderm.input "params" or arg[1]
if not file then error("sweep.lua: expected a parameter file, as make_grid.lua writes them", 0) end
local trial = fs.basename(file):gsub("%.json$", "")
local out = pachyderm.inside and pachyderm.output(trial) or fs.join("out", "sweep", trial)

local script = fs.join(fs.dirname(arg[0]), "train.lua")
arg = {[0] = script, "--config", file, "--out", out, "--name", trial}
local train, problem = loadfile(script)
if not train then error(problem, 0) end

local ok, failure = pcall(train, table.unpack(arg))
if not ok then
  -- A trial whose loss diverges is a result too; anything else fails the datum.
  if not tostring(failure):find("the loss became NaN", 1, true) then error(failure, 0) end
  wandb.finish(1)
  print(("trial %s failed: %s"):format(trial, failure))
  fs.mkdir(out)
  fs.write(fs.join(out, "metrics.json"), json.encode({failed = tostring(failure)}, {pretty = true}) .. "\n")
end
fs.copy(file, fs.join(out, "params.json"))
