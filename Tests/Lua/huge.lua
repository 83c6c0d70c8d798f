-- Sizes that no memory holds, wherever a script can state them: an error, or a result that needs no such memory.
-- Expanded and empty tensors have dimensions of any length without a byte of memory.
package.path = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") .. "/?.lua;" .. package.path
local check = require "check"
local data, nn, tensor = require "data", require "nn", require "tensor"
local F = nn.functional

local huge = 1 << 40
local long = tensor.zeros(1):expand(huge)
local positions = tensor.zeros(1, {dtype = "int64"}):expand(huge)
local empty = tensor.zeros(huge, 0)
local few = tensor.zeros(3, {dtype = "int64"})
-- It has room itself, its elements' order has not.
local bytes = tensor.zeros(1, {dtype = "uint8"}):expand(1 << 27)
-- As long as a script says, with samples that nobody asks for.
local function dataset(count)
  return setmetatable({}, {__len = function() return count end, __index = function() return {tensor.ones(1)} end})
end
local calls = {
  pad = function() return tensor.ones(3, 4):pad({huge, 5}, "replicate") end,
  pad_bytes = function() return tensor.ones(3, 4, {dtype = "uint8"}):pad({5, 1 << 33}, "replicate") end,
  split = function() return long:split(1) end,
  split_sizes = function() return tensor.zeros(1):expand(1 << 62):split{1 << 62, 1 << 62, 1 << 62} end,
  chunk = function() return long:chunk(huge) end,
  unbind = function() return long:unbind() end,
  unbind_empty = function() return empty:unbind() end,
  tolist = function() return long:tolist() end,
  tolist_empty = function() return empty:tolist() end,
  index = function() return tensor.zeros(4)[positions] end,
  index_pair = function() return tensor.zeros(4, 4)[{positions:unsqueeze(0), positions:unsqueeze(1)}] end,
  index_select = function() return tensor.zeros(4):index_select(0, positions) end,
  take = function() return tensor.zeros(4):take(positions) end,
  gather = function() return tensor.zeros(4):gather(0, positions) end,
  masked_select = function() return long:masked_select(long:eq(0)) end,
  nonzero = function() return long:nonzero() end,
  repeat_interleave = function() return tensor.zeros(2):repeat_interleave(huge) end,
  randperm = function() return tensor.randperm(1 << 33, {dtype = "uint8"}) end,
  sort = function() return long:sort() end,
  sort_bytes = function() return bytes:sort() end,
  median_bytes = function() return bytes:median() end,
  unique_bytes = function() return bytes:unique() end,
  unique_slices = function() return bytes:view(1 << 26, 2):unique({dim = 0}) end,
  embedding = function() return F.embedding(few, empty, {scale_grad_by_freq = true}) end,
  embedding_positions = function() return F.embedding(positions, tensor.zeros(3, 2), {max_norm = 1}) end,
  roll = function() return long:roll(1) end,
  adaptive_pool = function() return F.adaptive_avg_pool2d(tensor.ones(1, 1, 4, 4), {huge, 2}) end,
  interpolate = function() return F.interpolate(tensor.ones(1, 1, 4, 4), {size = {huge, 2}}) end,
  histc = function() return tensor.ones(4):histc(huge) end,
  random_split = function() return data.random_split(dataset(huge), {0.5, 0.5}) end,
  random_split_most = function() return data.random_split(dataset(math.maxinteger), {0.5, 0.5}) end,
  shuffle = function() for _ in data.loader(dataset(huge - 1), {batch_size = 2, shuffle = true}) do return end end,
}
for name, call in pairs(calls) do
  local ok, message = pcall(call)
  check.that(name, not ok and type(message) == "string" and not message:find "attempt to", tostring(message))
end
-- Any number of steps of no sequences.
for _, kind in ipairs{"RNN", "LSTM", "GRU"} do
  local layer = nn[kind](4, 3)
  local states = layer(tensor.zeros(huge, 0, 4))
  states:sum():backward()
  check.that(kind, states.shape[1] == huge and layer.weight_ih_l0.grad:abs():sum():item() == 0)
end
check.that("lists", #tensor.arange(5):split(2) == 3 and #tensor.arange(5):chunk(2) == 2 and #tensor.arange(5):unbind() == 5)
check.done()
