# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Functions and lists that all shell checks share. Meson calls each shell check with a work folder
# and the paths that the check needs.

LC_ALL=C
export LC_ALL

# The warnings that this project requires, as options of gcc and clang, without a language standard.
# shellcheck disable=SC2034 # used by scripts that source this file
strict='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wvla
-Wundef -Werror'

# Sources and headers that need an operating system, for files, I/O vectors or POSIX mutexes. A
# freestanding build leaves them out.
# shellcheck disable=SC2034 # used by scripts that source this file
hosted='virtio-blk/src/file.c virtio-blk/include/virtio/blk_file.h'
hosted="$hosted virtio-queue/src/queue_pthread.c virtio-queue/include/virtio/queue_pthread.h"
hosted="$hosted virtio-queue/include/virtio/sys_iovec.h virtio-queue/include/virtio/inline/sys_iovec.h"

# Symbols that a freestanding build may import: the four memory functions, also under the names of
# 32-bit ARM's run-time ABI, and symbols that the linker makes itself.
# shellcheck disable=SC2034 # used by scripts that source this file
permitted='^(memcpy|memmove|memset|memcmp|__aeabi_mem(cpy|move|set|clr)[48]?|\.TOC\.)$'

# fail TEXT...: reports a violation. The check continues, to find other violations. A file collects
# the violations, because a variable that is set in a pipeline is lost.
fail() {
	printf 'FAILED: %s\n' "$*" | tee -a "$work/failures" >&2
}

# finish TEXT...: ends the check. The text says what was checked.
finish() {
	if [ -e "$work/failures" ]; then
		echo "$(grep -c '^FAILED' "$work/failures") violation(s)"
		exit 1
	fi
	echo "ok: $*"
	exit 0
}

# skip TEXT...: ends the check as skipped. The text gives the reason.
skip() {
	echo "skipped: $*"
	exit 77
}

# work_in FOLDER: empties a folder for the check's own files, and sets $work to it. Refuses a folder
# with other files.
work_in() {
	work=$1
	if [ -n "$(ls -A "$work" 2>/dev/null)" ] && [ ! -f "$work/made-by-a-check" ]; then
		echo "FAILED: $work has files that are not a check's" >&2
		exit 1
	fi
	rm -rf "$work"
	mkdir -p "$work" || exit 1
	work=$(cd "$work" && pwd)
	: >"$work/made-by-a-check"
}

# search OPTION... PATTERN FILE...: runs grep -E. A bad pattern fails the check, and is not treated
# as "no match".
search() {
	found=0
	grep -E "$@" || found=$?
	[ "$found" -le 1 ] || fail "cannot search: $*"
	return "$found"
}

# quietly TEXT COMMAND...: runs a command. Shows its output and reports TEXT only if it fails.
quietly() {
	what=$1
	shift
	"$@" >"$work/log" 2>&1 && return
	cat "$work/log"
	fail "$what"
	return 1
}

# include_flags SRC: sets $includes to the options for all public headers of a source tree. The path
# must not have blanks, because $includes is a list of words.
include_flags() {
	includes=-I$1/include
	for folder in "$1"/virtio-*/include; do
		includes="$includes -I$folder"
	done
}

# undefined_in OBJECT...: prints the sorted names that objects or archives import.
# defined_in OBJECT...: prints the sorted names that objects or archives export. A name that is
# exported twice is printed twice.
undefined_in() {
	"${nm:-nm}" -g -P "$@" | awk '$2 ~ /^[Uwv]$/ { print $1 }' | sort -u
}
defined_in() {
	"${nm:-nm}" -g -P "$@" | awk '$2 ~ /^[A-TV-Zu]$/ { print $1 }' | sort
}
