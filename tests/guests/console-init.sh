#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# /init of the guests of uml-console.sh. It uses /dev/hvc0, a port that it finds by the port's name,
# and a disk. The guest reports when it is ready for a step, and then the host begins its part.
# Kernel arguments:
#   lines=COUNT  how many short lines the guest prints
#   alone        there is no port and no disk
#   early        a line was typed before the boot
# shellcheck shell=dash source=tests/guests/guest.sh disable=SC2154,SC2119
. /guest.sh

has_port() { grep -qsx data /sys/class/virtio-ports/*/name; }
lacks_port() { ! has_port; }
# Linux makes the device file before the console exists. Until the console exists, opening the file
# fails. Without the test for a device file, the shell could create an ordinary file of that name.
# When the last process closes the terminal, unread input is lost. So descriptor 3 stays open.
has_console() {
	[ -c /dev/hvc0 ] && { command exec 3<>/dev/hvc0; } 2>/dev/null
}
port_name() { basename "$(dirname "$(grep -lx data /sys/class/virtio-ports/*/name)")"; }

# open_console: opens the console as descriptor 3, and sets raw mode without echo. The driver
# forgets these settings when no process has the terminal open.
open_console() {
	until_true has_console
	stty -F /dev/hvc0 raw -echo
}

# open_port: opens the port as descriptor 4.
open_port() {
	until_true has_port
	until_true [ -c "/dev/$(port_name)" ]
	exec 4<>"/dev/$(port_name)"
}

serve_shell() {
	step "serving a shell on the console"
	stty -F /dev/hvc0 sane
	PS1='guest:
$ ' setsid -c sh -i <&3 >&3 2>&1
}

begin
load_drivers
until_true has_console
if grep -qw early /proc/cmdline; then say "early $(head -n 1 <&3)"; fi
open_console
if grep -qw alone /proc/cmdline; then
	serve_shell
	finish
fi
until_true has_port
say "port $(port_name)"

# The daemon buffers at most 64 KiB of output for a slow reader. So the guest prints 32 KiB, then
# waits until the host has read them and typed a byte.
step "printing on the console"
head -c 262144 /dev/urandom >/printed
say "printed $(sha256sum </printed | cut -d' ' -f1)"
for piece in 0 1 2 3 4 5 6 7; do
	dd if=/printed bs=32k skip="$piece" count=1 2>/dev/null >&3
	head -c 1 <&3 >/dev/null
done

step "reading the console"
say "typed $(head -c 262144 <&3 | sha256sum | cut -d' ' -f1)"

step "writing to the port, and to the disk"
open_port
head -c 10485760 /dev/urandom >/written
say "written $(sha256sum </written | cut -d' ' -f1)"
dd if=/written of=/dev/vda bs=64k oflag=direct 2>/dev/null &
cat /written >&4
wait $!

step "reading the port"
say "sent $(head -c 10485760 <&4 | sha256sum | cut -d' ' -f1)"
say "disk $(sum /dev/vda)"

step "writing to the port that goes away"
# The host unplugs the port, so the write can end only with an error.
if cat /dev/zero >&4 2>/dev/null; then false; fi
exec 4>&-
until_true lacks_port
step "waiting for the port"
open_port
echo "the port is back" >&4
say "port-answer $(head -n 1 <&4)"

step "unbinding the driver, and binding it again"
exec 3>&- 4>&-
device=$(basename /sys/bus/virtio/drivers/virtio_console/virtio*)
echo "$device" >/sys/bus/virtio/drivers/virtio_console/unbind
echo "$device" >/sys/bus/virtio/drivers/virtio_console/bind
open_console
open_port
echo "the driver is back" >&4
say "answer $(head -n 1 <&4)"

# Each line is a write of its own. After each 1000 lines the guest waits until the host has read
# them, so the daemon never has to drop lines.
step "printing lines on the console"
lines=$(sed 's/.*lines=\([0-9]*\).*/\1/' /proc/cmdline)
i=0
while [ "$i" -lt "$lines" ]; do
	i=$((i + 1))
	echo "line $i"
	[ $((i % 1000)) -ne 0 ] || head -c 1 <&3 >/dev/null
done >&3

serve_shell
finish
