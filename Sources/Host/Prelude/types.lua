-- Editor stubs: `---@meta` files as lua-language-server reads them, one for each module, from what is declared.
local surface = require "host.surface"

local types = {}

local simple = {
  any = "any", bool = "boolean", boolean = "boolean", int = "integer", integer = "integer", number = "number", string = "string",
  ["function"] = "function", ints = "integer|integer[]", numbers = "number|number[]", shape = "integer|integer[]", list = "any[]",
  table = "table", options = "table", dtype = "tensor.dtype", ["nil"] = "nil",
}
-- What the program's own kinds and the results in signatures are called in stubs.
local aliases

local function type_of(kind)
  if kind:sub(1, 1) == '"' then return kind end
  local element = kind:match("^(.*)%[%]$")
  if element then return type_of(element) .. "[]" end
  return simple[kind] or aliases[kind] or kind
end

local function union(kinds)
  local seen, parts = {}, {}
  for _, kind in ipairs(kinds) do
    for part in type_of(kind):gmatch("[^|]+") do
      if not seen[part] then
        seen[part] = true
        parts[#parts + 1] = part
      end
    end
  end
  return table.concat(parts, "|")
end

local keywords = {}
for word in ("and break do else elseif end false for function goto if in local nil not or repeat return then true until while"):gmatch("%a+") do
  keywords[word] = true
end

local function variable(name) return keywords[name] and name .. "_" or name end

local function split(text, separator)
  local parts = {}
  for part in (text .. separator):gmatch("%s*(.-)%s*" .. separator) do
    if part ~= "" then parts[#parts + 1] = part end
  end
  return parts
end

-- Comment lines: what it does, then arguments that have no line of their own, errors, source, example.
local function comment(out, e, also)
  local function line(text) out[#out + 1] = text == "" and "---" or "---" .. text end
  line(e.summary)
  if also then line("") line(also) end
  if e.returns ~= "" then line("") line("Returns: " .. e.returns) end
  if e.errors ~= "" then line("") line("Errors: " .. e.errors) end
  if e.example ~= "" then
    line("")
    line("```lua")
    for text in (e.example .. "\n"):gmatch("(.-)\n") do line(text) end
    line("```")
  end
  if e.source and e.source ~= "" then line("") line("Source: " .. e.source) end
end

local function note(text) return text ~= "" and " " .. text or "" end

-- The parameters that a call gives: without the receiver of a method.
local function arguments(e, is_method)
  local list = {}
  for i, p in ipairs(e.parameters) do
    if not (is_method and i == 1) then list[#list + 1] = p end
  end
  return list
end

-- A class for the keyword table; nil when nobody needs one.
local function options_class(out, name, params)
  local count = 0
  for _, p in ipairs(params) do
    if not p.rest then count = count + ((p.default or p.keyword_only) and 2 or 1) end
  end
  if count < 2 then return nil end
  local class = name .. ".Options"
  out[#out + 1] = "---@class " .. class
  for _, p in ipairs(params) do
    if not p.rest then
      out[#out + 1] = ("---@field %s? %s%s"):format(p.name, union(p.kinds), note(p.text))
    end
  end
  out[#out + 1] = ""
  return class
end

local function results(out, result)
  for _, part in ipairs(split(result, ",")) do
    local kinds = split(part, "|")
    local optional = false
    for i = #kinds, 1, -1 do
      if kinds[i] == "nil" then
        table.remove(kinds, i)
        optional = true
      end
    end
    out[#out + 1] = "---@return " .. union(kinds) .. (optional and "?" or "")
  end
end

-- One function. A keyword table may stand in the place of every argument, for it and those after it.
-- label: the name that the keyword table's class begins with.
local function write_function(out, e, name, label, is_method, result, also)
  local params = arguments(e, is_method)
  local class = options_class(out, label, params)
  comment(out, e, also)
  local names, required, variadic = {}, 0, false
  local function param(written, kinds, text)
    out[#out + 1] = ("---@param %s %s%s"):format(written, kinds, note(text))
    names[#names + 1] = written:match("^[^?]+")
  end
  for _, p in ipairs(params) do
    if variadic or p.keyword_only then break end
    local kinds, optional = union(p.kinds), p.default ~= nil
    local keyword = class and kinds ~= "any" and "|" .. class or ""
    if p.rest then
      variadic = true
      param("...", kinds .. keyword, p.text)
    else
      if not optional then required = required + 1 end
      param(variable(p.name) .. (optional and "?" or ""), kinds .. keyword, p.text)
      if p.kinds[1] == "shape" then
        variadic = true
        param("...", "any", "further sizes; then the other arguments, or a table of them")
      end
    end
  end
  if class and not variadic then param("options?", class, "keyword arguments") end
  result = result or e.result
  results(out, result)
  local given = {}
  for _, part in ipairs(split(result, ",")) do given[#given + 1] = union(split(part, "|")) end
  local before = is_method and "self: any, " or ""
  for k = 1, class and required - 1 or 0 do
    out[#out + 1] = ("---@overload fun(%soptions: %s)%s"):format(before, class, #given > 0 and ": " .. table.concat(given, ", ") or "")
    local p = params[k]
    before = before .. ("%s: %s, "):format(variable(p.name), union(p.kinds))
  end
  out[#out + 1] = ("function %s(%s) end"):format(name, table.concat(names, ", "))
  out[#out + 1] = ""
end

local operators = {
  "add(number|Tensor): Tensor", "sub(number|Tensor): Tensor", "mul(number|Tensor): Tensor", "div(number|Tensor): Tensor",
  "mod(number|Tensor): Tensor", "idiv(number|Tensor): Tensor", "pow(number|Tensor): Tensor", "unm: Tensor", "len: integer",
  "concat(string): string",
}

-- What objects of a class do besides having methods.
local behaviour = {
  Tensor = {fields = {"[integer|Tensor|table] Tensor|number"}, operators = operators},
  ["nn.Module"] = {fields = {"[string] any", "[integer] any"}, overload = "fun(...: any): any", operators = {"len: integer"}},
  ["nn.Class"] = {fields = {"[string] any"}, overload = "fun(...: any): any"},
  ["data.Dataset"] = {fields = {"[integer] any[]"}, operators = {"len: integer"}},
  ["data.Transform"] = {overload = "fun(image: Tensor, ...: any): Tensor, any"},
  ["data.Loader"] = {overload = "fun(state?: any, last?: any): any, any, any", operators = {"len: integer"}},
  ["progress.Bar"] = {overload = "fun(state?: any, last?: any): any, any, any", operators = {"len: integer"}},
  ["optim.Optimizer"] = {fields = {"[string] any"}},
  ["optim.lr_scheduler.Scheduler"] = {fields = {"[string] any"}},
}

-- The class that the objects of a constructor inherit from.
local function parent(name)
  if name:find("^nn%.") and name ~= "nn.Module" then return "nn.Module" end
  if name:find("^optim%.lr_scheduler%.") and not name:find("%.Scheduler$") then return "optim.lr_scheduler.Scheduler" end
  if name:find("^optim%.%u") and name ~= "optim.Optimizer" then return "optim.Optimizer" end
end

local function field_line(f)
  local kinds, optional = {}, false
  for _, kind in ipairs(split(f.head:match(": (.*)$"), "|")) do
    if kind == "nil" then optional = true else kinds[#kinds + 1] = kind end
  end
  return ("---@field %s%s %s%s"):format(f.name:match("[^.]+$"), optional and "?" or "", union(kinds), note(f.summary))
end

local function write_class(out, c, module_methods)
  local base = parent(c.name)
  local b = behaviour[c.name] or base == "nn.Module" and {overload = behaviour[base].overload} or {}
  if c.entry then out[#out + 1] = "---" .. c.entry.summary end
  out[#out + 1] = "---@class " .. c.name .. (base and ": " .. base or "")
  for _, f in ipairs(c.fields) do out[#out + 1] = field_line(f) end
  for _, field in ipairs(b.fields or {}) do out[#out + 1] = "---@field " .. field end
  if b.overload then out[#out + 1] = "---@overload " .. b.overload end
  for _, operator in ipairs(b.operators or {}) do out[#out + 1] = "---@operator " .. operator end
  local variable_name = c.name:gsub("%.", "_") .. "_class"
  out[#out + 1] = ("local %s = {}"):format(variable_name)
  out[#out + 1] = ""
  local self_result = base or c.name
  for _, m in ipairs(c.methods) do
    local short = m.name:match("[^:]+$")
    write_function(out, m, variable_name .. ":" .. short, c.name .. "." .. short, true, m.result == "module" and self_result or nil)
  end
  for _, m in ipairs(module_methods or {}) do
    local short = m.name:match("[^.]+$")
    write_function(out, m, variable_name .. ":" .. short, c.name .. "." .. short, true, nil, "The same as " .. m.name .. ".")
  end
end

-- The text of one file.
local function module_text(page, all, methods)
  local out = {"---@meta " .. page.name, ""}
  local function add(text) out[#out + 1] = text end
  if page.name == "tensor" then
    add '---@alias tensor.dtype "float32"|"float64"|"int64"|"int32"|"uint8"|"bool"'
    add ""
  end
  local locals = {}
  for _, p in ipairs(all) do
    if p.name == page.name or p.name:sub(1, #page.name + 1) == page.name .. "." then
      local parts = {}
      for _, c in ipairs(p.classes) do
        local extra = {}
        if c.name == "Tensor" then
          for _, f in ipairs(p.functions) do
            if methods[f.name:match("[^.]+$")] then extra[#extra + 1] = f end
          end
        end
        write_class(parts, c, extra)
      end
      if p.entry then parts[#parts + 1] = "---" .. p.entry.summary end
      parts[#parts + 1] = "---@class " .. p.name .. (p == page and ".module" or "")
      for _, f in ipairs(p.fields) do parts[#parts + 1] = field_line(f) end
      for _, v in ipairs(p.values) do parts[#parts + 1] = ("---@field %s %s"):format(v.key, v.type) end
      for _, q in ipairs(all) do
        local child = q.name:match("^" .. p.name:gsub("%.", "%%.") .. "%.([^.]+)$")
        if child then parts[#parts + 1] = ("---@field %s %s"):format(child, q.name) end
      end
      local holder = p == page and page.name or p.name:gsub("%.", "_")
      if p.call then
        local list, class = {}, nil
        local head = {}
        class = options_class(head, p.name, p.call.parameters)
        for _, param in ipairs(p.call.parameters) do
          if not param.keyword_only then
            list[#list + 1] = ("%s%s: %s"):format(variable(param.name), param.default and "?" or "", union(param.kinds))
          end
        end
        list[#list + 1] = "options?: " .. class
        parts[#parts + 1] = ("---@overload fun(%s): %s"):format(table.concat(list, ", "), union(split(p.call.result, "|")))
        for i = #head, 1, -1 do table.insert(out, 3, head[i]) end
      end
      parts[#parts + 1] = ("local %s = {}"):format(holder)
      parts[#parts + 1] = ""
      for _, f in ipairs(p.functions) do
        local short = f.name:match("[^.]+$")
        write_function(parts, f, holder .. "." .. short, f.name, false, nil, f.alias and "The same as " .. f.alias .. ".")
      end
      for _, c in ipairs(p.classes) do
        if c.constructor then
          write_function(parts, c.constructor, holder .. "." .. c.name:match("[^.]+$"), c.name, false, c.name)
        elseif c.name ~= "Tensor" and p.name:find("^optim") then
          parts[#parts + 1] = ("%s.%s = %s_class"):format(holder, c.name:match("[^.]+$"), c.name:gsub("%.", "_"))
          parts[#parts + 1] = ""
        end
      end
      if p ~= page then
        parts[#parts + 1] = ("%s = %s"):format(p.name, holder)
        parts[#parts + 1] = ""
      end
      locals[#locals + 1] = {text = table.concat(parts, "\n"), depth = select(2, p.name:gsub("%.", ""))}
    end
  end
  -- The module first, so that what lies inside finds it.
  table.sort(locals, function(a, b) return a.depth < b.depth end)
  for _, part in ipairs(locals) do add(part.text) end
  add("return " .. page.name)
  return table.concat(out, "\n") .. "\n"
end

-- Names that a module has in the folder: "tensor.lua" with the text.
function types.files()
  local pages, _, classes, class_of = surface.pages()
  aliases = setmetatable({}, {__index = function(_, kind) return classes[kind] or (class_of[kind] and kind) or nil end})
  local methods = surface.tensor_methods()
  local files = {}
  for _, page in ipairs(pages) do
    if not page.name:find(".", 1, true) then
      files[#files + 1] = {name = page.name .. ".lua", text = module_text(page, pages, methods)}
    end
  end
  return files
end

-- Writes the stubs to a folder.
function types.write(folder)
  local fs = require "fs"
  fs.mkdir(folder)
  local files = types.files()
  for _, file in ipairs(files) do fs.write(fs.join(folder, file.name), file.text) end
  return #files
end

-- `host types [DIR]`
function types.command(folder)
  folder = folder or ".host-types"
  print(("%d files in %s"):format(types.write(folder), folder))
end

return types
