-- The part of the module `tensor` that deals with Lua functions.
local tensor, host = ...
local declare = host.declare
local ipairs = host.prelude "lists"
local methods = host.methods("Tensor")

-- Puts the mode back however the block is left, without getting between an error and its traceback.
local restore = {
  __close = function(self) tensor.set_grad_enabled(self.mode) end,
}

local function with_mode(mode, fn, ...)
  local _ <close> = setmetatable({mode = tensor.set_grad_enabled(mode)}, restore)
  return fn(...)
end

tensor.no_grad = declare([[
no_grad(fn: function, ...) -> any
Calls fn with the other arguments without recording history; gives what it gives.
Example: tensor.no_grad(function() return 1 end) --> 1
Source: torch.no_grad
]], function(fn, ...) return with_mode(false, fn, ...) end)

tensor.enable_grad = declare([[
enable_grad(fn: function, ...) -> any
Calls fn with the other arguments recording history again, inside no_grad; gives what it gives.
Example: tensor.no_grad(function() return tensor.enable_grad(tensor.is_grad_enabled) end) --> true
Source: torch.enable_grad
]], function(fn, ...) return with_mode(true, fn, ...) end)

local function next_row(t, i)
  i = i + 1
  if i < #t then return i, t[i] end
end

methods.iter = declare([[
Tensor:iter(self: tensor) -> function, tensor, int
Iterates over the first dimension: for i, row in t:iter() do, i from 0.
Errors: a 0-d tensor
Example:
  for i, row in tensor{{1, 2}, {3, 4}}:iter() do print(i, row:sum():item()) end --> 0 3
  --> 1 7
Source: torch.Tensor.__iter__
]], function(t)
  if t.ndim == 0 then host.fail("iter: a 0-d tensor has nothing to iterate over") end
  return next_row, t, -1
end)

local Hook = {}
Hook.__index = Hook
function Hook:remove() tensor.remove_hook(self.tensor, self.id) end

methods.where = declare([[
Tensor:where(self: tensor, condition: tensor, other: tensor|number) -> tensor
Gives this tensor's elements where `condition` holds and those of `other` elsewhere.
Example: tensor{1, 2}:where(tensor{true, false}, 0) --> tensor([1, 0])
Source: torch.Tensor.where
]], function(self, condition, other) return tensor.where(condition, self, other) end)

methods.register_hook = declare([[
Tensor:register_hook(self: tensor, hook: function) -> table
Has `hook` see the gradient of this tensor when it arrives; a tensor that it gives replaces it. The result's `remove()` ends that.
Errors: a tensor that does not require gradients
Example:
  local x = tensor({3.0}, {requires_grad = true})
  local hook = x:register_hook(function(g) return g * 10 end)
  x:square():backward()
  x.grad --> tensor([60.])
Source: torch.Tensor.register_hook
]], function(t, hook)
  return setmetatable({tensor = t, id = tensor.add_hook(t, hook)}, Hook)
end)

-- Functions with a gradient written in Lua.

local Context = {}
Context.__index = Context
function Context:save_for_backward(...) self.saved_tensors = table.pack(...) end

tensor.Function = declare([[
Function(definition: table) -> function
Makes a differentiable function of `forward(ctx, ...)` and `backward(ctx, ...)`: backward gets one gradient per result and gives one (or nil) per tensor argument of forward. `ctx:save_for_backward(...)` keeps tensors for backward in the list `ctx.saved_tensors`; other fields of ctx are free.
Errors: forward or backward missing, a gradient of another shape than its argument
Example: tensor.Function{forward = function(ctx, x) return x * 2 end, backward = function(ctx, g) return g * 2 end}(tensor(3.0)):item() --> 6.0
Source: torch.autograd.Function
]], function(definition)
  local forward, backward = definition.forward, definition.backward
  if type(forward) ~= "function" or type(backward) ~= "function" then
    host.fail("Function: expected {forward = function, backward = function}")
  end
  local name = definition.name or "Function"
  return function(...)
    local arguments = table.pack(...)
    local inputs, positions = {}, {}
    for i = 1, arguments.n do
      if tensor.is_tensor(arguments[i]) then
        inputs[#inputs + 1] = arguments[i]
        positions[i] = #inputs
      end
    end
    local ctx = setmetatable({needs_input_grad = {}}, Context)
    for i, x in ipairs(inputs) do ctx.needs_input_grad[i] = x.requires_grad end
    local results = table.pack(tensor.no_grad(forward, ctx, ...))
    local outputs, slots = {}, {}
    for i = 1, results.n do
      if tensor.is_tensor(results[i]) then
        outputs[#outputs + 1] = results[i]
        slots[i] = #outputs
      end
    end
    if #outputs == 0 then
      host.fail(name .. ": forward must give at least one tensor")
    end
    -- A saved result must not hold the graph that holds it.
    local saved = ctx.saved_tensors
    if saved then
      for i = 1, saved.n do
        for _, out in ipairs(outputs) do
          if saved[i] == out then saved[i] = out:detach() end
        end
      end
    end
    local function run(gradients)
      local given = table.pack(backward(ctx, table.unpack(gradients)))
      -- One gradient per argument of forward, or one per tensor argument.
      if given.n <= #inputs then return table.unpack(given, 1, given.n) end
      local ordered = {}
      for i = 1, arguments.n do
        if positions[i] then ordered[positions[i]] = given[i] end
      end
      return table.unpack(ordered, 1, #inputs)
    end
    local recorded = tensor.custom_node(name, inputs, outputs, run)
    for i, slot in pairs(slots) do results[i] = recorded[slot] end
    return table.unpack(results, 1, results.n)
  end
end)

-- Gradients against central differences.

-- d f / d x[i] for the scalar f(), by changing one element of x at a time.
local function numeric(f, x, eps)
  local flat = x:view(-1)
  local result = tensor.zeros_like(x)
  local out = result:view(-1)
  for i = 0, x:numel() - 1 do
    local old = flat[i]:item()
    flat[i] = old + eps
    local high = f()
    flat[i] = old - eps
    local low = f()
    flat[i] = old
    out[i] = (high - low) / (2 * eps)
  end
  return result
end

tensor.gradcheck = declare([[
gradcheck(fn: function, inputs: tensor|list, eps: number = 1e-06, atol: number = 1e-05, rtol: number = 0.001, raise_exception: bool = true) -> bool
Compares the gradients of fn(inputs...) with central differences. Inputs should be float64; those that require gradients are checked. A result without history must not change with them.
Errors: a gradient that differs (or false, without raise_exception)
Example: tensor.gradcheck(function(x) return x:exp() end, tensor({0.5}, {dtype = "float64", requires_grad = true})) --> true
Source: torch.autograd.gradcheck
]], function(fn, inputs, eps, atol, rtol, raise)
  if tensor.is_tensor(inputs) then inputs = {inputs} end
  local function fail(message)
    if raise then host.fail("gradcheck: " .. message) end
    return false
  end
  -- Leaves of our own, so that nobody else's memory changes.
  local own = {}
  for i, x in ipairs(inputs) do
    own[i] = x:detach():clone()
    if x.requires_grad then own[i]:requires_grad_() end
  end
  local watched = false
  for _, x in ipairs(own) do watched = watched or x.requires_grad end
  if not watched then return fail("none of the inputs requires gradients") end
  local results = table.pack(fn(table.unpack(own)))
  for k = 1, results.n do
    local y = results[k]
    if tensor.is_tensor(y) and y.dtype:find("float", 1, true) then
      -- Random weights make one number of all outputs: a wrong element cannot hide.
      local weights = tensor.arange(y:numel(), {dtype = y.dtype}):mul(0.7):sin():add(1.5):reshape(y.shape)
      local function value()
        return tensor.no_grad(function()
          local again = (select(k, fn(table.unpack(own))))
          return (again * weights):sum():item()
        end)
      end
      for i, x in ipairs(own) do
        if x.requires_grad then
          local fresh = (select(k, fn(table.unpack(own))))
          local analytic = fresh.requires_grad and tensor.grad((fresh * weights):sum(), x, {allow_unused = true})
          analytic = analytic and analytic:detach() or tensor.zeros_like(x)
          local expected = tensor.no_grad(function()
            local plain = x:detach()
            return numeric(value, plain, eps)
          end)
          if not analytic:allclose(expected, {rtol = rtol, atol = atol, equal_nan = true}) then
            return fail(string.format(
              "result %d, input %d: the gradient\n%s\ndiffers from finite differences\n%s", k, i, tostring(analytic), tostring(expected)))
          end
        end
      end
    end
  end
  return true
end)
