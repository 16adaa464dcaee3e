#!/bin/sh
# Lays out the pictures of meters' digits as trainer takes them, CLASS/METER/*.jpg: trainer/meters.sh ARCHIVE DIR [METER...]
# ARCHIVE has METER/LABEL_HASH.jpg; the named meters are left out of DIR/train, and lie in DIR/test.
set -eu
if [ $# -lt 2 ]; then
    echo "usage: $0 ARCHIVE.tar.gz DIR [METER...]" >&2
    exit 2
fi
archive=$1 out=$2
shift 2
if [ -e "$out" ]; then
    echo "error: $out exists: choose another folder" >&2
    exit 1
fi
mkdir -p "$out/raw"
trap 'rm -rf "$out/raw"' EXIT
tar xzf "$archive" -C "$out/raw"
for meter in "$@"; do
    if [ ! -d "$out/raw/$meter" ]; then
        echo "error: there is no meter $meter in $archive" >&2
        exit 1
    fi
done
for folder in "$out"/raw/*/; do
    meter=$(basename "$folder")
    part=train
    for left_out in "$@"; do
        if [ "$meter" = "$left_out" ]; then part=test; fi
    done
    for picture in "$folder"*.jpg; do
        name=${picture##*/}
        class=$out/$part/${name%%_*}/$meter
        [ -d "$class" ] || mkdir -p "$class"
        mv "$picture" "$class"
    done
done
