-- Work that is shared out over threads: every part is done once, however fast one operation follows the other.
local tensor = require "tensor"

local before = tensor.get_num_threads()
for _, threads in ipairs{1, 2, 3, 7, 2} do
  tensor.set_num_threads(threads)
  -- From one part to more than all shares have, whole ones and a rest.
  for _, count in ipairs{1000, 32768, 65536, 65537, 100000, 229376, 1000001} do
    local x = tensor.zeros(count)
    local rounds = count < 200000 and 500 or 40
    for _ = 1, rounds do x:add_(1) end
    local least, most = x:min():item(), x:max():item()
    assert(least == rounds and most == rounds, ("%d threads, %d elements: %g to %g for %d"):format(threads, count, least, most, rounds))
  end
end
tensor.set_num_threads(before)
