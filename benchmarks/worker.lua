-- Runs the cases that the driver (bench.py) names on standard input, one a line: AREA CASE THREADS SECONDS.
-- Answers with the seconds that one run of the case takes. worker.py is the same for PyTorch.
local tensor = require "tensor"
local time = require "time"

local areas, prepared = {}, {}

-- One run's seconds: as many runs as fill the time, after a first one that is not counted.
local function measure(run, seconds)
  run()
  local count, spent = 1, 0
  while true do
    local began = time.monotonic()
    for _ = 1, count do run() end
    spent = time.monotonic() - began
    if spent >= seconds / 2 then return spent / count end
    count = spent <= 0 and count * 10 or math.max(count + 1, math.ceil(count * math.min(10, seconds * 0.75 / spent)))
  end
end

for line in io.lines() do
  local area, name, threads, seconds = line:match "^(%S+) (%S+) (%d+) (%S+)$"
  tensor.set_num_threads(math.tointeger(threads))
  areas[area] = areas[area] or require(area)
  local key = area .. " " .. name
  if not prepared[key] then
    -- One case at a time keeps its data.
    prepared = {[key] = {areas[area][name]()}}
    collectgarbage()
  end
  local run, scale = table.unpack(prepared[key])
  print(("%.9g"):format(measure(run, tonumber(seconds)) * (scale or 1)))
  io.stdout:flush()
end
