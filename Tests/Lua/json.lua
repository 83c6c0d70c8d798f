local json = require "json"

local function fails(pattern, f, ...)
  local ok, message = pcall(f, ...)
  assert(not ok, "no error")
  assert(tostring(message):find(pattern, 1, true), message)
end

-- writing
for text, value in pairs {
  ['[1,2.5,"x",true,null]'] = {1, 2.5, "x", true, json.null},
  ['{"a":{"b":[]},"z":-3}'] = {z = -3, a = {b = {}}},
  ['{"1":"one","3":"three"}'] = {[1] = "one", [3] = "three"},
  ['"\\"\\\\\\n\\t\\u0001\\u007f/é"'] = '"\\\n\t\1\127/é',
  ['{"value":1}'] = {value = 1},
  ["1e+300"] = 1e300, ["-0.0"] = -0.0, ["9007199254740993"] = 9007199254740993, ["3.0"] = 3.0,
} do
  assert(json.encode(value) == text, json.encode(value))
end
assert(json.encode(nil) == "null" and json.encode(false) == "false")
assert(json.encode({a = {1, {b = 2}}, c = {}}, {pretty = true}) == [[{
  "a": [
    1,
    {
      "b": 2
    }
  ],
  "c": []
}]])
fails("JSON has no NaN", json.encode, {0 / 0})
fails("JSON has no infinity", json.encode, {x = -1 / 0})
assert(json.encode({0 / 0, 1 / 0, -1 / 0}, {nan = "null"}) == "[null,null,null]")
assert(json.encode({0 / 0, 1 / 0, -1 / 0}, {nan = "literal"}) == "[NaN,Infinity,-Infinity]")
fails("cannot encode", json.encode, {print})
fails("cannot encode", json.encode, setmetatable({}, {}))
fails("key of an object", json.encode, {[true] = 1})
local loop = {}
loop[1] = loop
fails("nested deeper", json.encode, loop)
fails("did you mean 'pretty'", json.encode, {}, {prety = true})

-- reading
local t = json.decode ' {"a": [1, 2.0, -3e2, "x"], "b": {"c": null}, "d": true, "": 0} '
assert(#t.a == 4 and math.type(t.a[1]) == "integer" and math.type(t.a[2]) == "float" and t.a[3] == -300)
assert(t.b.c == json.null and t.d == true and t[""] == 0)
assert(json.decode '"\\u00e9\\ud83d\\ude00\\/\\b"' == "é😀/\b")
assert(json.decode '"\xff"' == "\xff", "bytes pass through")
assert(math.type(json.decode "9223372036854775807") == "integer" and math.type(json.decode "9223372036854775808") == "float")
assert(json.decode '{"a":1,"a":2}'.a == 2)
assert(json.decode(string.rep("[", 128) .. string.rep("]", 128)))
for text, message in pairs {
  [""] = "line 1, column 1: expected a value, got the end",
  ["[1,\n  2"] = "line 2, column 4: expected ',' or ']', got the end",
  ["{'a':1}"] = "line 1, column 2: expected a key in quotes, got '''",
  ['{"a" 1}'] = "column 6: expected ':'", ["[1,]"] = "column 4: expected a value, got ']'", ["01"] = "begin with 0",
  ["1."] = "expected a digit", ["-"] = "expected a digit", ["1e"] = "expected a digit", ["nul"] = "expected a value, got 'n'",
  ['"a\nb"'] = "control character", ['"\\x"'] = "unknown escape", ['"\\u12"'] = "four hexadecimal", ['"\\ud800x"'] = "surrogate",
  ['"\\udc00"'] = "surrogate", ['"\\ud800\\u0041"'] = "surrogate", ["1 2"] = "expected the end, got '2'", ['"abc'] = "does not end",
  ["\0"] = "byte 0", [string.rep("[", 129)] = "nested deeper than 128",
} do
  fails(message, json.decode, text)
end
fails("expected string, got integer 5", json.decode, 5)

-- there and back
local text = json.encode {list = {1, 2, {x = "y"}}, number = 0.1, null = json.null}
assert(json.encode(json.decode(text)) == text)
