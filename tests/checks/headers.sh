#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Does every public header compile alone, twice over, and with all others, in C and in C++? And is there an external copy of
# each inline function, for callers that can't inline?
# usage: headers.sh WORK SRC CC CXX     CXX may be empty: then C++ is skipped.
set -u
. "$(dirname "$0")/lib.sh"
work_in "$1"
src=$2 cc=$3 cxx=$4
include_flags "$src"

headers=$(cd "$src" && find include virtio-*/include -name '*.h' | sed 's,^\(virtio-[a-z-]*/\)*include/,,' | sort)
[ -n "$headers" ] || fail "no public header found in $src"

# compile NAME: $work/unit.c, under each language.
compile() {
	for std in c11 c17; do
		# shellcheck disable=SC2086 # lists of words
		quietly "<$1> does not compile as $std" $cc -std=$std $strict $includes -fsyntax-only -x c "$work/unit.c"
	done
	[ -n "$cxx" ] || return
	# shellcheck disable=SC2086 # lists of words
	quietly "<$1> does not compile as C++17" $cxx -std=c++17 -Wall -Wextra -Wpedantic -Werror $includes \
		-fsyntax-only -x c++ "$work/unit.c"
}

for header in $headers; do
	# The declaration, because a unit of macros alone is empty, which is no C.
	printf '#include <%s>\n#include <%s>\nextern int unit;\n' "$header" "$header" >"$work/unit.c"
	compile "$header"
done
# In either order: a header that leans on an earlier one has shown already, one that disturbs a later one shows here.
for order in sort 'sort -r'; do
	for header in $headers; do echo "#include <$header>"; done | $order >"$work/unit.c"
	compile "all of them, by $order"
done

for name in $(cd "$src" && sed -n 's/^inline [^(]*[ *]\(virtio_[a-z0-9_]*\)(.*/\1/p' include/virtio/*.h virtio-*/include/virtio/*.h |
	sort -u); do
	grep -q "^extern .*[ *]$name(" "$src"/virtio-*/src/inline.c || fail "$name has no external copy in src/inline.c"
done

[ -n "$cxx" ] || echo 'skipped: C++, no compiler'
# shellcheck disable=SC2086 # to be counted
set -- $headers
finish "$# headers"
