#!/usr/bin/env bash
# [PROFILE...]: every ABI profile but the default one, which the other suites test, or those that are named: the library
# and its headers, clippy, the tests of the headers and of the safe API, the exported names, and the C suite.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/report.sh
. scripts/report.sh

unset ABI MAKEFLAGS MFLAGS
# What the crate depends on is built once for all of them.
c_libraries=${CARGO_TARGET_DIR:-target}/c-libraries.toml
make --no-print-directory "$c_libraries"
skipped=0
logs=build/profile-logs
mkdir -p $logs

all=$(sed -n '2,$s/,.*//p' src/abi/facts/profiles.csv | grep -vx redis-7.2)
[ "$(wc -w <<< "$all")" -ge 9 ] || { echo "profiles.csv was not understood"; exit 1; }

lint() {
    LIBAE_ABI=$1 cargo clippy --config "$c_libraries" --quiet --locked --package libae -- -D warnings
}

# The headers, and the safe API over the profile's structs.
cargo_tests() {
    LIBAE_ABI=$1 cargo --config "$c_libraries" test --quiet --locked --package libae --test headers --test rust_api --test rust_tls
}

# c_suite PROFILE: goes on beside what follows, until c_suite_counts.
c_suite() {
    make --no-print-directory ABI="$1" c-tests-tools ARGS="--kind all" > "$logs/$1" 2>&1 || true
}

# c_suite_counts PROFILE: shows its closing lines, and what failed, and adds its counts.
c_suite_counts() {
    local log=$logs/$1 counts
    counts=$(sed -nE "s/^$1: ([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p" "$log")
    if [ -z "$counts" ]; then
        failed=$((failed + 1))
        printf 'FAILED %s: the C suite did not end\n' "$1"
        sed 's/^/    /' "$log"
        return
    fi
    grep -E '^(FAILED|    |[a-z0-9.-]+: [0-9]+ passed)' "$log" || true
    # shellcheck disable=SC2086
    set -- "$1" $counts
    # The programs of ten profiles would be as many gigabytes.
    [ "$3" -gt 0 ] || rm -rf "build/$1/c-tests"
    shift
    passed=$((passed + $1))
    failed=$((failed + $2))
    skipped=$((skipped + $3))
}

# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $all
while [ $# -gt 0 ]; do
    profile=$1
    shift
    start=$SECONDS
    check "$profile: the library and its headers" make ABI="$profile" lib headers
    # The C suite often waits: the rest goes on beside it, and so does the next profile's library, whose link does one
    # thing at a time.
    c_suite "$profile" &
    [ $# -eq 0 ] || make ABI="$1" lib > /dev/null 2>&1 &
    check "$profile: clippy" lint "$profile"
    check "$profile: the header tests and the safe API" cargo_tests "$profile"
    check "$profile: the exported names" tests/symbols/check.sh "$profile" names
    wait
    c_suite_counts "$profile"
    printf '%s: %d s\n' "$profile" $((SECONDS - start))
done
printf 'profiles: %d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
