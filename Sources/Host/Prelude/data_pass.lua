-- One pass of a loader: a function that gives the next batch, or nothing at the end.
local _, host = ...
local tensor = require "tensor"
local fail = host.fail

-- Batches that Swift gathers ahead on another thread.
local function gathered(loader, number)
  local pass = host.data_pass(loader.dataset, loader.batch_size, loader.shuffle, loader.drop_last, loader.seed,
    loader.transform, loader.prefetch, number)
  local next_batch = host.data_next
  return function() return next_batch(pass) end
end

local collate

-- One part of all samples of a batch.
local function collate_part(values, n, where)
  local first = values[1]
  local kind = math.type(first) or type(first)
  for i = 2, n do
    local other = math.type(values[i]) or type(values[i])
    if other ~= kind and not (kind == "integer" and other == "float" or kind == "float" and other == "integer") then
      fail(("data.loader: samples cannot be put into one batch: %s is %s in one and %s in another; pass collate"):format(where, kind, other))
    end
  end
  if tensor.is_tensor(first) then
    for i = 2, n do
      if table.concat(values[i].shape, ",") ~= table.concat(first.shape, ",") then
        fail(("data.loader: samples cannot be put into one batch: %s has shape [%s] in one and [%s] in another; pass collate or a transform")
          :format(where, table.concat(first.shape, ", "), table.concat(values[i].shape, ", ")))
      end
    end
    return tensor.stack(values)
  end
  if type(first) == "number" or type(first) == "boolean" then return tensor(values) end
  if type(first) == "table" and not getmetatable(first) then return (collate(values, n, where)) end
  return values
end

-- Samples that are tables: lists part by part, maps name by name.
function collate(samples, n, where)
  local first = samples[1]
  local result = {}
  if #first > 0 or next(first) == nil then
    for k = 1, #first do
      local values = {}
      for i = 1, n do
        if #samples[i] ~= #first then fail(("data.loader: %s has %d parts in one sample and %d in another"):format(where, #first, #samples[i])) end
        values[i] = samples[i][k]
      end
      result[k] = collate_part(values, n, where .. "[" .. k .. "]")
    end
    return result, #first
  end
  for name in next, first do
    local values = {}
    for i = 1, n do
      values[i] = samples[i][name]
      if values[i] == nil then fail(("data.loader: a sample lacks '%s'"):format(tostring(name))) end
    end
    result[name] = collate_part(values, n, where .. "." .. tostring(name))
  end
  return result
end

local function is_list(sample)
  return type(sample) == "table" and not getmetatable(sample) and (#sample > 0 or next(sample) == nil)
end

local function default_collate(samples)
  local n = #samples
  if not is_list(samples[1]) then return collate_part(samples, n, "the sample") end
  local parts, count = collate(samples, n, "the sample")
  return table.unpack(parts, 1, count)
end

-- Applies a transform to a sample; what it gives takes the place of the sample's first parts.
local function transformed(loader, sample, pass_seed, position)
  local transform = loader.transform
  local parts = is_list(sample) and table.move(sample, 1, #sample, 1, {}) or {sample}
  if type(parts[1]) == "table" and not getmetatable(parts[1]) and type(transform) == "userdata" then
    fail("data.loader: a transform of data.transforms needs samples that begin with an image")
  end
  local function apply(step)
    if host.data_transform_native(step) then
      parts[1] = host.data_transform_apply(step, parts[1], loader.background, pass_seed, position)
      return
    end
    local results = table.pack(step(table.unpack(parts)))
    if results.n == 0 or results[1] == nil then fail("data.loader: the transform gave nothing back") end
    for i = 1, results.n do parts[i] = results[i] end
  end
  if type(transform) == "table" and transform.steps then
    for k, step in ipairs(transform.steps) do
      -- Each step has numbers of its own.
      pass_seed = k == 1 and pass_seed or host.data_pass_seed(pass_seed, k)
      apply(step)
    end
  else
    apply(transform)
  end
  return is_list(sample) and parts or parts[1]
end

-- Samples that Lua code gives or changes, on the script's own thread.
local function scripted(loader, number)
  local pass_seed = 0
  if loader.shuffle or loader.transform then
    pass_seed = loader.seed and host.data_pass_seed(loader.seed, number) or host.data_pass_seed(host.data_seed(), 0)
  end
  local order = loader.shuffle and host.data_order(loader.count, pass_seed)
  local make = loader.collate or default_collate
  local position, batches = 0, 0
  return function()
    if batches == loader.batches then return end
    batches = batches + 1
    local samples = {}
    while #samples < loader.batch_size and position < loader.count do
      local at = order and order[position + 1] or position
      local sample = loader.get(at)
      if sample == nil then fail(("data.loader: the dataset gave nil for sample %d of %d"):format(at, loader.count)) end
      if loader.transform then sample = transformed(loader, sample, pass_seed, at) end
      samples[#samples + 1] = sample
      position = position + 1
    end
    return make(samples)
  end
end

return function(loader, number)
  if loader.is_gathered then return gathered(loader, number) end
  local step = scripted(loader, number)
  return function()
    local results = table.pack(step())
    if results.n > 0 and results[1] == nil then fail("data.loader: collate gave nil") end
    return table.unpack(results, 1, results.n)
  end
end
