"""The tables of a benchmark run as Markdown."""
import os
import platform
import statistics
import subprocess
import time


def duration(seconds):
    for unit, factor in (("s", 1), ("ms", 1e3), ("µs", 1e6), ("ns", 1e9)):
        if seconds * factor >= 1 or unit == "ns":
            return f"{seconds * factor:.3g} {unit}" if seconds * factor < 100 else f"{seconds * factor:.0f} {unit}"


def size(count):
    sign = "-" if count < 0 else ""
    count = abs(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{sign}{count:.3g} {unit}" if count < 100 else f"{sign}{count:.0f} {unit}"
        count /= 1024


def spread(values):
    """How far the extremes lie apart, as a share of the median."""
    middle = statistics.median(values)
    return f" (±{50 * (max(values) - min(values)) / middle:.0f}%)" if len(values) > 1 and middle else ""


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


class Table:
    def __init__(self, columns, unit):
        self.columns, self.unit, self.rows = columns, unit, []

    def row(self, *cells):
        self.rows.append(cells)

    def add(self, words, ours, theirs, share=None, goal="", unit=None):
        show = unit or self.unit
        cell = lambda values: show(statistics.median(values)) + spread(values) if values else "-"
        ratio = statistics.median(theirs) / statistics.median(ours) if theirs and statistics.median(ours) > 0 else None
        cells = [words, cell(ours), cell(theirs), f"{ratio:.2f}" if ratio else "-"]
        if "share of peak" in self.columns:
            cells.append(f"{100 * share:.0f}%" if share else "")
        self.row(*cells, goal)

    def text(self):
        rows = [self.columns, tuple("---" for _ in self.columns), *self.rows]
        return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def processor_seconds():
    """Since the system started: the processors' seconds, those they were busy, and those another machine had them; and those
    that this program and its ended children used."""
    with open("/proc/stat") as file:
        user, nice, system, idle, wait, irq, soft, stolen = (int(word) / os.sysconf("SC_CLK_TCK") for word in file.readline().split()[1:9])
    busy = user + nice + system + irq + soft
    return busy + idle + wait + stolen, busy, stolen, sum(os.times()[:4])


class Report:
    def __init__(self, quick):
        self.quick, self.text, self.tables = quick, "", []
        self.parts = []

    def describe_machine(self, host, peer, threads, root):
        model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
        system = next((line.split("=", 1)[1].strip().strip('"') for line in open("/etc/os-release") if line.startswith("PRETTY_NAME")), platform.system())
        level = output(host, "-e", 'print(require("host.catalog").cpu_level())')
        lines = [
            f"- CPU: {model}, {len(os.sched_getaffinity(0))} cores" + (f", kernels of level {level}" if level else ""),
            f"- System: {system}, Linux {platform.release()}",
            f"- host: {output(host, '--version').splitlines()[0]}, " + f"{threads} threads, commit {output('git', '-C', root, 'rev-parse', '--short', 'HEAD') or 'unknown'}",
        ]
        if peer:
            versions = output(peer, "-c", "import platform, torch, numpy\nprint('Python', platform.python_version() + ', PyTorch', torch.__version__ + ', NumPy', numpy.__version__)\ntry:\n import wandb; print('wandb', wandb.__version__)\nexcept ImportError: pass")
            lines.append(f"- Beside it: {', '.join(versions.splitlines())}")
        lines.append(f"- Measured {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC")
        self.before = processor_seconds()
        self.parts.append("# Benchmark results\n\nWritten by `make bench`. Ratios say how many times as fast (or as small) ours is. "
                          "Medians; in brackets half the distance of the extremes.\n\n" + "\n".join(lines) + "\n")
        if self.quick:
            self.parts.append("A quick run (`BENCH_QUICK=1`): coarse.\n")

    def describe_limits(self, limits):
        if limits:
            words = {"fma": ("fused multiply-adds", "GFLOP/s"), "copy": ("a copy reads and writes", "GB/s")}
            self.parts.append("The machine's limits at the start: " + "; ".join(
                f"{words[kind][0]} {value:.0f} {words[kind][1]} on {count} thread{'s' * (count > 1)}"
                for (kind, count), value in sorted(limits.items(), reverse=True)) + ". A share is of the limit measured in turn with its case.\n")

    def table(self, title, note="", unit=duration, peer="PyTorch", columns=None):
        table = Table(columns or ("work", "ours", peer, "ratio", "share of peak", "goal"), unit)
        self.parts.append(f"## {title}\n" + (f"\n{note}\n" if note else ""))
        self.parts.append(table)
        return table

    def note(self, text):
        self.parts.append(text + "\n")

    def finish(self, failures, seconds):
        if failures:
            self.parts.append("## Failed\n\n" + "\n".join(f"- {failure}" for failure in failures) + "\n")
        every, busy, stolen, own = (b - a for a, b in zip(self.before, processor_seconds()))
        others = max(0, busy - own) / every
        self.parts.append(f"The whole run took {seconds / 60:.1f} minutes. Other programs used {others:.0%} of the processors' time, "
                          f"other machines on the same hardware {stolen / every:.0%} that is known of"
                          + (": the numbers are worth little" if others + stolen / every > 0.05 else "") + ".\n")
        self.text = "\n".join(part.text() if isinstance(part, Table) else part for part in self.parts)
