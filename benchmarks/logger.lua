-- The logger alone, offline: seconds to start a run, for a row of five numbers, to finish; bytes of memory it takes.
local time = require "time"
local wandb = require "wandb"

local function resident()
  for line in io.lines "/proc/self/status" do
    local kilobytes = line:match "^VmRSS:%s*(%d+)"
    if kilobytes then return kilobytes * 1024 end
  end
end

local rows = tonumber(arg[1])
local before, began = resident(), time.monotonic()
local run = wandb.init{mode = "offline", project = "bench", dir = os.getenv "BENCH_TMP", settings = {console = "off"}}
local started = time.monotonic()
for i = 1, rows do
  run:log{loss = 1 / i, accuracy = 1 - 1 / i, lr = 0.001, epoch = i // 100, samples = i * 32}
end
local logged, after = time.monotonic(), resident()
run:finish()
print("init", started - began)
print("log", (logged - started) / rows)
print("finish", time.monotonic() - logged)
print("memory", after - before)
