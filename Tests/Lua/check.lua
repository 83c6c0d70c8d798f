-- What test scripts share: comparisons that say what differs, and a list of failures instead of the first one alone.
local tensor = require "tensor"
local check = {failures = {}, count = 0}

local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."
-- A file of Tests/Golden/data.
function check.golden(name) return here .. "/../Golden/data/" .. name end

function check.fail(name, message) table.insert(check.failures, name .. ": " .. message) end

function check.that(name, condition, message)
  check.count = check.count + 1
  if not condition then check.fail(name, message or "is not so") end
end

function check.equal(name, got, expected)
  check.that(name, got == expected, ("got %s, expected %s"):format(tostring(got), tostring(expected)))
end

-- Two tensors (or numbers) of one shape whose elements differ by at most atol + rtol * |expected|.
function check.close(name, got, expected, rtol, atol)
  check.count = check.count + 1
  if type(got) == "number" then got = tensor(got, {dtype = "float64"}) end
  if type(expected) == "number" then expected = tensor(expected, {dtype = "float64"}) end
  if not tensor.is_tensor(got) then return check.fail(name, "got " .. tostring(got)) end
  local a, b = table.concat(got.shape, ","), table.concat(expected.shape, ",")
  if a ~= b then return check.fail(name, ("shape [%s], expected [%s]"):format(a, b)) end
  local x, y = got:detach():double(), expected:detach():double()
  if not x:allclose(y, {rtol = rtol or 1e-9, atol = atol or 1e-11, equal_nan = true}) then
    local worst = x:numel() > 0 and (x - y):abs():max():item() or 0
    check.fail(name, ("differs by up to %g\ngot %s\nexpected %s"):format(worst, tostring(got), tostring(expected)))
  end
end

-- f(...) must raise an error whose message contains all of the texts.
function check.fails(texts, f, ...)
  check.count = check.count + 1
  local ok, message = pcall(f, ...)
  if type(texts) ~= "table" then texts = {texts} end
  for _, text in ipairs(texts) do
    if ok then
      check.fail("error", ("there was none, expected one with '%s'"):format(text))
    elseif not tostring(message):find(text, 1, true) then
      check.fail("error", ("'%s' lacks '%s'"):format(tostring(message), text))
    end
  end
end

-- Ends the script: an error that lists what failed.
function check.done(least)
  if least and check.count < least then check.fail("check", ("only %d checks ran, expected at least %d"):format(check.count, least)) end
  if #check.failures > 0 then
    local shown = table.concat(check.failures, "\n", 1, math.min(#check.failures, 40))
    error(("%d of %d checks failed:\n%s"):format(#check.failures, check.count, shown), 0)
  end
  print(check.count .. " checks passed")
end

return check
