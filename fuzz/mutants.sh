#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Does the fuzzing find bugs? Each file in fuzz/mutants makes a bug in one line of a copy of the
# libraries. Its harness must find the bug, beginning with the seeds. On an idle machine that takes
# less than a minute. In an unchanged copy the harness finds nothing. A harness may be a program of
# tests/threads, for bugs that only show between two threads: it runs several times.
# usage: fuzz/mutants.sh [BUILD_DIR [MUTANT...]]     By default all, in build/mutants.
# BUILD_DIR is removed first. It is below build or outside of the checkout. The script prints the
# seed, and then the time of each find. FUZZ_SEED=N repeats the search, as in run.sh.
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=fuzz/lib.sh disable=SC1091
. fuzz/lib.sh

# Seconds for one bug: ten times what the slowest needs on an idle machine.
limit=600
# How often a program with threads is run for one bug.
runs=20
work=${1:-build/mutants}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- fuzz/mutants/*.sed
if [ -n "$(ls -A "$work" 2>/dev/null)" ] && [ ! -d "$work/tree" ]; then
	echo "$work has files that are not of mutants" >&2
	exit 1
fi
rm -rf "$work"
mkdir -p "$work/tree" || exit 1
work=$(cd "$work" && pwd)
tree=$work/tree
seeds=$work/seeds
failed=0

# The whole tree, because the top-level meson.build enters all of it.
for name in *; do
	[ "$name" = build ] || cp -R "$name" "$tree" || exit 1
done

# directive FILE NAME: the value of a line "# NAME: value".
directive() {
	sed -n "s/^# $2: //p" "$1"
}

# plant FILE TARGET: applies the bug to the copy of TARGET; exactly one line must change. The
# original stays beside the copy.
plant() {
	cp "$tree/$2" "$work/original" && sed -f "$1" "$work/original" >"$tree/$2" || return 1
	removed=$(diff "$work/original" "$tree/$2" | grep -c '^<')
	added=$(diff "$work/original" "$tree/$2" | grep -c '^>')
	[ "$removed" = 1 ] && [ "$added" -le 1 ]
}

# shellcheck disable=SC2154 # lib.sh sets seed
echo "Seed $seed"
# search FOLDER HARNESS SECONDS RUNS: 0 if the harness finds nothing in the copy, 2 if it does not
# compile. FOLDER/log has its output. SECONDS is for a fuzzer, RUNS for a program with threads. The
# search begins at $start.
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
	# Only the program's seeds, without what fuzzing found.
	mkdir -p "$seeds/$harness" && cp fuzz/corpus/"$harness"/seed-* "$seeds/$harness" || exit 1
done
for harness in $(harnesses) dirty-log dirty-log-interleave; do
	if ! search "$work/findings/unchanged" "$harness" 2 1; then
		echo "$harness: finds something without any mutant: $(finding "$work/findings/unchanged/log")" >&2
		exit 1
	fi
done
for file; do
	name=$(basename "$file" .sed)
	harness=$(directive "$file" harness)
	target=$(directive "$file" file)
	result=FAILED
	if ! plant "$file" "$target"; then
		text="does not change exactly one line of $target"
	else
		status=0
		search "$work/findings/$name" "$harness" "$limit" "$runs" || status=$?
		if [ "$status" = 0 ]; then
			text="$harness did not find it in $(($(date +%s) - start)) s"
		elif [ "$status" = 2 ]; then
			text='does not compile'
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
