#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# /init of the guest of qemu-restore.sh: writes to a disk and checks what it reads, until the disk
# has grown.
# shellcheck shell=dash source=tests/guests/guest.sh
. /guest.sh

begin
load_drivers

step "looking for the disk"
until_true has_disk restored
disk=/dev/$(disk_name restored)

step "using the disk"
round=0
until has_bytes "$disk" $((20 << 20)); do
	disk_io exercise "$disk" 0 16384 1 /copy
	round=$((round + 1))
	say "round $round"
done

step "reading the whole disk without the cache"
say "sum-of-copy $(sha256sum </copy | cut -d' ' -f1)"
say "sum-at-end $(sum "$disk")"
finish 'virtio.*([Ff]ail|[Ee]rror)|I/O error|nobody cared|WARNING:|BUG: |Oops'
