#!/usr/bin/env bash
# What a newcomer waits for, after `make` has built everything: the default profile on all back ends, the server with
# real clients, the headers and an installation. test-all.sh has the rest. A failure does not end the run; the summary
# at the end has each suite's closing line.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/suites.sh
. scripts/suites.sh
prepare

# The header tests then want every compiler.
export LIBAE_ALL_TOOLS=1
plain=(--locked --no-fail-fast)

rust() {
    suite format cargo fmt --check
    cargo_suite "cargo test" dev_cargo test "${plain[@]}"
    for backend in poll select; do
        cargo_suite "cargo test, $backend" env LIBAE_BACKEND=$backend cargo --config "$c_libraries" test "${plain[@]}" \
            --test interest_model --test listener_failure --test rust_api --test rust_tls
    done
    python_tests
}

c_programs() {
    suite c-tests make --no-print-directory c-tests ARGS=
    suite interest-syscalls c-tests/interest_syscalls.sh build/c-tests/so/ae_interest
    suite differ tools/differ/differ.py --programs 10000
    suite differ-tool python3 tools/differ/test_differ.py
    suite symbols tests/symbols/check.sh
    suite probe tests/probe.sh
    suite install tests/install/check.sh
    suite debian tests/install/debian.sh
    suite readme scripts/check-readme.py
    python_tests
}

# First a quarter of `make conformance`.
server() {
    suite conformance tools/conformance/conformance.py --quarter --least 98 --server build/ae-server
    suite redis-tools tests/redis-tools.sh
    python_tests
}

# They wait most of the time. Each lane comes here after its own suites, and runs those that no other has begun.
python_tests() {
    local script
    for script in tests/python/test_*.py tests/python/*_test.py; do
        shared suite "$(basename "$script" .py)" build/venv/bin/python "$script"
    done
}

lane rust
lane c_programs
lane server
close
