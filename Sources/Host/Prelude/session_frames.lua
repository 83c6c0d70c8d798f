-- What was on the stack when code failed: where it stood, with the values of its variables at that moment.
local host = ...
local M = {}

-- A call in place of a return leaves no name behind: that of the global which holds the function.
local function global_name(f)
  for name, value in next, _G do
    if value == f and type(name) == "string" then return name end
  end
end

-- Frames of the failing code, the innermost first, down to the function that guards it.
local function capture(guard)
  local frames = {}
  for level = 3, 60 do
    local info = debug.getinfo(level, "nSlf")
    if not info or info.func == guard then break end
    if info.what ~= "C" and not info.source:find("^=%[host") then
      local name = info.name or (info.what == "main" and "main chunk") or global_name(info.func) or "?"
      local frame = {where = info.short_src .. ":" .. info.currentline, name = name, locals = {}, upvalues = {}}
      for i = 1, 200 do
        local variable, value = debug.getlocal(level, i)
        if not variable then break end
        if variable:sub(1, 1) ~= "(" then frame.locals[#frame.locals + 1] = {variable, value} end
      end
      for i = 1, 60 do
        local variable, value = debug.getupvalue(info.func, i)
        if not variable then break end
        if variable ~= "_ENV" then frame.upvalues[#frame.upvalues + 1] = {variable, value} end
      end
      frames[#frames + 1] = frame
    end
  end
  return frames
end

-- What lies below the guarded code belongs to the program.
local function traceback()
  local lines = {}
  for line in debug.traceback("", 3):gmatch("[^\n]+") do
    if line:find("[host session", 1, true) or line:find("^%s*%[C%]: in function 'xpcall'") then break end
    lines[#lines + 1] = line
  end
  return table.concat(lines, "\n")
end

-- As pcall, but after an error: false, the message, the traceback. The error itself is then `_err`, its frames are kept.
function M.guard(chunk, ...)
  local results = table.pack(xpcall(chunk, function(err)
    host.session_frames_kept = capture(M.guard)
    rawset(_G, "_err", err)
    local ok, said = pcall(tostring, err)
    return {message = ok and said or "error object cannot be printed", traceback = traceback()}
  end, ...))
  if results[1] then return table.unpack(results, 1, results.n) end
  -- After a stack overflow the handler itself may have failed.
  local failure = type(results[2]) == "table" and results[2] or {message = tostring(results[2]), traceback = ""}
  return false, failure.message, failure.traceback
end

-- The frames of the last error, or nil.
function M.last() return host.session_frames_kept end

return M
