-- What goes along with a run by itself: the console and the code.
local Run, native = ...

-- The console: what the script prints also goes to the runs that are not finished.

local watching = {}
local originals

local function tell(text, is_error)
  for run in pairs(watching) do native.native_console(run._native, text, is_error) end
end

local function install()
  if originals then return end
  local files = getmetatable(io.stdout).__index
  originals = {print = print, write = files.write, io_write = io.write}
  print = function(...)
    local parts = table.pack(...)
    for i = 1, parts.n do parts[i] = tostring(parts[i]) end
    originals.print(table.concat(parts, "\t", 1, parts.n))
    tell(table.concat(parts, "\t", 1, parts.n) .. "\n", false)
  end
  files.write = function(file, ...)
    if file == io.stdout or file == io.stderr then
      local parts = table.pack(...)
      local ok = true
      for i = 1, parts.n do ok = ok and (type(parts[i]) == "string" or type(parts[i]) == "number") end
      if ok then tell(table.concat(parts, "", 1, parts.n), file == io.stderr) end
    end
    return originals.write(file, ...)
  end
  io.write = function(...)
    if io.output() == io.stdout then return io.stdout:write(...) end
    return originals.io_write(...)
  end
end

local function uninstall()
  if not originals or next(watching) then return end
  print, getmetatable(io.stdout).__index.write, io.write = originals.print, originals.write, originals.io_write
  originals = nil
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
    uninstall()
  end,
}
