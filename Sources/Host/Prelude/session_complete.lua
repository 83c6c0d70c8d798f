-- What may stand where the cursor is. Nothing of the script runs for it: tables are read raw, natives by their declarations.
local host, printing = ...
local M = {}

local keywords = {}
for word in ("and break do else elseif end false for function goto if in local nil not or repeat return then true until while"):gmatch("%a+") do
  keywords[#keywords + 1] = word
end

-- Walks over the text and says what is open at its end: `string` (where it began), `comment`, and the brackets.
local function scan(text)
  local i, n, stack = 1, #text, {}
  while i <= n do
    local c = text:sub(i, i)
    if c == "-" and text:sub(i, i + 1) == "--" then
      local level = text:match("^%-%-%[(=*)%[", i)
      local close = level and select(2, text:find("]" .. level .. "]", i, true)) or not level and text:find("\n", i, true)
      if not close then return {comment = true, stack = stack} end
      i = close + 1
    elseif c == '"' or c == "'" then
      local j = i + 1
      while j <= n do
        local d = text:sub(j, j)
        if d == "\\" then j = j + 1 elseif d == c or d == "\n" then break end
        j = j + 1
      end
      if j > n then return {string = i + 1, stack = stack} end
      i = j + 1
    elseif c == "[" and text:find("^%[=*%[", i) then
      local level = text:match("^%[(=*)%[", i)
      local close = select(2, text:find("]" .. level .. "]", i, true))
      if not close then return {comment = true, stack = stack} end
      i = close + 1
    else
      if c == "(" or c == "{" or c == "[" then
        stack[#stack + 1] = {open = c, at = i, separator = i}
      elseif c == ")" or c == "}" or c == "]" then
        stack[#stack] = nil
      elseif (c == "," or c == ";") and #stack > 0 then
        stack[#stack].separator = i
      end
      i = i + 1
    end
  end
  return {stack = stack}
end

-- The place of the bracket that belongs to the closing one at the end of the text.
local pairs_of = {[")"] = "(", ["]"] = "[", ["}"] = "{"}
local function opener(text)
  local depth, i = 0, #text
  while i >= 1 do
    local c = text:sub(i, i)
    if pairs_of[c] then depth = depth + 1
    elseif c == "(" or c == "[" or c == "{" then
      depth = depth - 1
      if depth == 0 then return i end
    elseif c == '"' or c == "'" then
      -- back over a string without quotes in it
      local j = i - 1
      while j >= 1 and text:sub(j, j) ~= c do j = j - 1 end
      i = j
    end
    i = i - 1
  end
end

local function methods_of(type_name)
  local ok, methods = pcall(host.methods, type_name)
  return ok and methods or nil
end

local type_of_kind = {tensor = "Tensor", dataset = "Dataset", figure = "Figure"}

-- What the index metamethod of a table reaches without a call.
local function raw_member(table_, name)
  local seen = 0
  while type(table_) == "table" and seen < 20 do
    local value = rawget(table_, name)
    if value ~= nil then return value end
    local meta = debug.getmetatable(table_)
    table_ = type(meta) == "table" and rawget(meta, "__index") or nil
    seen = seen + 1
  end
end

-- Resolves the expression at the end of the text to {value = v} or {type = "Tensor"}; nil when it cannot be known.
local resolve

local function result_of(callee)
  if callee == nil then return nil end
  local value = callee.value
  if value == nil then return nil end
  if type(value) == "table" and rawget(value, "__module") then return {class = value} end
  local doc = host.session_doc(value)
  if not doc then return nil end
  local kind = doc.returns:match("^%s*([%a_][%w_]*)")
  if kind and type_of_kind[kind] then return {type = type_of_kind[kind]} end
  if doc.module == "optim" or doc.module == "optim.lr_scheduler" then return {class = value} end
end

local function member(base, name)
  if base == nil then return nil end
  if base.class then
    local value = raw_member(base.class, name)
    return value ~= nil and {value = value} or nil
  end
  local value = base.value
  if type(value) == "table" then
    local found = raw_member(value, name)
    return found ~= nil and {value = found} or nil
  end
  if type(value) == "string" then return {value = string[name]} end
  local type_name = base.type or type(value) == "userdata" and printing.type_name(value)
  local methods = type_name and methods_of(type_name)
  if not methods then return nil end
  local found = rawget(methods, name)
  if type(found) == "function" then return {value = found} end
  if found ~= nil then
    -- A computed field: its declaration says of what kind it is.
    local kind = host.session_field_kind(type_name, name)
    return kind and type_of_kind[kind] and {type = type_of_kind[kind]} or nil
  end
end

function resolve(text)
  text = text:gsub("%s+$", "")
  local last = text:sub(-1)
  if last == ")" or last == "}" then
    local at = opener(text)
    if not at then return nil end
    local before = text:sub(1, at - 1):gsub("%s+$", "")
    if before:find("[%w_%)%]\"']$") then return result_of(resolve(before)) end
    if last == ")" then return resolve(text:sub(at + 1, -2)) end
    return nil
  elseif last == '"' or last == "'" then
    local before = text:match("^(.-)%s*" .. last .. "[^" .. last .. "]*" .. last .. "$")
    if before and before:find("[%w_%)%]]$") then return result_of(resolve(before)) end
    return {value = ""}
  elseif last == "]" then
    local at = opener(text)
    if not at then return nil end
    local base, key = resolve(text:sub(1, at - 1)), text:sub(at + 1, -2)
    if not base then return nil end
    if base.type == "Tensor" or printing.is_tensor(base.value) then return {type = "Tensor"} end
    local index = math.tointeger(tonumber(key)) or tonumber(key) or key:match("^%s*\"([^\"]*)\"%s*$") or key:match("^%s*'([^']*)'%s*$")
    if index == nil or type(base.value) ~= "table" then return nil end
    local value = rawget(base.value, index)
    -- Sequential counts from 0 and keeps its parts under their names.
    if value == nil then value = rawget(base.value, tostring(index)) end
    return value ~= nil and {value = value} or nil
  end
  local before, name = text:match("^(.-)([%a_][%w_]*)$")
  if not name then return nil end
  before = before:gsub("%s+$", "")
  local joint = before:sub(-1)
  if (joint == "." and before:sub(-2) ~= "..") or joint == ":" then return member(resolve(before:sub(1, -2)), name) end
  local value = rawget(_G, name)
  return value ~= nil and {value = value} or nil
end
M.resolve = resolve

-- Adds the names in a table and those that its metatables add.
local function add_names(out, table_, methods_only)
  local seen = 0
  while type(table_) == "table" and seen < 20 do
    for key, value in next, table_ do
      if type(key) == "string" and key:match("^[%a_][%w_]*$") and (not methods_only or type(value) == "function") then
        out[key] = out[key] or type(value)
      end
    end
    local meta = debug.getmetatable(table_)
    table_ = type(meta) == "table" and rawget(meta, "__index") or nil
    seen = seen + 1
  end
end

local function members(base, methods_only)
  local out = {}
  if base == nil then return out end
  if base.class then
    add_names(out, base.class, methods_only)
  elseif type(base.value) == "table" then
    add_names(out, base.value, methods_only)
  elseif type(base.value) == "string" then
    add_names(out, string, true)
  else
    local type_name = base.type or type(base.value) == "userdata" and printing.type_name(base.value)
    local methods = type_name and methods_of(type_name)
    for key, value in next, methods or {} do
      if type(key) == "string" then
        local is_method = type(value) == "function"
        if is_method or not methods_only then out[key] = is_method and "function" or "field" end
      end
    end
    if type_name == "Dataset" and not methods_only then
      for _, name in ipairs(host.session_dataset_fields(base.value)) do out[name] = "field" end
    end
  end
  return out
end

-- Matches that begin with the prefix, in order; names with a leading underscore only when asked for.
local function matching(names, prefix)
  local out = {}
  for name, kind in next, names do
    if name:sub(1, #prefix) == prefix and (prefix ~= "" or name:sub(1, 1) ~= "_") then out[#out + 1] = {text = name, kind = kind} end
  end
  table.sort(out, function(a, b)
    local ua, ub = a.text:sub(1, 1) == "_", b.text:sub(1, 1) == "_"
    if ua ~= ub then return ub end
    return a.text < b.text
  end)
  return out
end

-- The function whose call encloses the cursor, and whether the cursor is in a table of options there.
local function enclosing_call(text, stack)
  local top = stack[#stack]
  if not top then return nil end
  if top.open == "{" then
    local before = text:sub(1, top.at - 1):gsub("%s+$", "")
    if before:find("[%w_%]]$") or before:find("%)$") then return resolve(before), true end
    local outer = stack[#stack - 1]
    if outer and outer.open == "(" and before:find("[%(,]$") then
      return resolve(text:sub(1, outer.at - 1)), true
    end
  elseif top.open == "(" then
    return resolve(text:sub(1, top.at - 1)), false
  end
end

local function files(prefix)
  local folder, name = prefix:match("^(.*/)([^/]*)$")
  local base = folder or "./"
  if base:sub(1, 2) == "~/" then base = (os.getenv("HOME") or "~") .. base:sub(2) end
  local out = {}
  for _, entry in ipairs(host.session_files(base)) do
    if entry.name:sub(1, #(name or prefix)) == (name or prefix) and (entry.name:sub(1, 1) ~= "." or (name or prefix):sub(1, 1) == ".") then
      out[#out + 1] = {text = entry.name .. (entry.is_folder and "/" or ""), kind = "file"}
    end
  end
  table.sort(out, function(a, b) return a.text < b.text end)
  return out, #(name or prefix)
end

local commands = {"all", "debug", "doc", "help", "load", "mem", "q", "reload", "save", "time", "who"}

-- Gives where the word begins (bytes before the cursor) and what may replace it: {text, kind} each.
function M.complete(text)
  local command = text:match("^:(%a*)$")
  if command then
    local names = {}
    for _, name in ipairs(commands) do names[name] = "command" end
    return #command, matching(names, command)
  end
  local path = text:match("^:load%s+(%S*)$") or text:match("^:save%s+(%S*)$")
  if path then
    local found, length = files(path)
    return length, found
  end
  local state = scan(text)
  if state.comment then return 0, {} end
  if state.string then
    local prefix = text:sub(state.string)
    local top = state.stack[#state.stack]
    local requires = text:sub(1, state.string - 2):find("require%s*%(?%s*$")
    if requires then
      local names = {}
      for _, name in ipairs(host.session_modules()) do names[name] = "module" end
      return #prefix, matching(names, prefix)
    end
    local found, length = files(prefix)
    -- The choices that a declaration lists come before files.
    local key = text:sub(1, state.string - 2):match("([%a_][%w_]*)%s*=%s*$")
    local callee, in_options = enclosing_call(text:sub(1, state.string - 2), state.stack)
    local doc = key and in_options and callee and callee.value ~= nil and host.session_doc(callee.value)
    for _, parameter in ipairs(doc and doc.parameters or {}) do
      if parameter.name == key and #parameter.choices > 0 then
        local names = {}
        for _, choice in ipairs(parameter.choices) do names[choice] = "choice" end
        return #prefix, matching(names, prefix)
      end
    end
    return length, found
  end
  local before, prefix = text:match("^(.-)([%a_]?[%w_]*)$")
  if prefix:find("^%d") then return 0, {} end
  local joint = before:match("[%.:]$")
  if joint and not before:find("%.%.$") and not before:find("::$") then
    return #prefix, matching(members(resolve(before:sub(1, -2)), joint == ":"), prefix)
  end
  if before:find("%.%.%.$") then return 0, {} end
  local top = state.stack[#state.stack]
  if top and top.open == "{" and text:sub(top.separator + 1, #text - #prefix):find("^%s*$") then
    local callee = enclosing_call(text, state.stack)
    local doc = callee and callee.value ~= nil and host.session_doc(callee.value)
    local given = text:sub(top.at)
    local options = {}
    for _, parameter in ipairs(doc and doc.parameters or {}) do
      if parameter.name ~= "self" and parameter.name ~= "..." and not given:find("[{,;%s]" .. parameter.name .. "%s*=") then
        options[parameter.name] = "option"
      end
    end
    local found = matching(options, prefix)
    if #found > 0 then
      for _, match in ipairs(found) do match.text = match.text .. " = " end
      return #prefix, found
    end
  end
  local names = {}
  for key, value in next, _G do
    if type(key) == "string" and key:match("^[%a_][%w_]*$") then names[key] = type(value) end
  end
  for _, word in ipairs(keywords) do names[word] = "keyword" end
  if prefix == "" and before:find("%S") == nil then
    for _, word in ipairs(keywords) do names[word] = nil end
  end
  return #prefix, matching(names, prefix)
end

-- The thing under the cursor, for help: {value = v} or nil.
function M.at(text, cursor)
  local right = text:sub(cursor + 1):match("^[%w_]*")
  local left = text:sub(1, cursor) .. right
  local found = resolve(left:gsub("[%(%{%s]+$", ""))
  if found and found.value ~= nil then return found end
  -- Inside of a call: what is called.
  local state = scan(text:sub(1, cursor))
  for depth = #state.stack, 1, -1 do
    local open = state.stack[depth]
    local callee = (open.open == "(" or open.open == "{") and resolve(text:sub(1, open.at - 1)) or nil
    if callee and callee.value ~= nil then return callee end
  end
end

return M
