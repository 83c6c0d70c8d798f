#!/usr/bin/env bash
# Feeds broken files to every reader with libFuzzer and AddressSanitizer.
#   Tests/Fuzz/run.sh [FORMAT...]      FUZZ_SECONDS for each format (60), FUZZ_SEED (drawn, and printed)
# What stops a reader is left in .build-fuzz/found; once mended, it becomes a file of Tests/Fuzz/corpus.
set -euo pipefail
cd "$(dirname "$0")/../.."
swift=${SWIFT:-swift}
seconds=${FUZZ_SECONDS:-60}
seed=${FUZZ_SEED:-$((RANDOM * 32768 + RANDOM + 1))}
folder=.build-fuzz
formats=("$@")
[ ${#formats[@]} -gt 0 ] || formats=(idx npy npz safetensors checkpoint image csv json toml yaml wandb console)

# Both at once: as options of the package manager the second would replace the first.
$swift build -c release --product FileFuzzing -Xswiftc -sanitize=fuzzer,address --scratch-path "$folder"
program=$folder/file-fuzzer
"${swift}c" -sanitize=fuzzer,address -use-ld=lld -o "$program" -Xlinker --whole-archive "$folder/release/libFileFuzzing.a" \
  -Xlinker --no-whole-archive $(pkg-config --libs lua5.4 libcurl libcrypto zlib yaml-0.1) -lm

mkdir -p "$folder/found"
failed=0
for format in "${formats[@]}"; do
  mkdir -p "$folder/corpus/$format"
  echo "fuzzing $format for $seconds s, seed $seed"
  # An input of 64 KiB at most may ask for 128 MiB at once: what it can inflate to, and no more.
  FUZZ_FORMAT=$format ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1 "$program" -max_total_time="$seconds" -seed="$seed" \
    -max_len=65536 -timeout=20 -rss_limit_mb=3000 -malloc_limit_mb=128 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="$folder/found/$format-" "$folder/corpus/$format" "Tests/Fuzz/corpus/$format" \
    > "$folder/$format.log" 2>&1 || { failed=1; echo "  FINDING:"; grep -E "ERROR|SUMMARY|Fatal|Test unit" "$folder/$format.log" | sed 's/^/  /'; }
  grep -E "number_of_executed_units|peak_rss_mb" "$folder/$format.log" | sed 's/^stat::/  /' || true
done
exit $failed
