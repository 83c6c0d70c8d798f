-- The W&B run of a training script, in a Pachyderm job or outside one.
local fs = require "fs"
local json = require "json"
local pachyderm = require "pachyderm"
local time = require "time"
local wandb = require "wandb"

local tracking = {}

local began = time.now()

-- All runs of one version of a pipeline form a group, so that the trials of a sweep stand together.
local function group()
  if not pachyderm.inside then return nil end
  local version = pachyderm.version and "v" .. pachyderm.version or (pachyderm.spec_commit or ""):sub(1, 8)
  if pachyderm.pipeline and version ~= "" then return pachyderm.pipeline .. "-" .. version end
  return pachyderm.job_id
end

-- Without a key a job still trains; its log goes into the output.
local function mode()
  if not pachyderm.inside or os.getenv "WANDB_MODE" then return nil end
  if (os.getenv "WANDB_API_KEY" or ""):match "^%s*$" then
    print "W&B: no API key (secret `wandb`, variable WANDB_API_KEY); this run is logged offline, into the output"
    return "offline"
  end
end

-- Starts the run. In a job its id follows from project, pipeline, job and datum: a retried try goes on with the same run.
function tracking.start(opt)
  local config = {}
  for name, value in pairs(opt) do config[name] = value end
  if pachyderm.inside then config.pachyderm = pachyderm.provenance() end
  local name = opt.name ~= "" and opt.name or pachyderm.job_id
  return wandb.init{
    project = opt.wandb_project ~= "" and opt.wandb_project or pachyderm.pipeline or "mnist",
    id = pachyderm.run_id(), name = name, group = group(), job_type = pachyderm.inside and "train" or nil,
    resume = pachyderm.run_id() and "allow" or nil, config = config, mode = mode(),
    -- The run's own files stay out of the output, which holds no links and no odd names.
    dir = pachyderm.inside and fs.dirname(pachyderm.scratch("wandb")) or opt.out,
    -- Without an answer from the server the job ends all the same, well before datum_timeout.
    settings = pachyderm.inside and {finish_timeout = 300} or nil,
  }
end

-- The logs that the server lacks, one for each try, in the order of their start; none if the run was uploaded whole.
function tracking.logs(run)
  if not run.dir then return {} end -- a run that is disabled
  local own = fs.glob(fs.join(fs.dirname(run.dir), "*.wandb"))[1]
  if not own or fs.exists(own .. ".synced") then return {} end
  local logs = {}
  for _, folder in ipairs{"run-*", "offline-run-*"} do
    for _, log in ipairs(fs.glob(fs.join(fs.dirname(fs.dirname(run.dir)), folder, "*.wandb"))) do logs[#logs + 1] = log end
  end
  table.sort(logs, function(a, b) return a:match "run%-([%d_]+)" < b:match "run%-([%d_]+)" end)
  return logs
end

-- Ends the run, says in run.json which one it was, and keeps its log if it was not uploaded.
function tracking.finish(run, opt)
  run:finish()
  local record = {
    id = run.id, name = run.name, url = run.url, group = group(), began = began, ended = time.now(),
    pachyderm = pachyderm.inside and pachyderm.provenance() or nil,
  }
  if pachyderm.inside then
    local logs = tracking.logs(run)
    for i, log in ipairs(logs) do
      local name = #logs == 1 and run.id .. ".wandb" or ("%s-%d.wandb"):format(run.id, i)
      fs.mkdir(fs.join(opt.out, "offline"))
      fs.copy(log, fs.join(opt.out, "offline", name))
      -- A try that was killed left its last row in a file of its own.
      if fs.exists(log .. ".row") then fs.copy(log .. ".row", fs.join(opt.out, "offline", name .. ".row")) end
    end
    record.offline_logs = #logs
  end
  fs.write(fs.join(opt.out, "run.json"), json.encode(record, {pretty = true}) .. "\n")
end

return tracking
