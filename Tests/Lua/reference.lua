-- docs/reference.md is what the declarations say now, and its links lead somewhere.
local check = require "check"
local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."
local fresh = require("host.reference").text()
local file = assert(io.open(here .. "/../../docs/reference.md"))
local kept = file:read("a")
file:close()

local function lines(text)
  local list = {}
  for line in (text .. "\n"):gmatch("(.-)\n") do list[#list + 1] = line end
  return list
end
if kept ~= fresh then
  local a, b = lines(kept), lines(fresh)
  for i = 1, math.max(#a, #b) do
    if a[i] ~= b[i] then
      check.fail("docs/reference.md", ("is stale; run make docs. Line %d is\n  %s\nand should be\n  %s"):format(i, tostring(a[i]), tostring(b[i])))
      break
    end
  end
end

local anchors = {}
for id in fresh:gmatch('<a id="([^"]+)"></a>') do
  check.that(id, not anchors[id], "is the anchor of two headings")
  anchors[id] = true
end
for target in fresh:gmatch("%]%(#([^)]+)%)") do check.that(target, anchors[target], "is linked but has no heading") end
check.done(900)
