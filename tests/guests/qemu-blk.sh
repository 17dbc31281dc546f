#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Boots Debian's stock kernel in QEMU without hardware virtualisation. QEMU's own vhost-user front
# end connects the guest's PCI driver with our daemon, which serves two disks. By default QEMU uses
# one queue for each of the four processors, and the daemon offers enough queues. One disk uses
# io_uring. The guest (qemu-blk-init.sh) uses all queues, restarts, and uses the first disk's queues
# again. Then the host checks the images.
# usage: qemu-blk.sh DAEMON DISK_IO FOLDER
#   DISK_IO  a program for the guest
#   FOLDER   for images and logs; made if it does not exist
# Unpacked Debian packages are kept in $VIRTIO_GUEST_PACKAGES, by default FOLDER/packages.
# Exits with 77 (skipped) if the packages are not available. Also exits with 77 if the test passed
# with system calls: the system has no io_uring, or the daemon was built without it. With
# VIRTIO_REQUIRE_GUESTS set, exits with 1 instead of 77, except if the system has no io_uring. The
# test fails if the daemon should use io_uring and reports that it uses system calls.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/guests/lib.sh disable=SC2154 # for its variables
. "$here/lib.sh"

[ $# = 3 ] || { echo "usage: $0 DAEMON DISK_IO FOLDER" >&2; exit 2; }
daemon=$(readlink -f "$1")
disk_io=$(readlink -f "$2")
logs="console.log daemon.log qemu.log"
begin_test "$3" first.img second.img before.img reset.img ./*.sock
mib=$((1024 * 1024))

# disk NAME: prints QEMU's arguments for a disk.
disk() { echo "-chardev socket,id=$1,path=$1.sock -device vhost-user-blk-pci,chardev=$1"; }

run_qemu() {
	# shellcheck disable=SC2046 # lists of words
	timeout -k 5 "$guest_seconds" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 4 -m 256 \
		-M pc,memory-backend=mem -object memory-backend-memfd,id=mem,size=256M,share=on \
		-display none -nodefaults -no-user-config -monitor none -serial file:console.log \
		$(disk first) $(disk second) -kernel "$kernel" -initrd initramfs.gz \
		-append "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check" \
		</dev/null >qemu.log 2>&1 9>&- &
	guest_pid=$!
	watch_guest "$guest_pid"
}

# grow_disk: waits until the guest expects a larger disk, then grows the disk.
grow_disk() {
	await "waiting for the disk to grow"
	# At this moment the guest has read the whole disk and has written nothing since.
	cp first.img reset.img
	truncate -s $((20 * mib)) first.img && kill -HUP "$(cat daemon.pid)"
}

need_guest qemu_packages
dd if=/dev/urandom of=first.img bs=1M count=16 2>/dev/null
cp first.img before.img
truncate -s $((8 * mib)) second.img
PATH=${disk_io%/*}:$PATH make_initramfs initramfs.gz "$here/qemu-blk-init.sh" "virtio_pci virtio_blk" \
	blkdiscard "${disk_io##*/}" || fail "no initramfs"
choose_aio "$daemon" "$disk_io"

echo "Starting the daemon and booting a guest in QEMU whose disks it serves"
start_daemon "$daemon" --blk first.img,serial=qemu-first,socket=first.sock \
	--blk second.img,serial=qemu-second,aio="$aio",socket=second.sock || fail "no daemon"
check_aio
run_qemu
grow_disk 9>&- &
helper_pid=$!
wait_for_guest || {
	daemon_runs || fail "the daemon died while the guest ran"
	fail "QEMU ended with status $guest_status"
}
stop_daemon || fail "the daemon ended with status $?"

echo "Checking on the host"
grep -q '^GUEST: powering off' console.log || fail "the guest did not reach its end"
helper_pid=
[ "$(guest_said kernel | wc -l)" = 2 ] || fail "the guest did not restart"
[ "$(guest_said disk-bytes | tr '\n' ' ')" = "$((16 * mib)) $((20 * mib)) $((20 * mib)) " ] ||
	fail "the guest saw wrong sizes"
ok "Linux $(guest_said kernel | tail -n 1) saw two disks with their serial numbers; one grew; the guest restarted once"

# Each line has the form: queues DISK NUMBER used INTERRUPTS INTERRUPTS INTERRUPTS INTERRUPTS
[ "$(guest_said queues | grep -cE '^vd[ab] 4 used( [1-9][0-9]*){4} *$')" = 3 ] || fail "not all queues were used"
[ "$(guest_said queues | cut -d' ' -f1 | tr '\n' ' ')" = "$(guest_said queues | awk '
	NR == 1 { first = $1 } NR == 2 { print first, $1, first }') " ] || fail "not both disks were used"
ok "four processors used four queues of each disk; the interrupts of the queues: $(guest_said queues |
	sed 's/.*used //' | tr '\n' ' ')"

said=$(guest_said sum-of-all-queues | tr '\n' ' ')
[ "$said" = "$(sectors first.img 4096 16384 | sum) $(sum <second.img) $(sectors first.img 20480 16384 | sum) " ] ||
	fail "the images lack what the guest wrote through four queues"
[ "$(guest_said sum-at-end)" = "$(sum <first.img) $(sum <second.img)" ] || fail "the images differ from the disks"
[ "$(guest_said sum-at-start | sed 1q)" = "$(sum <before.img)" ] || fail "at its start the guest read wrong data"
[ "$(guest_said sum-after-reset)" = "$(sum <reset.img)" ] || fail "the image differed after the driver was bound again"
ok "all bytes of the images are what the guest read and wrote"

sectors first.img 2051 1021 | cmp -s -n $((1021 * 512)) - /dev/zero || fail "the zeroed sectors are not zero"
for place in "1 1024" "2048 3" "3072 1024"; do
	# shellcheck disable=SC2086 # two words
	[ "$(sectors first.img $place | sum)" = "$(sectors before.img $place | sum)" ] ||
		fail "sectors that the guest did not touch have changed"
done
if fallocate -p -o 0 -l $mib before.img 2>/dev/null; then
	sectors first.img 1025 1023 | cmp -s -n $((1023 * 512)) - /dev/zero || fail "the discarded sectors are not zero"
fi
for kind in in out flush get-id discard write-zeroes; do
	[ "$(count first.img "$kind")" -gt 0 ] || fail "no request of type $kind"
done
for image in first.img second.img; do
	[ "$(count $image failed)" = 0 ] || fail "requests failed"
	[ "$(count $image faults)" = 0 ] || fail "the daemon saw faults in the queues"
done
ok "no request failed: $(sed -n 's/^blk first.img: \(.* requests\)/\1/p' daemon.log)"
end_test
