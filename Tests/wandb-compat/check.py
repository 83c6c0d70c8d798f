"""Checks the records that W&B's own decoder printed of a log of ours."""
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
assert (run["run_id"], run["project"], run["display_name"], run["tags"]) == ("compat01", "compat", "small", ["a", "b"]), run
assert [row["_step"] for row in rows] == list(range(10)), "steps"
assert [row["loss"] for row in rows] == [1 / (i + 1) for i in range(10)], "values"
assert [row["nested.x"] for row in rows] == list(range(10)), "nested values"
assert summary["loss"] == {"min": 0.1} and summary["best"] == 0.5 and summary["epoch"] == 1, summary
assert any(r["type"] == "config" and "late" in r["config"]["update"] for r in records), "config"
assert sum(r["type"] == "alert" for r in records) == 1, "alert"
print(f"{len(records)} records, {len(rows)} rows: read by W&B's own decoder as they were logged")
