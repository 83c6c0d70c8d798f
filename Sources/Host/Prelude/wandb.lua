-- The module `wandb` as scripts see it, on top of native functions on a run.
local native, host = ...
local declare = host.declare

local wandb = {}
local Run = {}
local following -- what goes along with a run by itself: wandb_console.lua

host.document([[
wandb.Run
A run of an experiment: what wandb.init gives. What is assigned to `run.config` and `run.summary` goes to the server.
Source: wandb.Run
]], Run)
host.document_field("wandb.run: wandb.Run|nil\nThe current run; nil before wandb.init and after finish.")
host.document_field("wandb.config: table|nil\nThe configuration of the current run.")
host.document_field("wandb.summary: table|nil\nThe summary of the current run.")
for _, field in ipairs{
  "id: string\nThe id, unique in the project.", "name: string\nThe name that the server shows; may be assigned.",
  "tags: list\nThe tags; may be assigned.", "notes: string|nil\nThe notes; may be assigned.", "project: string\nThe project.",
  "entity: string\nThe user or team.", "url: string|nil\nThe run's page; nil offline.", "dir: string\nThe folder of the run's files.",
  "mode: string\n\"online\", \"offline\" or \"disabled\".", "step: int\nThe step of the next row.",
  "config: table\nThe configuration; assignments are recorded.", "summary: table\nThe summary; assignments are recorded.",
} do
  host.document_field("wandb.Run." .. field)
end

local facts = {
  id = true, name = true, project = true, entity = true, url = true, dir = true, mode = true, notes = true,
}

function Run.__index(run, key)
  if Run[key] then return Run[key] end
  if facts[key] then return native.native_field(rawget(run, "_native"), key) end
  if key == "step" then return native.native_step(rawget(run, "_native")) end
  if key == "tags" then return native.native_tags(rawget(run, "_native")) end
end

-- Name, tags and notes may change while the run goes on.
function Run.__newindex(run, key, value)
  if key == "name" then native.native_relabel(run._native, value)
  elseif key == "tags" then native.native_relabel(run._native, nil, value)
  elseif key == "notes" then native.native_relabel(run._native, nil, nil, value)
  elseif facts[key] or key == "step" then host.fail("run." .. key .. " cannot be set")
  else rawset(run, key, value) end
end

function Run.__tostring(run) return ("wandb.Run(%s, %s)"):format(run.id, run.mode) end

-- run.config and run.summary behave as tables that live in the run.
local function view(run, read, write)
  return setmetatable({}, {
    __index = function(_, key) return read(run)[key] end,
    __newindex = function(_, key, value) write(run, key, value) end,
    __pairs = function() return pairs(read(run)) end,
    __len = function() return 0 end,
  })
end

local log_doc = [[
run:log(self: any, row: table, step: int = nil, commit: bool = nil)
Logs a row of values: numbers, strings, booleans, nested tables, tensors (one element is a number, more are a histogram).
With `commit = false` the row stays open; with `step` it belongs to that step, which must not decrease.
Errors: a value that cannot be logged, named with its key
Example:
  local run = wandb.init{mode = "disabled"}
  run:log{loss = 0.5, acc = tensor(0.9)}
  run:finish()
Source: wandb.Run.log
]]

local native_log = native.native_log

local function log(run, row, step, commit)
  native_log(run._native, row, step, commit)
  local agent = wandb._agent
  if agent and native.native_agent_stopped(agent, run.id) then host.fail "the server has stopped this run of the sweep" end
end

local checked_log = declare(log_doc, log, false)

-- The plain call of a training loop goes without the checks that it does not need.
function Run.log(run, row, step, ...)
  if getmetatable(run) == Run and type(row) == "table" and (step == nil or math.type(step) == "integer") and select("#", ...) == 0 then
    return log(run, row, step)
  end
  return checked_log(run, row, step, ...)
end
host.document(log_doc, Run.log)

Run.define_metric = declare([[
run:define_metric(self: any, name: string, step_metric: string = nil, step_sync: bool = nil, hidden: bool = false, goal: "minimize"|"maximize" = nil, summary: string = nil)
Says how a metric (or all that match a trailing `*`) is shown: against which other metric, and what its summary is (`min`, `max`, `mean`, `best`, `last`, `first`, `copy`, `none`, joined by commas).
Example:
  local run = wandb.init{mode = "disabled"}
  run:define_metric("val/*", {step_metric = "epoch", summary = "min"})
  run:finish()
Source: wandb.Run.define_metric
]], function(run, ...) native.native_define(run._native, ...) end)

Run.alert = declare([[
run:alert(self: any, title: string, text: string = "", level: "INFO"|"WARN"|"ERROR" = "INFO")
Sends a message to whoever follows the run.
Example:
  local run = wandb.init{mode = "disabled"}
  run:alert{title = "loss is NaN", level = "ERROR"}
  run:finish()
Source: wandb.Run.alert
]], function(run, ...) native.native_alert(run._native, ...) end)

Run.finish = declare([[
run:finish(self: any, exit_code: int = 0)
Ends the run; an online one waits until the server has everything.
Example:
  local run = wandb.init{mode = "disabled"}
  run:finish()
  wandb.run --> nil
Source: wandb.Run.finish
]], function(run, exit_code)
  following.finishing(run)
  native.native_finish(run._native, exit_code)
  if wandb.run == run then wandb.run = nil end
end)

Run.supersede = declare([[
run:supersede(self: any, successor: string = nil)
Ends a run whose place a newer one takes: it gets the tag `superseded` and a line in its notes that names the successor.
Example:
  local run = wandb.init{mode = "disabled"}
  run:supersede()
  run:finish()
Source: wandb.Run.finish
]], function(run, successor)
  following.finishing(run)
  native.native_supersede(run._native, successor)
  if wandb.run == run then wandb.run = nil end
end)

-- Argument names of init, and the settings they are.
local setting_names = {
  project = "project", entity = "entity", name = "run_name", id = "run_id", group = "run_group",
  job_type = "run_job_type", tags = "run_tags", notes = "run_notes", mode = "mode", dir = "root_dir",
  resume = "resume", save_code = "save_code",
}

wandb.init = declare([[
init(project: string = nil, entity: string = nil, name: string = nil, id: string = nil, group: string = nil, job_type: string = nil, tags: list = nil, notes: string = nil, config: table = nil, mode: "online"|"offline"|"disabled"|"shared" = nil, dir: string = nil, resume: string|bool = nil, save_code: bool = nil, settings: table = nil) -> wandb.Run
Starts a run and makes it the current one. Without a key and a terminal it is offline; `host sync` uploads it later.
Errors: an invalid setting; what the server says against the run when `mode = "online"` was asked for
Example:
  local run = wandb.init{project = "digits", config = {lr = 0.1}, mode = "disabled"}
  print(run.config.lr) --> 0.1
  run:finish()
Source: wandb.init
]], function(project, entity, name, id, group, job_type, tags, notes, config, mode, dir, resume, save_code, settings)
  if wandb.run then wandb.run:finish() end
  local assigned = wandb._assignment
  if assigned then
    -- In a sweep the server says which run it is and what it tries.
    id, project, entity = assigned.run_id, assigned.project or project, assigned.entity or entity
    local merged = {}
    for key, value in pairs(config or {}) do merged[key] = value end
    for key, value in pairs(assigned.config) do merged[key] = value end
    config = merged
  end
  local given = {
    project = project, entity = entity, name = name, id = id, group = group, job_type = job_type, tags = tags,
    notes = notes, mode = mode, dir = dir, resume = resume, save_code = save_code,
  }
  local chosen = {}
  for key, value in pairs(settings or {}) do chosen[key] = value end
  for key, value in pairs(given) do chosen[setting_names[key]] = value end
  if assigned then chosen.sweep_id = assigned.sweep_id end
  local run
  -- A script that does not finish its run ends it with itself.
  local function at_end() if run then following.keep_code(run) end end
  run = setmetatable({_native = native.native_start(chosen, config or {}, arg and arg[0], assigned ~= nil, at_end)}, Run)
  rawset(run, "config", view(run, function(r) return native.native_config(r._native) end,
    function(r, key, value) native.native_configure(r._native, {[key] = value}) end))
  rawset(run, "summary", view(run, function(r) return native.native_summary(r._native) end,
    function(r, key, value) native.native_summarize(r._native, key, value) end))
  wandb.run, wandb.config, wandb.summary = run, run.config, run.summary
  following.started(run)
  return run
end)

local function current(name)
  return wandb.run or host.fail("wandb." .. name .. ": there is no run; call wandb.init first")
end

host.prelude("wandb_media", wandb, native, host)
local remote = host.prelude("wandb_artifacts", wandb, Run, native, host)
host.prelude("wandb_watch", Run, native, host)
host.prelude("wandb_sweeps", wandb, native, host)
host.prelude("wandb_api", wandb, native, host, remote)
following = host.prelude("wandb_console", Run, native)

for _, name in ipairs{"log", "define_metric", "alert", "finish", "save", "log_artifact", "use_artifact", "watch", "unwatch"} do
  wandb[name] = function(...) return current(name)[name](current(name), ...) end
  -- The help is the method's, without the run.
  local doc = host.doc_of(Run[name])
  local rest = doc:match("^%s*run:" .. name .. "%(self: any,? ?(.*)$")
  host.document("wandb." .. name .. "(" .. rest:gsub("\n", "\nOn the current run: ", 1), wandb[name])
end

return wandb
