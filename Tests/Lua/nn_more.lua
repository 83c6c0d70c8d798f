-- Slices of containers, layers that work in place or pad with their input, gradients of gradients.
local check = require "check"
local tensor, nn, optim = require "tensor", require "nn", require "optim"
local that, equal, fails = check.that, check.equal, check.fails
local function tuple_of(list) return table.concat(list, " ") end
tensor.manual_seed(5)

-- Numbered containers: slices, taking out, places that are not there.
do
  local a, b, c, d = nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1), nn.Tanh()
  local net = nn.Sequential(a, b, c, d)
  local function listed(list)
    local names = {}
    for _, m in list:iter() do names[#names + 1] = m == a and "a" or m == b and "b" or m == c and "c" or m == d and "d" or "?" end
    return getmetatable(list).__name .. " " .. table.concat(names)
  end
  for slice, expected in pairs{[":"] = "abcd", ["0:2"] = "ab", ["-2:"] = "cd", [":-1"] = "abc", ["::2"] = "ac", ["1:99"] = "bcd", ["3:1"] = "",
    [" 1 : 3 "] = "bc", ["99999999999999999999:"] = ""} do
    equal("slice " .. slice, listed(net[slice]), "Sequential " .. expected)
  end
  that("a slice shares its modules", net["0:1"][0].weight == a.weight)
  equal("slice of a ModuleList", listed(nn.ModuleList{a, b, c}["1:"]), "ModuleList bc")
  fails("no slice", function() return net["::-1"] end)
  fails("no slice", function() return net["::0"] end)
  fails("index 4 is out of range; valid: 0..3 or -4..-1", function() return net[4] end)
  fails("index -5 is out of range", function() return net[-5] end)
  fails("it is empty", function() return nn.Sequential()[0] end)
  that("no field of that name", net.nothing == nil and net["a:b"] == nil)
  that("pop", net:pop(1) == b and net:pop() == d)
  equal("what is left", listed(net), "Sequential ac")
  local keys = {}
  for name in net:named_parameters() do keys[#keys + 1] = name end
  equal("its names", table.concat(keys, " "), "0.weight 0.bias 1.weight 1.bias")
  net:insert(1, b)
  net:append(d)
  equal("put back", listed(net), "Sequential abcd")
  fails("index 4 is out of range", net.pop, net, 4)
  fails("it is empty", function() nn.ModuleList():pop() end)
  local named = nn.ModuleDict{x = a, y = b}
  that("pop by name", named:pop("x") == a and table.concat(named:keys(), " ") == "y")
  fails("there is no module 'x'", named.pop, named, "x")
end

-- An empty table states no options.
equal("no options", tuple_of(nn.Conv2d(1, 2, 3, {}).stride), "1 1")
equal("no options of a pool", nn.MaxPool2d(2, {})(tensor.zeros(1, 1, 4, 4)):size(3), 2)
check.close("no options of a method", tensor{{1.0, 2.0}}:sum({}), tensor(3.0))

-- In place: the input holds the result, and gradients are those of the plain layer.
for name, layer in pairs{
  ReLU = {nn.ReLU{inplace = true}, nn.ReLU()}, LeakyReLU = {nn.LeakyReLU(0.2, true), nn.LeakyReLU(0.2)}, ELU = {nn.ELU{inplace = true}, nn.ELU()},
  SiLU = {nn.SiLU(true), nn.SiLU()}, Hardtanh = {nn.Hardtanh{inplace = true}, nn.Hardtanh()},
} do
  local plain = tensor.randn(3, 4)
  local x, y = plain:clone(), plain:clone()
  that(name .. " gives its input back", layer[1](x) == x)
  check.close(name .. " in place", x, layer[2](y))
  x, y = plain:clone():requires_grad_(), plain:clone():requires_grad_()
  layer[1](x * 2):square():sum():backward()
  layer[2](y * 2):square():sum():backward()
  check.close(name .. ": gradient in place", x.grad, y.grad)
  that(name .. " says so", tostring(layer[1]):find("inplace=true", 1, true))
end
do
  local x = tensor.ones(50)
  that("Dropout in place", nn.Dropout(0.5, true)(x) == x and x:eq(0):any():item())
  local planes = tensor.ones(4, 8, 2, 2)
  that("Dropout2d in place", nn.Dropout2d{inplace = true}(planes) == planes and planes:eq(0):any():item())
end

-- What surrounds a convolution: PyTorch pads the input first (its functions are compared with PyTorch's elsewhere).
do
  local x, line = tensor.randn(2, 3, 7, 6), tensor.randn(2, 3, 7)
  for _, mode in ipairs{"reflect", "replicate", "circular"} do
    local conv = nn.Conv2d(3, 4, 3, {padding = {1, 2}, padding_mode = mode})
    check.close("Conv2d " .. mode, conv(x), nn.functional.conv2d(nn.functional.pad(x, {2, 2, 1, 1}, mode), conv.weight, conv.bias))
    that("repr", tostring(conv):find("padding_mode=" .. mode, 1, true))
    local same = nn.Conv1d(3, 4, 4, {padding = "same", padding_mode = mode})
    check.close("Conv1d same " .. mode, same(line), nn.functional.conv1d(nn.functional.pad(line, {1, 2}, mode), same.weight, same.bias))
    local fused = nn.Sequential(nn.Conv2d(3, 4, 3, 1, 1, {padding_mode = mode}), nn.ReLU(), nn.MaxPool2d(2))
    check.close("in a Sequential " .. mode, fused(x), fused[2](fused[1](fused[0](x))))
  end
  fails("one of", nn.Conv2d, 1, 1, 3, {padding_mode = "mirror"})
  equal("a size of the input's", tuple_of(nn.AdaptiveAvgPool2d({nil, 3})(x).shape), "2 3 7 3")
  equal("the other size", tuple_of(nn.AdaptiveMaxPool2d({2})(x).shape), "2 3 2 2")
  equal("its text", tostring(nn.AdaptiveAvgPool2d({nil, 3})):match("^[^\n]*"), "AdaptiveAvgPool2d(output_size=(nil, 3))")
  fails("one or two integers", nn.AdaptiveAvgPool2d, {1, "a"})
end

-- Gradients of gradients through recurrent layers, attention and fused neighbours.
do
  local kind = {dtype = "float64"}
  local sequence = tensor.rand(3, 2, 4, kind):requires_grad_()
  local function slope(net, x, pick)
    return function(...)
      return tensor.enable_grad(function(...)
        local y = net(...)
        local g = tensor.grad((y * y):sum(), pick and pick(...) or (...), {create_graph = true})
        return (g * g):sum()
      end, ...)
    end
  end
  for name, net in pairs{
    RNN = nn.RNN(4, 3, kind), ["RNN relu"] = nn.RNN(4, 3, {nonlinearity = "relu", dtype = "float64"}), GRU = nn.GRU(4, 3, 2, kind),
    LSTM = nn.LSTM(4, 3, 2, {bidirectional = true, dtype = "float64"}),
  } do
    that(name .. " twice", tensor.gradcheck(slope(function(x) return (net(x)) end), sequence, {atol = 1e-4}))
  end
  local cell = nn.LSTM(4, 3, kind)
  that("LSTM twice, by its last cell", tensor.gradcheck(slope(function(x) return (select(2, cell(x)))[2] end), sequence, {atol = 1e-4}))
  local fused = nn.Sequential(nn.Conv2d(1, 2, 3, kind), nn.ReLU(), nn.MaxPool2d(2))
  that("a fused convolution twice", tensor.gradcheck(slope(fused), tensor.randn(1, 1, 6, 6, kind):requires_grad_(), {atol = 1e-4}))
  local short = nn.Sequential(nn.Conv2d(1, 2, 3, kind), nn.ReLU())
  that("and without pooling", tensor.gradcheck(slope(short), tensor.randn(1, 1, 5, 5, kind):requires_grad_(), {atol = 1e-4}))
  local joined = nn.Sequential(nn.Linear(4, 6, kind), nn.ReLU(), nn.Linear(6, 5, kind), nn.ReLU(), nn.Linear(5, 2, kind))
  local rows = tensor.randn(3, 4, kind):requires_grad_()
  that("linear layers with relu", tensor.gradcheck(function(x) return joined(x) end, rows))
  that("linear layers with relu twice", tensor.gradcheck(slope(joined), rows, {atol = 1e-4}))
  -- With respect to the weights: the penalty is a loss like any other.
  local critic = nn.Sequential(nn.Conv2d(1, 4, 3, {stride = 2, padding = 1}), nn.BatchNorm2d(4), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(64, 1))
  local optimizer, picture, first, last = optim.SGD(critic:parameters(), {lr = 0.02}), tensor.randn(8, 1, 8, 8), nil, nil
  for i = 1, 30 do
    local x = picture:clone():requires_grad_()
    local g = tensor.grad(critic(x):sum(), x, {create_graph = true})
    local penalty = ((g:flatten(1):norm(2, 1) - 1) ^ 2):mean()
    optimizer:zero_grad()
    penalty:backward()
    optimizer:step()
    first, last = first or penalty:item(), penalty:item()
  end
  that("a gradient penalty falls", last < first / 4, ("from %g to %g"):format(first, last))
end

-- A tensor without history that is changed by one with: backward goes by what it held before, and where there is no backward
-- it is not held by its own history.
do
  local w, live = tensor.full({1000}, 0.5):requires_grad_(), nil
  for _, name in ipairs{"mul", "div", "pow", "atan2"} do
    local function change(twin)
      local x = tensor.full({1000}, 2.0)
      return x[twin](x, w)
    end
    change(name .. "_"):sum():backward()
    local slope = w.grad
    w.grad = nil
    change(name):sum():backward()
    that(name .. "_: its gradient", slope:equal(w.grad))
    w.grad, slope = nil, nil
    for round = 1, 3 do
      for _ = 1, 10 do change(name .. "_") end
      collectgarbage()
      collectgarbage()
      live = round == 1 and tensor.memory().live or live
    end
    equal(name .. "_: nothing is left", tensor.memory().live, live)
  end
end

-- gradcheck sees a gradient that is missing.
fails("differs from finite differences", tensor.gradcheck, function(x) return x:detach() * 2 end, tensor.rand(3, {dtype = "float64", requires_grad = true}))
that("and says so", not tensor.gradcheck(function(x) return x:detach() end, tensor.rand(3, {dtype = "float64", requires_grad = true}), {raise_exception = false}))
that("results that do not change", tensor.gradcheck(function(x) return x:round() end, tensor.full({2}, 0.3, {dtype = "float64"}):requires_grad_()))
fails("none of the inputs requires", tensor.gradcheck, function(x) return x end, tensor.rand(3, {dtype = "float64"}))

check.done(87)
