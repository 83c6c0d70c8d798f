"""Makes the first step of training the CNN and says so."""
from training import adam, stepper

stepper("cnn", 64, adam)()
print("first step", flush=True)
