#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Boots a stock Linux kernel (Debian's User Mode Linux) with two disks that our vhost-user daemon
# serves. One disk is read-only. The guest reads, writes, flushes, discards and zeroes sectors
# (blk-full-init.sh). Meanwhile the writable disk grows and shrinks. Then the host checks the
# images.
# usage: uml-blk-full.sh DAEMON DISK_IO FOLDER [AIO]
#   DISK_IO  a program for the guest
#   FOLDER   for images and logs; made if it does not exist
#   AIO      how the daemon accesses the images: sync or io_uring
# Unpacked Debian packages are kept in $VIRTIO_GUEST_PACKAGES, by default FOLDER/packages.
# Exits with 77 (skipped) if the packages are not available. With AIO io_uring, also exits with 77
# if the system has no io_uring, or if the daemon was built without it. With VIRTIO_REQUIRE_GUESTS
# set, exits with 1 instead of 77, except if the system has no io_uring. The test fails if the
# daemon should use io_uring and reports that it uses system calls.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/guests/lib.sh
. "$here/lib.sh"

[ $# = 3 ] || [ $# = 4 ] || { echo "usage: $0 DAEMON DISK_IO FOLDER [AIO]" >&2; exit 2; }
daemon=$(readlink -f "$1")
disk_io=$(readlink -f "$2")
begin_test "$3" disk.img ro.img before.img grown.img files ./*.sock
mib=$((1024 * 1024))
uml_memory=128M

# change_size WORD MIB: waits until the guest expects the disk to WORD (grow or shrink), then
# changes the disk's size.
change_size() {
	await "waiting for the disk to $1"
	# Keeps a copy of the guest's data, because shrinking removes a part.
	[ "$1" = grow ] || cp disk.img grown.img
	truncate -s $(($2 * mib)) disk.img && kill -HUP "$(cat daemon.pid)"
}

# all_are_zero FIRST COUNT: succeeds if these sectors of the disk are zero.
all_are_zero() { sectors disk.img "$1" "$2" | cmp -s -n $(($2 * 512)) - /dev/zero; }

# unchanged FIRST COUNT: succeeds if these sectors are the same as before the guest started.
unchanged() { [ "$(sectors disk.img "$1" "$2" | sum)" = "$(sectors before.img "$1" "$2" | sum)" ]; }

if [ "${4:-sync}" = io_uring ]; then choose_aio "$daemon" "$disk_io"; else aio=sync no_uring=; fi
[ -z "$no_uring" ] || { echo "skipped: $no_uring"; exit 77; }
need_guest guest_packages
dd if=/dev/urandom of=disk.img bs=1M count=32 2>/dev/null
cp disk.img before.img
mkdir files
head -c 300000 /dev/urandom >files/one
head -c 12345 /dev/urandom >files/two
(cd files && sha256sum one two >sums)
truncate -s $((8 * mib)) ro.img
mkfs.ext4 -q -F -d files ro.img
ro_before=$(sum <ro.img)
PATH=${disk_io%/*}:$PATH make_initramfs initramfs.gz "$here/blk-full-init.sh" virtio_blk \
	mkfs.ext4 blkdiscard fstrim "${disk_io##*/}" || fail "no initramfs"

echo "Starting the daemon and booting a guest whose disks it serves ($aio)"
start_daemon "$daemon" --blk disk.img,serial=0123456789-disk-full,queues=4,aio="$aio",socket=blk.sock \
	--blk ro.img,serial=ro,readonly=on,aio="$aio",socket=ro.sock || fail "no daemon"
check_aio
{
	change_size grow 40
	change_size shrink 36
} 9>&- &
helper_pid=$!
boot initramfs.gz virtio_uml.device=blk.sock:2 virtio_uml.device=ro.sock:2 || {
	daemon_runs || fail "the daemon died while the guest ran"
	fail "the guest ended with status $guest_status"
}
stop_daemon || fail "the daemon ended with status $?"

echo "Checking on the host"
grep -q '^GUEST: powering off' console.log || fail "the guest did not reach its end"
helper_pid=
[ "$(guest_said disk-bytes | tr '\n' ' ')" = "$((32 * mib)) $((40 * mib)) $((36 * mib)) " ] ||
	fail "the guest saw wrong sizes"
[ "$(guest_said read-only)" = "0 1" ] || fail "the wrong disks are read-only"
queues=$(guest_said queues)
# Linux uses at most one queue for each processor. User Mode Linux has one processor; qemu-blk.sh
# uses all queues.
[ "$queues" = "${queues##* } of 4, processors ${queues##* }" ] || fail "the numbers of queues and processors differ"
ok "the guest saw two disks with their serial numbers, one read-only; the other grew and shrank"
ok "the guest used one queue for each processor: $queues"

[ "$(guest_said sum-before)" = "$(sum <before.img)" ] || fail "at its start the guest read wrong data"
[ "$(guest_said sum-after)" = "$(sum <disk.img)" ] || fail "the image differs from the guest's disk"
grown=$(guest_said grown-sum)
[ "$grown" = "$({ sectors disk.img 65533 8195; sectors grown.img 73728 8192; } | sum)" ] ||
	fail "the image lacks what the guest wrote into the disk's new part"
ok "all bytes of the image are what the guest read at its start and at its end, and wrote after the disk had grown"

e2fsck -fn disk.img >e2fsck.log 2>&1 || { cat e2fsck.log; fail "e2fsck finds errors"; }
[ "$(debugfs -R 'cat /kept' disk.img 2>/dev/null | sum)" = "$(guest_said file-sum)" ] ||
	fail "the file differs from what the guest wrote"
ok "e2fsck finds the file system clean; its file is what the guest wrote"

[ "$(guest_said odd-sum)" = "$(sectors disk.img 32771 8193 | sum)" ] || fail "the image lacks what the guest wrote"
all_are_zero 49159 3077 || fail "the sectors that the guest filled with zeroes are not zero"
for place in "32768 3" "40964 4095" "47112 2047" "52236 13297"; do
	# shellcheck disable=SC2086 # two words
	unchanged $place || fail "sectors that the guest did not touch have changed: at $place"
done
ok "ranges of odd sizes at odd sectors have what the guest wrote, and the sectors between them are unchanged"

[ "$(guest_said trimmed)" -ge $((8 * mib)) ] || fail "fstrim discarded fewer bytes than the removed file had"
for kind in in out flush get-id discard write-zeroes; do
	[ "$(count disk.img "$kind")" -gt 0 ] || fail "no request of type $kind"
done
if fallocate -p -o 0 -l $mib before.img 2>/dev/null; then
	all_are_zero 45059 2053 || fail "the discarded sectors are not zero"
	left=$(sectors disk.img 0 32768 | tr -d '\0' | wc -c)
	[ "$left" -lt $((4 * mib)) ] || fail "$left bytes of the file system's 16 MiB are left after fstrim"
	ok "what the guest discarded is gone from the image"
else
	ok "what the guest discarded may be in the image: this file system has no holes"
fi

[ "$(guest_said read-only-sum)" = "$ro_before" ] || fail "the guest read wrong data from the read-only disk"
[ "$(sum <ro.img)" = "$ro_before" ] || fail "the read-only image has changed"
for kind in out discard write-zeroes 'bytes written'; do
	[ "$(count ro.img "$kind")" = 0 ] || fail "the read-only disk had requests that write"
done
ok "the read-only image is unchanged, and is what the guest read"

for image in disk.img ro.img; do
	[ "$(count $image failed)" = 0 ] || fail "requests failed"
	[ "$(count $image faults)" = 0 ] || fail "the daemon saw faults in the queue"
done
ok "no request failed: $(sed -n 's/^blk disk.img: \(.* requests\)/\1/p' daemon.log)"
