#!/usr/bin/env bash
# [PROFILE [names]]: what build/libae.so and build/libae.a show to the programs they are linked into: names, needs,
# size; and that libae.a stands beside other Rust libraries in one program. With `names` the former alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/report.sh
. scripts/report.sh

# Of the default profile, or of the one that is named.
abi=${1:-}
build=build${abi:+/$abi}
# TLS=no: of the library without it, in a directory of its own.
[ "${TLS:-yes}" = yes ] || build=$build/no-tls
headers=${abi:+target/}include${abi:+/$abi}
shared=$build/libae.so
static=$build/libae.a
core=$build/libae-core.a
inside=$build/libae-inside.a
max_size=$((5 * 1024 * 1024))
[ "${TLS:-yes}" = yes ] || max_size=$((700 * 1024))
max_core_size=$((500 * 1024))
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# declared HEADERS NAME...: the functions that these headers declare, as a compiler sees them.
declared() {
    printf '#include <%s>\n' "${@:2}" > "$work/all.c"
    gcc -I "$1" -fsyntax-only -aux-info "$work/prototypes" "$work/all.c" || return 1
    sed -nE "s#^/\\* $1/[^ ]* \\*/ extern ([^(]*[ *]|[^(]*\\(\\*)([A-Za-z_0-9]+) \\(.*#\\2#p" "$work/prototypes"
}

# documented HEADERS: what all of them declare.
documented() {
    declared "$1" ae.h anet.h connection.h libae.h || return 1
    # The function table that 6.2 and 7.0 show.
    sed -n 's/^extern const struct ConnectionType \([A-Za-z_]*\);/\1/p' "$1/connection.h"
}

documented "$headers" | LC_ALL=C sort > "$work/documented"
[ "$(wc -l < "$work/documented")" -gt 100 ] || { echo "the headers were not read"; exit 1; }

# same_names NAMES LIBRARY [DOCUMENTED]
same_names() {
    LC_ALL=C sort "$1" | diff -u --label documented --label "$2" "${3:-$work/documented}" - ||
        fail "$2 has other names than the headers (-: missing, +: too many)"
}

shared_names() {
    nm -D --defined-only --with-symbol-versions $shared | awk '$2 != "A" { print $3 }' > "$work/names"
    ! grep -v '@@LIBAE_1$' "$work/names" || fail "without the version LIBAE_1"
    sed -i 's/@@LIBAE_1$//' "$work/names"
    same_names "$work/names" $shared
}

static_names() {
    nm -g --defined-only $static | awk 'NF == 3 { print $3 }' > "$work/names"
    same_names "$work/names" $static
}

# What libae.h has besides: of connections, TLS, the threads that look names up, and a program that takes over.
others='Tls|Conn[A-Z]|Resolve|ConnectName|Cancel|ExecWithListeners'

# All of ae.h and anet.h, and of libae.h what concerns these.
core_names() {
    { declared "$headers" ae.h anet.h; declared "$headers" libae.h | grep -vE "$others"; } | LC_ALL=C sort > "$work/core-documented"
    nm -g --defined-only $core | awk 'NF == 3 { print $3 }' > "$work/names"
    same_names "$work/names" $core "$work/core-documented"
}

# The headers' other names, each once.
inside_names() {
    sed -n 's/^#pragma redefine_extname //p' "$headers/ae.h" "$headers/anet.h" > "$work/renamed"
    declared "$headers" ae.h anet.h | LC_ALL=C sort | diff -u - <(cut -d ' ' -f 1 "$work/renamed" | LC_ALL=C sort) ||
        fail "the headers rename other functions than they declare (-: forgotten, +: too many)" || return 1
    { cut -d ' ' -f 2 "$work/renamed"; declared "$headers" libae.h | grep -vE "$others"; } |
        LC_ALL=C sort > "$work/inside-documented"
    nm -g --defined-only $inside | awk 'NF == 3 { print $3 }' > "$work/names"
    same_names "$work/names" $inside "$work/inside-documented"
}

core_size() {
    local bytes
    bytes=$(stat -c %s $core)
    echo "libae-core.a has $bytes bytes" >&3
    [ "$bytes" -lt $max_core_size ] || fail "$bytes bytes, $max_core_size are allowed"
}

# Neither the connection layer nor the standard library's backtraces are in it.
core_alone() {
    ! nm $core | grep -iE 'connection|rustls|gimli|addr2line'
}

# A loop whose memory a program has spoilt ends it by one line of the library's own, not by the standard library's.
core_panics() {
    local said status=0
    cc -I "$headers" -o "$work/spoilt" tests/symbols/spoilt.c $core || return 1
    said=$("$work/spoilt" 2>&1) || status=$?
    [ $status -eq 134 ] || fail "status $status: $said" || return 1
    [[ $said == "libae: "*"src/event_loop/"* && $said != *$'\n'* ]] || fail "it says: $said"
}

dynamic() {
    readelf -dW $shared | sed -n "s/.*($1).*\[\(.*\)\]/\1/p"
}

soname() {
    [ "$(dynamic SONAME)" = libae.so.1 ] || fail "the soname is '$(dynamic SONAME)'"
}

needs() {
    local extra
    extra=$(dynamic NEEDED | grep -vxE 'libc\.so\.6|libgcc_s\.so\.1') || return 0
    fail "depends on $extra"
}

no_text_relocations() {
    ! readelf -dW $shared | grep TEXTREL
}

size() {
    strip --strip-unneeded -o "$work/stripped.so" $shared
    local bytes
    bytes=$(stat -c %s "$work/stripped.so")
    echo "libae.so has $bytes bytes stripped, libae.a $(strip --strip-debug -o "$work/stripped.a" $static &&
        stat -c %s "$work/stripped.a")" >&3
    [ "$bytes" -lt $max_size ] || fail "$bytes bytes stripped, $max_size are allowed"
}

# Names of C and of Rust, mangled, before they are stripped.
no_crypto() {
    ! nm $static | grep -iE 'aws_lc|rustls|pkcs8'
}

loads() {
    printf '#include <dlfcn.h>\n#include <stdio.h>\nint main(int c, char **v) {\n(void) c;\n%s\n}\n' \
        'if (!dlopen(v[1], RTLD_NOW)) { puts(dlerror()); return 1; } return 0;' > "$work/load.c"
    cc -o "$work/load" "$work/load.c" -ldl && "$work/load" $shared
}

# Whoever looks a name up goes on in it.
stays() {
    printf '#include <dlfcn.h>\n#include <stdio.h>\nint main(int c, char **v) {\n(void) c;\n%s\n}\n' \
        'return dlclose(dlopen(v[1], RTLD_NOW)) != 0 || !dlopen(v[1], RTLD_NOW | RTLD_NOLOAD);' > "$work/stay.c"
    cc -o "$work/stay" "$work/stay.c" -ldl && "$work/stay" $shared
}

# neighbour NAME RUSTC-OPTIONS...: another Rust library with its own std.
neighbour() {
    rustc --edition 2024 --crate-type staticlib --crate-name neighbour "${@:2}" \
        -o "$work/libneighbour_$1.a" tests/symbols/neighbour.rs
}

# together NEIGHBOUR LIBRARIES...: links them into one program, in that order, and runs it.
together() {
    cc -std=c11 -Wall -Werror -I "$headers" -o "$work/together" tests/symbols/together.c "${@:2}" \
        -Wl,--fatal-warnings -lpthread -ldl -lm || return 1
    LD_LIBRARY_PATH=$build timeout 300 "$work/together" "$1" || fail "the program ended with status $?"
}

# The check can fail: two Rust libraries that nothing was done about do clash.
clash_without_us() {
    neighbour same -C opt-level=1 || return 1
    ! cc -o "$work/clash" tests/symbols/together.c -I "$headers" -Wl,--whole-archive "$work/libneighbour_unwind.a" \
        "$work/libneighbour_same.a" -Wl,--no-whole-archive $static -lpthread -ldl -lm 2> "$work/clash.log" ||
        fail "linked"
    grep -q 'multiple definition' "$work/clash.log"
}

exec 3>&1
check "libae.so exports the documented names" shared_names
check "libae.a has the documented names" static_names
check "libae-core.a has the names of ae and anet" core_names
check "libae-inside.a has them under names of its own" inside_names
check "libae-core.a is small" core_size
check "libae-core.a has nothing else in it" core_alone
check "libae-core.a ends a program in one line" core_panics
check "libae.so has its soname" soname
check "libae.so needs libc and libgcc_s alone" needs
check "libae.so has no text relocations" no_text_relocations
check "libae.so is small" size
check "libae.so finds every symbol when it is loaded" loads
check "libae.so stays in the process after dlclose" stays
[ "${TLS:-yes}" = yes ] || check "libae.a has no TLS in it" no_crypto
[ "${2:-}" != names ] || { finish symbols; exit; }
check "a Rust library that unwinds" neighbour unwind -C opt-level=2
check "a Rust library with fat LTO that aborts" neighbour abort -C opt-level=3 -C lto=fat -C codegen-units=1 -C panic=abort
for kind in unwind abort; do
    other=$work/libneighbour_$kind.a
    check "libae.a before a Rust library ($kind)" together $kind $static "$other"
    check "libae.a behind a Rust library ($kind)" together $kind "$other" $static
    check "libae.a and a whole Rust library ($kind)" together $kind -Wl,--whole-archive "$other" -Wl,--no-whole-archive $static
    check "libae.so beside a Rust library ($kind)" together $kind "$other" "-L$build" -lae
done
check "Rust libraries clash otherwise" clash_without_us
finish symbols
