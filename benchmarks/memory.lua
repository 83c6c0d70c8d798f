-- Trains the CNN for some steps, then prints the largest memory that the process has had, in bytes.
local training = require "training"

local step = training.stepper("cnn", 64, training.adam)
for _ = 1, 30 do step() end
for line in io.lines "/proc/self/status" do
  local kilobytes = line:match "^VmHWM:%s*(%d+)"
  if kilobytes then print(kilobytes * 1024) end
end
