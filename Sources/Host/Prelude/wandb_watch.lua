-- Histograms of a module's gradients and parameters.
local Run, native, host = ...
local declare = host.declare

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
