-- Takes the trial with the best validation accuracy out of a sweep's output: host scripts/select_best.lua [FOLDER]
local fs = require "fs"
local json = require "json"
local pachyderm = require "pachyderm"

local folder = pachyderm.input("sweep", arg[1] or "out/sweep")
local trials, failed = {}, {}
for _, file in ipairs(fs.glob(fs.join(folder, "*", "metrics.json"))) do
  local trial = fs.basename(fs.dirname(file))
  local metrics = json.decode(fs.read(file))
  if metrics.failed then
    failed[#failed + 1] = trial
  elseif type(metrics.val_accuracy) ~= "number" then
    error(("%s: expected a number val_accuracy, got %s"):format(file, tostring(metrics.val_accuracy)), 0)
  else
    trials[#trials + 1] = {trial = trial, val_accuracy = metrics.val_accuracy, val_loss = metrics.val_loss,
      test_accuracy = metrics.test_accuracy}
  end
end
if #trials == 0 then error(("%s: no trial with a result (%d failed)"):format(folder, #failed), 0) end

-- Equal accuracy: the lower loss, then the name, so that the choice never depends on the order of files.
table.sort(trials, function(a, b)
  if a.val_accuracy ~= b.val_accuracy then return a.val_accuracy > b.val_accuracy end
  if a.val_loss ~= b.val_loss then return a.val_loss < b.val_loss end
  return a.trial < b.trial
end)

local best = trials[1].trial
fs.copy(fs.join(folder, best, "model.safetensors"), pachyderm.output "model.safetensors")
fs.copy(fs.join(folder, best, "metrics.json"), pachyderm.output "metrics.json")
fs.write(pachyderm.output "selection.json",
  json.encode({best = best, trials = trials, failed = failed}, {pretty = true}) .. "\n")
for i, trial in ipairs(trials) do
  print(("%2d. %-40s validation accuracy %.2f%%"):format(i, trial.trial, 100 * trial.val_accuracy))
end
