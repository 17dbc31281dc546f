#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Is every C example in a README run by a test? The line before an example names its program:
# <!-- run by tests/readme/NAME.c -->. Does each folder virtio-* have a README with such an example?
# Is every shell example run by a test, or does the line before the example say why not? The line
# before a shell example is either
# <!-- run by tests/readme/NAME.sh: STEP -->, where NAME.sh has "example STEP", or
# <!-- not run: REASON -->.
# usage: readme.sh WORK SRC
set -u
. "$(dirname "$0")/lib.sh"
work_in "$1"
src=$2
programs=$src/tests/readme

# Lists the C examples of a README: a line "LINE NAME" for each example, and "LINE NAME alone" for a
# name that no example follows. NAME is empty if no name precedes the example.
# shellcheck disable=SC2016 # for awk
awk_examples='
	function alone() { if (name != "") print line, name, "alone"; name = "" }
	/^<!-- run by tests\/readme\/[a-z_]+\.c -->$/ { alone(); name = $4; line = FNR; next }
	/^(```|~~~) *[cC]([^a-zA-Z+#]|$)/ { print FNR, name; name = ""; inside = 1; next }
	/^(```|~~~)/ { if (!inside) alone(); inside = !inside; next }
	!/^$/ && !inside { alone() }
	END { alone() }'

# Lists the shell examples, each as a line "LINE PROGRAM STEP". If the README says why no test runs
# the example, the line is "LINE not run". If no such comment precedes the example, the line is
# "LINE". A comment that no example follows is listed as "LINE alone alone".
# shellcheck disable=SC2016 # for awk
awk_shell='
	function alone() { if (name != "") print line, "alone", "alone"; name = "" }
	/^<!-- run by tests\/readme\/[a-z_]+\.sh: [a-z_]+ -->$/ {
		alone(); name = $4 " " $5; sub(/:/, "", name); line = FNR; next
	}
	/^<!-- not run: .+ -->$/ { alone(); name = "not run"; line = FNR; next }
	/^(```|~~~) *(sh|bash|console|shell)$/ { print FNR, name; name = ""; inside = 1; next }
	/^(```|~~~)/ { if (!inside) alone(); inside = !inside; next }
	!/^$/ && !inside { alone() }
	END { alone() }'

# check_shell README SHOWN: checks the shell examples of a README.
check_shell() {
	awk "$awk_shell" "$1" >"$work/shell"
	while read -r line program step; do
		case $program in
		'') fail "$2:$line: no line before this shell example says what runs it, or why nothing does" ;;
		alone) fail "$2:$line: there is no shell example" ;;
		not) ;;
		*)
			grep -q "^example $step\$" "$src/$program" || fail "$2:$line: $program does not run $step"
			echo "$program $step" >>"$work/steps"
			shell=$((shell + 1))
			;;
		esac
	done <"$work/shell"
}

count=0 shell=0
: >"$work/names"
: >"$work/steps"
for readme in "$src"/README.md "$src"/*/README.md "$src"/*/*/README.md; do
	[ -e "$readme" ] || continue
	case $readme in "$src"/build*) continue ;; esac
	shown=${readme#"$src/"}
	check_shell "$readme" "$shown"
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

sort "$work/steps" | uniq -d | while read -r step; do
	fail "$step is run by more than one example"
done
for program in "$programs"/*.sh; do
	name=$(basename "$program" .sh)
	sed -n 's/^example //p' "$program" | while read -r step; do
		grep -q "^tests/readme/$name.sh $step\$" "$work/steps" || fail "no README has $step of $program"
	done
	grep -q "'$name.sh'" "$programs/meson.build" || fail "tests/readme/meson.build does not run $program"
done

for folder in "$src"/virtio-*/; do
	name=$(basename "$folder")
	grep -q " $name/README.md$" "$work/names" || fail "$name has no README.md with an example"
done
finish "$count examples in C, $shell in shell"
