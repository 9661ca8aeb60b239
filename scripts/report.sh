# Sourced by the check scripts: runs checks, prints what failed, and ends with a line of counts.
# shellcheck shell=bash

passed=0
failed=0

# check NAME COMMAND...: passes when the command does; else its output is shown. In a function that is checked
# `set -e` has no effect: it ends its steps with `|| return 1`.
check() {
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s\n' "$name"
        [ -z "$output" ] || printf '%s\n' "$output" | sed 's/^/    /'
    fi
}

# fail TEXT: says why a check fails.
fail() {
    printf '%s\n' "$*"
    return 1
}

# finish SUITE: the closing line; the status of the script.
finish() {
    printf '%s: %d passed, %d failed\n' "$1" "$passed" "$failed"
    [ "$failed" -eq 0 ]
}
