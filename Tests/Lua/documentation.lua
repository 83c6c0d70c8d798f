-- Everything that scripts can reach is documented whole: a summary, what each argument means, where it comes from, an
-- example that examples.lua runs. And modules hold nothing that is not documented.
local check = require "check"
local catalog = require "host.catalog"
local surface = require "host.surface"

local pages = surface.pages()

local function whole(e, needs_example)
  check.that(e.name, e.summary ~= "", "has no summary")
  check.that(e.name, e.source ~= "", "has no Source")
  if needs_example then check.that(e.name, e.example ~= "", "has no Example") end
  for i, p in ipairs(e.parameters) do
    local is_receiver = i == 1 and e.kind == "method"
    check.that(e.name, is_receiver or p.text ~= "", "does not say what '" .. p.name .. "' means")
  end
  -- What Args: names is an argument.
  local args = e.text:match("\n%s*Args:(.-)\n%s*%u%l+:") or ""
  for name in args:gmatch("\n%s*([%w_]+): ") do
    local found = false
    for _, p in ipairs(e.parameters) do found = found or p.name == name end
    check.that(e.name, found, "explains '" .. name .. "', which is no argument")
  end
end

for _, page in ipairs(pages) do
  check.that(page.name, page.entry and page.entry.summary ~= "", "has no summary")
  if page.call then whole(page.call, true) end
  for _, f in ipairs(page.functions) do
    if not f.alias then whole(f, true) end
  end
  for _, class in ipairs(page.classes) do
    if class.entry then whole(class.entry, class.constructor ~= nil) end
    for _, m in ipairs(class.methods) do whole(m, true) end
    for _, f in ipairs(class.fields) do check.that(f.name, f.summary ~= "", "has no summary") end
  end
  for _, f in ipairs(page.fields) do check.that(f.name, f.summary ~= "", "has no summary") end

  -- Every function of the module's table has an entry.
  local holder = require(page.name:match("^[^.]+"))
  for part in page.name:gmatch("%.([^.]+)") do holder = holder[part] end
  if type(holder) == "table" then
    for key, value in pairs(holder) do
      if type(value) == "function" then check.that(page.name .. "." .. tostring(key), catalog.name_of(value), "is not documented") end
    end
  end
end
check.done(2500)
