# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Functions for the init scripts of the guests. make_initramfs puts this file beside /init, which
# sources it.
# shellcheck shell=dash

say() { echo "GUEST: $*"; }
step() {
	doing=$*
	say "$doing"
}
forget_cache() { echo 3 >/proc/sys/vm/drop_caches; }

# until_true COMMAND...: waits until the command succeeds. A guest that waits for ever prints
# nothing, and the host's watch_guest ends the guest.
# COMMAND must not have a file pattern as an argument, but may be a function that uses a pattern.
# The shell expands arguments only once, before until_true begins. So a file that is made later
# would never match.
until_true() {
	until "$@"; do sleep 0.1; done
}

# begin: installs busybox's commands and mounts the usual file systems. From now on a failing
# command ends the guest, and the console shows the step that failed.
begin() {
	/bin/busybox --install -s /bin
	doing=starting
	# The kernel panics if its first process ends, so every exit powers the guest off.
	trap 'say "FAILED: $doing"; dmesg | tail -n 20; poweroff -f' EXIT
	set -eu
	mkdir /proc /sys /mnt
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
	say "kernel $(uname -r)"
}

load_drivers() {
	step "loading the drivers"
	while read -r module; do insmod "/modules/$module"; done </modules/order
}

# finish [PATTERN]: powers off. Fails if the kernel's log has errors of a disk, or lines that match
# the pattern.
finish() {
	doing="looking for errors in the kernel's log"
	if dmesg | grep -E "I/O error|EXT4-fs error|vd[a-z]: .*error${1:+|$1}"; then exit 1; fi
	say "powering off"
	trap - EXIT
	poweroff -f
}

has_bytes() { [ "$(blockdev --getsize64 "$1")" = "$2" ]; }

# has_disk SERIAL: succeeds if a disk has this serial number.
# disk_name SERIAL: prints the name of the disk with this serial number.
has_disk() { grep -qsx "$1" /sys/block/vd*/serial; }
disk_name() { basename "$(dirname "$(grep -lx "$1" /sys/block/vd*/serial)")"; }

# sum DISK: prints the checksum of the whole disk. Reads the disk and not the cache.
sum() {
	forget_cache
	dd if="$1" bs=1M iflag=direct 2>/dev/null | sha256sum | cut -d' ' -f1
}
# range DISK FIRST COUNT: prints COUNT sectors of the disk. Reads the disk and not the cache.
range() {
	dd if="$1" bs=64k iflag=direct,skip_bytes,count_bytes skip=$(($2 * 512)) count=$(($3 * 512)) 2>/dev/null
}
