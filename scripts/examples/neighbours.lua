-- k nearest neighbours: no network, no gradient, one matrix product for each block of test digits.
local cli = require "cli"
local data = require "data"
local progress = require "progress"
local tensor = require "tensor"
local digits = require "digits" -- scripts/examples/lib/digits.lua

local opt = cli.parse(digits.options{samples = 20000, more = {k = {5, "neighbours that vote"}}})

local function load_set(split, count)
  local ds = data.mnist{root = opt.data, split = split}
  count = math.min(count, #ds)
  return ds.images:narrow(0, 0, count):flatten(1):float() / 255, ds.labels:narrow(0, 0, count)
end
local x, y = load_set("train", opt.samples)
local x_test, y_test = load_set("test", opt.test_samples)

-- |a - b|^2 = |a|^2 - 2 a b + |b|^2, and |a|^2 is the same for all neighbours of a.
local square = x:square():sum(1)
local right = 0
local starts = {}
for i = 0, #x_test - 1, 500 do starts[#starts + 1] = i end
for start in progress(starts, {desc = "test digits"}) do
  local part = x_test:narrow(0, start, math.min(500, #x_test - start))
  local distance = tensor.addmm(square, part, x.T, {alpha = -2})
  local _, nearest = distance:topk(opt.k, {largest = false})
  local votes = tensor.one_hot(y[nearest], 10):sum(1)
  right = right + votes:argmax(1):eq(y_test:narrow(0, start, #part)):sum():item()
end
print(("%d neighbours among %d digits: test accuracy %.2f%%"):format(opt.k, #x, 100 * right / #x_test))
