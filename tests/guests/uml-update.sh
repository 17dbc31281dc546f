#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Boots a stock Linux kernel (Debian's User Mode Linux). One daemon of ours serves the guest's disk,
# console with a port, and sockets. While the guest uses all devices, the daemon's file is
# replaced ten times, or 100 times with LONG=1. SIGUSR1 makes the daemon execute the new file. The
# guest must not notice (update-init.sh):
#   - Each read from the disk returns what was written, and at the end the image has the same data.
#   - Numbered lines on the console, and on the port in both directions, arrive once and in order.
#     The port's reader is slow, so the daemon has buffered bytes for the reader at each update.
#   - Streams in both directions, and records, carry the right bytes. One stream has a reader that
#     stops for a while.
# No update may fail, and the number of the daemon's open descriptors must not grow. virtio-state
# must read each saved state.
# usage: uml-update.sh DAEMON VIRTIO_STATE DISK_IO VSOCK_IO FOLDER
#   DISK_IO, VSOCK_IO  programs for the guest; VSOCK_IO runs on the host, too
#   FOLDER             for the logs; made if it does not exist
# Unpacked Debian packages are kept in $VIRTIO_GUEST_PACKAGES, by default FOLDER/packages.
# Without the packages, exits with 77 (skipped), or with 1 if VIRTIO_REQUIRE_GUESTS is set.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/guests/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/guests/vsock.sh
. "$here/vsock.sh"

[ $# = 5 ] || { echo "usage: $0 DAEMON VIRTIO_STATE DISK_IO VSOCK_IO FOLDER" >&2; exit 2; }
daemon=$(readlink -f "$1")
virtio_state=$(readlink -f "$2")
disk_io=$(readlink -f "$3")
vsock_io=$(readlink -f "$4")
uml_memory=128M
updates=10
[ -z "${LONG-}" ] || updates=100
devices=3
begin_vsock_test "$5" blk.sock console.sock disk.img hvc data printed numbers enough state state.text errors \
	daemon daemon.new
logs="$logs helper.log"
need_guest guest_packages

PATH=${disk_io%/*}:${vsock_io%/*}:$PATH make_initramfs initramfs.gz "$here/update-init.sh" \
	"virtio_blk virtio_console vsock vmw_vsock_virtio_transport" "${disk_io##*/}" "${vsock_io##*/}" ||
	fail "no initramfs"
truncate -s 8M disk.img

# give_up WORDS: fails the host's side with this message.
give_up() {
	echo "FAILED: $*"
	exit 1
}

count_files() { find "/proc/$(cat daemon.pid)/fd" -mindepth 1 | wc -l; }
guest_runs() { [ -s guest.pid ] && kill -0 "$(cat guest.pid)"; }
# count_rounds [NAME]: prints how many rounds of work the guest has done, in all or of one kind.
count_rounds() { grep -c "^GUEST: round of ${1-}" console.log || true; }

# install_daemon: makes a new file, because a running program's file cannot be written.
install_daemon() {
	cp "$daemon" daemon.new
	mv daemon.new daemon
}

# await_lines COUNT: waits for COUNT more lines from the console. Fails if 300 rounds of the guest's
# other work pass first.
await_lines() {
	lines=$(($(wc -l <printed) + $1)) rounds=$(($(count_rounds) + 300))
	while [ "$(wc -l <printed)" -lt "$lines" ]; do
		[ "$(count_rounds)" -lt "$rounds" ] || give_up "the console prints nothing more"
		sleep 0.1
	done
}

# update NUMBER: updates the daemon, and waits until the new program serves all devices.
update() {
	install_daemon
	kill -USR1 "$(cat daemon.pid)" || give_up "the daemon has ended"
	rounds=$(($(count_rounds) + 300))
	while [ "$(grep -c '^continuing on' daemon.log)" -lt $(($1 * devices)) ]; do
		daemon_runs || give_up "the daemon died in update $1"
		! grep 'not updated\|the old program' daemon.log || give_up "update $1 failed"
		[ "$(count_rounds)" -lt "$rounds" ] || give_up "update $1 does not begin"
		sleep 0.1
	done
	[ "$(readlink "/proc/$(cat daemon.pid)/exe")" = "$(readlink -f daemon)" ] ||
		give_up "the old program still runs after update $1"
	"$virtio_state" state >state.text 2>errors || { cat errors; give_up "the state of update $1 is bad"; }
	[ ! -s errors ] || { cat errors; give_up "virtio-state warns about the state of update $1"; }
}

# type_lines: writes lines to the port until the file `enough` exists. The last line has the number
# of lines before it.
type_lines() {
	i=0
	until [ -e enough ]; do
		seq -f 'line %.0f' $((i + 1)) $((i + 100))
		i=$((i + 100))
		sleep 0.05
	done
	echo "end $i"
}

# read_numbers: reads numbers from the port, more slowly than the guest writes them.
read_numbers() {
	while :; do
		dd bs=4k count=5 2>/dev/null
		sleep 0.2
	done
}

# use_sockets: sends streams to the guest until the file `enough` exists.
use_sockets() {
	until [ -e enough ]; do
		"$vsock_io" stream through:v:1000 8388608 || return
		echo "host: 8388608 bytes each way" >>host.log
	done
}

# use_guest: does the host's side of the test. No connection is open at the start and at the end. So
# the daemon must have the same number of open descriptors at both times.
use_guest() {
	await "ready"
	before=$(count_files)
	echo begin >data
	await "using all"
	read_numbers <data >numbers &
	echo $! >>servers
	type_lines >data &
	echo $! >>servers
	use_sockets &
	sockets=$!
	echo $! >>servers
	for number in $(seq "$updates"); do
		await_lines 100
		update "$number"
	done
	await_lines 100
	: >enough
	wait "$sockets" || give_up "a stream from the host failed"
	await "used all"
	for file in printed numbers; do
		until tail -n 1 $file | grep -q '^end'; do
			guest_runs || give_up "the last line is missing: $file"
			sleep 0.1
		done
	done
	# The daemon closes a connection's socket a little later than the guest closes the
	# connection. If the daemon never closes a socket, watch_guest ends the guest.
	while [ "$(count_files)" != "$before" ]; do
		guest_runs || give_up "the daemon has $(count_files) open descriptors; at the start it had $before"
		sleep 0.1
	done
	echo "descriptors $before"
	echo off >data
}

# run_host: runs use_guest. Ends the guest if use_guest fails.
run_host() {
	trap '[ -n "${good-}" ] || end_uml' EXIT
	cat hvc >printed &
	echo $! >>servers
	use_guest
	good=1
}

echo "Starting the daemon and booting a guest with a disk, a console and sockets"
install_daemon
start_daemon "$PWD/daemon" --state state --blk disk.img,serial=updated,socket=blk.sock \
	--console pty,full=wait,socket=console.sock,link=hvc,port=data:pty,link=data \
	--vsock cid=42,uds=v,socket=vsock.sock || fail "no daemon"
vsock_server unix:v_1000
vsock_server sequnix:v_1002
run_host >helper.log 2>&1 9>&- &
helper_pid=$!
boot initramfs.gz virtio_uml.device=blk.sock:2 virtio_uml.device=console.sock:3 virtio_uml.device=vsock.sock:19 || {
	daemon_runs || fail "the daemon died while the guest ran"
	fail "the guest ended with status $guest_status"
}
grep -q '^GUEST: powering off' console.log || fail "the guest did not reach its end"
wait "$helper_pid" || fail "the host's side failed"
helper_pid=
kill_servers
stop_daemon || fail "the daemon ended with status $?"

ok "the daemon was updated $updates times to a new program, and virtio-state reads each state"
ok "it had $(sed -n 's/^descriptors //p' helper.log) open descriptors before and after"
[ "$(guest_said sha256)" = "$(sum <disk.img)" ] || fail "the disk lacks what the guest wrote"
ok "a disk: $(count_rounds disk) rounds of writes and reads"
count=$(($(wc -l <printed) - 1))
{ seq -f 'line %.0f' "$count"; echo "end $count"; } | cmp - printed || fail "lines were lost, doubled or changed"
ok "the console: $count lines"
count=$(($(wc -l <numbers) - 1))
{ seq "$count"; echo "end $count"; } | cmp - numbers || fail "lines on the port were lost, doubled or changed"
ok "the port: $count lines from the guest, and $(guest_said 'lines read') to it"
for name in disk stream stopped; do
	[ "$(count_rounds "$name")" -gt 0 ] || fail "the guest did not do: $name"
done
grep -q '^host: ' host.log || fail "the host has sent no stream"
ok "streams of 8 MiB each way: $(count_rounds stream) by the guest, $(grep -c '^host: ' host.log) by the host"
ok "stopped readers and records: $(count_rounds stopped)"
! grep 'not updated\|the old program' daemon.log || fail "an update failed"
grep -q '^console .* 0 bytes of input dropped, 0 bytes of output dropped, 0 faults$' daemon.log ||
	fail "the daemon dropped bytes of the console, or saw faults"
grep -q '^vsock .* 0 records that can.t be carried, 0 faults$' daemon.log || fail "the daemon saw faults of sockets"
