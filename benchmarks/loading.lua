-- MNIST from its four gzip files to tensors.
local data = require "data"

local root = os.getenv "BENCH_MNIST" or "data/mnist"

return {
  mnist = function()
    return function()
      for _, split in ipairs{"train", "test"} do
        local set = data.mnist{root = root, split = split}
        assert(set.images:numel() == #set * 784 and set.labels:numel() == #set)
      end
    end
  end,
}
