-- Recurrent layers: each direction of each layer is one native operation over the whole sequence.
local nn, host, core = ...
local tensor = require "tensor"
local F, fail = nn.functional, host.fail
local define, Module, Parameter = core.define, core.Module, nn.Parameter
local shape_text = core.shape_text
local dim = host.methods("Tensor").dim

local function init(self, name, gates, o)
  core.positive(name, "input_size", o.input_size)
  core.positive(name, "hidden_size", o.hidden_size)
  core.positive(name, "num_layers", o.num_layers)
  if o.num_layers > 1000 then fail(("%s: num_layers must be at most 1000, got %d"):format(name, o.num_layers)) end
  if not (o.dropout >= 0 and o.dropout <= 1) then fail(("%s: dropout must be in 0..1, got %s"):format(name, o.dropout)) end
  for key, value in pairs(o) do
    if key ~= "dtype" then self[key] = value end
  end
  self.gates = gates
  local bound = 1 / math.sqrt(o.hidden_size)
  local function parameter(...)
    return Parameter(tensor.empty({...}, {dtype = o.dtype}):uniform_(-bound, bound))
  end
  -- Field names of each direction of each layer, so that a step builds no strings.
  local names = {}
  local rows = gates * o.hidden_size
  for layer = 0, o.num_layers - 1 do
    for direction = 1, o.bidirectional and 2 or 1 do
      local suffix = "_l" .. layer .. (direction == 2 and "_reverse" or "")
      local width = layer == 0 and o.input_size or o.hidden_size * (o.bidirectional and 2 or 1)
      names[#names + 1] = {"weight_ih" .. suffix, "weight_hh" .. suffix, "bias_ih" .. suffix, "bias_hh" .. suffix}
      self["weight_ih" .. suffix] = parameter(rows, width)
      self["weight_hh" .. suffix] = parameter(rows, o.hidden_size)
      if o.bias then
        self["bias_ih" .. suffix] = parameter(rows)
        self["bias_hh" .. suffix] = parameter(rows)
      end
    end
  end
  self.parts = names
end

-- Checks a state (or makes one of zeros) and gives it as [layers * directions, B, H].
local function prepare_state(self, name, what, state, batch, batched, x)
  local count = #self.parts
  if state == nil then return tensor.zeros({count, batch, self.hidden_size}, {dtype = x.dtype}) end
  if not host.is_tensor(state) then fail(("%s: %s must be a tensor, got %s"):format(name, what, type(state))) end
  if not batched then state = state:unsqueeze(1) end
  local shape = state.shape
  if #shape ~= 3 or shape[1] ~= count or shape[2] ~= batch or shape[3] ~= self.hidden_size then
    fail(("%s: expected %s [%d, %d, %d], got %s"):format(name, what, count, batch, self.hidden_size, shape_text(state)))
  end
  return state
end

-- Runs all layers; cell(x, parts, k, reverse) gives the results of part k and remembers its last states.
local function run(self, x, cell)
  local directions = self.bidirectional and 2 or 1
  local y = x
  for layer = 1, self.num_layers do
    local k = (layer - 1) * directions + 1
    local forward = cell(y, k, false)
    y = directions == 2 and tensor.cat({forward, cell(y, k + 1, true)}, 2) or forward
    if self.dropout > 0 and self.training and layer < self.num_layers then y = F.dropout(y, self.dropout, true) end
  end
  return y
end

-- Brings the input into [T, B, I]; gives the function that turns the output back.
local function arrange(self, name, x)
  local rank = dim(x)
  if rank ~= 2 and rank ~= 3 then
    fail(("%s: expected input %s or [T, %d], got %s"):format(
      name, self.batch_first and "[B, T, I]" or "[T, B, I]", self.input_size, shape_text(x)))
  end
  if x:size(-1) ~= self.input_size then
    fail(("%s: expected %d features, got input %s"):format(name, self.input_size, shape_text(x)))
  end
  if rank == 2 then return x:unsqueeze(1), false, function(y) return y:squeeze(1) end end
  if self.batch_first then
    return x:transpose(0, 1), true, function(y) return y:transpose(0, 1) end
  end
  return x, true, function(y) return y end
end

local function last_of(y, reverse) return y:select(0, reverse and 0 or -1) end

local function repr(self)
  local text = ("%d, %d"):format(self.input_size, self.hidden_size)
  if self.num_layers ~= 1 then text = text .. ", num_layers=" .. self.num_layers end
  if not self.bias then text = text .. ", bias=false" end
  if self.batch_first then text = text .. ", batch_first=true" end
  if self.dropout ~= 0 then text = text .. ", dropout=" .. core.number(self.dropout) end
  if self.bidirectional then text = text .. ", bidirectional=true" end
  return text
end

-- A layer whose state is one tensor; call(self, x, h, names, reverse) is the native operation.
local function forward_simple(name, call)
  return function(self, x, h)
    local sequence, batched, back = arrange(self, name, x)
    local first = prepare_state(self, name, "h0", h, sequence:size(1), batched, x)
    local last = {}
    local y = run(self, sequence, function(input, k, reverse)
      local out = call(self, input, first[k - 1], self.parts[k], reverse)
      last[k] = last_of(out, reverse)
      return out
    end)
    local state = tensor.stack(last)
    return back(y), batched and state or state:squeeze(1)
  end
end

local RNN = define([[
nn.RNN(input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: "tanh"|"relu" = "tanh", bias: bool = true, batch_first: bool = false, dropout: number = 0, bidirectional: bool = false, *, dtype: dtype = "float32")
Runs h' = tanh(W_ih x + b_ih + W_hh h + b_hh) over a sequence [T, B, input_size] ([B, T, ..] with batch_first, [T, ..] without a batch). `out, h = rnn(x, h)`: out [T, B, hidden_size], h [num_layers, B, hidden_size]; both directions double the last and first.
Parameters: weight_ih_l0 [hidden, input], weight_hh_l0, bias_ih_l0, bias_hh_l0, ..._l1, ..._l0_reverse.
Example:
  local out, h = nn.RNN(3, 5)(tensor.zeros(7, 2, 3))
  out.shape, h.shape --> {7, 2, 5} {1, 2, 5}
Source: Elman 1990; torch.nn.RNN
]], Module, function(self, input_size, hidden_size, num_layers, nonlinearity, bias, batch_first, dropout, bidirectional, dtype)
  init(self, "nn.RNN", 1, {
    input_size = input_size, hidden_size = hidden_size, num_layers = num_layers, nonlinearity = nonlinearity, bias = bias,
    batch_first = batch_first, dropout = dropout, bidirectional = bidirectional, dtype = dtype,
  })
end)
local rnn_layer = host.rnn_layer
RNN.forward = forward_simple("nn.RNN", function(self, x, h, names, reverse)
  return rnn_layer(
    x, h, self[names[1]], self[names[2]], self[names[3]], self[names[4]], reverse, self.nonlinearity == "relu")
end)
RNN.extra_repr = repr

local GRU = define([[
nn.GRU(input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = true, batch_first: bool = false, dropout: number = 0, bidirectional: bool = false, *, dtype: dtype = "float32")
Runs gated recurrent units over a sequence: `out, h = gru(x, h)`. Shapes and parameters as nn.RNN; the weights' rows are the gates r, z, n.
Example:
  local out, h = nn.GRU(3, 5, {batch_first = true})(tensor.zeros(2, 7, 3))
  out.shape, h.shape --> {2, 7, 5} {1, 2, 5}
Source: Cho et al. 2014; torch.nn.GRU
]], Module, function(self, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype)
  init(self, "nn.GRU", 3, {
    input_size = input_size, hidden_size = hidden_size, num_layers = num_layers, bias = bias, batch_first = batch_first,
    dropout = dropout, bidirectional = bidirectional, dtype = dtype,
  })
end)
local gru_layer = host.gru_layer
GRU.forward = forward_simple("nn.GRU", function(self, x, h, names, reverse)
  return gru_layer(x, h, self[names[1]], self[names[2]], self[names[3]], self[names[4]], reverse)
end)
GRU.extra_repr = repr

local LSTM = define([[
nn.LSTM(input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = true, batch_first: bool = false, dropout: number = 0, bidirectional: bool = false, *, dtype: dtype = "float32")
Runs long short-term memory over a sequence: `out, state = lstm(x, state)` with state = {h, c}. Shapes and parameters as nn.RNN; the weights' rows are the gates i, f, g, o.
Example: print(table.concat(nn.LSTM(3, 5)(tensor.zeros(7, 2, 3)).shape, " ")) --> 7 2 5
Source: Hochreiter and Schmidhuber 1997; torch.nn.LSTM
]], Module, function(self, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype)
  init(self, "nn.LSTM", 4, {
    input_size = input_size, hidden_size = hidden_size, num_layers = num_layers, bias = bias, batch_first = batch_first,
    dropout = dropout, bidirectional = bidirectional, dtype = dtype,
  })
end)
local lstm_layer = host.lstm_layer
function LSTM:forward(x, state)
  if state ~= nil and type(state) ~= "table" then fail("nn.LSTM: the state must be a list {h, c}, got " .. type(state)) end
  local sequence, batched, back = arrange(self, "nn.LSTM", x)
  local batch = sequence:size(1)
  local h0 = prepare_state(self, "nn.LSTM", "h0", state and state[1], batch, batched, x)
  local c0 = prepare_state(self, "nn.LSTM", "c0", state and state[2], batch, batched, x)
  local hidden, cells = {}, {}
  local y = run(self, sequence, function(input, k, reverse)
    local names = self.parts[k]
    local out, cell = lstm_layer(
      input, h0[k - 1], c0[k - 1], self[names[1]], self[names[2]], self[names[3]], self[names[4]], reverse)
    hidden[k], cells[k] = last_of(out, reverse), cell
    return out
  end)
  local h, c = tensor.stack(hidden), tensor.stack(cells)
  if not batched then h, c = h:squeeze(1), c:squeeze(1) end
  return back(y), {h, c}
end
LSTM.extra_repr = repr
