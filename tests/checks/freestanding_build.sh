#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Does a build with -Dfreestanding=true keep its promises?
# - The build makes every library. All libraries together, linked into one object, need only the
#   four memory functions of a C library.
# - The build does not install the headers of parts that need an operating system.
# usage: freestanding_build.sh WORK SRC CC MESON NINJA NM     a missing tool is ''
set -u
. "$(dirname "$0")/lib.sh"
work_in "$1"
src=$2 cc=$3 meson=$4 ninja=$5 nm=$6

[ -n "$meson" ] || skip 'no meson to build with'
[ -n "$ninja" ] || skip 'no ninja to build with'
# Ignores the flags of the surrounding build, because sanitizers need a library of their own.
unset CFLAGS LDFLAGS
export CC="$cc" NINJA="$ninja"
quietly 'meson does not configure' "$meson" setup -Dfreestanding=true -Dwerror=true --wrap-mode=nofallback \
	"$work/build" "$src" || finish
quietly 'meson does not build' "$ninja" -C "$work/build" || finish
quietly 'meson does not install' env DESTDIR="$work/root" "$meson" install -C "$work/build" --no-rebuild || finish

archives=$(find "$work/root" -name '*.a' | sort)
for folder in "$src"/virtio-*/src; do
	name=${folder%/src}
	echo "$archives" | grep -q "/lib${name##*/}\.a\$" || fail "there is no library of ${name##*/}"
done
for header in $(cd "$src" && find virtio-*/include -name '*.h'); do
	there=$(find "$work/root" -path "*/include/${header#*/include/}")
	case " $hosted " in
	*" $header "*) [ -z "$there" ] || fail "$header is installed, though it needs an operating system" ;;
	*) [ -n "$there" ] || fail "$header is not installed" ;;
	esac
done

# Links all members of all archives. The archives resolve each other's symbols.
# shellcheck disable=SC2086 # lists of words
quietly 'the libraries do not link without a C library' $cc -nostdlib -r -o "$work/all.o" -Wl,--whole-archive $archives \
	-Wl,--no-whole-archive || finish
for symbol in $(undefined_in "$work/all.o" | search -v "$permitted"); do
	fail "the libraries need $symbol"
done
# shellcheck disable=SC2086 # a list of words
finish "$(echo $archives | wc -w) libraries"
