#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Do all files follow the project's rules that no compiler checks? A comment at each check states
# the rule.
# usage: lint.sh WORK SRC
set -u
checks=$(cd "$(dirname "$0")" && pwd)
. "$checks/lib.sh"
work_in "$1"
cd "$2" || exit 1

# The exceptions, as RULE FILE REASON. Each exception needs a reason.
exceptions='
threads include/virtio/compiler.h has no functions
guest-memory include/virtio/guest_memory.h declares the accesses to guest memory
guest-memory include/virtio/inline/guest_access.h has the loads, stores and copies at a host pointer
guest-memory include/virtio/inline/guest_memory.h has the inline bodies of guest_memory.h
guest-memory virtio-queue/src/guest_memory.c has the out-of-line bodies of guest_memory.h
guest-memory virtio-queue/src/memory_internal.h sets bits of dirty logs
guest-memory virtio-bindings/include/virtio/bindings/virtio_ring.h has the macros of Linux for the ring of a driver
body virtio-bindings/include/virtio/bindings/virtio_ring.h has functions of Linux
body virtio-bindings/include/virtio/bindings/virtio_net_hdr.h has conversions
atomic virtio-blk/src/disk.c has the cache mode, host memory that threads share
atomic virtio-console/src/console_internal.h has input buffers and open ports, host memory that threads share
atomic virtio-device/src/device_internal.h has the interrupt status, host memory that threads share
'
for file in $hosted; do
	exceptions="${exceptions}hosted $file needs an operating system
"
done

# Lists all files of the checkout that git does not ignore. In an unpacked source archive, lists all
# files outside build folders.
list_files() {
	if [ -e .git ] && git ls-files --cached --others --exclude-standard 2>"$work/log"; then
		return
	fi
	find . -type d \( -name .git -o -exec test -e '{}/meson-private' \; \) -prune -o -type f -print | sed 's,^\./,,'
}
list_files | sort -u | while read -r file; do
	[ ! -f "$file" ] || echo "$file"
done >"$work/files"
grep '\.[ch]$' "$work/files" >"$work/sources"
search '^(include|virtio-[a-z-]+)/' "$work/sources" >"$work/library"
[ -s "$work/library" ] || fail 'no library sources found'

for file in $(echo "$exceptions" | awk '{ print $2 }'); do
	[ -e "$file" ] || fail "an exception for $file, which does not exist"
done

# excepted RULE: prints a pattern that matches, at the start of a line, the files with an exception
# from the rule. A rule without exceptions gets a pattern that matches no file.
excepted() {
	echo "$exceptions" | awk -v rule="$1" '
		$1 == rule { gsub(/\./, "[.]", $2); names = names "|" $2 }
		END { print "^(/" names ")(:|$)" }'
}

# report RULE TEXT: reports each line FILE:LINE:CODE of the input as a violation, unless the file
# has an exception from the rule.
report() {
	search -v "$(excepted "$1")" >"$work/found"
	while IFS= read -r line; do
		fail "$2: $line"
	done <"$work/found"
}

# words PATTERN: prints the lines of $work/code with an identifier that matches the pattern.
words() {
	search "^[^:]*:[0-9]*:(.*[^A-Za-z0-9_])?($1)([^A-Za-z0-9_]|\$)" "$work/code"
}

xargs awk -f "$checks/strip.awk" <"$work/library" >"$work/code"
xargs awk -v statements=1 -f "$checks/strip.awk" <"$work/library" >"$work/statements"

# Regression R37: only the files with an exception access guest memory. Other files use no volatile,
# no atomics and no assembly, except for a stated reason.
words 'volatile|__volatile__|_Atomic|asm|__asm|__asm__' | report guest-memory 'only for accesses to guest memory'
words '(__atomic_|__sync_|atomic_)[a-z0-9_]*' | search -v "$(excepted atomic)" |
	report guest-memory 'only for accesses to guest memory'
words 'virtio_impl_guest_u(16|32|64)' | report guest-memory 'guest memory accessed without its functions'
# Other files must not pass a host address of guest memory to a memory function, index the address
# or dereference it. The members in this pattern have such addresses.
member='(->|\.)(host|desc|avail|used)'
path='[A-Za-z_][]A-Za-z0-9_.>[-]*'
search "(^|[^A-Za-z0-9_])mem(cpy|move|set|cmp)\(.*$member([^A-Za-z0-9_(]|\$)" "$work/statements" |
	report guest-memory 'guest memory passed to a memory function'
search -e "->(host|desc|avail|used)(\[|->)|\.host(\[|->)" "$work/code" |
	report guest-memory 'guest memory indexed or dereferenced'
search "\*(\([^()]*\*\))?\(?(\([^()]*\*\))?$path$member([^A-Za-z0-9_(]|\$)" "$work/code" |
	report guest-memory 'guest memory dereferenced'

# Freestanding sources include only these headers, and call none of these functions of a C library.
search '^[^:]*:[0-9]*:[ 	]*#[ 	]*include' "$work/code" >"$work/includes"
search -v '<(stdbool|stddef|stdint|string|limits|virtio/[a-z0-9_/]+)\.h>|"[a-z0-9_]+\.h"' "$work/includes" |
	report hosted 'not for freestanding sources'
words '(malloc|calloc|realloc|free|v?s?n?f?printf|puts|abort|exit|assert|errno) *(\(.*)?' | grep -v include |
	report hosted 'not for freestanding sources'

# A public header is the contract. Function bodies, and names that only bodies need, are in inline/
# headers. The bindings have no source file for external copies, so their few functions are static.
search '^[^:]*/include/|^include/' "$work/code" | search -v '^[^:]*/inline/|^[^:]*:[0-9]*:#define' >"$work/contract"
search '^[^:]*:[0-9]*:(\{|.*\)[ 	]*\{)' "$work/contract" | report body 'a function body outside inline/'
search '^([^/]*/)?include/' "$work/library" | search -v '/inline/' | tr '\n' '\0' |
	xargs -0 grep -nE '(virtio_impl|VIRTIO_IMPL)_' /dev/null | report internal 'an internal name outside inline/'
# Tests and fuzzers may use internal names. Code that readers copy must not use internal names.
search '^(examples|tests/readme|tests/consumers)/' "$work/sources" | tr '\n' '\0' |
	xargs -0 grep -nE '(virtio_impl|VIRTIO_IMPL)_' /dev/null | report internal 'an internal name outside the libraries'

# A public header has a table of threads. The rule leaves out bindings/, where most headers have no
# functions.
search '^([^/]*/)?include/virtio/[a-z0-9_]*\.h$' "$work/library" >"$work/headers"
[ -s "$work/headers" ] || fail 'no public headers found'
xargs grep -LE '^ \*   functions .*who may call .*what must not run beside$' <"$work/headers" |
	report threads 'no table of threads'

# Includes point down. A component includes only its own headers and the headers of lower layers:
# include, virtio-bindings and virtio-queue.
layers_of() {
	case $1 in
	include) echo include ;;
	virtio-bindings) echo include virtio-bindings ;;
	virtio-queue) echo include virtio-bindings virtio-queue ;;
	*) echo include virtio-bindings virtio-queue "$1" ;;
	esac
}
sed -n 's,^\([^/:]*\)\([^:]*:[0-9]*\):.*<\(virtio/[^>]*\)>.*,\1 \2 \3,p' "$work/includes" >"$work/edges"
while read -r component place header; do
	found=
	for layer in $(layers_of "$component"); do
		for folder in "$layer" "$layer/include"; do
			[ ! -e "$folder/$header" ] || found=1
		done
	done
	[ -n "$found" ] || fail "<$header> is not in a layer below: $component$place"
done <"$work/edges"

# The files of the fuzzers include each other in one direction only. The rule treats a source and
# its header as one file.
grep '^fuzz/' "$work/sources" | xargs grep -H '^#include "' |
	sed -n -e 's,^\(fuzz/[^/]*\)/\([^.]*\)\..*"\.\./\(.*\)\.h"$,\1/\2 fuzz/\3,p' \
		-e 's,^\(fuzz/[^/]*\)/\([^.]*\)\..*"\([^./]*\)\.h"$,\1/\2 \1/\3,p' >"$work/needs"
[ -s "$work/needs" ] || fail 'no includes of fuzzers found'
tsort "$work/needs" >/dev/null 2>"$work/log" || fail "files of fuzzers that include each other: $(cat "$work/log")"

# A test that calls skip() prints the reason, at most four lines before the call.
grep '^tests/.*\.c$' "$work/sources" | xargs awk '
	/print_message\(/ { said = FILENAME ":" FNR; at = FNR }
	/^\t+skip\(\);/ { n++; if (said != FILENAME ":" at || FNR - at > 4) print FILENAME ":" FNR ": " $0 }
	END { if (n == 0) print "no test with skip() found" }' | report skip 'a test is skipped without a reason'

# A file has at most 800 lines. A function has at most 80 lines, from { to }.
xargs awk '
	FNR == 801 { print FILENAME ":801: the file has more than 800 lines" }
	/^{/ { start = FNR }
	/^}/ && start {
		if (FNR - start + 1 > 80)
			print FILENAME ":" start ": " FNR - start + 1 " lines in a function"
		start = 0
	}
' <"$work/sources" | report size 'too long'

# The top level has only these names, because a newcomer looks there first.
components='virtio-(bindings|queue|queue-ser|blk|console|vsock|device)'
documents='(README|ARCHITECTURE|CHANGELOG|CONTRIBUTING|SECURITY)\.md|LICENSE-(APACHE|BSD-3-Clause)'
sed 's,/.*,,' "$work/files" | sort -u |
	search -vx "\..*|meson\.build|meson_options\.txt|include|fuzz|tests|examples|$components|$documents" |
	report top-level 'not a name for the top level'

# Every file names its licence in one of its first three lines. Licences, fuzzers' inputs and saved
# states are excepted.
search -v '^(LICENSE-|fuzz/(.*/)?corp(us|ora)/|tests/unit/state/(golden|bad)/)' "$work/files" | while IFS= read -r file; do
	sed 3q "$file" | grep -q 'SPDX-License-Identifier: Apache-2\.0 OR BSD-3-Clause' || echo "$file"
done | report licence 'no SPDX line in the first three'

# Unfinished work is an entry in a tracker, not a comment.
search -v '^(LICENSE-|fuzz/(.*/)?corp(us|ora)/|tests/unit/state/(golden|bad)/)' "$work/files" | tr '\n' '\0' |
	xargs -0 grep -nwE 'TO[D]O|FIX[M]E|XX[X]' /dev/null | report unfinished 'unfinished'

finish "$(wc -l <"$work/files") files"
