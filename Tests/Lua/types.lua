-- The editor stubs: every file is Lua, every annotation is of lua-language-server's grammar, every class that is named
-- exists, the arguments of each function are those that its annotations name, and nothing that modules hold is missing.
local check = require "check"
local files = require("host.types").files()
local surface = require "host.surface"

-- A type: NAME, "text", NAME[], fun(a: T, ...): T, unions; gives what is left, and notes the names.
local named
local parse_type

local function parse_fun(s)
  s = s:match("^fun%((.*)$")
  if not s then return nil end
  while true do
    local rest = s:match("^%s*%)(.*)$")
    if rest then s = rest break end
    s = s:match("^%s*[%w_]+%??%s*:(.*)$") or s:match("^%s*%.%.%.%s*:(.*)$")
    if not s then return nil end
    s = parse_type(s)
    if not s then return nil end
    s = s:match("^%s*,(.*)$") or s
  end
  local result = s:match("^%s*:(.*)$")
  while result do
    s = parse_type(result)
    if not s then return nil end
    result = s:match("^%s*,(.*)$")
  end
  return s
end

function parse_type(s)
  repeat
    s = s:match("^%s*(.*)$")
    local rest = s:match('^"[^"]*"(.*)$')
    if not rest and s:find("^fun%(") then rest = parse_fun(s) end
    if not rest then
      local name
      name, rest = s:match("^([%a_][%w_.]*)(.*)$")
      if not name then return nil end
      named[name] = true
    end
    while rest and rest:find("^%[%]") do rest = rest:sub(3) end
    if not rest then return nil end
    rest = rest:match("^%?(.*)$") or rest
    s = rest
    local more = s:match("^|(.*)$")
    if more then s = more end
  until not more
  return s
end

-- What may stand behind each tag; gives an error or nil.
local tags = {
  meta = function(s) return not s:find("^[%w_.]+$") and "expected a module name" end,
  class = function(s, defined)
    local name, parent = s:match("^([%w_.]+)%s*:?%s*(.*)$")
    if not name then return "expected a class name" end
    defined[name] = (defined[name] or 0) + 1
    if parent ~= "" and (not parent:find("^[%w_.]+$")) then return "expected a parent class" end
    if parent ~= "" then named[parent] = true end
  end,
  alias = function(s, defined)
    local name, rest = s:match("^([%w_.]+)%s+(.*)$")
    if not name then return "expected a name and a type" end
    defined[name] = 1
    return parse_type(rest) ~= "" and "expected a type"
  end,
  field = function(s)
    local rest = s:match("^[%a_][%w_]*%??%s+(.*)$")
    if not rest then
      local key
      key, rest = s:match("^%[([^%]]+)%]%s+(.*)$")
      if not key or parse_type(key) ~= "" then return "expected a name or [type]" end
    end
    local left = parse_type(rest)
    return not (left and (left == "" or left:find("^%s"))) and "expected a type"
  end,
  param = function(s)
    local rest = s:match("^[%a_][%w_]*%??%s+(.*)$") or s:match("^%.%.%.%s+(.*)$")
    local left = rest and parse_type(rest)
    return not (left and (left == "" or left:find("^%s"))) and "expected a name and a type"
  end,
  ["return"] = function(s)
    local left = parse_type(s)
    return not (left and (left == "" or left:find("^%s"))) and "expected a type"
  end,
  overload = function(s) return (not s:find("^fun%(") or parse_type(s) ~= "") and "expected fun(...)" end,
  operator = function(s)
    local name, rest = s:match("^(%a+)(.*)$")
    local known = {add = 1, sub = 1, mul = 1, div = 1, mod = 1, pow = 1, idiv = 1, unm = 0, len = 0, concat = 1, call = 1}
    if not known[name] then return "unknown operator" end
    local operand = rest:match("^(%b())")
    if (known[name] == 1) ~= (operand ~= nil) then return "wrong number of operands" end
    if operand and parse_type(operand:sub(2, -2)) ~= "" then return "expected the operand's type" end
    local result = rest:sub(#(operand or "") + 1):match("^:%s*(.*)$")
    return (not result or parse_type(result) ~= "") and "expected the result's type"
  end,
}

local builtin = {any = true, boolean = true, integer = true, number = true, string = true, table = true, ["function"] = true, ["nil"] = true, userdata = true}
local defined, used, functions = {}, {}, {}
for _, file in ipairs(files) do
  check.that(file.name, load(file.text, file.name), "is no Lua")
  check.equal(file.name .. ": first line", file.text:match("^[^\n]*"), "---@meta " .. file.name:gsub("%.lua$", ""))
  local params, number = {}, 0
  for line in file.text:gmatch("([^\n]*)\n") do
    number = number + 1
    local where = file.name .. ":" .. number
    local tag, rest = line:match("^%-%-%-@(%a+)%s*(.*)$")
    if tag then
      named = {}
      local problem = not tags[tag] and "unknown tag" or tags[tag](rest, defined)
      check.that(where, not problem, tostring(problem) .. ": " .. line)
      for name in pairs(named) do used[name] = where end
      if tag == "param" then params[#params + 1] = rest:match("^[%w_.]+") end
    elseif line:find("^function ") then
      local name, list = line:match("^function ([%w_.:]+)%((.-)%) end$")
      check.equal(where .. " " .. tostring(name), list, table.concat(params, ", "))
      functions[#functions + 1] = name
      params = {}
    elseif not line:find("^%-%-%-") then
      params = {}
      local plain = line == "" or line:find("^local [%w_]+ = {}$") or line:find("^[%w_.]+ = [%w_]+$") or line:find("^return %w+$")
      check.that(where, plain, "unexpected line: " .. line)
    end
  end
end
for name, where in pairs(used) do check.that(where, builtin[name] or defined[name], "names the unknown type " .. name) end
for name, count in pairs(defined) do check.that(name, count == 1, "is defined " .. count .. " times") end

-- Each function of a module has a stub, and each stub comes from one.
local expected = 0
local methods = surface.tensor_methods()
for _, page in ipairs(surface.pages()) do
  expected = expected + #page.functions
  for _, f in ipairs(page.functions) do
    if page.name == "tensor" and methods[f.name:match("[^.]+$")] then expected = expected + 1 end
  end
  for _, class in ipairs(page.classes) do
    check.that(class.name, defined[class.name], "has no class")
    expected = expected + #class.methods + (class.constructor and 1 or 0)
  end
end
check.equal("functions", #functions, expected)
check.done(2000)
