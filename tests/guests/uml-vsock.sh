#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Boots a stock Linux kernel (Debian's User Mode Linux). One daemon of ours serves the guest's disk,
# console and sockets. vsock-init.sh on the guest and vsock.sh on the host send streams and records
# through the sockets in both directions.
# usage: uml-vsock.sh DAEMON VSOCK_IO FOLDER [message]
# VSOCK_IO is a program for guest and host. FOLDER receives the logs, and is made if needed.
# With `message` the test sends a single message in each direction.
# Unpacked Debian packages are kept in $VIRTIO_GUEST_PACKAGES, by default FOLDER/packages.
# With LONG=1 the longest stream has 1 GiB, and 20,000 connections are made one after the other.
# Without the packages, exits with 77 (skipped), or with 1 if VIRTIO_REQUIRE_GUESTS is set.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/guests/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/guests/vsock.sh
. "$here/vsock.sh"

[ $# = 3 ] || { [ $# = 4 ] && [ "$4" = message ]; } || { echo "usage: $0 DAEMON VSOCK_IO FOLDER [message]" >&2; exit 2; }
only=${4-}
daemon=$(readlink -f "$1")
vsock_io=$(readlink -f "$2")
uml_memory=256M
begin_vsock_test "$3" blk.sock console.sock disk.img hvc
need_guest guest_packages

make_vsock_initramfs "virtio_blk virtio_console vsock vmw_vsock_virtio_transport" || fail "no initramfs"
truncate -s 1M disk.img

if [ "$only" = message ]; then
	exchange_messages
	exit
fi

echo "Starting the daemon and booting a guest with a disk, a console and sockets"
start_daemon "$daemon" --blk disk.img,serial=vsock-disk,socket=blk.sock --console file=hvc,socket=console.sock \
	--vsock cid=42,uds=v,socket=vsock.sock || fail "no daemon"
start_vsock_host
boot initramfs.gz virtio_uml.device=blk.sock:2 virtio_uml.device=console.sock:3 virtio_uml.device=vsock.sock:19 \
	"vsock_sizes=$vsock_sizes" vsock_row="$vsock_row" devices=all || {
	daemon_runs || fail "the daemon died while the guest ran"
	fail "the guest ended with status $guest_status"
}
end_vsock_test
grep -q 'a line on the console' hvc || fail "the console's output is missing"
[ "$(head -c 15 disk.img)" = "a line on disk " ] || fail "the disk lacks what the guest wrote"
ok "the disk and the console of the same guest worked meanwhile"
