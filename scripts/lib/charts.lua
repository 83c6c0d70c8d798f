-- Charts for a page, as SVG text. Colours are the page's CSS classes, so that they follow its light and dark themes.
local charts = {}

function charts.escape(text)
  return (tostring(text):gsub("[&<>\"]", {["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;"}))
end
local escape = charts.escape

local function short(value)
  if value == 0 then return "0" end
  local text = ("%.4g"):format(value)
  return (text:gsub("e%-0", "e-"))
end

-- Round numbers that cover low..high, about `count` of them.
local function ticks(low, high, count)
  local raw = (high - low) / count
  local scale = 10 ^ math.floor(math.log(raw, 10))
  local step = scale * 10
  for _, m in ipairs{1, 2, 5} do
    if raw <= m * scale then step = m * scale break end
  end
  local marks = {}
  for k = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) do marks[#marks + 1] = k * step end
  return marks
end

local function log_ticks(low, high)
  local marks = {}
  for e = math.floor(math.log(low, 10)), math.ceil(math.log(high, 10)) do
    for _, m in ipairs(high / low > 300 and {1} or {1, 2, 5}) do
      local value = m * 10.0 ^ e
      if value >= low * 0.999 and value <= high * 1.001 then marks[#marks + 1] = value end
    end
  end
  return marks
end

-- Many points as few: for each of `count` stretches the mean, and what the middle 80% of the values lie between.
function charts.thinned(values, count)
  local points, band = {}, {}
  local stride = math.max(1, #values / count)
  local at = 1.0
  while at <= #values + 1e-9 do
    local first, last = math.floor(at), math.min(#values, math.max(math.floor(at), math.floor(at + stride + 1e-9) - 1))
    local stretch, sum = table.move(values, first, last, 1, {}), 0
    for _, value in ipairs(stretch) do sum = sum + value end
    table.sort(stretch)
    local x, cut = (first + last) / 2, #stretch // 10
    points[#points + 1] = {x, sum / #stretch}
    band[#band + 1] = {x, stretch[1 + cut], stretch[#stretch - cut]}
    at = at + stride
  end
  return points, band
end

local width, height, left, right, top, bottom = 520, 270, 52, 14, 14, 40

-- Lines over a common axis. `lines` is a list of {name =, class =, points = {{x, y}...}, band = {{x, low, high}...}, dots =}.
function charts.lines(lines, options)
  local x0, x1, y0, y1 = math.huge, -math.huge, math.huge, -math.huge
  for _, line in ipairs(lines) do
    for _, p in ipairs(line.points) do
      x0, x1, y0, y1 = math.min(x0, p[1]), math.max(x1, p[1]), math.min(y0, p[2]), math.max(y1, p[2])
    end
    for _, p in ipairs(line.band or {}) do y0, y1 = math.min(y0, p[2]), math.max(y1, p[3]) end
  end
  if x0 > x1 then return '<p class="none">nothing was logged</p>' end
  if x0 == x1 then x0, x1 = x0 - 1, x1 + 1 end
  if y0 == y1 then y0, y1 = y0 - 0.5, y1 + 0.5 end
  local logarithmic = options.log and y0 > 0 and y1 / y0 > 10
  if not logarithmic then
    local room = (y1 - y0) * 0.06
    y0, y1 = (y0 >= 0 and y0 - room < 0) and 0 or y0 - room, y1 + room
    if options.most then y1 = math.min(y1, options.most) end
  end
  local function X(x) return left + (x - x0) / (x1 - x0) * (width - left - right) end
  local function Y(y)
    local part = logarithmic and math.log(y / y0) / math.log(y1 / y0) or (y - y0) / (y1 - y0)
    return height - bottom - part * (height - top - bottom)
  end
  local out = {('<svg class="chart" viewBox="0 0 %d %d" role="img" aria-label="%s">'):format(width, height, escape(options.title))}
  local function add(text, ...) out[#out + 1] = text:format(...) end
  for _, y in ipairs(logarithmic and log_ticks(y0, y1) or ticks(y0, y1, 5)) do
    add('<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>', left, width - right, Y(y), Y(y))
    add('<text class="mark" x="%d" y="%.1f" text-anchor="end">%s</text>', left - 6, Y(y) + 3.5, options.percent and short(100 * y) .. "%" or short(y))
  end
  for _, x in ipairs(ticks(x0, x1, options.whole and math.min(6, math.max(1, x1 - x0)) or 6)) do
    add('<text class="mark" x="%.1f" y="%d" text-anchor="middle">%s</text>', X(x), height - bottom + 16, short(x))
  end
  add('<line class="axis" x1="%d" x2="%d" y1="%d" y2="%d"/>', left, width - right, height - bottom, height - bottom)
  add('<text class="mark" x="%.1f" y="%d" text-anchor="middle">%s</text>', (left + width - right) / 2, height - 6, escape(options.x))
  for _, line in ipairs(lines) do
    if line.band and #line.band > 1 then
      local edge = {}
      for i, p in ipairs(line.band) do edge[i] = ("%.1f,%.1f"):format(X(p[1]), Y(p[3])) end
      for i = #line.band, 1, -1 do edge[#edge + 1] = ("%.1f,%.1f"):format(X(line.band[i][1]), Y(line.band[i][2])) end
      add('<polygon class="band %s" points="%s"/>', line.class, table.concat(edge, " "))
    end
  end
  for _, line in ipairs(lines) do
    local points = {}
    for i, p in ipairs(line.points) do points[i] = ("%.1f,%.1f"):format(X(p[1]), Y(p[2])) end
    add('<polyline class="line %s" points="%s"/>', line.class, table.concat(points, " "))
    for i, p in ipairs(line.dots and line.points or {}) do
      local x, y = points[i]:match "(.+),(.+)"
      add('<circle class="dot %s" cx="%s" cy="%s" r="3.5"><title>%s %s: %s</title></circle>', line.class, x, y, escape(options.x),
        short(p[1]), options.percent and ("%.2f%%"):format(100 * p[2]) or ("%.5g"):format(p[2]))
    end
  end
  out[#out + 1] = "</svg>"
  if #lines > 1 then
    out[#out + 1] = '<div class="legend">'
    for _, line in ipairs(lines) do add('<span><i class="%s"></i>%s</span>', line.class, escape(line.name)) end
    out[#out + 1] = "</div>"
  end
  return table.concat(out, "\n")
end

-- A confusion matrix: counts[label][prediction], both from 1. Rows are labels; mistakes are shaded on a scale of their own.
function charts.confusion(counts, classes)
  local n, cell, longest = #classes, 44, 0
  for _, name in ipairs(classes) do longest = math.max(longest, utf8.len(name) or #name) end
  -- Long names stand upright above their columns.
  local upright, margin = longest > 4, math.max(58, 38 + math.ceil(8.4 * longest))
  local most_right, most_wrong = 1, 1
  for i = 1, n do
    for j = 1, n do
      if i == j then most_right = math.max(most_right, counts[i][j]) else most_wrong = math.max(most_wrong, counts[i][j]) end
    end
  end
  local out = {('<svg class="confusion" viewBox="0 0 %d %d" role="img" aria-label="confusion matrix">'):format(
    margin + n * cell + 4, margin + n * cell + 4)}
  local function add(text, ...) out[#out + 1] = text:format(...) end
  add('<text class="mark" x="%d" y="14" text-anchor="middle">prediction</text>', margin + n * cell // 2)
  add('<text class="mark" transform="translate(14 %d) rotate(-90)" text-anchor="middle">label</text>', margin + n * cell // 2)
  for i = 1, n do
    add('<text class="name" transform="translate(%.1f %d)%s" text-anchor="%s">%s</text>', margin + (i - 0.5) * cell + (upright and 5 or 0),
      margin - 10, upright and " rotate(-90)" or "", upright and "start" or "middle", escape(classes[i]))
    add('<text class="name" x="%d" y="%.1f" text-anchor="end">%s</text>', margin - 10, margin + (i - 0.5) * cell + 5, escape(classes[i]))
    for j = 1, n do
      local count = counts[i][j]
      local part = i == j and count / most_right or count / most_wrong
      local x, y = margin + (j - 1) * cell, margin + (i - 1) * cell
      -- The square root makes single mistakes visible beside many.
      add('<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="4" fill-opacity="%.3f"><title>%s taken for %s: %d</title></rect>',
        i == j and "hit" or "miss", x + 1, y + 1, cell - 2, cell - 2, count == 0 and 0.03 or (0.15 + 0.8 * part ^ 0.5),
        escape(classes[i]), escape(classes[j]), count)
      if count > 0 then
        add('<text class="count%s" x="%.1f" y="%.1f" text-anchor="middle">%d</text>', part > 0.3 and " strong" or "", x + cell / 2, y + cell / 2 + 4.5, count)
      end
    end
  end
  out[#out + 1] = "</svg>"
  return table.concat(out, "\n")
end

return charts
