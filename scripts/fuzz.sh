#!/usr/bin/env bash
# Feeds every parser of signatures with damaged bytes, in as many processes as there are processors. Needs the tests built.
# ARCHIPELAGO_FUZZ_SECONDS of processor time for each parser, 600 unless told; ARCHIPELAGO_FUZZ_SEED repeats a run.
set -euo pipefail
cd "$(dirname "$0")/.."

export ARCHIPELAGO_FUZZ_SECONDS="${ARCHIPELAGO_FUZZ_SECONDS:-600}"
# Each input is written before it is read; in memory that takes half of the time that it takes on a disk.
[ -n "${TMPDIR:-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
parts=$(nproc)
pids=()
for part in $(seq "$parts"); do
    # The tests' own executable: `swift test` is one at a time.
    ARCHIPELAGO_FUZZ_PART="$part/$parts" .build/debug/archipelagoPackageTests.xctest --testing-library swift-testing \
        --filter '^SigstoreTests.FuzzTests/damagedBytes' &
    pids+=($!)
done
status=0
for pid in "${pids[@]}"; do wait "$pid" || status=1; done
exit "$status"
