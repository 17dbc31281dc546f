#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Is every C example in a README run by a test? The line before an example names its program:
# <!-- run by tests/readme/NAME.c -->. Every component has a README with an example.
# usage: readme.sh WORK SRC
set -u
. "$(dirname "$0")/lib.sh"
work_in "$1"
src=$2
programs=$src/tests/readme

# Lists the examples of a README: a line "LINE NAME" for each example, with an empty name where none
# precedes the block, and a line "LINE NAME alone" for a name without a block.
# shellcheck disable=SC2016 # for awk
awk_examples='
	function alone() { if (name != "") print line, name, "alone"; name = "" }
	/^<!-- run by tests\/readme\/[a-z_]+\.c -->$/ { alone(); name = $4; line = FNR; next }
	/^(```|~~~) *[cC]([^a-zA-Z+#]|$)/ { print FNR, name; name = ""; inside = 1; next }
	/^(```|~~~)/ { if (!inside) alone(); inside = !inside; next }
	!/^$/ && !inside { alone() }
	END { alone() }'

count=0
: >"$work/names"
for readme in "$src"/README.md "$src"/*/README.md "$src"/*/*/README.md; do
	[ -e "$readme" ] || continue
	case $readme in "$src"/build*) continue ;; esac
	shown=${readme#"$src/"}
	awk "$awk_examples" "$readme" >"$work/examples"
	while read -r line program alone; do
		if [ -z "$program" ]; then
			fail "$shown:$line: no line before this example names the program that runs it"
		elif [ -n "$alone" ]; then
			fail "$shown:$line: there is no example for $program"
		else
			echo "$program $shown" >>"$work/names"
			count=$((count + 1))
		fi
	done <"$work/examples"
done

# A program runs one example, and includes the example first, so the example compiles alone.
# meson.build names each program.
while read -r program readme; do
	name=$(basename "$program" .c)
	[ -e "$src/$program" ] || { fail "$readme: $program does not exist"; continue; }
	[ "$(grep -m 1 '^#include' "$src/$program")" = "#include \"readme_$name.h\"" ] ||
		fail "$program does not include its example first"
	grep -q "^  '$name': \\['$readme'," "$programs/meson.build" ||
		fail "$readme: tests/readme/meson.build does not build $program"
done <"$work/names"
cut -d' ' -f1 "$work/names" | sort | uniq -d | while read -r program; do
	fail "$program is named by more than one example"
done
for program in "$programs"/*.c; do
	name=tests/readme/$(basename "$program")
	grep -q '^#include "readme_' "$program" || continue
	grep -q "^$name " "$work/names" || fail "$name runs an example that no README has"
done

for folder in "$src"/virtio-*/; do
	name=$(basename "$folder")
	grep -q " $name/README.md$" "$work/names" || fail "$name has no README.md with an example"
done
finish "$count examples"
