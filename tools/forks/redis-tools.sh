#!/usr/bin/env bash
# redis-cli and redis-benchmark as Redis itself builds them, from Debian's source package, except that libae-core.a
# takes the place of ae.o and anet.o; then both against ae-server. (Their part of the ABI is the same in 7.0 and in the
# default profile.) The source is fetched into build/forks.
set -euo pipefail
# Those of a make that runs this are not for redis's makefiles.
unset MAKEFLAGS MFLAGS MAKELEVEL
cd "$(dirname "$0")/../.."
root=$PWD
forks=$root/build/forks
passed=0
failed=0

close() {
    echo "redis-tools-with-libae: $passed passed, $failed failed"
    [ $failed -eq 0 ]
    exit
}

# check NAME EXPECTED ACTUAL
check() {
    if [[ $3 == $2 ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n  expected: %s\n  actual:   %s\n' "$1" "$2" "$3"
    fi
}

source=$forks/redis
version=7.0.15
PYTHONPATH=tools python3 -c 'import pathlib, sys
from testkit import fetch
fetch.unpack(fetch.tarball("redis", sys.argv[1], "bookworm"), pathlib.Path(sys.argv[2]))' "$version" "$source" ||
    { check "redis $version can be had" yes no; close; }

make -s -C "$source/src" MALLOC=libc redis-cli redis-benchmark > "$forks.log" 2>&1 ||
    { tail -n 20 "$forks.log"; check "redis $version builds" yes no; close; }

# link PROGRAM OBJECTS-VARIABLE LIBRARIES...: what redis's makefile links, less ae.o and anet.o
link() {
    local program=$1 objects
    # make may print its variables more than once.
    objects=$(make -C "$source/src" -pn MALLOC=libc 2> /dev/null | sed -n "s/^$2 *= *//p" | tail -n 1 | tr ' ' '\n' |
        grep -vx -e ae.o -e anet.o)
    shift 2
    (cd "$source/src" && cc -rdynamic -o "$forks/$program" $objects "$@" "$root/build/libae-core.a" -lm -ldl -pthread)
}
hiredis=$source/deps/hiredis/libhiredis.a
link redis-cli REDIS_CLI_OBJ "$hiredis" "$source/deps/linenoise/linenoise.o"
link redis-benchmark REDIS_BENCHMARK_OBJ "$hiredis" "$source/deps/hdr_histogram/libhdrhistogram.a"
for program in redis-cli redis-benchmark; do
    check "$program has libae's loop" "*libaeVersion*" "$(nm "$forks/$program" | grep -w libaeVersion)"
done

folder=$(mktemp -d)
socket=$folder/socket
"$root/build/ae-server" --save "" --port 0 --unixsocket "$socket" > "$folder/log" &
server=$!
trap 'kill $server 2> /dev/null || true; rm -rf "$folder"' EXIT
for _ in $(seq 2400); do
    [ ! -S "$socket" ] || break
    sleep 0.05
done

cli() { timeout 300 "$forks/redis-cli" -s "$socket" "$@"; }
check "SET" OK "$(cli SET key value)"
check "GET" value "$(cli GET key)"
check "mass insertion" "*errors: 0, replies: 1000*" "$(for i in $(seq 1000); do printf 'SET mass:%d %d\r\n' "$i" "$i"; done | cli --pipe)"
check "what it inserted" 1001 "$(cli DBSIZE)"
for options in "-P 16" "--threads 2"; do
    # shellcheck disable=SC2086
    output=$(timeout 300 "$forks/redis-benchmark" -s "$socket" -t set,get -n 20000 -q $options | tr '\r' '\n')
    check "redis-benchmark $options" "*SET: * requests per second*GET: * requests per second*" "$output"
done
close
