#!/bin/sh
# Compares this program's runs with those of W&B's own client, which is installed from PyPI into a virtual environment
# in the project's folder. Everything talks to a recording server on the loopback interface.
# usage: compat.sh path/to/host
set -eu
here=$(cd "$(dirname "$0")" && pwd)
host=$(realpath "${1:?"usage: compat.sh path/to/host"}")
venv="$here/../../.venv-wandb"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
venv=$(realpath "$venv")
"$venv/bin/python" -c 'import numpy, pexpect, PIL, pyte, wandb' 2> /dev/null || "$venv/bin/pip" install --quiet numpy pexpect pillow pyte wandb
work=$(mktemp -d)
servers=
trap 'kill $servers 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"

# Nothing of the person who runs this is read or sent: no settings, no key, no cache.
export HOME="$work" WANDB_ERROR_REPORTING=false WANDB_SILENT=true
WANDB_API_KEY=$(printf 'k%.0s' $(seq 36))wxyz; export WANDB_API_KEY
export COMPAT_PICTURE="$work/picture.png" COMPAT_WEIGHTS="$work/weights.bin"
"$venv/bin/python" - <<'PYTHON'
import PIL.Image
PIL.Image.frombytes("L", (6, 5), bytes(range(30))).save("picture.png")
open("weights.bin", "wb").write(bytes(range(256)) * 4)
PYTHON

serve() { # NAME: starts a server and puts its address into NAME.url
  "$venv/bin/python" "$here/server.py" "$1.port" & servers="$servers $!"
  while [ ! -s "$1.port" ]; do sleep 0.1; done
  echo "http://127.0.0.1:$(cat "$1.port")" > "$1.url"
}
state() { "$venv/bin/python" -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1] + "/_state").read().decode())' "$(cat "$1.url")" > "$1.json"; }
quietly() { "$@" > said.txt 2>&1 || { echo "failed: $*"; cat said.txt; return 1; }; }
ours() { (mkdir -p "$1" && cd "$1" && cp "$here/train.lua" . && quietly "$host" train.lua "$@"); }
official() { (mkdir -p "$1" && cd "$1" && cp "$here/train.py" . && quietly "$venv/bin/python" train.py "$@"); }
failed=0
compare() { "$venv/bin/python" "$here/compare.py" "$@" || failed=1; }

echo "1. W&B's decoder and its viewer for terminals read our log"
ours offline-ours offline
log=$(ls "$work"/offline-ours/wandb/offline-run-*/run-*.wandb)
"$venv/bin/wandb" leet inspect --json "$log" > ours.jsonl
"$venv/bin/python" "$here/check.py" ours.jsonl

mkdir viewer
(cd viewer && "$host" -e 'local run = require("wandb").init{project = "compat", name = "curves", mode = "offline", config = {opt = {name = "adam"}}}
for i = 1, 100 do run:log{loss = 1 / i, ["val/accuracy"] = 1 - 1 / i} end run:finish()' > /dev/null 2>&1)
"$venv/bin/python" "$here/leet.py" "$venv/bin/wandb" "$(ls "$work"/viewer/wandb/offline-run-*/run-*.wandb)" || failed=1

echo "2. The same training, online, from both clients"
serve online
WANDB_BASE_URL=$(cat online.url); export WANDB_BASE_URL
ours ours1 online
official official1 online
state online
compare online.json ours1 online.json official1

echo "3. Each client goes on with the other's run"
(cd ours1 && "$venv/bin/python" -c 'import wandb
run = wandb.init(project="compat", id="ours1", resume="must"); run.log({"again": 1}); run.finish()' > /dev/null 2>&1)
(cd official1 && "$host" -e 'local run = require("wandb").init{project = "compat", id = "official1", resume = "must"}
run:log{again = 1} run:finish()' > /dev/null 2>&1)
state online
"$venv/bin/python" - <<'PYTHON'
import json
runs = json.load(open("online.json"))["runs"]
for name in ("ours1", "official1"):
    rows = [json.loads(line) for line in runs[name]["lines"]["wandb-history.jsonl"]]
    assert rows[-1]["again"] == 1 and rows[-1]["_step"] == 34, rows[-1]
    assert runs[name]["config"]["lr"] == {"value": 0.1}, runs[name]["config"]
    print(f"{name}: went on at step 34 with its config")
PYTHON

echo "4. Offline runs: each client's log, uploaded by 'wandb sync' and by 'host sync'"
serve first
serve second
official offline-official offline
upload() { # SERVER TOOL DIRECTORY...
  WANDB_BASE_URL=$(cat "$1.url"); export WANDB_BASE_URL
  tool=$2
  shift 2
  for directory; do
    if [ "$tool" = host ]; then "$host" sync --again "$directory" > /dev/null; else "$venv/bin/wandb" sync "$directory"/wandb/offline-run-* > sync.txt 2>&1 || { cat sync.txt; return 1; }; fi
  done
}
# This program's sync comes second: it removes the copies of an artifact's files that it has sent.
upload second wandb offline-ours offline-official
upload first host offline-ours offline-official
state first
state second
compare first.json offline-ours second.json offline-ours
compare first.json offline-official second.json offline-official
"$venv/bin/python" -c 'import json
for name in ("online", "first", "second"): assert not (refused := json.load(open(name + ".json"))["refused"]), refused'
exit $failed
