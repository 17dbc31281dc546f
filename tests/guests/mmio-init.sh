#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# /init of the guest of qemu-mmio.sh. It binds the stock virtio_mmio driver to two devices and uses
# the devices. It sees the disk grow, unbinds the disk's driver and binds it again, and reports each
# result on the console.
# shellcheck shell=dash source=tests/guests/guest.sh disable=SC2154
. /guest.sh

driver_of() { basename "$(readlink "/sys/bus/virtio/devices/$1/driver")"; }
# sum_of OFFSET COUNT: prints the checksum of COUNT MiB of the disk, from OFFSET MiB on. Reads the
# disk and not the cache.
sum_of() { range /dev/vda $(($1 * 2048)) $(($2 * 2048)) | sha256sum | cut -d' ' -f1; }

begin

step "listening to the serial port that shares the devices' interrupt"
port=
for tty in /sys/class/tty/ttyS*; do
	case $(readlink "$tty/device") in *0000:00:05.0) port=${tty##*/} ;; esac
done
[ -n "$port" ]
# Makes the serial port raise an interrupt for each byte at once.
exec 3<>"/dev/$port"
stty raw -echo 115200 <&3
echo 1 >"/sys/class/tty/$port/rx_trig_bytes"
cat <&3 >/dev/null &

load_drivers
until_true [ -b /dev/vda ]
until_true [ -c /dev/hwrng ]
for device in /sys/bus/virtio/devices/*; do
	name=${device##*/}
	say "bound $name $(cat "$device/device") $(driver_of "$name") $(cat "$device/status")"
	say "features $(cat "$device/device") $(cat "$device/features")"
done
say "transport $(basename "$(readlink /sys/bus/platform/devices/LNRO0005:00/driver)")"
say "disk-bytes $(blockdev --getsize64 /dev/vda)"
say "disk-serial $(cat /sys/block/vda/serial)"
say "disk-cache $(cat /sys/block/vda/cache_type)"

step "reading the disk before any write"
say "sum-before $(sum_of 0 4)"

step "writing"
dd if=/dev/urandom of=/random bs=64k count=32 2>/dev/null
random=$(sha256sum </random | cut -d' ' -f1)
say "sum-written $random"
# Writes large pieces by the page cache, then small pieces with O_DIRECT.
dd if=/random of=/dev/vda bs=1M seek=4 conv=fsync 2>/dev/null
dd if=/random of=/dev/vda bs=16k seek=384 oflag=direct 2>/dev/null
sync
forget_cache
[ "$(sum_of 4 2)" = "$random" ]
[ "$(sum_of 6 2)" = "$random" ]

step "discarding"
blkdiscard -o 0 -l 1048576 /dev/vda

step "switching the disk's cache"
echo "write through" >/sys/block/vda/cache_type
say "disk-cache $(cat /sys/block/vda/cache_type)"
dd if=/random of=/dev/vda bs=64k count=2 conv=fsync 2>/dev/null
echo "write back" >/sys/block/vda/cache_type
say "disk-cache $(cat /sys/block/vda/cache_type)"

step "taking random bytes"
say "hwrng $(cat /sys/class/misc/hw_random/rng_current)"
for _ in 1 2 3 4; do
	dd if=/dev/hwrng bs=4096 count=1 iflag=fullblock 2>/dev/null >/entropy
	say "entropy $(wc -c </entropy) $(sha256sum </entropy | cut -d' ' -f1)"
done

step "waiting for the disk to grow"
until_true has_bytes /dev/vda $((12 << 20))
say "disk-bytes $(blockdev --getsize64 /dev/vda)"
dd if=/random of=/dev/vda bs=1M seek=10 oflag=direct 2>/dev/null
[ "$(sum_of 10 2)" = "$random" ]

step "unbinding the disk's driver, and binding it again"
echo LNRO0005:00 >/sys/bus/platform/drivers/virtio-mmio/unbind
[ ! -b /dev/vda ]
echo LNRO0005:00 >/sys/bus/platform/drivers/virtio-mmio/bind
until_true [ -b /dev/vda ]
[ "$(sum_of 4 2)" = "$random" ]
dd if=/random of=/dev/vda bs=64k seek=128 oflag=direct 2>/dev/null
[ "$(sum_of 8 2)" = "$random" ]
dd if=/dev/hwrng bs=512 count=1 iflag=fullblock 2>/dev/null >/entropy
say "entropy $(wc -c </entropy) $(sha256sum </entropy | cut -d' ' -f1)"

step "reading the whole disk without the cache"
sync
say "sum-after $(sum_of 0 12)"
say "interrupts $(grep virtio /proc/interrupts)"

finish 'virtio.*([Ff]ail|[Ee]rror)|nobody cared|WARNING:|BUG: |Oops'
