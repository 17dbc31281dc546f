#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Does the fuzzing find bugs? Each file in fuzz/mutants makes a bug in one line of a copy of the
# libraries. Its harness must find the bug, beginning with the seeds. On an idle machine that takes
# less than a minute. In an unchanged copy the harness finds nothing.
# usage: fuzz/mutants.sh [BUILD_DIR [MUTANT...]]     By default all, in build/mutants.
# BUILD_DIR is removed first. It is below build or outside of the checkout. The script prints the
# seed, and then the time of each find. FUZZ_SEED=N repeats the search, as in run.sh.
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=fuzz/lib.sh disable=SC1091
. fuzz/lib.sh

# Seconds for one bug: ten times what the slowest needs on an idle machine.
limit=600
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

# plant FILE TARGET: applies it to the copy; exactly one line must change. The original stays beside
# the copy.
plant() {
	cp "$tree/$2" "$work/original" && sed -f "$1" "$work/original" >"$tree/$2" || return 1
	removed=$(diff "$work/original" "$tree/$2" | grep -c '^<')
	added=$(diff "$work/original" "$tree/$2" | grep -c '^>')
	[ "$removed" = 1 ] && [ "$added" -le 1 ]
}

# shellcheck disable=SC2154 # lib.sh sets seed
echo "Seed $seed"
configure "$tree" "$work/build" || exit 1
for harness in $(harnesses); do
	# Only the program's seeds, without what fuzzing found.
	mkdir -p "$seeds/$harness" && cp fuzz/corpus/"$harness"/seed-* "$seeds/$harness" || exit 1
	build "$work/build" "$harness" || exit 1
	if ! fuzz "$work/build" "$harness" 2 "$work/findings/unchanged" "$seeds/$harness"; then
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
	elif ! build "$work/build" "$harness"; then
		text='does not compile'
	else
		start=$(date +%s)
		if fuzz "$work/build" "$harness" "$limit" "$work/findings/$name" "$seeds/$harness"; then
			text="$harness did not find it in $limit s"
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
