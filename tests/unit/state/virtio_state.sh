#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Tests that virtio-state prints good files, and reports the fault of a bad file and its offset.
# usage: virtio_state.sh PROGRAM GOLDEN WORK
#   GOLDEN/../bad has bad files with a correct checksum.
set -u
program=$1 golden=$2 work=$3
mkdir -p "$work" || exit 1
failed=0

# expect STATUS PATTERN FILE...: checks the exit status, and that a line of the output matches.
expect() {
	status=$1 pattern=$2
	shift 2
	"$program" "$@" >"$work/output" 2>&1
	got=$?
	[ "$got" = "$status" ] || { echo "FAILED: status $got, not $status, for $*" && failed=1; }
	grep -q -e "$pattern" "$work/output" || { echo "FAILED: no line with: $pattern, for $*" && failed=1; }
}

for file in "$golden"/*.state; do
	expect 0 '^section device: version 1, device 2, index 0' "$file"
	expect 0 '^  next_avail: ' "$file"
	head -c 100 "$file" >"$work/cut"
	expect 1 '^BAD: file: length at byte 12: the file is cut off: 100 where [0-9]* are expected' "$work/cut"
	{ cat "$file" && echo; } >"$work/long"
	expect 1 '^BAD: .*bytes after its end' "$work/long"
	{ head -c 70 "$file" && printf 'x' && tail -c +72 "$file"; } >"$work/changed"
	expect 1 '^BAD: file: checksum at byte [0-9]*: the checksum is wrong' "$work/changed"
	{ head -c 8 "$file" && printf '\003' && tail -c +10 "$file"; } >"$work/newer"
	expect 1 'an unsupported version: 3, and this library reads 1 to 1' "$work/newer"
done
expect 1 '^BAD: .*not a saved state' "$0"
expect 1 '^BAD: section queue, device 0, index 0: in_flight\[1\]\.head at byte 119: the target refuses the value: 3' \
	"$golden/../bad/head-twice.state"
expect 2 'No such file' "$work/missing"
expect 0 '^usage' --help
# A value that an older section lacks is printed with its default.
expect 0 '^section vsock: version 1' "$golden/machine-0.state"
expect 0 '^    message_packets: 0$' "$golden/machine-0.state"
expect 0 '^    message_packets: 2$' "$golden/machine-0.vsock-2.state"
expect 0 '^section vsock version 2$' --sections
expect 0 '^    66 4 message_packets since 2 default 0$' --sections
exit "$failed"
