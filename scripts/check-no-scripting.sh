#!/usr/bin/env bash
# The server without scripts: it has no Lua, and says so.
set -euo pipefail
cd "$(dirname "$0")/.."

if cargo tree --locked --quiet -p ae-server --no-default-features --edges normal --prefix none | grep '^mlua'; then
    echo "ae-server depends on mlua without its feature 'scripting'" >&2
    exit 1
fi
cargo ${C_LIBRARIES:+--config "$C_LIBRARIES"} test --locked --quiet -p ae-server --no-default-features --lib absent:: |
    tee /dev/stderr | grep -q '2 passed'
