-- Runs the example of every documented thing and compares what it prints with what it says behind `-->`.
--   host examples.lua [MODULE...]     without one: all modules. Files are written to the current folder, data is ./data.
local catalog = require "host.catalog"
local code_of = require "example_code"
local modules = {[""] = #arg == 0}
for _, name in ipairs(#arg > 0 and arg or catalog.modules()) do
  require(name)
  modules[name] = true
end

local function squeeze(text) return (text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")) end

local count, failed, compiled = 0, 0, 0
for _, entry in ipairs(catalog.docs()) do
  local example = entry.example
  if modules[entry.module:match("^[^.]*")] and example ~= "" then
    count = count + 1
    local code, expected = code_of.parse(example)
    local printed = {}
    local chunk, message = code_of.compile(entry.name, code, function(text) printed[#printed + 1] = text end)
    local ok = chunk ~= nil
    if chunk and code_of.needs(example) then
      compiled = compiled + 1
      expected = {}
    elseif chunk then
      ok, message = pcall(chunk)
    end
    local problem
    if not ok then
      problem = tostring(message)
    elseif #printed ~= #expected then
      problem = string.format("printed %d texts, %d are stated", #printed, #expected)
    else
      for i, want in ipairs(expected) do
        if squeeze(printed[i]) ~= squeeze(want) then
          problem = "printed " .. squeeze(printed[i]) .. "\n  stated  " .. squeeze(want)
          break
        end
      end
    end
    if problem then
      failed = failed + 1
      print("FAILED example of " .. entry.name .. "\n  " .. problem)
    end
  end
end
print(string.format("%d examples, %d failed, %d of them only compiled", count, failed, compiled))
os.exit(failed == 0)
