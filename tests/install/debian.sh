#!/usr/bin/env bash
# [--record]: what debian/ says of the installation is so: each file belongs to one package, the symbols are those of
# build/libae.so, the version is Cargo.toml's, the server takes the configuration. It builds no packages, which
# scripts/deb.sh does, and needs none of Debian's tools. With --record, adds new functions to debian/libae1.symbols.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/report.sh
. scripts/report.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stage=$work/stage
symbols=debian/libae1.symbols
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
unset ABI DESTDIR PREFIX LIBDIR BINDIR INCLUDEDIR MANDIR BASHDIR ZSHDIR FISHDIR MAKEFLAGS MFLAGS AE_BUILD
unset TARGET CROSS CC AR LD NM OBJCOPY STRIP CARGO_BUILD_TARGET
export LC_ALL=C

# What dpkg-gensymbols finds in the library, as it writes it.
exported() {
    nm -D --defined-only --with-symbol-versions build/libae.so |
        awk '{ sub("@@", "@", $3); print $2 == "A" ? $3 "@" $3 : $3 }' | sort
}

# known COLUMN: of the symbols, the names (1) or the versions that brought them (2).
known() {
    sed -n 's/^ //p' $symbols | cut -d ' ' -f "$1"
}

record() {
    { sed -n '/^ /!p' $symbols
      { sed -n '/^ /p' $symbols
        comm -13 <(known 1 | sort) <(exported) | sed "s/.*/ & $version/"; } | sort; } > "$work/symbols"
    cp "$work/symbols" $symbols
}

installs() {
    # The rules take the name of the system's folder from dpkg where there is one.
    make -f debian/rules files DESTDIR="$stage" DEB_HOST_MULTIARCH=some-system
}

# Patterns are as dh_install reads them: a folder stands for all that is in it.
one_package_each() {
    local file list pattern owners unused
    for list in debian/*.install; do
        while read -r pattern; do echo "$pattern ${list#debian/}"; done < "$list"
    done > "$work/patterns"
    while read -r file; do
        owners=
        while read -r pattern list; do
            # shellcheck disable=SC2053
            if [[ $file == $pattern || $file == $pattern/* ]]; then
                owners+=" $list"
                echo "$pattern" >> "$work/used"
            fi
        done < "$work/patterns"
        [ "$(wc -w <<< "$owners")" -eq 1 ] || fail "$file is in '${owners# }'" || return 1
    done < <(cd "$stage" && find . -not -type d -printf '%P\n')
    unused=$(cut -d ' ' -f 1 "$work/patterns" | grep -vxFf "$work/used") || return 0
    fail "no file is like $unused"
}

# The link without a number is a compiler's; a * would take it, too.
library_has_no_link_of_compilers() {
    ! grep -E 'libae\.so\*|libae\.\*' debian/libae1.install
}

all_symbols() {
    diff -u --label $symbols --label build/libae.so <(known 1 | sort) <(exported) ||
        fail "a function that is new: $0 --record, and commit $symbols"
}

versions_of_symbols() {
    head -n 1 $symbols | grep -qx 'libae.so.1 libae1 #MINVER#' || fail "it is not of libae.so.1 in libae1" || return 1
    local newest
    newest=$({ known 2; echo "$version"; } | sort -V | tail -n 1)
    [ "$newest" = "$version" ] || fail "a symbol is of $newest, the library of $version"
}

changelog() {
    head -n 1 debian/changelog | grep -q "^libae ($version) " || fail "$(head -n 1 debian/changelog)"
}

# Every directive is in the configuration once, as it is or commented out.
every_directive() {
    build/ae-server --help | sed -nE 's/^  --([a-z-]+).*/\1/p' | sort > "$work/known"
    [ "$(wc -l < "$work/known")" -gt 80 ] || fail "--help was not read" || return 1
    sed -nE 's/^(# )?([a-z-]+)( .*)?$/\2/p' "$stage/etc/ae-server/ae-server.conf" | sort > "$work/said"
    comm -23 "$work/known" "$work/said" | diff /dev/null - || fail "they are missing"
}

# It starts as in the package's own test.
server_takes_it() {
    ROOT=$stage debian/tests/ping
}

man_page() {
    local said page=$stage/usr/share/man/man1/ae-server.1
    said=$(groff -man -ww -Tascii "$page" 2>&1 > "$work/page") || fail "$said" || return 1
    [ -z "$said" ] || fail "$said" || return 1
    grep -qF 'maxmemory\-policy' "$page" && grep -q "libae $version" "$page" || fail "it lacks options or the version"
}

if [ "${1:-}" = --record ]; then
    record
    exit
fi
check "what the packages have is installed" installs
check "each file is in one package's list, and each list's are there" one_package_each
check "the link of compilers is in libae-dev" library_has_no_link_of_compilers
check "the symbols are the library's" all_symbols
check "no symbol is of a later version" versions_of_symbols
check "the changelog has the version" changelog
check "the configuration has every directive" every_directive
check "the server starts with it" server_takes_it
if command -v groff > /dev/null; then
    check "the server's man page" man_page
else
    echo "the server's man page: not read, groff is not installed"
fi
finish debian
