"""Runs the cases that the driver (bench.py) names on standard input, one a line: AREA CASE THREADS SECONDS.
Answers with the seconds that one run of the case takes. worker.lua is the same for host."""
import gc
import importlib
import math
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers"))
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what libraries print is no answer

import torch


def measure(run, seconds):
    run()
    count = 1
    while True:
        began = time.perf_counter()
        for _ in range(count):
            run()
        spent = time.perf_counter() - began
        if spent >= seconds / 2:
            return spent / count
        count = count * 10 if spent <= 0 else max(count + 1, math.ceil(count * min(10, seconds * 0.75 / spent)))


prepared = {}
for line in sys.stdin:
    area, name, threads, seconds = line.split()
    torch.set_num_threads(int(threads))
    key = (area, name)
    if key not in prepared:
        prepared.clear()
        gc.collect()
        variants = getattr(importlib.import_module(area), name)()
        prepared[key] = variants if isinstance(variants, list) else [variants]
    # Of several ways to write a case (eager, channels last) the fastest counts.
    best = min(measure(run, float(seconds)) * scale for run, scale in prepared[key])
    print(f"{best:.9g}", file=answers, flush=True)
