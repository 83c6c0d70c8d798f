-- Fetches data sets in the form of MNIST: host scripts/download.lua fashion_mnist kmnist emnist
-- What is there already and whole is not fetched again; a transfer that broke off goes on where it stopped.
local cli = require "cli"
local fs = require "fs"
local http = require "http"

local opt = cli.parse({to = {"data", "folder that gets a folder for each set"}},
  nil, "Fetches the data sets named: fashion_mnist, kmnist, emnist (all of them when none is named).")

-- Files and the MD5 sums that their publishers state.
local sets = {
  fashion_mnist = {
    url = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    {"train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"},
    {"train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"},
    {"t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"},
    {"t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"},
  },
  kmnist = {
    url = "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
    {"train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"},
    {"train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"},
    {"t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"},
    {"t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"},
  },
  emnist = {
    url = "https://biometrics.nist.gov/cs_links/EMNIST/",
    {"gzip.zip", "58c8d27c78d21e728a6bc7b3cc06412e"},
    unpack = "gzip.zip",
  },
}

for _, name in ipairs(#opt > 0 and opt or {"fashion_mnist", "kmnist", "emnist"}) do
  local set = sets[name]
  if not set then error(("there is no set '%s'; there are fashion_mnist, kmnist and emnist"):format(name), 0) end
  local folder = fs.join(opt.to, name)
  fs.mkdir(folder)
  for _, file in ipairs(set) do
    http.get{url = set.url .. file[1], to = fs.join(folder, file[1]), md5 = file[2], progress = name .. " " .. file[1]}
  end
  if set.unpack then
    -- The archive holds the files in a folder of its own; they belong beside it.
    local quoted = "'" .. folder:gsub("'", "'\\''") .. "'"
    if not os.execute(("cd %s && unzip -ojq %s"):format(quoted, set.unpack)) then
      error(("cannot unpack %s; is unzip installed?"):format(fs.join(folder, set.unpack)), 0)
    end
  end
  print(("%s is in %s"):format(name, folder))
end
