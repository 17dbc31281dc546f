#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Boots Debian's stock kernel in QEMU without hardware virtualisation, with a disk that our daemon
# serves. The guest uses the disk (qemu-restore-init.sh). Meanwhile, five times, SIGTERM ends the
# daemon, another daemon starts with the saved state, and QEMU connects again. The guest must not
# notice. Each request completes, and each read returns what was written. Then the disk grows, and
# the last daemon notifies QEMU.
# usage: qemu-restore.sh DAEMON DISK_IO FOLDER
#   DISK_IO  a program for the guest
#   FOLDER   for the image and logs; made if it does not exist
# Unpacked Debian packages are kept in $VIRTIO_GUEST_PACKAGES, by default FOLDER/packages.
# Without the packages, exits with 77 (skipped), or with 1 if VIRTIO_REQUIRE_GUESTS is set.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/guests/lib.sh disable=SC2154 # for its variables
. "$here/lib.sh"

[ $# = 3 ] || { echo "usage: $0 DAEMON DISK_IO FOLDER" >&2; exit 2; }
daemon=$(readlink -f "$1")
disk_io=$(readlink -f "$2")
logs="console.log daemon.log qemu.log"
begin_test "$3" disk.img disk.sock state state.used
restarts=5

run_qemu() {
	timeout -k 5 "$guest_seconds" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 256 \
		-M pc,memory-backend=mem -object memory-backend-memfd,id=mem,size=256M,share=on \
		-display none -nodefaults -no-user-config -monitor none -serial file:console.log \
		-chardev socket,id=disk,path=disk.sock,reconnect=1 \
		-device vhost-user-blk-pci,chardev=disk,num-queues=2 -kernel "$kernel" -initrd initramfs.gz \
		-append "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check" \
		</dev/null >qemu.log 2>&1 9>&- &
	guest_pid=$!
	watch_guest "$guest_pid"
}

count_rounds() { grep -c "^GUEST: round" console.log 2>/dev/null || [ -f console.log ] || echo 0; }

# await_round: waits until the guest has begun and ended another round.
await_round() {
	enough=$(($(count_rounds) + 2))
	until [ "$(count_rounds)" -ge "$enough" ]; do
		kill -0 "$guest_pid" 2>/dev/null || fail "the guest has ended"
		daemon_runs || fail "the daemon died while the guest ran"
		sleep 0.1
	done
}

# serve OPTION...: starts the daemon.
serve() {
	start_daemon "$daemon" "$@" --state state --blk disk.img,serial=restored,socket=disk.sock || fail "no daemon"
}

need_guest qemu_packages
truncate -s 16M disk.img
PATH=${disk_io%/*}:$PATH make_initramfs initramfs.gz "$here/qemu-restore-init.sh" "virtio_pci virtio_blk" \
	"${disk_io##*/}" || fail "no initramfs"

echo "Starting the daemon and booting a guest in QEMU whose disk it serves"
serve
run_qemu
for number in $(seq "$restarts"); do
	await_round
	stop_daemon || fail "the daemon ended with status $?"
	[ "$(count disk.img in)" -gt 0 ] || fail "the guest did not use daemon $number"
	[ "$(count disk.img failed)" = 0 ] || fail "requests of daemon $number failed"
	[ "$(count disk.img faults)" = 0 ] || fail "daemon $number saw faults in the queues"
	serve --restore state
	[ -f state.used ] || fail "the daemon has not renamed the state to state.used, so the state could be used twice"
done
await_round
truncate -s 20M disk.img && kill -HUP "$(cat daemon.pid)"
wait_for_guest || {
	daemon_runs || fail "the daemon died while the guest ran"
	fail "QEMU ended with status $guest_status"
}
stop_daemon || fail "the daemon ended with status $?"

echo "Checking on the host"
grep -q '^GUEST: powering off' console.log || fail "the guest did not reach its end"
ok "the daemon was replaced $restarts times, in $(count_rounds) rounds of writes and reads"
[ "$(guest_said sum-of-copy)" = "$(sectors disk.img 0 16384 | sum)" ] || fail "the image lacks what the guest wrote"
[ "$(guest_said sum-at-end)" = "$(sum <disk.img)" ] || fail "the image differs from the disk"
ok "the image has what the guest wrote, and the disk has grown"
