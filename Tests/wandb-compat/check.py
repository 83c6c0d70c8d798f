"""Checks the records that W&B's own decoder printed of a log of ours.

usage: check.py RECORDS.jsonl
"""
import json
import sys

records = [json.loads(line) for line in open(sys.argv[1])]
kinds = [record["type"] for record in records]
run = next(r["run"] for r in records if r["type"] == "run")
rows = [r["history"]["item"] for r in records if r["type"] == "history"]
summary = {}
for record in records:
    if record["type"] == "summary":
        summary.update(record["summary"].get("update", {}))

assert [r["num"] for r in records] == list(range(1, len(records) + 1)), "record numbers"
assert kinds[:2] == ["header", "run"] and kinds[-1] == "exit", kinds
assert (run["project"], run["display_name"], run["tags"]) == ("compat", "small", ["a", "b"]), run
assert [row["_step"] for row in rows] == [*range(13), 20, 30, 31, 32, 33], "steps"
assert [row["loss"] for row in rows[:10]] == [1 / (i + 1) for i in range(10)], "values"
assert [row["nested.x"] for row in rows[:10]] == list(range(10)), "nested values"
assert summary["loss"] == {"min": 0.1} and summary["best"] == 0.5 and summary["epoch"] == 1, summary
assert any(r["type"] == "config" and "late" in r["config"].get("update", {}) for r in records), "config"
for kind, count in {"alert": 1, "artifact": 3}.items():
    assert kinds.count(kind) == count, (kind, kinds.count(kind))
print(f"decoder: {len(records)} records, {len(rows)} rows, read by W&B's own decoder as they were logged")
