#!/usr/bin/env bash
# Builds everything with a sanitizer, in a folder of its own, and runs tests and random calls with it. Everything runs to its
# end; the last line sums up, and what the sanitizer reported is shown before it.
#   Tests/sanitized.sh address|thread TESTS
set -uo pipefail
cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}
kind=$1
folder=.build-${kind:0:1}san
reports=$PWD/$folder/reports
rm -rf "$reports"
mkdir -p "$reports"
tools=$(dirname "$(readlink -f "$(command -v "$swift")")")

# Into files: tests compare what programs print. Programs that tests start get these as well.
every="log_path=$reports/report:external_symbolizer_path=$tools/llvm-symbolizer"
here=$PWD/Tests/Sanitizers
export ASAN_OPTIONS="$every:detect_leaks=1:allocator_may_return_null=1:detect_stack_use_after_return=0:handle_segv=1"
export LSAN_OPTIONS="suppressions=$here/leaks.txt:print_suppressions=0"
export TSAN_OPTIONS="$every:suppressions=$here/races.txt:halt_on_error=0:exitcode=66:second_deadlock_stack=1"
# Programs take that many times longer, and more beside other work.
export TEST_PATIENCE=${TEST_PATIENCE:-10}

# What a call costs, and what it leaves in memory, say nothing about a program that does more for each access and keeps blocks
# for a while; sanitizers do not work where address space is limited.
skip=(--skip CostTests --skip testMemoryIsBoundedWhileTheServerIsStuck --skip testLittleMemoryIsALuaError
  --skip testCallsLeaveMemoryAsItIs)
# gold cannot link what sanitizers make of larger programs.
flags=(-c release --sanitize="$kind" --scratch-path "$folder" -Xswiftc -use-ld=lld)
if [ "$kind" = thread ]; then
  "$tools/clang" -O1 -fPIC $(pkg-config --cflags lua5.4) -c "$here/threads.c" -o "$folder/threads.o" || exit
  flags+=(-Xlinker "$PWD/$folder/threads.o")
  # The package does not know of it: programs that lie there with an older one are linked again.
  for program in "$folder"/release/{host,hostPackageTests.xctest}; do
    [ "$program" -nt "$here/threads.c" ] || rm -f "$program"
  done
  # What a killed training leaves is a matter of files; that its threads are ordered is seen in those that go on.
  skip+=(--skip TrainingKillTests.testAKilledRunEndsAsIfNothingHadHappened)
  # The sanitizer keeps what it knows of memory and of threads that ended, and has a thread of its own from the first one on:
  # that memory and threads stay as they are is measured with the other sanitizer, and without.
  skip+=(--skip testAShortSoak --skip testNothingIsLeftBehind)
fi
for product in host hostPackageTests; do $swift build "${flags[@]}" --product $product || exit; done

failed=0
$swift test "${flags[@]}" --skip-build --filter "$2" "${skip[@]}" 2>&1 | tee "$folder/tests.log" || failed=1
Tests/fuzz.sh "$folder/release/host" "${FUZZ_SECONDS:-60}" ${FUZZ_SEED:-} 2>&1 | tee "$folder/calls.log" || failed=1

found=$(cat "$reports"/* 2>/dev/null | grep -acE '(WARNING|ERROR): [A-Za-z]+Sanitizer')
[ "$found" = 0 ] || { failed=1; cat "$reports"/*; }
executed=$(grep -aE '^[[:space:]]*Executed [0-9]+ tests?, with ' "$folder/tests.log" | tail -1 | sed -E 's/^[[:space:]]*Executed //; s/ \(.*//; s/, with/,/')
calls=$(cat "$folder/tests.log" "$folder/calls.log" | grep -aoE '[0-9]+ calls survived' | awk '{ n += $1 } END { print n + 0 }')
echo "$kind sanitizer: ${executed:-no tests ran to their end}; $calls random calls; $found reports"
exit $failed
