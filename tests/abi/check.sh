#!/usr/bin/env bash
# [--record]: compares build/libae.so and the headers with the committed description of the default profile's ABI, by
# abidiff: the functions with their symbol versions, their parameters, and the structs that these lead to. With
# --record, writes the description anew.
#
# What is described is a library of empty functions, compiled from the headers' declarations and with the names and
# versions that libae.so exports: in libae.so itself the debug information has lines alone, and would have Rust's types.
# That Rust's are the headers' is what tests/headers sees to.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/report.sh
. scripts/report.sh

shared=build/libae.so
described=tests/abi/x86_64-linux-gnu.abi
if [ "$(gcc -dumpmachine)" != x86_64-linux-gnu ]; then
    echo "abi: skipped, $described is of another system"
    exit 77
fi
if ! command -v abidiff > /dev/null && [ -z "${LIBAE_ALL_TOOLS:-}" ]; then
    echo "abi: skipped, abidiff is not installed"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# describe LIBRARY HEADERS: both together, into $work/now.abi.
describe() {
    nm -D --defined-only --with-symbol-versions "$1" | awk '$2 != "A" { print $3 }' > "$work/names"
    ! grep -v '@@' "$work/names" || fail "without a version, or with one that new programs do not get" || return 1
    awk -F@@ '{ names[$2] = names[$2] " " $1 ";" }
        END { for (version in names) print version, "{ global:" names[version], "local: *; };" }' "$work/names" > "$work/map"
    printf '#include <%s>\n' ae.h anet.h connection.h libae.h > "$work/empty.c"
    gcc -I "$2" -fsyntax-only -aux-info "$work/declared" "$work/empty.c" || return 1
    sed -nE "s#^/\\* $2/[^ ]* \\*/ extern (.*);\$#\\1 { __builtin_trap(); }#p" "$work/declared" >> "$work/empty.c"
    [ "$(grep -c trap "$work/empty.c")" -gt 100 ] || fail "the headers were not read" || return 1
    gcc -std=gnu2x -g -I "$2" -shared -fPIC -Wl,-soname,"$(soname "$1")" -Wl,--version-script="$work/map" \
        -o "$work/libae.so" "$work/empty.c" || return 1
    abidw --no-corpus-path --no-comp-dir-path --no-show-locs --headers-dir "$2" --drop-private-types "$work/libae.so" \
        --out-file "$work/now.abi"
}

soname() {
    readelf -dW "$1" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p'
}

unchanged() {
    describe $shared include || return 1
    abidiff --harmless "$described" "$work/now.abi" ||
        fail "the ABI has changed. If programs that exist still work: tests/abi/check.sh --record, and commit $described"
}

if [ "${1:-}" = --record ]; then
    describe $shared include
    cp "$work/now.abi" $described
    exit
fi
check "the ABI is the one described" unchanged
finish abi
