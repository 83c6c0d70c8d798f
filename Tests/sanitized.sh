#!/usr/bin/env bash
# Builds everything with a sanitizer, in a folder of its own, and runs tests and random calls with it.
#   Tests/sanitized.sh address|thread TESTS
set -euo pipefail
cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}
kind=$1
folder=.build-${kind:0:1}san
here=$PWD
export ASAN_OPTIONS="detect_leaks=1:allocator_may_return_null=1:detect_stack_use_after_return=0:handle_segv=1"
export LSAN_OPTIONS="suppressions=$here/Tests/Sanitizers/leaks.txt:print_suppressions=0"
export TSAN_OPTIONS="suppressions=$here/Tests/Sanitizers/races.txt:halt_on_error=0:exitcode=66:second_deadlock_stack=1"
for product in host hostPackageTests; do
  $swift build -c release --product $product --sanitize="$kind" --scratch-path "$folder"
done
$swift test -c release --sanitize="$kind" --scratch-path "$folder" --skip-build --filter "$2"
Tests/fuzz.sh "$folder/release/host" "${FUZZ_SECONDS:-60}" ${FUZZ_SEED:-}
