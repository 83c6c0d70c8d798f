-- Compares a new model with the one in production on the test set; the output is the better of the two.
-- Outside a job: host scripts/evaluate.lua CANDIDATE [PRODUCTION]
local data = require "data"
local fs = require "fs"
local json = require "json"
local pachyderm = require "pachyderm"
local classifier = require "classifier" -- scripts/lib/classifier.lua

-- Until something is in production the job has no such input.
local paths = {
  candidate = pachyderm.input("candidate", arg[1] or "out/model.safetensors"),
  production = pachyderm.inside and pachyderm.commit "production" and pachyderm.input "production"
    or not pachyderm.inside and arg[2] or nil,
}
local test = data.loader(data.mnist{root = pachyderm.input("mnist", "data/mnist"), split = "test"}, {batch_size = 1000})

local scores = {}
for _, name in ipairs{"candidate", "production"} do
  if paths[name] then
    scores[name] = classifier.score(classifier.load(paths[name]), test)
    print(("%-10s test loss %.4f, test accuracy %.2f%%"):format(name, scores[name].loss, 100 * scores[name].accuracy))
  end
end

-- What is in production stays unless the candidate is better.
local winner = "candidate"
if scores.production and scores.candidate.accuracy <= scores.production.accuracy then winner = "production" end
fs.copy(paths[winner], pachyderm.output "model.safetensors")
fs.write(pachyderm.output "evaluation.json",
  json.encode({winner = winner, candidate = scores.candidate, production = scores.production}, {pretty = true}) .. "\n")
print(("the better model is the %s"):format(winner == "candidate" and "new one" or "one in production"))
