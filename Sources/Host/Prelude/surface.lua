-- Everything that scripts can reach, put in order from what is declared: pages of modules, with functions, classes,
-- their methods and fields. The editor stubs and the reference are written from it.
local catalog = require "host.catalog"

local surface = {}

-- The class behind a kind that signatures name.
local classes = {
  tensor = "Tensor", module = "nn.Module", optimizer = "optim.Optimizer", dataset = "data.Dataset", transform = "data.Transform",
  figure = "plot.Figure",
}

-- "Artifact" of the module wandb is wandb.Artifact; "run", as its methods are called, is wandb.Run.
local function class_name(owner, module)
  if owner == "Tensor" or owner:find(".", 1, true) then return owner end
  return module .. "." .. owner:sub(1, 1):upper() .. owner:sub(2)
end

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = tostring(key) end
  table.sort(keys)
  return keys
end

-- The pages in order. Each: name, entry (its own documentation), functions, classes; a class: name, entry,
-- constructor (an entry with arguments), methods, fields.
function surface.pages()
  for _, name in ipairs(catalog.modules()) do require(name) end
  local docs = catalog.docs()
  local pages, by_name, class_of = {}, {}, {}

  local function page(name)
    if not by_name[name] then
      by_name[name] = {name = name, functions = {}, classes = {}, fields = {}, values = {}}
      pages[#pages + 1] = by_name[name]
    end
    return by_name[name]
  end

  local function class(name, module)
    if not class_of[name] then
      class_of[name] = {name = name, methods = {}, fields = {}}
      local home = name:match("^(.*)%.[^.]+$") or module
      table.insert(page(home).classes, class_of[name])
    end
    return class_of[name]
  end

  for _, name in ipairs(catalog.modules()) do
    page(name)
    for _, e in ipairs(docs) do
      if e.kind == "module" and e.name:sub(1, #name + 1) == name .. "." then page(e.name) end
    end
  end
  local known = {}
  for _, e in ipairs(docs) do
    known[e.name] = e
    local module = e.module
    local public = by_name[module] ~= nil and not module:find("^host%.")
    local place = e.name:match("^(.*)%.[^.:]+$") or module
    if e.kind == "module" and by_name[e.name] then
      by_name[e.name].entry = e
    elseif not public then
      -- Of the program itself, or of the base library.
    elseif e.name == module then
      by_name[module].call = e
    elseif e.kind == "type" then
      local c = class(class_name(e.name, module), module)
      c.entry = e
    elseif e.kind == "class" then
      local c = class(e.name, module)
      c.entry, c.constructor = e, e
    elseif e.kind == "method" then
      table.insert(class(class_name(e.name:match("^(.-):"), module), module).methods, e)
    elseif e.kind == "field" and by_name[place] then
      table.insert(by_name[place].fields, e)
    elseif e.kind == "field" then
      table.insert(class(class_name(place, module), module).fields, e)
    else
      table.insert(page(place).functions, e)
    end
  end

  -- Functions that stand in a second place, and plain values.
  for _, p in ipairs(pages) do
    local holder = require(p.name:match("^[^.]+"))
    for part in p.name:gmatch("%.([^.]+)") do holder = holder[part] end
    for _, key in ipairs(type(holder) == "table" and sorted_keys(holder) or {}) do
      local value, path = holder[key], p.name .. "." .. key
      local name = (type(value) == "function" or type(value) == "table") and catalog.name_of(value)
      if type(value) == "function" and name and name ~= path then
        local copy = setmetatable({name = path, alias = name}, {__index = known[name]})
        copy.head = path .. known[name].head:sub(#name + 1)
        table.insert(p.functions, copy)
      elseif type(value) ~= "function" and type(value) ~= "table" and key:sub(1, 2) ~= "__" and not known[path] then
        p.values[#p.values + 1] = {name = path, key = key, type = math.type(value) or type(value)}
      end
    end
  end
  return pages, known, classes, class_of
end

-- The operations of tensors that are methods as well.
function surface.tensor_methods()
  local names = {}
  for _, op in ipairs(catalog.operations()) do
    if op.module == "tensor" and op.form == "both" then names[op.name] = true end
  end
  return names
end

return surface
