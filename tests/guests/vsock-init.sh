#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# /init of the guests of uml-vsock.sh and qemu-vsock.sh: connects to the host's servers. Then serves
# the host's clients, until a client kills the server that was started last. With only=message in
# the kernel's command line, the guest exchanges one message each way instead. The streams' sizes
# and the number of connections in a row come from the same command line.
# shellcheck shell=dash source=tests/guests/guest.sh disable=SC2154
. /guest.sh

# value NAME: prints the value of NAME=VALUE in the kernel's command line.
value() { tr ' ' '\n' </proc/cmdline | sed -n "s/^$1=//p"; }

host() {
	step "$1"
	shift
	vsock_io "$@"
}

begin
load_drivers
until_true [ -c /dev/vsock ]

if [ "$(value only)" = message ]; then
	vsock_io message vsock:2:1000 "Hello, host: this is Linux $(uname -r)"
	vsock_io serve vsock:2:1000 >/messages &
	until_true grep -q serving /messages
	say "listening"
	until_true grep -q message /messages
	say "$(grep message /messages)"
	finish
fi

if [ "$(value devices)" = all ]; then
	until_true has_disk vsock-disk
	until_true [ -c /dev/hvc0 ]
	echo "a line on the console" >/dev/hvc0
	printf 'a line on disk ' | dd of="/dev/$(disk_name vsock-disk)" bs=512 conv=sync,notrunc,fsync 2>/dev/null
fi

for size in $(value vsock_sizes | tr , ' '); do
	host "$size bytes each way" stream vsock:2:1000 "$size"
done
host "1000 connections at once" many vsock:2:1000 1000
host "$(value vsock_row) connections in a row" row vsock:2:1000 "$(value vsock_row)"
host "a host that stops reading" stopped vsock:2:1000
host "a port that nobody listens on" refused vsock:2:4242
host "records" records seqvsock:2:1002
host "a killed host program" kill vsock:2:1001

step "serving the host"
for address in vsock:2:1000 seqvsock:2:1002 vsock:2:1001; do
	vsock_io serve "$address" >"/serving-$address" &
	last=$!
	until_true grep -q serving "/serving-$address"
done
say "listening"
wait "$last" || true
finish
