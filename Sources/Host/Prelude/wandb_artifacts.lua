-- Files and artifacts, both ways. Gives what makes an artifact of one that the server has.
local wandb, Run, native, host = ...
local declare = host.declare

Run.save = declare([[
run:save(self: any, glob: string, base_path: string = nil, policy: "live"|"now"|"end" = "live") -> table
Keeps files as the run's; gives the names that they have there. `live` files are sent again when they change.
Example:
  local run = wandb.init{mode = "disabled"}
  run:save("*.safetensors")
  run:finish()
Source: wandb.Run.save
]], function(run, ...) return native.native_save(run._native, ...) end)

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

return remote
