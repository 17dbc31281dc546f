#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Prints how fast the library is on this machine, compared with a baseline that checks nothing.
# usage:
#   sh tests/bench.sh                 prints the times, then the instructions, of a build with gcc
#   sh tests/bench.sh --record        counts instructions with gcc and with clang, and writes the
#                                     counts, and their tables in tests/bench/README.md
#   sh tests/bench.sh --steps CASE KIND
#                                     prints the instructions of a case for each function
#   sh tests/bench.sh --scale [FOLDER]
#                                     makes a table of the cost by number of threads, and tables and
#                                     a drawing by queue size, number of regions and chain length
#   sh tests/bench.sh --record-times  writes the times, and the tables of --scale, into
#                                     tests/bench/README.md
# Builds below the folder $BUILD_DIR, by default `build`.
set -eu
cd "$(dirname "$0")/.."
. tests/guests/lib.sh
build=${BUILD_DIR:-build}
mkdir -p "$build"

# make_bench COMPILER: builds bench and bench_count. Sets $folder, $bench, $bench_count and $version
# (such as "gcc 12").
make_bench() {
	folder=$build/bench-$1
	bench=$folder/tests/bench/bench
	bench_count=$folder/tests/bench/bench_count
	if [ -e "$folder/build.ninja" ]; then reconfigure=--reconfigure; else reconfigure=; fi
	# -Dtests=auto leaves out the tests that need cmocka if cmocka is missing.
	# shellcheck disable=SC2086 # empty, or a word
	if ! CC=$1 meson setup $reconfigure "$folder" -Dexamples=disabled -Dtests=auto -Dguests=disabled \
		>"$folder.log" 2>&1 || ! ninja -C "$folder" tests/bench/bench tests/bench/bench_count >"$folder.log" 2>&1; then
		cat "$folder.log" >&2
		exit 1
	fi
	version="$1 $("$1" -dumpversion | cut -d. -f1)"
}

# count COMPILER: builds, and counts the instructions. The file $folder/counts/dumps has the dumps.
count() {
	make_bench "$1"
	sh tests/bench/count.sh "$folder/counts" "$bench_count" --count
}

# scale [FOLDER]: writes tables and a drawing, by default to $folder/scale.
scale() {
	need_packages gnuplot-nox
	make_bench gcc
	python3 tests/bench/scale.py "$bench" "${1:-$folder/scale}"
}

need_packages gcc libc6-dev clang meson ninja-build pkg-config valgrind
case ${1-} in
'')
	make_bench gcc
	"$bench"
	count gcc
	printf '\ninstructions per chain: case, kind, count\n'
	python3 tests/bench/report.py rows "$folder/counts/dumps"
	;;
--record)
	count clang
	set -- "$version" "$folder/counts/dumps"
	count gcc
	python3 tests/bench/report.py record "$version" "$folder/counts/dumps" "$@"
	python3 tests/bench/steps.py "$bench_count" "$folder/steps" missed >"$folder/steps.md"
	python3 tests/bench/report.py paste steps "$folder/steps.md"
	;;
--steps)
	make_bench gcc
	python3 tests/bench/steps.py "$bench_count" "$folder/steps" "${2-W2}" "${3-inline}"
	;;
--scale)
	scale "${2-}"
	;;
--record-times)
	make_bench gcc
	"$bench" | tee "$folder/times"
	python3 tests/bench/report.py paste times "$folder/times"
	scale
	for table in growth threads by_queue by_regions by_length; do
		python3 tests/bench/report.py paste "$table" "$folder/scale/$table.md"
	done
	;;
*)
	sed -n "s/^# //; 4,15p" tests/bench.sh >&2
	exit 2
	;;
esac
