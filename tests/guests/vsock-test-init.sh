#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# /init of the guests of uml-vsock-test.sh: runs one side of vsock_test, whose TCP connection goes
# through a console port.
# shellcheck shell=dash source=tests/guests/guest.sh disable=SC2154,SC2119
. /guest.sh

port_name() { basename "$(dirname "$(grep -lx control /sys/class/virtio-ports/*/name)")"; }

# listens: succeeds if a program listens on TCP port 1234.
listens() { grep -q ':04D2 00000000:0000 0A' /proc/net/tcp; }

begin
load_drivers
until_true [ -c /dev/vsock ]
until_true grep -qsx control /sys/class/virtio-ports/*/name
exec 4<>"/dev/$(port_name)"
ip link set lo up
side=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^side=//p')
peer=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^peer=//p')

if [ "$side" = server ]; then
	step "serving"
	vsock_test --mode=server --control-port=1234 --peer-cid="$peer" &
	test=$!
	until_true listens
	nc 127.0.0.1 1234 <&4 >&4 &
else
	step "connecting"
	nc -l -p 1234 <&4 >&4 &
	until_true listens
	vsock_test --mode=client --control-host=127.0.0.1 --control-port=1234 --peer-cid="$peer" &
	test=$!
fi
wait "$test"
finish
