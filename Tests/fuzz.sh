#!/usr/bin/env bash
# Calls every documented function with everything, from a seed that is printed.
#   Tests/fuzz.sh HOST SECONDS [SEED]
set -euo pipefail
host=$(realpath "$1")
seconds=$2
seed=${3:-$((RANDOM * 32768 + RANDOM + 1))}
folder=$(mktemp -d)
# A copy, by a relative name: messages hold the name of the script, and calls write files of any name they get hold of.
cp -r "$(dirname "$0")/Lua" "$folder/lua"
echo "fuzz: seed $seed, $seconds s (FUZZ_SEED=$seed repeats it)"
cd "$folder"
# Wild sizes are refused at the limit instead of filling the machine. What it logs stays here.
if HOST_MEMORY_LIMIT=1GiB WANDB_MODE=offline WANDB_BASE_URL=http://127.0.0.1:9 WANDB_SILENT=true HOST_PROGRESS=0 FUZZ_TRACE=$folder/last-call \
  timeout -k 10 $((seconds + 120)) "$host" lua/fuzz.lua "$seed" "${seconds}s" tensor nn optim data plot json fs time progress wandb pachyderm; then
  rm -rf "$folder"
else
  status=$?
  echo "fuzz: seed $seed ended with status $status; the last call was:"
  head -1 last-call
  exit 1
fi
