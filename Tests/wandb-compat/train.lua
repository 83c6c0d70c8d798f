-- The same small training as train.py, logged by this program.
local wandb = require "wandb"

local run = wandb.init{
  project = "compat", id = arg[1], mode = arg[2], name = "small", group = "g", job_type = "train", tags = {"a", "b"}, notes = "some notes",
  config = {lr = 0.1, layers = {16, 32}, opt = {name = "adam", eps = 1e-8}}, save_code = true,
}
run:define_metric("loss", {summary = "min"})
run:define_metric("epoch", {hidden = true})
run:define_metric("val/*", {step_metric = "epoch"})
print "hello from the training"
for i = 0, 9 do
  run:log{loss = 1 / (i + 1), epoch = i // 5, nested = {x = i, y = {z = i * 0.5}}, flag = i % 2 == 0, word = "w" .. i}
end
run:log{["val/acc"] = 0.5}
run:log{not_finite = 0 / 0, huge = math.huge, large = 1e20, small = 1e-7, list = {1, 2.5, "x"}}
run:log({a = 1}, {commit = false})
run:log{b = 2}
run:log({c = 3}, {step = 20})
run:log({late = 1}, {step = 5})
local picture = os.getenv "COMPAT_PICTURE"
run:log({image = wandb.Image(picture, {caption = "one"}), images = {wandb.Image(picture, {caption = "first"}), wandb.Image(picture, {caption = "two"})}}, {step = 30})
run:log({histogram = wandb.Histogram({1, 2, 2, 3, 3, 3, 4}, {num_bins = 4}), page = wandb.Html "<b>bold</b>"}, {step = 31})
local table = wandb.Table{columns = {"name", "value", "picture"}, data = {{"x", 1.5, wandb.Image(picture)}, {"y", 2, wandb.Image(picture)}}}
run:log({table = table}, {step = 32})
local points = wandb.Table{columns = {"x", "y"}, data = {{0, 1}, {1, 2.5}}}
run:log({curve = wandb.plot.line(points, "x", "y", {title = "a curve"})}, {step = 33})
run.summary.best = 0.5
run.config.late = 1
require("fs").write("kept.txt", "kept\n")
run:save "kept.txt"
local artifact = wandb.Artifact("model", "model", {description = "weights", metadata = {layers = 2}})
artifact:add_file(os.getenv "COMPAT_WEIGHTS", "weights.bin")
artifact:add(points, "points")
run:log_artifact(artifact, {aliases = {"best"}})
run:alert{title = "done", text = "all of it", level = "WARN"}
print "12%\r50%\r100%"
io.stderr:write "to stderr\n"
run:finish()
