#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Runs the shell examples of the daemon's README in a temporary folder, with the daemon in PATH.
# usage: daemon.sh README DAEMON VIRTIO_STATE
set -eu
readme=$1
work=$(mktemp -d)
trap '[ -z "$pid" ] || kill "$pid" || true; rm -r "$work"' EXIT
pid=
daemon= # the example "state" sets this to the daemon's process ID
mkdir "$work/bin"
cp "$2" "$work/bin/virtio-vhost-user"
cp "$3" "$work/bin/virtio-state"
PATH=$work/bin:$PATH
cd "$work"

fail() {
	echo "FAILED: $*" >&2
	cat errors >&2
	exit 1
}

# example STEP: writes the block of this step to STEP.sh.
example() {
	awk -v step="$1" '
		$0 == "<!-- run by tests/readme/daemon.sh: " step " -->" { wanted = 1; next }
		wanted && /^```sh$/ { wanted = 0; inside = 1; found++; next }
		/^```$/ { inside = 0 }
		inside { print }
		END { exit found != 1 }' "$readme" >"$1.sh" || fail "$readme has no example $1, or more than one"
}

# await COMMAND...: repeats the command until it succeeds. Fails if the daemon ends.
await() {
	until "$@" 2>/dev/null; do
		kill -0 "$pid" || fail "the daemon has ended before: $*"
		sleep 0.05
	done
}

# end FILE...: ends the daemon by SIGTERM. The daemon must print no error, and must remove these
# files: its sockets and its links to terminals.
end() {
	kill -TERM "$pid"
	wait "$pid" || fail "the daemon's exit status is $?"
	pid=
	[ ! -s errors ] || fail "unexpected messages"
	for file; do
		[ ! -e "$file" ] || fail "the daemon has not removed $file"
	done
}

# The examples run in this shell, so $! is the daemon. Their output is the output of the daemon.
example start
. ./start.sh >output 2>errors
pid=$!
await grep -q '^listening on disk.sock$' output
[ -S disk.sock ] || fail 'disk.sock is not a socket'
end disk.sock
grep -q 'disk.img' output || fail 'the output has no summary of disk.img'

example console
. ./console.sh >output 2>errors
pid=$!
await grep -q '^listening on console.sock$' output
[ -c console.pty ] || fail 'the link console.pty does not lead to a terminal'
[ -S data.sock ] || fail 'data.sock is not a socket'
example log
. ./log.sh >>output 2>errors
[ -f old.log ] || fail 'the log was not moved'
await test -f console.log
end console.sock console.pty data.sock

example state
. ./state.sh >output 2>errors
pid=$!
await grep -q '^listening on disk.sock$' output
cp bin/virtio-vhost-user virtio-vhost-user.new
example update
# The example "update" sends a signal to $daemon. The update does not change the process ID.
[ "$daemon" = "$pid" ] || fail 'the example has another process ID than the daemon'
. ./update.sh >>output 2>errors
await grep -q '^continuing on disk.sock$' output
[ ! -e virtio-vhost-user.new ] || fail 'the program was not replaced'
example print
. ./print.sh >printed 2>errors
grep -q '  capacity: 2097152 ' printed || fail 'the state has no disk of 1 GiB'
example restore
. ./restore.sh >output 2>errors
pid=$!
await grep -q '^listening on disk.sock$' output
[ -f virtio.state.used ] || fail 'the used state was not renamed, so it could be used twice'
end disk.sock
[ -f virtio.state ] || fail 'no state was saved'
echo "ok: 7 examples"
