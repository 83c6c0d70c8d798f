-- Which documented names have how many cases, over all modules: golden cases (counted by golden.lua), calls in the checked
-- scripts beside this one. Fails when a name has none.
--   host coverage.lua REPORT GOLDEN_REPORT SCRATCH        SCRATCH: a folder that the scripts may write in
local report_path, golden_path, scratch = arg[1], arg[2], arg[3]
arg = {[0] = arg[0]}
local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path
local catalog = require "host.catalog"
local surface = require "host.surface"
local fs = require "fs"

-- Scripts whose results are checked; each is run with every documented function counted.
local scripts = {"nn_golden", "optim_golden", "nn_module", "nn_more", "nn_files", "functional", "data", "fs", "json", "modules", "onnx"}
-- What a script cannot check by itself: the tests in Swift that do, which must name it.
local in_swift = {
  ["http.get"] = "HostTests/HTTPTests", ["os.exit"] = "HostTests/CommandTests", ["pachyderm.output"] = "HostTests/PachydermModuleTests",
  ["pachyderm.scratch"] = "HostTests/PachydermModuleTests", ["wandb.sweep"] = "WandbTests/SweepTests", ["wandb.agent"] = "WandbTests/SweepTests",
  ["wandb.Api"] = "WandbTests/SweepTests", ["Api:run"] = "WandbTests/SweepTests", ["Api:runs"] = "WandbTests/SweepTests",
  ["ApiRun:history"] = "WandbTests/SweepTests", ["Api:artifact"] = "WandbTests/ArtifactTests", ["Api:artifacts"] = "WandbTests/ArtifactTests",
  ["Artifact:download"] = "WandbTests/ArtifactTests", ["Artifact:wait"] = "WandbTests/ArtifactTests",
  ["run:supersede"] = "HostTests/WatchTests", ["Artifact:files"] = "WandbTests/ScriptTests", ["Artifact:get_entry"] = "WandbTests/ScriptTests",
  ["cli.stop_requested"] = "HostTests/CommandTests",
  ["tensor.from_file"] = "NNTests/Files/NPYFileTests", ["Tensor:save"] = "NNTests/Files/NPYFileTests",
  ["tensor.save_npz"] = "NNTests/Files/NPYFileTests", ["tensor.load_npz"] = "NNTests/Files/NPYFileTests",
}

local pages = surface.pages()
local calls, watching = {}, false

local function counted(name, f)
  return function(...)
    if watching then calls[name] = (calls[name] or 0) + 1 end
    return f(...)
  end
end

-- Counts the calls of a function in a table, or of a class through its metatable.
local function wrap(holder, key, name)
  local value = rawget(holder, key)
  if type(value) == "function" then
    rawset(holder, key, counted(name, value))
  elseif type(value) == "table" then
    local meta = getmetatable(value)
    local call = type(meta) == "table" and rawget(meta, "__call")
    if call then rawset(meta, "__call", counted(name, call)) end
  end
end

local function table_at(path)
  local holder = require(path:match("^[^.]+"))
  for part in path:gmatch("%.([^.]+)") do holder = type(holder) == "table" and rawget(holder, part) or nil end
  return type(holder) == "table" and holder or nil
end

local names = {}  -- in order
for _, page in ipairs(pages) do
  local holder = table_at(page.name)
  local function note(e, name)
    names[#names + 1] = {name = name or e.name, module = page.name, short = (name or e.name):match("[%w_]+$")}
  end
  for _, f in ipairs(page.functions) do
    note(f)
    if holder and page.name:match("^[^.]+") ~= "tensor" then wrap(holder, f.name:match("[^.]+$"), f.name) end
  end
  for _, c in ipairs(page.classes) do
    if c.constructor then
      note(c.constructor)
      if holder then wrap(holder, c.name:match("[^.]+$"), c.name) end
    end
    local class = c.name ~= "Tensor" and table_at(c.name)
    for _, m in ipairs(c.methods) do
      note(m)
      if class then wrap(class, m.name:match("[^:]+$"), m.name) end
    end
  end
  if page.call then note(page.call, page.name) end
end
-- Classes that no module holds are reached through their objects.
local wandb = require "wandb"
local run = wandb.init{mode = "disabled"}
run:finish()
local held = {
  ["optim.lr_scheduler.Scheduler:"] = getmetatable(require("optim").lr_scheduler.StepLR).__index,
  ["run:"] = getmetatable(run), ["Artifact:"] = getmetatable(wandb.Artifact("a", "b")), ["progress.Bar:"] = getmetatable(require("progress")(1)),
  ["data.Loader:"] = getmetatable(require("data").loader({1})),
}
for prefix, class in pairs(held) do
  for _, e in ipairs(names) do
    if e.name:sub(1, #prefix) == prefix then wrap(class, e.name:match("[^:]+$"), e.name) end
  end
end
wrap(getmetatable(require("tensor")), "__call", "tensor")
package.loaded.progress = counted("progress", require "progress")

-- Methods of native objects other than tensors: how often a script that is run calls them by name.
local source = fs.read(here .. "/modules.lua")
for _, e in ipairs(names) do
  local method = e.name:match("^Figure:([%w_]+)$")
  for _ in source:gmatch(":" .. tostring(method) .. "%(") do calls[e.name] = (calls[e.name] or 0) + 1 end
end

-- Golden cases by name, from the report of golden.lua.
local golden = {}
for line in io.lines(golden_path) do
  local name, count = line:match("^(%S+)%s+(%d+)$")
  if name then golden[name] = tonumber(count) end
end

for _, script in ipairs(scripts) do
  package.loaded.check = nil
  local chunk = assert(loadfile(here .. "/" .. script .. ".lua"))
  watching = true
  local ok, message = xpcall(chunk, debug.traceback, here .. "/../..", scratch)
  watching = false
  if not ok then error(script .. ".lua failed: " .. tostring(message), 0) end
end

local lines, missing, total = {}, {}, 0
for _, e in ipairs(names) do
  local g, c, file = golden[e.name] or 0, calls[e.name] or 0, in_swift[e.name]
  total = total + g + c
  lines[#lines + 1] = ("%-50s %7d %7d %s"):format(e.name, g, c, file or "")
  if file and not fs.exists(("%s/../%s.swift"):format(here, file)) then error("there is no " .. file, 0) end
  if g + c == 0 and not file then missing[#missing + 1] = e.name end
end
table.insert(lines, 1, ("%-50s %7s %7s %s"):format("name", "golden", "calls", "tests in Swift"))
lines[#lines + 1] = ("%d names, %d cases, %d without"):format(#names, total, #missing)
fs.write(report_path, table.concat(lines, "\n") .. "\n")
print(lines[#lines])
if #missing > 0 then print("without a case: " .. table.concat(missing, " ")) end
os.exit(#missing == 0 and total >= 3000)
