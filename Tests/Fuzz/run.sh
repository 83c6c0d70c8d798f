#!/usr/bin/env bash
# Feeds broken files to every reader with libFuzzer and AddressSanitizer.
#   Tests/Fuzz/run.sh [FORMAT...]      FUZZ_SECONDS of CPU time for each format (60), FUZZ_JOBS formats at once (1),
#                                      FUZZ_SEED (drawn, and printed); FUZZ_KEEP=1 writes Tests/Fuzz/explored
# What stops a reader is left in .build-fuzz/found; once mended, it becomes a file of Tests/Fuzz/corpus. What leads a reader
# everywhere it was led so far is in Tests/Fuzz/explored, an input a line: later runs begin with it, and tests repeat it.
set -euo pipefail
cd "$(dirname "$0")/../.."
swift=${SWIFT:-swift}
export seconds=${FUZZ_SECONDS:-60} folder=.build-fuzz
export seed=${FUZZ_SEED:-$((RANDOM * 32768 + RANDOM + 1))}
export program=$folder/file-fuzzer
formats=("$@")
[ ${#formats[@]} -gt 0 ] || formats=(idx npy npz safetensors checkpoint image csv json toml yaml wandb console)

# Both at once: as options of the package manager the second would replace the first.
$swift build -c release --product FileFuzzing -Xswiftc -sanitize=fuzzer,address --scratch-path "$folder"
"${swift}c" -sanitize=fuzzer,address -use-ld=lld -o "$program" -Xlinker --whole-archive "$folder/release/libFileFuzzing.a" \
  -Xlinker --no-whole-archive $(pkg-config --libs lua5.4 libcurl libcrypto zlib yaml-0.1) -lm

# Slices of at most two minutes, until the processes have used the CPU for long enough: beside other work a minute of the clock
# is less than a minute of fuzzing. Each slice goes on from the corpus that those before it found, with the next seed.
fuzz() {
  local format=$1 used=0 slice=0 runs=0 peak=0 left log
  mkdir -p "$folder/corpus/$format" "$folder/found"
  if [ -f "Tests/Fuzz/explored/$format.txt" ]; then
    while read -r line; do
      base64 -d <<< "$line" > "$folder/corpus/$format/$(sha1sum <<< "$line" | cut -c1-40)"
    done < "Tests/Fuzz/explored/$format.txt"
  fi
  : > "$folder/$format.log"
  while ((used < seconds * 100)); do
    left=$(((seconds * 100 - used + 99) / 100))
    log=$(mktemp)
    TIMEFORMAT='CPU %U %S'
    # An input of 64 KiB at most may ask for 128 MiB at once: what it can inflate to, and no more.
    if ! { time FUZZ_FORMAT=$format ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1 "$program" \
      -max_total_time=$((left < 120 ? left : 120)) -seed=$((seed + slice)) \
      -max_len=65536 -timeout=20 -rss_limit_mb=3000 -malloc_limit_mb=128 -print_final_stats=1 -verbosity=0 \
      -artifact_prefix="$folder/found/$format-" "$folder/corpus/$format" "Tests/Fuzz/corpus/$format"; } > "$log" 2>&1; then
      echo "$format: FINDING (seed $seed, slice $slice)"
      grep -E "ERROR|SUMMARY|Fatal|Test unit" "$log" | sed 's/^/  /'
      cat "$log" >> "$folder/$format.log"
      rm "$log"
      return 1
    fi
    used=$((used + $(awk '$1 == "CPU" { printf "%d", ($2 + $3) * 100 }' "$log")))
    runs=$((runs + $(awk '/number_of_executed_units/ { print $2 }' "$log")))
    peak=$(awk -v peak=$peak '/peak_rss_mb/ { print ($2 > peak ? $2 : peak) }' "$log")
    cat "$log" >> "$folder/$format.log"
    rm "$log"
    slice=$((slice + 1))
  done
  echo "$format: no finding in $((used / 100)) s of CPU time, $runs inputs, seed $seed, $(ls "$folder/corpus/$format" | wc -l) in the corpus, $peak MB at most"
  [ "${FUZZ_KEEP:-}" != 1 ] || keep "$format"
}

# The fewest and smallest inputs that reach as much.
keep() {
  local format=$1 least file
  least=$(mktemp -d)
  FUZZ_FORMAT=$format ASAN_OPTIONS=allocator_may_return_null=1 "$program" -merge=1 -max_len=4096 "$least" "Tests/Fuzz/corpus/$format" \
    "$folder/corpus/$format" >> "$folder/$format.log" 2>&1
  mkdir -p Tests/Fuzz/explored
  for file in "$least"/*; do base64 -w0 "$file"; echo; done | LC_ALL=C sort > "Tests/Fuzz/explored/$format.txt"
  rm -r "$least"
}
export -f fuzz keep

echo "fuzzing ${formats[*]} for $seconds s each, seed $seed"
printf '%s\n' "${formats[@]}" | xargs -P "${FUZZ_JOBS:-1}" -I{} bash -c 'set -euo pipefail; fuzz {}'
