-- A small training as both clients log it.
local wandb = require "wandb"
local run = wandb.init{project = "compat", id = "compat01", name = "small", tags = {"a", "b"}, config = {lr = 0.1, layers = {16, 32}}}
run:define_metric("loss", {summary = "min"})
for i = 0, 9 do run:log{loss = 1 / (i + 1), epoch = i // 5, nested = {x = i}} end
run.summary.best = 0.5
run.config.late = 1
run:alert{title = "done", text = "all of it"}
run:finish()
