#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Do the libraries compile and link for a target without an operating system? Do they need only
# memcpy, memmove, memset and memcmp there? They must not need libatomic, outlined atomics, or
# functions for 64-bit division.
# usage: freestanding.sh WORK SRC NM LINK COMPILER OPTION...
#   LINK      the command that links the target's objects into one object without a C library, or ''
#   COMPILER  with its options for the target
set -u
. "$(dirname "$0")/lib.sh"
work_in "$1"
src=$2 nm=$3 link=$4
shift 4
checks=$(cd "$(dirname "$0")" && pwd)
include_flags "$src"

# sources_of COMPONENT: sets $sources to the component's freestanding sources.
sources_of() {
	sources=
	for file in "$src/$1"/src/*.c; do
		case " $hosted " in
		*" ${file#"$src/"} "*) ;;
		*) sources="$sources $file" ;;
		esac
	done
}

# check COMPONENT COMPILER OPTION...: checks a component. Writes the exports of virtio-queue to
# $work/lower, because the other components may use these names.
check() {
	component=$1
	shift
	mkdir "$work/$component"
	sources_of "$component"
	# shellcheck disable=SC2086 # lists of words
	(cd "$work/$component" && "$@" -std=c11 -O2 -ffreestanding -nostdinc -isystem "$("$@" -print-file-name=include)" \
		-isystem "$checks/freestanding-include" -fno-pic -fno-pie -fno-stack-protector $strict $includes -c $sources) || {
		fail "$component does not compile without a C library"
		finish
	}
	defined_in "$work/$component"/*.o >"$work/defined"
	[ -s "$work/defined" ] || fail "$nm finds nothing defined in the objects of $component"
	[ "$component" != virtio-queue ] || cp "$work/defined" "$work/lower"
	sort -u "$work/defined" "$work/lower" >"$work/suite"
	for symbol in $(undefined_in "$work/$component"/*.o | comm -23 - "$work/suite" | search -v "$permitted"); do
		fail "$component needs $symbol, which is neither in $component nor in virtio-queue nor a permitted import"
	done
}

# Links all objects into one object. No two objects may define the same name, and the result must
# import only the four memory functions.
link_all() {
	# shellcheck disable=SC2086 # a list of words
	quietly 'the libraries do not link without a C library' $link -o "$work/all.o" "$work"/virtio-*/*.o || return
	for symbol in $(undefined_in "$work/all.o" | search -v "$permitted"); do
		fail "all libraries linked together still need $symbol"
	done
	checked="$checked, and links them"
}

[ -n "$1" ] || skip 'no compiler for this target'
: >"$work/empty.c"
"$@" -ffreestanding -fsyntax-only "$work/empty.c" >"$work/log" 2>&1 || skip "$* does not work: $(sed 1q "$work/log")"
: >"$work/lower"
checked=
# Checks virtio-queue first, because it is the lowest layer. The other components do not use each
# other.
for folder in "$src/virtio-queue" "$src"/virtio-*; do
	if [ ! -d "$folder/src" ] || [ -d "$work/${folder##*/}" ]; then
		continue
	fi
	check "${folder##*/}" "$@"
	checked="$checked ${folder##*/}"
done
if [ -n "$link" ]; then link_all; else echo 'skipped: linking, no linker for this target'; fi
finish "$* compiles$checked"
