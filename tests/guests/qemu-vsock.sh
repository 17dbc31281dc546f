#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Boots Debian's kernel in QEMU. The front end of our daemon is QEMU's vhost-user-vsock-pci, which
# serves the event queue itself, unlike User Mode Linux. The test has the same steps as
# uml-vsock.sh, but the guest has no other virtio device.
# usage: qemu-vsock.sh DAEMON VSOCK_IO FOLDER
# VSOCK_IO is a program for guest and host. FOLDER receives the logs, and is made if needed.
# Unpacked Debian packages are kept in $VIRTIO_GUEST_PACKAGES, by default FOLDER/packages.
# Without the packages, exits with 77 (skipped), or with 1 if VIRTIO_REQUIRE_GUESTS is set.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/guests/lib.sh disable=SC2154 # for its variables
. "$here/lib.sh"
# shellcheck source=tests/guests/vsock.sh disable=SC2154 # for its variables
. "$here/vsock.sh"

[ $# = 3 ] || { echo "usage: $0 DAEMON VSOCK_IO FOLDER" >&2; exit 2; }
daemon=$(readlink -f "$1")
vsock_io=$(readlink -f "$2")
begin_vsock_test "$3"
logs="$logs qemu.log"
# The emulated processor is slow. So this test does less than uml-vsock.sh, except with LONG=1.
if [ "${LONG-}" != 1 ]; then vsock_sizes=1048576,33554432 vsock_row=500; fi

boot="console=ttyS0 quiet panic=-1 mitigations=off no_timer_check"
run_qemu() {
	timeout -k 5 "$guest_seconds" qemu-system-x86_64 -accel tcg -cpu max -m 256 \
		-M pc,memory-backend=mem -object memory-backend-memfd,id=mem,size=256M,share=on \
		-display none -nodefaults -no-user-config -monitor none -serial file:console.log \
		-chardev socket,id=vsock,path=vsock.sock -device vhost-user-vsock-pci,chardev=vsock \
		-kernel "$kernel" -initrd initramfs.gz -no-reboot \
		-append "$boot vsock_sizes=$vsock_sizes vsock_row=$vsock_row" \
		</dev/null >qemu.log 2>&1 9>&- &
	guest_pid=$!
	watch_guest "$guest_pid"
}

need_guest qemu_packages
make_vsock_initramfs "virtio_pci vsock vmw_vsock_virtio_transport" || fail "no initramfs"

echo "Starting the daemon and booting a guest in QEMU whose sockets it serves"
start_daemon "$daemon" --vsock cid=42,uds=v,socket=vsock.sock || fail "no daemon"
start_vsock_host
run_qemu
wait_for_guest || {
	daemon_runs || fail "the daemon died while the guest ran"
	fail "QEMU ended with status $guest_status"
}
end_vsock_test
