-- Calls the example of every documented thing again and again: resident memory stays where it is. What a program keeps hold of,
-- though it will never use it again, is no leak to a sanitizer.
--   host growth.lua SECONDS [MODULE...]     without one: all modules. Files are written to the current folder, data is ./data.
local catalog = require "host.catalog"
local code_of = require "example_code"
local fs = require "fs"
local time = require "time"
local wandb = require "wandb"

local seconds = tonumber(arg[1])
local modules = {[""] = #arg == 1}
for _, name in ipairs(#arg > 1 and table.pack(table.unpack(arg, 2)) or catalog.modules()) do
  require(name)
  modules[name] = true
end

local chunks = {}
for _, entry in ipairs(catalog.docs()) do
  local example = entry.example
  if modules[entry.module:match("^[^.]*")] and example ~= "" and not code_of.needs(example) then
    local code = code_of.parse(example)
    chunks[#chunks + 1] = {name = entry.name, run = assert(code_of.compile(entry.name, code, function() end))}
  end
end

-- Resident memory, and what of it Lua's objects have, in KB; and how much more after a round is growth. Lua's is exact.
local function memory()
  collectgarbage()
  collectgarbage()
  local lua = collectgarbage "count"
  return {resident = tonumber((fs.read "/proc/self/status"):match "VmRSS:%s*(%d+)"), lua = lua}
end
local growth = {resident = 32, lua = 1 / 1024}

-- How often it can be called in a while, at least once.
local function calls(chunk, limit)
  local began, count = time.monotonic(), 0
  repeat
    chunk.run()
    count = count + 1
  until time.monotonic() - began > limit
  return count
end

-- A run that records what is written, as in a long training.
local run = wandb.init{project = "growth", id = "growth", mode = "offline"}
-- Three rounds for most; caches and the allocator's pools fill in some more.
local limit, rounds = seconds / #chunks / 3, 10
local total, growing = 0, {}
for _, chunk in ipairs(chunks) do
  -- Rounds are alike in calls, not in time: what waits for the collector between two measurements is as much as a round's
  -- calls leave, and calls get faster.
  local first = calls(chunk, limit)
  local count = math.max(first, calls(chunk, limit))
  total = total + first + count
  local grows = {resident = true, lua = true}
  local before = memory()
  for round = 1, rounds do
    for _ = 1, count do chunk.run() end
    total = total + count
    local after = memory()
    for kind, least in pairs(growth) do
      local more = after[kind] - before[kind]
      grows[kind] = grows[kind] and more >= least
      if round == rounds and grows[kind] then
        growing[#growing + 1] = ("growth: %s: %.1f KB (%s) in the last %d calls"):format(chunk.name, more, kind, count)
      end
    end
    if not (grows.resident or grows.lua) then break end
    before = after
  end
end
run:finish()
print(("growth: %d examples called %d times, memory grows with %d"):format(#chunks, total, #growing))
for _, line in ipairs(growing) do print(line) end
os.exit(#growing == 0)
