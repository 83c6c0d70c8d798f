-- Runs the example of every documented thing and compares what it prints with what it says behind `-->`.
--   host examples.lua [MODULE...]     without one: all modules. Files are written to the current folder, data is ./data.
local catalog = require "host.catalog"
local modules = {[""] = #arg == 0}
for _, name in ipairs(#arg > 0 and arg or catalog.modules()) do
  require(name)
  modules[name] = true
end

local function squeeze(text) return (text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")) end

local function show(value)
  if type(value) ~= "table" or (getmetatable(value) or {}).__tostring then return tostring(value) end
  local parts = {}
  for i, v in ipairs(value) do parts[i] = show(v) end
  return "{" .. table.concat(parts, ", ") .. "}"
end

-- The lines of an example: code to run, and the texts it should print. Lines that continue a printed
-- tensor begin with a bracket.
local function parse(example)
  local code, expected = {}, {}
  for line in (example .. "\n"):gmatch("(.-)\n") do
    local head, text = line:match("^(.-)%s*%-%-> ?(.*)$")
    if head then
      expected[#expected + 1] = text
      local statement = head:find("print%s*%(") or head:match("^%s*$") or head:match("^%s*local ")
      code[#code + 1] = statement and head or "__show(" .. head .. ")"
    elseif line:match("^%s*%[") and #expected > 0 then
      expected[#expected] = expected[#expected] .. " " .. line
    else
      code[#code + 1] = line
    end
  end
  return table.concat(code, "\n"), expected
end

-- Examples that need a server, files or the end of the program say so in their first line; they are only compiled.
local function needs(example) return example:match("^%-%- (needs [^\n]*)") or example:match("^%-%- (ends [^\n]*)") end

local count, failed, compiled = 0, 0, 0
for _, entry in ipairs(catalog.docs()) do
  local example = entry.example
  if modules[entry.module:match("^[^.]*")] and example ~= "" then
    count = count + 1
    local code, expected = parse(example)
    local printed = {}
    local environment = setmetatable({
      print = function(...)
        local parts = table.pack(...)
        for i = 1, parts.n do parts[i] = tostring(parts[i]) end
        printed[#printed + 1] = table.concat(parts, " ")
      end,
      __show = function(...)
        local parts = table.pack(...)
        for i = 1, parts.n do parts[i] = show(parts[i]) end
        printed[#printed + 1] = table.concat(parts, " ")
      end,
    }, {__index = function(_, name)
      if _G[name] ~= nil then return _G[name] end
      local ok, value = pcall(require, name)
      return ok and value or nil
    end})
    local chunk, message = load(code, entry.name, "t", environment)
    local ok = chunk ~= nil
    if chunk and needs(example) then
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
