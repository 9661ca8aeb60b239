#!/usr/bin/env bash
# Builds a fuzzer and runs it for so many seconds, from real files on: fuzz.sh TARGET SECONDS. What it has found
# interesting stays in target/fuzz/corpus, what it has found wrong in target/fuzz/found. This is what cargo fuzz does
# where no sanitizer is asked for, with the stable toolchain.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$1
seconds=$2
place=$PWD/target/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')

coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-trace-compares
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
# With a target named, cargo leaves build scripts and macros alone.
RUSTFLAGS="--cfg fuzzing -Ccodegen-units=1 -Cforce-frame-pointers $(echo $coverage)" CARGO_TARGET_DIR=$place/build \
    cargo ${C_LIBRARIES:+--config "$C_LIBRARIES"} build --locked --release --quiet --manifest-path fuzz/Cargo.toml \
    --target "$host" --bin "$target"

corpus=$place/corpus/$target
seeds=$place/seeds
mkdir -p "$corpus" "$place/found"
[ -d "$seeds/$target" ] || fuzz/seeds.py "$seeds"
# In memory, where there is such a place: a sync takes no time there.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
# A hang is an input that takes ten seconds.
exec "$place/build/$host/release/$target" "$corpus" "$seeds/$target" -max_total_time="$seconds" -timeout=10 -max_len=65536 \
    -rss_limit_mb=4096 -artifact_prefix="$place/found/$target-" -print_final_stats=1 ${FUZZ_OPTIONS:-}
