-- Losses as modules. Each is one row: arguments, text, the function of nn.functional.
local nn, host, core = ...
local F = nn.functional
local define, Module, number = core.define, core.Module, core.number

local how = 'reduction: "mean"|"sum"|"none" = "mean"'

-- buffers: arguments that are tensors and go wherever the module goes.
local function loss(name, arguments, text, source, fields, run, buffers)
  local C = define(("nn.%s(%s)\n%s\nSource: %s\n"):format(name, arguments, text, source), Module, function(self, ...)
    for i, field in ipairs(fields) do
      local value = (select(i, ...))
      if buffers and buffers[field] then self:register_buffer(field, value) else self[field] = value end
    end
  end)
  C.forward = run
  function C:extra_repr()
    local parts = {}
    for _, field in ipairs(fields) do
      local value = self[field]
      if type(value) == "number" then parts[#parts + 1] = field .. "=" .. number(value) end
      if field == "reduction" and value ~= "mean" then parts[#parts + 1] = "reduction='" .. value .. "'" end
    end
    return table.concat(parts, ", ")
  end
end

local cross_entropy = F.cross_entropy
loss("CrossEntropyLoss", "weight: tensor = nil, ignore_index: int = -100, " .. how .. ", label_smoothing: number = 0",
  "Gives the cross-entropy of softmax(input) [N, C] (or [C], [N, C, ..]) with class indices [N] or probabilities; `weight` [C] weighs classes.\n"
  .. "Example: print(nn.CrossEntropyLoss()(tensor.zeros(2, 4), tensor{0, 3}):item() - math.log(4) < 1e-6) --> true",
  "torch.nn.CrossEntropyLoss", {"weight", "ignore_index", "reduction", "label_smoothing"},
  function(self, x, y)
    -- The usual loss has no options to pass on.
    if not self.weight and self.ignore_index == -100 and self.reduction == "mean" and self.label_smoothing == 0 then
      return cross_entropy(x, y)
    end
    return cross_entropy(x, y, self.weight, self.ignore_index, self.reduction, self.label_smoothing)
  end, {weight = true})

loss("NLLLoss", "weight: tensor = nil, ignore_index: int = -100, " .. how,
  "Gives the negative log-probability of class indices [N]; the input [N, C] (or [C], [N, C, ..]) holds log-probabilities."
  .. "\nExample: nn.NLLLoss()(tensor{{-0.5, -1.0}}, tensor{1}) --> tensor(1.)",
  "torch.nn.NLLLoss", {"weight", "ignore_index", "reduction"},
  function(self, x, y) return F.nll_loss(x, y, self.weight, self.ignore_index, self.reduction) end, {weight = true})

loss("MSELoss", how, "Averages the squares of the differences.\nErrors: shapes that differ"
  .. "\nExample: nn.MSELoss()(tensor{1.0, 2.0}, tensor{1.0, 4.0}) --> tensor(2.)", "torch.nn.MSELoss", {"reduction"},
  function(self, x, y) return F.mse_loss(x, y, self.reduction) end)

loss("L1Loss", how, "Averages the absolute differences.\nErrors: shapes that differ"
  .. "\nExample: nn.L1Loss()(tensor{1.0, 2.0}, tensor{1.0, 4.0}) --> tensor(1.)", "torch.nn.L1Loss", {"reduction"},
  function(self, x, y) return F.l1_loss(x, y, self.reduction) end)

loss("SmoothL1Loss", how .. ", beta: number = 1",
  "Squares differences below `beta` (times 0.5 / beta) and takes the others as they are (less 0.5 * beta).\nErrors: shapes that differ"
  .. "\nExample: nn.SmoothL1Loss()(tensor{0.0}, tensor{3.0}) --> tensor(2.5000)",
  "Girshick 2015; torch.nn.SmoothL1Loss", {"reduction", "beta"},
  function(self, x, y) return F.smooth_l1_loss(x, y, self.reduction, self.beta) end)

loss("HuberLoss", how .. ", delta: number = 1",
  "Takes half the square of differences up to `delta`, and goes on linearly beyond.\nErrors: shapes that differ"
  .. "\nExample: nn.HuberLoss{delta = 2}(tensor{0.0}, tensor{3.0}) --> tensor(4.)",
  "Huber 1964; torch.nn.HuberLoss", {"reduction", "delta"},
  function(self, x, y) return F.huber_loss(x, y, self.reduction, self.delta) end)

loss("BCELoss", "weight: tensor = nil, " .. how,
  "Gives the cross-entropy of probabilities and targets in 0..1.\nErrors: shapes that differ, inputs outside 0..1"
  .. "\nExample: nn.BCELoss()(tensor{0.5}, tensor{1.0}) --> tensor(0.6931)",
  "torch.nn.BCELoss", {"weight", "reduction"},
  function(self, x, y) return F.binary_cross_entropy(x, y, self.weight, self.reduction) end, {weight = true})

loss("BCEWithLogitsLoss", "weight: tensor = nil, " .. how .. ", pos_weight: tensor = nil",
  "Gives the cross-entropy of sigmoid(input) and targets in 0..1 without overflow; pos_weight weighs positive targets.\nErrors: shapes that differ"
  .. "\nExample: nn.BCEWithLogitsLoss()(tensor{0.0}, tensor{1.0}) --> tensor(0.6931)",
  "torch.nn.BCEWithLogitsLoss", {"weight", "reduction", "pos_weight"},
  function(self, x, y)
    return F.binary_cross_entropy_with_logits(x, y, self.weight, self.reduction, self.pos_weight)
  end, {weight = true, pos_weight = true})

loss("KLDivLoss", 'reduction: "mean"|"batchmean"|"sum"|"none" = "mean", log_target: bool = false',
  "Gives the Kullback-Leibler divergence of log-probabilities from probabilities; \"batchmean\" is the mathematical mean.\nErrors: shapes that differ"
  .. "\nExample: nn.KLDivLoss(\"batchmean\")(tensor{{0.5, 0.5}}:log(), tensor{{0.25, 0.75}}) --> tensor(0.1308)",
  "torch.nn.KLDivLoss", {"reduction", "log_target"},
  function(self, x, y) return F.kl_div(x, y, self.reduction, self.log_target) end)

loss("CosineEmbeddingLoss", "margin: number = 0, " .. how,
  "Gives 1 - cos(x1, x2) where the target is 1 and max(0, cos(x1, x2) - margin) where it is -1."
  .. "\nExample: nn.CosineEmbeddingLoss()(tensor{{1.0, 0.0}}, tensor{{0.0, 1.0}}, tensor{1}) --> tensor(1.)",
  "torch.nn.CosineEmbeddingLoss", {"margin", "reduction"},
  function(self, x1, x2, y) return F.cosine_embedding_loss(x1, x2, y, self.margin, self.reduction) end)

loss("TripletMarginLoss", "margin: number = 1, p: number = 2, eps: number = 1e-06, swap: bool = false, " .. how,
  "Gives max(0, d(anchor, positive) - d(anchor, negative) + margin) with the p-norm distance."
  .. "\nExample: nn.TripletMarginLoss()(tensor{{0.0}}, tensor{{1.0}}, tensor{{5.0}}) --> tensor(0.)",
  "Balntas et al. 2016; torch.nn.TripletMarginLoss", {"margin", "p", "eps", "swap", "reduction"},
  function(self, anchor, positive, negative)
    return F.triplet_margin_loss(anchor, positive, negative, self.margin, self.p, self.eps, self.swap, self.reduction)
  end)
