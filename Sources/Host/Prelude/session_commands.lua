-- The commands of a session: `:time`, `:who`, `:debug` ... Each gives what an input gives.
local host, session, core = ...
local printing, time = core.printing, core.time
local commands = {}

local function ok(text) return {status = "ok", text = text} end
local function failed(message) return {status = "error", message = message, traceback = ""} end

local function seconds(t)
  if t >= 1 then return ("%.3f s"):format(t) end
  if t >= 1e-3 then return ("%.3f ms"):format(t * 1e3) end
  return ("%.3f us"):format(t * 1e6)
end

local function bytes(n)
  for _, unit in ipairs{"B", "KB", "MB"} do
    if n < 1024 then return unit == "B" and ("%d B"):format(n) or ("%.1f %s"):format(n, unit) end
    n = n / 1024
  end
  return ("%.1f GB"):format(n)
end

function commands.time(rest)
  if rest == "" then return failed(":time needs an expression: :time x:mm(y)") end
  local chunk, message = core.compile(rest)
  if not chunk then return failed(message) end
  -- Runs until the figures are worth something: half a second, but never fewer than three or more than 1000 runs.
  local runs, total = {}, 0
  local success, err = pcall(function()
    while #runs < 1000 and (total < 0.5 or #runs < 3) do
      local start = time.monotonic()
      chunk()
      local took = time.monotonic() - start
      runs[#runs + 1], total = took, total + took
      if took > 10 then break end
    end
  end)
  if not success then return failed(tostring(err)) end
  table.sort(runs)
  local function quantile(part) return runs[math.max(1, math.ceil(part * #runs))] end
  return ok(("%s median of %d run%s, middle half %s .. %s, least %s"):format(
    seconds(quantile(0.5)), #runs, #runs == 1 and "" or "s", seconds(quantile(0.25)), seconds(quantile(0.75)), seconds(runs[1])))
end

function commands.mem()
  local lines = {}
  local native = require("tensor").memory()
  lines[1] = ("tensors   %s live, %s cached, %s at most so far, limit %s"):format(
    bytes(native.live), bytes(native.cached), bytes(native.peak), bytes(native.limit))
  lines[2] = ("Lua       %s"):format(bytes(math.floor(collectgarbage("count") * 1024)))
  local resident = host.session_resident()
  if resident > 0 then lines[3] = ("process   %s"):format(bytes(resident)) end
  return ok(table.concat(lines, "\n"))
end

function commands.load(path)
  if path == "" then return failed(":load needs a file") end
  local text = host.session_read(path)
  if not text then return failed("cannot open " .. path) end
  local chunk, message = load(text, "@" .. path, "t")
  if not chunk then return failed(message) end
  return session.run(chunk, (":load %s"):format(path))
end

-- Takes over what is new in `fresh`, and keeps what `old` holds besides functions.
local function merge(old, fresh, seen)
  if seen[old] then return end
  seen[old] = true
  for key, value in next, fresh do
    local before = rawget(old, key)
    if type(value) == "table" and type(before) == "table" and value ~= before then
      merge(before, value, seen)
    elseif type(value) == "function" or before == nil then
      rawset(old, key, value)
    end
  end
end

function commands.reload()
  local names = {}
  for name, module in next, core.modules do
    local text = host.session_read(module.path)
    if text and text ~= module.text then names[#names + 1] = name end
  end
  table.sort(names)
  if #names == 0 then return ok("no module changed") end
  local lines = {}
  for _, name in ipairs(names) do
    local module = core.modules[name]
    local text = host.session_read(module.path)
    local chunk, message = load(text, "@" .. module.path, "t")
    local success, fresh = false, message
    if chunk then success, fresh = pcall(chunk, name, module.path) end
    if not success then
      lines[#lines + 1] = ("%s: %s (the module stays as it was)"):format(name, tostring(fresh))
    else
      module.text = text
      local old = package.loaded[name]
      if type(old) == "table" and type(fresh) == "table" then
        merge(old, fresh, {})
        lines[#lines + 1] = name .. ": functions replaced, values kept"
      else
        package.loaded[name] = fresh == nil and true or fresh
        lines[#lines + 1] = name .. ": replaced; require it again"
      end
    end
  end
  return ok(table.concat(lines, "\n"))
end

function commands.save(path)
  if path == "" then return failed(":save needs a file name") end
  local modules = {}
  local all = table.concat(core.inputs, "\n")
  for _, name in ipairs(host.session_modules()) do
    if (" " .. all):find("[^%w_%.]" .. name .. "[%.%s%({:]") and not all:find("require%s*%(?%s*[\"']" .. name) then
      modules[#modules + 1] = ("local %s = require \"%s\""):format(name, name)
    end
  end
  local text = (#modules > 0 and table.concat(modules, "\n") .. "\n\n" or "") .. all .. "\n"
  local file, message = io.open(path, "w")
  if not file then return failed(message) end
  local written, why = file:write(text)
  local closed, reason = file:close()
  if not written or not closed then return failed(why or reason) end
  return ok(("%d inputs written to %s"):format(#core.inputs, path))
end

function commands.doc(word)
  if word == "" then return failed(":doc needs a word") end
  local found = host.session_search(word)
  if #found == 0 then return ok(("nothing is said of '%s'"):format(word)) end
  local lines = {}
  for i, entry in ipairs(found) do
    if i > 30 then
      lines[#lines + 1] = ("... %d more; take a rarer word"):format(#found - 30)
      break
    end
    local line = ("%-28s %s"):format(entry.name, entry.summary)
    lines[#lines + 1] = #line > session.options.width and line:sub(1, math.max(session.options.width - 3, 10)) .. "..." or line
  end
  return ok(table.concat(lines, "\n"))
end

function commands.who()
  local rows = {}
  for name, value in next, _G do
    if type(name) == "string" and not core.known[name] then
      local kind, detail = printing.type_name(value) or math.type(value) or type(value), ""
      local size = ""
      if printing.is_tensor(value) then
        kind, detail = "tensor " .. value.dtype, printing.shape_text(value)
        size = bytes(value:numel() * host.session_item_size(value.dtype))
      elseif type(value) == "table" then
        local is_module = debug.getmetatable(value) and rawget(debug.getmetatable(value), "__module")
        if is_module then
          local total, counted = 0, 0
          for _, p in ipairs(value:parameters()) do
            counted = counted + p:numel()
            total = total + p:numel() * host.session_item_size(p.dtype)
          end
          detail, size = ("%d parameters"):format(counted), bytes(total)
        else
          local n = 0
          for _ in next, value do n = n + 1 end
          detail = ("%d entr%s"):format(n, n == 1 and "y" or "ies")
        end
      elseif type(value) ~= "function" then
        detail = (printing.pretty(value, {width = 40})):match("^[^\n]*")
      end
      rows[#rows + 1] = {name, kind, detail, size}
    end
  end
  if #rows == 0 then return ok("no variables yet") end
  table.sort(rows, function(a, b) return a[1] < b[1] end)
  local widths = {0, 0, 0}
  for _, row in ipairs(rows) do
    for i = 1, 3 do widths[i] = math.min(math.max(widths[i], #row[i]), 40) end
  end
  local lines = {}
  for i, row in ipairs(rows) do
    local line = ("%-" .. widths[1] .. "s  %-" .. widths[2] .. "s  %-" .. widths[3] .. "s  %s"):format(row[1], row[2], row[3]:sub(1, 40), row[4])
    lines[i] = line:gsub("%s+$", "")
  end
  return ok(table.concat(lines, "\n"))
end

function commands.debug(rest)
  local frames = core.frames()
  if not frames then return ok("no error yet") end
  if #frames == 0 then return ok("the error came from no Lua function") end
  local number = math.tointeger(tonumber(rest))
  if not number then
    local lines = {}
    for i, frame in ipairs(frames) do
      local names = {}
      for _, pair in ipairs(frame.locals) do names[#names + 1] = pair[1] end
      lines[i] = ("#%d  %s  %s%s"):format(i, frame.where, frame.name, #names > 0 and "  (" .. table.concat(names, ", ") .. ")" or "")
    end
    lines[#lines + 1] = session.hint(":debug N shows the variables of frame N and puts them into `frame`; `_err` is the error")
    return ok(table.concat(lines, "\n"))
  end
  local frame = frames[number]
  if not frame then return failed((":debug: there is no frame %d; frames: 1..%d"):format(number, #frames)) end
  local values, lines = {}, {("#%d  %s  %s"):format(number, frame.where, frame.name)}
  local function add(title, list)
    for _, pair in ipairs(list) do
      values[pair[1]] = pair[2]
      lines[#lines + 1] = ("  %s %s = %s"):format(title, pair[1], (core.pretty(pair[2]):gsub("\n", "\n    ")))
    end
  end
  add("upvalue", frame.upvalues)
  add("local", frame.locals)
  rawset(_G, "frame", values)
  return ok(table.concat(lines, "\n"))
end

function commands.all()
  local held, values = core.held(), core.last_text()
  if values then
    local parts = {}
    for i, value in ipairs(values) do parts[i] = core.pretty(value, true) end
    return ok(table.concat(parts, "\n"))
  end
  if #held > 0 then return ok(table.concat(held, "\n")) end
  return ok("nothing was left out")
end

function commands.help()
  return ok([[
An expression is printed; _ __ hold the last values, _1 _2 ... those of inputs 1, 2 ...; a semicolon at the end prints nothing.
Tab completes; Ctrl-R searches the history; Ctrl-C cancels the line or stops the computation; Ctrl-D leaves.
  help(x)  x?      what x is and takes; help() lists the modules
  show(x)          x as a picture        describe(t)  numbers about a tensor
  :time EXPR       run it often: median and spread
  :mem             memory in use         :who         variables with shapes, dtypes, bytes
  :load FILE       run a script here     :reload      Lua modules that changed on disk
  :save FILE       the session as a script
  :doc WORD        search the reference
  :debug [N]       after an error: frames and their variables
  :all             what the last output left out
  :q               leave]])
end

function commands.q() return {status = "quit"} end
commands.quit, commands.exit = commands.q, commands.q

-- Runs a chunk as an input is run.
function session.run(chunk, text)
  rawset(_G, "__session_chunk", chunk)
  local result = session.evaluate("__session_chunk()")
  rawset(_G, "__session_chunk", nil)
  if result.status == "ok" then
    local path = text:match("^:load (.*)$")
    core.inputs[#core.inputs] = path and ("dofile(%q)"):format(path)
  end
  return result
end

function session.command(name, rest)
  local command = commands[name]
  if not command then
    local names = {}
    for known in next, commands do names[#names + 1] = known end
    table.sort(names)
    return failed((":%s is no command%s; :help lists them"):format(name, host.suggest(name, names)))
  end
  return command(rest)
end
