-- Sweeps.
local wandb, native, host = ...
local declare = host.declare

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
