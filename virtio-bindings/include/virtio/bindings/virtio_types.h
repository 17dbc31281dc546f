/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The integer types of the wire format, under the names of Linux's <linux/types.h> and
 * <linux/virtio_types.h>. __le16, __le32 and __le64 are little-endian on every host. The compiler
 * does not distinguish these types from host integers. <virtio/endian.h> converts between them. A
 * translation unit may include our header and Linux's, in either order.
 *
 * virtio 1.4, 1.4 (byte order)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_TYPES_H
#define VIRTIO_BINDINGS_VIRTIO_TYPES_H

#include <stdint.h>
#include <virtio/compiler.h>

typedef int8_t __s8;
typedef uint8_t __u8;
typedef int16_t __s16;
typedef uint16_t __u16;
typedef int32_t __s32;
typedef uint32_t __u32;

/*
 * A typedef may be repeated only with the same type. On most architectures Linux's 64-bit types are
 * long long, even where int64_t is long. On the four architectures below, these types are long,
 * unless the program defines __SANE_USERSPACE_TYPES__. Compilers define __mips64 also for the n32
 * ABI, where long has 32 bits. Outside Linux the 64-bit types are int64_t
 * and uint64_t.
 */
#if !defined __linux__
typedef int64_t __s64;
typedef uint64_t __u64;
#elif (defined __powerpc64__ || (defined __mips64 && __SIZEOF_LONG__ == 8) || defined __alpha__ ||                     \
       defined __ia64__) &&                                                                                            \
	!defined __SANE_USERSPACE_TYPES__
typedef long __s64;
typedef unsigned long __u64;
#else
__extension__ typedef long long __s64;
__extension__ typedef unsigned long long __u64;
#endif

typedef __u16 __le16;
typedef __u32 __le32;
typedef __u64 __le64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;

#ifndef _LINUX_VIRTIO_TYPES_H
#define _LINUX_VIRTIO_TYPES_H

/*
 * Linux's legacy drivers use the guest's byte order for these types. Virtio 1.x uses only
 * little-endian.
 */
typedef __le16 __virtio16;
typedef __le32 __virtio32;
typedef __le64 __virtio64;

#endif /* _LINUX_VIRTIO_TYPES_H */

VIRTIO_STATIC_ASSERT(sizeof(__le16) == 2 && sizeof(__le32) == 4 && sizeof(__le64) == 8, "sizes of the integers");

#endif
