-- The page that train.lua leaves: counts and order against what is known of made-up predictions. With a path it is written there.
local folder = arg[0]:match "^(.*)/Tests/Lua/" or "."
package.path = folder .. "/scripts/lib/?.lua;" .. package.path
local data, fs, tensor = require "data", require "fs", require "tensor"
local charts, picture, report, versions = require "charts", require "picture", require "report", require "versions"

-- PNG: the file holds the pixels that went in.
tensor.manual_seed(3)
local image = tensor.randint(0, 256, {300, 257}):byte()
local place = os.tmpname()
fs.remove(place)
fs.mkdir(place .. "/class")
fs.write(place .. "/class/x.png", picture.png(image))
assert(data.image_folder(place, {channels = 1}).images[0][0]:equal(image), "the PNG holds other pixels")
fs.remove(place, true)
for text, expected in pairs{[""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==", ["\0\xff\xfe"] = "AP/+"} do
  assert(picture.base64(text) == expected, text)
end

-- Curves: the mean of each stretch, all of the values used once.
local values = {}
for i = 1, 1003 do values[i] = i end
local points, band = charts.thinned(values, 100)
assert(#points <= 103 and points[1][2] == 5.5 and band[1][2] == 2 and band[1][3] == 9, "thinned")
assert(points[#points][1] > 990 and points[#points][2] == points[#points][1])
assert(#charts.thinned({1, 2}, 100) == 2)
assert(charts.lines({{class = "a", points = {}}}, {title = "none", x = "x"}):match "nothing was logged")

-- Predictions whose counts are known: of class c, c samples are taken for the next class, the rest is right.
local outcome = {labels = {}, predicted = {}, probability = {}, loss = {}}
for c = 0, 9 do
  for k = 0, 19 do
    local n = #outcome.labels + 1
    outcome.labels[n], outcome.predicted[n] = c, k < c and (c + 1) % 10 or c
    outcome.probability[n], outcome.loss[n] = 0.5 + k / 100, k < c and 1 + n or 0.1
  end
end
local classes = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "<nine & more>"}
local counts = report.confusion(outcome, classes)
for i = 1, 10 do
  for j = 1, 10 do
    local expected = i == j and 21 - i or j == i % 10 + 1 and i - 1 or 0
    assert(counts[i][j] == expected, ("counts[%d][%d] is %d, not %d"):format(i, j, counts[i][j], expected))
  end
end
local worst, total = report.worst(outcome, 3)
assert(total == 45 and worst[1] == 188 and worst[2] == 187 and worst[3] == 186, "worst")
local csv = report.predictions(outcome)
assert(csv:match "^index,label,predicted,probability\n0,0,0,0.500000\n" and select(2, csv:gsub("\n", "")) == 201)

local losses, epochs = {}, {}
for i = 1, 900 do losses[i] = 2.5 * math.exp(-i / 200) + 0.05 + 0.02 * math.sin(i) end
for e = 1, 3 do epochs[e] = {epoch = e, train_loss = 1 / e, val_loss = 0.8 / e, val_accuracy = 0.9 + e / 50} end
local code = versions.code()
for _, file in ipairs(code) do assert(not file.path:match "/data%.lua$", "Tests/Lua/data.lua is not the module `data`") end
assert(#code == 5 and code[1].sha256:match "^%x+$" and #code[1].sha256 == 64, "code")
local page = report.html{
  options = {model = "mlp", lr = 0.01, name = "<script>alert(1)</script>", data = "data/mnist"}, epochs = epochs, losses = losses, outcome = outcome,
  metrics = {test_accuracy = 0.775, test_loss = 0.1, val_accuracy = 0.96, seed = 1, seconds = 75, samples_per_second = 4e4},
  images = tensor.randint(0, 256, {200, 28, 28}):byte(), classes = classes, code = code, data = {}, commit = versions.commit(folder),
  program = "host " .. tensor.__version__, timing = {began = "2026-01-02 03:04:05 UTC"}, net = "Sequential(\n)",
}
assert(page:match "mlp on MNIST: 77.50%% test accuracy" and page:match "1 min 15 s" and page:match "&lt;nine &amp; more&gt;")
assert(not page:match "<script" and not page:match "[hs]r[ce]f?=\"http", "the page needs nothing else")
assert(select(2, page:gsub("<img ", "")) == 30, "pictures of the worst mistakes")
-- Without a loss for each step (a checkpoint of an older version) and without mistakes it is still a page.
for i = 1, #outcome.labels do outcome.predicted[i] = outcome.labels[i] end
assert(report.html{
  options = {model = "mlp"}, epochs = {}, losses = {}, outcome = outcome, classes = classes, code = {}, data = {}, program = "", timing = {began = ""}, net = "",
  metrics = {test_accuracy = 1, test_loss = 0, seed = 1, seconds = 0, samples_per_second = 0}, images = tensor.zeros(200, 28, 28, {dtype = "uint8"}),
}:match "there are none")

-- A commit: of a plain repository, of packed references, of a worktree, of none.
local repository = os.tmpname()
fs.remove(repository)
fs.mkdir(repository .. "/.git/refs/heads")
fs.mkdir(repository .. "/a/b")
fs.write(repository .. "/.git/HEAD", "ref: refs/heads/main\n")
fs.write(repository .. "/.git/packed-refs", "# pack-refs\n" .. ("1"):rep(40) .. " refs/heads/main\n")
assert(versions.commit(repository .. "/a/b") == ("1"):rep(40))
fs.write(repository .. "/.git/refs/heads/main", ("2"):rep(40) .. "\n")
assert(versions.commit(repository) == ("2"):rep(40))
fs.mkdir(repository .. "/.git/worktrees/w")
fs.write(repository .. "/.git/worktrees/w/HEAD", "ref: refs/heads/main\n")
fs.write(repository .. "/.git/worktrees/w/commondir", "../..\n")
fs.mkdir(repository .. "/w")
fs.write(repository .. "/w/.git", "gitdir: " .. repository .. "/.git/worktrees/w\n")
assert(versions.commit(repository .. "/w") == ("2"):rep(40))
fs.remove(repository, true)
assert(versions.commit "/tmp" == nil)

if arg[1] then fs.write(arg[1], page) end
