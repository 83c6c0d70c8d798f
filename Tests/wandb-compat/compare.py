"""Compares two runs as servers have received them, and lists every difference with its reason.

usage: compare.py STATE.json RUN OTHER_STATE.json OTHER_RUN      (exit status 1: a difference without a reason)
"""
import json
import re
import sys

# Places where the clients differ by intent, and why.
REASONS = [
    (r"config\._wandb\.(t|python_version|cli_version)", "telemetry about the client itself: there is no Python here"),
    (r"config\._wandb\.e\.", "facts about the machine: another program and interpreter; core counts are given, and the user's name"),
    (r"config\._wandb\.code_path|files\.code/", "the script is Lua"),
    (r"program$", "the script is Lua; 'wandb sync' puts its own path there"),
    (r"files\.(requirements\.txt|config\.yaml|wandb-metadata\.json)", "documents about program and machine"),
    (r"files\.wandb-summary\.json", "compared as the summary above: key order, and artifact ids drawn at random"),
    (r"artifacts\..*\.table\.json", "the same JSON, written with other white space, so other bytes and digests"),
    (r"artifacts\..*\.manifest", "no local paths leave the machine; sizes are the same"),
    (r"artifacts\.[^.]*\.digest", "follows from the digests of the table files"),
    (r"console", "the official client also keeps its own notices there"),
]


def parsed(text):
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text


def clean(value, name, ids):
    """What is drawn at random or is the time becomes the same word in both."""
    if isinstance(value, dict):
        return {clean(k, name, ids): clean(v, name, ids) for k, v in value.items() if k not in ("_timestamp", "_runtime", "runtime")}
    if isinstance(value, list):
        return [clean(v, name, ids) for v in value]
    if isinstance(value, float) and value != value:
        return "NaN"
    if isinstance(value, str):
        for random, word in ids.items():
            value = value.replace(random, word)
        # The official client names media by the step before the one that is being logged.
        value = re.sub(r"_\d+_([0-9a-f]{20}\.)", r"_STEP_\1", value)
        value = value.replace(name, "RUN")
    return value


def view(path, name):
    state = json.load(open(path))
    run = state["runs"][name]
    artifacts = [a for a in state["artifacts"] if a["run"] == name]
    ids = {}
    for a in artifacts:
        ids[a["clientID"]] = f"client id of {a['name']}"
        ids[a["sequenceClientID"]] = f"sequence id of {a['name']}"
    block = dict(run["config"].get("_wandb", {}).get("value", {}))
    block["e"] = next(iter(block.get("e", {}).values()), {})
    block["e"] = {k: v for k, v in block["e"].items() if k not in ("startedAt", "writerId", "disk", "root", "executable")}
    # The official client lists metrics in no fixed order; a step metric is a number in that list.
    metrics = block.get("m", [])
    for metric in metrics:
        metric["6"] = sorted(metric.get("6", []))
        if isinstance(metric.get("5"), int):
            metric["5"] = metrics[metric["5"] - 1]["1"]
    metrics.sort(key=lambda m: m.get("1") or m["2"])
    found = {
        "run": {k: run.get(k) for k in ("displayName", "project", "tags", "notes", "groupName", "jobType", "host", "program", "sweep",
                                        "complete", "exitcode")},
        "config": {k: v for k, v in run["config"].items() if k != "_wandb"} | {"_wandb": block},
        "history": [parsed(line) for line in run["lines"].get("wandb-history.jsonl", [])],
        "summary": parsed((run["lines"].get("wandb-summary.json") or ["{}"])[-1]),
        "files": {f: v["text"] if v["text"] is not None else v["md5"] for f, v in run["files"].items()},
        "announced": sorted("code/SCRIPT" if f.startswith("code/") else f for f in set(run["uploaded"])),
        "console": [parsed(line).get("content") for line in run["lines"].get("output.log", [])],
        "artifacts": {a["name"]: {k: a[k] for k in ("type", "state", "aliases", "metadata", "description", "digest")} | {
            "files": {f: parsed(v["text"]) if f.endswith(".table.json") else v["md5"] for f, v in a["files"].items()},
            "manifest": a["manifest"]} for a in artifacts},
        "alerts": [{k: v for k, v in a.items() if k not in ("entityName",)} for a in state["alerts"] if a["runName"] == name],
    }
    found["files"]["output.log"] = [l for l in found["files"].get("output.log", "").splitlines() if not l.startswith("wandb: ")]
    found["console"] = [l for l in found["console"] if not (l or "").startswith("wandb: ")]
    for a in found["artifacts"].values():
        a["metadata"] = parsed(a["metadata"])
        a["aliases"].sort()
    for row in found["history"]:
        assert isinstance(row["_timestamp"], float) and row["_runtime"] >= 0, row
    # An event's values are the machine's: only its names can be the same.
    found["events"] = sorted({k for line in run["lines"].get("wandb-events.jsonl", []) for k in parsed(line)})
    return clean(found, name, ids)


def differences(a, b, place=""):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(set(a) | set(b)):
            yield from differences(a.get(key), b.get(key), f"{place}.{key}" if place else key)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            yield from differences(x, y, f"{place}[{i}]")
    elif a != b:
        yield place, a, b


def main():
    ours, other = view(*sys.argv[1:3]), view(*sys.argv[3:5])
    events = (ours.pop("events"), other.pop("events"))
    unexplained = 0
    told = {}
    for place, a, b in differences(ours, other):
        reason = next((why for pattern, why in REASONS if re.search(pattern, place)), None)
        if reason:
            told.setdefault(reason, []).append(place)
        else:
            unexplained += 1
            print(f"  DIFFERS {place}:\n    {json.dumps(a)[:300]}\n    {json.dumps(b)[:300]}")
    for reason, places in told.items():
        print(f"  differs by intent: {', '.join(places[:4])}{' …' if len(places) > 4 else ''}: {reason}")
    rows = len(ours["history"])
    if events[0] and events[1]:
        print(f"  system metrics in both: {len(set(events[0]) & set(events[1]))}, only {sys.argv[2]}: {sorted(set(events[0]) - set(events[1]))}, "
              f"only {sys.argv[4]}: {sorted(set(events[1]) - set(events[0]))}")
    print(f"{sys.argv[2]} and {sys.argv[4]}: {rows} rows, {len(ours['files'])} files, {len(ours['artifacts'])} artifacts; "
          f"{'the same run' if unexplained == 0 else f'{unexplained} differences without a reason'}")
    sys.exit(unexplained > 0)


main()
