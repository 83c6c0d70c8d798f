-- Reads what check.py wrote with Python's libraries, and writes back what it found: read.lua FOLDER
local data = require "data"
local nn = require "nn"
local tensor = require "tensor"
local folder = arg[1]
local function path(name) return folder .. "/" .. name end

local dict, metadata = nn.load(path("torch.safetensors"))
nn.save(path("torch_back.safetensors"), dict, metadata)
local arrays = tensor.load_npz(path("numpy.npz"))
tensor.save_npz(path("numpy_back.npz"), arrays)
tensor.save_npz(path("numpy_deflated_back.npz"), tensor.load_npz(path("numpy_deflated.npz")))
tensor.from_file(path("fortran.npy")):save(path("fortran_back.npy"))

-- CSV: columns by name, each with a type of its own.
local csv = data.csv(path("table.csv"))
local columns = {}
for name, column in pairs(csv.columns or csv) do
  if tensor.is_tensor(column) then columns[name] = column end
end
tensor.save_npz(path("csv_back.npz"), columns)

-- Pictures by folder.
local images = data.image_folder(path("images"))
local file = {}
for i = 0, #images - 1 do
  local sample = images[i]
  file["image_" .. i], file["label_" .. i] = sample[1], tensor(sample[2])
end
tensor.save_npz(path("images_back.npz"), file)
