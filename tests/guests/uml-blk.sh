#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Boots a stock Linux kernel (Debian's User Mode Linux) whose disk our vhost-user daemon serves. The
# guest makes a file system, writes files and reads them back (blk-init.sh). Then the host's own
# file system tools compare the disk image with the guest's reports.
# usage: uml-blk.sh DAEMON FOLDER
#   FOLDER  for the image and the logs; made if it does not exist
# Unpacked Debian packages are kept in $VIRTIO_GUEST_PACKAGES, by default FOLDER/packages.
# Without the packages, exits with 77 (skipped), or with 1 if VIRTIO_REQUIRE_GUESTS is set.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/guests/lib.sh
. "$here/lib.sh"

[ $# = 2 ] || { echo "usage: $0 DAEMON FOLDER" >&2; exit 2; }
daemon=$(readlink -f "$1")
begin_test "$2" disk.img blk.sock files
image_bytes=$((64 * 1024 * 1024))
need_guest guest_packages

truncate -s "$image_bytes" disk.img
make_initramfs initramfs.gz "$here/blk-init.sh" virtio_blk mkfs.ext4 || fail "no initramfs"

echo "Starting the daemon and booting a guest whose /dev/vda it serves"
start_daemon "$daemon" --blk disk.img,serial=uml-blk,socket=blk.sock || fail "no daemon"
boot initramfs.gz virtio_uml.device=blk.sock:2 || {
	daemon_runs || fail "the daemon died while the guest ran"
	fail "the guest ended with status $guest_status"
}
stop_daemon || fail "the daemon ended with status $?"

echo "Checking on the host"
grep -q '^GUEST: powering off' console.log || fail "the guest did not reach its end"
[ "$(guest_said disk-bytes)" = "$image_bytes" ] || fail "the guest saw a disk of a wrong size"
[ "$(guest_said disk-serial)" = uml-blk ] || fail "the guest saw a wrong serial number"
[ "$(guest_said disk-sha256)" = "$(sha256sum <disk.img | cut -d' ' -f1)" ] ||
	fail "the image differs from the guest's disk"
ok "all $image_bytes bytes of the image are what the guest read"

e2fsck -fn disk.img >e2fsck.log 2>&1 || { cat e2fsck.log; fail "e2fsck finds errors"; }
ok "e2fsck finds the file system clean"

guest_said sha256 >sums
[ -s sums ] || fail "the guest named no files"
debugfs -R 'rdump /files .' disk.img 2>/dev/null >&2
(cd files && sha256sum --quiet -c ../sums 2>/dev/null) || fail "files in the image differ from what the guest wrote"
files_bytes=$(cat files/* | wc -c)
ok "$(wc -l <sums) files ($files_bytes bytes), extracted from the image, are equal to what the guest wrote"

# The guest reads its files twice and the whole disk once. These reads must reach the disk, and not
# the guest's cache. So the daemon must have read at least as many bytes.
[ "$(count disk.img 'bytes written')" -ge "$files_bytes" ] || fail "fewer bytes written than the guest's files have"
[ "$(count disk.img 'bytes read')" -ge $((image_bytes + 2 * files_bytes)) ] || fail "the guest read its cache and not the disk"
for kind in in out flush get-id; do
	[ "$(count disk.img "$kind")" -gt 0 ] || fail "no request of type $kind"
done
[ "$(count disk.img failed)" = 0 ] || fail "requests failed"
[ "$(count disk.img faults)" = 0 ] || fail "the daemon saw faults in the queue"
ok "the daemon served every kind of request; none failed"
