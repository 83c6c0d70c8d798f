-- What a row can hold besides numbers and text: pictures, histograms, tables, pages, charts.
local wandb, native, host = ...
local declare = host.declare

wandb.Image = declare([[
Image(source: any, caption: string = nil, masks: options = nil, boxes: options = nil)
Makes a picture for a row from a tensor `[H, W]`, `[C, H, W]` or `[H, W, C]`, or from a PNG, JPEG or GIF file. Numbers in 0..1 are scaled to 0..255, others that leave 0..255 are stretched into it.
Errors: another shape, NaN, a file that is no picture
Example:
  local run = wandb.init{mode = "disabled"}
  run:log{digit = wandb.Image(tensor.rand(28, 28), {caption = "noise"})}
  run:finish()
Source: wandb.Image
]], function(source, caption, masks, boxes)
  return native.native_image(source, {caption = caption, masks = masks, boxes = boxes})
end)

wandb.Histogram = declare([[
Histogram(values: any, num_bins: int = 64)
Makes a histogram of a tensor or a list of numbers; what is not finite is left out.
Example:
  local run = wandb.init{mode = "disabled"}
  run:log{weights = wandb.Histogram(tensor.randn(100))}
  run:finish()
Source: wandb.Histogram
]], function(values, bins) return native.native_histogram(values, bins) end)

wandb.Table = declare([[
Table(columns: list, data: list = {})
Makes a table for a row: a list of names and a list of rows.
Errors: a row that is longer or shorter than the list of names
Example:
  local run = wandb.init{mode = "disabled"}
  run:log{scores = wandb.Table{columns = {"name", "score"}, data = {{"a", 1}, {"b", 2}}}}
  run:finish()
Source: wandb.Table
]], function(columns, data) return native.native_table(columns, data) end)

wandb.Html = declare([[
Html(text: string)
Makes a page of HTML for a row.
Example:
  local run = wandb.init{mode = "disabled"}
  run:log{note = wandb.Html("<b>done</b>")}
  run:finish()
Source: wandb.Html
]], function(text) return native.native_html(text) end)

wandb.plot = {}

local function chart(doc, kind, names)
  local draw = native["native_chart_" .. kind]
  wandb.plot[kind] = declare(doc, function(...)
    local arguments, given = {}, table.pack(...)
    for i, name in ipairs(names) do arguments[name] = given[i] end
    return draw(arguments)
  end)
end

chart([[
wandb.plot.line(table: any, x: string, y: string, stroke: string = nil, title: string = "")
Draws two columns of a wandb.Table as a line, one for each value of the column `stroke`.
Example:
  local t = wandb.Table{columns = {"x", "y"}, data = {{1, 2}, {2, 4}}}
  local run = wandb.init{mode = "disabled"}
  run:log{line = wandb.plot.line(t, "x", "y")}
  run:finish()
Source: wandb.plot.line
]], "line", {"table", "x", "y", "stroke", "title"})
chart([[
wandb.plot.scatter(table: any, x: string, y: string, title: string = "")
Draws two columns of a wandb.Table as points.
Example:
  local t = wandb.Table{columns = {"x", "y"}, data = {{1, 2}, {2, 4}}}
  local run = wandb.init{mode = "disabled"}
  run:log{points = wandb.plot.scatter(t, "x", "y")}
  run:finish()
Source: wandb.plot.scatter
]], "scatter", {"table", "x", "y", "title"})
chart([[
wandb.plot.bar(table: any, label: string, value: string, title: string = "")
Draws a column of a wandb.Table as bars with the names of another.
Example:
  local t = wandb.Table{columns = {"name", "score"}, data = {{"a", 1}, {"b", 2}}}
  local run = wandb.init{mode = "disabled"}
  run:log{bars = wandb.plot.bar(t, "name", "score")}
  run:finish()
Source: wandb.plot.bar
]], "bar", {"table", "label", "value", "title"})
chart([[
wandb.plot.histogram(table: any, value: string, title: string = "")
Draws the histogram of a column of a wandb.Table.
Example:
  local t = wandb.Table{columns = {"score"}, data = {{1}, {2}, {2}}}
  local run = wandb.init{mode = "disabled"}
  run:log{scores = wandb.plot.histogram(t, "score")}
  run:finish()
Source: wandb.plot.histogram
]], "histogram", {"table", "value", "title"})
chart([[
wandb.plot.confusion_matrix(y_true: any, preds: any, class_names: list = nil, title: string = "")
Draws how often each class (from 0) was taken for each.
Example:
  local run = wandb.init{mode = "disabled"}
  run:log{matrix = wandb.plot.confusion_matrix(tensor{0, 1, 1}, tensor{0, 1, 0}, {"cat", "dog"})}
  run:finish()
Source: wandb.plot.confusion_matrix
]], "confusion_matrix", {"y_true", "preds", "names", "title"})
chart([[
wandb.plot.pr_curve(y_true: any, y_probas: any, labels: list = nil, title: string = "")
Draws precision over recall of each class, from scores `[N, C]`.
Example:
  local run = wandb.init{mode = "disabled"}
  run:log{pr = wandb.plot.pr_curve(tensor{0, 1}, tensor{{0.9, 0.1}, {0.2, 0.8}})}
  run:finish()
Source: wandb.plot.pr_curve
]], "pr_curve", {"y_true", "y_probas", "names", "title"})
chart([[
wandb.plot.roc_curve(y_true: any, y_probas: any, labels: list = nil, title: string = "")
Draws true over false positives of each class, from scores `[N, C]`.
Example:
  local run = wandb.init{mode = "disabled"}
  run:log{roc = wandb.plot.roc_curve(tensor{0, 1}, tensor{{0.9, 0.1}, {0.2, 0.8}})}
  run:finish()
Source: wandb.plot.roc_curve
]], "roc_curve", {"y_true", "y_probas", "names", "title"})
