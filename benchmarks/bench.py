"""Measures host against PyTorch and W&B's own client, and against what the machine can do.

usage: make bench            (BENCH_QUICK=1: shorter and coarser; AREAS="products calls": only these)
       make bench-peers      first, to have PyTorch and wandb in a virtual environment of the project

Every pair is measured in turn on this machine, several times; the tables give medians, and in brackets how far apart
the smallest and largest measurement were. Results go to benchmarks/results.md.
"""
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(here)
sys.path.insert(0, here)

from report import Report, duration, size  # noqa: E402

quick = os.environ.get("BENCH_QUICK") == "1"
chosen = os.environ.get("AREAS", "").split()
host = os.path.abspath(os.environ.get("HOST", os.path.join(root, ".build/release/host")))
threads = min(2, len(os.sched_getaffinity(0)))
scratch = tempfile.mkdtemp(prefix="bench-")
environment = dict(
    os.environ, BENCH_TMP=scratch, BENCH_MNIST=os.path.join(root, "data/mnist"), WANDB_MODE="offline",
    WANDB_SILENT="true", WANDB_DIR=scratch, NO_COLOR="1", OMP_NUM_THREADS=str(threads), HOST_NUM_THREADS=str(threads),
    PYTHONDONTWRITEBYTECODE="1")


def find_peer():
    """A Python that has torch: BENCH_PYTHON, the project's own environment, the system's."""
    for python in (os.environ.get("BENCH_PYTHON"), os.path.join(root, ".venv-bench/bin/python"), sys.executable):
        if python and shutil.which(python):
            if subprocess.run([python, "-c", "import torch, numpy"], capture_output=True).returncode == 0:
                return python
    return None


peer = find_peer()
has_wandb = bool(peer) and subprocess.run([peer, "-c", "import wandb"], capture_output=True).returncode == 0


class Failed(Exception):
    pass


class Worker:
    """A process that measures cases on demand, so that each is measured many times but started once."""

    def __init__(self, command):
        self.command = command
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.command, cwd=here, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def measure(self, area, case, count, seconds):
        try:
            self.process.stdin.write(f"{area} {case} {count} {seconds}\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if answer:
            return float(answer)
        self.process.wait()
        self.start()
        raise Failed(f"{area} {case}: {os.path.basename(self.command[0])} failed")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def run(command, **extra):
    """A whole process: its seconds and what it printed, `name value` lines as a dictionary."""
    began = time.perf_counter()
    done = subprocess.run(command, cwd=root, env=dict(environment, **extra), stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise Failed(f"{' '.join(command[:3])} ended with status {done.returncode}")
    values = {}
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) == 2:
            try:
                values[words[0]] = float(words[1])
            except ValueError:
                pass
    return seconds, done.stdout, values


def alternate(rounds, *measurements):
    """Calls the measurements in turn; a list of results for each, None where there is nothing to measure."""
    results = [[] if m else None for m in measurements]
    for _ in range(rounds):
        for m, list_ in zip(measurements, results):
            if m:
                list_.append(m())
    return results


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    else:
        print(text, file=sys.stderr, flush=True)


def wanted(area):
    return not chosen or area in chosen


class Bench:
    def __init__(self):
        self.report = Report(quick)
        self.failures = []
        self.limits = {}
        self.peak = None

    def machine_limits(self):
        """Fused multiply-adds and memory copies of this machine, by a small C program."""
        compiler = next((c for c in ("clang", "gcc", "cc") if shutil.which(c)), None)
        program = os.path.join(scratch, "peak")
        if not compiler or subprocess.run(
            [compiler, "-O3", "-march=native", "-ffp-contract=fast", "-pthread", os.path.join(here, "peak.c"), "-o", program]
        ).returncode:
            return
        self.peak = subprocess.Popen([program, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for key in [(kind, count) for count in {threads, 1} for kind in ("fma", "copy")]:
            self.limits[key] = max(self.limit(*key) for _ in range(2))

    def limit(self, kind, count):
        """What `count` threads can do just now, in units of 1e9 a second."""
        self.peak.stdin.write(f"{kind} {count}\n")
        self.peak.stdin.flush()
        return float(self.peak.stdout.readline())

    def pairs(self, area, title, cases, rounds, seconds, note=""):
        """A table of cases that both workers measure. A case: name, words, threads, work, kind of limit, goal."""
        if not wanted(area):
            return
        ours = Worker([host, os.path.join(here, "worker.lua")])
        theirs = Worker([peer, os.path.join(here, "worker.py")]) if peer else None
        table = self.report.table(title, note)
        for k, case in enumerate(cases):
            name, words, count, work, kind, goal = case
            progress(f"{title}: {words} ({k + 1} of {len(cases)})")
            try:
                needs_wandb = name == "linear_logged"
                a, b, limits = alternate(
                    rounds, lambda: ours.measure(area, name, count, seconds),
                    (lambda: theirs.measure(area, name, count, seconds)) if theirs and (has_wandb or not needs_wandb) else None,
                    (lambda: self.limit(kind, count)) if self.peak and work else None)
            except Failed as failure:
                self.failures.append(str(failure))
                continue
            share = work / statistics.median(a) / 1e9 / statistics.median(limits) if limits else None
            table.add(words, a, b, share=share, goal=goal)
        ours.close()
        if theirs:
            theirs.close()

    # MARK: Areas

    def products(self):
        cases = []
        for n in (512, 1024, 2048):
            for count in sorted({1, threads}):
                cases.append((f"square_{n}", f"{n} x {n} x {n}, {count} thread{'s' * (count > 1)}", count, 2 * n**3, "fma", "90% of peak"))
        for m, n, k in ((64, 512, 784), (128, 128, 9216), (36864, 64, 288)):
            for way, words in (("forward", "layer"), ("input_gradient", "its input's gradient"), ("weight_gradient", "its weight's gradient")):
                cases.append((f"{way}_{m}x{n}x{k}", f"{m} x {n} x {k}: {words}", threads, 2 * m * n * k, "fma", "70% of peak"))
        cases.append(("linear_relu_64x512x784", "64 x 512 x 784 with bias and ReLU", threads, 2 * 64 * 512 * 784, "fma", ""))
        self.pairs("products", "Matrix products", cases, 3 if quick else 5, 0.1 if quick else 0.4)

    def layers(self):
        conv = {"conv_1_32": 2 * 64 * 32 * 26 * 26 * 9, "conv_32_64": 2 * 64 * 64 * 24 * 24 * 288}
        cases = []
        for name, words in (("conv_1_32", "convolution 1 to 32, 3x3, 28x28"), ("conv_32_64", "convolution 32 to 64, 3x3, 26x26"),
                            ("max_pool", "max pooling 2x2, 64 x 24x24"), ("batch_norm", "batch norm, 64 x 24x24"),
                            ("dropout", "dropout, 64 x 24x24"), ("layer_norm", "layer norm, 2048 x 512")):
            work = conv.get(name, 0)
            cases.append((name + "_forward", words, threads, work, "fma", ""))
            cases.append((name + "_forward_backward", words + ", forward and backward", threads, 3 * work, "fma", ""))
        cases.append(("cross_entropy_forward_backward", "cross-entropy, 4096 x 10, forward and backward", threads, 0, "fma", ""))
        self.pairs("layers", "Layers at batch 64", cases, 3 if quick else 5, 0.1 if quick else 0.4,
                   "PyTorch's images are in its usual layout or channels last, whichever is faster.")

    def elements(self):
        n = 4 * (1 << 24)
        cases = [("add", "a + b", 3), ("add_in_place", "a += b", 3), ("relu", "relu", 2), ("exp", "exp", 2), ("tanh", "tanh", 2), ("sum", "sum", 1)]
        self.pairs(
            "elements", "Element-wise work on 16 million floats",
            [(name, words, threads, n * passes, "copy", "") for name, words, passes in cases],
            3 if quick else 5, 0.1 if quick else 0.4, "The share is of the bandwidth of a plain copy on as many threads.")

    def calls(self):
        goals = {"add_gradient": "700 ns", "mul_gradient": "700 ns", "relu_gradient": "700 ns"}
        words = {
            "add": "a + b", "add_number": "a + 1", "relu": "a:relu()", "add_in_place": "a:add_(b)", "sum": "a:sum()", "item": "s:item()",
            "add_gradient": "w + b, recorded", "mul_gradient": "w * b, recorded", "relu_gradient": "w:relu(), recorded"}
        self.pairs("calls", "One call on 64 elements", [(n, w, 1, 0, "fma", goals.get(n, "300 ns")) for n, w in words.items()],
                   3 if quick else 5, 0.1 if quick else 0.3, "Ours from Lua, PyTorch's from Python.")

    def training(self):
        cases = [
            ("linear_logged", "linear model, SGD, batch 32, loss logged each step (both offline)", threads, 0, "fma", "10 times"),
            ("linear", "the same without logging", threads, 0, "fma", ""),
            ("mlp", "MLP 784-512-256-10, Adam, batch 64", threads, 0, "fma", "3 times"),
            ("cnn", "CNN conv32-conv64-fc128, Adam, batch 64", threads, 0, "fma", "2.5 times"),
            ("cnn_evaluation", "the same CNN, evaluation of 10,000 images", threads, 0, "fma", "2.5 times"),
            ("lstm", "LSTM(128) over 28 rows, Adam, batch 64", threads, 0, "fma", "2 times"),
        ]
        self.pairs("training", "Training on MNIST, one epoch", cases, 2 if quick else 5, 0.3 if quick else 1,
                   "Some steps are measured and scaled to 60,000 images. Ours reads through the shuffling loader; PyTorch "
                   "gathers from normalised images in memory.")

    def scaling(self):
        if not wanted("scaling") or threads < 2:
            return
        table = self.report.table(
            "Threads", "The CNN's training on two threads against one.", columns=("work", "2 threads", "1 thread", "ratio", "goal"))
        progress("Threads: CNN")
        worker = Worker([host, os.path.join(here, "worker.lua")])
        seconds = 0.3 if quick else 1
        try:
            two, one = alternate(
                2 if quick else 5, lambda: worker.measure("training", "cnn", 2, seconds), lambda: worker.measure("training", "cnn", 1, seconds))
            table.add("CNN, one epoch", two, one, goal="1.8 times")
        except Failed as failure:
            self.failures.append(str(failure))
        worker.close()

    def loading(self):
        self.pairs("loading", "Loading", [("mnist", "MNIST from four gzip files to tensors", threads, 0, "fma", "4 times")],
                   2 if quick else 5, 0.2, "Against gzip and NumPy.")

    def processes(self):
        if not wanted("processes"):
            return
        def both(table, words, ours, theirs, rounds, goal=""):
            progress(f"Whole processes: {words}")
            try:
                a, b = alternate(rounds, ours, theirs if peer else None)
                table.add(words, a, b, goal=goal)
            except Failed as failure:
                self.failures.append(str(failure))

        def script(name, *words):
            return [host, os.path.join(here, name), *words]

        def python(name, *words):
            return [peer, os.path.join(here, "peers", name), *words]

        accuracies = {"ours": [], "peers": []}

        def train():
            seconds, text, _ = run([host, os.path.join(root, "scripts/train.lua"), "--out", os.path.join(scratch, "out"), "--data", environment["BENCH_MNIST"]])
            accuracies["ours"].append(float(text.split("test accuracy ")[1].split("%")[0]))
            return seconds

        def peer_train():
            seconds, _, values = run(python("train.py", "1"))
            accuracies["peers"].append(100 * values["accuracy"])
            return seconds

        table = self.report.table("Whole processes")
        both(table, "empty script (PyTorch: its import)", lambda: run([host, "-e", "return 1"])[0], lambda: run([peer, "-c", "import torch"])[0], 2 if quick else 5)
        both(table, "start to first training step of the CNN", lambda: run(script("first_step.lua"))[0],
             lambda: run(python("first_step.py"))[0], 2 if quick else 5, "0.4 s")
        self.watching(lambda *row: both(table, *row), python)
        both(table, "scripts/train.lua, start to end", train, peer_train, 1 if quick else 3, "5 s and 5 times")
        if accuracies["ours"]:
            note = "Test accuracy of scripts/train.lua: " + ", ".join(f"{a:.2f}%" for a in accuracies["ours"])
            if accuracies["peers"]:
                note += "; of the same model and schedule in PyTorch: " + ", ".join(f"{a:.2f}%" for a in accuracies["peers"])
            self.report.note(note + ".")

        table = self.report.table("Memory", "Largest resident memory of a process.", unit=size)
        both(table, "CNN training, batch 64", lambda: float(run(script("memory.lua"))[1].split()[-1]),
             lambda: float(run(python("memory.py"))[1].split()[-1]), 1 if quick else 3, "1/4")

    def watching(self, both, python):
        """From a saved edit to the first step of the next run, as `host --watch` does it."""
        if "--watch" not in subprocess.run([host, "--help"], capture_output=True, text=True).stdout:
            return
        folder = os.path.join(scratch, "watched")
        os.makedirs(folder, exist_ok=True)
        for name in ("first_step.lua", "training.lua"):
            shutil.copy(os.path.join(here, name), folder)
        path = os.path.join(folder, "first_step.lua")
        process = subprocess.Popen(
            [host, "--watch", path], cwd=root, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, start_new_session=True)
        timer = None

        def wait():
            while True:
                line = process.stdout.readline()
                if not line:
                    raise Failed("host --watch ended")
                if "first step" in line:
                    return

        def edit():
            time.sleep(0.5)
            began = time.perf_counter()
            with open(path, "a") as file:
                file.write("-- edited\n")
            wait()
            return time.perf_counter() - began

        try:
            # Without an answer the process is stopped, which ends the wait.
            timer = threading.Timer(120, lambda: os.killpg(process.pid, signal.SIGKILL))
            timer.start()
            wait()
            both("edit to first new step with --watch (PyTorch: started again)", edit, lambda: run(python("first_step.py"))[0], 2 if quick else 5)
        except Failed as failure:
            self.failures.append(str(failure))
        finally:
            if timer:
                timer.cancel()
            try:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                process.kill()

    def stream(self):
        if not wanted("stream"):
            return
        table = self.report.table(
            "A stream of samples", "The linear model on samples that a Lua object makes one by one.",
            columns=("samples", "for a sample", "largest memory", "", ""))
        for count in (1000, 10000, 100000) + (() if quick else (1000000,)):
            progress(f"Stream: {count} samples")
            try:
                values = [run([host, os.path.join(here, "stream.lua"), str(count)])[2] for _ in range(1 if count > 100000 else 3)]
                table.row(f"{count:,}", duration(statistics.median(v["seconds"] for v in values)),
                          size(statistics.median(v["memory"] for v in values)), "", "")
            except Failed as failure:
                self.failures.append(str(failure))

    def logger(self):
        if not wanted("logger"):
            return
        progress("Logger")
        ours = lambda: run([host, os.path.join(here, "logger.lua"), "20000"])[2]
        theirs = (lambda: run([peer, os.path.join(here, "peers/logger.py"), "2000"])[2]) if has_wandb else None
        try:
            a, b = alternate(1 if quick else 3, ours, theirs)
        except Failed as failure:
            self.failures.append(str(failure))
            return
        table = self.report.table("The logger", "Offline, against W&B's own client and its service process.", peer="wandb")
        for key, words, goal in (("log", "one run:log of five numbers", "5 µs"), ("init", "wandb.init", ""), ("finish", "run:finish", ""), ("memory", "resident memory", "")):
            table.add(words, [v[key] for v in a], [v[key] for v in b] if b else None, goal=goal, unit=size if key == "memory" else duration)


def main():
    if not os.access(host, os.X_OK):
        sys.exit(f"bench: {host} is missing; run make build first")
    if not peer:
        print("bench: no Python with torch: only host is measured (make bench-peers makes one)", file=sys.stderr)
    began = time.time()
    bench = Bench()
    bench.report.describe_machine(host, peer, threads, root)
    try:
        progress("Measuring what the machine can do")
        bench.machine_limits()
        bench.report.describe_limits(bench.limits)
        for area in (bench.products, bench.layers, bench.elements, bench.calls, bench.training, bench.scaling, bench.loading,
                     bench.processes, bench.stream, bench.logger):
            area()
    finally:
        if bench.peak:
            bench.peak.stdin.close()
            bench.peak.wait()
        shutil.rmtree(scratch, ignore_errors=True)
    progress("")
    bench.report.finish(bench.failures, time.time() - began)
    print(bench.report.text)
    # Part of the areas is no record of the machine.
    if not chosen:
        with open(os.path.join(here, "results.md"), "w") as file:
            file.write(bench.report.text)
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
