-- Datasets, loaders and files as scripts see them. Arguments: the repository's folder, a folder to write in.
local data, tensor, fs = require "data", require "tensor", require "fs"
local repository, scratch = ...

local function fails(expected, fn, ...)
  local ok, message = pcall(fn, ...)
  assert(not ok, "expected an error with: " .. expected)
  assert(tostring(message):find(expected, 1, true), ("expected '%s' in '%s'"):format(expected, message))
end

local function same(a, b) assert(a == b, ("%s is not %s"):format(tostring(a), tostring(b))) end
local function text(t) return table.concat(t:tolist(), " ") end

-- MNIST
local test = data.mnist{root = repository .. "/data", split = "test"}
same(#test, 10000)
same(table.concat(test.images.shape, " "), "10000 28 28")
same(test.images.dtype .. test.labels.dtype, "uint8int64")
same(text(test.labels["0:5"]), "7 2 1 0 4")
same(#test.classes, 10)
local sample = test[0]
same(table.concat(sample[1].shape, " ") .. sample[1].dtype, "1 28 28float32")
same(sample[2], 7)
same(math.type(test[-1][2]), "integer")
local raw = data.mnist{root = repository .. "/data/mnist", split = "test", normalize = false}
assert(((raw[0][1] - 0.1307) / 0.3081):allclose(sample[1], {atol = 1e-6}))
assert(raw[0][1]:equal(test.images[0]:float():div(255):view(1, 28, 28)))
fails("index 10000 is out of range for a dataset of 10000; valid: 0..9999 or -10000..-1", function() return test[10000] end)
fails("Dataset has no field 'image'; did you mean 'images'?", function() return test.image end)
fails("nowhere: cannot open the folder", data.mnist, {root = scratch .. "/nowhere"})
fails("unknown option 'rot'", data.mnist, {rot = "x"})

-- Loaders: fresh passes, shuffles, breaks, nesting.
local ten = data.TensorDataset(tensor.arange(10))
local function pass(loader, stop)
  local parts = {}
  for x in loader do
    parts[#parts + 1] = text(x)
    if #parts == stop then break end
  end
  return table.concat(parts, " | ")
end
local plain = data.loader(ten, {batch_size = 4})
same(#plain, 3)
same(pass(plain), "0 1 2 3 | 4 5 6 7 | 8 9")
same(pass(plain, 1), "0 1 2 3")
same(pass(plain), "0 1 2 3 | 4 5 6 7 | 8 9")
same(pass(data.loader(ten, {batch_size = 4, drop_last = true})), "0 1 2 3 | 4 5 6 7")
local function shuffled() return data.loader(ten, {batch_size = 5, shuffle = true, seed = 7}) end
local a, b = shuffled(), shuffled()
local first, second = pass(a), pass(a)
assert(first ~= second)
same(pass(b, 1), first:match("^[^|]*[^| ]"))
same(pass(b), second)
b:set_epoch(0)
same(pass(b), first)
tensor.manual_seed(3)
local free = data.loader(ten, {batch_size = 10, shuffle = true})
local one, two = pass(free), pass(free)
assert(one ~= two)
tensor.manual_seed(3)
same(pass(data.loader(ten, {batch_size = 10, shuffle = true})), one)
local pairs_seen = {}
for x in plain do
  for y in plain do
    pairs_seen[#pairs_seen + 1] = x[0]:item() .. "-" .. y[0]:item()
    if y[0]:item() == 4 then break end
  end
end
same(table.concat(pairs_seen, " "), "0-0 0-4 4-0 4-4 8-0 8-4")
for i = 1, 300 do
  for x in data.loader(ten, {batch_size = 1}) do break end
end
fails("batch_size must be at least 1, got 0", data.loader, ten, {batch_size = 0})
fails("did you mean 'batch_size'", data.loader, ten, {batchsize = 4})
fails("expected a dataset", data.loader, 5)
fails("use data.TensorDataset", data.loader, tensor.zeros(3))
fails("float32 images", data.loader, ten, {transform = data.transforms.random_shift(1)})
fails("with a value that it did not give", plain, nil, 3)

-- Whole MNIST, twice the same bits.
local function digest(loader)
  local sum, count, firsts = 0, 0, {}
  for x, y in loader do
    same(x.dtype, "float32")
    sum = sum + x:sum():item()
    count = count + #y
    firsts[#firsts + 1] = y[0]:item()
  end
  return count, sum, table.concat(firsts, "")
end
local augment = data.transforms.compose{
  data.transforms.random_affine{degrees = 10, translate = {0.1, 0.1}, interpolation = "bilinear"}, data.transforms.gaussian_noise(0.05)}
local function augmented(prefetch)
  return data.loader(test, {batch_size = 500, shuffle = true, seed = 1, transform = augment, prefetch = prefetch})
end
local c1, s1, f1 = digest(augmented(3))
local c2, s2, f2 = digest(augmented(0))
same(c1, 10000)
same(s1, s2)
same(f1, f2)

-- Datasets and transforms written in Lua.
local squares = setmetatable({}, {
  __len = function() return 5 end,
  __index = function(_, i) return {tensor.full({2}, i * 1.0), i * i, "n" .. i, {id = i, on = i > 2}} end,
})
for x, y, name, more in data.loader(squares, {batch_size = 5}) do
  same(table.concat(x.shape, " "), "5 2")
  same(text(y), "0 1 4 9 16")
  same(y.dtype, "int64")
  same(table.concat(name, " "), "n0 n1 n2 n3 n4")
  same(text(more.id), "0 1 2 3 4")
  same(more.on.dtype, "bool")
end
-- An __index that returns image and label, as one writes it in Python, gives both.
local returning = setmetatable({}, {__len = function() return 3 end, __index = function(_, i) return tensor.full({2}, i * 1.0), 10 * i end})
for x, y in data.loader(returning, {batch_size = 3}) do
  same(text(x["2"]), "2.0 2.0")
  same(text(y), "0 10 20")
end
for x, y in data.loader(data.Subset(returning, {2}), {batch_size = 1}) do same(text(y), "20") end
same(pass(data.loader({10, 20, 30}, {batch_size = 2})), "10 20 | 30")
same(pass(data.Subset({10, 20, 30}, {3, 1}) and data.loader(data.Subset({10, 20, 30}, {3, 1}), {batch_size = 2})), "30 10")
local train, val = data.random_split({1, 2, 3, 4, 5}, {0.6, 0.4}, {seed = 2})
same(#train + #val, 5)
-- Lengths whose sum overflows to the right one.
fails("data.random_split: expected lengths that sum up to 5", data.random_split, {1, 2, 3, 4, 5}, {2^62, 2^62, 2^62, 2^62, 5})
same(#data.ConcatDataset{ten, {1, 2}}, 12)
same(data.ConcatDataset{ten, {1, 2}}[11], 2)
same(data.ConcatDataset{ten, ten}[-1][1]:item(), 9)
same(text(data.Subset(ten, tensor.arange(3, 6))[1][1]:view(1)), "4")
fails("index 4 is out of range", data.Subset, {1, 2, 3}, {4})
for x, y in data.loader(squares, {batch_size = 5, transform = function(x, y) return x + 1, -y end}) do
  same(text(x["0"]), "1.0 1.0")
  same(text(y), "0 -1 -4 -9 -16")
end
for s in data.loader(squares, {batch_size = 3, collate = function(samples) return #samples end}) do assert(s == 3 or s == 2) end
fails("has shape [1] in one and [2] in another", function()
  for _ in data.loader({tensor.zeros(1), tensor.zeros(2)}, {batch_size = 2}) do end
end)
fails("the dataset gave nil", function()
  for _ in data.loader(setmetatable({}, {__len = function() return 2 end, __index = function() end})) do end
end)
-- Errors in a script's own functions arrive as they are.
fails("mine", function()
  for _ in data.loader(squares, {transform = function() error("mine") end}) do end
end)
-- A transform in Lua between native ones sees each image; the same seed gives the same bits.
local function mixed()
  local t = data.transforms
  local steps = t.compose(t.random_shift(2), function(x) return x * 2 end, t.random_erasing(1.0))
  return digest(data.loader(data.Subset(test, tensor.arange(200)), {batch_size = 50, seed = 4, shuffle = true, transform = steps}))
end
local _, m1 = mixed()
local _, m2 = mixed()
same(m1, m2)
local image = tensor.arange(9):float():view(1, 3, 3)
same(text(data.transforms.random_horizontal_flip(1.0)(image)[0][0]), "2.0 1.0 0.0")
same(text(data.transforms.normalize(1, 2)(image):view(-1)["0:2"]), "-0.5 0.0")
fails("ascending", data.transforms.random_rotation, {5, -5})

-- Files
local path = fs.join(scratch, "x.idx.gz")
data.write_idx(path, test.images["0:3"])
assert(data.idx(path):equal(test.images["0:3"]))
fails("byte 0: not an IDX file", data.idx, (function() fs.write(path, "12345678") return path end)())
local t = tensor.randn(3, 4)
t:save(fs.join(scratch, "t.npy"))
assert(tensor.from_file(fs.join(scratch, "t.npy")):equal(t))
t.T:save(fs.join(scratch, "t.npy"))
assert(tensor.from_file(fs.join(scratch, "t.npy")):equal(t.T))
for _, compressed in ipairs{false, true} do
  tensor.save_npz(fs.join(scratch, "t.npz"), {a = t, ["b c"] = tensor.arange(3)}, {compressed = compressed})
  local back = tensor.load_npz(fs.join(scratch, "t.npz"))
  assert(back.a:equal(t) and back["b c"]:equal(tensor.arange(3)))
end
fails("expected a tensor", tensor.save_npz, fs.join(scratch, "u.npz"), {a = 1})
fails("none/x.npy: cannot create the file", t.save, t, scratch .. "/none/x.npy")
fs.write(fs.join(scratch, "t.csv"), "x,name,n\n0.5,a,1\n1.5,b,2\n")
local columns, names, problems = data.csv(fs.join(scratch, "t.csv"))
same(text(columns.x) .. columns.name[2] .. text(columns.n) .. columns.n.dtype, "0.5 1.5b1 2int64")
same(table.concat(names, " ") .. #problems, "x name n0")
fs.write(fs.join(scratch, "bad.csv"), "x,y\n1,2\n3,oops\n")
fails("line 3: column 'y': expected a number, got 'oops'", data.csv, fs.join(scratch, "bad.csv"))
local folder = data.image_folder(repository .. "/Tests/Golden/data/images", {channels = 1})
same(#folder, 5)
same(table.concat(folder.classes, " "), "cats dogs empty")
same(#folder.errors, 3)
same(table.concat(folder[0][1].shape, " "), "1 5 6")
