-- Figures: what they draw is checked in their SVG, pictures by reading their PNG back.
package.path = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") .. "/?.lua;" .. package.path
local check = require "check"
local plot, tensor, data, fs = require "plot", require "tensor", require "data", require "fs"

local function count(text, what) return select(2, text:gsub(what, "")) end

-- Curves: two straight lines are two polylines of two points, the higher value lies higher.
local svg = plot.line({0, 10}, {{0, 1}, {1, 0}}, {labels = {"up & away", "down"}, title = "a < b", xlabel = "x", ylabel = "y"}):svg()
check.that("escaped", svg:find("a &lt; b", 1, true) and svg:find("up &amp; away", 1, true) and not svg:find("a < b", 1, true))
local up = svg:match('<polyline points="([^"]*)" fill="none" stroke="#1f77b4" stroke%-width="1.8"')
local x0, y0, x1, y1 = up:match("([%d.]+),([%d.]+) ([%d.]+),([%d.]+)$")
check.that("rises", tonumber(x1) > tonumber(x0) and tonumber(y1) < tonumber(y0), up)
check.equal("viewBox", svg:match('viewBox="0 0 (%d+ %d+)"'), "640 400")
-- A number that cannot be shown is a gap.
local gap = plot.line{1, 2, 0 / 0, 3, 4}:svg()
check.equal("runs", count(gap, 'stroke="#1f77b4"'), 2)
-- On a logarithmic axis equal ratios are equal distances.
local log = plot.line({0, 1, 2}, {1, 10, 100}, {yscale = "log"}):svg()
local ys = {}
for y in log:match('<polyline points="([^"]*)" fill="none" stroke="#1f77b4"'):gmatch(",([%d.]+)") do ys[#ys + 1] = tonumber(y) end
check.that("log", math.abs((ys[1] - ys[2]) - (ys[2] - ys[3])) < 0.05, table.concat(ys, " "))

-- A histogram of 3 and 1: bars as high as that.
local bars = plot.hist({0, 0, 0, 1}, {bins = 2}):svg()
local heights = {}
for h in bars:gmatch('height="([%d.]+)" fill="#1f77b4"') do heights[#heights + 1] = tonumber(h) end
check.equal("bars", #heights, 2)
check.that("bar heights", math.abs(heights[1] / heights[2] - 3) < 0.01, table.concat(heights, " "))

-- Points by class.
local points = plot.scatter(tensor.arange(6), tensor.arange(6), {group = tensor{0, 1, 0, 2, 1, 0}}):svg()
check.equal("dots of class 0", count(points, 'r="3" fill="#1f77b4"'), 3)
check.equal("dots of class 2", count(points, 'r="3" fill="#2ca02c"'), 1)

-- A picture without text is its pixels, each a square.
local folder = os.tmpname()
os.remove(folder)
fs.mkdir(folder)
fs.mkdir(folder .. "/a")
local image = tensor.randint(0, 256, {6, 9}):byte()
plot.image(image, {width = 9 * 4 + 16}):save(folder .. "/a/image.png")
local read = data.image_folder(folder).images[0]
local width, height = read.shape[#read.shape], read.shape[#read.shape - 1]
local factor = width // 9
check.that("size of the png", factor >= 1 and width == 9 * factor and height == 6 * factor, ("%d x %d"):format(width, height))
for offset = 0, factor - 1 do
  local picked = read[("..., %d::%d, %d::%d"):format(offset, factor, offset, factor)]
  if picked.ndim == 3 then picked = picked[0] end
  check.that("pixels", picked:long():equal(image:long()), tostring(picked))
end
fs.remove(folder .. "/a/image.png")
fs.remove(folder .. "/a")
fs.remove(folder)

-- Numbers beyond 0..1 are stretched; the picture in the SVG is a PNG.
check.that("image in svg", plot.image(tensor.linspace(-5, 5, 16):reshape(4, 4), {title = "t"}):svg():find("data:image/png;base64,iVBORw0KGgo", 1, true))
check.equal("grid", count(plot.images(tensor.zeros(5, 1, 8, 8), {titles = {"a", "b", "c", "d", "e"}}):svg(), "<image "), 5)
local matrix = plot.confusion({{8, 2}, {1, 9}}, {"cat", "dog"}):svg()
for _, text in ipairs{">8<", ">9<", ">cat<", ">dog<", ">20 samples, 85.00% right<"} do check.that(text, matrix:find(text, 1, true), matrix) end

-- Bad input says what was expected.
local f = plot.line{1, 4, 9, title = "squares"}
check.equal("title", f.title, "squares")
check.fails("x has 2 points and y has 1", plot.line, {1, 2}, {1})
check.fails("element 2 is a string", plot.line, {1, "a"})
check.fails({"title", "titel"}, plot.line, {titel = "x"})
check.fails("[2, 2, 2, 2]", plot.image, tensor.zeros(2, 2, 2, 2))
check.fails("square", plot.confusion, {{1, 2}})
check.fails("expected 3 classes", plot.confusion, tensor.eye(3), {"a"})
check.fails({"Figure:save", ".png or .svg", "x.gif"}, f.save, f, "x.gif")
check.fails("/nonexistent/x.svg", f.save, f, "/nonexistent/x.svg")
check.fails("expected 16 to 10000 pixels", plot.line, {1, 2}, {width = 1000000})
check.fails("1 to 10000", plot.hist, {1}, {bins = 0})
check.fails("{low, high}", plot.line, {1, 2}, {ylim = {3, 1}})
check.fails("expected 2 titles", plot.images, tensor.zeros(2, 4, 4), {titles = {"a"}})
-- Numbers at the ends of what there is: no trap, and an SVG.
for _, values in ipairs{{}, {0}, {1e308, -1e308}, {0 / 0}, {math.huge, 1}, {5e-324, 1e-310}, {math.maxinteger, math.mininteger}} do
  for _, draw in ipairs{plot.line, plot.hist} do
    for _, scale in ipairs{"linear", "log"} do
      check.that("extremes", draw(values, {yscale = scale}):svg():find("</svg>", 1, true))
    end
  end
end
check.done(60)
-- Ranges that are lost in the numbers' own precision, at both ends of it.
for _, values in ipairs{{1e30, 1e30}, {-1e300}, {1.7976931348623157e308}, {0, 5e-324}, {-1.7976931348623157e308, 1.7976931348623157e308}} do
  local x = tensor(values, {dtype = "float64"})
  check.that("histogram of " .. values[1], plot.hist(x):svg():find("</svg>", 1, true))
end
