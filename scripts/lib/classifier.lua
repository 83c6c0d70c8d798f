-- Trained digit classifiers as train.lua leaves them: a safetensors file that says which model it holds.
local models = require "models"
local nn = require "nn"
local tensor = require "tensor"

local classifier = {}

-- Reads a model file; an error names it.
function classifier.load(path)
  local state, metadata = nn.load(path)
  local name = metadata and metadata.model
  if type(models[name]) ~= "function" or not models.defaults[name] then
    error(("%s: the metadata names no known model (model = %s); was it written by train.lua?"):format(path, tostring(name)), 0)
  end
  local net = models[name]()
  net:load_state_dict(state)
  net:eval()
  return net, name
end

-- Loss and accuracy over the batches of a loader.
function classifier.score(net, loader)
  local loss_fn = nn.CrossEntropyLoss()
  local loss, correct, count = 0, 0, 0
  tensor.no_grad(function()
    for x, y in loader do
      local logits = net(x)
      loss = loss + loss_fn(logits, y):item() * #y
      correct = correct + logits:argmax(1):eq(y):sum():item()
      count = count + #y
    end
  end)
  return {loss = loss / count, accuracy = correct / count, count = count}
end

-- Pixels 0..255 or 0..1 as the model was trained on them: [N, 1, 28, 28], normalised.
function classifier.prepare(images)
  local x = images:float()
  if images.dtype == "uint8" then x = x / 255 end
  return ((x - 0.1307) / 0.3081):reshape(images:size(0), 1, 28, 28)
end

return classifier
