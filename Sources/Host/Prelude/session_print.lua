-- How a session prints values: tables with their contents, tensors with shape and dtype, datasets with what they hold.
local host = ...
local M = {}

-- Tables deeper than this, and more entries than this in one table, are left out.
local DEPTH, ENTRIES, NESTED, LINES, STRING = 5, 100, 20, 60, 2000

local function no_color(_, text) return text end

-- A string as Lua would read it; what is no readable text as escapes.
local function quoted(text, limit)
  local cut = #text > limit
  if cut then text = text:sub(1, limit) end
  local body = text:gsub('[%c"\\]', function(c)
    local known = {["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r", ['"'] = '\\"', ["\\"] = "\\\\"}
    return known[c] or ("\\%d"):format(c:byte())
  end)
  if not utf8.len(body) then body = body:gsub("[\128-\255]", function(c) return ("\\x%02x"):format(c:byte()) end) end
  return '"' .. body .. '"' .. (cut and "..." or ""), cut
end

local reserved = {}
for word in ("and break do else elseif end false for function goto if in local nil not or repeat return then true until while"):gmatch("%a+") do
  reserved[word] = true
end

local function key_order(a, b)
  local ta, tb = type(a), type(b)
  if ta == tb and (ta == "number" or ta == "string") then return a < b end
  if ta ~= tb then
    if ta == "number" then return true end
    if tb == "number" then return false end
    return ta < tb
  end
  return tostring(a) < tostring(b)
end

local function shape_text(t) return "[" .. table.concat(t.shape, ", ") .. "]" end
M.shape_text = shape_text

-- tostring, which a metamethod of the script may refuse.
local function safe_tostring(value)
  local ok, text = pcall(tostring, value)
  if ok and type(text) == "string" then return text end
  return ("<%s that cannot be printed: %s>"):format(type(value), tostring(text))
end

local function type_name(value)
  local meta = debug.getmetatable(value)
  local name = type(meta) == "table" and rawget(meta, "__name")
  return type(name) == "string" and name or nil
end
M.type_name = type_name

local function is_tensor(value) return type(value) == "userdata" and type_name(value) == "Tensor" end
M.is_tensor = is_tensor

local function function_text(value)
  local doc = host.session_doc(value)
  if doc then return "function " .. doc.head end
  local info = debug.getinfo(value, "S")
  if info.what == "C" then return "function (native)" end
  return ("function <%s:%d>"):format(info.short_src, info.linedefined)
end

local function dataset_text(ds)
  local lines = {safe_tostring(ds)}
  local function add(name, text) lines[#lines + 1] = ("  %-8s %s"):format(name, text) end
  local function part(value) return is_tensor(value) and value.dtype .. " " .. shape_text(value) or math.type(value) or type(value) end
  local ok, sample = pcall(function() return #ds > 0 and ds[0] or nil end)
  if ok and type(sample) == "table" then
    local parts = {}
    for i, value in ipairs(sample) do parts[i] = part(value) end
    add("sample", table.concat(parts, ", "))
  end
  local function field(name)
    local found, value = pcall(function() return ds[name] end)
    return found and value or nil
  end
  for _, name in ipairs{"images", "labels"} do
    local value = field(name)
    if is_tensor(value) then add(name, part(value)) end
  end
  local classes, labels = field("classes"), field("labels")
  if type(classes) == "table" then
    local counts
    if is_tensor(labels) then
      local counted, list = pcall(function() return labels:bincount{minlength = #classes}:tolist() end)
      counts = counted and list or nil
    end
    local shown = {}
    for i = 1, math.min(#classes, 30) do
      shown[i] = tostring(classes[i]) .. (counts and (" (%d)"):format(counts[i]) or "")
    end
    add("classes", #classes .. ": " .. table.concat(shown, ", ") .. (#classes > 30 and ", ..." or ""))
  end
  return table.concat(lines, "\n")
end

-- options: width, color(kind, text), all (nothing is left out). Gives the text, and whether something was left out.
function M.pretty(value, options)
  options = options or {}
  local width, color = options.width or 80, options.color or no_color
  local all = options.all
  local open, left_out = {}, false

  local scalar
  local function render(v, depth, indent)
    local kind = type(v)
    if kind ~= "table" then return scalar(v, depth) end
    local meta = debug.getmetatable(v)
    if type(meta) == "table" and rawget(meta, "__tostring") ~= nil then
      local text = safe_tostring(v)
      if depth > 0 and text:find("\n", 1, true) then
        return color("note", "<" .. (type_name(v) or "object") .. ">")
      end
      return text
    end
    if open[v] then return color("note", "<cycle>") end
    if next(v) == nil then return "{}" end
    if depth >= (all and 100 or DEPTH) then
      left_out = true
      return color("note", "{...}")
    end
    open[v] = true
    local name = type_name(v)
    local parts, plain, count, more = {}, true, 0, 0
    local limit = all and math.huge or depth == 0 and ENTRIES or NESTED
    local length = rawlen(v)
    for i = 1, length do
      if count >= limit then break end
      count = count + 1
      local item = rawget(v, i)
      plain = plain and type(item) ~= "table"
      parts[#parts + 1] = render(item, depth + 1, indent + 2)
    end
    if length > count then more = length - count end
    local keys = {}
    for k in next, v do
      if not (math.type(k) == "integer" and k >= 1 and k <= length) then keys[#keys + 1] = k end
    end
    table.sort(keys, key_order)
    for at, k in ipairs(keys) do
      if count >= limit then
        more = more + #keys - at + 1
        break
      end
      count = count + 1
      plain = false
      local item = rawget(v, k)
      local label
      if type(k) == "string" and k:match("^[%a_][%w_]*$") and not reserved[k] then
        label = color("key", k)
      else
        label = "[" .. (type(k) == "table" and color("note", "table") or scalar(k, depth + 1)) .. "]"
      end
      parts[#parts + 1] = label .. " = " .. render(item, depth + 1, indent + 2)
    end
    open[v] = nil
    if more > 0 then
      left_out = true
      parts[#parts + 1] = color("note", ("... %d more"):format(more))
    end
    local head = name and depth >= 0 and color("note", name) .. " " or ""
    -- Escape codes have no width.
    local function visible(text) return utf8.len((text:gsub("\27%[[%d;]*m", ""))) or #text end
    local total, single = indent + 4, true
    for _, part in ipairs(parts) do
      total = total + visible(part) + 2
      if part:find("\n", 1, true) then single = false end
    end
    if single and total <= width then return head .. "{" .. table.concat(parts, ", ") .. "}" end
    local margin = (" "):rep(indent + 2)
    local lines = {}
    if plain then
      -- Plain items flow, as words do.
      local line, used = {}, indent + 2
      for _, part in ipairs(parts) do
        local size = visible(part) + 2
        if used + size > width and #line > 0 then
          lines[#lines + 1] = margin .. table.concat(line, ", ")
          line, used = {}, indent + 2
        end
        line[#line + 1], used = part, used + size
      end
      lines[#lines + 1] = margin .. table.concat(line, ", ")
    else
      for i, part in ipairs(parts) do lines[i] = margin .. part end
    end
    return head .. "{\n" .. table.concat(lines, ",\n") .. "\n" .. (" "):rep(indent) .. "}"
  end

  function scalar(v, depth)
    local kind = type(v)
    if kind == "string" then
      local text, cut = quoted(v, all and math.huge or STRING)
      left_out = left_out or cut
      return color("string", text)
    elseif kind == "number" or kind == "boolean" or kind == "nil" then
      return color("number", tostring(v))
    elseif kind == "function" then
      return color("note", function_text(v))
    elseif kind == "userdata" then
      if is_tensor(v) then
        if depth > 0 then
          if v.ndim <= 1 and v:numel() <= 6 and not v.requires_grad then return safe_tostring(v) end
          return color("note", ("tensor %s %s"):format(v.dtype, shape_text(v)))
        end
        return safe_tostring(v) .. "\n" .. color("note", shape_text(v) .. " " .. v.dtype)
      end
      if depth == 0 and type_name(v) == "Dataset" then return dataset_text(v) end
      return safe_tostring(v)
    end
    return color("note", safe_tostring(v))
  end

  local text = render(value, 0, 0)
  if not all then
    local _, lines = text:gsub("\n", "")
    if lines >= LINES then
      local at, shown = 0, 0
      while shown < LINES do
        at = text:find("\n", at + 1, true)
        shown = shown + 1
      end
      text = text:sub(1, at) .. color("note", ("... %d more lines"):format(lines - LINES + 1))
      left_out = true
    end
  end
  return text, left_out
end

return M
