-- Writes one parameter file for each trial of a sweep: every combination of the values given, or a random choice of them.
--   host scripts/make_grid.lua --model linear,mlp --lr 0.001,0.01,0.02 --epochs 1 --out params
local cli = require "cli"
local fs = require "fs"
local json = require "json"
local tensor = require "tensor"

local opt = cli.parse{
  model = {"", "models, separated by commas"},
  lr = {"", "learning rates"},
  batch_size = {"", "batch sizes"},
  epochs = {"", "numbers of epochs"},
  seed = {"", "seeds"},
  random = {0, "take this many combinations by chance; 0 takes all"},
  random_seed = {1, "seed of that choice"},
  out = {"params", "folder for the files"},
}

local names, values = {}, {}
for _, name in ipairs{"model", "lr", "batch_size", "epochs", "seed"} do
  if opt[name] ~= "" then
    names[#names + 1], values[name] = name, {}
    for text in opt[name]:gmatch "[^,]+" do
      text = text:match "^%s*(.-)%s*$"
      local number = tonumber(text)
      if name ~= "model" and not number then error(("make_grid.lua: --%s: '%s' is no number"):format(name, text), 0) end
      if name == "model" and not text:match "^[%w_]+$" then error(("make_grid.lua: --model: '%s' is no name"):format(text), 0) end
      table.insert(values[name], {text = text:gsub("%+", ""), value = name == "model" and text or number})
    end
  end
end
if #names == 0 then error("make_grid.lua: nothing to vary; give --lr 0.001,0.01 or other lists, see --help", 0) end

local trials = {{label = {}, params = {}}}
for _, name in ipairs(names) do
  local wider = {}
  for _, trial in ipairs(trials) do
    for _, choice in ipairs(values[name]) do
      local label, params = {table.unpack(trial.label)}, {}
      for key, value in pairs(trial.params) do params[key] = value end
      params[name] = choice.value
      if #values[name] > 1 then label[#label + 1] = name .. "=" .. choice.text end
      wider[#wider + 1] = {label = label, params = params}
    end
  end
  trials = wider
end

if opt.random > 0 and opt.random < #trials then
  tensor.manual_seed(opt.random_seed)
  local order, chosen = tensor.randperm(#trials):tolist(), {}
  for i = 1, opt.random do chosen[i] = trials[order[i] + 1] end
  trials = chosen
end

fs.mkdir(opt.out)
for _, trial in ipairs(trials) do
  local name = #trial.label > 0 and table.concat(trial.label, ",") or "trial"
  fs.write(fs.join(opt.out, name .. ".json"), json.encode(trial.params, {pretty = true}) .. "\n")
end
print(("%d trials in %s"):format(#trials, opt.out))
