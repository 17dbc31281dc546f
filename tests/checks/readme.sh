#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Do the examples in the READMEs, the blocks marked as c, compile and link? Each is a whole translation unit; with a
# main() it is a program. Every component has a README with an example.
# usage: readme.sh WORK SRC CC FLAGS ARCHIVE...
#   FLAGS    for compiling and linking, as sanitized libraries need them
#   ARCHIVE  in the order of the layers, lowest first
set -u
. "$(dirname "$0")/lib.sh"
work_in "$1"
src=$2 cc=$3 flags=$4
shift 4
include_flags "$src"

# The linker wants users before what they use.
archives=
for archive; do
	archives="$archive $archives"
done
echo 'int main(void) { return 0; }' >"$work/main.c"

# compile FILE TEXT: one example. It need not declare its functions first.
compile() {
	main=$work/main.c
	! grep -q '[^a-z_]main(' "$1" || main=
	# shellcheck disable=SC2086 # lists of words
	quietly "$2 does not compile and link" $cc -std=c11 $strict -Wno-missing-prototypes $includes $flags \
		-o "$work/program" "$1" $main $archives -pthread
}

count=0
for readme in "$src"/README.md "$src"/virtio-*/README.md; do
	name=${readme#"$src/"}
	[ -e "$readme" ] || continue
	rm -f "$work"/block-*.c
	# The lines before a block are kept, empty, so that messages have the README's line numbers.
	awk -v work="$work" '
		/^```/ && out { close(out); out = ""; next }
		/^```c$/ { out = work "/block-" FNR ".c"; for (i = 1; i <= FNR; i++) print "" >out; next }
		out { print >out }
	' "$readme"
	for block in "$work"/block-*.c; do
		[ -e "$block" ] || continue
		line=${block##*-}
		compile "$block" "$name:${line%.c}"
		count=$((count + 1))
	done
done

for folder in "$src"/virtio-*/; do
	name=$(basename "$folder")
	grep -qsx '```c' "$folder/README.md" || fail "$name has no README.md with an example"
done
finish "$count examples"
