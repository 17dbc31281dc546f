#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Checks that each file in fuzz/mutants still changes exactly one line of the file that it names.
# mutants.sh also checks that a harness finds each bug, but that check takes up to a minute a bug.
# usage: mutants_check.sh SRC WORK
set -u
mkdir -p "$2" || exit 1
failed=0 count=0
for file in "$1"/fuzz/mutants/*.sed; do
	target=$1/$(sed -n 's/^# file: //p' "$file")
	count=$((count + 1))
	sed -f "$file" "$target" >"$2/changed" || failed=1
	changes=$(diff "$target" "$2/changed" | grep -c '^[<>]')
	removed=$(diff "$target" "$2/changed" | grep -c '^<')
	if [ "$removed" != 1 ] || [ "$changes" -gt 2 ]; then
		echo "FAILED: $file does not change exactly one line of $target" >&2
		failed=1
	fi
done
[ "$count" -ge 6 ] || { echo "FAILED: only $count mutants found" >&2; failed=1; }
[ "$failed" = 0 ] && echo "ok: $count mutants"
exit "$failed"
