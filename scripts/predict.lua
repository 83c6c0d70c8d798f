-- Classifies the images of one file or folder (IDX, NPY, PNG): one line of CSV for each image.
-- Outside a job: host scripts/predict.lua FILE [MODEL]
local data = require "data"
local fs = require "fs"
local pachyderm = require "pachyderm"
local tensor = require "tensor"
local classifier = require "classifier" -- scripts/lib/classifier.lua

local chunk = 1000 -- images in flight: memory is that of one file and this many samples

local input = pachyderm.input("inbox", arg[1])
local net = classifier.load(pachyderm.input("model", arg[2] or "out/model.safetensors"))

-- data.image_folder reads folders of classes; here one class holds the one image.
local function png(path)
  local folder = pachyderm.scratch("png", "image", "1.png")
  fs.copy(path, folder)
  local ok, set = pcall(data.image_folder, fs.dirname(fs.dirname(folder)), {channels = 1})
  fs.remove(folder)
  if not ok then error(("%s: cannot be read as PNG: %s"):format(path, set), 0) end
  return set.images
end

local function images(path)
  local x
  if path:match "%.npy$" then x = tensor.from_file(path)
  elseif path:match "%.png$" then x = png(path)
  else x = data.idx(path) end
  if x.ndim == 2 then x = x:unsqueeze(0) end
  if x.ndim == 4 and x:size(1) == 1 then x = x:squeeze(1) end
  if x.ndim ~= 3 or x:size(1) ~= 28 or x:size(2) ~= 28 then
    error(("%s: expected images of 28 x 28, got shape [%s]"):format(path, table.concat(x.shape, ", ")), 0)
  end
  return x
end

local files = {input}
if fs.is_dir(input) then
  files = {}
  for _, name in ipairs(fs.list(input)) do
    if name:match "%.png$" or name:match "%.npy$" or name:match "ubyte" or name:match "%.idx" then files[#files + 1] = fs.join(input, name) end
  end
  if #files == 0 then error(("%s: no IDX, NPY or PNG file in this folder"):format(input), 0) end
end

local lines, total = {"file,index,predicted,probability"}, 0
tensor.no_grad(function()
  for _, file in ipairs(files) do
    local all, name = images(file), fs.basename(file)
    for start = 0, #all - 1, chunk do
      local part = all:narrow(0, start, math.min(chunk, #all - start))
      local probability, class = net(classifier.prepare(part)):softmax(1):max(1)
      local classes, probabilities = class:tolist(), probability:tolist()
      for i = 1, #classes do
        lines[#lines + 1] = ("%s,%d,%d,%.6f"):format(name, start + i - 1, classes[i], probabilities[i])
      end
    end
    total = total + #all
  end
end)

-- Named after the shard: no two datums write one path.
local name = fs.basename(input):gsub("[^%w._=,-]", "_") .. ".csv"
fs.write(pachyderm.output(name), table.concat(lines, "\n") .. "\n")
print(("%s: %d images in %d files"):format(name, total, #files))
