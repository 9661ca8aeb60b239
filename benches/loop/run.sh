#!/usr/bin/env bash
# The event loop beside libev, libuv and libevent, as far as they are installed (Debian: libev-dev libuv1-dev
# libevent-dev), in one run. `make bench` builds the library first. Machines are noisy: only the ratios of one run
# mean anything.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=build/bench
mkdir -p $out

# contender NAME LINKER-ARGUMENTS...
contender() {
    local name=$1
    shift
    if cc -O2 -Wall -Iinclude benches/loop/main.c "benches/loop/$name.c" -o "$out/$name" "$@" 2> "$out/$name.log"; then
        contenders+=("$name")
    else
        echo "not measured, does not build ($out/$name.log): $name" >&2
    fi
}

contenders=()
contender libae build/libae.so.1 -Wl,-rpath,"$PWD/build"
contender libev -lev
contender libuv -luv
contender libevent -levent_core

# In turns, so that a noisy minute hits everyone; the best turn counts.
for _ in 1 2 3; do
    for name in "${contenders[@]}"; do
        "$out/$name"
    done
done | awk -F'\t' '
    !($2 in seen) { seen[$2]; works[++rows] = $2 }
    !($1 in known) { known[$1]; names[++columns] = $1 }
    !(($1, $2) in best) || $3 < best[$1, $2] { best[$1, $2] = $3 }
    END {
        printf "%-32s", "ns, best; in brackets: to libae"
        for (c = 1; c <= columns; c++) printf "%18s", names[c]
        print ""
        for (r = 1; r <= rows; r++) {
            printf "%-32s", works[r]
            for (c = 1; c <= columns; c++) {
                value = best[names[c], works[r]]
                printf "%18s", sprintf("%.1f (%.2f)", value, value / best["libae", works[r]])
            }
            print ""
        }
    }'
