#!/usr/bin/env bash
# Type-checks the library for systems on which nothing is run here, without TLS, whose C library would have to be built
# for them: with kqueue (FreeBSD, OpenBSD, macOS), with neither epoll nor kqueue (illumos), and for Linux on i686, 32-bit
# ARM and aarch64. Layouts are asserted. A warning fails.
#   check-targets.sh [TRIPLE...]
# It takes a rustc with its library's source: the one in use if it has that (rustup component add rust-src), else
# Debian's packages, which are unpacked in build/rust-with-source and not installed. Status 77 when there is neither.
set -euo pipefail
cd "$(dirname "$0")/.."

targets=("$@")
[ $# -gt 0 ] || targets=(
    x86_64-unknown-freebsd x86_64-unknown-openbsd x86_64-apple-darwin x86_64-unknown-illumos
    i686-unknown-linux-gnu armv7-unknown-linux-gnueabihf aarch64-unknown-linux-gnu
)
packages="rustc-web rust-web-src libstd-rust-web-dev"
place=$PWD/build/rust-with-source

missing() {
    echo "check-targets: nothing was checked: no rustc with its library's source" >&2
    echo "check-targets: $1" >&2
    echo "check-targets: rustup component add rust-src, or Debian's packages $packages, with what they depend on" >&2
    exit 77
}

# dependency PACKAGE PATTERN: what it depends on that is called so. Such names have a version in them.
dependency() {
    apt-cache depends "$1" | sed -nE "s/^ *Depends: ($2)\$/\1/p"
}

unpack() {
    local package library llvm new=$place.new
    library=$(dependency libstd-rust-web-dev 'libstd-rust-web-[0-9.]+')
    [ -n "$library" ] || missing "apt-get knows no libstd-rust-web-dev (try apt-get update)"
    llvm=$(dependency "$library" 'libllvm[0-9.]+')
    rm -rf "$new"
    mkdir -p "$new"
    # shellcheck disable=SC2086
    (cd "$new" && apt-get -qq download $packages $library $llvm) || missing "apt-get download failed (try apt-get update)"
    for package in "$new"/*.deb; do
        dpkg -x "$package" "$new"
        rm "$package"
    done
    rm -rf "$place"
    mv "$new" "$place"
}

if [ ! -e "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.toml" ]; then
    command -v apt-get > /dev/null && command -v dpkg > /dev/null || missing "there is no apt-get with dpkg either"
    [ "$(dpkg --print-architecture)" = amd64 ] || missing "the packages are looked for on amd64 alone"
    [ -d "$place" ] || unpack
    export RUSTC=$place/usr/bin/rustc LD_LIBRARY_PATH=$place/usr/lib/x86_64-linux-gnu
    "$RUSTC" --version || missing "the rustc in $place does not start"
fi

# What is not stable: building the library from source.
export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$PWD/build/targets
passed=0
failed=0
for target in "${targets[@]}"; do
    log=$(mktemp)
    # The one feature leaves out the usual ones, with the crates that backtraces take.
    if cargo check --locked -j2 -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size --package libae --lib \
        --no-default-features --target "$target" > "$log" 2>&1 && ! grep -q '^warning: `libae`' "$log"; then
        passed=$((passed + 1))
        echo "$target: type-checked"
    else
        failed=$((failed + 1))
        echo "$target:"
        cat "$log"
    fi
    rm "$log"
done
echo "targets: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
