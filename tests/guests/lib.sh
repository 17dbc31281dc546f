# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Shell functions of the demo, the test command and the guest tests. The functions fetch Debian
# packages, make an initramfs, and boot User Mode Linux: a Linux kernel that runs as an ordinary
# process and gets its virtio devices from vhost-user sockets. Source this file in a POSIX shell. A
# function that cannot get a package prints what is missing or wrong, and fails. The caller decides
# whether the failure is an error or a skip.
# shellcheck shell=sh

# mkfs.ext4, e2fsck and debugfs are installed in folders that an ordinary user's PATH lacks.
PATH=$PATH:/usr/sbin:/sbin

# `timeout` ends a guest or a daemon after this many seconds. The limit does not detect a hang;
# watch_guest does.
guest_seconds=6000
# A guest hangs if this many checks in a row, ten seconds apart, see no progress.
guest_checks=18

# Memory of a User Mode Linux guest. The kernel itself uses a third of this memory.
uml_memory=64M

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		# Without a terminal nobody can type a password, so sudo must not ask.
		if [ -t 0 ]; then sudo "$@"; else sudo -n "$@"; fi
	else
		echo "this needs root: run it as root, or install sudo" >&2
		return 1
	fi
}

# alone FOLDER COMMAND...: runs a command with a lock on this folder, because parallel tests share
# apt and the folder of unpacked packages. The command does not inherit the lock, because a daemon
# that the command starts would keep the lock.
alone() (
	exec 7<"$1"
	flock 7 || exit
	shift
	"$@" 7<&-
)

# run_apt COMMAND...: runs an apt command. If the command fails, runs `apt-get update` and then the
# command again, because a machine may have no package lists or old lists. Shows apt's messages only
# if both attempts fail.
run_apt() {
	if ! command -v apt-get >/dev/null; then
		echo "there is no apt-get: this needs Debian 12" >&2
		return 1
	fi
	alone /var/lib/dpkg try_apt "$@"
}

# try_apt COMMAND...: does the work of run_apt.
try_apt() {
	"$@" >/dev/null 2>&1 && return
	as_root apt-get update >/dev/null 2>&1
	apt_output=$("$@" 2>&1) && return
	printf '%s\n' "$apt_output" | grep '^E:' >&2 || printf '%s\n' "$apt_output" >&2
	return 1
}

# need_packages PACKAGE...: installs the packages that are not installed.
need_packages() {
	missing=
	for package; do
		dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
			missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	echo "Installing Debian packages:$missing"
	# shellcheck disable=SC2086 # a list of words
	run_apt as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing && return
	echo "Could not install them. As root: apt-get install$missing" >&2
	return 1
}

# unpack_package DIRECTORY PACKAGE [REAL-NAME]: downloads a Debian package and unpacks it as
# DIRECTORY/PACKAGE, without root rights and without an installation. REAL-NAME is Debian's name of
# the package, by default PACKAGE. Keeps a package that is already unpacked.
unpack_package() {
	[ -d "$1/$2" ] && return
	mkdir -p "$1" && alone "$1" download_package "$@"
}

# download_package DIRECTORY PACKAGE [REAL-NAME]: does the work of unpack_package.
download_package() {
	# Another test may have unpacked the package while this test waited for the lock.
	[ -d "$1/$2" ] && return
	echo "Downloading and unpacking Debian's ${3:-$2} below $1"
	# The folder gets its final name only when it is complete.
	rm -rf "$1/$2.part"
	mkdir -p "$1/$2.part" || return
	if (cd "$1/$2.part" && run_apt apt-get -o APT::Sandbox::User=root download "${3:-$2}" &&
		dpkg -x ./*.deb . && rm ./*.deb); then
		mv "$1/$2.part" "$1/$2"
	else
		real=${3:-$2}
		echo "Could not get $real. Try: apt-get update && apt-get download $real && dpkg -x ${real}_*.deb $1/$2" >&2
		return 1
	fi
}

# guest_packages DIRECTORY: gets the packages for guests of User Mode Linux. Sets $uml, $modules and
# $busybox.
guest_packages() {
	need_packages e2fsprogs && unpack_package "$1" user-mode-linux && unpack_package "$1" busybox-static || return
	uml=$1/user-mode-linux
	modules=$uml/usr/lib/uml/modules
	busybox=$1/busybox-static/bin/busybox
}

# newest_kernel: prints the name of the newest kernel's package, which is a dependency of
# linux-image-cloud-amd64.
newest_kernel() { apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/^ *Depends: //p'; }

# unpack_kernel DIRECTORY: unpacks Debian's kernel for virtual machines.
unpack_kernel() {
	[ ! -d "$1/linux-image-cloud-amd64" ] || return 0
	image=$(newest_kernel)
	if [ -z "$image" ]; then
		as_root apt-get update >/dev/null 2>&1
		image=$(newest_kernel)
	fi
	[ -n "$image" ] || { echo "apt knows no package linux-image-cloud-amd64" >&2; return 1; }
	unpack_package "$1" linux-image-cloud-amd64 "$image"
}

# qemu_packages DIRECTORY: gets the packages for guests of QEMU. Sets $kernel, $modules, $iasl and
# $busybox.
qemu_packages() {
	need_packages qemu-system-x86 && unpack_kernel "$1" && unpack_package "$1" acpica-tools &&
		unpack_package "$1" busybox-static || return
	kernel=$(echo "$1"/linux-image-cloud-amd64/boot/vmlinuz-*)
	modules=$1/linux-image-cloud-amd64/lib/modules
	# shellcheck disable=SC2034 # used by scripts that source this file
	iasl=$1/acpica-tools/usr/bin/iasl
	busybox=$1/busybox-static/bin/busybox
	alone "$1" index_modules
}

# index_modules: makes modules.dep. The package lacks this file, because normally the kernel's
# installation makes the file.
index_modules() {
	[ -e "$(echo "$modules"/*/modules.dep)" ] ||
		"$busybox" depmod -b "${modules%/lib/modules}" "${kernel##*/vmlinuz-}"
}

# module_files MODULE...: prints the files of these kernel modules, and of all modules that these
# modules need, in loading order. A module's name has "_" and not "-". A file may be printed several
# times.
module_files() {
	for module; do
		# modules.dep has the line "x/a.ko: x/b.ko x/c.ko" if a needs b, and b needs c.
		awk -v name="$module" '
			{ base = $1; sub(/.*\//, "", base); sub(/\.ko.*/, "", base); gsub(/-/, "_", base) }
			base == name { found = 1; for (i = NF; i > 1; i--) print $i; sub(/:$/, "", $1); print $1 }
			END { if (!found) exit 1 }' "$modules"/*/modules.dep && continue
		echo "the guest kernel has no module $module" >&2
		return 1
	done
}

# make_initramfs FILE INIT MODULES [PROGRAM...]: makes an initramfs of
# - busybox, the script INIT, and guest.sh, which lies beside INIT,
# - the kernel modules, in /modules, and /modules/order, which lists them in loading order,
# - programs of this machine with their shared libraries.
make_initramfs() {
	output=$1 init=$2 wanted=$3
	shift 3
	root=$output.d
	rm -rf "$root"
	mkdir -p "$root/bin" "$root/modules" || return
	cp "$busybox" "$root/bin/busybox" && cp "$init" "$root/init" && chmod +x "$root/init" &&
		cp "${init%/*}/guest.sh" "$root/guest.sh" || return
	# shellcheck disable=SC2086 # a list of words
	files=$(module_files $wanted) || return
	for file in $files; do
		module=${file##*/}
		[ ! -e "$root/modules/$module" ] || continue
		cp "$modules"/*/"$file" "$root/modules/" || return
		echo "$module" >>"$root/modules/order"
	done
	for program; do
		program=$(command -v "$program") && cp -L "$program" "$root/bin/" || return
		for library in $(ldd "$program" 2>/dev/null | grep -o '/[^ ]*'); do
			mkdir -p "$root${library%/*}" && cp -L "$library" "$root$library" || return
		done
	done
	(cd "$root" && find . | "$busybox" cpio -o -H newc 2>/dev/null) | gzip -1 >"$output" && rm -rf "$root"
}

# begin_test FOLDER FILE...: makes FOLDER the current folder, and locks it against other runs.
# Removes an earlier run's logs and each FILE.
begin_test() {
	mkdir -p "$1" && cd "$1" || exit
	shift
	exec 9>lock
	flock -n 9 || { echo "FAILED: another run uses $PWD" >&2; exit 1; }
	rm -rf console.log daemon.log daemon.pid guest.pid tmp "$@"
	trap kill_guest EXIT
	trap 'exit 130' INT TERM
}

# fail WORDS: fails the test with this message, and shows the end of each log in $logs.
logs="console.log daemon.log"
fail() {
	echo "FAILED: $*" >&2
	for log in $logs; do
		[ -e "$log" ] || continue
		echo "--- the end of $PWD/$log:" >&2
		tail -n 40 "$log" >&2
	done
	exit 1
}

ok() { echo "  ok: $*"; }

# need_guest FUNCTION: calls guest_packages or qemu_packages. Ends the test if the packages are not
# available.
need_guest() {
	"$1" "${VIRTIO_GUEST_PACKAGES:-$PWD/packages}" 2>packages.log && return
	cat packages.log >&2
	reason="the guest's packages are not available: $(tail -n 1 packages.log)"
	[ -z "${VIRTIO_REQUIRE_GUESTS-}" ] || fail "$reason"
	echo "skipped: $reason"
	exit 77
}

# choose_aio DAEMON DISK_IO: sets $aio to io_uring. If the system or the daemon cannot use io_uring,
# sets $aio to sync, and $no_uring to the reason, which end_test prints.
choose_aio() {
	aio=io_uring no_uring=
	if ! no_uring=$("$2" io_uring); then
		aio=sync no_uring=${no_uring:-"cannot find out whether io_uring is available"}
	elif "$1" --help | grep -q 'without it'; then
		# A run that requires guests also requires a daemon that can use io_uring.
		[ -z "${VIRTIO_REQUIRE_GUESTS-}" ] || fail "the system has io_uring, but the daemon was built without it"
		aio=sync no_uring="the daemon was built without liburing"
	fi
}

# check_aio: fails the test if $aio is io_uring, but the daemon's log reports that the daemon does
# not use io_uring.
check_aio() {
	[ "$aio" = sync ] || ! grep 'no io_uring' daemon.log >&2 ||
		fail "the system has io_uring, but the daemon does not use it"
}

# end_test: ends a test whose disks should use io_uring. If the disks used system calls, prints the
# reason and exits with 77 (skipped).
end_test() {
	[ -n "$no_uring" ] || exit 0
	echo "skipped: io_uring. The test passed with system calls. Reason: $no_uring"
	exit 77
}

# sectors FILE FIRST COUNT: prints COUNT sectors of a file, from sector FIRST.
sectors() {
	dd if="$1" bs=64k iflag=skip_bytes,count_bytes skip=$(($2 * 512)) count=$(($3 * 512)) 2>/dev/null
}

# sum: prints the checksum of standard input.
sum() { sha256sum | cut -d' ' -f1; }

# count IMAGE NAME: prints the number before or after NAME in the daemon's summary of this disk.
count() {
	number=$(sed -n "s/^blk $1: .*[(, ]$2 \([0-9]*\)[,)].*/\1/p; s/^blk $1: .* \([0-9]*\) $2.*/\1/p" daemon.log)
	echo "${number:-none}"
}

# progress: prints numbers that change while a guest makes progress: the length of the console's
# output, and the bytes that a daemon has read and written.
progress() {
	wc -c <console.log
	[ ! -s daemon.pid ] || grep -s '^[rw]char' "/proc/$(cat daemon.pid)/io"
}

# watch_guest PID: starts a background process that ends the guest after $guest_checks checks in a
# row without progress. PID is the process of `timeout` that runs the guest. A guest that is slow on
# a busy machine does not fail. Messages go to the console's log.
watch_guest() {
	(
		checks=0 seen=
		while [ "$checks" -lt "$guest_checks" ]; do
			for _ in 1 2 3 4 5 6 7 8 9 10; do
				sleep 1
				kill -0 "$1" 2>/dev/null || exit
			done
			now=$(progress 2>/dev/null) || true
			if [ "$now" = "$seen" ]; then checks=$((checks + 1)); else checks=0; fi
			seen=$now
		done
		echo "FAILED: the guest made no progress in $checks checks" >>console.log
		kill -TERM "$1"
	) </dev/null >/dev/null 2>&1 9>&- &
}

# start_daemon PROGRAM ARGUMENT...: starts the daemon, and returns when the daemon listens. The
# daemon's output goes to daemon.log in the current folder, and its process ID to daemon.pid.
# $daemon_pid is the process ID of `timeout`, which runs the daemon.
start_daemon() {
	# Otherwise the loop below may read the lines of an earlier daemon.
	: >daemon.log
	# shellcheck disable=SC2016 # for the inner shell
	timeout -k 5 "$guest_seconds" sh -c 'echo $$ >daemon.pid; exec "$@"' sh "$@" >daemon.log 2>&1 9>&- &
	daemon_pid=$!
	# This loop needs no time limit, because `timeout` ends a daemon that never listens.
	until grep -qs '^listening on' daemon.log; do
		kill -0 "$daemon_pid" 2>/dev/null || {
			echo "the daemon did not start: $*" >&2
			return 1
		}
		sleep 0.1
	done
}

# daemon_runs: succeeds while the daemon runs.
daemon_runs() { kill -0 "$daemon_pid" 2>/dev/null; }

# stop_daemon: tells the daemon to end, and returns its exit status. Signals the daemon and not
# `timeout`, which would kill the daemon after five seconds. A daemon that checks for leaks when it
# ends may need more time on a busy machine.
stop_daemon() {
	kill -TERM "$(cat daemon.pid)" 2>/dev/null
	stopping=$daemon_pid
	daemon_pid=
	wait "$stopping"
}

# wait_for_guest: waits until process $guest_pid has ended, and returns its exit status. Meanwhile
# shows all lines "GUEST: words" of console.log, except "GUEST: sha256 ...".
wait_for_guest() {
	tail -n +1 -F -s 0.1 --pid="$guest_pid" console.log 2>/dev/null |
		sed -u -n 's/\r$//; /^GUEST: sha256 /d; s/^GUEST: /  guest: /p' &
	# The shell acts on a signal during `wait`, but not while it runs a foreground command.
	guest_status=0
	wait "$guest_pid" || guest_status=$?
	guest_pid=
	wait $!
	return "$guest_status"
}

# run_uml INITRAMFS KERNEL-ARGUMENT...: starts a guest in the background. The guest's console goes
# to console.log in the current folder. The arguments should name sockets relative to that folder,
# because a socket's path has at most 107 bytes.
run_uml() {
	initramfs=$1
	shift
	mkdir -p tmp
	# Otherwise boot_until's command may read the lines of an earlier guest.
	: >console.log
	# The kernel keeps the guest's memory in a file in TMPDIR, by default in /dev/shm, which may
	# be small or noexec. The kernel has many processes. The processes get a session of their
	# own, so end_uml can kill all of them.
	# shellcheck disable=SC2016 # for the inner shell
	TMPDIR=$PWD/tmp timeout -k 5 "$guest_seconds" setsid sh -c 'echo $$ >guest.pid; exec "$@"' sh \
		"$uml/usr/bin/linux.uml" mem="$uml_memory" initrd="$initramfs" quiet \
		con=null con0=null,fd:1 uml_dir=tmp/ "$@" </dev/null >console.log 2>&1 9>&- &
	guest_pid=$!
	watch_guest "$guest_pid"
}

# end_uml: ends all processes of the guest. A kernel that is killed or crashes leaves processes
# behind.
end_uml() {
	[ -s guest.pid ] || return 0
	for _ in $(seq 3000); do
		kill -KILL "-$(cat guest.pid)" 2>/dev/null || break
		sleep 0.1
	done
	rm -f guest.pid
}

# retry_boot: succeeds if the guest's kernel has ended before it started a program, and the daemon
# still runs. On a busy machine about 1 % of the User Mode Linux kernels end this early, because
# they cannot start threads.
retry_boot() {
	end_uml
	[ "$guest_status" != 0 ] && [ -z "$(guest_said kernel)" ] && daemon_runs || return
	echo "The guest kernel has ended with status $guest_status before its first program" >&2
}

# boot INITRAMFS KERNEL-ARGUMENT...: runs a guest until it powers off, and shows its console as
# wait_for_guest does. Sets $guest_status. Tries again, up to three times in all, if the kernel ends
# before its first program. A crash after the kernel's last message is no failure, because a few
# kernels crash after they have halted.
boot() {
	for _ in 1 2 3; do
		run_uml "$@"
		wait_for_guest || true
		retry_boot || break
	done
	[ "$guest_status" = 0 ] || grep -q '^reboot: System halted' console.log
}

# boot_until COMMAND INITRAMFS KERNEL-ARGUMENT...: starts a guest, and returns when the command
# succeeds. Then the guest still runs. Tries again as boot does. Fails if the guest ends before the
# command succeeds.
boot_until() {
	until=$1
	shift
	for _ in 1 2 3; do
		run_uml "$@"
		while kill -0 "$guest_pid" 2>/dev/null; do
			"$until" && return
			sleep 0.1
		done
		guest_status=0
		wait "$guest_pid" || guest_status=$?
		guest_pid=
		retry_boot || break
	done
	return 1
}

# stop_guest: ends the guest at once.
stop_guest() {
	end_uml
	wait "$guest_pid" 2>/dev/null || true
	guest_pid=
}

# guest_said PREFIX: prints the rest of each console line that begins with "GUEST: PREFIX ".
guest_said() {
	sed -n "s/\r\$//; s/^GUEST: $1 //p" console.log
}

# await WORDS: waits until the guest has printed a line that begins with "GUEST: WORDS". The wait
# has no time limit. So only a background process may call this function, because the end of the
# test kills that process.
await() {
	while ! grep -qs "^GUEST: $1" console.log; do
		sleep 0.1
	done
}

# kill_guest: ends all processes of the test. Call this from an exit trap.
kill_guest() {
	# Continues if a command fails, because some processes may have ended.
	set +e
	# $helper_pid is a background process of the test that acts on the guest's messages.
	[ -z "${helper_pid-}" ] || kill -TERM "$helper_pid" 2>/dev/null
	end_uml
	[ -z "${guest_pid-}" ] || kill -TERM "$guest_pid" 2>/dev/null
	[ -z "${daemon_pid-}" ] || kill -TERM "$daemon_pid" 2>/dev/null
	wait
}
