-- Attention.
local nn, host, core = ...
local tensor = require "tensor"
local F, fail, declare = nn.functional, host.fail, host.declare
local define, Module, Parameter = core.define, core.Module, nn.Parameter
local shape_text = core.shape_text
local attention = host.attention

local MultiheadAttention = define([[
nn.MultiheadAttention(embed_dim: int, num_heads: int, dropout: number = 0, bias: bool = true, add_bias_kv: bool = false, add_zero_attn: bool = false, kdim: int = nil, vdim: int = nil, batch_first: bool = false, *, dtype: dtype = "float32")
Attention in several heads: `out, weights = mha(query, key, value, {attn_mask = .., key_padding_mask = .., need_weights = false})`. Inputs [L, B, embed_dim] and [S, B, ..] ([B, L, ..] with batch_first, [L, ..] without a batch).
Errors: an embed_dim that does not divide by num_heads
Example:
  local x = tensor.rand(7, 2, 4)
  (nn.MultiheadAttention(4, 2)(x, x, x)).shape --> {7, 2, 4}
Source: Vaswani et al. 2017; torch.nn.MultiheadAttention
]], Module, function(self, width, heads, dropout, bias, bias_kv, zero_attn, kdim, vdim, batch_first, dtype)
  core.positive("nn.MultiheadAttention", "num_heads", heads)
  core.positive("nn.MultiheadAttention", "embed_dim", width)
  if width % heads ~= 0 then
    fail(("nn.MultiheadAttention: embed_dim %d must divide by num_heads %d"):format(width, heads))
  end
  self.embed_dim, self.num_heads, self.head_dim, self.dropout, self.batch_first = width, heads, width // heads, dropout, batch_first
  self.kdim, self.vdim, self.add_zero_attn = kdim or width, vdim or width, zero_attn
  local function matrix(...) return Parameter(tensor.empty({...}, {dtype = dtype})) end
  local function zeros(n) return Parameter(tensor.zeros({n}, {dtype = dtype})) end
  -- PyTorch draws the output layer's first values before the others.
  local out = nn.Linear(width, width, bias, {dtype = dtype})
  if self.kdim == width and self.vdim == width then
    self.in_proj_weight = matrix(3 * width, width)
    nn.init.xavier_uniform_(self.in_proj_weight)
  else
    -- One by one: a multiple assignment would register them in another order.
    self.q_proj_weight = matrix(width, width)
    self.k_proj_weight = matrix(width, self.kdim)
    self.v_proj_weight = matrix(width, self.vdim)
    for _, name in ipairs{"q_proj_weight", "k_proj_weight", "v_proj_weight"} do nn.init.xavier_uniform_(self[name]) end
  end
  if bias then
    self.in_proj_bias = zeros(3 * width)
    nn.init.zeros_(out.bias)
  end
  if bias_kv then
    self.bias_k = matrix(1, 1, width)
    self.bias_v = matrix(1, 1, width)
    nn.init.xavier_normal_(self.bias_k)
    nn.init.xavier_normal_(self.bias_v)
  end
  self.out_proj = out
end)

-- A mask in which true shuts out, or a summand, as summand or its opposite: what may be looked at.
local function merge(a, b, dtype)
  if not a or not b then return a or b end
  if a.dtype == "bool" and b.dtype == "bool" then return a:logical_or(b) end
  local function summand(m)
    if m.dtype ~= "bool" then return m end
    return tensor.where(m, -math.huge, 0.0):to(dtype)
  end
  return summand(a) + summand(b)
end

local function project(self, q, k, v)
  local width = self.embed_dim
  local bias = self.in_proj_bias
  local function part(t, i) return t and t:narrow(0, i * width, width) end
  local packed = self.in_proj_weight
  if packed and q == k and k == v then
    local all = F.linear(q, packed, bias):chunk(3, -1)
    return all[1], all[2], all[3]
  end
  return F.linear(q, packed and part(packed, 0) or self.q_proj_weight, part(bias, 0)),
    F.linear(k, packed and part(packed, 1) or self.k_proj_weight, part(bias, 1)),
    F.linear(v, packed and part(packed, 2) or self.v_proj_weight, part(bias, 2))
end

local function attend(self, q, k, v, padding, need_weights, mask, average, causal)
  local name = "nn.MultiheadAttention"
  local rank = q.ndim
  if (rank ~= 2 and rank ~= 3) or k.ndim ~= rank or v.ndim ~= rank then
    fail(("%s: expected three inputs of 2 or 3 dimensions, got %s, %s and %s"):format(name, shape_text(q), shape_text(k), shape_text(v)))
  end
  local batched = rank == 3
  local same = q == k and k == v
  local function arrange(t)
    if not batched then return t:unsqueeze(1) end
    return self.batch_first and t:transpose(0, 1) or t
  end
  q, k, v = arrange(q), same and nil or arrange(k), same and nil or arrange(v)
  if same then k, v = q, q end
  if not batched and padding then padding = padding:unsqueeze(0) end
  local L, B, H, D = q:size(0), q:size(1), self.num_heads, self.head_dim
  if k:size(0) ~= v:size(0) or k:size(1) ~= B or v:size(1) ~= B then
    fail(("%s: key and value must have one length and the query's batch size %d, got %s and %s"):format(
      name, B, shape_text(k), shape_text(v)))
  end
  if q:size(2) ~= self.embed_dim or k:size(2) ~= self.kdim or v:size(2) ~= self.vdim then
    fail(("%s: expected %d, %d and %d features, got %s, %s and %s"):format(
      name, self.embed_dim, self.kdim, self.vdim, shape_text(q), shape_text(k), shape_text(v)))
  end
  q, k, v = project(self, q, k, v)
  if self.bias_k then
    k = tensor.cat({k, self.bias_k:expand(1, B, self.embed_dim)})
    v = tensor.cat({v, self.bias_v:expand(1, B, self.embed_dim)})
  end
  if self.add_zero_attn then
    local zero = tensor.zeros({1, B, self.embed_dim}, {dtype = k.dtype})
    k, v = tensor.cat({k, zero}), tensor.cat({v, zero})
  end
  local S = k:size(0)
  local extra = (self.bias_k and 1 or 0) + (self.add_zero_attn and 1 or 0)
  local function heads(t, n) return t:reshape(n, B, H, D):permute(1, 2, 0, 3) end
  if causal and not mask then mask = tensor.arange(S - extra):gt(tensor.arange(L):unsqueeze(1)) end
  local function widen(m, fill)
    -- The added keys may always be looked at.
    return extra > 0 and m:pad({0, extra}, {value = fill}) or m
  end
  if mask then
    local text = shape_text(mask)
    if mask.ndim == 3 then
      if mask:size(0) ~= B * H then fail(("%s: expected attn_mask [%d, %d, %d], got %s"):format(name, B * H, L, S - extra, text)) end
      mask = mask:view(B, H, mask:size(1), mask:size(2))
    end
    if mask:size(-1) ~= S - extra or mask:size(-2) ~= L then
      fail(("%s: expected attn_mask [%d, %d], got %s"):format(name, L, S - extra, text))
    end
    mask = widen(mask, 0)
  end
  if padding then
    if padding:size(0) ~= B or padding:size(1) ~= S - extra then
      fail(("%s: expected key_padding_mask [%d, %d], got %s"):format(name, B, S - extra, shape_text(padding)))
    end
    padding = widen(padding, 0):view(B, 1, 1, S)
  end
  local shut = merge(mask, padding, q.dtype)
  local allowed = shut and (shut.dtype == "bool" and shut:logical_not() or shut)
  local y, weights = attention(heads(q, L), heads(k, S), heads(v, S), allowed, self.training and self.dropout or 0)
  y = self.out_proj(y:permute(2, 0, 1, 3):reshape(L, B, self.embed_dim))
  if self.batch_first and batched then y = y:transpose(0, 1) end
  if not batched then y = y:squeeze(1) end
  if not need_weights then return y, nil end
  if average then weights = weights:mean(1) end
  return y, batched and weights or weights:squeeze(0)
end

MultiheadAttention.forward = declare([[
nn.MultiheadAttention:forward(self: module, query: tensor, key: tensor, value: tensor, key_padding_mask: tensor = nil, need_weights: bool = true, attn_mask: tensor = nil, average_attn_weights: bool = true, is_causal: bool = false) -> tensor, tensor
Gives the result and the attention weights [B, L, S] (nil without need_weights; [B, heads, L, S] without average_attn_weights). In bool masks true shuts out; other masks are added.
Example:
  local x = tensor.rand(7, 2, 4)
  local out, weights = nn.MultiheadAttention(4, 2)(x, x, x)
  weights.shape --> {2, 7, 7}
Source: torch.nn.MultiheadAttention.forward
]], attend)

local TransformerEncoderLayer = define([[
nn.TransformerEncoderLayer(d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: number = 0.1, activation: "relu"|"gelu"|function = "relu", layer_norm_eps: number = 1e-05, batch_first: bool = false, norm_first: bool = false, bias: bool = true, *, dtype: dtype = "float32")
Self-attention, then a network of two linear layers, each with dropout, a residual connection and layer norm (before it with norm_first).
Example: nn.TransformerEncoderLayer(4, 2, {dim_feedforward = 8})(tensor.rand(7, 2, 4)).shape --> {7, 2, 4}
Source: Vaswani et al. 2017; torch.nn.TransformerEncoderLayer
]], Module, function(self, width, heads, hidden, dropout, activation, eps, batch_first, norm_first, bias, dtype)
  self.self_attn = nn.MultiheadAttention(width, heads, dropout, bias, {batch_first = batch_first, dtype = dtype})
  self.linear1 = nn.Linear(width, hidden, bias, {dtype = dtype})
  self.dropout = nn.Dropout(dropout)
  self.linear2 = nn.Linear(hidden, width, bias, {dtype = dtype})
  self.norm1 = nn.LayerNorm(width, eps, true, bias, {dtype = dtype})
  self.norm2 = nn.LayerNorm(width, eps, true, bias, {dtype = dtype})
  self.dropout1 = nn.Dropout(dropout)
  self.dropout2 = nn.Dropout(dropout)
  self.norm_first = norm_first
  self.activation = activation == "relu" and F.relu or activation == "gelu" and F.gelu or activation
end)

TransformerEncoderLayer.forward = declare([[
nn.TransformerEncoderLayer:forward(self: module, src: tensor, src_mask: tensor = nil, src_key_padding_mask: tensor = nil, is_causal: bool = false) -> tensor
Gives the sequence, changed. In bool masks true shuts out; other masks are added.
Example: nn.TransformerEncoderLayer(4, 2)(tensor.rand(7, 2, 4), {is_causal = false}).shape --> {7, 2, 4}
Source: torch.nn.TransformerEncoderLayer.forward
]], function(self, x, mask, padding, causal)
  local function look(y) return self.dropout1((self.self_attn(y, y, y, padding, false, mask, true, causal))) end
  local function think(y) return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(y))))) end
  if self.norm_first then
    x = x + look(self.norm1(x))
    return x + think(self.norm2(x))
  end
  x = self.norm1(x + look(x))
  return self.norm2(x + think(x))
end)
