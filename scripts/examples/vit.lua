-- A small vision transformer: 16 patches of 7x7 pixels and a class token, two layers of self-attention.
local cli = require "cli"
local nn = require "nn"
local optim = require "optim"
local progress = require "progress"
local tensor = require "tensor"
local digits = require "digits" -- scripts/examples/lib/digits.lua

local opt = cli.parse(digits.options{epochs = 2, more = {
  lr = {4e-3, "peak of the learning rate"},
  width = {48, "features of a token"},
  depth = {2, "layers"},
}})
tensor.manual_seed(opt.seed)
local train, test = digits.loaders(opt)

local ViT = nn.class("ViT")

function ViT:init(width, depth)
  self.patches = nn.Conv2d(1, width, 7, {stride = 7})
  self.class_token = nn.Parameter(tensor.zeros(1, 1, width))
  self.position = nn.Parameter(tensor.randn(1, 17, width) * 0.02)
  local layers = {}
  for i = 1, depth do
    layers[i] = nn.TransformerEncoderLayer(width, 4, {
      dim_feedforward = 2 * width, dropout = 0, activation = "gelu", batch_first = true, norm_first = true,
    })
  end
  self.layers = nn.ModuleList(layers)
  self.norm = nn.LayerNorm(width)
  self.head = nn.Linear(width, 10)
end

function ViT:forward(x)
  local tokens = self.patches(x):flatten(2):transpose(1, 2) -- [B, 16, width]
  tokens = tensor.cat({self.class_token:expand(#x, -1, -1), tokens}, 1) + self.position
  for _, layer in self.layers:iter() do tokens = layer(tokens) end
  return self.head(self.norm(tokens["..., 0, :"]))
end

local net = ViT(opt.width, opt.depth)
print(net)
local optimizer = optim.AdamW(net:parameters(), {lr = opt.lr, weight_decay = 0.05})
local steps = opt.epochs * #train
local warmup = math.max(1, steps // 10)
local S = optim.lr_scheduler
local scheduler = S.SequentialLR(optimizer, {
  S.LinearLR(optimizer, {start_factor = 0.05, total_iters = warmup}),
  S.CosineAnnealingLR(optimizer, {T_max = math.max(1, steps - warmup)}),
}, {milestones = {warmup}})

for epoch = 1, opt.epochs do
  local bar = progress(train, {desc = ("epoch %d/%d"):format(epoch, opt.epochs)})
  for x, y in bar do
    local loss = nn.functional.cross_entropy(net(x), y, {label_smoothing = 0.05})
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    scheduler:step()
    bar:set{loss = loss:item(), lr = scheduler:get_last_lr()[1]}
  end
end
print(("test accuracy %.2f%%"):format(100 * digits.accuracy(net, test)))
