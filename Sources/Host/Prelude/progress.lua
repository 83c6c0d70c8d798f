-- Progress bars around loops.
local _, host = ...
local fail = host.fail
local declare = host.declare
local ipairs = host.prelude "lists"

local Bar = {__name = "Progress"}
Bar.__index = Bar

function Bar:__len()
  if not self.total then fail("progress: the length of this loop is not known") end
  return self.total
end

local function asked_to_be_quiet()
  if host.quiet then return true end
  for _, word in ipairs(type(arg) == "table" and arg or {}) do
    if word == "--quiet" then return true end
  end
  return false
end

-- The values that were set, as text: name=value, sorted by name.
local function values_text(values)
  local names = {}
  for name in pairs(values) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  local parts = {}
  for i, name in ipairs(names) do
    local value = values[name]
    if type(value) == "userdata" and value.item then value = value:item() end
    if math.type(value) == "float" then value = ("%.4g"):format(value) end
    parts[i] = tostring(name) .. "=" .. tostring(value)
  end
  return table.concat(parts, " ")
end

host.document([[
progress.Bar
A loop with a bar: what progress gives.
Source: tqdm.tqdm
]], Bar)

local function set(self, values)
  if type(values) ~= "table" then fail("progress: set: expected a table of name = value, got " .. type(values)) end
  for name, value in pairs(values) do self.values[name] = value end
  return self
end
Bar.set = host.document([[
progress.Bar:set(self: any, values: table) -> progress.Bar
Shows values beside the bar, as {loss = 0.1}; a tensor of one element counts as a number.
Example:
  local bar = progress({1, 2, 3}, {desc = "epoch 1"})
  for _, x in bar do bar:set{loss = 1 / x} end
Source: tqdm.tqdm.set_postfix
]], set)

local function draw(self, count, done)
  host.progress_draw(self.line, count, values_text(self.values), done)
end

local function advance(self, first, ...)
  if first == nil then
    draw(self, self.count, true)
    self.line = nil
  elseif host.progress_due(self.line) then
    draw(self, self.count, false)
  end
  return first, ...
end

-- What a script prints while a bar is on the terminal begins on a line of its own.
local plain_print
local function guard_print()
  if plain_print or not host.progress_terminal() then return end
  plain_print = print
  local leave_line = host.progress_leave_line
  function print(...)
    leave_line()
    return plain_print(...)
  end
end

-- Called by `for`: without a control value a loop begins, with one a step of it is done.
function Bar:__call(_, control)
  if self.quiet then return self.source(nil, control) end
  if control == nil then
    self.count = 0
    self.values = {}
    guard_print()
    self.line = host.progress_line(self.desc, self.total or -1)
  else
    self.count = self.count + 1
    if not self.line then fail("progress: this loop has ended") end
  end
  return advance(self, self.source(nil, control))
end

-- What to loop over as a function for `for`, and how many steps it has.
local function source_of(what)
  if type(what) == "number" then
    local n = math.tointeger(what)
    if not n or n < 0 then fail(("progress: expected a whole number of steps from 0, got %s"):format(tostring(what))) end
    return function(_, i)
      i = (i or 0) + 1
      if i <= n then return i end
    end, n
  end
  local meta = getmetatable(what)
  if type(what) == "function" then return what end
  if type(what) == "table" and not meta then
    return function(_, i)
      i = (i or 0) + 1
      if what[i] ~= nil then return i, what[i] end
    end, #what
  end
  if type(meta) == "table" and meta.__call then
    local total
    if meta.__len then
      local ok, n = pcall(function() return #what end)
      total = ok and math.tointeger(n) or nil
    end
    return what, total
  end
  fail(("progress: expected a loader, a function, a list or a number of steps, got %s"):format(type(what)))
end

return declare([[
progress(iterable: any, *, desc: string = nil, total: int = nil) -> progress.Bar
Shows how far a loop is: a bar with rate and time left on a terminal, a line every few seconds elsewhere, nothing with `--quiet` or HOST_PROGRESS=0. It writes to standard error.
Args:
  iterable: a loader, any function that `for` takes, a list (gives position and value) or a number of steps
  desc: what is going on
  total: how many steps there are, where that cannot be told
Returns: an object to loop over; `bar:set{loss = 0.1}` shows values beside the bar
Example:
  local sum = 0
  for i in progress(3) do sum = sum + i end
  print(sum) --> 6
Source: tqdm
]], function(iterable, desc, total)
  local source, known = source_of(iterable)
  return setmetatable({
    source = source, total = total or known, desc = desc or "", values = {}, count = 0,
    quiet = asked_to_be_quiet() or host.progress_off(),
  }, Bar)
end)
