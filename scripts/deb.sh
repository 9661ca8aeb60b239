#!/usr/bin/env bash
# Makes the Debian packages in build/deb of what `make` has built, tests what is in them as it would be installed, and
# looks at them with lintian where that is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/report.sh
. scripts/report.sh

for tool in dpkg-buildpackage:dpkg-dev dh:debhelper python3:python3; do
    if ! command -v "${tool%%:*}" > /dev/null; then
        echo "deb: skipped, ${tool%%:*} is not installed: apt-get install build-essential debhelper lintian python3"
        exit 77
    fi
done
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
root=$PWD
place=build/deb
unset ABI DESTDIR PREFIX LIBDIR BINDIR INCLUDEDIR MANDIR BASHDIR ZSHDIR FISHDIR MAKEFLAGS MFLAGS
unset TARGET CROSS CC AR LD NM OBJCOPY STRIP CARGO_BUILD_TARGET

# In a copy, which debhelper may fill with files of its own. The files' times say that nothing has to be built again.
packages() {
    mkdir -p "$place/libae-$version"
    tar -c --exclude=./build --exclude=./target --exclude=./fuzz/target --exclude=./.git . |
        tar -x -C "$place/libae-$version" || return 1
    cd "$place/libae-$version" || return 1
    AE_BUILD=$root/build dpkg-buildpackage -us -uc -b > ../build.log 2>&1 || fail "$(tail -n 30 ../build.log)"
}

unpacked() {
    local name
    for name in libae1 libae-dev ae-server ae-cli; do
        dpkg-deb -x "$place/${name}_${version}_"*.deb "$place/unpacked" || return 1
    done
}

test_of_packages() {
    ROOT=$root/$place/unpacked "debian/tests/$1"
}

# Neither errors nor warnings; the rest is to be read.
lintian_has_nothing() {
    lintian --info --display-info --pedantic --fail-on error,warning "$place/libae_${version}_"*.changes > "$place/lintian.log" ||
        fail "$(cat "$place/lintian.log")" || return 1
    grep '^[IP]:' "$place/lintian.log" >&3 || true
}

exec 3>&1
rm -rf "$place"
check "the packages are built" packages
if [ "$failed" -eq 0 ]; then
    check "they can be unpacked" unpacked
    check "a C program with the packages' library" test_of_packages compile
    check "the packages' server and client" test_of_packages ping
    if command -v lintian > /dev/null; then
        check "lintian has no errors and no warnings" lintian_has_nothing
    else
        echo "lintian is not installed: apt-get install lintian"
    fi
fi
ls "$place"/*.deb
finish deb
