-- Modules: registration, state, containers, hooks, errors.
local check = require "check"
local tensor = require "tensor"
local nn = require "nn"
local that, equal, fails = check.that, check.equal, check.fails

local function names(iterator, ...)
  local list = {}
  for name in iterator, ... do list[#list + 1] = name end
  return table.concat(list, " ")
end

-- A class of a script's own
local Net = nn.class("Net")
function Net:init(hidden)
  self.first = nn.Linear(4, hidden)
  self.scale = nn.Parameter(tensor.ones(1))
  self.body = nn.Sequential(nn.Linear(hidden, hidden), function(x) return x:relu() end, nn.BatchNorm1d(hidden))
  self:register_buffer("seen", tensor.zeros(1))
  self:register_buffer("scratch", tensor.zeros(1), false)
  self.note = "plain"
  self.count = 3
end
function Net:forward(x) return self.body(self.first(x)) * self.scale end

tensor.manual_seed(1)
local net = Net(5)
equal("own fields", net.note .. net.count, "plain3")
equal("unknown field", net.nothing, nil)
equal("parameters", names(net:named_parameters()),
  "scale first.weight first.bias body.0.weight body.0.bias body.2.weight body.2.bias")
equal("prefix", names(net:named_parameters("net", false)), "net.scale")
equal("buffers", names(net:named_buffers()), "seen scratch body.2.running_mean body.2.running_var body.2.num_batches_tracked")
equal("modules", names(net:named_modules()), " first body body.0 body.2")
equal("children", names(net:named_children()), "first body")
equal("state", names(pairs(net:state_dict())),
  "scale seen first.weight first.bias body.0.weight body.0.bias body.2.weight body.2.bias body.2.running_mean body.2.running_var body.2.num_batches_tracked")
equal("number of parameters", net:num_parameters(), 1 + 25 + 30 + 10)
equal("lists", #net:parameters() + #net:buffers() + #net:modules() + #net:children(), 7 + 5 + 5 + 2)
equal("output", table.concat(net(tensor.randn(3, 4)).shape, ","), "3,5")
equal("batches", net.body[2].num_batches_tracked:item(), 1)
that("class of a module", tostring(Net) == "class Net")
that("parameters require gradients", net.scale.requires_grad and not net.seen.requires_grad)
that("fields of a state dict do not", not net:state_dict()["scale"].requires_grad)

-- Assigning again keeps the place; other kinds leave the lists; late ones come in
net.first = nn.Linear(4, 5, false)
equal("replaced", names(net:named_children()), "first body")
equal("replaced parameters", names(net.first:named_parameters()), "weight")
net.count = nn.Linear(1, 1)
equal("a plain field that became a module", names(net:named_children()), "first body count")
net.count = nil
net.first = nil
equal("removed", names(net:named_children()), "body")
net.scale = tensor.ones(1)
fails({"Net.scale", "nn.Parameter"}, net.parameters, net)
net.scale = nn.Parameter(tensor.ones(1))

-- Inheritance, redefinition, sharing
local Wide = nn.class("Wide", Net)
function Wide:init(...)
  Net.init(self, ...)
  self.tail = self.first
end
local wide = Wide(3)
equal("inherited", names(wide:named_parameters()),
  "scale first.weight first.bias body.0.weight body.0.bias body.2.weight body.2.bias")
equal("shared state", wide:state_dict()["tail.weight"]:equal(wide:state_dict()["first.weight"]), true)
equal("shared modules", names(wide:named_modules()), " first body body.0 body.2")
local Again = nn.class("Net")
that("a class can be defined again", Again ~= Net and Again.forward ~= Net.forward)
fails({"Net has no forward", "Net:forward"}, Again())
local own = nn.ReLU()
own.forward = own
fails("ReLU.forward is a ReLU, expected a function", own, tensor.ones(2))
fails("parent of X", nn.class, "X", nn.Linear(1, 1))
local Custom = nn.class("Custom", nn.Linear)
function Custom:forward(x) return nn.Linear.forward(self, x) * 2 end
local custom = Custom(2, 3, {bias = false})
equal("a layer's subclass", table.concat(custom(tensor.ones(1, 2)).shape, ","), "1,3")
equal("its arguments", custom.bias, nil)

-- State
local a, b = Net(4), Net(4)
b:load_state_dict(a:state_dict())
for name, t in pairs(a:state_dict()) do that("copied " .. name, t:equal(b:state_dict()[name])) end
local dict = a:state_dict()
dict["first.bias"] = nil
dict["extra"] = tensor.zeros(2)
dict["scale"] = tensor.zeros(3)
local before = b.first.weight:clone()
dict["first.weight"] = tensor.zeros(4, 4)
fails({"does not fit Net", "lacks 'first.bias' [4]", "unknown 'extra' [2]", "'scale' is [3], the module has [1]"}, b.load_state_dict, b, dict)
that("a failed load changes nothing", b.first.weight:equal(before))
dict["scale"] = nil
local result = b:load_state_dict(dict, {strict = false})
equal("missing keys", table.concat(result.missing_keys, " "), "scale first.bias")
equal("unexpected keys", table.concat(result.unexpected_keys, " "), "extra")
that("the rest was loaded", b.first.weight:equal(tensor.zeros(4, 4)))
local self_referring = Net(2)
self_referring.me = self_referring
fails("contains itself", self_referring.state_dict, self_referring)
equal("a cycle in the lists", #self_referring:modules(), 5)
that("a cycle is drawn", #tostring(self_referring) > 10)

-- Modes, gradients, dtypes
net = Net(4)
equal("train", net.training, true)
net:eval()
equal("eval reaches all", net.body[2].training, false)
net:train()
net(tensor.randn(3, 4)):sum():backward()
that("gradients", net.scale.grad ~= nil)
net:zero_grad{set_to_none = false}
equal("zeroed gradients", net.scale.grad:item(), 0.0)
net:zero_grad()
equal("no gradients", net.scale.grad, nil)
net:requires_grad_(false)
equal("frozen", net:num_parameters(true), 0)
net:requires_grad_()
net:double()
equal("double", net.first.weight.dtype .. net.seen.dtype .. net.body[2].num_batches_tracked.dtype, "float64float64int64")
equal("double keeps parameters", #net:parameters(), 7)
wide:double()
that("sharing survives a conversion", wide.tail == wide.first and wide.first.weight.dtype == "float64")
equal("to", net:to("float32").first.weight.dtype, "float32")
fails("float32 or float64", net.to, net, "int64")
fails("unknown_dtype", net.to, net, "unknown_dtype")
local visited = {}
net:apply(function(m) visited[#visited + 1] = m end)
that("apply ends with the module", #visited == 5 and visited[5] == net)

-- Hooks
local seen = {}
local handle = net.first:register_forward_hook(function(module, inputs, output)
  seen[#seen + 1] = module == net.first and #inputs == 1 and output.shape[2]
end)
local other = net.first:register_forward_hook(function(_, _, output) return output * 0 end)
local x = tensor.randn(2, 4)
equal("a hook may replace the output", net.first(x):abs():sum():item(), 0.0)
equal("a hook sees the output", seen[1], 4)
other:remove()
that("removed", net.first(x):abs():sum():item() > 0)
handle:remove()
handle:remove()
net.first(x)
equal("hooks are gone", #seen, 2)
local lstm = nn.LSTM(2, 3)
lstm:register_forward_hook(function(_, _, output) equal("several outputs", #output, 2) end)
equal("they come through", select("#", lstm(tensor.zeros(4, 1, 2))), 2)

-- Containers
local seq = nn.Sequential{nn.Linear(3, 3), nn.ReLU()}
equal("length", #seq, 2)
that("first and last", tostring(seq[0]):find("Linear") and seq[-1] == seq[1])
fails("index 2 is out of range; valid: 0..1", function() return seq[2] end)
seq:append(nn.Linear(3, 1))
seq[3] = nn.Sigmoid()
equal("appended", names(seq:named_parameters()), "0.weight 0.bias 2.weight 2.bias")
seq:insert(0, nn.Linear(2, 3))
equal("inserted", names(seq:named_children()), "0 1 2 3 4")
local order = {}
for i, m in seq:iter() do order[#order + 1] = i .. m.__name end
for i in pairs(seq) do order[#order + 1] = i end
equal("iteration", table.concat(order, " "), "0Linear 1Linear 2ReLU 3Linear 4Sigmoid 0 1 2 3 4")
equal("an empty Sequential", nn.Sequential()(5), 5)

-- Batch norm, relu and pooling as one operation: the same values, gradients that differ by rounding
do
  for _, case in ipairs{{6, 8}, {1, 2}, {40, 6}, {7, 9}} do
    for _, training in ipairs{true, false} do
      local name = ("batch norm of %d x %d, training %s"):format(case[1], case[2], training)
      local norm, relu = nn.BatchNorm2d(3), nn.ReLU()
      if case[1] == 1 then norm, relu = nn.BatchNorm2d(3, {affine = false}), nn.ReLU() end
      local net = nn.Sequential(norm, relu, nn.MaxPool2d(2))
      if norm.affine then
        tensor.no_grad(function()
          norm.weight:copy_(tensor{1.5, -0.5, 0.25})
          norm.bias:copy_(tensor{0.5, 0.25, -0.125})
        end)
      end
      net:train(training)
      local results = {}
      local start = tensor.randn({4, 3, math.max(case[1], 2), case[2]})
      for _, way in ipairs{"fused", "hooked"} do
        norm.running_mean:fill_(0.25)
        norm.running_var:fill_(2)
        local x = start:clone():requires_grad_()
        local seen = 0
        local handle = way == "hooked" and relu:register_forward_hook(function() seen = seen + 1 end)
        local y = net(x)
        if handle then
          handle:remove()
          equal(name .. ": a hook is called", seen, 1)
        end
        net:zero_grad()
        y:mul(y + 0.5):sum():backward()
        results[way] = {
          y = y, grad = x.grad, mean = norm.running_mean:clone(), var = norm.running_var:clone(), text = tostring(y),
          weight = norm.affine and norm.weight.grad or nil, bias = norm.affine and norm.bias.grad or nil,
        }
      end
      local fused, single = results.fused, results.hooked
      for _, what in ipairs{"y", "mean", "var"} do
        that(name .. ": " .. what, fused[what]:eq(single[what]):all():item())
      end
      for _, what in ipairs{"grad", "weight", "bias"} do
        that(name .. ": " .. what, not fused[what] or fused[what]:allclose(single[what], 1e-4, 1e-5))
      end
      equal(name .. ": printed", fused.text, single.text)
    end
  end
  fails("expected running_mean [3] float32, got [4]", nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)), tensor.ones(2, 3, 4, 4))
end

-- Neighbours that run as one operation: what they give, keep and print is what single ones do
do
  local function same(a, b) return a:eq(b):all():item() end
  local function layers(inputs, outputs, kernel, options)
    return nn.Conv2d(inputs, outputs, kernel, options), nn.ReLU(), nn.MaxPool2d(2)
  end
  for _, case in ipairs{
    {16, 20, 3, {padding = 1}, 10}, {16, 16, 3, {padding = 0}, 11}, {2, 5, 5, {padding = 0}, 12}, {1, 4, 3, {stride = 2}, 9}, {4, 6, 3, {groups = 2}, 6},
  } do
    local name = ("convolution %d to %d, %d"):format(case[1], case[2], case[5])
    for _, pools in ipairs{true, false} do
      local conv, relu, pool = layers(case[1], case[2], case[3], case[4])
      local net = pools and nn.Sequential(conv, relu, pool) or nn.Sequential(conv, relu)
      local results = {}
      for _, way in ipairs{"fused", "single", "hooked"} do
        local x = tensor.randn({3, case[1], case[5], case[5]})
        if way ~= "fused" then x = results.fused.x:detach():clone() end
        x:requires_grad_()
        local seen = 0
        local handle = way == "hooked" and relu:register_forward_hook(function() seen = seen + 1 end)
        local y
        if way == "single" then
          y = relu(conv(x))
          if pools then y = pool(y) end
        else
          y = net(x)
        end
        if handle then
          handle:remove()
          equal(name .. ": a hook is called", seen, 1)
        end
        net:zero_grad()
        y:mul(y + 0.5):sum():backward()
        results[way] = {x = x, y = y, grad = x.grad, weight = conv.weight.grad:clone(), bias = conv.bias.grad:clone(), text = tostring(y)}
      end
      for _, way in ipairs{"single", "hooked"} do
        for _, what in ipairs{"y", "grad", "weight", "bias"} do
          that(("%s, pooled %s: %s as %s"):format(name, pools, what, way), same(results.fused[what], results[way][what]))
        end
        equal(name .. ": printed", results.fused.text, results[way].text)
      end
    end
  end
  for _, case in ipairs{{3, 7, 5}, {64, 20, 40}, {1, 1, 1}, {5, 0, 3}, {16, 70, 12, false}} do
    for _, kind in ipairs{"float32", "float64"} do
      local name = ("linear layer %d x %d to %d, %s"):format(case[1], case[2], case[3], kind)
      local linear, relu = nn.Linear(case[2], case[3], case[4] ~= false, {dtype = kind}), nn.ReLU()
      local net = nn.Sequential(linear, relu)
      local start, results = tensor.randn({case[1], case[2]}, {dtype = kind}), {}
      for _, way in ipairs{"fused", "single", "hooked on relu", "hooked on linear"} do
        local x, seen = start:clone():requires_grad_(), 0
        local hooked = way == "hooked on relu" and relu or way == "hooked on linear" and linear
        local handle = hooked and hooked:register_forward_hook(function() seen = seen + 1 end)
        local y
        if way == "single" then y = relu(linear(x)) else y = net(x) end
        if handle then
          handle:remove()
          equal(name .. ": a hook is called", seen, 1)
        end
        net:zero_grad()
        y:mul(y + 0.5):sum():backward()
        results[way] = {
          y = y, grad = x.grad, weight = linear.weight.grad:clone(), bias = linear.bias and linear.bias.grad:clone(), text = tostring(y)}
      end
      for _, way in ipairs{"single", "hooked on relu", "hooked on linear"} do
        for _, what in ipairs{"y", "grad", "weight", "bias"} do
          local a, b = results.fused[what], results[way][what]
          that(("%s: %s as %s"):format(name, what, way), a == b or same(a, b))
        end
        equal(name .. ": printed", results.fused.text, results[way].text)
      end
    end
  end
  -- By hand: x w + b = {-1, 5}, so that only the second unit passes anything on.
  do
    local linear = nn.Linear(2, 2)
    tensor.no_grad(function()
      linear.weight:copy_(tensor{{1, -2}, {3, 1}})
      linear.bias:copy_(tensor{2, 0})
    end)
    local x = tensor{{1.0, 2.0}}:requires_grad_()
    local y = nn.Sequential(linear, nn.ReLU())(x)
    that("linear and relu: values", same(y, tensor{{0, 5}}))
    y:sum():backward()
    that("linear and relu: gradients", same(x.grad, tensor{{3, 1}}) and same(linear.weight.grad, tensor{{0, 0}, {1, 2}})
      and same(linear.bias.grad, tensor{0, 1}))
    that("no features: the bias alone", same(nn.functional.linear(tensor.zeros(2, 0), tensor.zeros(3, 0), tensor{1.0, 2, 3}),
      tensor{{1, 2, 3}, {1, 2, 3}}))
    equal("three dimensions", nn.Sequential(linear, nn.ReLU())(tensor.ones(2, 3, 2)).shape[3], 2)
    fails("expected 2 features, got 3", nn.Sequential(linear, nn.ReLU()), tensor.ones(1, 3))
    local z = nn.Sequential(linear, nn.ReLU())(x)
    tensor.no_grad(function() z:add_(1) end)
    fails("backward of relu needs its result", function() z:sum():backward() end)
    local relu = nn.ReLU()
    relu.forward = function(_, x) return x * 0 end
    equal("a relu with a forward of its own", nn.Sequential(nn.Linear(2, 2), relu)(x):abs():sum():item(), 0)
  end
  local conv, relu = layers(1, 2, 3)
  relu.forward = function(_, x) return x * 0 end
  equal("a layer with a forward of its own", nn.Sequential(conv, relu)(tensor.ones(1, 1, 4, 4)):abs():sum():item(), 0)
  fails("max_pool2d", nn.Sequential(layers(1, 2, 3)), tensor.ones(1, 1, 3, 3))
  fails("2 channels", nn.Sequential(layers(2, 2, 3)), tensor.ones(1, 1, 8, 8))
  local y = nn.Sequential(layers(16, 16, 3))(tensor.ones(1, 16, 8, 8):requires_grad_())
  tensor.no_grad(function() y:add_(1) end)
  fails("changed in place", function() y:sum():backward() end)
end
fails({"place 0", "the class Linear", "Linear()"}, nn.Sequential, nn.Linear)
fails({"place 1", "nil"}, nn.Sequential, nn.ReLU(), nil, nn.ReLU())
fails("ModuleDict takes names", nn.Sequential, {a = nn.ReLU()})
fails("valid: 0..4", function() seq[9] = nn.ReLU() end)
local list = nn.ModuleList{nn.Linear(1, 1), nn.Linear(1, 2)}
list:extend{nn.Linear(1, 3)}
equal("module list", #list .. list[2].out_features .. names(list:named_parameters()), "330.weight 0.bias 1.weight 1.bias 2.weight 2.bias")
fails("must be a module", nn.ModuleList, {print})
local byname = nn.ModuleDict{b = nn.Linear(1, 1), a = nn.ReLU()}
byname.c = nn.Tanh()
equal("module dict", table.concat(byname:keys(), " ") .. #byname .. names(pairs(byname)), "a b c3a b c")
fails("name of a method", function() byname.train = nn.ReLU() end)
fails("expected a module", function() byname.x = 3 end)

-- Registration by name
local m = nn.Module()
m:register_parameter("w", nn.Parameter(tensor.zeros(2)))
m:add_module("sub", nn.ReLU())
m:register_buffer("b", nil)
equal("by name", names(m:named_parameters()) .. names(m:named_children()), "wsub")
fails("dot", m.register_buffer, m, "a.b", tensor.zeros(1))
fails("already a method", m.register_buffer, m, "train", tensor.zeros(1))
fails("must be an nn.Parameter", m.register_parameter, m, "v", tensor.zeros(1))

-- Drawing
tensor.manual_seed(0)
equal("the tree", tostring(nn.Sequential(nn.Conv2d(1, 8, 5), nn.Flatten(), print, nn.Linear(1152, 10))), [[
Sequential(
  (0): Conv2d(1, 8, kernel_size=(5, 5), stride=(1, 1))       weight [8, 1, 5, 5], bias [8]     208
  (1): Flatten(start_dim=1, end_dim=-1)
  (2): function
  (3): Linear(in_features=1152, out_features=10, bias=true)  weight [10, 1152], bias [10]   11,530
)
11,738 parameters]])

-- Arguments
fails({"nn.Linear", "out_features"}, nn.Linear, 3)
fails({"nn.Linear", "bais", "bias"}, nn.Linear, 3, 4, {bais = false})
fails({"nn.Conv2d", "divide by groups 3"}, nn.Conv2d, 4, 6, 3, {groups = 3})
fails({"linear", "[2, 3]", "[4, 5]"}, nn.Linear(5, 4), tensor.zeros(2, 3))
fails("p must be in 0..1", nn.Dropout, 2)
fails("BatchNorm2d: expected input [N, C, H, W]", nn.BatchNorm2d(3), tensor.zeros(2, 3))
fails("embed_dim 5 must divide", nn.MultiheadAttention, 5, 2)
fails({"expected 3 features", "[4, 1, 2]"}, nn.GRU(3, 4), tensor.zeros(4, 1, 2))
fails({"h0 [1, 1, 4]", "[1, 1, 5]"}, nn.GRU(3, 4), tensor.zeros(4, 1, 3), tensor.zeros(1, 1, 5))
fails({"same shape", "[3, 1]", "[3]"}, nn.MSELoss(), tensor.zeros(3, 1), tensor.zeros(3))
fails("probabilities in 0..1", nn.BCELoss(), tensor{0.5, 2}, tensor{0.0, 1.0})
fails("out of range", nn.Embedding(3, 2), tensor{3})

-- First values
tensor.manual_seed(3)
local conv = nn.Conv2d(4, 16, 3)
local bound = 1 / math.sqrt(36)
that("weights within bounds", conv.weight:abs():max():item() <= bound and conv.weight:std():item() > bound / 2)
that("bias within bounds", conv.bias:abs():max():item() <= bound)
local init = nn.init
local w = tensor.empty(60, 80)
that("xavier_uniform_", init.xavier_uniform_(w):abs():max():item() <= math.sqrt(6 / 140))
check.close("xavier_normal_", init.xavier_normal_(w):std(), math.sqrt(2 / 140), 0.05)
that("kaiming_uniform_", init.kaiming_uniform_(w, {nonlinearity = "relu"}):abs():max():item() <= math.sqrt(6 / 80))
check.close("kaiming_normal_", init.kaiming_normal_(w, 0, "fan_out"):std(), math.sqrt(2 / 60), 0.05)
that("trunc_normal_", init.trunc_normal_(w, 0, 1, -1, 0.5):max():item() <= 0.5 and w:min():item() >= -1)
-- Intervals that hold little of the distribution: mean and deviation by numerical integration of its density.
for _, case in ipairs{{-2, 2, 0, 0.8796257}, {-0.5, 3, 0.5037345, 0.6869553}, {5, 9, 5.1865040, 0.1808216}, {-9, -5, -5.1865040, 0.1808216}} do
  local t = init.trunc_normal_(tensor.empty(500, 400, {dtype = "float64"}), 0, 1, case[1], case[2])
  that("trunc_normal_ inside", t:min():item() >= case[1] and t:max():item() <= case[2])
  check.close("trunc_normal_ mean", t:mean(), case[3], 0, 0.01)
  check.close("trunc_normal_ deviation", t:std(), case[4], 0, 0.01)
end
check.close("trunc_normal_ of a sliver", init.trunc_normal_(tensor.empty(5, {dtype = "float64"}), 0, 9e15, 1, 2):ge(1):sum(), tensor(5), 0, 0)
check.fails("num_layers must be at most 1000", nn.LSTM, 1, 4, math.maxinteger)
check.close("orthogonal_", init.orthogonal_(w, 2):mm(w:t()), tensor.eye(60) * 4, 1e-5, 1e-5)
local tall = init.orthogonal_(tensor.empty(9, 2, 2))
check.close("orthogonal_ columns", tall:view(9, 4):t():mm(tall:view(9, 4)), tensor.eye(4), 1e-5, 1e-5)
check.close("eye_", init.eye_(tensor.empty(2, 3)), tensor{{1.0, 0, 0}, {0, 1, 0}})
check.close("constant_", init.constant_(tensor.empty(2), 3), tensor{3.0, 3.0})
equal("sparse_", init.sparse_(tensor.empty(10, 4), 0.3):eq(0):sum():item(), 12)
local image = tensor.randn(1, 3, 4, 4)
check.close("dirac_", nn.functional.conv2d(image, init.dirac_(tensor.empty(3, 3, 3, 3)), nil, 1, 1), image, 1e-6, 1e-6)
check.close("gain", init.calculate_gain("leaky_relu", 0.2), math.sqrt(2 / 1.04))
fails("relu", init.calculate_gain, "rleu")

-- Dropout: the share of zeros, and the mean stays
local big = tensor.ones(100, 100)
local dropped = nn.Dropout(0.3)(big)
check.close("dropout's zeros", dropped:eq(0):float():mean(), 0.3, 0.05)
check.close("dropout's mean", dropped:mean(), 1, 0.03)
local channels = nn.Dropout2d(0.5)(tensor.ones(20, 50, 3, 3)):sum({2, 3})
that("dropout2d takes whole channels", channels:eq(0):logical_or(channels:eq(18)):all():item())
equal("no dropout in evaluation", nn.Dropout(0.9):eval()(big):sum():item(), 10000.0)

-- nn.utils
local p, q = nn.Parameter(tensor.zeros(2)), nn.Parameter(tensor.zeros(3))
p.grad, q.grad = tensor{3.0, 0.0}, tensor{0.0, 4.0, 0.0}
check.close("norm", nn.utils.clip_grad_norm_({p, q}, 1), 5)
check.close("clipped", q.grad, tensor{0.0, 0.8, 0.0}, 1e-5)
check.close("small norms stay", nn.utils.clip_grad_norm_({p, q}, 10), 1, 1e-5)
p.grad, q.grad = tensor{3.0, -1.0}, tensor{0.0, 4.0, 0.0}
check.close("norm of type 1", nn.utils.clip_grad_norm_({p, q}, 100, 1), 8)
check.close("largest", nn.utils.clip_grad_norm_({p, q}, 100, math.huge), 4)
nn.utils.clip_grad_value_({p, q}, 2)
check.close("clipped values", p.grad, tensor{2.0, -1.0})
p.grad = tensor{0 / 0, 1.0}
fails("norm of the gradients is", nn.utils.clip_grad_norm_, {p}, 1, {error_if_nonfinite = true})
nn.utils.vector_to_parameters(tensor.arange(5):float(), {p, q})
check.close("vector", nn.utils.parameters_to_vector{p, q}, tensor{0.0, 1, 2, 3, 4})
fails("5 elements", nn.utils.vector_to_parameters, tensor.zeros(4), {p, q})
check.done(125)
