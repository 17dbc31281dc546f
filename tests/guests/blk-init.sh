#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# /init of the guest of uml-blk.sh: uses /dev/vda the way an ordinary system does, and says what it did on the console.
# shellcheck shell=dash

say() { echo "GUEST: $*"; }
step() {
	doing=$*
	say "$doing"
}
forget_cache() { echo 3 >/proc/sys/vm/drop_caches; }

/bin/busybox --install -s /bin
doing=starting
# The kernel stops if its first process ends, so every way out is a power-off.
trap 'say "FAILED: $doing"; poweroff -f' EXIT
set -eu

mkdir /proc /sys /mnt
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
say "kernel $(uname -r)"

step "waiting for /dev/vda"
while read -r module; do insmod "/modules/$module"; done </modules/order
for _ in $(seq 50); do
	[ -b /dev/vda ] && break
	sleep 0.1
done
[ -b /dev/vda ]
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

step "reading the files back past the cache"
forget_cache
sha256sum -c -s /sums

step "mounting again, read-only, and reading them once more"
cd /
umount /mnt
mount -t ext4 -o ro /dev/vda /mnt
forget_cache
cd /mnt/files
sha256sum -c -s /sums
cd /
umount /mnt

step "reading the whole disk past the cache"
say "disk-sha256 $(dd if=/dev/vda bs=1M iflag=direct 2>/dev/null | sha256sum | cut -d' ' -f1)"

doing="looking for I/O errors in the kernel's log"
if dmesg | grep -E 'I/O error|EXT4-fs error|vda: .*error'; then exit 1; fi

say "powering off"
trap - EXIT
poweroff -f
