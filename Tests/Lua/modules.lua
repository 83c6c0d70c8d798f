-- The modules around training, called by name with checked results: sets of digits, options, time, a job's facts outside a
-- job, runs that keep their files. Argument: a folder to write in.
local check = require "check"
local tensor, data, fs = require "tensor", require "data", require "fs"
local scratch = select(select("#", ...), ...)

-- The other sets of digits have MNIST's form; torchvision's folders.
local function write_set(folder, names, label)
  fs.mkdir(folder)
  local images = tensor.arange(2 * 28 * 28):remainder(251):to("uint8"):reshape(2, 28, 28)
  for _, part in ipairs(names) do
    data.write_idx(fs.join(folder, part .. "-images-idx3-ubyte"), images)
    data.write_idx(fs.join(folder, part .. "-labels-idx1-ubyte"), tensor({label, label + 1}, {dtype = "uint8"}))
  end
  return images
end
for name, folder in pairs{fashion_mnist = "FashionMNIST/raw", kmnist = "KMNIST/raw"} do
  local images = write_set(fs.join(scratch, folder), {"train", "t10k"}, 3)
  local set = data[name]{root = scratch, split = "test"}
  check.that(name .. ": images", set.images:equal(images))
  check.equal(name .. ": labels", table.concat(set.labels:tolist(), " "), "3 4")
  check.equal(name .. ": classes", #set.classes, 10)
  local x = images[1]:float():div(255):sub(set.mean):div(set.std):unsqueeze(0)
  check.close(name .. ": sample", set[1][1], x, 1e-5, 1e-5)
end
-- EMNIST's images lie on their side in the files.
local images = write_set(fs.join(scratch, "EMNIST/raw"), {"emnist-letters-train", "emnist-letters-test"}, 1)
local letters = data.emnist{root = scratch, split = "train", part = "letters"}
check.that("emnist: images", letters.images:equal(images:transpose(1, 2)))
check.equal("emnist: labels", table.concat(letters.labels:tolist(), " "), "1 2")

local cli = require "cli"
local opt = cli.parse({epochs = {5, "passes"}, lr = {0.1, "rate"}, model = {"cnn", choices = {"mlp", "cnn"}}, verbose = false},
  {"--epochs", "3", "--lr=0.5", "--verbose", "--model", "mlp", "file"})
check.equal("cli.parse", ("%d %g %s %s %s"):format(opt.epochs, opt.lr, opt.model, tostring(opt.verbose), opt[1]), "3 0.5 mlp true file")

local time = require "time"
local start, day = time.monotonic(), time.now()
time.sleep(0.02)
check.that("time.sleep", time.monotonic() - start >= 0.02)
check.that("time.now", time.now() - day >= 0.02 and math.abs(day - os.time()) < 5)

local progress = require "progress"
local sum, bar = 0, progress({1, 2, 3}, {desc = "sum"})
for _, x in bar do
  sum = sum + x
  check.that("progress: set gives the bar", bar:set{sum = sum} == bar)
end
check.equal("progress", sum, 6)
check.equal("progress: length", #bar, 3)

local pachyderm = require "pachyderm"
check.equal("pachyderm.inside", pachyderm.inside, false)
check.equal("pachyderm.run_id", pachyderm.run_id(), nil)
check.equal("pachyderm.commit", pachyderm.commit("mnist"), nil)
check.equal("pachyderm.provenance", next(pachyderm.provenance()), nil)
check.equal("pachyderm.input", pachyderm.input("mnist", "here"), "here")
check.fails({"mnist", "fallback"}, pachyderm.input, "mnist")

-- Figures: what stands in their SVG, and the formats they are written in.
local plot = require "plot"
local function has(name, figure, ...)
  local text = figure:svg()
  for _, part in ipairs{...} do check.that(name, text:find(part, 1, true), "'" .. part .. "' is not in the SVG") end
end
has("plot.line", plot.line{series = {train = {3, 2, 1}, test = {4, 3, 3}}, title = "loss", xlabel = "epoch"}, "loss", "epoch", "train", "test", "<polyline")
has("plot.scatter", plot.scatter({1, 2, 3}, {4, 5, 6}, {title = "points"}), "points")
has("plot.hist", plot.hist(tensor.arange(100), {bins = 10, title = "numbers"}), "numbers", "count")
has("plot.confusion", plot.confusion({{8, 2}, {1, 9}}, {"cat", "dog"}), "cat", "dog", ">8<", ">9<")
has("plot.images", plot.images(tensor.rand(2, 1, 4, 4), {titles = {"three", "seven"}}), "three", "seven", "<image")
local picture = plot.image(tensor.rand(8, 8))
check.equal("plot.image", picture:png():sub(2, 4), "PNG")
picture:save(fs.join(scratch, "picture.png"))
check.equal("save: PNG", fs.read(fs.join(scratch, "picture.png")), picture:png())
picture:save(fs.join(scratch, "picture.svg"))
check.equal("save: SVG", fs.read(fs.join(scratch, "picture.svg")), picture:svg())
check.fails({"save", ".png"}, function() picture:save(fs.join(scratch, "picture.gif")) end)
check.equal("width", picture.width, plot.image(tensor.rand(8, 8)).width)
-- These two print; that they can is all that is seen here.
check.equal("plot.show", select("#", plot.show(tensor.linspace(0, 1, 20))), 0)
picture:show()
check.equal("plot.describe", select("#", plot.describe(tensor.arange(100))), 0)

-- Runs

local wandb = require "wandb"
check.fails("wandb.log: there is no run", wandb.log, {loss = 1})
local run = wandb.init{project = "digits", mode = "offline", dir = scratch, config = {lr = 0.1}}
check.equal("wandb.init", ("%s %s %g"):format(run.mode, run.project, run.config.lr), "offline digits 0.1")
wandb.define_metric("val/loss", {summary = "min"})
run:define_metric("acc", {summary = "max"})
run:log{["val/loss"] = 2, acc = tensor(0.5)}
wandb.log{["val/loss"] = 1, acc = 0.75}
run:log({["val/loss"] = 3, acc = 0.25}, {commit = true})
check.equal("run:define_metric", run.summary.acc.max, 0.75)
check.equal("wandb.define_metric", run.summary["val/loss"].min, 1)
check.equal("run:log: steps", run.step, 3)
check.fails("function", function() run:log{x = function() end} end)

local rows = wandb.Table{columns = {"name", "score"}, data = {{"a", 1}, {"b", 2.5}}}
local points = wandb.Table{columns = {"x", "y"}, data = {{0, 1}, {1, 4}}}
run:log{
  picture = wandb.Image(tensor.rand(8, 8), {caption = "noise"}), weights = wandb.Histogram({1, 2, 2, 3}, 4), scores = rows,
  page = wandb.Html("<b>done</b>"),
  line = wandb.plot.line(points, "x", "y"), scatter = wandb.plot.scatter(points, "x", "y"), bar = wandb.plot.bar(rows, "name", "score"),
  histogram = wandb.plot.histogram(rows, "score"), matrix = wandb.plot.confusion_matrix({0, 1, 1}, {0, 1, 0}, {"cat", "dog"}),
  pr = wandb.plot.pr_curve({0, 1}, {{0.9, 0.1}, {0.2, 0.8}}), roc = wandb.plot.roc_curve({0, 1}, {{0.9, 0.1}, {0.2, 0.8}}),
}
local files = fs.join(run.dir)
local function files_of(pattern) return fs.glob(fs.join(files, pattern)) end
check.equal("wandb.Image", #files_of("media/images/picture_*.png"), 1)
check.equal("wandb.Html", fs.read(files_of("media/html/page_*.html")[1] or ""):match("<b>done</b>"), "<b>done</b>")
local json = require "json"
local function table_of(name) return json.decode(fs.read(files_of("media/table/" .. name .. "_*.table.json")[1])) end
check.equal("wandb.Table", json.encode(table_of("scores").data), '[["a",1],["b",2.5]]')
for _, name in ipairs{"line", "scatter", "bar", "histogram", "matrix", "pr", "roc"} do
  check.that("wandb.plot: " .. name, #files_of("media/table/" .. name .. "*") == 1, "wrote no table")
end
local histogram = run.summary.weights
check.equal("wandb.Histogram", histogram and json.encode(histogram.values), "[1.0,0.0,2.0,1.0]")

local net = require "nn".Linear(2, 1)
run:watch(net, {log = "all", log_freq = 1})
net(tensor.ones(3, 2)):sum():backward()
run:log{x = 1}
check.that("run:watch: gradients", run.summary["gradients/weight"], "logged no histogram")
check.that("run:watch: parameters", run.summary["parameters/bias"], "logged no histogram")
run:unwatch(net)
wandb.watch(net)
wandb.unwatch()
run:alert{title = "note", text = "fine"}
wandb.alert{title = "note", level = "WARN"}

local artifact = wandb.Artifact("digits", "dataset", {metadata = {size = 3}})
fs.write(fs.join(scratch, "labels.txt"), "0 1 2")
fs.mkdir(fs.join(scratch, "more"))
fs.write(fs.join(scratch, "more/a.txt"), "a")
artifact:add_file(fs.join(scratch, "labels.txt"))
artifact:add_dir(fs.join(scratch, "more"), "more")
artifact:add(rows, "scores")
artifact:add_reference("https://example.org/digits", "origin")
check.fails("labels", function() artifact:add_file(fs.join(scratch, "no labels")) end)
check.equal("wandb.Artifact", tostring(artifact), "wandb.Artifact(digits, dataset)")
check.that("run:log_artifact", run:log_artifact(artifact, {"best"}) == artifact)
check.equal("wandb.log_artifact", wandb.log_artifact(fs.join(scratch, "labels.txt"), {name = "labels", type = "text"}).name, "labels")
check.fails("offline", function() run:use_artifact("digits:latest") end)
check.fails("offline", function() wandb.use_artifact("digits:latest") end)
fs.write(fs.join(scratch, "kept.txt"), "kept")
run:save(fs.join(scratch, "kept.txt"), {base_path = scratch})
check.equal("run:save", #files_of("kept.txt"), 1)
wandb.save(fs.join(scratch, "labels.txt"), {base_path = scratch})
check.equal("wandb.save", #files_of("labels.txt"), 1)
run:finish()
check.equal("run:finish", wandb.run, nil)
wandb.init{mode = "disabled"}
wandb.finish()
check.equal("wandb.finish", wandb.run, nil)
check.done(50)
