#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Does every public header compile alone, twice in a row, and with all other headers, in C and in
# C++? Does the library have an external copy of each inline function, for callers that cannot
# inline?
# usage: headers.sh WORK SRC CC CXX     CXX may be '': then C++ is skipped
set -u
. "$(dirname "$0")/lib.sh"
work_in "$1"
src=$2 cc=$3 cxx=$4
include_flags "$src"

headers=$(cd "$src" && find include virtio-*/include -name '*.h' | sed 's,^\(virtio-[a-z-]*/\)*include/,,' | sort)
[ -n "$headers" ] || fail "no public header found in $src"

# compile NAME: compiles $work/unit.c in each language.
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
	# Adds a declaration, because C requires one in each unit and some headers have only macros.
	printf '#include <%s>\n#include <%s>\nextern int unit;\n' "$header" "$header" >"$work/unit.c"
	compile "$header"
done
# Includes all headers in both orders. A header that depends on an earlier header has failed above.
# A header that breaks a later header fails here.
for order in sort 'sort -r'; do
	for header in $headers; do echo "#include <$header>"; done | $order >"$work/unit.c"
	compile "all of them, by $order"
done

# Each inline function must have an external copy. The lists of the check "symbols" name the
# exports.
for name in $(cd "$src" && cat include/virtio/*.h include/virtio/inline/*.h virtio-*/include/virtio/*.h \
	virtio-*/include/virtio/inline/*.h | tr '\n' ' ' | grep -oE 'VIRTIO_INLINE [^(;]*\(' |
	sed -n 's/.*[ *]\(virtio_[a-z0-9_]*\)($/\1/p' | sort -u); do
	grep -qx "$name" "$src"/tests/checks/symbols/*.txt || fail "$name has no external copy"
done

# The compiler must warn if a caller ignores the result of one of these functions. The caller would
# lose data or a wake-up.
declarations=$(cd "$src" && cat include/virtio/*.h virtio-*/include/virtio/*.h | tr '\n' ' ')
for name in queue_enable_kicks queue_unpop memory_read memory_write memory_load_le16 memory_load_le32 \
	memory_store_le16 memory_store_le32 reader_read_exact writer_write_exact reader_skip writer_advance \
	stream_advance reader_split writer_split chain_next queue_sync_pop queue_sync_replay request_sync_pop \
	request_sync_complete queue_serve queue_serve_requests blk_transfer_advance device_queues_serve; do
	printf '%s\n' "$declarations" | grep -qE "VIRTIO_MUST_CHECK (VIRTIO_[A-Z]* )*[a-z0-9_]* virtio_$name\(" ||
		fail "the result of virtio_$name can be dropped"
done

# Under the gnu89 rules for inline functions, the compiler must fail with the headers' own #error.
echo '#include <virtio/queue.h>' >"$work/unit.c"
# shellcheck disable=SC2086 # lists of words
$cc -std=gnu11 -fgnu89-inline $includes -fsyntax-only -x c "$work/unit.c" >"$work/gnu89" 2>&1 &&
	fail 'the headers compile under the rules of gnu89 for inline functions'
grep -q 'the headers need C99 inline functions' "$work/gnu89" || fail "no message under gnu89's rules: $(head -1 "$work/gnu89")"

[ -n "$cxx" ] || echo 'skipped: C++, no compiler'
# shellcheck disable=SC2086 # a list of words
set -- $headers
finish "$# headers"
