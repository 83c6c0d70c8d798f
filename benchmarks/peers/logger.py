"""W&B's own client, as in logger.lua. Its memory includes that of the service process it starts."""
import os
import sys
import time


def resident(process):
    total = 0
    for line in open(f"/proc/{process}/status"):
        if line.startswith("VmRSS:"):
            total = int(line.split()[1]) * 1024
    for thread in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{thread}/children") as children:
            for child in children.read().split():
                total += resident(child)
    return total


rows = int(sys.argv[1])
before, imported = resident("self"), time.perf_counter()
import wandb

began = time.perf_counter()
run = wandb.init(
    mode="offline", project="bench", dir=os.environ["BENCH_TMP"], settings=wandb.Settings(console="off", silent=True))
started = time.perf_counter()
for i in range(1, rows + 1):
    run.log({"loss": 1 / i, "accuracy": 1 - 1 / i, "lr": 0.001, "epoch": i // 100, "samples": i * 32})
logged, after = time.perf_counter(), resident("self")
run.finish()
print("init", started - began)
print("log", (logged - started) / rows)
print("finish", time.perf_counter() - logged)
print("memory", after - before)
