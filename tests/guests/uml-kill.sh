#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Boots a stock Linux kernel (Debian's User Mode Linux) that writes numbered records to four disks.
# Two of the disks use io_uring. The guest reports on its console each record that a disk has
# acknowledged (kill-init.sh). Meanwhile the daemon is killed. Each acknowledged record must be at
# its offset in the disk's image, unless a later record may have overwritten it.
# usage: uml-kill.sh DAEMON DISK_IO FOLDER
#   DISK_IO  a program for the guest
#   FOLDER   for images and logs; made if it does not exist
# Unpacked Debian packages are kept in $VIRTIO_GUEST_PACKAGES, by default FOLDER/packages.
# Exits with 77 (skipped) if the packages are not available. Also exits with 77 if the test passed
# with system calls: the system has no io_uring, or the daemon was built without it. With
# VIRTIO_REQUIRE_GUESTS set, exits with 1 instead of 77, except if the system has no io_uring. The
# test fails if the daemon should use io_uring and reports that it uses system calls.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/guests/lib.sh
. "$here/lib.sh"

[ $# = 3 ] || { echo "usage: $0 DAEMON DISK_IO FOLDER" >&2; exit 2; }
daemon=$(readlink -f "$1")
disk_io=$(readlink -f "$2")
begin_test "$3" busy-0.img busy-1.img calm-0.img calm-1.img ./*.sock
# These numbers must equal the numbers in kill-init.sh and disk_io.c. Each stream has room for
# $places records of $place_bytes bytes.
streams="0 1 2 3 4 5 6 7"
places=64
place_bytes=$((9 * 512))
# The daemon is killed when each stream has at least this many acknowledged records.
enough=70

# last_of STREAM: prints the number of the stream's last acknowledged record. Ignores a last line
# that is cut off.
last_of() {
	guest_said "acknowledged $1" | awk '$1 > last { last = $1 } END { print last + 0 }'
}
have_enough() {
	for stream in $streams; do
		[ "$(last_of "$stream")" -ge "$enough" ] || return
	done
}
# place_of STREAM: sets $image to the image of the stream's disk, and $number to the stream's number
# on that disk.
place_of() {
	case $1 in
	0 | 1 | 2) image=busy-0.img number=$1 ;;
	3 | 4 | 5) image=busy-1.img number=$(($1 - 3)) ;;
	6) image=calm-0.img number=0 ;;
	7) image=calm-1.img number=0 ;;
	esac
}

# found STREAM PLACE: prints the stream's records from the image, but leaves out the record at index
# PLACE.
found() {
	place_of "$1"
	first=$((number * places))
	place_sectors=$((place_bytes / 512))
	sectors "$image" $((first * place_sectors)) $(($2 * place_sectors))
	sectors "$image" $(((first + $2 + 1) * place_sectors)) $(((places - $2 - 1) * place_sectors))
}

# wanted STREAM LAST PLACE: prints the records that the image must have if LAST is the number of the
# stream's last record. Leaves out the record at index PLACE. A record consists of lines of 16
# bytes.
wanted() {
	awk -v stream="$1" -v last="$2" -v left_out="$3" -v places="$places" -v bytes="$place_bytes" 'BEGIN {
		for (place = 0; place < places; place++)
			for (i = 0; i < bytes && place != left_out; i += 16)
				printf "%02d %012d\n", stream, last - (last - 1 - place) % places
	}'
}

need_guest guest_packages
truncate -s $((3 * places * place_bytes)) busy-0.img busy-1.img calm-0.img calm-1.img
PATH=${disk_io%/*}:$PATH make_initramfs initramfs.gz "$here/kill-init.sh" virtio_blk "${disk_io##*/}" ||
	fail "no initramfs"
choose_aio "$daemon" "$disk_io"

echo "Starting the daemon and booting a guest whose disks it serves"
start_daemon "$daemon" --blk busy-0.img,serial=busy-0,socket=0.sock --blk calm-0.img,serial=calm-0,socket=1.sock \
	--blk busy-1.img,serial=busy-1,aio="$aio",socket=2.sock \
	--blk calm-1.img,serial=calm-1,aio="$aio",socket=3.sock || fail "no daemon"
check_aio
boot_until have_enough initramfs.gz virtio_uml.device=0.sock:2 virtio_uml.device=1.sock:2 \
	virtio_uml.device=2.sock:2 virtio_uml.device=3.sock:2 ||
	fail "the guest did not write enough"
kill -KILL "$(cat daemon.pid)"
wait "$daemon_pid" 2>/dev/null || true
daemon_pid=
# Ends the guest before console.log is read. Otherwise the guest could report earlier
# acknowledgements too late, or wait for its disks forever.
stop_guest

echo "Checking on the host"
for stream in $streams; do
	last=$(last_of "$stream")
	# The record at $left_out is not compared. The kill may have interrupted the write of the
	# next record there, or the guest's report about the next record.
	left_out=$((last % places))
	wanted "$stream" "$last" "$left_out" >expected
	[ -s expected ] || fail "stream $stream: nothing to compare"
	found "$stream" "$left_out" | cmp - expected ||
		fail "stream $stream: records up to $last were acknowledged, but the image lacks some of them"
done
ok "the images have all acknowledged records; the last record of each stream is $(
	for stream in $streams; do last_of "$stream"; done | tr '\n' ' ')"
end_test
