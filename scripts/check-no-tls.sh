#!/usr/bin/env bash
# The library without TLS: what it exports and links, in the default profile and in one of the older connection layer.
set -euo pipefail
cd "$(dirname "$0")/.."

export TLS=no
for abi in "" redis-7.0; do
    make --no-print-directory ABI="$abi" lib ${abi:+headers} > /dev/null
    tests/symbols/check.sh "$abi" names
done
