-- What can be called: every documented function of the modules given, and how its arguments are drawn.
local values = require "fuzzing.values"
local catalog = require "host.catalog"
local pick, random, starts = values.pick, math.random, string.find

-- Not for random calls: they end, block or reconfigure the process, remove or fill files at random, or talk to servers.
local excluded = {
  ["tensor.set_num_threads"] = true, ["os.exit"] = true, ["help"] = true, ["time.sleep"] = true, ["cli.parse"] = true, ["http.get"] = true,
  ["fs.remove"] = true, ["fs.copy"] = true, ["wandb.agent"] = true, ["wandb.sweep"] = true, ["wandb.Api"] = true, ["run:use_artifact"] = true,
  ["run:log_artifact"] = true, ["Artifact:wait"] = true, ["Artifact:download"] = true, ["nn.class"] = true,
}

-- The parameters of a signature: {name, kinds, keyword only}.
local function parameters(head)
  local inside = head:match "%((.*)%)" or ""
  local out, keyword = {}, false
  for part in (inside .. ","):gmatch "%s*(.-)," do
    if part == "*" then keyword = true
    elseif part == "..." then
      out[#out + 1] = {name = "...", kind = "tensor"}
      out[#out + 1] = {name = "...", kind = "tensor"}
    elseif part ~= "" then
      local name, kind = part:gsub("%s*=.*$", ""):match "^([%w_]+):%s*(%S+)"
      if name then out[#out + 1] = {name = name, kind = kind, keyword = keyword} end
    end
  end
  return out
end

local calls = {}

local function find(tables, name)
  local owner, field = name:match "^(.*)[.:]([%w_]+)$"
  if not owner then return nil end
  if name:find ":" then return function(x, ...) return x[field](x, ...) end, true end
  local at = tables[owner:match "^[^.]+"]
  for part in owner:gmatch "%.([%w_]+)" do at = type(at) == "table" and at[part] end
  local value = type(at) == "table" and at[field]
  if type(value) == "function" or type(value) == "table" then return value end
end

-- All documented functions of the modules: {name, fn, params, is_method}.
function calls.all(modules)
  local tables, out = {}, {}
  for _, name in ipairs(modules) do tables[name] = require(name) end
  for _, entry in ipairs(catalog.docs()) do
    if entry.is_function and not excluded[entry.name] and not entry.name:find "native_" and (tables[entry.module] or entry.module == "") then
      local fn, is_method = find(tables, entry.name)
      if fn then out[#out + 1] = {name = entry.name, fn = fn, params = parameters(entry.text:match "^%s*([^\n]*)"), is_method = is_method} end
    end
  end
  return out
end

-- Arguments by the signature, or not.
function calls.arguments(call)
  local arguments, options, n = {}, nil, 0
  if random() < 0.03 then -- any number of anything
    n = pick{0, 1, 3, 12, 60}
    for i = 1, n do arguments[i] = values.any() end
    return arguments, n
  end
  for i, p in ipairs(call.params) do
    if p.keyword then
      if random() < 0.3 then
        options = options or {}
        options[p.name] = values.of(p.kind)
      end
    elseif random() < 0.9 or i <= 1 then
      n = n + 1
      if p.name == "self" and not starts(call.name, "^Tensor") then arguments[n] = values.kept() else arguments[n] = values.of(p.kind) end
    else
      break
    end
  end
  if random() < 0.03 then options = values.of "options" end
  if options then
    n = n + 1
    arguments[n] = options
  end
  return arguments, n
end

return calls
