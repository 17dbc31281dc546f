#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Does every archive export exactly the names in its list? Does it import only names of lower
# layers, memcpy, memmove, memset, memcmp, and the names in its list of imports?
#
# usage: symbols.sh [--update] WORK LISTS ARCHIVE...
#   --update  rewrites the lists of exports (ninja update-symbols). Edit lists of imports by hand,
#             because each import is a decision.
#   LISTS     the folder symbols/ beside this script:
#             LIBRARY.txt          the public names, which a header declares
#             LIBRARY.impl.txt     internal names, which begin with virtio_impl_
#             LIBRARY.imports.txt  imports, for a library that needs any
#   ARCHIVE   the libraries, the lowest layer first: an archive may use the archives before it
set -u
. "$(dirname "$0")/lib.sh"
update=
if [ "$1" = --update ]; then
	update=1
	shift
fi
work_in "$1"
lists=$2
shift 2

# Sanitizers, coverage and stack protectors add names of their own, which this check ignores.
without_instrumentation() {
	search -v '^_*(asan|ubsan|tsan|msan|sanitizer|sancov|odr_asan|gcov|llvm|(start|stop)___sancov|stack_chk)_'
}

# A hardened C library, or support for large files, gives the same function another name.
plain_names() {
	sed -e 's/^__\(.*\)_chk$/\1/' -e '/^virtio_/!s/64$//' -e '/^_GLOBAL_OFFSET_TABLE_$/d'
}

# listed FILE...: prints the names in the files. Treats a file that does not exist as empty.
listed() {
	for file; do
		[ ! -e "$file" ] || sed '/^#/d' "$file"
	done
}

# Lists all names virtio_* in the public headers.
find "$lists/../../../include" "$lists"/../../../virtio-*/include -name inline -prune -o -name '*.h' -exec cat {} + |
	grep -owE 'virtio_\w+' | LC_ALL=C sort -u >"$work/declared"

printf '%s\n' memcpy memmove memset memcmp >"$work/suite"
for archive; do
	name=$(basename "$archive" .a)
	defined_in "$archive" | without_instrumentation >"$work/exports"
	search -v '^virtio_impl_' "$work/exports" >"$work/public"
	search '^virtio_impl_' "$work/exports" >"$work/impl"
	if [ -n "$update" ]; then
		{ sed -n 2p "$0" && cat "$work/public"; } >"$lists/$name.txt" # line 2 is the licence
		rm -f "$lists/$name.impl.txt"
		[ ! -s "$work/impl" ] || { sed -n 2p "$0" && cat "$work/impl"; } >"$lists/$name.impl.txt"
	fi

	[ -s "$work/exports" ] || fail "$name exports nothing"
	for symbol in $({ uniq -d "$work/exports" && sort "$work/suite" | comm -12 - "$work/exports"; }); do
		fail "$name exports $symbol, which another object or a lower layer exports too"
	done
	for symbol in $(LC_ALL=C sort "$work/public" | LC_ALL=C comm -23 - "$work/declared"); do
		fail "$name exports $symbol, which no public header declares"
	done
	for symbol in $(search -v "^virtio_" "$work/exports"); do
		fail "$name exports $symbol, which does not start with virtio_"
	done
	[ -e "$lists/$name.txt" ] || fail "$name has no list of exports, $lists/$name.txt"
	for kind in public impl; do
		list=$name.txt
		[ $kind = public ] || list=$name.impl.txt
		listed "$lists/$list" | sort >"$work/listed"
		for symbol in $(comm -23 "$work/$kind" "$work/listed"); do
			fail "$name exports $symbol, which is not in $list (ninja update-symbols renews it)"
		done
		for symbol in $(comm -13 "$work/$kind" "$work/listed"); do
			fail "$name does not export $symbol, which is in $list"
		done
	done

	cat "$work/exports" >>"$work/suite"
	listed "$lists/$name.imports.txt" | sort -u - "$work/suite" >"$work/allowed"
	for symbol in $(undefined_in "$archive" | without_instrumentation | plain_names | sort -u |
		comm -23 - "$work/allowed"); do
		fail "$name imports $symbol, which no lower layer exports and $name.imports.txt does not allow"
	done
done

# Each list must belong to a checked library. Otherwise this check would never use the list.
for list in "$lists"/*.txt; do
	name=$(basename "$list" .txt)
	name=${name%.imports}
	name=${name%.impl}
	case " $* " in
	*"/$name.a "*) ;;
	*) fail "$list is for a library that is not among those checked" ;;
	esac
done
finish "$# archives"
