-- Functions that the golden files reach through layers only, called by name: they must give what those layers give, which
-- are compared with PyTorch, or what their definition says. Also initialisation, by the moments of what is drawn.
local check = require "check"
local tensor, nn, optim, data = require "tensor", require "nn", require "optim", require "data"
local F, init = nn.functional, nn.init
tensor.manual_seed(3)

local function close(name, got, expected, tolerance) check.close(name, got, expected, tolerance or 1e-6, tolerance or 1e-6) end
local function state(layer) return layer.weight, layer.bias end

local x1, x2 = tensor.randn(2, 4, 9), tensor.randn(2, 4, 8, 6)
local conv = nn.Conv1d(4, 6, 3, {stride = 2, padding = 1, groups = 2})
local w, b = state(conv)
close("conv1d", F.conv1d(x1, w, b, 2, 1, 1, 2), conv(x1))
close("conv1d, no batch", F.conv1d(x1[1], w, b, {stride = 2, padding = 1, groups = 2}), conv(x1)[1])
local pooled, where = F.max_pool2d(x2, 2, {return_indices = true})
close("max_pool2d", pooled, nn.MaxPool2d(2)(x2))
close("max_pool2d: positions", x2:reshape(2, 4, 48):gather(2, where:reshape(2, 4, 12)):reshape(2, 4, 4, 3), pooled)
close("max_pool1d", F.max_pool1d(x1, 3, 2, 1), nn.MaxPool1d(3, 2, 1)(x1))
close("max_pool1d is a maximum", F.max_pool1d(x1, 9):squeeze(2), x1:amax(2))

local norm = nn.BatchNorm2d(4)
local mean, var = tensor.zeros(4), tensor.ones(4)
close("batch_norm, training", F.batch_norm(x2, mean, var, norm.weight, norm.bias, true), norm(x2))
close("batch_norm: running mean", mean, norm.running_mean)
close("batch_norm: running variance", var, norm.running_var)
close("batch_norm, evaluating", F.batch_norm(x2, mean, var, norm.weight, norm.bias), norm:eval()(x2))

for name, pair in pairs{
  relu = {F.relu, nn.ReLU()}, leaky_relu = {F.leaky_relu, nn.LeakyReLU()}, elu = {F.elu, nn.ELU()}, gelu = {F.gelu, nn.GELU()},
  silu = {F.silu, nn.SiLU()}, tanh = {F.tanh, nn.Tanh()}, sigmoid = {F.sigmoid, nn.Sigmoid()}, softplus = {F.softplus, nn.Softplus()},
  hardtanh = {F.hardtanh, nn.Hardtanh()},
} do
  close(name, pair[1](x1), pair[2](x1))
end
close("softmax", F.softmax(x1, 1), nn.Softmax(1)(x1))
close("softmax adds up to 1", F.softmax(x1, 1):sum(1), tensor.ones(2, 9))
close("log_softmax", F.log_softmax(x1, 1), nn.LogSoftmax(1)(x1))
close("log_softmax is a logarithm", F.log_softmax(x1, 1):exp(), F.softmax(x1, 1))
close("pad", F.pad(x1, {1, 2}):narrow(2, 1, 9), x1)
check.equal("pad: size", F.pad(x1, {1, 2}):size(2), 12)
check.that("one_hot", F.one_hot(tensor{2, 0}, 3):equal(tensor{{0, 0, 1}, {1, 0, 0}}))

-- What is dropped is 0, the rest is scaled, and about as much is dropped as was asked for.
local ones = tensor.ones(100, 100)
local dropped = F.dropout(ones, 0.3)
check.that("dropout: values", dropped:eq(0):logical_or(dropped:sub(1 / 0.7):abs():lt(1e-6)):all():item())
close("dropout: mean", dropped:mean(), tensor(1.0), 0.03)
check.that("dropout, evaluating", F.dropout(ones, 0.3, false):equal(ones))
local planes = F.dropout2d(tensor.ones(50, 20, 2, 2), 0.5):reshape(1000, 4)
check.that("dropout2d: whole planes", planes:amax(1):equal(planes:amin(1)))
close("dropout2d: mean", planes:mean(), tensor(1.0), 0.1)

-- Initialisation
local t = tensor.zeros(200, 300)
check.that("ones_", init.ones_(t) == t and t:eq(1):all():item())
init.uniform_(t, 2, 4)
check.that("uniform_: range", t:amin():item() >= 2 and t:amax():item() < 4)
close("uniform_: mean", t:mean(), tensor(3.0), 0.02)
close("uniform_: deviation", t:std(), tensor(2 / 12 ^ 0.5), 0.02)
init.normal_(t, 1, 0.5)
close("normal_: mean", t:mean(), tensor(1.0), 0.02)
close("normal_: deviation", t:std(), tensor(0.5), 0.02)

local net = nn.Linear(3, 2):double()
check.equal("double", net.weight.dtype, "float64")
check.equal("float", net:float().bias.dtype, "float32")

-- A group that is added later moves with its own rate.
local p, q = nn.Parameter(tensor{1.0}), nn.Parameter(tensor{1.0})
local opt = optim.SGD({p}, {lr = 0.5})
opt:add_param_group{params = {q}, lr = 0.25}
p.grad, q.grad = tensor{1.0}, tensor{1.0}
opt:step()
close("add_param_group: the first group", p:detach(), tensor{0.5})
close("add_param_group: the second group", q:detach(), tensor{0.75})
check.fails("more than one group", function() opt:add_param_group{params = {p}} end)

-- The pass number decides the order, whenever it is set.
local function order(loader)
  local seen = {}
  for x in loader do seen[#seen + 1] = table.concat(x:tolist(), " ") end
  return table.concat(seen, " ")
end
local loader = data.loader(data.TensorDataset(tensor.arange(20)), {batch_size = 4, shuffle = true, seed = 1})
local first, second = order(loader), order(loader)
check.that("passes differ", first ~= second)
loader:set_epoch(0)
check.equal("set_epoch", order(loader), first)
check.done(30)
