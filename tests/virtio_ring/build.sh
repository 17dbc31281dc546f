#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Builds and runs one program from our queue and Linux's own virtio_ring.c. Linux's file comes from
# Debian's package of the kernel source.
# usage: build.sh FOLDER ROOT ARCHIVE SANITIZERS CC...
#   FOLDER      gets the compiled files; made if it does not exist
#   ROOT        folder of this project's source
#   ARCHIVE     libvirtio-queue.a
#   SANITIZERS  sanitizers of the archive, as after -fsanitize=, or none
# Linux's files are GPL-2. They are compiled where they were unpacked, and no part of them enters
# this project. Unpacked Debian packages are kept in $VIRTIO_GUEST_PACKAGES, by default
# FOLDER/packages. Exits with 77 (skipped) if the processor is neither x86-64 nor aarch64. If the
# package is not available, exits with 77, or with 1 if VIRTIO_REQUIRE_GUESTS is not empty.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/guests/lib.sh
. "$here/../guests/lib.sh"

[ $# -ge 5 ] || { echo "usage: $0 FOLDER ROOT ARCHIVE SANITIZERS CC..." >&2; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd) root=$(cd "$2" && pwd) archive=$(readlink -f "$3") sanitizers=$4
shift 4
packages=${VIRTIO_GUEST_PACKAGES:-$folder/packages}
package="linux-source-6.1"

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

# unpack_linux: unpacks the few files of the kernel's source that are needed. Sets $linux.
unpack_linux() {
	linux=$packages/$package-parts/$package
	[ -d "$linux" ] && return
	unpack_package "$packages" "$package" || return
	rm -rf "$packages/$package-parts" "$packages/$package.parts"
	mkdir -p "$packages/$package.parts" || return
	# The folder gets its final name last, so a folder with this name is complete.
	tar -xJf "$packages/$package/usr/src/$package.tar.xz" -C "$packages/$package.parts" --wildcards \
		"$package/drivers/virtio/virtio_ring.c" "$package/tools/virtio" "$package/tools/include" \
		"$package/include/linux/*.h" "$package/include/uapi/linux/*.h" &&
		mv "$packages/$package.parts" "$packages/$package-parts" && return
	echo "Could not unpack the source in $package" >&2
	return 1
}

cd "$folder"
mkdir -p "$packages"
case $(uname -m) in
x86_64 | aarch64) ;;
*)
	echo "skipped: Linux's user-space headers have no memory barriers for $(uname -m)"
	exit 77
	;;
esac
if ! unpack_linux 2>packages.log; then
	cat packages.log >&2
	reason="Linux's source is not available: $(head -n 1 packages.log)"
	[ -z "${VIRTIO_REQUIRE_GUESTS-}" ] || fail "$reason"
	echo "skipped: $reason"
	exit 77
fi

if [ "$sanitizers" = none ]; then
	instrument=
else
	instrument="-fsanitize=$sanitizers -fno-sanitize-recover=all"
fi
headers="-isystem $linux/tools/virtio -isystem $linux/tools/include"

# Linux's file uses the kernel's dialect of C, so -w turns off all warnings. The file's allocations
# must lie in guest memory, so guest_malloc() replaces malloc(). The headers lack data_race().
# Outside the kernel's race detector, this macro only evaluates its argument.
# shellcheck disable=SC2086 # lists of words
"$@" -std=gnu11 -w -O2 -g -fno-strict-aliasing -fno-strict-overflow $headers '-Ddata_race(expression)=(expression)' \
	-Dmalloc=guest_malloc -Dfree=guest_free -c "$linux/drivers/virtio/virtio_ring.c" -o virtio_ring.o ||
	fail "Linux's virtio_ring.c does not compile"
# shellcheck disable=SC2086
"$@" -std=gnu11 -Wall -Wextra -O2 -g -fno-strict-aliasing $headers -c "$here/linux_driver.c" -o linux_driver.o ||
	fail "linux_driver.c does not compile"
# shellcheck disable=SC2086
"$@" -std=c11 -Wall -Wextra -Wpedantic -O2 -g $instrument -I "$root/include" -I "$root/virtio-bindings/include" \
	-I "$root/virtio-queue/include" "$here/ring_test.c" linux_driver.o virtio_ring.o "$archive" -pthread -o ring_test ||
	fail "ring_test.c does not compile or link"
UBSAN_OPTIONS=halt_on_error=1 ./ring_test
