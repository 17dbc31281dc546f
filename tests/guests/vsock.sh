# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Functions of the host's side of the guest tests with sockets. Source this file after lib.sh.
# shellcheck shell=sh disable=SC2154

# shellcheck disable=SC2034 # used by scripts that source this file
if [ "${LONG-}" = 1 ]; then
	vsock_sizes="1048576,67108864,1073741824" vsock_row=20000
else
	vsock_sizes="1048576,67108864" vsock_row=2000
fi

# begin_vsock_test FOLDER FILE...: calls begin_test, and also removes old socket files. Ends all
# processes when the test ends.
begin_vsock_test() {
	folder=$1
	shift
	begin_test "$folder" v v_seqpacket v_1000 v_1001 v_1002 vsock.sock host.log helper.log servers "$@"
	logs="console.log daemon.log host.log"
	trap 'kill_servers; kill_guest' EXIT
}

kill_servers() {
	[ -s servers ] || return 0
	while read -r pid; do kill -KILL "$pid" 2>/dev/null || true; done <servers
	rm -f servers
}

# make_vsock_initramfs MODULES: makes the initramfs with these modules, vsock-init.sh and vsock_io.
make_vsock_initramfs() {
	PATH=${vsock_io%/*}:$PATH make_initramfs initramfs.gz "$here/vsock-init.sh" "$1" "${vsock_io##*/}"
}

# vsock_server ADDRESS: starts a server in the background.
vsock_server() {
	"$vsock_io" serve "$1" >>host.log 2>&1 9>&- &
	echo $! >>servers
}

# host_step WORDS COMMAND...: runs vsock_io with this command, as a client of the guest's servers.
host_step() {
	what=$1
	shift
	"$vsock_io" "$@" || { echo "FAILED: $what" >>host.log; return 1; }
	echo "host: $what" >>host.log
}

# use_guest: waits until the guest listens, and uses the guest's servers. The last step kills a
# server, and then the guest powers off.
use_guest() {
	await "listening"
	for size in $(echo "$vsock_sizes" | tr , ' '); do
		host_step "$size bytes each way" stream through:v:1000 "$size"
	done
	host_step "1000 connections at once" many through:v:1000 1000
	host_step "$vsock_row connections in a row" row through:v:1000 "$vsock_row"
	host_step "a guest that stops reading" stopped through:v:1000
	host_step "a port that nobody listens on" refused through:v:4242
	host_step "records" records seqthrough:v_seqpacket:1002
	host_step "a killed guest program" kill through:v:1001
}

start_vsock_host() {
	vsock_server unix:v_1000
	vsock_server unix:v_1001
	vsock_server sequnix:v_1002
	(set -e; use_guest) >helper.log 2>&1 9>&- &
	helper_pid=$!
}

# end_vsock_test: checks what both sides have reported. Call this function after the guest's end.
end_vsock_test() {
	grep -q '^GUEST: powering off' console.log || fail "the guest did not reach its end"
	for size in $(echo "$vsock_sizes" | tr , ' '); do
		guest_said "$size bytes" | grep -q '^each way' || fail "the guest did not send $size bytes"
	done
	wait "$helper_pid" || { cat helper.log >&2; fail "the host's side failed"; }
	helper_pid=
	kill_servers
	stop_daemon || fail "the daemon ended with status $?"
	ok "Linux $(guest_said kernel) connected to the host, and the host to it: streams of $vsock_sizes bytes each way"
	ok "1000 connections at once and $vsock_row in a row, half-closes, a stopped reader, refusals, killed peers, records"
	grep -q '^vsock .* 0 records that can.t be carried, 0 faults$' daemon.log || fail "the daemon saw faults"
	ok "$(sed -n 's/^vsock [^:]*: //p' daemon.log)"
}

# exchange_messages: the guest sends a message to a program of the host, and receives a message.
exchange_messages() {
	start_daemon "$daemon" --vsock cid=42,uds=v,socket=vsock.sock || fail "no daemon"
	vsock_server unix:v_1000
	(
		set -e
		await "listening"
		"$vsock_io" message through:v:1000 "Hello, guest 42: this is the host"
	) >helper.log 2>&1 9>&- &
	helper_pid=$!
	boot initramfs.gz virtio_uml.device=vsock.sock:19 only=message || fail "the guest ended with status $guest_status"
	wait "$helper_pid" || { cat helper.log >&2; fail "the host's side failed"; }
	helper_pid=
	kill_servers
	stop_daemon || fail "the daemon ended with status $?"
	grep -q '^message: Hello, host' host.log || fail "the host has no message"
	guest_said message: | grep -q '^Hello, guest' || fail "the guest has no message"
	ok "to the host by port 1000 of CID 2:  $(sed -n 's/^message: //p' host.log)"
	ok "to the guest by CONNECT 1000:       $(guest_said message:)"
}
