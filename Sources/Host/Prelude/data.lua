-- The part of the module `data` that deals with Lua objects: datasets written in Lua, loaders, functions as transforms.
local data, host = ...
local tensor = require "tensor"
local ipairs = host.prelude "lists"
local declare, fail = host.declare, host.fail
local is_native = host.data_native
local pass_of = host.prelude("data_pass", data, host)

-- ds[i] gives one value, whatever __index returns: a loader takes all of them, as the parts of a sample.
local function sample_of(...)
  if select("#", ...) > 1 then return {...} end
  return (...)
end

-- A dataset of any kind as a length, a function from position (counted from 0) to sample, and the first index.
local function open(ds, where)
  if is_native(ds) then return #ds, function(i) return ds[i] end, 0 end
  local meta = type(ds) == "table" and getmetatable(ds)
  if type(ds) == "table" and not meta then
    return #ds, function(i) return ds[i + 1] end, 1
  end
  if tensor.is_tensor(ds) then
    fail(where .. ": a tensor is no dataset by itself; use data.TensorDataset(t)")
  end
  if type(meta) ~= "table" or rawget(meta, "__len") == nil or rawget(meta, "__index") == nil then
    fail(("%s: expected a dataset (a list, or an object with __len and __index), got %s"):format(where, type(ds)))
  end
  local n = #ds
  if math.type(n) ~= "integer" or n < 0 then
    fail(("%s: the dataset's length must be an integer from 0, got %s"):format(where, tostring(n)))
  end
  local index = rawget(meta, "__index")
  if type(index) ~= "function" then return n, function(i) return ds[i] end, 0 end
  return n, function(i)
    local own = type(ds) == "table" and rawget(ds, i)
    if own then return own end
    return sample_of(index(ds, i))
  end, 0
end

-- A dataset made of others, in Lua: `get` takes a position from 0.
local function made(fields, count, get)
  local function index(_, key)
    if math.type(key) ~= "integer" then return fields[key] end
    if key < -count or key >= count then
      fail(count == 0 and ("dataset: index %d is out of range: the dataset is empty"):format(key)
        or ("dataset: index %d is out of range for a dataset of %d; valid: 0..%d or %d..-1"):format(key, count, count - 1, -count))
    end
    return get(key < 0 and key + count or key)
  end
  return setmetatable({}, {__len = function() return count end, __index = index, __name = "Dataset"})
end

data.TensorDataset = declare([[
TensorDataset(...) -> dataset
Makes a dataset of tensors whose first dimensions agree: sample i is row i of each, a list.
Errors: tensors of different lengths
Example:
  local ds = data.TensorDataset(tensor.arange(6):view(3, 2), tensor{7, 8, 9})
  print(#ds, ds[1][1], ds[1][2]:item()) --> 3	tensor([2, 3])	8
Source: torch.utils.data.TensorDataset
]], function(...)
  local tensors = {...}
  for i, t in ipairs(tensors) do
    if not tensor.is_tensor(t) then fail(("data.TensorDataset: argument %d: expected tensor, got %s"):format(i, type(t))) end
  end
  return host.data_tensors(tensors)
end)

data.Subset = declare([[
Subset(dataset: any, indices: list|tensor) -> dataset
Picks samples of a dataset, in the order of `indices` (for a plain Lua list these count from 1, as the list does).
Errors: an index out of range
Example:
  local ds = data.Subset(data.TensorDataset(tensor{5, 6, 7}), {2, 0})
  #ds, ds[0][1]:item() --> 2 7
Source: torch.utils.data.Subset
]], function(ds, indices)
  if tensor.is_tensor(indices) then indices = host.data_indices(indices) end
  if is_native(ds) then return host.data_subset(ds, indices) end
  local n, get, first = open(ds, "data.Subset")
  local positions = {}
  for k, i in ipairs(indices) do
    if math.type(i) ~= "integer" then fail(("data.Subset: expected integers as indices, got %s"):format(tostring(i))) end
    local at = i < 0 and i + n or i - first
    if at < 0 or at >= n then
      fail(("data.Subset: index %d is out of range for a dataset of %d; valid: %d..%d"):format(i, n, first, first + n - 1))
    end
    positions[k] = at
  end
  return made({dataset = ds, indices = indices}, #positions, function(k) return get(positions[k + 1]) end)
end)

data.ConcatDataset = declare([[
ConcatDataset(datasets: list) -> dataset
Puts datasets one after the other.
Errors: samples of different shape or dtype
Example: #data.ConcatDataset{data.TensorDataset(tensor{1, 2}), data.TensorDataset(tensor{3})} --> 3
Source: torch.utils.data.ConcatDataset
]], function(datasets)
  if #datasets == 0 then fail("data.ConcatDataset: expected at least one dataset") end
  local all_native = true
  for _, ds in ipairs(datasets) do all_native = all_native and is_native(ds) end
  if all_native then return host.data_concat(datasets) end
  local parts, count = {}, 0
  for _, ds in ipairs(datasets) do
    local n, get = open(ds, "data.ConcatDataset")
    parts[#parts + 1] = {start = count, get = get, stop = count + n}
    count = count + n
  end
  return made({datasets = datasets}, count, function(k)
    for _, part in ipairs(parts) do
      if k < part.stop then return part.get(k - part.start) end
    end
  end)
end)

data.random_split = declare([[
random_split(dataset: any, lengths: list, *, seed: int = nil) -> dataset, dataset, dataset
Cuts a dataset at random into parts, given as lengths that sum up to its length or fractions that sum up to 1; gives one dataset for each.
Args:
  dataset: what to cut
  lengths: lengths or fractions
  seed: the same seed gives the same parts; nil draws from the shared generator
Errors: lengths that do not fit
Example:
  local train, val = data.random_split(data.TensorDataset(tensor.arange(10)), {0.8, 0.2}, {seed = 1})
  print(#train, #val) --> 8	2
Source: torch.utils.data.random_split
]], function(ds, lengths, seed)
  local n, _, first = open(ds, "data.random_split")
  local parts = {}
  for k, positions in ipairs(host.data_split(host.data_split_lengths(lengths, n), seed)) do
    if first ~= 0 then
      for i, at in ipairs(positions) do positions[i] = at + first end
    end
    parts[k] = data.Subset(ds, positions)
  end
  return table.unpack(parts)
end)

-- Transforms: native ones, Lua functions, and both in a row.

local Compose = {__name = "Transform"}
Compose.__index = Compose
function Compose:__call(...)
  local values = table.pack(...)
  for _, step in ipairs(self.steps) do
    local results = table.pack(step(table.unpack(values, 1, values.n)))
    if results.n == 0 then fail("data.transforms.compose: a transform gave nothing back") end
    -- A function that gives the image only leaves the rest as it is.
    for i = 1, results.n do values[i] = results[i] end
    values.n = math.max(values.n, results.n)
  end
  return table.unpack(values, 1, values.n)
end

data.transforms.compose = declare([[
data.transforms.compose(...) -> transform
Applies transforms one after the other; given as a list or as arguments. Lua functions take image and label and give the image, or both.
Example:
  local t = data.transforms.compose{data.transforms.normalize(0.5, 0.5), function(x) return x * 2 end}
  print(t(tensor.ones(1, 2, 2)):sum():item()) --> 8.0
Source: torchvision.transforms.Compose
]], function(...)
  local steps = {...}
  if #steps == 1 and type(steps[1]) == "table" and not getmetatable(steps[1]) then steps = steps[1] end
  local all_native = true
  for i, step in ipairs(steps) do
    local native = host.data_transform_native(step)
    all_native = all_native and native
    local meta = getmetatable(step)
    if not native and type(step) ~= "function" and not (type(meta) == "table" and meta.__call) then
      fail(("data.transforms.compose: transform %d: expected a transform or a function, got %s"):format(i, type(step)))
    end
  end
  if all_native then return host.data_transform_compose(steps) end
  return setmetatable({steps = steps}, Compose)
end)

-- Loaders.

local Loader = {__name = "Loader"}
host.document([[
data.Loader
Batches of a dataset: `for x, y in loader do` is a pass, `#loader` the number of batches.
Source: torch.utils.data.DataLoader
]], Loader)
host.document_field("data.Loader.dataset: any\nWhere the samples come from.")
host.document_field("data.Loader.batch_size: int\nSamples in a batch.")
host.document_field("data.Loader.epoch: int\nThe number of the next pass, from 0.")

function Loader:__len() return self.batches end

function Loader:__tostring()
  return ("Loader(%d batches of %d%s)"):format(self.batches, self.batch_size, self.shuffle and ", shuffled" or "")
end

-- A generic `for` passes the last first value back, and nil when a loop begins: that tells a fresh pass from the
-- next step of one that runs, also of two loops over one loader at the same time. Passes are kept under the value
-- they gave last, weakly: what a `break` leaves behind goes away with its batch.
function Loader:__call(_, last)
  local pass
  if last == nil then
    local number = self.epoch
    self.epoch = number + 1
    pass = pass_of(self, number)
  else
    pass = self.passes[last]
    if not pass then fail("data.loader: called with a value that it did not give; use it as `for x, y in loader do`") end
    self.passes[last] = nil
  end
  return self:give(pass, pass())
end

function Loader:give(pass, first, ...)
  if first ~= nil then self.passes[first] = pass end
  return first, ...
end

Loader.set_epoch = declare([[
data.Loader:set_epoch(self: any, epoch: int)
Makes `epoch` the number of the next pass, on which order and augmentation depend.
Example:
  local loader = data.loader(data.TensorDataset(tensor.arange(4)), {batch_size = 2, shuffle = true, seed = 1})
  loader:set_epoch(5)
  loader.epoch --> 5
Source: torch.utils.data.DistributedSampler.set_epoch
]], function(self, epoch) self.epoch = epoch end)

Loader.__index = Loader

data.loader = declare([[
loader(dataset: any, batch_size: int = 1, shuffle: bool = false, *, drop_last: bool = false, seed: int = nil, transform: any = nil, collate: function = nil, prefetch: int = 3, progress: bool|string = false) -> data.Loader
Gives the samples of a dataset in batches: `for x, y in loader do`, as often as one likes; `#loader` is the number of batches.
Args:
  dataset: one of this module's, a plain Lua list (which counts from 1), or any object with __len and __index (from 0)
  batch_size: samples in a batch; the last one may be smaller
  shuffle: a new order in each pass, from the seed and the pass number
  drop_last: leaves a smaller last batch out
  seed: of order and augmentation; nil draws one from the shared generator for each pass, so that a checkpoint restores it
  transform: of data.transforms, or a function of one sample's parts (image, label) that gives them back changed
  collate: makes a batch of a list of samples; by default tensors are stacked, numbers become tensors
  prefetch: how many batches are made ahead on other threads (for datasets and transforms of this module); of small ones up to 16. 0: none
  progress: shows a progress bar, under this name if it is a string
Returns: an object to loop over; `loader:set_epoch(n)` makes n the number of the next pass
Errors: a batch size below 1, a transform that does not fit the samples
Example:
  local loader = data.loader(data.TensorDataset(tensor.arange(5)), {batch_size = 2})
  for x in loader do print(x) end --> tensor([0, 1])
  --> tensor([2, 3])
  --> tensor([4])
Source: torch.utils.data.DataLoader
]], function(ds, batch_size, shuffle, drop_last, seed, transform, collate, prefetch, progress)
  if batch_size < 1 then fail(("data.loader: batch_size must be at least 1, got %d"):format(batch_size)) end
  if prefetch < 0 then fail(("data.loader: prefetch must be 0 or more, got %d"):format(prefetch)) end
  local count, get = open(ds, "data.loader")
  local native_transform = transform == nil or host.data_transform_native(transform)
  local meta = getmetatable(transform)
  if not native_transform and type(transform) ~= "function" and not (type(meta) == "table" and meta.__call) then
    fail(("data.loader: transform: expected a transform or a function, got %s"):format(type(transform)))
  end
  local is_gathered = is_native(ds) and native_transform and not collate
  if is_gathered then host.data_loader_check(ds, batch_size, shuffle, drop_last, seed, transform, prefetch) end
  local loader = setmetatable({
    dataset = ds, batch_size = batch_size, shuffle = shuffle, drop_last = drop_last, seed = seed, transform = transform,
    collate = collate, prefetch = prefetch, count = count, get = get, is_gathered = is_gathered, epoch = 0,
    batches = count // batch_size + ((count % batch_size > 0 and not drop_last) and 1 or 0),
    background = is_native(ds) and host.data_background(ds) or 0, passes = setmetatable({}, {__mode = "k"}),
  }, Loader)
  if not progress then return loader end
  return require "progress"(loader, {desc = type(progress) == "string" and progress or nil})
end)
