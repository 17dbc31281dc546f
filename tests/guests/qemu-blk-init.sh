#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# /init of the guest of qemu-blk.sh. /init runs twice, because the guest restarts once. /init uses
# two disks, and sees one disk grow. Each disk has four queues, one for each processor. The sector
# numbers in this file must agree with the numbers in qemu-blk.sh. A path such as /bin/blkdiscard
# calls a program copied from the host. The name alone would call busybox's command.
# shellcheck shell=dash source=tests/guests/guest.sh disable=SC2154
. /guest.sh

# interrupts DISK: prints the number of interrupts of each queue.
interrupts() {
	driver=$(basename "$(readlink -f "/sys/block/${1##*/}/device")")
	grep -o "^ *[0-9]*:.* $driver-req\.[0-9]*$" /proc/interrupts |
		awk '{ sum = 0; for (i = 2; i <= 5; i++) sum += $i; print $NF, sum }'
}

# use_all_queues DISK FIRST: runs three processes on each of four processors, all at the same time.
# Processor N uses 2 MiB of the disk from sector FIRST + N * 4096. Linux gives each processor a
# queue of its own.
use_all_queues() {
	interrupts "$1" >/before
	pids=
	for cpu in 0 1 2 3; do
		taskset -c $cpu disk_io exercise "$1" $(($2 + cpu * 4096)) 4096 3 /copy-$cpu &
		pids="$pids $!"
	done
	for pid in $pids; do wait "$pid"; done
	interrupts "$1" >/after
	say "queues ${1##*/} $(find "/sys/block/${1##*/}/mq" -mindepth 1 -maxdepth 1 | wc -l)" \
		"used $(join_lines /before /after)"
	say "sum-of-all-queues $(cat /copy-0 /copy-1 /copy-2 /copy-3 | sha256sum | cut -d' ' -f1)"
}
# join_lines BEFORE AFTER: prints how many interrupts each queue had between the two counts.
join_lines() { awk 'NR == FNR { before[$1] = $2; next } { print $2 - before[$1] }' "$1" "$2" | tr '\n' ' '; }

# again DISK: unbinds the driver, which resets the device, and binds it again.
again() {
	driver=$(basename "$(readlink -f "/sys/block/${1##*/}/device")")
	echo "$driver" >/sys/bus/virtio/drivers/virtio_blk/unbind
	[ ! -b "$1" ]
	echo "$driver" >/sys/bus/virtio/drivers/virtio_blk/bind
	until_true [ -b "$1" ]
}

begin
load_drivers

step "looking for the disks"
until_true has_disk qemu-first
until_true has_disk qemu-second
first=/dev/$(disk_name qemu-first)
second=/dev/$(disk_name qemu-second)
say "disk-bytes $(blockdev --getsize64 "$first")"
say "sum-at-start $(sum "$first")"

step "using four queues"
# The first sector begins with "started" if this is the guest's second start.
if [ "$(range "$first" 0 1 | head -c 7)" = started ]; then
	use_all_queues "$first" 20480
	step "reading the whole disk without the cache"
	say "sum-at-end $(sum "$first") $(sum "$second")"
	finish 'virtio.*([Ff]ail|[Ee]rror)|nobody cared|WARNING:|BUG: |Oops'
fi
use_all_queues "$first" 4096
use_all_queues "$second" 0

step "discarding and writing zeroes"
/bin/blkdiscard -o $((1025 * 512)) -l $((1023 * 512)) "$first"
/bin/blkdiscard -z -o $((2051 * 512)) -l $((1021 * 512)) "$first"

step "unbinding the disk's driver, and binding it again"
again "$first"
say "sum-after-reset $(sum "$first")"

step "waiting for the disk to grow"
until_true has_bytes "$first" $((20 << 20))
say "disk-bytes $(blockdev --getsize64 "$first")"

step "restarting"
printf started | dd of="$first" bs=512 conv=sync,notrunc,fsync 2>/dev/null
trap - EXIT
reboot -f
