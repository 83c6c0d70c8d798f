-- The rest of the module `wandb`: media, files, artifacts, watching, sweeps, queries.
local wandb, Run, native, host = ...
local declare = host.declare

wandb.Image = declare([[
Image(source: any, caption: string = nil, masks: options = nil, boxes: options = nil)
Makes a picture for a row from a tensor `[H, W]`, `[C, H, W]` or `[H, W, C]`, or from a PNG, JPEG or GIF file. Numbers in 0..1 are scaled to 0..255, others that leave 0..255 are stretched into it.
Errors: another shape, NaN, a file that is no picture
Example:
  local run = wandb.init{mode = "disabled"}
  run:log{digit = wandb.Image(tensor.rand(28, 28), {caption = "noise"})}
  run:finish()
Source: wandb.Image
]], function(source, caption, masks, boxes)
  return native.native_image(source, {caption = caption, masks = masks, boxes = boxes})
end)

wandb.Histogram = declare([[
Histogram(values: any, num_bins: int = 64)
Makes a histogram of a tensor or a list of numbers; what is not finite is left out.
Example:
  local run = wandb.init{mode = "disabled"}
  run:log{weights = wandb.Histogram(tensor.randn(100))}
  run:finish()
Source: wandb.Histogram
]], function(values, bins) return native.native_histogram(values, bins) end)

wandb.Table = declare([[
Table(columns: list, data: list = {})
Makes a table for a row: a list of names and a list of rows.
Errors: a row that is longer or shorter than the list of names
Example:
  local run = wandb.init{mode = "disabled"}
  run:log{scores = wandb.Table{columns = {"name", "score"}, data = {{"a", 1}, {"b", 2}}}}
  run:finish()
Source: wandb.Table
]], function(columns, data) return native.native_table(columns, data) end)

wandb.Html = declare([[
Html(text: string)
Makes a page of HTML for a row.
Example:
  local run = wandb.init{mode = "disabled"}
  run:log{note = wandb.Html("<b>done</b>")}
  run:finish()
Source: wandb.Html
]], function(text) return native.native_html(text) end)

wandb.plot = {}

local function chart(doc, kind, names)
  local draw = native["native_chart_" .. kind]
  wandb.plot[kind] = declare(doc, function(...)
    local arguments, given = {}, table.pack(...)
    for i, name in ipairs(names) do arguments[name] = given[i] end
    return draw(arguments)
  end)
end

chart([[
wandb.plot.line(table: any, x: string, y: string, stroke: string = nil, title: string = "")
Draws two columns of a wandb.Table as a line, one for each value of the column `stroke`.
Example:
  local t = wandb.Table{columns = {"x", "y"}, data = {{1, 2}, {2, 4}}}
  local run = wandb.init{mode = "disabled"}
  run:log{line = wandb.plot.line(t, "x", "y")}
  run:finish()
Source: wandb.plot.line
]], "line", {"table", "x", "y", "stroke", "title"})
chart([[
wandb.plot.scatter(table: any, x: string, y: string, title: string = "")
Draws two columns of a wandb.Table as points.
Example:
  local t = wandb.Table{columns = {"x", "y"}, data = {{1, 2}, {2, 4}}}
  local run = wandb.init{mode = "disabled"}
  run:log{points = wandb.plot.scatter(t, "x", "y")}
  run:finish()
Source: wandb.plot.scatter
]], "scatter", {"table", "x", "y", "title"})
chart([[
wandb.plot.bar(table: any, label: string, value: string, title: string = "")
Draws a column of a wandb.Table as bars with the names of another.
Example:
  local t = wandb.Table{columns = {"name", "score"}, data = {{"a", 1}, {"b", 2}}}
  local run = wandb.init{mode = "disabled"}
  run:log{bars = wandb.plot.bar(t, "name", "score")}
  run:finish()
Source: wandb.plot.bar
]], "bar", {"table", "label", "value", "title"})
chart([[
wandb.plot.histogram(table: any, value: string, title: string = "")
Draws the histogram of a column of a wandb.Table.
Example:
  local t = wandb.Table{columns = {"score"}, data = {{1}, {2}, {2}}}
  local run = wandb.init{mode = "disabled"}
  run:log{scores = wandb.plot.histogram(t, "score")}
  run:finish()
Source: wandb.plot.histogram
]], "histogram", {"table", "value", "title"})
chart([[
wandb.plot.confusion_matrix(y_true: any, preds: any, class_names: list = nil, title: string = "")
Draws how often each class (from 0) was taken for each.
Example:
  local run = wandb.init{mode = "disabled"}
  run:log{matrix = wandb.plot.confusion_matrix(tensor{0, 1, 1}, tensor{0, 1, 0}, {"cat", "dog"})}
  run:finish()
Source: wandb.plot.confusion_matrix
]], "confusion_matrix", {"y_true", "preds", "names", "title"})
chart([[
wandb.plot.pr_curve(y_true: any, y_probas: any, labels: list = nil, title: string = "")
Draws precision over recall of each class, from scores `[N, C]`.
Example:
  local run = wandb.init{mode = "disabled"}
  run:log{pr = wandb.plot.pr_curve(tensor{0, 1}, tensor{{0.9, 0.1}, {0.2, 0.8}})}
  run:finish()
Source: wandb.plot.pr_curve
]], "pr_curve", {"y_true", "y_probas", "names", "title"})
chart([[
wandb.plot.roc_curve(y_true: any, y_probas: any, labels: list = nil, title: string = "")
Draws true over false positives of each class, from scores `[N, C]`.
Example:
  local run = wandb.init{mode = "disabled"}
  run:log{roc = wandb.plot.roc_curve(tensor{0, 1}, tensor{{0.9, 0.1}, {0.2, 0.8}})}
  run:finish()
Source: wandb.plot.roc_curve
]], "roc_curve", {"y_true", "y_probas", "names", "title"})

Run.save = declare([[
run:save(self: any, glob: string, base_path: string = nil, policy: "live"|"now"|"end" = "live") -> table
Keeps files as the run's; gives the names that they have there. `live` files are sent again when they change.
Example:
  local run = wandb.init{mode = "disabled"}
  run:save("*.safetensors")
  run:finish()
Source: wandb.Run.save
]], function(run, ...) return native.native_save(run._native, ...) end)

-- Artifacts.

local Artifact = {}
Artifact.__index = Artifact
host.document_field("wandb.Artifact.name: string\nThe name.")
host.document_field("wandb.Artifact.type: string\nThe type, as \"dataset\" or \"model\".")
host.document_field("wandb.Artifact.description: string\nWhat it is.")
host.document_field("wandb.Artifact.metadata: table\nWhat else is known of it.")
function Artifact.__tostring(a) return ("wandb.Artifact(%s, %s)"):format(a.name, a.type) end

Artifact.add_file = declare([[
Artifact:add_file(self: any, path: string, name: string = nil)
Adds a file, under its own name or `name`.
Errors: no such file
Example:
  require "fs".write("labels.txt", "0 1 2")
  wandb.Artifact("digits", "dataset"):add_file("labels.txt")
Source: wandb.Artifact.add_file
]], function(a, path, name) native.native_artifact_add_file(a._native, path, name) end)

Artifact.add_dir = declare([[
Artifact:add_dir(self: any, path: string, name: string = nil)
Adds all files of a directory.
Example:
  local fs = require "fs"
  fs.mkdir("digits")
  fs.write("digits/a.txt", "0")
  wandb.Artifact("digits", "dataset"):add_dir("digits")
Source: wandb.Artifact.add_dir
]], function(a, path, name) native.native_artifact_add_dir(a._native, path, name) end)

Artifact.add = declare([[
Artifact:add(self: any, object: any, name: string)
Adds a wandb.Table.
Example: wandb.Artifact("scores", "table"):add(wandb.Table{columns = {"score"}, data = {{1}}}, "scores")
Source: wandb.Artifact.add
]], function(a, object, name) native.native_artifact_add(a._native, object, name) end)

Artifact.add_reference = declare([[
Artifact:add_reference(self: any, uri: any, name: string = nil)
Adds something that stays where it is: a URI, or a file of an earlier version as `get_entry` gives it.
Example: wandb.Artifact("digits", "dataset"):add_reference("s3://bucket/digits")
Source: wandb.Artifact.add_reference
]], function(a, uri, name)
  if type(uri) ~= "string" and type(uri) ~= "userdata" then
    host.fail("Artifact:add_reference: expected a URI or what get_entry gives, got " .. type(uri))
  end
  native.native_artifact_add_reference(a._native, uri, name)
end)

Artifact.wait = declare([[
Artifact:wait(self: any, timeout: number = 300) -> wandb.Artifact
Waits until the artifact, once logged by an online run, is on the server; gives the artifact.
Example:
  -- needs a server
  local artifact = wandb.run:log_artifact("model.safetensors")
  artifact:wait()
Source: wandb.Artifact.wait
]], function(a, timeout)
  if not a._run then host.fail("Artifact:wait: the artifact is not logged yet") end
  native.native_wait_artifact(a._run._native, a._native, timeout)
  return a
end)

wandb.Artifact = declare([[
Artifact(name: string, type: string, description: string = "", metadata: options = nil) -> wandb.Artifact
Makes an artifact, a named set of files, to be filled and logged.
Errors: names with other characters than letters, digits, `_`, `-`, `.`
Example: print(wandb.Artifact("digits", "dataset", {metadata = {size = 3}})) --> wandb.Artifact(digits, dataset)
Source: wandb.Artifact
]], function(name, type, description, metadata)
  return setmetatable({
    _native = native.native_artifact(name, type, description, metadata), name = name, type = type,
    description = description, metadata = metadata or {},
  }, Artifact)
end)

-- An artifact that the server has.
local Remote = {}
Remote.__index = Remote
function Remote.__tostring(a) return ("wandb.Artifact(%s, %s)"):format(a.name, a.type) end

Remote.download = declare([[
Artifact:download(self: any, root: string = nil) -> string
Fetches the files, checked against their digests, into `root` (default `artifacts/<name>:<version>`); gives that directory.
Example:
  -- needs a server
  wandb.run:use_artifact("digits:latest"):download("data")
Source: wandb.Artifact.download
]], function(a, root) return native.native_remote_download(a._native, root) end)

Remote.files = declare([[
Artifact:files(self: any) -> table
Gives the names of the files.
Example:
  -- needs a server
  print(wandb.Api():artifact("digits/model:best"):files()[1])
Source: wandb.Artifact.files
]], function(a) return native.native_remote_files(a._native) end)

Remote.get_entry = declare([[
Artifact:get_entry(self: any, name: string) -> any
Gives a file for `add_reference` of a later version, which is then not sent again.
Errors: no such file
Example:
  -- needs a server
  local entry = wandb.Api():artifact("digits/model:best"):get_entry("model.safetensors")
Source: wandb.Artifact.get_entry
]], function(a, name) return native.native_remote_entry(a._native, name) end)

local function remote(object)
  local facts = native.native_remote_facts(object)
  facts._native = object
  return setmetatable(facts, Remote)
end

Run.log_artifact = declare([[
run:log_artifact(self: any, artifact: any, aliases: list = nil, name: string = nil, type: string = nil) -> wandb.Artifact
Logs a version of an artifact, or of the file or directory at a path; gives the artifact.
Example:
  -- needs a server
  wandb.run:log_artifact("model.safetensors", {name = "digits", type = "model", aliases = {"best"}})
Source: wandb.Run.log_artifact
]], function(run, artifact, aliases, name, type_name)
  if type(artifact) == "string" then
    local path = artifact
    artifact = wandb.Artifact(name or ("run-" .. run.id .. "-" .. path:match("[^/]*$")), type_name or "unspecified")
    if not pcall(artifact.add_file, artifact, path) then artifact:add_dir(path) end
  elseif getmetatable(artifact) ~= Artifact then
    host.fail("run:log_artifact: expected a wandb.Artifact or a path, got " .. type(artifact))
  end
  native.native_log_artifact(run._native, artifact._native, aliases)
  artifact._run = run
  return artifact
end)

Run.use_artifact = declare([=[
run:use_artifact(self: any, name: string) -> wandb.Artifact
Finds `[entity/[project/]]name:alias` and notes that the run uses it.
Errors: no such artifact, an offline run
Example:
  -- needs a server
  local folder = wandb.run:use_artifact("digits:latest"):download()
Source: wandb.Run.use_artifact
]=], function(run, name) return remote(native.native_use_artifact(run._native, name)) end)

-- Watching.

Run.watch = declare([[
run:watch(self: any, module: any, log: "gradients"|"parameters"|"all" = "gradients", log_freq: int = 1000)
Logs histograms of a module's gradients, parameters or both, every `log_freq` backward passes, with the next row.
Example:
  local run = wandb.init{mode = "disabled"}
  run:watch(nn.Linear(2, 1), {log = "all", log_freq = 100})
  run:finish()
Source: wandb.Run.watch
]], function(run, module, log, log_freq)
  if type(module) ~= "table" or type(module.named_parameters) ~= "function" then
    host.fail("run:watch: expected a module, got " .. type(module))
  end
  if log_freq < 1 then host.fail("run:watch: log_freq must be 1 or more, got " .. log_freq) end
  run._watched = (run._watched or 0) + 1
  local graph = run._watched > 1 and ("graph_%d"):format(run._watched - 1) or ""
  local hooks = {}
  for name, parameter in module:named_parameters() do
    local passes = 0
    hooks[#hooks + 1] = parameter:register_hook(function(gradient)
      passes = passes + 1
      if run._finished or (passes - 1) % log_freq ~= 0 then return end
      local row = {}
      local function add(kind, tensor)
        -- A tensor without a finite value has no histogram.
        local ok, histogram = pcall(native.native_histogram, tensor, 64)
        if ok then row[kind .. "/" .. graph .. name] = histogram end
      end
      if log ~= "parameters" then add("gradients", gradient) end
      if log ~= "gradients" then add("parameters", parameter:detach()) end
      native.native_log(run._native, row, nil, false)
    end)
  end
  run._hooks = run._hooks or {}
  run._hooks[module] = hooks
end)

Run.unwatch = declare([[
run:unwatch(self: any, module: any = nil)
Ends watching a module, or all.
Example:
  local run = wandb.init{mode = "disabled"}
  run:watch(nn.Linear(2, 1))
  run:unwatch()
  run:finish()
Source: wandb.Run.unwatch
]], function(run, module)
  for watched, hooks in pairs(run._hooks or {}) do
    if module == nil or module == watched then
      for _, hook in ipairs(hooks) do hook:remove() end
      run._hooks[watched] = nil
    end
  end
end)

-- Sweeps.

wandb.sweep = declare([[
sweep(sweep: options, project: string = nil, entity: string = nil) -> string
Creates a sweep from W&B's sweep config (`method`, `metric`, `parameters`); gives its id for wandb.agent.
Example:
  -- needs a server
  local id = wandb.sweep({method = "random", parameters = {lr = {min = 0.001, max = 0.1}}}, {project = "digits"})
Source: wandb.sweep
]], function(sweep, project, entity) return native.native_sweep(sweep, {project = project, entity = entity}) end)

wandb.agent = declare([[
agent(sweep_id: string, fn: function, count: int = nil, project: string = nil, entity: string = nil)
Calls fn for each run that the server asks for; wandb.init in it starts that run, with the server's values in its config. Ends after `count` runs, or with the sweep. A run whose fn fails is marked as failed, and the next begins.
Example:
  -- needs a server
  wandb.agent("abc123", function() print(wandb.init().config.lr) end, {count = 5})
Source: wandb.agent
]], function(sweep_id, fn, count, project, entity)
  local agent = native.native_agent(sweep_id, {project = project, entity = entity})
  wandb._agent = agent
  local closing <close> = setmetatable({}, {__close = function()
    wandb._assignment, wandb._agent = nil, nil
    native.native_agent_close(agent)
  end})
  local done, failures = 0, 0
  while not count or done < count do
    wandb._assignment = native.native_agent_next(agent)
    if not wandb._assignment then return end
    local ok, message = xpcall(fn, debug.traceback)
    done = done + 1
    if wandb.run then wandb.run:finish(ok and 0 or 1) end
    -- Stopped by the server: it knows, and goes on with the next.
    if not ok and not native.native_agent_stopped(agent, wandb._assignment.run_id) then
      failures = failures + 1
      io.stderr:write("wandb: run ", wandb._assignment.run_id, " failed: ", tostring(message), "\n")
      if failures == done and failures >= 3 then host.fail("wandb.agent: the first 3 runs failed: " .. tostring(message)) end
    end
  end
end)

-- Queries.

local Api = {}
Api.__index = Api
local RemoteRun = {}
RemoteRun.__index = RemoteRun
host.document([[
wandb.ApiRun
A run as the server has it.
Source: wandb.apis.public.Run
]], RemoteRun)
for _, field in ipairs{
  "id: string\nThe id.", "name: string\nThe name.", "state: string\nHow it stands, as \"finished\".", "config: table\nThe configuration.",
  "summary: table\nThe summary.", "tags: list\nThe tags.", "url: string\nThe run's page.", "project: string\nThe project.",
  "entity: string\nThe user or team.",
} do
  host.document_field("wandb.ApiRun." .. field)
end
function RemoteRun.__tostring(r) return ("wandb.Api.Run(%s/%s/%s, %s)"):format(r.entity, r.project, r.id, r.state) end

RemoteRun.history = declare([[
ApiRun:history(self: any, keys: list = nil) -> list
Gives all rows of a run, or those that hold all of `keys`.
Example:
  -- needs a server
  for _, row in ipairs(wandb.Api():run("digits/abc123"):history{"loss"}) do print(row.loss) end
Source: wandb.apis.public.Run.history
]], function(run, keys)
  return native.native_api_history(run._api, run.entity .. "/" .. run.project .. "/" .. run.id, keys)
end)

Api.run = declare([[
Api:run(self: any, path: string) -> wandb.ApiRun
Gives a run by `[entity/]project/id`: id, name, state, config, summary, tags, url, history().
Example:
  -- needs a server
  print(wandb.Api():run("digits/abc123").summary.loss)
Source: wandb.Api.run
]], function(api, path)
  local run = native.native_api_run(api._native, path)
  run._api = api._native
  return setmetatable(run, RemoteRun)
end)

Api.runs = declare([[
Api:runs(self: any, path: string, filters: options = nil, order: string = "+created_at", per_page: int = nil) -> wandb.ApiRun[]
Gives the runs of `[entity/]project`; filters are W&B's, as `{state = "finished"}`.
Example:
  -- needs a server
  for _, run in ipairs(wandb.Api():runs("digits", {filters = {state = "finished"}})) do print(run.name) end
Source: wandb.Api.runs
]], function(api, path, filters, order, per_page)
  local runs = native.native_api_runs(api._native, path, filters, order, per_page)
  for _, run in ipairs(runs) do
    run._api = api._native
    setmetatable(run, RemoteRun)
  end
  return runs
end)

Api.artifact = declare([=[
Api:artifact(self: any, name: string) -> wandb.Artifact
Gives `[entity/[project/]]name:alias`.
Example:
  -- needs a server
  wandb.Api():artifact("digits/model:best"):download()
Source: wandb.Api.artifact
]=], function(_, name) return remote(native.native_api_artifact(name)) end)

Api.artifacts = declare([[
Api:artifacts(self: any, type: string, name: string) -> wandb.Artifact[]
Gives all versions of `[entity/]project/name`, newest first.
Example:
  -- needs a server
  print(#wandb.Api():artifacts("model", "digits/model"))
Source: wandb.Api.artifacts
]], function(_, type, name)
  local found = native.native_api_artifacts(type, name)
  for i, object in ipairs(found) do found[i] = remote(object) end
  return found
end)

wandb.Api = declare([[
Api(overrides: options = nil) -> wandb.Api
Gives access to what is on the server: `runs`, `run`, `artifact`, `artifacts`. Overrides are settings as `project`, `entity`, `base_url`.
Example:
  -- needs a server
  local api = wandb.Api{project = "digits"}
Source: wandb.Api
]], function(overrides) return setmetatable({_native = native.native_api(overrides or {})}, Api) end)

-- The console: what the script prints also goes to the runs that are not finished.

local watching = {}
local originals

local function tell(text, is_error)
  for run in pairs(watching) do native.native_console(run._native, text, is_error) end
end

local function install()
  if originals then return end
  local files = getmetatable(io.stdout).__index
  originals = {print = print, write = files.write, io_write = io.write}
  print = function(...)
    local parts = table.pack(...)
    for i = 1, parts.n do parts[i] = tostring(parts[i]) end
    originals.print(table.concat(parts, "\t", 1, parts.n))
    tell(table.concat(parts, "\t", 1, parts.n) .. "\n", false)
  end
  files.write = function(file, ...)
    if file == io.stdout or file == io.stderr then
      local parts = table.pack(...)
      local ok = true
      for i = 1, parts.n do ok = ok and (type(parts[i]) == "string" or type(parts[i]) == "number") end
      if ok then tell(table.concat(parts, "", 1, parts.n), file == io.stderr) end
    end
    return originals.write(file, ...)
  end
  io.write = function(...)
    if io.output() == io.stdout then return io.stdout:write(...) end
    return originals.io_write(...)
  end
end

local function uninstall()
  if not originals or next(watching) then return end
  print, getmetatable(io.stdout).__index.write, io.write = originals.print, originals.write, originals.io_write
  originals = nil
end

-- The script and what it has loaded so far; once more at the end, for what it has loaded since.
local function keep_code(run)
  local program = arg and arg[0]
  if not program or not native.native_saves_code(run._native) then return end
  local files = {program}
  for name in pairs(package.loaded) do
    local path = package.searchpath(name, package.path)
    if path and path ~= program then files[#files + 1] = path end
  end
  table.sort(files, function(a, b) return a == program or (b ~= program and a < b) end)
  native.native_save_code(run._native, files)
end

return {
  keep_code = keep_code,
  started = function(run)
    if run.mode ~= "disabled" then
      watching[run] = true
      install()
    end
    keep_code(run)
  end,
  finishing = function(run)
    if not run._finished then keep_code(run) end
    run._finished = true
    Run.unwatch(run)
    watching[run] = nil
    uninstall()
  end,
}
