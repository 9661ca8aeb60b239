#!/usr/bin/env bash
# What `make test` needs beyond `make`: installs it as root on a system with apt-get, else says what is missing and how
# to get it. Quick when everything is there. PYTHON in build/venv has the packages of tests/python/requirements.txt.
# With the argument `languages`, also what the examples of examples/ffi need.
set -euo pipefail
cd "$(dirname "$0")/.."

# What to look for, and the Debian package it comes in.
commands=(
    cc:gcc gcc:gcc g++:g++ clang:clang clang++:clang valgrind:valgrind strace:strace pkg-config:pkg-config
    python3:python3 openssl:openssl redis-server:redis-server redis-cli:redis-tools redis-benchmark:redis-tools
)
# Those of test-all.sh.
[ -z "${LIBAE_ALL_TOOLS:-}" ] || commands+=(cmake:cmake abidiff:abigail-tools dpkg-buildpackage:dpkg-dev dh:debhelper lintian:lintian)
headers=(hiredis/hiredis.h:libhiredis-dev hiredis/adapters/ae.h:libhiredis-dev)
files=()
if [ "${1:-}" = languages ]; then
    commands+=(bindgen:bindgen go:golang-go javac:default-jdk-headless luajit:luajit node:nodejs npm:npm ruby:ruby)
    files+=(/usr/share/java/jna.jar:libjna-java /usr/include/glib-2.0/glib.h:libglib2.0-dev)
fi

missing() {
    local entry
    for entry in "${commands[@]}"; do
        command -v "${entry%%:*}" > /dev/null || echo "${entry##*:}"
    done
    for entry in "${files[@]}"; do
        [ -e "${entry%%:*}" ] || echo "${entry##*:}"
    done
    if command -v cc > /dev/null; then
        for entry in "${headers[@]}"; do
            echo "#include <${entry%%:*}>" | cc -E -M -MG - | grep -q "/${entry%%:*}" || echo "${entry##*:}"
        done
    fi
    # Debian has venv without ensurepip in python3 itself.
    python3 -c 'import ensurepip, venv' 2> /dev/null || echo python3-venv
}

packages=$(missing | sort -u | tr '\n' ' ')
if [ -n "$packages" ]; then
    if [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then
        echo "installing: $packages"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        # shellcheck disable=SC2086
        apt-get install -qq -y --no-install-recommends $packages > /dev/null
        hash -r
        packages=$(missing | sort -u | tr '\n' ' ')
    fi
    if [ -n "$packages" ]; then
        echo "make test: missing: $packages" >&2
        echo "make test: as root: apt-get update && apt-get install $packages" >&2
        echo "make test: (or the packages of the same purpose on another system)" >&2
        exit 1
    fi
fi

for component in rustfmt:fmt clippy:clippy; do
    if ! cargo "${component##*:}" --version > /dev/null 2>&1; then
        rustup component add "${component%%:*}" || {
            echo "make test: missing: ${component%%:*}; rustup component add ${component%%:*}" >&2
            exit 1
        }
    fi
done

requirements=tests/python/requirements.txt
if ! cmp -s $requirements build/venv/installed.txt; then
    python3 -m venv --clear build/venv || {
        echo "make test: python3 cannot make a virtual environment; as root: apt-get install python3-venv" >&2
        exit 1
    }
    build/venv/bin/python -m pip install --quiet --disable-pip-version-check -r $requirements || {
        echo "make test: pip cannot install what $requirements names" >&2
        exit 1
    }
    cp $requirements build/venv/installed.txt
fi
