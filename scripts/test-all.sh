#!/usr/bin/env bash
# What test.sh leaves out: lints, the server on the other back ends, the other profiles, the library without TLS, for
# other systems (type-checked), on kqueue, with valgrind, AddressSanitizer and ThreadSanitizer, its instruction counts, the
# examples in all languages, real forks on it, and others' clients and libraries on ae-server. A failure does not end
# the run; the summary at the end has each suite's closing line. What forks, clients and languages need and cannot get is
# a failure here.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/suites.sh
. scripts/suites.sh
export LIBAE_ALL_TOOLS=1
prepare
scripts/test-deps.sh languages || true # the suite says what is missing

# cargo has one place for the library of all profiles, so that two cannot be built at a time: what forks, clients and
# the C tests need is built first, and then only one lane builds it.
forks="redis-7.0 valkey-8.1"
for fork in $forks; do
    make --no-print-directory ABI="$fork" lib || true
done
make --no-print-directory lib server cli build/libae-asan.a || true

profiles() {
    suite no-tls scripts/check-no-tls.sh
    suite profiles scripts/check-profiles.sh
    suite other-installation tests/install/check.sh valkey-8.1
    others
}

# One after the other: they share a folder.
c_tools() {
    suite c-tests-tools make --no-print-directory c-tests-tools ARGS=
    suite tsan make --no-print-directory c-tests-tsan ARGS=
    suite kqueue scripts/check-kqueue.sh
    others
}

# Each lane comes here after its own suites, and runs those that no other has begun. The longest are first.
others() {
    shared suite targets scripts/check-targets.sh x86_64-unknown-freebsd x86_64-apple-darwin x86_64-unknown-illumos \
        i686-unknown-linux-gnu armv7-unknown-linux-gnueabihf
    shared suite deb scripts/deb.sh
    shared suite clippy dev_cargo clippy --quiet --locked --all-targets -- -D warnings
    shared suite clippy-lib dev_cargo clippy --quiet --locked --package libae --lib -- -D warnings
    shared suite clippy-no-tls dev_cargo clippy --quiet --locked --package libae --lib --no-default-features -- -D warnings
    shared suite rustdoc env RUSTDOCFLAGS="-D warnings" cargo --config "$c_libraries" doc --quiet --locked \
        --no-deps --document-private-items
    # fuzz/ is a workspace of its own, whose lock file is to follow.
    shared suite fuzz-lock bash -c "cargo metadata --locked --quiet --format-version 1 --manifest-path fuzz/Cargo.toml > /dev/null"
    shared suite fuzz-builds env C_LIBRARIES="$c_libraries" scripts/check-fuzz.sh
    shared suite no-scripting env C_LIBRARIES="$c_libraries" scripts/check-no-scripting.sh
    shared suite cmake tests/install/cmake.sh
    shared suite redis-tools-with-libae tools/forks/redis-tools.sh
    shared suite languages env LIBAE_ALL_LANGUAGES=1 build/venv/bin/python tests/python/test_languages.py
    shared suite instructions make --no-print-directory instructions
    shared cargo_suite schemata cargo test --quiet --locked --manifest-path tools/mutants/schemata/Cargo.toml \
        --target-dir target/mutants/schemata
    shared suite cli-suite tools/conformance/cli_suite.py
    shared suite conformance-tool python3 tools/conformance/test_conformance.py
    shared suite forks-tool python3 tools/forks/test_forks.py
    shared suite mutants-tool python3 tools/mutants/test_mutants.py
    shared suite mutants-fit tools/mutants/mutants.py --fits
    shared suite testkit python3 tools/testkit/test_testkit.py
    shared suite bench-tool python3 benches/test_bench.py
    shared suite bench-server-tool python3 benches/server/test_bench_server.py
    shared suite client-suites-tool python3 tools/client_suites/test_client_suites.py
    shared suite abi tests/abi/check.sh
}

fork() {
    suite "$1-on-libae" tools/forks/forks.py --ci "$1"
}

# Before the lane with profiles builds the library of another.
for backend in poll select; do
    lane cargo_suite "server, $backend" env LIBAE_BACKEND=$backend cargo --config "$c_libraries" test --locked --no-fail-fast \
        --test server
done
wait
lane profiles
lane c_tools
lane others
wait
# Their suites wait most of the time, and some of the tests in them cannot do with a busy machine.
for fork in $forks; do
    lane fork "$fork"
done
wait
# Nor can the clients', which give a message a tenth of a second to arrive.
lane suite client-suites tools/client_suites/client_suites.py
close
