#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Runs Linux's own vsock_test between two guests (Debian's User Mode Linux). One daemon of ours
# serves both guests. The guests are in one group, so they can connect to each other. vsock_test
# coordinates its two sides by a TCP connection, which goes through a console port of each guest.
# usage: uml-vsock-test.sh DAEMON CC... FOLDER
# CC compiles vsock_test. FOLDER receives the logs, and is made if needed.
# Linux's files are GPL-2. The test compiles these files from Debian's package of the kernel source,
# and no part of them enters this project. Unpacked Debian packages are kept in
# $VIRTIO_GUEST_PACKAGES, by default FOLDER/packages.
# Without the packages, exits with 77 (skipped), or with 1 if VIRTIO_REQUIRE_GUESTS is set.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/guests/lib.sh disable=SC2154 # for its variables
. "$here/lib.sh"

[ $# -ge 3 ] || { echo "usage: $0 DAEMON CC... FOLDER" >&2; exit 2; }
daemon=$(readlink -f "$1")
shift
compiler=
while [ $# -gt 1 ]; do
	compiler="$compiler $1"
	shift
done
# run_uml uses this variable.
# shellcheck disable=SC2034
uml_memory=96M
begin_test "$1" server client built cases s s_seqpacket c c_seqpacket control-server control-client \
	hvc-server hvc-client relays
logs="server/console.log client/console.log daemon.log"
source="linux-source-6.1"

# all_packages DIRECTORY: calls guest_packages, and unpacks vsock_test from the kernel's source.
# Sets $linux.
all_packages() {
	guest_packages "$1" || return
	linux=$1/$source-vsock/$source
	[ -d "$linux" ] && return
	unpack_package "$1" "$source" || return
	alone "$1" unpack_vsock_test "$1"
}

unpack_vsock_test() {
	[ -d "$linux" ] && return
	rm -rf "$1/$source-vsock.part"
	mkdir -p "$1/$source-vsock.part" || return
	# The folder gets its final name only when it is complete.
	tar -xJf "$1/$source/usr/src/$source.tar.xz" -C "$1/$source-vsock.part" \
		"$source/tools/testing/vsock" "$source/tools/include" &&
		mv "$1/$source-vsock.part" "$1/$source-vsock"
}

# build_vsock_test: compiles vsock_test with longer time limits, because the machine may be busy.
build_vsock_test() {
	mkdir -p built
	for name in timeout control util vsock_test; do
		sed 's/^#define READ_OVERHEAD_NSEC.*/#define READ_OVERHEAD_NSEC 60000000000L/
			s/alarm(seconds)/alarm(60 * seconds)/' "$linux/tools/testing/vsock/$name.c" >"built/$name.c"
	done
	# shellcheck disable=SC2086 # a list of words
	$compiler -w -O2 -D_GNU_SOURCE -I "$linux/tools/testing/vsock" -I "$linux/tools/include" \
		-o built/vsock_test built/timeout.c built/control.c built/util.c built/vsock_test.c
}

# each_guest COMMAND...: runs the command in the folder of each guest.
each_guest() {
	for side in server client; do
		[ ! -d "$side" ] || (cd "$side" && "$@") || true
	done
}

end_all() {
	each_guest end_uml
	[ ! -s relays ] || while read -r pid; do kill "$pid" 2>/dev/null || true; done <relays
	kill_guest
}
trap end_all EXIT

# relay FROM TO: copies bytes from one file to another, in the background.
relay() {
	cat <"$1" >"$2" 2>/dev/null 9>&- &
	echo $! >>relays
}

# device SIDE CID: prints the daemon's arguments for the devices of one guest.
device() {
	echo "--console file=hvc-$1,socket=console-$1.sock,port=control:pty,link=control-$1" \
		"--vsock cid=$2,uds=$(echo "$1" | cut -c1),socket=vsock-$1.sock,group=both"
}

# run_guest SIDE PEER-CID: boots a guest, and returns when the guest has ended.
run_guest() (
	mkdir -p "$1" && cd "$1" || exit
	boot ../initramfs.gz "virtio_uml.device=../console-$1.sock:3" "virtio_uml.device=../vsock-$1.sock:19" \
		side="$1" peer="$2" | sed -u "s/guest: /$1: /"
)

need_guest all_packages
build_vsock_test || fail "vsock_test cannot be compiled"
make_initramfs initramfs.gz "$here/vsock-test-init.sh" \
	"virtio_console vsock vmw_vsock_virtio_transport" "$PWD/built/vsock_test" || fail "no initramfs"

echo "Starting the daemon and booting two guests in one group"
# shellcheck disable=SC2046 # lists of words
start_daemon "$daemon" $(device server 3) $(device client 4) || fail "no daemon"
relay control-server control-client
relay control-client control-server
run_guest server 4 &
server_pid=$!
run_guest client 3 || true
wait "$server_pid" || true
daemon_runs || fail "the daemon died while the guests ran"
stop_daemon || fail "the daemon ended with status $?"

# vsock_test writes lines such as "3 - SOCK_STREAM server close...ok". With --list and no mode it
# lists its cases, and exits with 1.
built/vsock_test --list | sed '1d; s/^[0-9]*\t//' >cases
[ "$(wc -l <cases)" -ge 11 ] || fail "vsock_test has fewer than 11 cases"
while read -r case; do
	for side in server client; do
		grep -qF -- "- $case...ok" $side/console.log || fail "the $side did not pass: $case"
	done
	ok "$case"
done <cases
for side in server client; do
	grep -q '^GUEST: powering off' $side/console.log || fail "the $side did not reach its end"
done
[ "$(grep -c '^vsock .* 0 records that can.t be carried, 0 faults$' daemon.log)" = 2 ] || fail "the daemon saw faults"
ok "$(wc -l <cases) cases between two guests of Linux $(cd server && guest_said kernel); none was left out"
