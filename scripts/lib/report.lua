-- What a training leaves for people: predictions as CSV, a page to look at.
local charts = require "charts" -- scripts/lib/charts.lua
local picture = require "picture" -- scripts/lib/picture.lua
local tensor = require "tensor"
local escape = charts.escape

local report = {}

-- What a net says of every sample: its label, the likeliest class with its probability, and the loss.
function report.outcome(net, loader)
  local labels, predicted, probability, loss = {}, {}, {}, {}
  net:eval()
  tensor.no_grad(function()
    for x, y in loader do
      local logits = net(x)
      local best, class = logits:softmax(1):max(1)
      labels[#labels + 1], predicted[#predicted + 1], probability[#probability + 1] = y, class, best
      loss[#loss + 1] = -logits:log_softmax(1):gather(1, y:unsqueeze(1)):squeeze(1)
    end
  end)
  return {
    labels = tensor.cat(labels):tolist(), predicted = tensor.cat(predicted):tolist(),
    probability = tensor.cat(probability):tolist(), loss = tensor.cat(loss):tolist(),
  }
end

-- One line for each sample: its number, label, prediction, and the probability of the prediction.
function report.predictions(outcome)
  local lines = {"index,label,predicted,probability"}
  for i = 1, #outcome.labels do
    lines[i + 1] = ("%d,%d,%d,%.6f"):format(i - 1, outcome.labels[i], outcome.predicted[i], outcome.probability[i])
  end
  return table.concat(lines, "\n") .. "\n"
end

-- Counts by label and prediction, both from 1.
function report.confusion(outcome, classes)
  local counts = {}
  for i = 1, #classes do
    counts[i] = {}
    for j = 1, #classes do counts[i][j] = 0 end
  end
  for i, label in ipairs(outcome.labels) do
    local row, column = counts[label + 1], outcome.predicted[i] + 1
    row[column] = row[column] + 1
  end
  return counts
end

-- Positions (from 0) of the wrong predictions with the greatest loss, and how many wrong ones there are.
function report.worst(outcome, count)
  local wrong = {}
  for i, label in ipairs(outcome.labels) do
    if outcome.predicted[i] ~= label then wrong[#wrong + 1] = i end
  end
  table.sort(wrong, function(a, b)
    if outcome.loss[a] ~= outcome.loss[b] then return outcome.loss[a] > outcome.loss[b] end
    return a < b
  end)
  local found = {}
  for k = 1, math.min(count, #wrong) do found[k] = wrong[k] - 1 end
  return found, #wrong
end

local function percent(part) return ("%.2f%%"):format(100 * part) end

local function duration(seconds)
  if seconds < 60 then return ("%.1f s"):format(seconds) end
  return ("%d min %02d s"):format(seconds // 60, math.floor(seconds % 60))
end

local function text_of(value)
  if math.type(value) == "float" then return ("%.6g"):format(value) end
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for key, item in pairs(value) do parts[#parts + 1] = type(key) == "number" and text_of(item) or key .. " = " .. text_of(item) end
  table.sort(parts)
  return table.concat(parts, ", ")
end

local function rows(values)
  local names, lines = {}, {}
  for name, value in pairs(values) do
    if value ~= "" then names[#names + 1] = name end
  end
  table.sort(names)
  for i, name in ipairs(names) do
    lines[i] = ("<tr><th>%s</th><td>%s</td></tr>"):format(escape(name), escape(text_of(values[name])))
  end
  return "<table>" .. table.concat(lines, "\n") .. "</table>"
end

local function section(title, note, body)
  return ('<section><h2>%s</h2>%s\n%s</section>'):format(escape(title), note and ('<p class="note">%s</p>'):format(note) or "", body)
end

local function cards(list)
  local parts = {}
  for i, card in ipairs(list) do
    parts[i] = ('<div class="card"><b>%s</b><span>%s</span></div>'):format(escape(card[2]), escape(card[1]))
  end
  return '<div class="cards">' .. table.concat(parts, "\n") .. "</div>"
end

local function loss_chart(run)
  local lines, per_epoch = {}, #run.epochs > 0 and #run.losses / #run.epochs or 0
  if #run.losses > 0 then
    local points, band = charts.thinned(run.losses, 240)
    lines[1] = {name = "training, by steps (mean and middle 80%)", class = "a", points = points, band = band}
  end
  local val = {}
  for i, row in ipairs(run.epochs) do val[i] = {#run.losses > 0 and i * per_epoch or row.epoch, row.val_loss} end
  lines[#lines + 1] = {name = "validation", class = "b", points = val, dots = true}
  return charts.lines(lines, {title = "loss", x = #run.losses > 0 and "step" or "epoch", log = true})
end

local function accuracy_chart(run)
  local points = {}
  for i, row in ipairs(run.epochs) do points[i] = {row.epoch, row.val_accuracy} end
  return charts.lines({{name = "validation", class = "b", points = points, dots = true}},
    {title = "validation accuracy", x = "epoch", percent = true, most = 1, whole = true})
end

local function class_table(counts, classes)
  local lines = {}
  for i, name in ipairs(classes) do
    local labels, predictions = 0, 0
    for j = 1, #classes do labels, predictions = labels + counts[i][j], predictions + counts[j][i] end
    local recall = labels > 0 and counts[i][i] / labels or 0
    local precision = predictions > 0 and counts[i][i] / predictions or 0
    lines[i] = ('<tr><th>%s</th><td>%d</td><td><span class="bar"><i style="width:%.1f%%"></i></span><span class="part">%s</span></td><td>%s</td></tr>'):format(
      escape(name), labels, 100 * recall, percent(recall), percent(precision))
  end
  return '<table class="classes"><tr><th>class</th><td>samples</td><td>accuracy (recall)</td><td>precision</td></tr>'
    .. table.concat(lines, "\n") .. "</table>"
end

local function mistakes(run)
  local worst, total = report.worst(run.outcome, 30)
  local parts = {}
  for k, at in ipairs(worst) do
    local i = at + 1
    local label, guess = run.classes[run.outcome.labels[i] + 1], run.classes[run.outcome.predicted[i] + 1]
    parts[k] = ('<figure><img src="%s" width="84" height="84" alt="sample %d: a %s"/><figcaption><b>%s</b> not %s'
      .. '<br/>%s sure<br/><span>no. %d</span></figcaption></figure>'):format(
      picture.address(run.images[at]), at, escape(label), escape(guess), escape(label), ("%.1f%%"):format(100 * run.outcome.probability[i]), at)
  end
  if total == 0 then return '<p class="none">there are none</p>', 0 end
  return '<div class="mistakes">' .. table.concat(parts, "\n") .. "</div>", total
end

local style = [[
:root { color-scheme: light dark; --bg: #f6f7f9; --card: #fff; --text: #1c2330; --dim: #667085; --line: #e4e7ec;
  --a: #2f6fde; --b: #e0662f; --hit: #2f6fde; --miss: #d92d3a; }
@media (prefers-color-scheme: dark) { :root { --bg: #12151b; --card: #1b2029; --text: #e6e9ef; --dim: #98a2b3; --line: #2c3440;
  --a: #6ea3ff; --b: #ff9a62; --hit: #5c94f7; --miss: #f26d78; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--text); font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 26px; margin: 0 0 2px; } h2 { font-size: 16px; margin: 0 0 10px; }
.note, .none, header p { color: var(--dim); margin: 0 0 12px; font-size: 13px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 18px 0; }
.card, section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px; min-width: 0; }
.card b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; } .card span { color: var(--dim); font-size: 13px; }
.grid2, .grid3 { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 14px; margin-bottom: 14px; align-items: start; }
.grid3 { grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); }
section { margin-bottom: 14px; } .grid2 section, .grid3 section { margin: 0; height: 100%; }
svg { display: block; width: 100%; height: auto; } svg text { font-family: inherit; fill: var(--text); }
.confusion { max-width: 520px; margin: 0 auto; }
.mark { font-size: 11px; fill: var(--dim) !important; } .name { font-size: 14px; font-weight: 600; } .count { font-size: 13px; }
.count.strong { fill: #fff; font-weight: 600; }
.grid { stroke: var(--line); } .axis { stroke: var(--dim); }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; } .line.a { stroke: var(--a); } .line.b { stroke: var(--b); }
.dot.a { fill: var(--a); } .dot.b { fill: var(--b); } .band { fill-opacity: .18; } .band.a { fill: var(--a); } .band.b { fill: var(--b); }
.hit { fill: var(--hit); } .miss { fill: var(--miss); }
.legend { display: flex; flex-wrap: wrap; gap: 16px; font-size: 13px; color: var(--dim); margin-top: 6px; }
.legend i { display: inline-block; width: 14px; height: 3px; border-radius: 2px; margin-right: 6px; vertical-align: middle; }
.legend .a { background: var(--a); } .legend .b { background: var(--b); }
table { border-collapse: collapse; width: 100%; font-size: 13px; } th { text-align: left; font-weight: 500; white-space: nowrap; }
td, th { padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child > * { border-bottom: 0; } td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.classes tr:first-child > * { color: var(--dim); } .classes tr > :nth-child(n+2) { text-align: right; white-space: nowrap; } .classes { margin-top: 4px; }
.classes td, .classes th { padding-top: 6px; padding-bottom: 6px; }
.bar { display: inline-block; width: 90px; height: 6px; border-radius: 3px; background: var(--line); margin-right: 10px; vertical-align: middle; overflow: hidden; }
.part { display: inline-block; min-width: 58px; } .bar i { display: block; height: 100%; background: var(--hit); }
.mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(92px, 1fr)); gap: 14px 10px; }
figure { margin: 0; font-size: 12px; line-height: 1.35; } figure img { display: block; image-rendering: pixelated; border-radius: 6px; background: #000; }
figcaption { margin-top: 5px; } figcaption b { color: var(--miss); } figcaption span { color: var(--dim); }
code { font: 12px ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
pre { overflow-x: auto; margin: 0; } pre code { white-space: pre; overflow-wrap: normal; }
@media (max-width: 480px) { .bar { display: none; } main { padding: 16px 12px; } }
]]

local function file_rows(files)
  local lines = {}
  for i, file in ipairs(files) do
    lines[i] = ("<tr><th>%s</th><td><code>%s</code></td></tr>"):format(escape(file.path), escape(file.sha256))
  end
  return table.concat(lines, "\n")
end

-- One page that needs nothing else. `run` holds options, metrics, epochs, losses (of each step), outcome, images (of the
-- samples in outcome), classes, code and data (lists of {path =, sha256 =}), commit, program, provenance, timing, net (its text).
function report.html(run)
  local m, counts = run.metrics, report.confusion(run.outcome, run.classes)
  local pictures, total = mistakes(run)
  local title = ("%s on MNIST: %s test accuracy"):format(run.options.model, percent(m.test_accuracy))
  local versions = '<table><tr><th>program</th><td>' .. escape(run.program) .. "</td></tr>"
    .. ("<tr><th>commit</th><td><code>%s</code></td></tr>"):format(escape(run.commit or "not in a repository"))
    .. file_rows(run.code) .. file_rows(run.data) .. "</table>"
  local parts = {
    "<header><h1>" .. escape(title) .. "</h1><p>" .. escape(("%s, seed %d"):format(run.timing.began, m.seed)) .. "</p></header>",
    cards{
      {"test accuracy", percent(m.test_accuracy)}, {"test loss", ("%.4f"):format(m.test_loss)},
      {"validation accuracy", m.val_accuracy and percent(m.val_accuracy) or "-"},
      {"mistakes in " .. #run.outcome.labels, tostring(total)}, {"training", duration(m.seconds)},
      {"samples per second", ("%.0f"):format(m.samples_per_second)},
    },
    '<div class="grid2">', section("Loss", nil, loss_chart(run)), section("Validation accuracy", nil, accuracy_chart(run)), "</div>",
    '<div class="grid2">',
    section("Confusion", "Rows are labels, columns predictions; blue is right, red is wrong, on scales of their own.", charts.confusion(counts, run.classes)),
    section("Classes", "Of the samples of a class, how many were found; of those taken for it, how many were.", class_table(counts, run.classes)), "</div>",
    section("Worst mistakes", "The wrong predictions with the greatest loss, and their positions in the test set.", pictures),
    '<div class="grid3">', section("Configuration", nil, rows(run.options)), section("Metrics", nil, rows(m)),
    section("Timing", nil, rows(run.timing)), "</div>",
    section("Model", nil, "<pre><code>" .. escape(run.net) .. "</code></pre>"),
    section("Code and data", "The files that took part, with their SHA-256.", versions),
  }
  if run.provenance and next(run.provenance) then parts[#parts + 1] = section("Job", nil, rows(run.provenance)) end
  return ('<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    .. '<title>%s</title>\n<style>\n%s</style></head>\n<body><main>\n%s\n</main></body></html>\n'):format(
    escape(title), style, table.concat(parts, "\n"))
end

return report
