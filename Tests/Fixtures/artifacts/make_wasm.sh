#!/usr/bin/env bash
# Makes the WebAssembly fixtures in wasm/. Tools and versions: README.md.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p wasm
CC=${CC:-clang-14}
LD=${LD:-wasm-ld-14}
command="$CC --target=wasm32-wasi -Oz -fuse-ld=$(command -v "$LD")"
bare="$command -nostdlib -Wl,--no-entry,-z,stack-size=1024"
$command -Wl,--strip-debug -o wasm/hello.wasm sources/hello.c
$command -mexec-model=reactor -Wl,--strip-debug -o wasm/reactor.wasm sources/hello.c
$bare -o wasm/bare.wasm sources/bare.c
$bare -g -ffile-prefix-map="$PWD"=. -fdebug-compilation-dir=. -o wasm/debug.wasm sources/bare.c
$bare -DFILES -o wasm/files.wasm sources/bare.c
$bare -DSOCKETS -o wasm/sockets.wasm sources/bare.c
$bare -DFOREIGN -o wasm/foreign.wasm sources/bare.c
$bare -Wl,--initial-memory=268435456 -o wasm/memory_256mib.wasm sources/bare.c
$bare -Wl,--initial-memory=268500992 -o wasm/memory_256mib_1page.wasm sources/bare.c
$bare -Wl,--initial-memory=1073741824 -o wasm/memory_1gib.wasm sources/bare.c
$bare -Wl,--initial-memory=1073807360 -o wasm/memory_1gib_1page.wasm sources/bare.c
$bare -matomics -mbulk-memory -Wl,--shared-memory,--max-memory=1048576 -o wasm/shared.wasm sources/bare.c
$CC --target=wasm64-unknown-unknown -Oz -nostdlib -fuse-ld="$(command -v "$LD")" -Wl,--no-entry,-mwasm64,-z,stack-size=1024 \
    -o wasm/memory64.wasm sources/bare.c
$CC --target=wasm32-unknown-emscripten -Oz -fPIC -c -o wasm/library.o sources/library.c
"$LD" --experimental-pic -shared -o wasm/library.wasm wasm/library.o
mv wasm/library.o wasm/object.wasm
for name in sections two_memories wrong_exports; do
    wat2wasm --enable-exceptions --enable-multi-memory --debug-names -o wasm/$name.wasm sources/$name.wat
done
ls -l wasm
