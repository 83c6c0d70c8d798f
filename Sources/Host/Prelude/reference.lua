-- The reference: one Markdown page of all modules, from what is declared.
local surface = require "host.surface"

local reference = {}

local function anchor(name) return (name:gsub("[^%w_.]", "-")) end
local function link(name, shown) return ("[`%s`](#%s)"):format(shown or name, anchor(name)) end

-- Characters that Markdown would take as its own.
local function plain(text) return (text:gsub("([*_<>%[%]|])", "\\%1"):gsub("(`[^`]*`)", function(code) return (code:gsub("\\(.)", "%1")) end)) end

local function heading(out, level, name)
  out[#out + 1] = ("<a id=\"%s\"></a>\n%s %s\n"):format(anchor(name), ("#"):rep(level), plain(name))
end

local function write_entry(out, e, level)
  heading(out, level, e.name)
  if e.head:find("(", 1, true) then out[#out + 1] = ("```lua\n%s\n```\n"):format(e.head) end
  out[#out + 1] = plain(e.summary) .. (e.alias and " The same as " .. link(e.alias) .. "." or "") .. "\n"
  if e.alias then return end
  local arguments = {}
  for i, p in ipairs(e.parameters) do
    if not (e.kind == "method" and i == 1) then
      local standard = p.default and (", default `%s`"):format(p.default) or ""
      arguments[#arguments + 1] = ("- `%s` (%s%s): %s"):format(p.name, plain(table.concat(p.kinds, " or ")), standard, plain(p.text))
    end
  end
  if #arguments > 0 then out[#out + 1] = table.concat(arguments, "\n") .. "\n" end
  if e.returns ~= "" then out[#out + 1] = "Returns: " .. plain(e.returns) .. "\n" end
  if e.errors ~= "" then out[#out + 1] = "Errors: " .. plain(e.errors) .. "\n" end
  if e.example ~= "" then out[#out + 1] = ("```lua\n%s\n```\n"):format(e.example) end
  local see = {}
  for i, name in ipairs(e.see) do see[i] = link(name) end
  if #see > 0 then out[#out + 1] = "See " .. table.concat(see, ", ") .. ".\n" end
  if e.source ~= "" then out[#out + 1] = "Source: " .. plain(e.source) .. "\n" end
end

local function write_fields(out, fields)
  if #fields == 0 then return end
  local lines = {"| field | type | holds |", "|---|---|---|"}
  for _, f in ipairs(fields) do
    local kind = f.head:match(": (.*)$")
    lines[#lines + 1] = ("| `%s` | %s | %s |"):format(f.name:match("[^.]+$"), plain(kind), plain(f.summary))
  end
  out[#out + 1] = table.concat(lines, "\n") .. "\n"
end

-- The twins that store their result in the receiver are one line each: all else is said with the function itself.
local function is_twin(m, known)
  local base = m.summary:find("^Stores in the tensor itself: ") and m.name:match("^Tensor:(.*)_$")
  return base and known["tensor." .. base]
end

local function write_class(out, c, known)
  if c.constructor then
    write_entry(out, c.constructor, 3)
  else
    heading(out, 3, known[c.name] and known[c.name].kind == "function" and c.name .. " objects" or c.name)
    if c.entry then out[#out + 1] = plain(c.entry.summary) .. "\n" end
    if c.entry and c.entry.source ~= "" then out[#out + 1] = "Source: " .. plain(c.entry.source) .. "\n" end
  end
  write_fields(out, c.fields)
  local twins = {}
  for _, m in ipairs(c.methods) do
    local base = is_twin(m, known)
    if base then
      twins[#twins + 1] = ("| `%s` | %s |"):format(m.head:match(":(.*)$"):gsub("|", "\\|"), link(base.name))
    else
      write_entry(out, m, 4)
    end
  end
  if #twins > 0 then
    heading(out, 4, "In-place twins")
    out[#out + 1] = "Each stores in the tensor what the function gives, and gives the tensor itself. They fail on a leaf that requires gradients, "
      .. "and on a result of another shape or a higher kind of dtype.\n"
    out[#out + 1] = "| method | stores the result of |\n|---|---|\n" .. table.concat(twins, "\n") .. "\n"
  end
end

local function contents(out, pages)
  for _, page in ipairs(pages) do
    local names = {}
    for _, f in ipairs(page.functions) do names[#names + 1] = link(f.name, f.name:match("[^.]+$")) end
    for _, c in ipairs(page.classes) do names[#names + 1] = link(c.name, c.name:match("[^.]+$")) end
    out[#out + 1] = ("- **%s**%s%s"):format(link(page.name), #names > 0 and ": " or "", table.concat(names, " "))
  end
  out[#out + 1] = ""
end

function reference.text()
  local pages, known = surface.pages()
  local out = {
    "# Reference\n",
    "Written by `make docs` from the declarations in the source; `help(x)` shows the same. Arguments behind `*` are given by name, in a "
      .. "table that comes last: `tensor.zeros(2, 3, {dtype = \"float64\"})`; all others may be. Every function of `tensor` whose first "
      .. "argument is a tensor is a method too: `tensor.exp(x)` is `x:exp()`. Tensors count from 0, Lua tables from 1.\n",
    "In signatures `ints` is an integer or a list of them, `numbers` likewise, `shape` several integers or one list, `dtype` one of "
      .. "`\"float32\"`, `\"float64\"`, `\"int64\"`, `\"int32\"`, `\"uint8\"`, `\"bool\"`.\n",
    "## Contents\n",
  }
  contents(out, pages)
  for _, page in ipairs(pages) do
    heading(out, 2, page.name)
    if page.entry then out[#out + 1] = plain(page.entry.summary) .. "\n" end
    if page.call then write_entry(out, setmetatable({name = page.name .. "(...)"}, {__index = page.call}), 3) end
    write_fields(out, page.fields)
    for _, v in ipairs(page.values) do out[#out + 1] = ("`%s` (%s)\n"):format(v.name, v.type) end
    for _, f in ipairs(page.functions) do write_entry(out, f, 3) end
    for _, c in ipairs(page.classes) do write_class(out, c, known) end
  end
  return table.concat(out, "\n")
end

-- `host reference [FILE]`
function reference.command(path)
  local text = reference.text()
  if not path then
    io.write(text)
  else
    require "fs".write(path, text)
    print(("%d lines in %s"):format(select(2, text:gsub("\n", "\n")), path))
  end
end

return reference
