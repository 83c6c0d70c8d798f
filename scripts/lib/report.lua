-- What a training leaves for people: predictions as CSV, a page with its curves.
local tensor = require "tensor"

local report = {}

-- One line for each sample: its number, label, prediction, and the probability of the prediction.
function report.predictions(net, loader)
  local lines, index = {"index,label,predicted,probability"}, 0
  net:eval()
  tensor.no_grad(function()
    for x, y in loader do
      local probability, class = net(x):softmax(1):max(1)
      local labels, classes, probabilities = y:tolist(), class:tolist(), probability:tolist()
      for i = 1, #labels do
        lines[#lines + 1] = ("%d,%d,%d,%.6f"):format(index, labels[i], classes[i], probabilities[i])
        index = index + 1
      end
    end
  end)
  return table.concat(lines, "\n") .. "\n"
end

local function escape(text)
  return (tostring(text):gsub("[&<>\"]", {["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;"}))
end

-- A curve over the epochs as an SVG picture.
local function curve(title, epochs, keys)
  local low, high = math.huge, -math.huge
  for _, row in ipairs(epochs) do
    for _, key in ipairs(keys) do low, high = math.min(low, row[key]), math.max(high, row[key]) end
  end
  if low > high then return "" end
  if high == low then low, high = low - 0.5, high + 0.5 end
  local colors, parts = {"#1f77b4", "#d62728"}, {}
  for k, key in ipairs(keys) do
    local points = {}
    for i, row in ipairs(epochs) do
      local x = 60 + 500 * (#epochs > 1 and (i - 1) / (#epochs - 1) or 0.5)
      points[i] = ("%.1f,%.1f"):format(x, 20 + 160 * (high - row[key]) / (high - low))
    end
    parts[#parts + 1] = ('<polyline fill="none" stroke="%s" stroke-width="2" points="%s"/>'):format(colors[k], table.concat(points, " "))
    for _, point in ipairs(points) do
      local x, y = point:match "(.+),(.+)"
      parts[#parts + 1] = ('<circle cx="%s" cy="%s" r="3" fill="%s"/>'):format(x, y, colors[k])
    end
    parts[#parts + 1] = ('<text x="%d" y="210" fill="%s">%s</text>'):format(60 + 160 * (k - 1), colors[k], escape(key))
  end
  return ([[<h2>%s</h2>
<svg viewBox="0 0 600 220" width="600" font-family="sans-serif" font-size="12">
<line x1="60" y1="20" x2="60" y2="180" stroke="#888"/><line x1="60" y1="180" x2="560" y2="180" stroke="#888"/>
<text x="5" y="24">%.4g</text><text x="5" y="184">%.4g</text>
%s
</svg>
]]):format(escape(title), high, low, table.concat(parts, "\n"))
end

local function rows(values)
  local names, lines = {}, {}
  for name in pairs(values) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    local value = values[name]
    lines[i] = ("<tr><td>%s</td><td>%s</td></tr>"):format(escape(name), escape(math.type(value) == "float" and ("%.6g"):format(value) or value))
  end
  return table.concat(lines, "\n")
end

-- A page that needs nothing else: curves, metrics, settings.
function report.html(opt, metrics, epochs)
  return ([[<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>%s</title></head>
<body style="font-family: sans-serif; max-width: 640px; margin: 2em auto">
<h1>%s on MNIST: %.2f%% test accuracy</h1>
%s%s<h2>Metrics</h2><table>
%s
</table><h2>Settings</h2><table>
%s
</table></body></html>
]]):format(
    escape(opt.model), escape(opt.model), 100 * metrics.test_accuracy, curve("Loss", epochs, {"train_loss", "val_loss"}),
    curve("Validation accuracy", epochs, {"val_accuracy"}), rows(metrics), rows(opt))
end

return report
