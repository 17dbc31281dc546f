#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Boots a stock Linux kernel (Debian's User Mode Linux). Our vhost-user daemon serves the guest's
# console /dev/hvc0 and a second port, both as pseudo-terminals, and a disk. Guest and daemon share
# one processor. The test has these steps (console-init.sh is the guest's part):
#   - The guest reads what was typed before its boot.
#   - Random bytes go each way: 256 KiB over the console, and 10 MiB over the port, whose reader
#     stops for a while. Meanwhile the guest writes the disk.
#   - The port is unplugged while the guest writes to it, and plugged in again.
#   - The driver is unbound and bound again, as when a guest suspends and resumes.
#   - The guest writes 100,000 single lines to the console.
#   - The host types commands for a shell on the console, and changes the console's size.
# A second guest has a console without the feature MULTIPORT.
# usage: uml-console.sh DAEMON FOLDER [alone]
#   FOLDER  for the logs and the shells' output; made if it does not exist
#   alone   tests the second guest only
# Unpacked Debian packages are kept in $VIRTIO_GUEST_PACKAGES, by default FOLDER/packages.
# Without the packages, exits with 77 (skipped), or with 1 if VIRTIO_REQUIRE_GUESTS is set.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/guests/lib.sh
. "$here/lib.sh"

case $#${3-} in
2 | 3alone) ;;
*) echo "usage: $0 DAEMON FOLDER [alone]" >&2; exit 2 ;;
esac
daemon=$(readlink -f "$1")
uml_memory=128M # for the files that the guest writes
lines=100000
begin_test "$2" console.sock control.sock blk.sock disk.img hvc data typed printed sent written \
	removed added again printed-lines shell alone
need_guest guest_packages
# Puts all processes of this shell on one processor.
taskset -pc "$(taskset -pc $$ | sed 's/.*[ ,-]//')" $$ >/dev/null

make_initramfs initramfs.gz "$here/console-init.sh" "virtio_blk virtio_console" || fail "no initramfs"
head -c 262144 /dev/urandom >typed
head -c 10485760 /dev/urandom >sent
truncate -s 10485760 disk.img

# command WORDS: sends a command to the daemon's control socket, and waits for the reply "ok".
command() {
	python3 -c '
import socket, sys
with socket.socket(socket.AF_UNIX) as control:
    control.connect("control.sock")
    control.sendall(sys.argv[1].encode() + b"\n")
    answer = control.makefile().readline()
sys.exit(0 if answer == "ok\n" else sys.argv[1] + ": " + answer)' "$*"
}

# enter WORDS: types WORDS on the console.
enter() { printf '%s\n' "$*" >hvc; }

# use_shell: types commands for the guest's shell, and reads the output of each command up to its
# last line. The command itself does not contain that line, so the command's echo does not end the
# reading.
# shellcheck disable=SC2016 # for the guest's shell
use_shell() {
	await "serving a shell"
	# Waits for the prompt, because the terminal echoes a command twice if the command arrives
	# before the prompt.
	sed -u '/^guest:/q' <hvc
	enter 'stty size; echo before $((1 + 1))'
	sed -u '/^before 2/q' <hvc
	command size 132x50
	enter 'until [ "$(stty size)" = "50 132" ]; do sleep 0.1; done; stty size; echo answer $((6 * 7)); exit'
	sed -u '/^answer 42/q' <hvc
}

# use_console: does the host's part of each step, when the guest reports that step.
use_console() {
	# The guest's terminal echoes the typed words.
	sed -u '/^typed before/q' <hvc
	await "printed "
	for _ in 0 1 2 3 4 5 6 7; do
		head -c 32768 <hvc
		printf x >hvc
	done >printed
	await "reading the console"
	cat typed >hvc
	await "writing to the port, and"
	# Reads nothing at first, so the guest fills all buffers, and its write blocks.
	sleep 2
	head -c 1000000 <data >written
	sleep 1
	head -c 9485760 <data >>written
	await "reading the port"
	cat sent >data
	await "writing to the port that goes"
	head -c 100000 <data >removed
	command remove data
	await "waiting for the port"
	command add data
	head -n 1 <data >added
	echo "so is the host" >data
	await "unbinding the driver"
	head -n 1 <data >again
	echo "so is the host" >data
	await "printing lines"
	i=0
	while [ "$i" -lt "$lines" ]; do
		i=$((i + 1000))
		sed -u "/^line $i\$/q" <hvc
		printf x >hvc
	done >printed-lines
	use_shell >shell
}

# try_guest ARGUMENT...: boots a guest, and waits until the guest and the background process
# $helper_pid have ended. Then stops the daemon.
try_guest() {
	boot initramfs.gz early "$@" || {
		daemon_runs || fail "the daemon died while the guest ran"
		fail "the guest ended with status $guest_status"
	}
	grep -q '^GUEST: powering off' console.log || fail "the guest did not reach its end"
	wait "$helper_pid" || { cat helper.log; fail "the host's side failed"; }
	helper_pid=
	stop_daemon || fail "the daemon ended with status $?"
}

# expect_shell FILE: checks the shell's output in the file.
expect_shell() {
	tr -d '\r' <"$1" >"$1.text"
	for line in '30 100' '50 132' 'answer 42'; do
		grep -qx "$line" "$1.text" || { cat "$1.text"; fail "the shell on the console did not answer: $line"; }
	done
}

# test_all: tests the first guest, which has a disk, and a console with a second port.
test_all() {
	echo "Starting the daemon and booting a guest whose /dev/hvc0 and /dev/vda it serves"
	start_daemon "$daemon" --blk disk.img,socket=blk.sock \
		--console pty,socket=console.sock,link=hvc,size=100x30,control=control.sock,port=data:pty,link=data ||
		fail "no daemon"
	enter 'typed before the boot'
	use_console >helper.log 2>&1 &
	helper_pid=$!
	try_guest virtio_uml.device=blk.sock:2 virtio_uml.device=console.sock:3 "lines=$lines"

	[ "$(guest_said early)" = 'typed before the boot' ] || fail "input from before the boot was lost"
	ok "input that was typed before the guest's boot arrives"
	for file in printed written; do
		[ "$(guest_said $file)" = "$(sum <$file)" ] || fail "the host read something else than the guest wrote: $file"
	done
	for file in typed sent; do
		[ "$(guest_said $file)" = "$(sum <$file)" ] || fail "the guest read something else than the host wrote: $file"
	done
	ok "256 KiB over the console and 10 MiB over a port, each way, are what was sent"
	[ "$(guest_said disk)/$(guest_said written)" = "$(sum <disk.img)/$(sum <disk.img)" ] ||
		fail "the disk lacks what the guest wrote"
	ok "the disk has what the guest wrote at the same time"
	[ "$(cat added)/$(guest_said port-answer)" = "the port is back/so is the host" ] || fail "the port did not come back"
	ok "a port that was unplugged while the guest wrote works again when it is plugged in"
	[ "$(cat again)/$(guest_said answer)" = "the driver is back/so is the host" ] || fail "the driver did not come back"
	ok "console and port work again when the driver has been unbound and bound"
	seq -f 'line %.0f' "$lines" | cmp - printed-lines || fail "lines were lost or changed"
	ok "$lines single lines arrived in order, with guest and daemon on one processor"
	expect_shell shell
	ok "a shell on the console answers, and learns the terminal's sizes"
	dropped=$(sed -n 's/^console .* \([0-9]*\) bytes of input dropped, \([0-9]*\) bytes of output dropped, 0 faults$/\1 \2/p' daemon.log)
	# Only output of the unplugged port may be dropped.
	case $dropped in
	"0 "*) [ "${dropped#* }" -le 65536 ] || fail "output was dropped: $dropped bytes" ;;
	*) fail "the daemon dropped input, or saw faults" ;;
	esac
	ok "the daemon dropped nothing but output of the unplugged port, and saw no faults"
}

# test_alone: tests the second guest, which has a console and no other port.
test_alone() {
	echo "Booting a guest with a console alone"
	rm -f console.log
	start_daemon "$daemon" --console pty,socket=console.sock,link=hvc,size=100x30,control=control.sock ||
		fail "no daemon"
	enter 'typed before the boot'
	use_shell >alone 2>helper.log &
	helper_pid=$!
	try_guest virtio_uml.device=console.sock:3 alone
	[ "$(guest_said early)" = 'typed before the boot' ] || fail "input from before the boot was lost"
	expect_shell alone
	ok "a console without MULTIPORT has a shell that learns the terminal's sizes"
}

[ $# = 3 ] || test_all
test_alone
