#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Prints how fast the queue is on this machine, beside a floor that checks nothing: times, then
# instructions.
# usage: sh tests/bench.sh     Builds below $BUILD_DIR, by default build.
set -eu
cd "$(dirname "$0")/.."
. tests/guests/lib.sh
need_packages gcc libc6-dev meson ninja-build pkg-config valgrind
folder=${BUILD_DIR:-build}/bench
mkdir -p "${BUILD_DIR:-build}"
if [ -e "$folder/build.ninja" ]; then reconfigure=--reconfigure; else reconfigure=; fi
# Tests that need cmocka are left out where it is missing: -Dtests=auto.
# shellcheck disable=SC2086 # empty, or a word
CC=gcc meson setup $reconfigure "$folder" -Dexamples=disabled -Dtests=auto -Dguests=disabled >"$folder.log" 2>&1 ||
	{ cat "$folder.log" >&2; exit 1; }
ninja -C "$folder" tests/bench/bench >"$folder.log" 2>&1 || { cat "$folder.log" >&2; exit 1; }
"$folder/tests/bench/bench"
echo
echo 'instructions per chain: load, kind, regions, count'
sh tests/bench/count.sh --table "$folder/tests/bench/bench" "$folder/tests/bench/counts"
