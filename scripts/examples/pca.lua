-- Principal components by the eigenvectors of the covariance; digits are then named by the nearest class mean among them.
local cli = require "cli"
local data = require "data"
local tensor = require "tensor"
local digits = require "digits" -- scripts/examples/lib/digits.lua

local opt = cli.parse(digits.options{samples = 60000, more = {components = {40, "directions to keep"}}})

local function load_set(split, count)
  local ds = data.mnist{root = opt.data, split = split}
  count = math.min(count, #ds)
  return ds.images:narrow(0, 0, count):flatten(1):float() / 255, ds.labels:narrow(0, 0, count)
end
local x, y = load_set("train", opt.samples)
local x_test, y_test = load_set("test", opt.test_samples)

local mean = x:mean(0)
local centred = x - mean
local covariance = centred.T:matmul(centred) / (#x - 1)
local values, vectors = tensor.linalg.eigh(covariance) -- in ascending order
local kept = vectors[{":", {784 - opt.components, 784}}]
local share = values:narrow(0, 784 - opt.components, opt.components):sum() / values:sum()
print(("%d of 784 directions hold %.1f%% of the variance"):format(opt.components, 100 * share:item()))

-- What is lost on the way there and back, on digits that were not looked at.
local code = (x_test - mean):matmul(kept)
local back = code:matmul(kept.T) + mean
print(("reconstruction error of test digits: %.4f for each pixel"):format((back - x_test):square():mean():item()))

-- Each class is a normal distribution among the components (quadratic discriminant analysis).
local train_code = centred:matmul(kept)
local scores = {}
for class = 0, 9 do
  local own = train_code[y:eq(class)]
  local centre = own:mean(0)
  local away = own - centre
  local spread = away.T:matmul(away) / (#own - 1) + tensor.eye(opt.components) * 1e-2
  local difference = code - centre
  local mahalanobis = (tensor.linalg.solve(spread, difference.T).T * difference):sum(1)
  local log_det = 2 * tensor.linalg.cholesky(spread).T:diag():log():sum()
  scores[#scores + 1] = -0.5 * (mahalanobis + log_det) + math.log(#own / #x)
end
local named = tensor.stack(scores, 1):argmax(1)
print(("test accuracy %.2f%%"):format(100 * named:eq(y_test):float():mean():item()))
