-- Makes the first step of training the CNN and says so.
local training = require "training"

training.stepper("cnn", 64, training.adam)()
print "first step"
io.stdout:flush()
