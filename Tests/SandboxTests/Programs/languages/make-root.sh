#!/bin/sh
# Makes the root folder of an image from this machine's own programs, without a network.
#
#   make-root.sh ROOT PROGRAM ...
#
# Each program comes with the libraries that it asks for, under the same paths. `python3` brings its modules too.
set -eu
root=$1
shift

take() { # a file, with the libraries that it asks for
    mkdir -p "$root$(dirname "$1")"
    cp -L "$1" "$root$1"
    for library in $(ldd "$1" 2>/dev/null | grep -o '/[^ )]*'); do
        [ -e "$root$library" ] || { mkdir -p "$root$(dirname "$library")" && cp -L "$library" "$root$library"; }
    done
}

for program; do
    take "$program"
    case "$program" in
    */python3)
        modules=$("$program" -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
        mkdir -p "$root$modules"
        tar -C "$modules" --exclude=test --exclude=__pycache__ --exclude=dist-packages --exclude=site-packages --exclude='config-*' -cf - . |
            tar -C "$root$modules" -xf -
        for module in "$modules"/lib-dynload/*.so; do take "$module"; done
        ;;
    esac
done
