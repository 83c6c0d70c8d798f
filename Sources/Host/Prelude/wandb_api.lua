-- Queries: what the server has.
local wandb, native, host, remote = ...
local declare = host.declare

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
