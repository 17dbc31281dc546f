/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Raw access to guest memory behind a host pointer that <virtio/guest_memory.h> has resolved.
 *
 * Everything that the suite does to guest bytes is one of these. For back ends that copy, and for devices with
 * shared structures of their own. Nothing is checked, and nothing is recorded in a dirty log.
 *
 * What the guest can do: change the bytes at any time. Each function touches each byte once.
 *
 * Threads: any.
 */
#ifndef VIRTIO_GUEST_ACCESS_H
#define VIRTIO_GUEST_ACCESS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <virtio/compiler.h>
#include <virtio/endian.h>

VIRTIO_BEGIN_DECLS

/*
 * Parameters of all functions:
 *
 * @guest   host address of the first guest byte: all bytes of the access are inside one region. For a ..._load_... or
 *          ..._store_... aligned to the field's size; a used element to 4 bytes, a descriptor to 8
 * @dst     the caller's own memory, len bytes
 * @src     likewise; only read
 * @len     bytes; may be 0
 * @value   in the host's byte order, as is everything that a load returns
 */

/* Integers through which memory of any declared type may be accessed. */
typedef uint16_t __attribute__((may_alias)) virtio_guest_u16;
typedef uint32_t __attribute__((may_alias)) virtio_guest_u32;
typedef uint64_t __attribute__((may_alias)) virtio_guest_u64;

/* A descriptor's 16 bytes, in the host's byte order. Neighbours differ in size, or compilers make vectors of them. */
struct virtio_guest_desc {
	uint64_t addr;
	uint32_t flags_next; /* flags in bits 0 to 15, next in 16 to 31 */
	uint64_t len;        /* 32 bits; computed with in 64 */
};

/*
 * Copies two words that overlap, or touch, at both ends of a range. Both are loaded before one is stored, and a byte that is
 * in both is the last one's.
 */
#define VIRTIO_COPY_ENDS(type, to, from, len)                                                                          \
	do {                                                                                                           \
		type first_, last_;                                                                                    \
		memcpy(&first_, (from), sizeof first_);                                                                \
		memcpy(&last_, (const uint8_t *)(from) + (len) - sizeof last_, sizeof last_);                          \
		memcpy((to), &first_, sizeof first_);                                                                  \
		memcpy((uint8_t *)(to) + (len) - sizeof last_, &last_, sizeof last_);                                  \
	} while (0)

/*
 * As memcpy(), whose call costs more than the copying where it is of a few bytes and the compiler doesn't know how
 * many. Used by the two below, from and to guest memory.
 */
VIRTIO_INLINE VIRTIO_HOT void virtio_guest_copy(void *to, const void *from, size_t len)
{
	if (__builtin_constant_p(len)) {
		memcpy(to, from, len);
		return;
	}
	/* Compilers that see what is behind the pointers, but not len, warn of sizes that are not copied. */
	__asm__("" : "+r"(to), "+r"(from));
	if (VIRTIO_LIKELY(len - 8 <= 8))
		VIRTIO_COPY_ENDS(uint64_t, to, from, len);
	else if (len > 16)
		memcpy(to, from, len);
	else if (len >= 4)
		VIRTIO_COPY_ENDS(uint32_t, to, from, len);
	else if (len >= 2)
		VIRTIO_COPY_ENDS(uint16_t, to, from, len);
	else if (len == 1)
		memcpy(to, from, 1);
}

/* Copies out of guest memory once: the compiler may not go back to the source for a second look. */
VIRTIO_INLINE void virtio_guest_copy_in(void *dst, const void *guest, size_t len)
{
	virtio_guest_copy(dst, guest, len);
	__asm__ volatile("" : : "r"(dst) : "memory");
}

VIRTIO_INLINE void virtio_guest_copy_out(void *guest, const void *src, size_t len)
{
	virtio_guest_copy(guest, src, len);
}

/* Copies eight bytes out of guest memory once, of any alignment and in no order: a little-endian field of a header. */
VIRTIO_INLINE uint64_t virtio_guest_read_le64(const void *guest)
{
	uint64_t v;

	memcpy(&v, guest, sizeof v);
	__asm__ volatile("" : "+r"(v));
	return virtio_le64(v);
}

VIRTIO_INLINE uint16_t virtio_guest_load_le16(const void *guest)
{
	return virtio_le16(__atomic_load_n((const virtio_guest_u16 *)guest, __ATOMIC_RELAXED));
}

/* Pairs with the release store by which the driver publishes an index (virtio 1.4, 2.7.13.3). */
VIRTIO_INLINE uint16_t virtio_guest_load_le16_acquire(const void *guest)
{
	return virtio_le16(__atomic_load_n((const virtio_guest_u16 *)guest, __ATOMIC_ACQUIRE));
}

VIRTIO_INLINE void virtio_guest_store_le16(void *guest, uint16_t value)
{
	__atomic_store_n((virtio_guest_u16 *)guest, virtio_le16(value), __ATOMIC_RELAXED);
}

/* Pairs with the acquire load (or read barrier) by which the driver sees an index (2.7.8.2). */
VIRTIO_INLINE void virtio_guest_store_le16_release(void *guest, uint16_t value)
{
	__atomic_store_n((virtio_guest_u16 *)guest, virtio_le16(value), __ATOMIC_RELEASE);
}

/* A used element: 4-byte aligned, and published by the index that follows, so it may be written in two. */
VIRTIO_INLINE void virtio_guest_store_used(void *guest, uint32_t id, uint32_t len)
{
	virtio_guest_u32 *half = (virtio_guest_u32 *)guest;

	half[0] = virtio_le32(id);
	half[1] = virtio_le32(len);
}

/*
 * An aligned descriptor, each byte of it read exactly once. The address on a 64-bit host in one, so that it is one that
 * the driver wrote. The other fields in two, which saves the instructions that would take them apart.
 */
VIRTIO_INLINE struct virtio_guest_desc virtio_guest_load_desc(const void *guest)
{
	const virtio_guest_u32 *quarter = (const virtio_guest_u32 *)guest;
	struct virtio_guest_desc d;

#if UINTPTR_MAX > 0xffffffffu
	d.addr = virtio_le64(__atomic_load_n((const virtio_guest_u64 *)guest, __ATOMIC_RELAXED));
#else
	d.addr = virtio_le32(__atomic_load_n(&quarter[0], __ATOMIC_RELAXED));
	d.addr |= (uint64_t)virtio_le32(__atomic_load_n(&quarter[1], __ATOMIC_RELAXED)) << 32;
#endif
	d.len = virtio_le32(__atomic_load_n(&quarter[2], __ATOMIC_RELAXED));
	d.flags_next = virtio_le32(__atomic_load_n(&quarter[3], __ATOMIC_RELAXED));
	return d;
}

/*
 * Orders everything before it, stores included, before everything after it, loads included: what
 * both sides need between publishing their own index and looking at the other side's wish to be
 * notified. On x86 a locked instruction on the stack is several times cheaper than mfence.
 *
 * ThreadSanitizer does not model fences, and gcc refuses the builtin under it. It needs none of this
 * to find data races, for everything that both sides share is accessed atomically; so under it the
 * instruction is enough, and where there is none below, a read-modify-write, which it does model.
 */
VIRTIO_INLINE void virtio_full_fence(void)
{
#if defined(__x86_64__)
	__asm__ volatile("lock; addl $0,-4(%%rsp)" : : : "memory", "cc");
#elif defined(__i386__)
	__asm__ volatile("lock; addl $0,-4(%%esp)" : : : "memory", "cc");
#elif defined(__aarch64__)
	__asm__ volatile("dmb ish" : : : "memory");
#elif defined(VIRTIO_TSAN)
	int here = 0;

	__atomic_fetch_add(&here, 0, __ATOMIC_SEQ_CST);
	__asm__ volatile("" : : "r"(&here) : "memory");
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

VIRTIO_END_DECLS

#endif
