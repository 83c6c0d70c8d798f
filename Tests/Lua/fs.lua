local fs = require "fs"

local function fails(pattern, f, ...)
  local ok, message = pcall(f, ...)
  assert(not ok, "no error")
  assert(tostring(message):find(pattern, 1, true), message)
end

local root = os.tmpname()
os.remove(root)
local here <close> = setmetatable({}, {__close = function() fs.remove(root, {recursive = true}) end})

assert(not fs.exists(root))
fs.mkdir(fs.join(root, "a", "b"))
fs.mkdir(fs.join(root, "a", "b"))
assert(fs.is_dir(root .. "/a/b") and fs.exists(root .. "/a") and not fs.is_dir(root .. "/c"))

local file = fs.join(root, "a", "x.bin")
local bytes = "zero \0 and \255\n"
fs.write(file, bytes)
assert(fs.read(file) == bytes)
fs.write(file, "")
assert(fs.read(file) == "")
fs.write(file, string.rep("long ", 100000))
assert(#fs.read(file) == 500000)
assert(#fs.list(root .. "/a") == 2, "no temporary file stays")
fs.copy(file, root .. "/y.bin")
fs.copy(file, root .. "/a/b")
assert(#fs.read(root .. "/y.bin") == 500000 and fs.exists(root .. "/a/b/x.bin"))
assert(table.concat(fs.list(root), " ") == "a y.bin")
assert(#fs.glob(root .. "/*/x.*") == 1 and #fs.glob(root .. "/nothing*") == 0)

fails("No such file", fs.read, root .. "/nothing")
fails("Is a directory", fs.read, root)
fails("fs.write: " .. root .. "/nothing/x", function() fs.write(root .. "/nothing/x", "t") end)
fails("x.bin: File exists", fs.mkdir, file .. "/x")
fails("File exists", fs.mkdir, file)
fails("Not a directory", fs.list, file)
fails("recursive = true", fs.remove, root .. "/a")
fails("is a folder", fs.copy, root, root .. "/z")
fs.write(root .. "/y.bin", "old")
fails("Is a directory", function() fs.write(root .. "/a", "t") end)
assert(fs.is_dir(root .. "/a") and #fs.list(root) == 2)
fs.remove(root .. "/y.bin")
fs.remove(root .. "/y.bin")
-- FIPS 180-4's example.
fs.write(root .. "/abc", "abc")
assert(fs.sha256(root .. "/abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
fs.remove(root .. "/abc")
fails("nothere", fs.sha256, root .. "/nothere")
fs.remove(root .. "/a", {recursive = true})
assert(#fs.list(root) == 0)

for path, parts in pairs {
  ["a/b/c"] = {"a/b", "c"}, ["/a"] = {"/", "a"}, ["a"] = {".", "a"}, ["a/"] = {".", "a"}, ["/"] = {"/", "/"}, ["a//b"] = {"a", "b"},
} do
  assert(fs.dirname(path) == parts[1] and fs.basename(path) == parts[2], path)
end
assert(fs.join("a", "b/", "c") == "a/b/c" and fs.join("a", "/b") == "/b" and fs.join("", "x") == "x" and fs.join() == "")
fails("argument 2: expected string", fs.join, "a", {})
