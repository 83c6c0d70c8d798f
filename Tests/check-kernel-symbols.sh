#!/bin/sh
# Checks the object files of the kernels: nothing in them may be merged by the linker with code of another
# CPU level, and they may call nothing but the few functions named here.
#
# usage: Tests/check-kernel-symbols.sh [build folder, default .build/release]
build=${1:-.build/release}
bad=0
checked=0
for folder in "$build"/Kernels.build "$build"/KernelsV3.build "$build"/KernelsV4.build; do
  [ -d "$folder" ] || continue
  checked=$((checked + 1))
  module=$(basename "$folder" .build)
  # A symbol of the module itself carries the module's name, with its length before it.
  own="${#module}$module"
  weak=$(nm "$folder"/*.o | awk '$2 ~ /^[WwVv]$/ { print $3 " " $4 }' | grep -v "$own" | grep -v '^__swift_reflection_version' | sort -u)
  calls=$(nm -u "$folder"/*.o | awk '$1 == "U" { print $2 }' | grep -v "$own" | sort -u |
    grep -vxE 'mem(cpy|set|move)|__stack_chk_fail|fmodf?|fma|(floor|ceil|trunc|rint|roundeven)f?|_GLOBAL_OFFSET_TABLE_')
  if [ -n "$weak" ]; then
    echo "$module: symbols that the linker may merge with another level's:" && echo "$weak" | sed 's/^/  /'
    bad=1
  fi
  if [ -n "$calls" ]; then
    echo "$module: calls outside the allowed list:" && echo "$calls" | sed 's/^/  /'
    bad=1
  fi
done
[ $checked -gt 0 ] || { echo "no kernels in $build: build first" && exit 1; }
[ $bad = 0 ] && echo "kernel symbols of $checked levels: ok"
exit $bad
