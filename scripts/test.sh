#!/usr/bin/env bash
# Every check and test, after `make` has built everything. A failure does not end the run; the summary at the end has
# each suite's closing line, and last the sum over the suites that are not cargo's.
set -euo pipefail
cd "$(dirname "$0")/.."

logs=build/test-logs
rm -rf $logs
mkdir -p $logs
closing=()
failures=()
passed=0
failed=0

# suite NAME COMMAND...: runs it and keeps its closing line, "NAME: N passed, N failed...". Python's unittest closes in
# its own way; a suite with neither counts as a single check. Status 77 says that it was skipped.
suite() {
    local name=$1 status=0 start=$SECONDS log line
    log=$logs/${name//[^a-z0-9]/-}
    shift
    printf '== %s\n' "$name"
    "$@" 2>&1 | tee "$log" || status=$?
    line=$(grep -E '^[a-z-]+: [0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1) || true
    if [ -z "$line" ] && grep -qE '^Ran [0-9]+ tests? in' "$log"; then
        line="$name: $(unittest_counts "$log")"
    fi
    if [ "$status" -eq 77 ]; then
        line="$name: 0 passed, 0 failed, skipped"
        status=0
    elif [ -z "$line" ]; then
        line="$name: $((status == 0)) passed, $((status != 0)) failed"
    fi
    count "$line"
    note "$name" "$status" "$line" "$start"
}

# unittest_counts LOG: "N passed, N failed" from "Ran N tests" and "FAILED (failures=N, errors=N)".
unittest_counts() {
    local ran bad
    ran=$(sed -nE 's/^Ran ([0-9]+) tests? in.*/\1/p' "$1")
    bad=$(grep -E '^FAILED \(' "$1" | grep -oE '(failures|errors)=[0-9]+' | awk -F= '{ sum += $2 } END { print sum + 0 }')
    printf '%d passed, %d failed' $((ran - bad)) "$bad"
}

# cargo_suite NAME COMMAND...: the same for cargo's test runners; they do not enter the sum.
cargo_suite() {
    local name=$1 status=0 start=$SECONDS log
    log=$logs/${name//[^a-z0-9]/-}
    shift
    printf '== %s\n' "$name"
    "$@" 2>&1 | tee "$log" || status=$?
    note "$name" "$status" "$name: $(awk '/^test result:/ { ok += $4; bad += $6; skip += $8 }
        END { printf "%d passed, %d failed, %d ignored", ok, bad, skip }' "$log")" "$start"
}

count() {
    local numbers
    numbers=$(sed -E 's/.*: ([0-9]+) passed, ([0-9]+) failed.*/\1 \2/' <<< "$1")
    passed=$((passed + ${numbers% *}))
    failed=$((failed + ${numbers#* }))
}

note() {
    closing+=("$3 ($((SECONDS - $4)) s)")
    if [ "$2" -ne 0 ]; then
        failures+=("$1")
    fi
}

scripts/test-deps.sh

# The header tests then want every compiler.
export LIBAE_ALL_TOOLS=1
features=(--locked --features server)
run_all=("${features[@]}" --no-fail-fast)

suite format cargo fmt --check
suite clippy cargo clippy --quiet "${features[@]}" --all-targets -- -D warnings
suite clippy-lib cargo clippy --quiet --locked --lib -- -D warnings
suite clippy-no-tls cargo clippy --quiet --locked --lib --no-default-features -- -D warnings
suite rustdoc env RUSTDOCFLAGS="-D warnings" cargo doc --quiet "${features[@]}" --no-deps --document-private-items
cargo_suite "cargo test" cargo test "${run_all[@]}"
for backend in poll select; do
    cargo_suite "cargo test, $backend" env LIBAE_BACKEND=$backend cargo test "${run_all[@]}" --lib --bins --tests
done
suite symbols scripts/check-symbols.sh
suite no-tls scripts/check-no-tls.sh
suite install scripts/check-install.sh
suite c-tests make --no-print-directory c-tests ARGS=
if [ -e c-tests/interest_syscalls.sh ]; then
    suite interest-syscalls c-tests/interest_syscalls.sh build/c-tests/so/ae_interest
fi
suite profiles scripts/check-profiles.sh
suite readme scripts/check-readme.py
for script in tests/python/test_*.py tests/python/*_test.py; do
    [ -e "$script" ] || continue
    suite "$(basename "$script" .py)" build/venv/bin/python "$script"
done
if [ -e tests/redis-tools.sh ]; then
    suite redis-tools tests/redis-tools.sh
fi

suite redis-tools-with-libae c-tests/forks/redis-tools.sh
suite bench-tool python3 benches/test_bench.py
suite instructions make --no-print-directory instructions
suite probe tests/probe.sh
suite forks-tool python3 c-tests/forks/test_forks.py
for fork in redis-7.0 valkey-8.1; do
    suite "$fork-on-libae" c-tests/forks/forks.py --ci $fork
done

printf '== summary\n'
printf '%s\n' "${closing[@]}"
if [ ${#failures[@]} -gt 0 ]; then
    printf 'failed: %s\n' "${failures[@]}"
fi
printf '%d passed, %d failed\n' $passed $failed
[ ${#failures[@]} -eq 0 ]
