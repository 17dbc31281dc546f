#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Shows the block, console and socket devices at work. Builds the vhost-user daemon, boots a stock
# Linux kernel (Debian's User Mode Linux) whose disk the daemon serves, and checks the disk image
# from outside. Boots a second kernel, and gives commands to a shell on its console. Boots a third
# kernel, which exchanges messages with the host over vsock. Needs Debian 12, and root or sudo if
# packages are missing.
# usage: sh examples/demo.sh     makes everything below $BUILD_DIR, by default build
set -eu
cd "$(dirname "$0")/.."
. tests/guests/lib.sh

build=${BUILD_DIR:-build}
folder=$build/demo
daemon=$folder/examples/virtio-vhost-user
guest=$folder/guest
terminal=$folder/terminal
mkdir -p "$folder"
VIRTIO_GUEST_PACKAGES=$(cd "$build" && pwd)/guest-packages
export VIRTIO_GUEST_PACKAGES

now() { date +%s%3N; }
seconds_since() { echo $((($(now) - $1) / 100)) | sed 's/^.$/0&/; s/.$/.& s/'; }

started=$(now)
echo "1. Installing the packages that are missing"
need_packages gcc libc6-dev meson ninja-build pkg-config
guest_packages "$VIRTIO_GUEST_PACKAGES"

echo "2. Building the daemon in $folder"
build_daemon() {
	[ -e "$folder/build.ninja" ] ||
		meson setup "$folder" -Dexamples=enabled -Dtests=disabled -Dguests=disabled || return
	ninja -C "$folder" examples/virtio-vhost-user
}
if ! build_daemon >"$folder.log" 2>&1; then
	tail -n 30 "$folder.log" >&2
	echo "The build failed. Its whole output is in $folder.log" >&2
	exit 1
fi

echo "3. A guest uses the daemon's disk"
boot_started=$(now)
VIRTIO_REQUIRE_GUESTS=1 sh tests/guests/uml-blk.sh "$daemon" "$guest"
boot_time=$(seconds_since "$boot_started")

echo "4. A guest's shell on the daemon's console"
VIRTIO_REQUIRE_GUESTS=1 sh tests/guests/uml-console.sh "$daemon" "$terminal" alone
echo "The terminal changed its size from 100x30 to 132x50. The shell printed:"
# Removes control sequences, text that the shell has overwritten, and empty lines.
escape=$(printf '\033')
sed "s/$escape\[[0-9]*[nJ]//g; s/\r*\$//; s/.*\r//; /^\$/d; s/^/  | /" "$terminal/alone"

echo "5. A message over vsock each way"
cc -std=c11 -D_GNU_SOURCE -O2 -pthread -o "$folder/vsock_io" tests/guests/vsock_io.c
VIRTIO_REQUIRE_GUESTS=1 sh tests/guests/uml-vsock.sh "$daemon" "$folder/vsock_io" "$folder/sockets" message

cd "$guest"
summary=$(grep '^blk ' daemon.log)
cat <<END

Proved: an unmodified Linux driver made a file system on our device, wrote files, dropped its cache, and read the same
bytes back. The image has exactly the bytes that the guest read, and the host extracts the same files from it.

  guest kernel  Linux $(guest_said kernel)
  requests      $(echo "$summary" | sed 's/^[^:]*: \([^)]*)\).*/\1/')
  bytes         $(echo "$summary" | sed 's/^[^)]*), \(.*\), .*/\1/')
  time          $boot_time for the guest and the checks, $(seconds_since "$started") in all

To start the daemon by hand, in the folder $guest:
  ../examples/virtio-vhost-user --blk disk.img,socket=blk.sock
and in another terminal, in the same folder, start the same guest:
  $uml/usr/bin/linux.uml mem=64M initrd=initramfs.gz quiet uml_dir=tmp/ \\
    con=null con0=fd:0,fd:1 virtio_uml.device=blk.sock:2

For a guest's shell at this terminal, in the folder $(cd ../terminal && pwd):
  ../examples/virtio-vhost-user --console tty,socket=console.sock
and in another terminal, in the same folder, start the guest:
  $uml/usr/bin/linux.uml mem=64M initrd=initramfs.gz quiet uml_dir=tmp/ \\
    con=null con0=null,fd:1 virtio_uml.device=console.sock:3 alone
END
