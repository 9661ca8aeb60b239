# Sourced by test.sh and test-all.sh: runs suites, two side by side where they are started so, and closes with a
# summary.
# shellcheck shell=bash

logs=build/test-logs/$(basename "$0" .sh)
rm -rf "$logs"
mkdir -p "$logs"
# What is left of a run that does not get to its end.
echo "0 passed, 1 failed" > "$logs/summary"
lane=0
count=0
# Of what `time` measures.
TIMEFORMAT='%0U s of processor time and %0S s in the kernel'

# lane COMMAND: runs a function with suites beside those of other lanes. `wait` ends when all have.
lane() {
    lane=$((lane + 1))
    "$@" &
}

# suite NAME COMMAND...: runs it, shows its output when it has ended, and keeps its closing line, "NAME: N passed, N
# failed...". Python's unittest closes in its own way; a suite with neither counts as a single check. Status 77 says
# that it was skipped.
suite() {
    run_suite own "$@"
}

# cargo_suite NAME COMMAND...: the same for cargo's test runners; they do not enter the sum.
cargo_suite() {
    run_suite cargo "$@"
}

# shared (suite|cargo_suite) NAME COMMAND...: one that several lanes come to; the first one runs it.
shared() {
    mkdir "$logs/$2.begun" 2> /dev/null || return 0
    "$@"
}

run_suite() {
    local kind=$1 name=$2 status=0 start=$SECONDS log outcome line
    shift 2
    count=$((count + 1))
    log=$logs/${name//[^a-z0-9.]/-}
    outcome=$(printf '%s/%d-%03d.outcome' "$logs" "$lane" "$count")
    # What is left of a suite that does not end.
    printf '%s 1 %s: 0 passed, 1 failed\n' "$kind" "$name" > "$outcome"
    printf -- '-- %s begins\n' "$name"
    printf '== %s\n' "$name" > "$log"
    { time "$@" >> "$log" 2>&1 < /dev/null; } 2> "$log.time" || status=$?
    if [ "$kind" = cargo ]; then
        line="$name: $(cargo_counts "$log")"
    else
        line=$(closing_line "$name" "$log" "$status")
        [ "$status" -ne 77 ] || status=0
    fi
    printf '%s %s %s (%d s, %s)\n' "$kind" "$status" "$line" $((SECONDS - start)) "$(tail -n 1 "$log.time")" > "$outcome"
    [ "$status" -eq 0 ] || named "$log" >> "$outcome" || true
    flock "$logs" cat "$log"
}

closing_line() {
    local name=$1 log=$2 status=$3 line
    line=$(grep -E '^[a-z-]+: [0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1) || true
    if [ -z "$line" ] && grep -qE '^Ran [0-9]+ tests? in' "$log"; then
        line="$name: $(unittest_counts "$log")"
    fi
    if [ "$status" -eq 77 ]; then
        line="$name: 0 passed, 0 failed, skipped"
    elif [ -z "$line" ]; then
        line="$name: $((status == 0)) passed, $((status != 0)) failed"
    fi
    printf '%s' "$line"
}

# unittest_counts LOG: "N passed, N failed" from "Ran N tests" and "FAILED (failures=N, errors=N)".
unittest_counts() {
    local ran bad
    ran=$(sed -nE 's/^Ran ([0-9]+) tests? in.*/\1/p' "$1")
    bad=$(grep -E '^FAILED \(' "$1" | grep -oE '(failures|errors)=[0-9]+' | awk -F= '{ sum += $2 } END { print sum + 0 }')
    # A test counts once for each of its subtests that fail.
    printf '%d passed, %d failed' $((bad > ran ? 0 : ran - bad)) "$bad"
}

cargo_counts() {
    awk '/^test result:/ { ok += $4; bad += $6; skip += $8 }
        END { printf "%d passed, %d failed, %d ignored", ok, bad, skip }' "$1"
}

# named LOG: the lines that name what failed, as the test runners write them.
named() {
    grep -E '^(FAILED|FAIL:|ERROR:) *[^( ]|^test .* FAILED$' "$1" | sort -u | head -n 20
}

# summary: each suite's closing line, what failed and the tests in it, and last the sum over the suites that are not
# cargo's. Its status is the script's.
summary() {
    local file kind status line names passed=0 failed=0 failures=()
    for file in "$logs"/*.outcome; do
        read -r kind status line < "$file"
        printf '%s\n' "$line"
        names=$(sed '1d; s/^/    /' "$file")
        [ "$status" -eq 0 ] || failures+=("${line%%:*}${names:+$'\n'$names}")
        if [ "$kind" = own ]; then
            passed=$((passed + $(sed -E 's/.*: ([0-9]+) passed, ([0-9]+) failed.*/\1/' <<< "$line")))
            failed=$((failed + $(sed -E 's/.*: ([0-9]+) passed, ([0-9]+) failed.*/\2/' <<< "$line")))
        fi
    done
    [ ${#failures[@]} -eq 0 ] || printf 'failed: %s\n' "${failures[@]}"
    printf '%d passed, %d failed\n' $passed $failed
    [ ${#failures[@]} -eq 0 ] && [ "$failed" -eq 0 ]
}

# close: the script's end.
close() {
    local status=0
    wait
    printf '== summary\n'
    summary > "$logs/summary" || status=$?
    cat "$logs/summary"
    exit $status
}

# What the tests need, and the configuration by which cargo's builds for them take the release build's C libraries.
prepare() {
    scripts/test-deps.sh
    c_libraries=${CARGO_TARGET_DIR:-target}/c-libraries.toml
    make --no-print-directory "$c_libraries"
}

# What is not cargo's own, such as clippy, gets a configuration only behind its name.
dev_cargo() {
    cargo "$1" --config "$c_libraries" "${@:2}"
}
