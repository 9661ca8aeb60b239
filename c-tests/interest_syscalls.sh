#!/bin/sh
# Counts the epoll_ctl calls of ae_interest's cases with strace.
#
# usage: interest_syscalls.sh PATH/TO/ae_interest
#
# 1000 times adding and removing AE_WRITABLE costs nothing inside a callback and two calls each outside.
# Exit status: 0 passed, 77 skipped (no strace, or it may not trace), else failed.
set -eu

program=${1:?usage: interest_syscalls.sh PATH/TO/ae_interest}
pairs=1000
trace=$(mktemp)
trap 'rm -f "$trace"' EXIT

if ! strace -o "$trace" true 2>/dev/null; then
    echo "interest_syscalls: skipped: strace cannot trace here"
    exit 77
fi

count() {
    LIBAE_BACKEND=epoll strace -f -e trace=epoll_ctl -o "$trace" "$program" "$1"
    grep -c '^[0-9 ]*epoll_ctl(' "$trace" || true
}

inside=$(count pairs_inside_a_callback)
outside=$(count pairs_outside_callbacks)
echo "interest_syscalls: $pairs pairs: $inside epoll_ctl calls inside a callback, $outside outside"

# The cases themselves register two descriptors.
if [ "$inside" -gt 10 ]; then
    echo "interest_syscalls: expected at most 10 inside a callback" >&2
    exit 1
fi
if [ "$outside" -lt $((2 * pairs)) ]; then
    echo "interest_syscalls: expected at least $((2 * pairs)) outside: changes there are immediate" >&2
    exit 1
fi
