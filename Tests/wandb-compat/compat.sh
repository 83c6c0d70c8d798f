#!/bin/sh
# Compares this program's runs with those of W&B's own client, which is installed from PyPI into a virtual
# environment beside this script: its decoder reads our log, record by record.
# usage: compat.sh path/to/host
set -eu
here=$(cd "$(dirname "$0")" && pwd)
host=${1:?"usage: compat.sh path/to/host"}
venv="$here/../../.venv-wandb"
[ -x "$venv/bin/wandb" ] || { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet wandb; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
WANDB_MODE=offline WANDB_SILENT=true "$host" "$here/train.lua"
log=$(ls wandb/offline-run-*/run-*.wandb)
"$venv/bin/wandb" leet inspect --json "$log" > ours.jsonl
"$venv/bin/python" "$here/check.py" ours.jsonl
