#!/usr/bin/env bash
# Type-checks the fuzzers, which are a workspace of their own that no other test builds. A warning fails.
set -euo pipefail
cd "$(dirname "$0")/.."

targets=$(grep -c '^\[\[bin\]\]' fuzz/Cargo.toml)
# As fuzz.sh builds them, without the coverage. Nothing is linked: libFuzzer itself, whose C++ takes a while, need not be.
export RUSTFLAGS="--cfg fuzzing -D warnings" CARGO_TARGET_DIR=$PWD/target/fuzz/check
export CUSTOM_LIBFUZZER_PATH=$CARGO_TARGET_DIR/libnone.a
if cargo ${C_LIBRARIES:+--config "$C_LIBRARIES"} check --locked --quiet --manifest-path fuzz/Cargo.toml --bins; then
    echo "fuzz-builds: $targets passed, 0 failed"
else
    echo "fuzz-builds: 0 passed, $targets failed"
    exit 1
fi
