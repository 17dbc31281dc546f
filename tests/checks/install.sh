#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Can a program in C or C++ use the installed libraries by a compiler command, CMake and Meson? Can
# a Meson project use the checkout as a subproject? Are every public header and both licences
# installed? Does a build with -Dtests=disabled leave out tests and fuzzers?
# usage: install.sh WORK SRC BUILD CC CXX FLAGS MESON NINJA PKG_CONFIG CMAKE
#   FLAGS  for compiling and linking, because sanitized libraries need these flags
# A missing tool is ''.
set -u
. "$(dirname "$0")/lib.sh"
work_in "$1"
src=$2 build=$3 cc=$4 cxx=$5 flags=$6 meson=$7 ninja=$8 pkg_config=$9
shift 9
cmake=$1
consumer=$(cd "$(dirname "$0")/install" && pwd)
ran=0

[ -n "$meson" ] || skip 'no meson to install with'
quietly 'meson does not install' env DESTDIR="$work/root" "$meson" install -C "$build" --no-rebuild || finish

# pkg-config sees only the installed files. It also prints folders such as /usr/include, which it
# leaves out by default.
pc=$(find "$work/root" -name 'virtio-queue.pc')
[ -n "$pc" ] || fail 'virtio-queue.pc is not installed'
export PKG_CONFIG_LIBDIR="${pc%/*}" PKG_CONFIG_PATH='' PKG_CONFIG_SYSROOT_DIR="$work/root"
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 PKG_CONFIG="$pkg_config"
# CMake and meson use this compiler and these flags.
export CC="$cc" CXX="$cxx" CFLAGS="$flags" CXXFLAGS="$flags" LDFLAGS="$flags"

for header in $(cd "$src" && find include virtio-*/include -name '*.h' | sed 's,^\(virtio-[a-z-]*/\)*include/,,'); do
	[ -n "$(find "$work/root" -path "*/include/$header")" ] || fail "<$header> is not installed"
done
for licence in LICENSE-APACHE LICENSE-BSD-3-Clause; do
	installed=$(find "$work/root" -path "*/licenses/virtio/$licence")
	cmp -s "$src/$licence" "${installed:-none}" || fail "$licence is not installed as it is"
done

# run PROGRAM: runs a consumer that was built.
run() {
	quietly "${1#"$work/"} does not run" "$1" && ran=$((ran + 1))
}

# compile LANGUAGE COMPILER...: builds a consumer by one compiler command, and runs the consumer.
compile() {
	language=$1
	shift
	# shellcheck disable=SC2046,SC2086 # lists of words
	quietly "no plain compilation of consumer.$language" "$@" -Wall -Wextra -Wpedantic -Werror -O0 $flags \
		-o "$work/consumer-$language" "$consumer/consumer.$language" \
		$("$pkg_config" --cflags --libs virtio-queue) && run "$work/consumer-$language"
}

plain() {
	# shellcheck disable=SC2086 # a list of words
	compile c $cc -std=c11
	# shellcheck disable=SC2086 # a list of words
	[ -z "$cxx" ] || compile cc $cxx -std=c++17
	# Each .pc file must be valid. Each package and archive named in the file must exist, and
	# the library's main header must be found.
	for pc in "$PKG_CONFIG_LIBDIR"/virtio-*.pc; do
		name=$(basename "$pc" .pc)
		header=$(echo "${name#virtio-}" | tr - _).h
		[ "$name" != virtio-bindings ] || header=bindings/virtio_ring.h
		printf '#include <virtio/%s>\nint main(void) { return 0; }\n' "$header" >"$work/empty.c"
		# shellcheck disable=SC2046,SC2086 # lists of words
		quietly "$name.pc is not usable" "$pkg_config" --exists --print-errors "$name" &&
			quietly "no linking with the flags of $name.pc" $cc $flags -o "$work/empty" "$work/empty.c" \
				$("$pkg_config" --cflags --libs "$name")
	done
}

# run_all FOLDER: runs the consumers that CMake or meson has built.
run_all() {
	run "$1/consumer-c"
	[ -z "$cxx" ] || run "$1/consumer-cc"
}

with_cmake() {
	cpp=ON
	[ -n "$cxx" ] || cpp=OFF
	quietly 'CMake does not configure' "$cmake" -G Ninja -DCMAKE_MAKE_PROGRAM="$ninja" -DCPP=$cpp -S "$consumer" \
		-B "$work/cmake" &&
		quietly 'CMake does not build' "$cmake" --build "$work/cmake" && run_all "$work/cmake"
}

with_meson() {
	cpp=enabled
	[ -n "$cxx" ] || cpp=disabled
	quietly 'meson does not configure' "$meson" setup -Dcpp=$cpp --wrap-mode=nofallback "$work/meson" "$consumer" &&
		quietly 'meson does not build' "$ninja" -C "$work/meson" && run_all "$work/meson"
}

# Builds a user's project that has the checkout as a subproject.
with_subproject() {
	mkdir -p "$work/parent/subprojects"
	ln -s "$(cd "$src" && pwd)" "$work/parent/subprojects/virtio"
	cp "$consumer/consumer.c" "$work/parent"
	cat >"$work/parent/meson.build" <<-END
		project('parent', 'c', default_options: ['c_std=c11'])
		virtio_queue = dependency('virtio-queue', fallback: 'virtio')
		executable('consumer-c', 'consumer.c', dependencies: virtio_queue)
	END
	quietly 'meson does not configure a subproject' "$meson" setup --force-fallback-for=virtio-queue,virtio \
		-Dvirtio:tests=disabled -Dvirtio:examples=disabled "$work/subproject" "$work/parent" &&
		quietly 'meson does not build a subproject' "$ninja" -C "$work/subproject" consumer-c &&
		run "$work/subproject/consumer-c"
}

# Configures as a packager does. Tests and fuzzers must not even be targets of this build.
without_tests() {
	quietly '-Dtests=disabled does not configure' "$meson" setup -Dtests=disabled -Dexamples=disabled \
		--wrap-mode=nofallback "$work/packager" "$src" || return
	targets=$("$ninja" -C "$work/packager" -t targets all) || fail 'no list of targets'
	echo "$targets" | grep -q '^virtio-queue/libvirtio-queue\.a:' || fail '-Dtests=disabled builds no libraries'
	for target in $(echo "$targets" | search -o '^(tests|fuzz)/[^:]*'); do
		fail "-Dtests=disabled builds $target"
	done
}

[ -n "$cxx" ] || echo 'skipped: C++, no compiler'
if [ -z "$pkg_config" ]; then
	[ -e "$work/failures" ] || skip 'consumers, no pkg-config'
	finish
fi
plain
if [ -z "$ninja" ]; then
	echo 'skipped: CMake and meson consumers, -Dtests=disabled, no ninja'
else
	without_tests
	with_meson
	with_subproject
	if [ -n "$cmake" ]; then with_cmake; else echo 'skipped: CMake consumer, no cmake'; fi
fi
finish "$ran consumers run"
