#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Checks that the fuzzing finds bugs. Each file in fuzz/mutants plants a bug in one line of a copy
# of the tree. The harness named in the file must find the bug, beginning with the seeds. On an idle
# machine each search takes at most a minute. In an unchanged copy each harness must find nothing.
# For bugs that show only between two threads, the harness is a program of tests/threads. Such a
# program runs up to 20 times.
# usage: fuzz/mutants.sh [BUILD_DIR [MUTANT...]]     Default: build/mutants, all mutants
# The script removes BUILD_DIR first. BUILD_DIR must be below build or outside of the checkout. The
# script prints the seed, and then the time that each search took. FUZZ_SEED=N repeats the search,
# as in run.sh.
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=fuzz/lib.sh disable=SC1091
. fuzz/lib.sh

# Seconds for one bug: ten times the longest search on an idle machine.
limit=600
# The most runs for one bug that shows only between two threads.
runs=20
work=${1:-build/mutants}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- fuzz/mutants/*.sed
if [ -n "$(ls -A "$work" 2>/dev/null)" ] && [ ! -d "$work/tree" ]; then
	echo "$work has files that this script did not make" >&2
	exit 1
fi
rm -rf "$work"
mkdir -p "$work/tree" || exit 1
work=$(cd "$work" && pwd)
tree=$work/tree
seeds=$work/seeds
failed=0

# Copies the whole tree, because the top-level meson.build enters all of it.
for name in *; do
	[ "$name" = build ] || cp -R "$name" "$tree" || exit 1
done

# directive FILE NAME: prints the value of the line "# NAME: value".
directive() {
	sed -n "s/^# $2: //p" "$1"
}

# plant FILE TARGET: applies the bug to the copy of TARGET. Fails unless exactly one line is changed
# or removed. The original stays in $work/original.
plant() {
	cp "$tree/$2" "$work/original" && sed -f "$1" "$work/original" >"$tree/$2" || return 1
	removed=$(diff "$work/original" "$tree/$2" | grep -c '^<')
	added=$(diff "$work/original" "$tree/$2" | grep -c '^>')
	[ "$removed" = 1 ] && [ "$added" -le 1 ]
}

# shellcheck disable=SC2154 # lib.sh sets seed
echo "Seed $seed"
# search FOLDER HARNESS SECONDS RUNS: returns 0 if the harness finds nothing in the copy, 1 if it
# finds something, 2 if it does not compile. FOLDER/log has the output. Without FUZZ_SEED a
# fuzzer runs for at most SECONDS. A program with threads runs at most RUNS times. Sets $start to
# the time at which the search begins.
search() {
	case $2 in
	fuzz_*)
		build "$work/build" "$2" || return 2
		start=$(date +%s)
		! fuzz "$work/build" "$2" "$3" "$1" "$seeds/$2" || return 0
		;;
	*)
		mkdir -p "$1"
		quietly "$work/tests.log" ninja -C "$work/tests" "tests/threads/$2" || return 2
		start=$(date +%s)
		for run in $(seq "$4"); do
			echo "run $run" >"$1/log"
			"$work/tests/tests/threads/$2" >>"$1/log" 2>&1 || return 1
		done
		return 0
		;;
	esac
	return 1
}

configure "$tree" "$work/build" || exit 1
quietly "$work/tests.log" meson setup "$work/tests" "$tree" -Dexamples=disabled -Dguests=disabled || exit 1
for harness in $(harnesses); do
	# Copies only the seeds of make_seeds, not the inputs that fuzzing has found.
	mkdir -p "$seeds/$harness" && cp fuzz/corpus/"$harness"/seed-* "$seeds/$harness" || exit 1
done
for harness in $(harnesses) dirty-log dirty-log-interleave; do
	if ! search "$work/findings/unchanged" "$harness" 2 1; then
		echo "$harness: finds something in the unchanged copy: $(finding "$work/findings/unchanged/log")" >&2
		exit 1
	fi
done
for file; do
	name=$(basename "$file" .sed)
	harness=$(directive "$file" harness)
	target=$(directive "$file" file)
	result=FAILED
	if ! plant "$file" "$target"; then
		text="the mutant does not change exactly one line of $target"
	else
		status=0
		search "$work/findings/$name" "$harness" "$limit" "$runs" || status=$?
		if [ "$status" = 0 ]; then
			text="$harness did not find the bug in $(($(date +%s) - start)) s"
		elif [ "$status" = 2 ]; then
			text='the mutant does not compile'
		elif ! text=$(finding "$work/findings/$name/log"); then
			text="$harness did not run, see $work/findings/$name/log"
		else
			result="found by $harness in $(($(date +%s) - start)) s"
		fi
	fi
	[ "$result" != FAILED ] || failed=1
	echo "$name: $result: $text"
	cp "$work/original" "$tree/$target" || exit 1
done
exit "$failed"
