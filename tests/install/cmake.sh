#!/usr/bin/env bash
# Installs the library, moves it, and builds a project with it that finds it by find_package(libae).
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/report.sh
. scripts/report.sh

if ! command -v cmake > /dev/null && [ -z "${LIBAE_ALL_TOOLS:-}" ]; then
    echo "cmake: skipped, it is not installed"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
unset ABI DESTDIR PREFIX LIBDIR BINDIR INCLUDEDIR MANDIR BASHDIR ZSHDIR FISHDIR MAKEFLAGS MFLAGS LD_LIBRARY_PATH
export LC_ALL=C

# configured WANTED [OPTION...]: the project, in $work/build.
configured() {
    rm -rf "$work/build"
    cmake -S tests/install/cmake -B "$work/build" -DCMAKE_PREFIX_PATH="$prefix" -DWANTED="$1" "${@:2}"
}

# says PROGRAM [EXCEPT]: it runs, without LD_LIBRARY_PATH, and names the version.
says() {
    local said
    said=$("$work/build/$1") || fail "$1: status $?: $said" || return 1
    case $said in "libae $version "*) ;; *) fail "$1 says: $said" ;; esac
}

needs_libae() {
    readelf -dW "$work/build/$1" | grep -q 'NEEDED.*libae\.so\.1\]'
}

builds() {
    local said
    said=$(configured 1.0) || fail "$said" || return 1
    grep -qx -- "-- found libae $version" <<< "$said" || fail "$said" || return 1
    cmake --build "$work/build" || return 1
    needs_libae shared || fail "it was not linked with libae.so" || return 1
    ! needs_libae archive && ! needs_libae core || fail "they were linked with libae.so" || return 1
    says shared && says archive && says core
}

# The prefix is moved, and its files are found through a link, as those in /lib are on most systems.
moved() {
    make install-lib PREFIX="$work/elsewhere" && mv "$work/elsewhere" "$work/moved" || return 1
    prefix=$work/moved builds || return 1
    mkdir "$work/linked" && ln -s ../moved/lib "$work/linked/lib" || return 1
    prefix=$work/linked builds
}

staged() {
    make install-lib DESTDIR="$work/stage" PREFIX=/usr LIBDIR=/usr/lib/x86_64-linux-gnu || return 1
    prefix=$work/stage/usr configured 1 -DCMAKE_LIBRARY_ARCHITECTURE=x86_64-linux-gnu &&
        cmake --build "$work/build" && says shared
}

# Folders outside of the prefix keep their names.
folders_of_their_own() {
    make install-lib PREFIX="$work/none" LIBDIR="$work/own/lib" INCLUDEDIR="$work/include" || return 1
    prefix=$work/own builds
}

versions() {
    local wanted said prefix=$work/moved
    for wanted in "" 1 "$version" "$version EXACT" 1.0...1.0 0.9...1.9 "1.0...<2" "1.0 COMPONENTS libae core" \
        "1.0 OPTIONAL_COMPONENTS another"; do
        said=$(configured "$wanted" 2>&1) || fail "it does not fit: $wanted: $said" || return 1
    done
    for wanted in 0.9 1.99 2 "1 EXACT" 1.1...1.9 "0.1...<$version" 2...3 "1.0 COMPONENTS another"; do
        ! said=$(configured "$wanted" 2>&1) || fail "it fits: $wanted" || return 1
        grep -qE 'not compatible|version: |no component another' <<< "$said" || fail "$said" || return 1
    done
}

check "an installation that was moved" moved
check "an installation in its stage, with the library where Debian has it" staged
check "folders outside of the prefix" folders_of_their_own
check "versions and components that fit, and others" versions
finish cmake
