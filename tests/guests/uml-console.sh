#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Boots a stock Linux kernel (Debian's User Mode Linux). Our vhost-user daemon serves its console,
# /dev/hvc0, and a second port, at pseudo-terminals. Random bytes go each way (console-init.sh):
# 256 KiB over the console, and 10 MiB over the port, whose reader stops for a while. The driver is
# unbound and bound again, as in a suspended guest. Then the host gives commands to a shell on the
# console.
# usage: uml-console.sh DAEMON FOLDER
#   FOLDER  for the logs; made if it does not exist
# Unpacked Debian packages are kept in $VIRTIO_GUEST_PACKAGES, by default FOLDER/packages.
# Exit status 77 (skipped): the packages cannot be had. With VIRTIO_REQUIRE_GUESTS set that is 1.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/guests/lib.sh
. "$here/lib.sh"

[ $# = 2 ] || { echo "usage: $0 DAEMON FOLDER" >&2; exit 2; }
daemon=$(readlink -f "$1")
uml_memory=128M # for the files that the guest writes
begin_test "$2" console.sock hvc data typed printed read written again shell
need_guest guest_packages

make_initramfs initramfs.gz "$here/console-init.sh" virtio_console || fail "no initramfs"
head -c 262144 /dev/urandom >typed
head -c 10485760 /dev/urandom >read

# use_console: the host's side, which follows what the guest says.
use_console() {
	await "printed "
	for _ in 0 1 2 3 4 5 6 7; do
		head -c 32768 <hvc
		printf x >hvc
	done >printed
	await "reading the console"
	cat typed >hvc
	await "writing to the port"
	# The guest fills all buffers on the way, and waits.
	sleep 2
	head -c 1000000 <data >written
	sleep 1
	head -c 9485760 <data >>written
	await "reading the port"
	cat read >data
	await "taking the driver away"
	head -n 1 <data >again
	echo "so is the host" >data
	await "serving a shell"
	# The command does not contain both bytes of the answer. The output ends with the shell's
	# last line.
	# shellcheck disable=SC2016 # for the guest's shell
	printf 'echo answer $((6 * 7))\necho end of $((1 + 1)); exit\n' >hvc
	sed '/end of 2/q' <hvc >shell
}

echo "Starting the daemon and booting a guest whose /dev/hvc0 it serves"
start_daemon "$daemon" --console pty,socket=console.sock,link=hvc,port=data:pty,link=data || fail "no daemon"
use_console >helper.log 2>&1 &
helper_pid=$!
boot initramfs.gz virtio_uml.device=console.sock:3 || {
	daemon_runs || fail "the daemon died while the guest ran"
	fail "the guest ended with status $guest_status"
}
grep -q '^GUEST: powering off' console.log || fail "the guest did not reach its end"
wait "$helper_pid" || { cat helper.log; fail "the host's side failed"; }
helper_pid=
stop_daemon || fail "the daemon ended with status $?"

for file in printed written; do
	[ "$(guest_said $file)" = "$(sum <$file)" ] || fail "the host read something else than the guest wrote: $file"
done
for file in typed read; do
	[ "$(guest_said $file)" = "$(sum <$file)" ] || fail "the guest read something else than the host wrote: $file"
done
ok "256 KiB over the console and 10 MiB over a port, each way, are what was sent"
[ "$(cat again)/$(guest_said answer)" = "the driver is back/so is the host" ] || fail "the port did not come back"
ok "console and port work again when the driver has been unbound and bound"
grep -q 'answer 42' shell || fail "the shell on the console did not answer"
ok "a shell on the console answers"
grep -q ' 0 bytes of input dropped, 0 bytes of output dropped, 0 faults$' daemon.log || fail "bytes were dropped, or faults"
ok "the daemon dropped nothing, and saw no faults"
