#!/usr/bin/env bash
# The main job, end to end, on this machine: pack → push → submit → scan → review → publish → run.
# Needs what `make setup` installs, and the executable that `make build` builds.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=.demo
archipelago=.build/debug/archipelago
mkdir -p "$folder"

step() {
    now=$(date +%s.%N)
    printf '\n\033[1m[%6.2f s] %s\033[0m\n' "$(echo "$now - $started" | bc 2>/dev/null || awk "BEGIN{print $now - $started}")" "$1"
}
started=$(date +%s.%N)

cleanup() {
    if [ -n "${network:-}" ] && kill -0 "$network" 2>/dev/null; then
        kill -TERM "$network"
        wait "$network" 2>/dev/null || true
    fi
}
trap cleanup EXIT

step "Compile the example Cargo: Examples/text-stats/text-stats.c, one static program"
cc -O2 -static -o "$folder/text-stats" Examples/text-stats/text-stats.c
ls -l "$folder/text-stats" | awk '{print "  " $5 " bytes"}'

step "Start the network: a coordinator, one Island, and a loopback registry"
if [ -z "${ARCHIPELAGO_TRIVY_CACHE:-}" ] && [ ! -f "${XDG_CACHE_HOME:-$HOME/.cache}/trivy/db/trivy.db" ]; then
    export ARCHIPELAGO_TRIVY_CACHE="$PWD/Tests/Fixtures/scan/trivy-cache"
    echo "  NOTE: this machine has no vulnerability database of its own, so the scan below uses the small test database of"
    echo "  this repository. It knows a few dozen advisories: fit for a demonstration, never for real work."
    echo "  For the real one: trivy image --download-db-only && trivy image --download-java-db-only"
fi
rm -rf "$folder/network" "$folder/ready.json"
"$archipelago" dev --data-dir "$folder/network" --port 0 --registry-port 0 --json >"$folder/ready.json" 2>"$folder/network.log" &
network=$!
until [ -s "$folder/ready.json" ]; do
    kill -0 "$network" 2>/dev/null || { cat "$folder/network.log"; echo "The network did not start." >&2; exit 1; }
    sleep 0.1
done
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" "$folder/ready.json"; }
export ARCHIPELAGO_URL=$(field url)
registry=$(field registry)
image="$registry/archipelago/text-stats:v1.0.0"
echo "  coordinator $ARCHIPELAGO_URL, registry $registry"
as() { ARCHIPELAGO_API_KEY=$(field "$1") "$archipelago" "${@:2}"; }

step "Pack it into an image and push it (no Docker needed)"
as publisher cargo push "$folder/text-stats" "$image" | sed 's/^/  /'

step "Submit it: the tag is pinned to its digest and the scan starts at once (Trivy)"
id=$(as publisher cargo submit Examples/text-stats/cargo.json --image "$image" --quiet)
as publisher cargo status "$id" --wait | sed 's/^/  /'

step "Review it: approve at trust level 0, with the whole checklist"
as reviewer review list | sed 's/^/  /'
as reviewer review approve "$id" --level 0 --checked scan,schemas,resources,metadata,policy | sed 's/^/  /'

step "Publish it"
as publisher cargo publish "$id" | sed 's/^/  /'
as consumer registry search statistics | sed 's/^/  /'

step "Run it on the README: level 0 sandbox under runc"
as consumer levels 0 | sed 's/^/  /'
echo "  Frames, as they arrive over WebSocket:"
as consumer run text-stats --set text=@README.md --json | while IFS= read -r line; do
    printf '  [%6.2f s] %.150s\n' "$(awk "BEGIN{print $(date +%s.%N) - $started}")" "$line"
done

step "Stop the network"
cleanup
network=
echo "  nothing is left running"
