#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# /init of the guest of uml-update.sh: uses a disk, a console, a port and sockets at the same time,
# until the host sends the line "end COUNT" on the port. The host checks the lines that the guest
# prints on the console and on the port. The guest checks the data of the disk and of the sockets,
# and the lines that it reads from the port.
# shellcheck shell=dash source=tests/guests/guest.sh disable=SC2119
. /guest.sh

has_port() { grep -qsx data /sys/class/virtio-ports/*/name; }
port_name() { basename "$(dirname "$(grep -lx data /sys/class/virtio-ports/*/name)")"; }
# Linux makes the device file before the console exists. Until the console exists, opening the file
# fails.
has_console() {
	[ -c /dev/hvc0 ] && { command exec 3<>/dev/hvc0; } 2>/dev/null
}

# broken WORDS: fails, and ends the guest at once. Otherwise the other loops would run forever.
broken() {
	say "FAILED: $*"
	poweroff -f
}

# repeat NAME COMMAND...: repeats the command until the file /enough exists. This script makes the
# file when read_lines has read the host's line "end".
repeat() {
	name=$1 round=0
	shift
	until [ -e /enough ]; do
		"$@" || broken "$name, in round $((round + 1))"
		round=$((round + 1))
		say "round of $name $round"
	done
}

stop_and_send_records() {
	vsock_io stopped vsock:2:1000 && vsock_io records seqvsock:2:1002
}

# print_lines: prints numbered lines on the console. Each line is one write.
print_lines() {
	i=0
	until [ -e /enough ]; do
		i=$((i + 1))
		echo "line $i" >&3
	done
	echo "end $i" >&3
}

# print_numbers: writes numbered lines to the port. Each write has many lines.
print_numbers() {
	i=0
	until [ -e /enough ]; do
		seq $((i + 1)) $((i + 1000))
		i=$((i + 1000))
	done >&4
	echo "end $i" >&4
}

# read_lines: reads numbered lines from the port, and checks their count against the last line.
read_lines() {
	awk '
		$1 == "end" { good = $2 == NR - 1; print "GUEST: lines read " $2; exit }
		$0 != "line " NR { exit }
		END { if (!good) { print "GUEST: line " NR " on the port: " $0; exit 1 } }' <&4
}

begin
load_drivers
step "waiting for the devices"
until_true has_disk updated
until_true has_console
stty -F /dev/hvc0 raw -echo
until_true has_port
until_true [ -c "/dev/$(port_name)" ]
exec 4<>"/dev/$(port_name)"
until_true [ -c /dev/vsock ]
true >/serving
vsock_io serve vsock:2:1000 >/serving &
until_true grep -q serving /serving
disk=/dev/$(disk_name updated)
say "ready"
[ "$(head -n 1 <&4)" = begin ]

step "using all devices at the same time"
repeat disk disk_io exercise "$disk" 0 16384 2 /copy &
loads=$!
repeat stream vsock_io stream vsock:2:1000 8388608 &
loads="$loads $!"
repeat stopped stop_and_send_records &
loads="$loads $!"
print_lines &
loads="$loads $!"
print_numbers &
loads="$loads $!"
read_lines || broken "the lines on the port"
touch /enough
for load in $loads; do wait "$load"; done

say "sha256 $(sha256sum </copy | cut -d' ' -f1)"
say "used all devices"
[ "$(head -n 1 <&4)" = off ]
finish
