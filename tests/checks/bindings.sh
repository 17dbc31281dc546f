#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Do our wire headers and those of the installed Linux agree in every constant, size and offset, and can they meet in
# one translation unit? What the installed ones lack is printed.
# usage: bindings.sh WORK SRC CC
set -u
checks=$(cd "$(dirname "$0")" && pwd)
. "$checks/lib.sh"
work_in "$1"
src=$2 cc=$3
headers=$src/virtio-bindings/include/virtio/bindings
include_flags "$src"

# Values that grow with each version: those of an older Linux are smaller. An extended regular expression.
growing='VIRTIO_TRANSPORT_F_END|sizeof virtio_blk_config'

# compile OPTION...: the language of Linux's headers is GNU C.
compile() {
	# shellcheck disable=SC2086 # lists of words
	$cc -std=gnu11 $includes "$@"
}

# program HEADER PROBES: prints one that prints the values of all probes; each probe is on a line of its own.
program() {
	printf '#include <stddef.h>\n#include <stdio.h>\n#include <%s>\n' "$1"
	echo 'static const struct probe { const char *name; unsigned long long value; } probes[] = {'
	sed 's/^\([^	]*\)	\(.*\)$/{ "\1", (unsigned long long)(\2) },/' "$2"
	echo '}; int main(void) { for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++)'
	printf '%s\n' 'printf("%s = %llu\n", probes[i].name, probes[i].value); return 0; }'
}

# lacking HEADER: sets aside the probes of those lines of linux.c that the compiler refuses, for Linux has no such name.
# Fails if there are none.
lacking() {
	sed -n 's/^[^ ]*linux\.c:\([0-9]*\):.*error: .*/\1/p' "$work/log" | sort -nu >"$work/lines"
	[ -s "$work/lines" ] || return
	awk -v header="$1" -v lacking="$work/lacking" 'NR == FNR { refused[$1 - 4]; next }
		FNR in refused { sub(/\t.*/, ""); print header ": " $0 >>lacking; next }
		{ print }' "$work/lines" "$work/probes" >"$work/rest"
	! cmp -s "$work/rest" "$work/probes" && mv "$work/rest" "$work/probes"
}

# compare HEADER: all values of one header.
compare() {
	awk -f "$checks/probes.awk" "$headers/$1" | sort -u >"$work/probes"
	program "virtio/bindings/$1" "$work/probes" >"$work/ours.c"
	quietly "<virtio/bindings/$1>: not all of its names compile" compile -o "$work/ours" "$work/ours.c" || return
	while
		program "linux/$1" "$work/probes" >"$work/linux.c"
		! compile -o "$work/linux" "$work/linux.c" >"$work/log" 2>&1
	do
		lacking "$1" || { quietly "<linux/$1> does not compile" compile -o "$work/linux" "$work/linux.c"; return; }
	done
	"$work/ours" | sort >"$work/ours.values"
	"$work/linux" | sort >"$work/linux.values"
	comm -13 "$work/ours.values" "$work/linux.values" >"$work/different"
	while IFS= read -r line; do
		name=${line% = *} linux=${line##* = }
		ours=$(sed -n "s/^$name = //p" "$work/ours.values")
		if [ "$linux" -lt "$ours" ] && echo "$name" | search -qx "$growing"; then
			echo "$1: $name is $ours, $linux in the installed Linux headers" >>"$work/lacking"
		else
			fail "$1: $name is $ours, and $linux in the installed Linux headers"
		fi
	done <"$work/different"
	values=$((values + $(wc -l <"$work/linux.values")))
}

# meet HEADER: both in one unit, in either order.
meet() {
	printf '#include <linux/%s>\n#include <virtio/bindings/%s>\n' "$1" "$1" >"$work/unit.c"
	quietly "$1: ours does not compile after Linux's" compile -Wall -Wextra -Werror -c -o "$work/unit.o" "$work/unit.c"
	printf '#include <virtio/bindings/%s>\n#include <linux/%s>\n' "$1" "$1" >"$work/unit.c"
	quietly "$1: Linux's does not compile after ours" compile -Wall -Wextra -Werror -c -o "$work/unit.o" "$work/unit.c"
}

values=0
: >"$work/lacking"
for header in "$headers"/*.h; do
	header=${header##*/}
	echo "#include <linux/$header>" >"$work/unit.c"
	if compile -E -o "$work/unit.i" "$work/unit.c" 2>"$work/log"; then
		meet "$header"
		compare "$header"
	else
		echo "skipped: <linux/$header> is not installed"
	fi
done
sed 's/^/skipped, the installed Linux headers are older: /' "$work/lacking"
[ "$values" -gt 0 ] || [ -e "$work/failures" ] || skip 'no Linux header of virtio is installed'
finish "$values values compared, $(wc -l <"$work/lacking") skipped"
