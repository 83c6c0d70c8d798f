-- Files: weights as safetensors, whole training runs as checkpoints.
local nn, host, core = ...
local ipairs = host.prelude "lists"
local declare, fail = host.declare, host.fail
local is_module = core.is_module

nn.save = declare([[
nn.save(path: string, value: module|table, metadata: table = nil, *, dtype: "float16"|"bfloat16" = nil)
Writes a module's state dict (or a table of names and tensors) as safetensors, with PyTorch's names and layouts; metadata is a table of strings. `dtype` narrows floating-point tensors.
Errors: a file that cannot be written; then one that was there before is still whole
Example:
  nn.save("model.safetensors", nn.Linear(2, 3), {epochs = "3"})
  (nn.load("model.safetensors")).weight.shape --> {3, 2}
Source: safetensors.torch.save_file
]], function(path, value, metadata, dtype)
  local tensors = {}
  for name, t in pairs(is_module(value) and value:state_dict() or value) do tensors[name] = t end
  host.safetensors_save(path, tensors, metadata, dtype)
end)

nn.load = declare([[
nn.load(path: string) -> table, table
Reads a safetensors file: gives name -> tensor (in the file's order) and the metadata. net:load_state_dict takes the first.
Errors: a file that is cut short or corrupt, with its path and what is wrong
Example:
  nn.save("model.safetensors", {a = tensor{1, 2}}, {epochs = "3"})
  local state, metadata = nn.load("model.safetensors")
  metadata.epochs --> 3
Source: safetensors.torch.load_file
]], function(path)
  local tensors, metadata, names = host.safetensors_load(path)
  local dict, add = core.ordered_dict()
  for _, name in ipairs(names) do add(name, tensors[name]) end
  return dict, metadata
end)

-- Whatever can give its state and take it back: modules, optimisers, schedules, objects of a script.
local function has_state(value)
  return type(value) == "table" and getmetatable(value) ~= nil
    and type(value.state_dict) == "function" and type(value.load_state_dict) == "function"
end

local function plain(dict)
  local copy = {}
  for name, value in pairs(dict) do copy[name] = value end
  return copy
end

nn.save_checkpoint = declare([[
nn.save_checkpoint(path: string, values: table)
Writes what a run needs to go on: modules, optimisers and schedules (anything with state_dict and load_state_dict), plain values and tensors, and the random state.
Errors: a value that a file cannot hold; a file that cannot be written: then one that was there before is still whole
Example:
  local net = nn.Linear(2, 1)
  local opt = optim.SGD(net:parameters(), {lr = 0.1})
  nn.save_checkpoint("last.ckpt", {model = net, optimizer = opt, epoch = 3})
  nn.load_checkpoint("last.ckpt", {model = net, optimizer = opt}).epoch --> 3
See: nn.load_checkpoint
Source: torch.save
]], function(path, values)
  local objects, rest = {}, {}
  for name, value in pairs(values) do
    if has_state(value) then objects[name] = plain(value:state_dict()) else rest[name] = value end
  end
  host.checkpoint_save(path, {objects = objects, values = rest})
end)

nn.load_checkpoint = declare([[
nn.load_checkpoint(path: string, objects: table = nil) -> table
Puts saved state back into objects (`{model = net, optimizer = opt}`) and the random generator; gives the other values. Training goes on as if it had not stopped, bit for bit. What is not asked for comes with the other values, as a state dict.
Errors: an object that the file has no state of, state that does not fit
Example:
  local net = nn.Linear(2, 1)
  nn.save_checkpoint("last.ckpt", {model = net, best = 0.9})
  local rest = nn.load_checkpoint("last.ckpt", {model = net})
  rest.best --> 0.9
See: nn.save_checkpoint
Source: torch.load
]], function(path, objects)
  local saved, seed, offset = host.checkpoint_load(path)
  local names = {}
  for name in pairs(objects or {}) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    if not has_state(objects[name]) then
      fail(("nn.load_checkpoint: '%s' is a %s without load_state_dict"):format(name, type(objects[name])))
    end
    if saved.objects[name] == nil then
      local known = {}
      for other in pairs(saved.objects) do known[#known + 1] = "'" .. other .. "'" end
      table.sort(known)
      fail(("nn.load_checkpoint: %s has no state of '%s'; it has %s"):format(
        path, name, #known > 0 and table.concat(known, ", ") or "none"))
    end
  end
  for _, name in ipairs(names) do objects[name]:load_state_dict(saved.objects[name]) end
  local rest = saved.values
  for name, state in pairs(saved.objects) do
    if not (objects and objects[name]) then rest[name] = state end
  end
  host.set_random_state(seed, offset)
  return rest
end)
