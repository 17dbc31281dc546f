#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# /init of the guest of uml-blk.sh. It uses /dev/vda as an ordinary system does, and reports each
# result on the console.
# shellcheck shell=dash source=tests/guests/guest.sh disable=SC2154,SC2119
. /guest.sh

begin
load_drivers
until_true [ -b /dev/vda ]
say "disk-bytes $(blockdev --getsize64 /dev/vda)"
say "disk-serial $(cat /sys/block/vda/serial)"

step "making an ext4 file system"
mkfs.ext4 -q -F /dev/vda
mount -t ext4 /dev/vda /mnt

step "writing files, large and small, and one with O_DIRECT"
mkdir /mnt/files
cd /mnt/files
dd if=/dev/urandom of=large bs=1M count=8 2>/dev/null
dd if=/dev/urandom of=direct bs=64k count=16 oflag=direct 2>/dev/null
for i in $(seq 24); do head -c $((i * i * 61)) /dev/urandom >"small-$i"; done
sha256sum ./* >/sums
sed 's/^/GUEST: sha256 /' /sums
sync

step "reading the files back without the cache"
forget_cache
sha256sum -c -s /sums

step "mounting the disk again, read-only, and reading the files once more"
cd /
umount /mnt
mount -t ext4 -o ro /dev/vda /mnt
forget_cache
cd /mnt/files
sha256sum -c -s /sums
cd /
umount /mnt

step "reading the whole disk without the cache"
say "disk-sha256 $(sum /dev/vda)"

finish
