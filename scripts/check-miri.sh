#!/usr/bin/env bash
# Runs tests of the library under Miri, which notices undefined behaviour: callbacks that go back into the loop
# (tests/reentry.rs), and what timers and descriptors are kept in. Twice, since it is not settled yet which aliasing is
# undefined: with stacked borrows, and with tree borrows. It takes a nightly toolchain (MIRI_TOOLCHAIN says which);
# status 77 when there is none with Miri.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/report.sh
. scripts/report.sh

toolchain=${MIRI_TOOLCHAIN:-nightly}
if ! cargo "+$toolchain" miri --version > /dev/null 2>&1 ||
    [ ! -e "$(rustc "+$toolchain" --print sysroot)/lib/rustlib/src/rust/library/Cargo.toml" ]; then
    echo "check-miri: nothing was checked: rustup toolchain install $toolchain --component miri,rust-src" >&2
    exit 77
fi
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/miri
# A few cases of each property. What they find is not kept, for which Miri would have to write files.
export PROPTEST_CASES=4 PROPTEST_DISABLE_FAILURE_PERSISTENCE=true
forwarded="-Zmiri-env-forward=PROPTEST_CASES -Zmiri-env-forward=PROPTEST_DISABLE_FAILURE_PERSISTENCE"

# miri FLAGS ARGUMENTS...
miri() {
    local flags=$1
    shift
    MIRIFLAGS="-Zmiri-strict-provenance $forwarded $flags" \
        cargo "+$toolchain" miri test --quiet --locked --package libae --no-default-features "$@"
}

units=(event_loop::timers::{heap,index,moved,old_pages,pool} event_loop::{slots,interest})
for flags in "" -Zmiri-tree-borrows; do
    model=${flags:-stacked borrows}
    check "callbacks, ${model#-Zmiri-}" miri "$flags" --test reentry
    check "units, ${model#-Zmiri-}" miri "$flags" --lib -- "${units[@]}"
done
finish miri
