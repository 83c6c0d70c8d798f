-- The examples of the documentation as functions that can be called.
local M = {}

local function show(value)
  if type(value) ~= "table" or (getmetatable(value) or {}).__tostring then return tostring(value) end
  local parts = {}
  for i, v in ipairs(value) do parts[i] = show(v) end
  return "{" .. table.concat(parts, ", ") .. "}"
end

-- The lines of an example: code to run, and the texts it should print. Lines that continue a printed
-- tensor begin with a bracket.
function M.parse(example)
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
function M.needs(example) return example:match("^%-%- (needs [^\n]*)") or example:match("^%-%- (ends [^\n]*)") end

-- An example's code as a function; what it prints, or shows behind `-->`, goes to `out` as text.
function M.compile(name, code, out)
  local function tell(form)
    return function(...)
      local parts = table.pack(...)
      for i = 1, parts.n do parts[i] = form(parts[i]) end
      out(table.concat(parts, " "))
    end
  end
  -- Modules by their names, as in a session.
  local environment = setmetatable({print = tell(tostring), __show = tell(show)}, {__index = function(_, key)
    if _G[key] ~= nil then return _G[key] end
    local ok, value = pcall(require, key)
    return ok and value or nil
  end})
  return load(code, name, "t", environment)
end

return M
