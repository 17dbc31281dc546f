#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Does a program give the same results on a big-endian machine? The script compiles the program and
# the libraries for a big-endian machine, and runs the result in an emulator. The program is linked
# statically, because the emulator has no shared libraries. The program contains all sources of the
# libraries, so the linker removes the functions that the program does not use.
# usage: big_endian.sh WORK SRC COMPILER EMULATOR SOURCE... -- ARGUMENT...
set -u
. "$(dirname "$0")/lib.sh"
work_in "$1"
src=$2 compiler=$3 emulator=$4
shift 4
include_flags "$src"

[ -n "$compiler" ] || skip 'no compiler for s390x: apt-get install gcc-s390x-linux-gnu libc6-dev-s390x-cross'
[ -n "$emulator" ] || skip 'no emulator of s390x: apt-get install qemu-user'

sources=
while [ "$1" != -- ]; do
	sources="$sources $1"
	shift
done
shift
cat >"$work/order.c" <<'END'
#if __BYTE_ORDER__ != __ORDER_BIG_ENDIAN__
#error not big-endian
#endif
END
# shellcheck disable=SC2086 # lists of words
quietly 'the program does not compile' "$compiler" -std=c11 -O1 -static -pthread -ffunction-sections -Wl,--gc-sections \
	$includes -I"$src/virtio-queue/src" -o "$work/program" $sources "$work/order.c" "$src"/virtio-*/src/*.c || finish
quietly 'the program fails' "$emulator" "$work/program" "$@" && finish "$(tail -n 1 "$work/log")"
finish
