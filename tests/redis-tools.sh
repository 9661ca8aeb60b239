#!/usr/bin/env bash
# Drives ae-server with redis-cli and redis-benchmark and checks what they print, first over TCP, then over TLS.
# AE_SERVER names the server.
set -uo pipefail
cd "$(dirname "$0")/.."

server=${AE_SERVER:-build/ae-server}
folder=$(mktemp -d)
pid=
trap 'kill "$pid" 2> /dev/null; rm -rf "$folder"' EXIT
export PYTHONPATH=tools
port=$(python3 -m testkit.ports)
socket=$folder/socket

python3 -m testkit.certificates "$folder/certs" server.crt

passed=0
failed=0
over=
tls=()

# check NAME EXPECTED ACTUAL: whether they are the same.
check() {
    if [ "$2" == "$3" ]; then
        passed=$((passed + 1))
        printf 'ok: %s%s\n' "$over" "$1"
    else
        failed=$((failed + 1))
        printf 'FAILED: %s%s\n  expected: %s\n  actual:   %s\n' "$over" "$1" "$2" "$3"
    fi
}

# matches NAME PATTERN ACTUAL: whether a line matches the extended regular expression.
matches() {
    if grep -qE "$2" <<< "$3"; then
        passed=$((passed + 1))
        printf 'ok: %s%s\n' "$over" "$1"
    else
        failed=$((failed + 1))
        printf 'FAILED: %s%s\n  no line matches: %s\n  in: %s\n' "$over" "$1" "$2" "$3"
    fi
}

cli() {
    redis-cli -p "$port" "${tls[@]}" "$@" 2>&1
}

# benchmark NAME OPTIONS...: every default test that the commands cover.
benchmark() {
    local name=$1 output tests=ping_inline,ping_mbulk,set,get,incr,mset
    shift
    output=$(redis-benchmark -p "$port" -t $tests --csv "$@" 2>&1)
    matches "benchmark $name: PING_INLINE" '^"PING_INLINE","[0-9.]+"' "$output"
    matches "benchmark $name: PING_MBULK" '^"PING_MBULK","[0-9.]+"' "$output"
    matches "benchmark $name: SET" '^"SET","[0-9.]+"' "$output"
    matches "benchmark $name: GET" '^"GET","[0-9.]+"' "$output"
    matches "benchmark $name: INCR" '^"INCR","[0-9.]+"' "$output"
    matches "benchmark $name: MSET" '^"MSET \(10 keys\)","[0-9.]+"' "$output"
    check "benchmark $name: no complaint" "" "$(grep -iE 'error|warning|fail|could not' <<< "$output")"
}

# run OPTIONS...: a server with these and a unix socket, and everything that is asked of it.
run() {
    "$server" --bind 127.0.0.1 --save "" --unixsocket "$socket" "$@" > "$folder/out" 2>&1 &
    pid=$!
    for _ in $(seq 2400); do
        [ "$(cli ping)" == PONG ] && break
        sleep 0.05
    done

    # redis-cli, one command per connection.
    check ping PONG "$(cli ping)"
    check set OK "$(cli set key 'a value')"
    check get 'a value' "$(cli get key)"
    check "get nothing" "" "$(cli get none)"
    check incr 1 "$(cli incr n)"
    check "mset, mget" $'1\n2' "$(cli mset a 1 b 2 > /dev/null; cli mget a b)"
    check "an error" "ERR wrong number of arguments for 'get' command" "$(cli get | head -n 1)"
    check "unknown command" "ERR unknown command 'nosuch', with args beginning with: 'x' " "$(cli nosuch x | head -n 1)"
    check "value from standard input" OK "$(printf 'from stdin' | cli -x set piped)"
    check "over the Unix socket" 'from stdin' "$(redis-cli -s "$socket" get piped)"
    check "another database" "" "$(cli -n 5 get key)"
    check "RESP3" 'a value' "$(cli -3 get key)"
    check "raw bytes" '"\x00\xff"' "$(printf '\000\377' | cli -x set raw > /dev/null; cli --no-raw get raw)"
    matches "info" '^redis_version:7\.0\.' "$(cli info server | tr -d '\r')"
    matches "client list" 'cmd=client\|list' "$(cli client list)"
    check "dbsize" 6 "$(cli dbsize)"

    # Several commands over one connection; what redis-cli asks for when a person starts it.
    check "a session" $'OK\n1\nOK' "$(printf 'set i 1\nget i\nselect 3\n' | cli)"
    matches "command docs" 'Reads a string' "$(cli command docs get)"

    # Scanning and bulk loading.
    commands=$(for i in $(seq 1000); do printf 'SET bulk:%d %d\n' "$i" "$i"; done)
    matches "pipe" 'errors: 0, replies: 1000' "$(cli --pipe <<< "$commands")"
    check "scan" 1000 "$(cli --scan --pattern 'bulk:*' | sort -u | wc -l)"
    matches "bigkeys" 'Biggest string found' "$(cli --bigkeys)"
    check "expiry" "" "$(cli set short 1 px 1 > /dev/null; sleep 0.05; cli get short)"
    check "flushall" 0 "$(cli flushall > /dev/null; cli dbsize)"

    # redis-benchmark: plain, pipelined, with random keys, over both sockets.
    benchmark "plain" -n 5000 "${tls[@]}"
    benchmark "pipelined" -n 20000 -P 16 -r 1000 "${tls[@]}"
    benchmark "large values" -n 2000 -d 100000 -r 10 "${tls[@]}"
    benchmark "Unix socket" -n 5000 -s "$socket"
    benchmark "threads" -n 20000 --threads 2 -c 100 "${tls[@]}"
    check "keys after it" 1 "$(cli exists counter:__rand_int__)"
    matches "statistics after it" '^total_commands_processed:[0-9]{6}' "$(cli info stats)"

    kill "$pid"
    wait "$pid"
    check "exit code" 0 $?
    # Ready, accepting connections, stopped.
    matches "the last line" '^ae-server stopped by SIGTERM$' "$(cat "$folder/out")"
    check "no other line" 3 "$(wc -l < "$folder/out")"
    check "no socket left" "" "$(ls "$folder" | grep socket)"
}

run --port "$port"
over="TLS: "
tls=(--tls --cacert "$folder/certs/ca.crt")
run --port 0 --tls-port "$port" --tls-cert-file "$folder/certs/server.crt" --tls-key-file "$folder/certs/server.key" --tls-auth-clients no

printf 'redis-tools: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
