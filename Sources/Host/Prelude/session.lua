-- A session: evaluates what is typed, keeps the last values, remembers what is needed to look back.
-- Front ends (a terminal, a notebook) call the functions of the table that this file returns; nothing here draws.
local host = ...
local printing = host.prelude("session_print", host)
local frames = host.prelude("session_frames", host)
local completion = host.prelude("session_complete", host, printing)
local time = require "time"

local session = {complete = completion.complete, at = completion.at}

-- What a front end may set: the width of lines, colours (a function of kind and text), lines that one input may print.
session.options = {width = 80, color = nil, print_lines = 1000}

local count, inputs, given = 0, {}, {}
local last_text
local known = {}     -- globals that were there at the start
local modules = {}   -- Lua modules that were loaded: name -> path and contents

-- What `print` held back, for `:all`.
local held, held_bytes, HELD = {}, 0, 16 * 2 ^ 20
local printed

function session.set_width(width) session.options.width = width end
function session.use_color() session.options.color = host.session_paint end

-- For notebooks: inputs are named in messages, and all that they print is shown.
function session.set_chunk(name) session.options.chunk, session.options.print_lines = name, math.huge end

function session.begin()
  for name in ([[_G _VERSION assert collectgarbage dofile error getmetatable ipairs load loadfile next pairs pcall print rawequal rawget
    rawlen rawset require select setmetatable tonumber tostring type warn xpcall coroutine debug io math os package string table utf8
    arg help show describe]]):gmatch("%S+") do known[name] = true end
  for _, name in ipairs(host.session_modules()) do
    if rawget(_G, name) == package.loaded[name] then known[name] = true end
  end
  local plain = print
  function print(...)
    if not printed then return plain(...) end
    local parts = table.pack(...)
    for i = 1, parts.n do parts[i] = tostring(parts[i]) end
    local text = table.concat(parts, "\t", 1, parts.n)
    local _, breaks = text:gsub("\n", "")
    printed = printed + 1 + breaks
    if printed <= session.options.print_lines then return plain(text) end
    if printed - breaks - 1 < session.options.print_lines then
      -- The one that goes over the limit is shown as far as it fits.
      local room, at = session.options.print_lines - (printed - breaks - 1), 0
      for _ = 1, room do at = text:find("\n", at + 1, true) or #text + 1 end
      plain(text:sub(1, at - 1))
      text = text:sub(at + 1)
    end
    if held_bytes < HELD then
      held[#held + 1] = text
      held_bytes = held_bytes + #text
    end
  end
  session.plain_print = plain
end

local function loaded_files()
  for name in next, package.loaded do
    if not modules[name] and type(name) == "string" then
      local path = package.searchpath(name, package.path)
      if path and not package.preload[name] then modules[name] = {path = path, text = host.session_read(path)} end
    end
  end
end

-- An expression as a script would have it, which prints the value.
local function printed_by(expression) return "print(" .. expression:gsub("^%s*=", "", 1):gsub("[;%s]+$", "") .. ")" end

-- Several lines whose last ones are an expression: what gives its value, and the text for a script. Lines keep their numbers.
local function compile_last(text, name)
  local starts = {}
  for at in text:gmatch("\n()[^\n]*%S") do starts[#starts + 1] = at end
  for k = #starts, math.max(1, #starts - 20), -1 do
    local tail = text:sub(starts[k])
    -- What opens so may go on with the line before.
    if tail:find("^%s*[%a_#]") and not tail:find("^%s*%-%-") then
      -- What stands before is whole by itself: a `return` within a loop would end the loop.
      local before = text:sub(1, starts[k] - 1)
      local chunk = load(before) and load(before .. "return " .. tail, name)
      if chunk then return chunk, before .. printed_by(tail) end
    end
  end
end

-- An expression, or statements: the function, or nil with the message. Third: whether values are to be shown; fourth: what
-- a script has in its place that shows them.
local function compile(text)
  local name = session.options.chunk or "=stdin"
  local chunk, saved = load("return " .. text:gsub("^%s*=", "", 1), name), printed_by(text)
  if not chunk then chunk, saved = compile_last(text, name) end
  if chunk then return chunk, nil, not text:find(";%s*$"), saved end
  local message
  chunk, message = load(text, name)
  return chunk, message, true, text
end

-- "complete", "incomplete" or "invalid".
function session.is_complete(text)
  if text:find("^%s*:%a") or text:find("^%s*$") or text:find("^%s*%?*[%w_%.:]+%?*%s*$") and text:find("?", 1, true) then return "complete" end
  local chunk, message = compile(text)
  if chunk then return "complete" end
  return message:find("<eof>'?$") and "incomplete" or "invalid"
end

-- How far the next line of an unfinished text is indented.
function session.indent(text)
  local depth = 0
  for line in text:gmatch("[^\n]+") do
    local code = line:gsub("%-%-.*", ""):gsub("\"[^\"]*\"", "\"\""):gsub("'[^']*'", "''")
    for word in code:gmatch("[%a_][%w_]*") do
      if word == "do" or word == "then" or word == "repeat" or word == "function" then depth = depth + 1
      elseif word == "end" or word == "until" or word == "elseif" then depth = depth - 1 end
    end
    for bracket in code:gmatch("[%(%){}]") do
      depth = depth + ((bracket == "(" or bracket == "{") and 1 or -1)
    end
  end
  return ("  "):rep(math.max(depth, 0))
end

-- The column (from 1) of what the message is about: the last token of the shortest beginning that cannot be right.
local function position(text, message)
  local line = math.tointeger(tonumber(message:match("^stdin:(%d+):")))
  if not line then return nil end
  local ends = {}
  local at = 1
  while at <= #text do
    local _, stop = text:find("^[%w_]+", at)
    if not stop then
      local quote = text:match("^[\"']", at)
      stop = quote and (text:find(quote, at + 1, true) or #text) or at
    end
    if not text:sub(at, stop):find("^%s$") then ends[#ends + 1] = {from = at, to = stop} end
    at = stop + 1
  end
  local function bad(k)
    local chunk, why = load(text:sub(1, ends[k].to), "=stdin")
    return not chunk and not why:find("<eof>'?$")
  end
  local low, high = 1, #ends
  while low < high do
    local middle = (low + high) // 2
    if bad(middle) then high = middle else low = middle + 1 end
  end
  local token = ends[low]
  if not token then return line, 1 end
  local before = text:sub(1, token.from - 1)
  local _, row = before:gsub("\n", "")
  if row + 1 ~= line then
    -- Lua names another line: point at the word it quotes there, if it is found.
    local near, k = message:match("near '(.-)'$"), 0
    for l in (text .. "\n"):gmatch("(.-)\n") do
      k = k + 1
      if k == line then return line, near and l:find(near, 1, true) or 1 end
    end
  end
  return line, #before:match("[^\n]*$") + 1
end

local function pretty(value, all)
  local options = session.options
  local text, cut = printing.pretty(value, {width = options.width, color = options.color, all = all})
  return text, cut
end

-- A value as text, for front ends.
function session.text(value) return (pretty(value)) end

local function keep(results)
  local value = results[1]
  rawset(_G, "__", rawget(_G, "_"))
  rawset(_G, "_", value)
  rawset(_G, "_" .. count, value)
  known._, known.__, known["_" .. count] = true, true, true
end

-- What values are shown as: text, and figures for themselves.
local function shown(results)
  local parts = {}
  last_text = nil
  for i = 1, results.n do
    local value = results[i]
    if printing.type_name(value) == "Figure" then
      value:show()
    else
      local text, cut = pretty(value)
      if cut then
        last_text = last_text or {}
        last_text[#last_text + 1] = value
      end
      parts[#parts + 1] = text
    end
  end
  if last_text then parts[#parts + 1] = session.hint("(:all shows everything)") end
  return table.concat(parts, "\n")
end

function session.hint(text)
  local color = session.options.color
  return color and color("note", text) or text
end

-- Evaluates an input. The result is a table: `status` is "ok", "syntax" or "error"; `text` what its values are shown as;
-- `message`, `traceback`, `line`, `column`. An interrupt passes through as an error.
function session.evaluate(text)
  given[#given + 1] = text
  local command = text:match("^%s*:(%a+)")
  if command then return session.command(command, text:match("^%s*:%a+%s*(.-)%s*$")) end
  local asked = text:match("^%s*%?+%s*([%w_%.:]+)%s*$") or text:match("^%s*([%w_%.:]+)%s*%?+%s*$")
  if asked then return session.help(asked) end
  if text:find("^%s*$") then return {status = "ok", text = ""} end
  count = count + 1
  local chunk, message, is_shown, saved = compile(text)
  if not chunk then
    local line, column = position(text, message)
    return {status = "syntax", message = message, line = line, column = column}
  end
  held, held_bytes, printed = {}, 0, 0
  local results = table.pack(frames.guard(chunk))
  known._err = true
  local more = printed - session.options.print_lines
  printed = nil
  if more > 0 then
    session.plain_print(session.hint(("... %d more lines (:all shows them)"):format(more)))
  end
  loaded_files()
  if not results[1] then
    return {status = "error", message = results[2], traceback = results[3]}
  end
  local values = table.pack(table.unpack(results, 2, results.n))
  -- What gives no value, or shows none, is kept as it is where it can stand in a script.
  inputs[#inputs + 1] = (values.n == 0 or not is_shown) and load(text) and text or saved
  if values.n > 0 then
    keep(values)
    if is_shown then return {status = "ok", text = shown(values)} end
  end
  return {status = "ok", text = ""}
end

function session.help(name)
  local found = completion.at(name, #name)
  local text = found and host.session_help(found.value) or host.session_help(name)
  return {status = "ok", text = text}
end

-- Help as text, for what is at the cursor; nil when there is none.
function session.inspect(text, cursor)
  local found = completion.at(text, cursor)
  if not found then return nil end
  local help = host.session_doc(found.value) and host.session_help(found.value)
  local shown = help or pretty(found.value)
  return shown
end

function session.count() return count end

host.prelude("session_commands", host, session, {
  printing = printing, compile = compile, pretty = pretty, modules = modules, known = known, inputs = inputs, time = time,
  frames = frames.last, held = function() return held end, last_text = function() return last_text end,
})

return session
