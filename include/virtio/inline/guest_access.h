/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Inline bodies of <virtio/guest_access.h>, which includes this file. Do not include it directly.
 */
#ifndef VIRTIO_INLINE_GUEST_ACCESS_H
#define VIRTIO_INLINE_GUEST_ACCESS_H

#include <string.h>
#include <virtio/endian.h>
#include <virtio/guest_access.h>

VIRTIO_BEGIN_DECLS

/* Integers that may alias memory of any declared type. */
typedef uint16_t __attribute__((may_alias)) virtio_impl_guest_u16;
typedef uint32_t __attribute__((may_alias)) virtio_impl_guest_u32;
typedef uint64_t __attribute__((may_alias)) virtio_impl_guest_u64;

/*
 * Copies a range that is one to two words long: its first word and its last word, which may
 * overlap.
 */
#define VIRTIO_IMPL_COPY_ENDS(type, to, from, len)                                                                     \
	do {                                                                                                           \
		type first_, last_;                                                                                    \
		memcpy(&first_, (from), sizeof first_);                                                                \
		memcpy(&last_, (const uint8_t *)(from) + (len) - sizeof last_, sizeof last_);                          \
		memcpy((to), &first_, sizeof first_);                                                                  \
		memcpy((uint8_t *)(to) + (len) - sizeof last_, &last_, sizeof last_);                                  \
	} while (0)

/*
 * Does the same as memcpy(). Copies up to 16 bytes without a call, even if the compiler does not
 * know len, because a call of memcpy() costs more.
 */
VIRTIO_INLINE VIRTIO_HOT void virtio_impl_guest_copy(void *to, const void *from, size_t len)
{
	if (__builtin_constant_p(len)) {
		memcpy(to, from, len);
		return;
	}
	/*
	 * Hides from the compiler where the pointers point. A compiler that knows the objects but
	 * not len would warn of lengths that never occur.
	 */
	__asm__("" : "+r"(to), "+r"(from));
	if (VIRTIO_LIKELY(len - 8 <= 8))
		VIRTIO_IMPL_COPY_ENDS(uint64_t, to, from, len);
	else if (len > 16)
		memcpy(to, from, len);
	else if (len >= 4)
		VIRTIO_IMPL_COPY_ENDS(uint32_t, to, from, len);
	else if (len >= 2)
		VIRTIO_IMPL_COPY_ENDS(uint16_t, to, from, len);
	else if (len == 1)
		memcpy(to, from, 1);
}

VIRTIO_INLINE void virtio_guest_copy_in(void *dst, const void *guest, size_t len)
{
	virtio_impl_guest_copy(dst, guest, len);
	__asm__ volatile("" : : "r"(dst) : "memory");
}

VIRTIO_INLINE void virtio_guest_copy_out(void *guest, const void *src, size_t len)
{
	virtio_impl_guest_copy(guest, src, len);
}

VIRTIO_INLINE uint16_t virtio_guest_load_le16(const void *guest)
{
	return virtio_le16(__atomic_load_n((const virtio_impl_guest_u16 *)guest, __ATOMIC_RELAXED));
}

VIRTIO_INLINE uint16_t virtio_guest_load_le16_acquire(const void *guest)
{
	return virtio_le16(__atomic_load_n((const virtio_impl_guest_u16 *)guest, __ATOMIC_ACQUIRE));
}

VIRTIO_INLINE void virtio_guest_store_le16(void *guest, uint16_t value)
{
	__atomic_store_n((virtio_impl_guest_u16 *)guest, virtio_le16(value), __ATOMIC_RELAXED);
}

VIRTIO_INLINE void virtio_guest_store_le16_release(void *guest, uint16_t value)
{
	__atomic_store_n((virtio_impl_guest_u16 *)guest, virtio_le16(value), __ATOMIC_RELEASE);
}

VIRTIO_INLINE void virtio_guest_store_used(void *guest, uint32_t id, uint32_t len)
{
	virtio_impl_guest_u32 *half = (virtio_impl_guest_u32 *)guest;

	half[0] = virtio_le32(id);
	half[1] = virtio_le32(len);
}

/*
 * A 64-bit host reads the address with one load, so it never sees half of a driver's 64-bit store.
 * Separate loads of the other fields are cheaper than a wide load that must be split.
 */
VIRTIO_INLINE struct virtio_guest_desc virtio_guest_load_desc(const void *guest)
{
	const virtio_impl_guest_u32 *quarter = (const virtio_impl_guest_u32 *)guest;
	struct virtio_guest_desc d;

#if UINTPTR_MAX > 0xffffffffu
	d.addr = virtio_le64(__atomic_load_n((const virtio_impl_guest_u64 *)guest, __ATOMIC_RELAXED));
#else
	d.addr = virtio_le32(__atomic_load_n(&quarter[0], __ATOMIC_RELAXED));
	d.addr |= (uint64_t)virtio_le32(__atomic_load_n(&quarter[1], __ATOMIC_RELAXED)) << 32;
#endif
	d.len = virtio_le32(__atomic_load_n(&quarter[2], __ATOMIC_RELAXED));
	d.flags_next = virtio_le32(__atomic_load_n(&quarter[3], __ATOMIC_RELAXED));
	return d;
}

/*
 * On x86 a locked instruction on the stack is several times cheaper than mfence.
 *
 * ThreadSanitizer does not model fences, and gcc warns of a fence under ThreadSanitizer. On x86 and
 * arm64 the instruction is the same with and without ThreadSanitizer. ThreadSanitizer need not know
 * this fence, because the accesses that need the fence are atomic. Only accesses to ring fields
 * that are misaligned or lie over two regions are not atomic. On other processors the fence under
 * ThreadSanitizer is a read-modify-write, which ThreadSanitizer models.
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
