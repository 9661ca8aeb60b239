#!/usr/bin/env bash
# The kqueue back end, run on Linux: with what stands in for kqueue(2), which is tested first, or with libkqueue
# (KQUEUE=-lkqueue).
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/report.sh
. scripts/report.sh

stand_in="$PWD/build/kqueue.o -Wl,--wrap=close,--wrap=dup2,--wrap=dup3"
KQUEUE=${KQUEUE:-$stand_in}
c_libraries=${CARGO_TARGET_DIR:-target}/c-libraries.toml
log=build/kqueue.log
skipped=0
mkdir -p build

stand_in_tests() {
    make --no-print-directory build/kqueue.o || return 1
    # shellcheck disable=SC2086
    ${CC:-cc} -std=gnu11 -O1 -g -Wall -Wextra -Werror -o build/test_kqueue tests/kqueue/test_kqueue.c $stand_in \
        -lpthread || return 1
    build/test_kqueue
}

c_suite() {
    local counts
    make --no-print-directory c-tests-kqueue KQUEUE="$KQUEUE" ARGS= > $log 2>&1 || true
    counts=$(sed -nE 's/^c-tests: ([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p' $log)
    sed -n '/^FAILED/,$p' $log
    # shellcheck disable=SC2086
    set -- ${counts:-0 1 0}
    [ -n "$counts" ] || cat $log
    passed=$((passed + $1))
    failed=$((failed + $2))
    skipped=$((skipped + $3))
}

# What of the library's own tests has a loop, without TLS.
rust_tests() {
    LIBAE_KQUEUE=$KQUEUE cargo --config "$c_libraries" test --quiet --locked --package libae \
        --target-dir "${CARGO_TARGET_DIR:-target}/kqueue" \
        --lib --test interest_model --test listener_failure --test rust_api
}

[ "$KQUEUE" != "$stand_in" ] || check "what stands in for kqueue(2)" stand_in_tests
c_suite
check "the library's Rust tests" rust_tests
printf 'kqueue: %d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
