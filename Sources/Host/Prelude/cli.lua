-- Command-line options of a script.
local cli, host = ...
local declare, fail = host.declare, host.fail
local ipairs = host.prelude "lists"
local exit = os.exit

local function dashed(name) return (name:gsub("_", "-")) end

-- What an option takes, from its declaration: {default, description, choices =, type =, required =} or the default alone.
local function option(name, spec)
  if type(name) ~= "string" or not name:match("^[%a_][%w_]*$") then
    fail(("cli.parse: expected option names of letters, digits and _, got '%s'"):format(tostring(name)))
  end
  if type(spec) ~= "table" then spec = {spec} end
  local default, choices = spec[1], spec.choices
  local kind = spec.type
  if not kind then
    local of = choices and choices[1]
    if default ~= nil then of = default end
    kind = math.type(of) or type(of)
    kind = ({integer = "int", float = "number", boolean = "bool", string = "string", table = "list"})[kind]
    if not kind and spec.required then kind = "string" end
  end
  if kind ~= "int" and kind ~= "number" and kind ~= "bool" and kind ~= "string" and kind ~= "list" then
    fail(("cli.parse: option '%s': expected a default that is a number, string, boolean or list, or type = \"int\", \"number\", \"string\", \"bool\" or \"list\"")
      :format(name))
  end
  local element = kind == "list" and (math.type(default and default[1]) or type(default and default[1])) or nil
  return {
    name = name, flag = "--" .. dashed(name), kind = kind, default = default, description = spec[2] or "", choices = choices,
    required = spec.required, element = element == "integer" and "int" or element == "float" and "number" or "string",
  }
end

local expected = {int = "an integer", number = "a number", bool = "true or false", string = "text", list = "a list, commas between"}

-- The value that a text stands for, or nil.
local function convert(kind, text, element)
  if kind == "string" then return text end
  if kind == "bool" then
    if text == "true" or text == "yes" or text == "1" then return true end
    if text == "false" or text == "no" or text == "0" then return false end
    return nil
  end
  if kind == "list" then
    local items = {}
    for item in (text .. ","):gmatch("([^,]*),") do
      if text ~= "" then
        local value = convert(element, item)
        if value == nil then return nil end
        items[#items + 1] = value
      end
    end
    return items
  end
  if text:match("^%s*[-+]?0[xX]") then return nil end
  local value = tonumber(text)
  if not value then
    local word = text:lower()
    value = kind == "number" and ({inf = math.huge, ["-inf"] = -math.huge, nan = 0 / 0})[word] or nil
    return value
  end
  if kind == "int" then return math.tointeger(value) end
  return value + 0.0
end

-- The same for a value of a config file, which has a type already.
local function accept(opt, value)
  local kind = math.type(value) or type(value)
  if opt.kind == "int" then return kind == "integer" and value or kind == "float" and math.tointeger(value) or nil end
  if opt.kind == "number" then return (kind == "integer" or kind == "float") and value + 0.0 or nil end
  if opt.kind == "bool" then
    if kind == "boolean" then return value end
    return nil
  end
  if opt.kind == "list" then return kind == "table" and value or nil end
  if kind == "string" then return value end
  return nil
end

local function show(value)
  if type(value) == "table" then
    local parts = {}
    for i, v in ipairs(value) do parts[i] = tostring(v) end
    return table.concat(parts, ",")
  end
  return tostring(value)
end

local function one_of(choices)
  local parts = {}
  for i, choice in ipairs(choices) do parts[i] = tostring(choice) end
  if #parts < 2 then return parts[1] or "" end
  return table.concat(parts, ", ", 1, #parts - 1) .. " or " .. parts[#parts]
end

local function usage(parser)
  return ("usage: %s [options]"):format(parser.program)
end

local function help(parser)
  local lines = {usage(parser)}
  if parser.description then lines[#lines + 1] = "\n" .. parser.description end
  lines[#lines + 1] = "\noptions:"
  local rows = {}
  local placeholder = {int = "N", number = "X", string = "TEXT", list = "A,B,..."}
  for _, opt in ipairs(parser.options) do
    local left = opt.kind == "bool" and (opt.default == true and "--no-" .. opt.flag:sub(3) or opt.flag)
      or opt.flag .. " " .. (opt.choices and "NAME" or placeholder[opt.kind])
    local right = opt.description
    local notes = {}
    if opt.choices then notes[#notes + 1] = one_of(opt.choices) end
    if opt.required then notes[#notes + 1] = "required"
    elseif opt.kind == "bool" then notes[#notes + 1] = "default: " .. (opt.default and "on" or "off")
    elseif opt.default ~= nil and show(opt.default) ~= "" then notes[#notes + 1] = "default: " .. show(opt.default) end
    if #notes > 0 then right = (right == "" and "" or right .. " ") .. "(" .. table.concat(notes, "; ") .. ")" end
    rows[#rows + 1] = {left, right}
  end
  if not parser.known["--config"] then rows[#rows + 1] = {"--config FILE", "take options from a JSON, YAML or TOML file; those given here win"} end
  if not parser.known["--quiet"] then rows[#rows + 1] = {"--quiet", "show no progress"} end
  rows[#rows + 1] = {"-h, --help", "show this and stop"}
  local width = 0
  for _, row in ipairs(rows) do width = math.max(width, #row[1]) end
  for _, row in ipairs(rows) do
    lines[#lines + 1] = (("  %-" .. width .. "s  %s"):format(row[1], row[2]):gsub("%s+$", ""))
  end
  return table.concat(lines, "\n") .. "\n"
end

-- Wrong usage ends the script with status 2, past any pcall: it is the person at the keyboard who has to act.
local function wrong(parser, message)
  io.stdout:flush()
  io.stderr:write(("%s: %s\n%s\n%s --help says more\n"):format(parser.program, message, usage(parser), parser.program))
  exit(2)
end

local function check_choice(parser, opt, value, where)
  if not opt.choices then return end
  for _, choice in ipairs(opt.choices) do
    if choice == value then return end
  end
  local names = {}
  for i, choice in ipairs(opt.choices) do names[i] = tostring(choice) end
  wrong(parser, ("%s: expected %s, got '%s'%s"):format(where, one_of(opt.choices), show(value), host.suggest(show(value), names)))
end

local function known_flags(parser)
  local flags = {}
  for flag in pairs(parser.known) do flags[#flags + 1] = flag end
  for _, flag in ipairs{"--config", "--quiet", "--help"} do
    if not parser.known[flag] then flags[#flags + 1] = flag end
  end
  table.sort(flags)
  return flags
end

local function unknown(parser, flag)
  wrong(parser, ("unknown option '%s'%s"):format(flag, host.suggest(flag, known_flags(parser))))
end

local function read_config(parser, path, result)
  local ok, values = pcall(host.cli_config, path)
  if not ok then wrong(parser, (tostring(values):gsub("^.-cli_config: ", ""))) end
  local names = {}
  for name in pairs(values) do
    if type(name) ~= "string" then wrong(parser, ("--config %s: expected options by name at the top level"):format(path)) end
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local opt = parser.known["--" .. dashed(name)]
    if not opt then
      local all = {}
      for i, o in ipairs(parser.options) do all[i] = o.name end
      wrong(parser, ("%s: unknown option '%s'%s"):format(path, name, host.suggest(name, all)))
    end
    local value = accept(opt, values[name])
    if value == nil then
      wrong(parser, ("%s: %s: expected %s, got %s"):format(path, name, expected[opt.kind], type(values[name]) == "table" and "a table" or "'" .. tostring(values[name]) .. "'"))
    end
    check_choice(parser, opt, value, path .. ": " .. name)
    result[opt.name] = value
  end
end

cli.parse = declare([[
parse(options: options, arguments: list = nil, description: string = nil) -> table
Reads the script's options from the command line: `--name value`, `--name=value`, `--flag` and `--no-flag` for booleans, `--config FILE` for a JSON, YAML or TOML file of them, `--help`. What is no option is in the list part of the result. `--` ends the options. Wrong usage and `--help` end the program, with status 2 and 0.
Args:
  options: name = {default, description, choices = list, type = "int"|"number"|"string"|"bool"|"list", required = bool}; the default decides the type. A name like batch_size is `--batch-size`
  arguments: instead of the command line's
  description: what the script does, for --help
Returns: a table of name to value
Example:
  local opt = cli.parse({epochs = {5, "passes"}, lr = {0.1, "rate"}}, {"--epochs", "3", "more"})
  print(opt.epochs, opt.lr, opt[1]) --> 3	0.1	more
Source: Python's argparse
]], function(options, arguments, description)
  local names = {}
  for name in pairs(options) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  local script = type(arg) == "table" and arg[0] or nil
  local parser = {
    options = {}, known = {}, description = description,
    program = script and tostring(script):match("[^/]*$") or "script",
  }
  local result = {}
  for i, name in ipairs(names) do
    local opt = option(name, options[name])
    parser.options[i] = opt
    parser.known[opt.flag] = opt
    result[name] = opt.default
  end
  if not arguments then
    arguments = {}
    for i = 1, #(type(arg) == "table" and arg or {}) do arguments[i] = arg[i] end
  end

  -- First what was given, then the config file under it.
  local given, config = {}, nil
  local i = 1
  local only_rest = false
  local function value_of(flag, inline)
    if inline then return inline end
    local value = arguments[i + 1]
    if value == nil or tostring(value):match("^%-%-%a") then wrong(parser, ("option %s needs a value"):format(flag)) end
    i = i + 1
    return tostring(value)
  end
  while i <= #arguments do
    local word = tostring(arguments[i])
    local flag, inline = word:match("^(%-%-[^=]+)=(.*)$")
    flag = flag or word
    local canonical = flag:sub(1, 2) == "--" and "--" .. dashed(flag:sub(3)) or flag
    local opt = parser.known[canonical]
    if only_rest or not word:match("^%-") or word == "-" or tonumber(word) then
      result[#result + 1] = arguments[i]
    elseif word == "--" then
      only_rest = true
    elseif opt and opt.kind == "bool" then
      given[opt] = inline and convert("bool", inline)
      if inline == nil then given[opt] = true end
      if given[opt] == nil then wrong(parser, ("option %s: expected true or false, got '%s'"):format(opt.flag, inline)) end
    elseif opt then
      local text = value_of(opt.flag, inline)
      local value = convert(opt.kind, text, opt.element)
      if value == nil then wrong(parser, ("option %s: expected %s, got '%s'"):format(opt.flag, expected[opt.kind], text)) end
      check_choice(parser, opt, value, "option " .. opt.flag)
      given[opt] = value
    elseif canonical:match("^%-%-no%-") and parser.known["--" .. canonical:sub(6)] and not inline
      and parser.known["--" .. canonical:sub(6)].kind == "bool" then
      given[parser.known["--" .. canonical:sub(6)]] = false
    elseif canonical == "--config" then
      config = value_of("--config", inline)
    elseif word == "--quiet" then
      host.quiet = true
    elseif word == "--help" or word == "-h" then
      io.stdout:write(help(parser))
      exit(0)
    else
      unknown(parser, flag)
    end
    i = i + 1
  end
  if config then read_config(parser, config, result) end
  for opt, value in pairs(given) do result[opt.name] = value end
  for _, opt in ipairs(parser.options) do
    if opt.kind == "bool" and opt.flag == "--quiet" and result.quiet then host.quiet = true end
    if opt.required and result[opt.name] == nil then wrong(parser, ("option %s is required"):format(opt.flag)) end
  end
  return result
end)
