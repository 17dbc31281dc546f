#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# /init of the guest of uml-blk-full.sh. It reads, writes, flushes, discards and zeroes sectors of a
# disk, sees the disk grow and shrink, and uses a second disk, which is read-only. The sector
# numbers in this file must agree with the numbers in uml-blk-full.sh. A path such as /bin/fstrim
# calls a program copied from the host. The name alone would call busybox's command.
# shellcheck shell=dash source=tests/guests/guest.sh disable=SC2154,SC2119
. /guest.sh

# must_fail COMMAND...: succeeds if the command fails.
must_fail() { ! "$@" >/dev/null 2>&1; }

begin
load_drivers

step "looking for the disks"
until_true has_disk 0123456789-disk-full
until_true has_disk ro
name=$(disk_name 0123456789-disk-full)
disk=/dev/$name
ro=/dev/$(disk_name ro)
say "disk-bytes $(blockdev --getsize64 "$disk")"
say "read-only $(cat "/sys/block/$name/ro") $(cat "/sys/block/${ro##*/}/ro")"
say "queues $(find "/sys/block/$name/mq" -mindepth 1 -maxdepth 1 | wc -l) of 4, processors $(nproc)"
say "sum-before $(sum "$disk")"

step "making a file system that discards, in the first 16 MiB"
mkfs.ext4 -q -F -E discard,lazy_itable_init=0 "$disk" 16M
mount -t ext4 "$disk" /mnt
dd if=/dev/urandom of=/mnt/kept bs=64k count=16 2>/dev/null
dd if=/dev/urandom of=/mnt/removed bs=64k count=128 oflag=direct 2>/dev/null
say "file-sum $(sha256sum </mnt/kept | cut -d' ' -f1)"
sync
rm /mnt/removed
sync

step "fstrim"
say "trimmed $(/bin/fstrim -v /mnt | sed 's/.*(\([0-9]*\) bytes).*/\1/')"
umount /mnt

step "using O_DIRECT with any size at any sector"
disk_io exercise "$disk" 32771 8193 4 /odd
say "odd-sum $(sha256sum </odd | cut -d' ' -f1)"
rm /odd

step "blkdiscard"
/bin/blkdiscard -f -o $((45059 * 512)) -l $((2053 * 512)) "$disk"

step "blkdiscard -z"
/bin/blkdiscard -f -z -o $((49159 * 512)) -l $((3077 * 512)) "$disk"
forget_cache
dd if=/dev/zero bs=512 count=3077 2>/dev/null >/zeroes
range "$disk" 49159 3077 | cmp - /zeroes

step "using the disk that is read-only"
mount -t ext4 -o ro "$ro" /mnt
(cd /mnt && sha256sum -c -s sums)
must_fail touch /mnt/new
umount /mnt
must_fail dd if=/zeroes of="$ro" bs=4096 count=1 conv=notrunc,fsync
must_fail dd if=/zeroes of="$ro" bs=4096 count=1 oflag=direct conv=notrunc
must_fail /bin/blkdiscard -f "$ro"
must_fail /bin/blkdiscard -f -z "$ro"
say "read-only-sum $(sum "$ro")"

step "waiting for the disk to grow"
until_true has_bytes "$disk" $((40 << 20))
say "disk-bytes $(blockdev --getsize64 "$disk")"
disk_io exercise "$disk" 65533 16387 1 /grown
say "grown-sum $(sha256sum </grown | cut -d' ' -f1)"
rm /grown

step "waiting for the disk to shrink"
until_true has_bytes "$disk" $((36 << 20))
say "disk-bytes $(blockdev --getsize64 "$disk")"
[ "$(range "$disk" 73727 1 | wc -c)" = 512 ]
[ "$(range "$disk" 73728 1 | wc -c)" = 0 ]

step "reading the whole disk without the cache"
say "sum-after $(sum "$disk")"

finish
