#!/usr/bin/env bash
# Runs every suite, one after the other, and says at the end once more what failed. Needs the tests built.
# A suite that fails keeps the following ones from running.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly SWIFT="${SWIFT:-swift}"
LOG="$(mktemp)"
trap 'rm -f "$LOG"' EXIT

suite() { # arguments of `swift test`
    echo "test: $SWIFT test $*"
    "$SWIFT" test --skip-build "$@" 2>&1 | tee "$LOG" && return
    # A suite prints thousands of lines, so a failure stands far above its end.
    echo "test: failed: $*" >&2
    grep --after-context=6 --max-count=60 --text -E '^✘|: Fatal error|unexpected signal' "$LOG" >&2 || true
    exit 1
}

suite --skip '^(Sandbox|Live|WebSockets)Tests'
suite --filter '^WebSocketsTests'
suite --filter '^SandboxTests'
suite --filter '^LiveTests'
