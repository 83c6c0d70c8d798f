-- Which code and data a run was made of: hashes of the script's files and of the data's, and the commit they stand in.
local fs = require "fs"

local versions = {}

local function first_line(path)
  if not fs.exists(path) or fs.is_dir(path) then return nil end
  return fs.read(path):match "^%s*([^\n]*)"
end

-- The commit that is checked out around a folder; nil outside of a repository.
function versions.commit(folder)
  for _ = 1, 40 do
    local git = fs.join(folder, ".git")
    if fs.exists(git) and not fs.is_dir(git) then git = (first_line(git) or ""):match "^gitdir: (.*)" end -- a worktree
    if git and fs.exists(git) then
      local head = first_line(fs.join(git, "HEAD"))
      local ref = head and head:match "^ref: (.*)"
      if not ref then return head end
      local common = first_line(fs.join(git, "commondir"))
      local shared = common and (common:match "^/" and common or fs.join(git, common)) or git
      local hash = first_line(fs.join(git, ref)) or first_line(fs.join(shared, ref))
      local packed = fs.join(shared, "packed-refs")
      if not hash and fs.exists(packed) then
        for line in fs.read(packed):gmatch "[^\n]+" do
          local value, name = line:match "^(%x+) (.+)$"
          if name == ref then hash = value end
        end
      end
      return hash
    end
    folder = fs.join(folder, "..")
  end
end

-- The script and the Lua modules that it loaded: {path =, sha256 =}, in order of their names.
function versions.code()
  local script = arg and arg[0]
  local paths = {}
  if script and fs.exists(script) then paths[1] = script end
  for name in pairs(package.loaded) do
    -- A module of the program may have a file's name; the file did not take part.
    local path = not package.preload[name] and package.searchpath(name, package.path)
    if path then paths[#paths + 1] = path end
  end
  return versions.files(paths)
end

function versions.files(paths)
  table.sort(paths)
  local rows = {}
  for i, path in ipairs(paths) do rows[i] = {path = path, sha256 = fs.sha256(path)} end
  return rows
end

return versions
