#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Boots Debian's stock kernel in QEMU without hardware virtualisation. The kernel's unmodified
# virtio_mmio driver uses the registers of our device core: virtio-mmio-proxy serves a block and an
# entropy device. The guest uses both devices (mmio-init.sh). Then the host compares the disk image
# and the counters of virtio-mmio-proxy with the guest's reports.
# usage: qemu-mmio.sh PROGRAM FOLDER
#   PROGRAM  virtio-mmio-proxy
#   FOLDER   for the image and the logs; made if it does not exist
# Unpacked Debian packages are kept in $VIRTIO_GUEST_PACKAGES, by default FOLDER/packages.
# Without the packages, exits with 77 (skipped), or with 1 if VIRTIO_REQUIRE_GUESTS is set.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/guests/lib.sh disable=SC2154 # for its variables
. "$here/lib.sh"

[ $# = 2 ] || { echo "usage: $0 PROGRAM FOLDER" >&2; exit 2; }
program=$(readlink -f "$1")
begin_test "$2" disk.img proxy.log proxy.pid mmio.aml
logs="console.log proxy.log"
mib=$((1024 * 1024))

# proxy_count DEVICE NAME: prints the number after NAME in the program's summary of DEVICE.
proxy_count() {
	number=$(sed -n "s/^$1: \(.*, \)*$2 \([0-9]*\)\(,.*\)*\$/\2/p" proxy.log)
	echo "${number:-none}"
}

# disk_sum OFFSET COUNT: prints the checksum of COUNT MiB of the image, from OFFSET MiB on.
disk_sum() { sectors disk.img $(($1 * 2048)) $(($2 * 2048)) | sum; }

# has_feature TYPE BIT: succeeds if the driver of this device type has negotiated the feature. The
# guest reports the features as a string of digits 0 and 1, which begins with bit 0.
has_feature() { guest_said "features $1" | cut -c $(($2 + 1)) | grep -qx 1; }

# run_guest: starts the guest in the background. `timeout` starts the program, and the program
# starts QEMU. proxy.pid gets the program's process ID.
run_guest() {
	# shellcheck disable=SC2016 # for the inner shell
	timeout -k 5 "$guest_seconds" sh -c 'echo $$ >proxy.pid; exec "$@"' sh \
		"$program" --blk disk.img -- qemu-system-x86_64 \
		-accel tcg -cpu max -m 256 -M pc,memory-backend=mem \
		-object memory-backend-memfd,id=mem,size=256M,share=on \
		-display none -nodefaults -no-user-config -monitor none -serial file:console.log \
		-chardev socket,id=irq,fd=4 -device pci-serial,chardev=irq,addr=5 -device x-pci-proxy-dev,fd=3 \
		-acpitable file=mmio.aml -kernel "$kernel" -initrd initramfs.gz \
		-append "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check" -no-reboot \
		</dev/null >proxy.log 2>&1 9>&- &
	guest_pid=$!
	watch_guest "$guest_pid"
}

# grow_disk: waits until the guest expects a larger disk, then grows the disk.
grow_disk() {
	await "waiting for the disk to grow"
	truncate -s $((12 * mib)) disk.img && kill -HUP "$(cat proxy.pid)"
}

need_guest qemu_packages
"$iasl" -p mmio "$here/mmio.asl" >iasl.log 2>&1 || { cat iasl.log; fail "no ACPI table"; }
dd if=/dev/urandom of=disk.img bs=1M count=8 2>/dev/null
before=$(disk_sum 0 4)
make_initramfs initramfs.gz "$here/mmio-init.sh" "virtio_mmio virtio_blk virtio_rng" || fail "no initramfs"

echo "Booting a guest in QEMU whose virtio-mmio devices the program serves"
run_guest
grow_disk 9>&- &
helper_pid=$!
wait_for_guest || fail "the guest or the program ended with status $?"

echo "Checking on the host"
grep -q '^GUEST: powering off' console.log || fail "the guest did not reach its end"
helper_pid=
[ "$(guest_said transport)" = virtio-mmio ] || fail "the driver is not virtio-mmio"
guest_said bound | grep -q ' 0x0002 virtio_blk 0x0000000f$' || fail "virtio_blk is not bound"
guest_said bound | grep -q ' 0x0004 virtio_rng 0x0000000f$' || fail "virtio_rng is not bound"
# SEG_MAX, FLUSH, CONFIG_WCE, DISCARD, WRITE_ZEROES, INDIRECT_DESC, EVENT_IDX, VERSION_1
for bit in 2 9 11 13 14 28 29 32; do
	has_feature 0x0002 "$bit" || fail "feature $bit of the block device is not negotiated"
done
for bit in 28 29 32; do
	has_feature 0x0004 "$bit" || fail "feature $bit of the entropy device is not negotiated"
done
ok "stock drivers of Linux $(guest_said kernel) were bound to both devices"

[ "$(guest_said disk-serial)" = disk.img ] || fail "the guest saw a wrong serial number"
[ "$(guest_said disk-bytes | tr '\n' ' ')" = "$((8 * mib)) $((12 * mib)) " ] || fail "the disk did not grow"
[ "$(guest_said disk-cache | tr '\n' ' ')" = "write back write through write back " ] || fail "the cache did not switch"
ok "the guest saw the disk grow, by an interrupt, and switched its cache"

[ "$(guest_said sum-before)" = "$before" ] || fail "at its start the guest read wrong data"
written=$(guest_said sum-written)
for offset in 4 6 8 10; do
	[ "$(disk_sum $offset 2)" = "$written" ] || fail "the image lacks what the guest wrote at $offset MiB"
done
[ "$(guest_said sum-after)" = "$(disk_sum 0 12)" ] || fail "the image differs from the guest's disk"
ok "all $((12 * mib)) bytes of the image are what the guest read and wrote, also after its driver was bound again"

guest_said hwrng | grep -q '^virtio_rng' || fail "the guest's random bytes have another source"
[ "$(guest_said entropy | grep -c '^4096 ')" = 4 ] || fail "too few random bytes"
[ "$(guest_said entropy | sort -u | wc -l)" = 5 ] || fail "the guest got the same random bytes twice"
[ "$(proxy_count rng bytes)" -ge $((4 * 4096 + 512)) ] || fail "the device gave fewer random bytes than the guest got"
ok "the guest got random bytes five times, each time different; the device gave $(proxy_count rng bytes) bytes in all"

[ "$(proxy_count blk 'bytes read')" -ge $((26 * mib)) ] || fail "the guest read its cache and not the disk"
[ "$(proxy_count blk 'bytes written')" -ge $((8 * mib)) ] || fail "the guest wrote less than it reported"
for kind in in out flush get-id discard; do
	[ "$(proxy_count blk $kind)" -gt 0 ] || fail "no request of type $kind"
done
[ "$(proxy_count blk failed)" = 0 ] || fail "requests failed"
[ "$(proxy_count blk malformed)" = 0 ] || fail "requests were malformed"
[ "$(grep -c 'first error: no error' proxy.log)" = 2 ] || fail "a device has recorded an error"
[ "$(proxy_count irq raised)" -gt 0 ] || fail "no interrupt"
ok "the program served every kind of request; none failed ($(proxy_count irq raised) interrupts)"
