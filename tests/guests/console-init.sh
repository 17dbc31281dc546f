#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# /init of the guest of uml-console.sh. It uses /dev/hvc0, and a port that it finds by its name. The
# host begins each step when the guest says that it is ready.
# shellcheck shell=dash source=tests/guests/guest.sh disable=SC2154,SC2119
. /guest.sh

has_port() { grep -qsx data /sys/class/virtio-ports/*/name; }
# Linux makes the file for a console that does not exist yet, and opening it fails.
has_console() { (exec 3<>/dev/hvc0) 2>/dev/null; }
port_name() { basename "$(dirname "$(grep -lx data /sys/class/virtio-ports/*/name)")"; }

begin
load_drivers
until_true has_port
until_true has_console
say "port $(port_name)"

# The driver forgets the settings while nobody has the terminal open.
exec 3<>/dev/hvc0
stty -F /dev/hvc0 raw -echo

# The console keeps no more than 64 KiB for a slow reader: the host asks for each piece.
step "printing on the console"
head -c 262144 /dev/urandom >/printed
say "printed $(sha256sum </printed | cut -d' ' -f1)"
for piece in 0 1 2 3 4 5 6 7; do
	dd if=/printed bs=32k skip="$piece" count=1 2>/dev/null >&3
	head -c 1 <&3 >/dev/null
done

step "reading the console"
say "typed $(head -c 262144 <&3 | sha256sum | cut -d' ' -f1)"

step "writing to the port"
exec 4<>"/dev/$(port_name)"
head -c 10485760 /dev/urandom >/written
say "written $(sha256sum </written | cut -d' ' -f1)"
cat /written >&4

step "reading the port"
say "read $(head -c 10485760 <&4 | sha256sum | cut -d' ' -f1)"

step "taking the driver away, and giving it back"
exec 3>&- 4>&-
device=$(basename /sys/bus/virtio/drivers/virtio_console/virtio*)
echo "$device" >/sys/bus/virtio/drivers/virtio_console/unbind
echo "$device" >/sys/bus/virtio/drivers/virtio_console/bind
until_true has_port
until_true has_console
exec 3<>/dev/hvc0 4<>"/dev/$(port_name)"
echo "the driver is back" >&4
say "answer $(head -n 1 <&4)"

step "serving a shell on the console"
stty -F /dev/hvc0 sane -echo
sh <&3 >&3 2>&1

finish
