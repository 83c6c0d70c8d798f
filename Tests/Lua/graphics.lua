-- Pictures in a terminal's own graphics, seen by decoders that are not ours.
--   host graphics.lua draw           shows a picture whose pixels follow from its size alone
--   host graphics.lua check FOLDER   compares the decoded pictures below FOLDER with it; the folder's name is the tolerance
local data, fs, plot, tensor = require "data", require "fs", require "plot", require "tensor"

tensor.manual_seed(5)
-- Few colours, which a palette holds, in large squares; odd sides.
local picture = (tensor.randint(0, 6, {3, 7, 5}) * 51):byte()

if arg[1] == "draw" then
  plot.image(picture):show()
  return
end
local compared = 0
for _, tolerance in ipairs(fs.list(arg[2])) do
  local folder = fs.join(arg[2], tolerance)
  local pictures = data.image_folder(folder, {mean = {0, 0, 0}, std = {1, 1, 1}})
  for i = 0, #pictures - 1 do
    local found = pictures[i][1] * 255
    local side = found.shape[2] // 7
    assert(side >= 1 and found.shape[2] == side * 7 and found.shape[3] == side * 5, "shape " .. table.concat(found.shape, " "))
    local expected = picture:float():repeat_interleave(side, 1):repeat_interleave(side, 2)
    local off = (found - expected):abs():max():item()
    assert(off <= tonumber(tolerance:match("%d+")) + 0.01, ("%s: off by %g of 255"):format(tolerance, off))
    compared = compared + 1
  end
end
print("compared " .. compared)
