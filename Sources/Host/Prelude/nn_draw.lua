-- How a module prints: its tree with shapes and parameter counts.
local _, host, core = ...
local ipairs = host.prelude "lists"
local Module, RECORD, members, shape_text = core.Module, core.RECORD, core.members, core.shape_text

local function grouped(n)
  local text = tostring(n)
  local changed
  repeat text, changed = text:gsub("^(%d+)(%d%d%d)", "%1,%2") until changed == 0
  return text
end

function Module:extra_repr() return "" end

-- Lines of the tree: text on the left, shapes of the module's own parameters and their count on the right.
local function draw(self, label, indent, lines, open)
  local shapes, count = {}, 0
  local parts = {}
  members(self, function(kind, key, value)
    if kind == "parameter" then
      shapes[#shapes + 1] = tostring(key) .. " " .. shape_text(value)
      count = count + value:numel()
    elseif kind == "module" then
      parts[#parts + 1] = {tostring(key), value}
    end
  end)
  -- Plain functions stand in a Sequential without being registered.
  for i = 0, (rawget(self, RECORD).count or 0) - 1 do
    if type(rawget(self, i)) == "function" then table.insert(parts, i + 1, {tostring(i)}) end
  end
  local head = label .. getmetatable(self).__name .. "(" .. self:extra_repr()
  local line = {left = indent .. head .. ((#parts == 0 or open[self]) and ")" or ""), shapes = table.concat(shapes, ", "), count = count}
  lines[#lines + 1] = line
  if #parts == 0 or open[self] then return end
  open[self] = true
  for _, part in ipairs(parts) do
    local name = indent .. "  (" .. part[1] .. "): "
    if part[2] then
      draw(part[2], "(" .. part[1] .. "): ", indent .. "  ", lines, open)
    else
      lines[#lines + 1] = {left = name .. "function", shapes = "", count = 0}
    end
  end
  open[self] = nil
  lines[#lines + 1] = {left = indent .. ")", shapes = "", count = 0}
end

function Module.__tostring(self)
  local lines = {}
  draw(self, "", "", lines, {})
  local left, middle, right = 0, 0, 0
  for _, line in ipairs(lines) do
    if line.count > 0 or line.shapes ~= "" then
      left = math.max(left, #line.left)
      middle = math.max(middle, #line.shapes)
      right = math.max(right, #grouped(line.count))
    end
  end
  local out = {}
  for _, line in ipairs(lines) do
    if line.shapes ~= "" then
      out[#out + 1] = ("%s%s  %s%s  %s"):format(
        line.left, (" "):rep(left - #line.left), line.shapes, (" "):rep(middle - #line.shapes),
        (" "):rep(right - #grouped(line.count)) .. grouped(line.count))
    else
      out[#out + 1] = line.left
    end
  end
  local all, free = Module.num_parameters(self), Module.num_parameters(self, true)
  out[#out + 1] = ("%s parameters%s"):format(grouped(all), free < all and (" (%s trainable)"):format(grouped(free)) or "")
  return table.concat(out, "\n")
end

function Module.__concat(a, b) return tostring(a) .. tostring(b) end
