-- What goes along with a run by itself: the console and the code.
local Run, native = ...

-- The console: what the script prints also goes to the runs that are not finished.

local watching = {}
local installed = false

local function tell(text, is_error)
  for run in pairs(watching) do native.native_console(run._native, text, is_error) end
end

-- Once and for good: a script may have kept these functions when the last run is over, and use them in the next one.
local function install()
  if installed then return end
  installed = true
  local files = getmetatable(io.stdout).__index
  local native_print, write, io_write = print, files.write, io.write
  print = function(...)
    if next(watching) == nil then return native_print(...) end
    local parts = table.pack(...)
    for i = 1, parts.n do parts[i] = tostring(parts[i]) end
    local text = table.concat(parts, "\t", 1, parts.n)
    native_print(text)
    tell(text .. "\n", false)
  end
  files.write = function(file, ...)
    if next(watching) ~= nil and (file == io.stdout or file == io.stderr) then
      local parts = table.pack(...)
      local ok = true
      for i = 1, parts.n do ok = ok and (type(parts[i]) == "string" or type(parts[i]) == "number") end
      if ok then tell(table.concat(parts, "", 1, parts.n), file == io.stderr) end
    end
    return write(file, ...)
  end
  io.write = function(...)
    if io.output() == io.stdout then return io.stdout:write(...) end
    return io_write(...)
  end
end

-- The script and what it has loaded so far; once more at the end, for what it has loaded since.
local function keep_code(run)
  local program = arg and arg[0]
  if not program or not native.native_saves_code(run._native) then return end
  local files = {program}
  for name in pairs(package.loaded) do
    local path = package.searchpath(name, package.path)
    if path and path ~= program then files[#files + 1] = path end
  end
  table.sort(files, function(a, b) return a == program or (b ~= program and a < b) end)
  native.native_save_code(run._native, files)
end

return {
  keep_code = keep_code,
  started = function(run)
    if run.mode ~= "disabled" then
      watching[run] = true
      install()
    end
    keep_code(run)
  end,
  finishing = function(run)
    if not run._finished then keep_code(run) end
    run._finished = true
    Run.unwatch(run)
    watching[run] = nil
  end,
}
