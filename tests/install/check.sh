#!/usr/bin/env bash
# [PROFILE]: installs into temporary directories and uses what is there as a stranger would: pkg-config, C and C++
# programs against the shared and the static library, ctypes, and uninstall. With a profile, installs and removes that
# one's alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/report.sh
. scripts/report.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
root=$PWD
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
unset ABI DESTDIR PREFIX LIBDIR BINDIR INCLUDEDIR MANDIR BASHDIR ZSHDIR FISHDIR MAKEFLAGS MFLAGS
unset TARGET CROSS CC AR LD NM OBJCOPY STRIP CARGO_BUILD_TARGET
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LC_ALL=C

# files DIRECTORY: every file and link below it.
files() {
    (cd "$1" && find . -not -type d | sort)
}

# expected_files [PROFILE]
expected_files() {
    expected_library_files "$@"
    local name
    for name in ae-{server,cli,check-aof,check-rdb}; do echo "./opt/x/bin/$name ./opt/x/share/man/man1/$name.1"; done | tr ' ' '\n'
    echo ./opt/x/share/bash-completion/completions/ae-cli
    echo ./opt/x/share/zsh/site-functions/_ae-cli
    echo ./opt/x/share/fish/vendor_completions.d/ae-cli.fish
}

expected_library_files() {
    local name
    for name in ae.h anet.h connection.h libae.h; do echo "./opt/x/include/libae/$name"; done
    for name in a so so.1 so."$version"; do echo "./opt/x/lib64/libae.$name"; done
    echo ./opt/x/lib64/libae-{core,inside}.a ./opt/x/include/libae/inside/{ae,anet}.h | tr ' ' '\n'
    for name in libae libae-static libae-core libae-inside; do echo "./opt/x/lib64/pkgconfig/$name.pc"; done
    echo ./opt/x/lib64/cmake/libae/libaeConfig{,Version}.cmake | tr ' ' '\n'
    # Each function has a page, and so has each header.
    nm -D --defined-only "build${1:+/$1}/libae.so" | sed -nE 's#.* [TW] (.*)@@.*#./opt/x/share/man/man3/\1.3#p'
    for name in ae.h anet.h connection.h libae.h; do echo "./opt/x/share/man/man3/$name.3"; done
}

# pc_names FOLDER LIBDIR INCLUDEDIR: what all of pkg-config's files below FOLDER lead to.
pc_names() {
    local name said
    for name in libae libae-static libae-core libae-inside; do
        for folder in "libdir $2" "includedir $3"; do
            said=$(PKG_CONFIG_PATH=$1/pkgconfig pkg-config --variable="${folder% *}" $name) || return 1
            [ "$(realpath -m "$said")" = "${folder#* }" ] || fail "$name.pc has ${folder% *} $said" || return 1
        done
    done
}

staged() {
    make install DESTDIR="$work/stage" PREFIX=/opt/x LIBDIR=/opt/x/lib64 || return 1
    expected_files | sort | diff -u - <(files "$work/stage") || fail "other files were installed than expected" ||
        return 1
    ! grep -r "$work" "$work/stage" || fail "DESTDIR is in an installed file" || return 1
    pc_names "$work/stage/opt/x/lib64" "$work/stage/opt/x/lib64" "$work/stage/opt/x/include"
}

unstaged() {
    make uninstall DESTDIR="$work/stage" PREFIX=/opt/x LIBDIR=/opt/x/lib64 || return 1
    [ -z "$(files "$work/stage")" ] || fail "left: $(files "$work/stage")"
}

# The library comes and goes without the programs.
library_alone() {
    local stage=$work/library
    set -- DESTDIR="$stage" PREFIX=/opt/x LIBDIR=/opt/x/lib64
    make install-lib "$@" || return 1
    expected_library_files | sort | diff -u - <(files "$stage") || fail "other files were installed than expected" ||
        return 1
    make install-server install-cli uninstall-lib "$@" || return 1
    expected_files | grep -vxFf <(expected_library_files) | sort | diff -u - <(files "$stage") ||
        fail "other files are left than the programs'" || return 1
    make uninstall "$@" || return 1
    [ -z "$(files "$stage")" ] || fail "left: $(files "$stage")"
}

# Nothing is written where another installation from the same build writes, too.
two_at_a_time() {
    local pids=() pid status=0
    for name in one two; do
        make install-lib DESTDIR="$work/$name" PREFIX=/opt/x LIBDIR=/opt/x/lib64 &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || status=1; done
    diff -r "$work/one" "$work/two" && return $status
}

# All that follows uses an installation that was moved since.
installed() {
    make install PREFIX="$work/elsewhere" && mv "$work/elsewhere" "$prefix" || return 1
    ! grep -rI "$work" "$prefix" || fail "the prefix is in an installed file"
}

# Folders outside of the prefix keep their names.
folders_of_their_own() {
    local stage=$work/folders
    make install-lib DESTDIR="$stage" PREFIX=/opt/x LIBDIR=/srv/lib INCLUDEDIR=/opt/x/share/c || return 1
    pc_names "$stage/srv/lib" /srv/lib /opt/x/share/c || return 1
    make install-lib DESTDIR="$stage" PREFIX=/opt/x LIBDIR=/opt/x/a/b INCLUDEDIR=/srv/include || return 1
    pc_names "$stage/opt/x/a/b" "$stage/opt/x/a/b" /srv/include || return 1
    rm -rf "$stage"
}

links() {
    [ "$(readlink "$prefix/lib/libae.so")" = "libae.so.$version" ] &&
        [ "$(readlink "$prefix/lib/libae.so.1")" = "libae.so.$version" ] || fail "the links do not lead to libae.so.$version"
    [ "$(pkg-config --modversion libae)" = "$version" ] || fail "libae.pc has the version $(pkg-config --modversion libae)"
}

# runs PROGRAM: it says which library it was linked with.
runs() {
    local said
    said=$(LD_LIBRARY_PATH=$prefix/lib "$1") || fail "status $?: $said" || return 1
    case $said in "libae $version redis-"* | "libae $version valkey-"*) ;; *) fail "it says: $said" ;; esac
}

needs_libae() {
    readelf -dW "$1" | grep -q 'NEEDED.*libae\.so\.1\]'
}

with_shared() {
    # shellcheck disable=SC2046
    cc -std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -o "$work/shared" tests/install/use.c $(pkg-config --cflags --libs libae) &&
        needs_libae "$work/shared" && runs "$work/shared"
}

with_shared_cxx() {
    # shellcheck disable=SC2046
    c++ -std=c++17 -Wall -Wextra -Werror -x c++ -o "$work/cxx" tests/install/use.c $(pkg-config --cflags --libs libae) &&
        needs_libae "$work/cxx" && runs "$work/cxx"
}

# libae.a alone static: the usual way of a program that ships without libae.so.
with_archive() {
    # shellcheck disable=SC2046
    cc -o "$work/archive" tests/install/use.c $(pkg-config --cflags --libs libae-static) || return 1
    ! needs_libae "$work/archive" || fail "it was linked with libae.so"
    runs "$work/archive"
}

# small PROGRAM KILOBYTES: it has no more without its symbols.
small() {
    local bytes
    strip -o "$work/stripped" "$1" || return 1
    bytes=$(stat -c %s "$work/stripped")
    echo "$1 has $bytes bytes"
    [ "$bytes" -lt $(($2 * 1024)) ] || fail "$bytes bytes, $2 KB are allowed"
}

# ae and anet alone, beside functions of the program's own that are called like connections'.
with_core() {
    # shellcheck disable=SC2046
    cc -std=c99 -Wall -Wextra -Werror -o "$work/core" tests/install/core.c $(pkg-config --cflags --libs libae-core) || return 1
    ! needs_libae "$work/core" || fail "it was linked with libae.so"
    runs "$work/core" && small "$work/core" 200
}

# What libae.a adds to a program without connections is little more.
with_archive_of_which_little_is_used() {
    # shellcheck disable=SC2046
    cc -DWITHOUT_NAMESAKES -o "$work/little" tests/install/core.c $(pkg-config --cflags --libs libae-static) || return 1
    runs "$work/little" && small "$work/little" 700
}

# A program that had a copy of ae and anet: our headers over its own, and the other archive.
inside() {
    rm -rf "$work/inside"
    cp -r tests/install/inside "$work/inside" || return 1
    cp "$(pkg-config --variable=headers libae-inside)"/*.h "$work/inside" || return 1
    sed -i '1i #define LIBAE_BEFORE_6_2' "$work/inside/ae.h" "$work/inside/anet.h" || return 1
    # shellcheck disable=SC2046
    (cd "$work/inside" && cc -std=c99 -D_XOPEN_SOURCE=700 -Wall -Wextra -Werror -o program main.c events.c \
        $(pkg-config --libs libae-inside)) || return 1
    [ "$("$work/inside/program")" = 'hello, 3 times' ] || fail "it ends with status $?"
}

# One object of it that was compiled before that: it would crash, and so it does not link, with any of the objects
# first.
inside_with_an_old_object() {
    local said
    (cd tests/install/inside && cc -c -o "$work/inside/old.o" events.c) || return 1
    for objects in "main.c old.o" "old.o main.c"; do
        # shellcheck disable=SC2046,SC2086
        ! said=$(cd "$work/inside" &&
            cc -std=c99 -D_XOPEN_SOURCE=700 -o old $objects $(pkg-config --libs libae-inside) 2>&1) ||
            fail "it is linked with $objects" || return 1
        grep -q 'undefined reference to .aeCreateEventLoop' <<< "$said" || fail "$said" || return 1
    done
}

# Both archives in one link would be two event loops, of which connections know one.
not_together() {
    local said
    # shellcheck disable=SC2046
    ! said=$(cc -o "$work/both" tests/install/use.c $(pkg-config --cflags libae) "$prefix/lib/libae-core.a" \
        "$prefix/lib/libae.a" 2>&1) || fail "they were linked together" || return 1
    grep -q 'multiple definition of .aeMain' <<< "$said" || fail "$said"
}

# Everything static, libc too: glibc warns of getaddrinfo, which is its own affair.
with_static() {
    # shellcheck disable=SC2046
    cc -static -o "$work/static" tests/install/use.c $(pkg-config --cflags --libs --static libae) || return 1
    ! readelf -dW "$work/static" | grep NEEDED || fail "it is not static"
    runs "$work/static"
}

with_ctypes() {
    python3 - "$prefix/lib/libae.so.1" "$version" <<'PYTHON'
import ctypes, sys
libae = ctypes.CDLL(sys.argv[1], use_errno=True)
libae.libaeVersion.restype = ctypes.c_char_p
libae.aeCreateEventLoop.restype = ctypes.c_void_p
libae.aeDeleteEventLoop.argtypes = [ctypes.c_void_p]
assert libae.libaeVersion().decode() == sys.argv[2]
loop = libae.aeCreateEventLoop(16)
assert loop
libae.aeDeleteEventLoop(loop)
PYTHON
}

server_starts() {
    "$prefix/bin/ae-server" --help > /dev/null || return 1
    # Under its other names it looks into files.
    local name said
    for name in ae-check-aof ae-check-rdb; do
        ! said=$("$prefix/bin/$name" 2>&1) && [[ $said == "Usage: $name "* ]] || fail "$name: $said" || return 1
    done
}

client_starts() {
    [ "$("$prefix/bin/ae-cli" --version)" = "ae-cli $version" ] || fail "it is another version" || return 1
    grep -q "libae $version" "$prefix/share/man/man1/ae-cli.1" || fail "the man page has another version" || return 1
    bash -c 'source "$1" && complete -p ae-cli' - "$prefix/share/bash-completion/completions/ae-cli"
}

# The text of the headers, which formatters read without a warning.
man_pages() {
    local page said
    for page in "$prefix"/share/man/man3/*.3; do
        said=$(groff -man -ww -Tascii "$page" 2>&1 > "$work/page") || fail "$page: $said" || return 1
        [ -z "$said" ] || fail "$page: $said" || return 1
        ! grep -F '`' "$work/page" || fail "$page has marks of the comment" || return 1
    done
    said=$(groff -man -P-cbou -Tascii "$prefix/share/man/man3/aeCreateEventLoop.3" | tr -s ' \n' ' ')
    for page in "aeCreateEventLoop - Creates an event loop" "#include <ae.h> struct aeEventLoop *aeCreateEventLoop(int setsize);" \
        "RETURN VALUE Returns the loop, to be freed with aeDeleteEventLoop(3)" "libae $version"; do
        grep -qF -- "$page" <<< "$said" || fail "without '$page': $said" || return 1
    done
}

# Another profile's library comes with its own headers.
other_profile() {
    local other=$1 stage=$work/other said
    make ABI="$other" install DESTDIR="$stage" PREFIX=/opt/x LIBDIR=/opt/x/lib64 || return 1
    expected_files "$other" | sort | diff -u - <(files "$stage") || fail "other files were installed than expected" ||
        return 1
    diff -r -x inside "target/include/$other" "$stage/opt/x/include/libae" || fail "the headers are not the profile's" || return 1
    grep -q "^#define LIBAE_ABI \"$other\"" "$stage/opt/x/include/libae/libae.h" || fail "libae.h is of another profile" ||
        return 1
    cc -I "$stage/opt/x/include/libae" -o "$work/other-use" tests/install/use.c "$stage/opt/x/lib64/libae.so" || return 1
    said=$(LD_LIBRARY_PATH=$stage/opt/x/lib64 "$work/other-use") || fail "status $?: $said" || return 1
    [ "$said" = "libae $version $other" ] || fail "it says: $said" || return 1
    make ABI="$other" uninstall DESTDIR="$stage" PREFIX=/opt/x LIBDIR=/opt/x/lib64 || return 1
    [ -z "$(files "$stage")" ] || fail "left: $(files "$stage")"
}

# What make would do for another system: with its tools, in folders of its own, whoever names it.
another_system() {
    local said place=aarch64-unknown-linux-gnu
    said=$(make -n CARGO_TARGET_DIR=target TARGET=$place all) || fail "$said" || return 1
    [ "$said" = "$(CARGO_BUILD_TARGET=$place make -n CARGO_TARGET_DIR=target all)" ] || fail "CARGO_BUILD_TARGET does something else" || return 1
    for wanted in "aarch64-linux-gnu-ld(.bfd)? -r .* -o build/$place/prelinked.o target/$place/release/libae.a" \
        "aarch64-linux-gnu-gcc -shared -o build/$place/libae.so" "aarch64-linux-gnu-ar rcsD build/$place/libae.a" \
        "aarch64-linux-gnu-objcopy .* target/core/$place/release/libae.a" "cp target/$place/release/ae-server build/$place/" \
        "cp target/$place/release/ae-cli build/$place/"; do
        tr -d '\\\n' <<< "$said" | tr -s ' \t' ' ' | grep -qE -- "$wanted" || fail "without '$wanted': $said" || return 1
    done
    said=$(make -n TARGET=$place CROSS=other- CC=cc-of-mine lib) || fail "$said" || return 1
    ! grep -q aarch64-linux-gnu- <<< "$said" && grep -q '^other-ar ' <<< "$said" && grep -q '^cc-of-mine ' <<< "$said" ||
        fail "CROSS and CC do not hold: $said"
}

# Builds that cargo runs by make are not told where libae goes.
folders_are_not_passed_on() {
    mkdir -p "$work/flags" || return 1
    printf '#!/bin/sh\necho "flags: $MAKEFLAGS" > "%s"\nexit 1\n' "$work/flags/said" > "$work/flags/cargo"
    chmod +x "$work/flags/cargo"
    ! make BUILD="$work/flags" CARGO="$work/flags/cargo" PREFIX=/opt/x LIBDIR=/opt/x/lib64 server || fail "it was built" || return 1
    grep -q '^flags:' "$work/flags/said" || fail "cargo was not called" || return 1
    ! grep /opt/x "$work/flags/said"
}

# The same source in two folders, through what make gives cargo.
same_everywhere() {
    local folder
    mkdir -p "$work"/places/{one,the/other} || return 1
    for folder in one the/other; do
        echo 'pub fn f(number: Option<u8>) -> u8 { number.unwrap() }' > "$work/places/$folder/lib.rs"
        (cd "$work/places/$folder" &&
            CARGO_PKG_NAME=p CARGO_PKG_VERSION=1.0.0 CARGO_MANIFEST_DIR=$PWD "$root/scripts/rustc" rustc -g \
                --crate-type rlib --crate-name p --emit obj=p.o "$PWD/lib.rs") || return 1
    done
    cmp "$work/places/one/p.o" "$work/places/the/other/p.o" || return 1
    grep -q 'p-1.0.0/lib.rs' "$work/places/one/p.o" || fail "the file has another name"
}

nothing_left() {
    make uninstall PREFIX="$prefix" || return 1
    [ -z "$(files "$prefix")" ] || fail "left: $(files "$prefix")"
}

if [ $# -gt 0 ]; then
    check "an installation of $1" other_profile "$1"
    finish install
    exit
fi
check "a staged installation has the files" staged
check "uninstall removes a staged installation" unstaged
check "the library without the programs" library_alone
check "two installations at the same time" two_at_a_time
check "folders outside of the prefix" folders_of_their_own
check "an installation that is moved" installed
check "the links and the version" links
check "folders are not passed on to others' builds" folders_are_not_passed_on
check "a C program with libae.so" with_shared
check "a C++ program with libae.so" with_shared_cxx
check "a C program with libae.a" with_archive
check "a static C program" with_static
check "a C program with libae-core.a" with_core
check "a C program with libae.a that uses little of it" with_archive_of_which_little_is_used
check "a program that had ae inside" inside
check "an object that was compiled with its old ae.h does not link" inside_with_an_old_object
check "libae.a and libae-core.a do not go together" not_together
check "a build for another system" another_system
check "a build in another folder" same_everywhere
check "ctypes" with_ctypes
if command -v groff > /dev/null; then
    check "the man pages" man_pages
else
    echo "the man pages: not read, groff is not installed"
fi
check "ae-server starts" server_starts
check "ae-cli starts, with its man page and completion" client_starts
check "uninstall removes everything" nothing_left
finish install
