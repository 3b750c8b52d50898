#!/usr/bin/env bash
# Format, layers and tidiness; needs no network and no build.
set -euo pipefail
cd "$(dirname "$0")/.."
echo "check: format"
swift format lint --strict --parallel --recursive Package.swift Sources Tests
echo "check: layers"
swift package dump-package | python3 scripts/check_layers.py docs/ARCHITECTURE.md
echo "check: tidiness"
python3 scripts/check_tidy.py
echo "check: passed"
