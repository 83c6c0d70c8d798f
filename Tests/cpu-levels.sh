#!/bin/sh
# Trains the same small CNN natively at each CPU level and as emulated older CPUs. On a CPU without AVX-512 or AVX2
# nothing compiled for them may be reached; the model is the same everywhere, bit for bit.
#
# usage: Tests/cpu-levels.sh [host, default .build/release/host]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
host=${1:-.build/release/host}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ "$(uname -m)" = x86_64 ] || { echo "CPU levels are a matter of x86-64; this is $(uname -m)"; exit 0; }

# train NAME LEVEL COMMAND...: the model of a few steps goes to $work/NAME; the level must be the one expected.
train() {
  name=$1 level=$2
  shift 2
  used=$("$@" "$here/Lua/cpu_levels.lua" "$work/$name" 2>"$work/errors") || {
    # qemu warns of features that it cannot emulate and nobody asked for.
    grep -v "TCG doesn't support" "$work/errors"
    echo "$name: failed"
    exit 1
  }
  [ -z "$level" ] || [ "$used" = "$level" ] || { echo "$name: runs kernels of level $used, expected $level"; exit 1; }
  echo "$(sha256sum <"$work/$name" | cut -c1-16)  $name (kernels: $used)"
}

same() {
  cmp -s "$work/$1" "$work/$2" || { echo "the models of '$1' and '$2' differ"; exit 1; }
}

best=$("$host" -e 'print(require("host.catalog").cpu_level())')
train native "$best" "$host"
train native-baseline baseline env HOST_CPU_LEVEL=baseline "$host"
train nehalem baseline qemu-x86_64 -cpu Nehalem "$host"
train haswell v3 qemu-x86_64 -cpu Haswell "$host"
[ "$best" = baseline ] || train native-v3 v3 env HOST_CPU_LEVEL=v3 "$host"
for name in "$work"/native-* "$work/nehalem" "$work/haswell"; do same native "$(basename "$name")"; done
echo "CPU levels: ok"
