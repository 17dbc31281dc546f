/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Guest memory: the one door through which the suite touches bytes that the guest can change.
 *
 * Concepts, from the outside in:
 *
 *   region   a run of guest-physical addresses backed by host memory of the caller's
 *   map      an immutable snapshot: a sorted table of regions, perhaps with a translation in front.
 *            Any number of threads share one map; a change of the guest's memory is a new map.
 *   cursor   a map and the place of the last access in it. Every access goes through a cursor; it
 *            belongs to one walker (a queue, a thread) and makes the next access nearby cheap.
 *   segment  a run of guest addresses resolved to host memory, for zero-copy I/O
 *
 * What the guest can do: choose any address and length, and change every byte behind them at any
 * time from another processor. So each access is checked against the map (no arithmetic here can
 * wrap), says whether it reads or writes, and copies before anything looks at a value. Data that is
 * to be judged is copied once into the caller's own memory and judged there.
 *
 * What is not covered: a page that is not there. Host memory behind a file that another process can
 * truncate raises SIGBUS when touched; whoever maps such a file must seal it against shrinking or
 * know that its length is fixed. Regions must be resident or demand-paged by the host: mapping a
 * region at the moment of access (Xen's grant tables) is not supported.
 *
 * Threads: a map and its regions are only read. A cursor is used by one thread at a time.
 *
 * Freestanding: needs memcpy and memset. The functions that are not inline are in libvirtio-queue.
 */
#ifndef VIRTIO_GUEST_MEMORY_H
#define VIRTIO_GUEST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <virtio/compiler.h>
#include <virtio/endian.h>
#include <virtio/error.h>

VIRTIO_BEGIN_DECLS

/* What an access does, and what a region or a translation permits; bits to be or-ed. */
#define VIRTIO_ACCESS_READ 1u
#define VIRTIO_ACCESS_WRITE 2u

/* Flags of a region. */
#define VIRTIO_REGION_READ_ONLY 1u /* the device may not write here (ROM, pflash) */

/*
 * Where writes by the device are recorded, one bit a page, for live migration.
 *
 * Bit n stands for the page at base + (n << page_shift). Within a unit the least significant bit
 * comes first. With unit 1, bit n is bit n % 8 of byte n / 8, which is vhost-user's log and, on
 * any host, KVM's; with unit sizeof(unsigned long) it is bit n % 64 (or 32) of an unsigned long in
 * the host's byte order, as operating systems keep their own bitmaps. Bits are set atomically and
 * never cleared; pages outside the bitmap are not recorded.
 */
struct virtio_dirty_log {
	void *bitmap;       /* aligned to unit */
	uint64_t size;      /* bytes of bitmap; a multiple of unit */
	uint64_t base;      /* guest-physical address of the first bit's page */
	uint8_t page_shift; /* log2 of the page size in bytes, 0 to 63; 12 for 4 KiB */
	uint8_t unit;       /* 1 or sizeof(unsigned long) */
};

/* A run of guest-physical memory. Plain data, filled in by the caller. */
struct virtio_region {
	uint64_t addr;                        /* guest-physical address of the first byte */
	uint64_t len;                         /* bytes, at least 1; may end at the last byte of the address space */
	void *host;                           /* the same byte in the caller's address space */
	uint32_t flags;                       /* VIRTIO_REGION_... */
	const struct virtio_dirty_log *dirty; /* where device writes are recorded, or NULL */
};

/* The answer of a translation: the first len bytes at the address asked for are at addr. */
struct virtio_translation {
	uint64_t addr;   /* guest-physical address */
	uint64_t len;    /* bytes, at least 1; may be less than asked for */
	uint32_t access; /* VIRTIO_ACCESS_... bits permitted there */
};

/*
 * Translates an address that the driver wrote, for a vIOMMU. A device behind a translation offers
 * VIRTIO_F_ACCESS_PLATFORM (virtio 1.4, 6.2).
 *
 * @context   the map's translate_context
 * @addr      first byte, an I/O virtual address
 * @len       bytes that the caller is interested in, at least 1
 * @access    what it will do there
 * @out       filled in on success
 *
 * Returns 0; VIRTIO_EFAULT where nothing is or ever will be mapped; VIRTIO_EPERM; or
 * VIRTIO_ENOTMAPPED when the answer is not known yet, in which case the caller of the suite is told
 * so and can come again. For one map the answer for one address does not change, except from
 * VIRTIO_ENOTMAPPED to something else: an invalidation makes a new map. Called on the thread that
 * uses the cursor; may be called by several threads at once.
 */
typedef int virtio_translate_fn(void *context, uint64_t addr, uint64_t len, uint32_t access,
				struct virtio_translation *out);

/* A snapshot of guest memory. Set up by virtio_memory_map_init(), then only read. */
struct virtio_memory_map {
	const struct virtio_region *regions; /* sorted by addr, without overlap */
	uint32_t count;
	bool plain;                        /* addresses are guest-physical, and all regions are plain: see below */
	uint8_t steps;                     /* of a binary search: log2 of count, rounded down */
	const struct virtio_region *upper; /* the last 2^steps of the regions */
	virtio_translate_fn *translate;    /* NULL: addresses are guest-physical */
	void *translate_context;
};

/* Accesses of at most so many bytes have a short cut. A region with fewer, a flag or a dirty log isn't plain. */
#define VIRTIO_MEMORY_SMALL 32

/*
 * A map and the window in which the last access fell. Set up by virtio_memory_cursor_init().
 * The window is keyed by the address before translation and by the access permitted.
 */
struct virtio_memory_cursor {
	const struct virtio_memory_map *map;
	uint64_t start;                     /* first address of the window */
	const struct virtio_region *region; /* where it lies */
	uint8_t *host;                      /* host address of start */
	/*
	 * The number of offsets at which VIRTIO_MEMORY_SMALL bytes can be read, and at which they are plain memory, so that
	 * for a small access of known size one comparison will do.
	 */
	uint64_t readable_small;
	uint64_t len;    /* bytes of the window; 0 for no window */
	uint32_t access; /* VIRTIO_ACCESS_... that it permits, and VIRTIO_ACCESS_PLAIN */
	uint64_t plain_small;
};

/*
 * In a cursor's access, and nowhere else: reading and writing is permitted, and what is written need not be recorded in a
 * dirty log.
 */
#define VIRTIO_ACCESS_PLAIN 4u

/*
 * A run of guest memory resolved to host memory. Valid for as long as the map it came from. The
 * guest may change the bytes at any time: host is for handing to the operating system (readv,
 * writev, io_uring) or to the functions of this header, not for looking at.
 */
struct virtio_segment {
	uint64_t addr;                      /* address as the driver gave it */
	uint64_t len;                       /* bytes, at least 1 */
	void *host;                         /* first byte */
	const struct virtio_region *region; /* the region that holds all of it */
};

/* The layout of struct iovec, without the operating system's header. */
struct virtio_iovec {
	void *base; /* first byte */
	size_t len; /* bytes */
};

/* Memory orders of the atomic accessors. */
enum virtio_order {
	VIRTIO_RELAXED, /* no order */
	VIRTIO_ACQUIRE, /* loads: later accesses stay later */
	VIRTIO_RELEASE, /* stores: earlier accesses stay earlier */
};

/* Maps */

/*
 * Makes a map from a table of regions.
 *
 * @map       set up; has no translation until virtio_memory_map_set_translation()
 * @regions   the caller's table, in any order: it is sorted here. It stays the caller's, and must
 *            neither move nor change while the map is in use. NULL if count is 0.
 * @count     entries of the table
 *
 * Returns 0; VIRTIO_EINVAL for a region of length 0, without host memory, that ends past the
 * address space (guest's or host's), overlaps another, has an unknown flag or an impossible dirty log.
 * On failure the map is untouched, though the table may be in another order.
 */
VIRTIO_MUST_CHECK
int virtio_memory_map_init(struct virtio_memory_map *map, struct virtio_region *regions, uint32_t count);

/*
 * Puts a translation in front of a map that no one uses yet.
 *
 * @map       from virtio_memory_map_init()
 * @translate called for each address not in a cursor's window; NULL for none
 * @context   handed to it
 */
void virtio_memory_map_set_translation(struct virtio_memory_map *map, virtio_translate_fn *translate, void *context);

/* Points a cursor at a map, which must live as long as the cursor is used. No window yet. */
void virtio_memory_cursor_init(struct virtio_memory_cursor *cursor, const struct virtio_memory_map *map);

/* Access. For each: a length of 0 succeeds at any address, which is not looked at. */

/*
 * Copies bytes out of guest memory.
 *
 * @cursor  where to look
 * @addr    first byte, as the driver gave it
 * @dst     the caller's memory, len bytes; untouched on failure
 * @len     bytes; the range may cross regions
 *
 * Returns 0; VIRTIO_EFAULT, VIRTIO_EPERM or VIRTIO_ENOTMAPPED if any byte is not readable.
 */
inline VIRTIO_HOT int virtio_memory_read(struct virtio_memory_cursor *cursor, uint64_t addr, void *dst, size_t len);

/*
 * Copies bytes into guest memory and records them in the dirty log.
 *
 * @cursor  where to look
 * @addr    first byte, as the driver gave it
 * @src     the caller's memory, len bytes
 * @len     bytes; the range may cross regions
 *
 * Returns 0; VIRTIO_EFAULT, VIRTIO_EPERM or VIRTIO_ENOTMAPPED if any byte is not writable, and then
 * none is written.
 */
inline VIRTIO_HOT int virtio_memory_write(struct virtio_memory_cursor *cursor, uint64_t addr, const void *src,
					  size_t len);

/*
 * Whether a range permits an access.
 *
 * @cursor  where to look
 * @addr    first byte, as the driver gave it
 * @len     bytes; the range may cross regions
 * @access  VIRTIO_ACCESS_... bits: what would be done there
 *
 * Returns 0; or the error that the access would return: VIRTIO_EFAULT, VIRTIO_EPERM or VIRTIO_ENOTMAPPED.
 */
VIRTIO_MUST_CHECK
int virtio_memory_check(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, uint32_t access);

/*
 * The host address of a range, if it is contiguous there.
 *
 * @cursor  where to look
 * @addr    first byte, as the driver gave it
 * @len     bytes
 * @access  VIRTIO_ACCESS_... bits that the caller will use it for
 *
 * Returns NULL when the range is not in one region (nor in one translation), or does not permit the
 * access; for an empty range perhaps NULL, perhaps not. Writes made through the pointer are not recorded in a dirty log: see
 * virtio_region_mark_dirty(). Valid as long as the map.
 */
inline VIRTIO_HOT void *virtio_memory_find(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len,
					   uint32_t access);

/*
 * The host address of a range of plain memory: in one region, that may be read and written, and has no dirty log. A
 * short cut for what most buffers are.
 *
 * @cursor  where to look
 * @addr    first byte, as the driver gave it
 * @len     bytes; for 0 the answer is false
 * @out     the host address of addr, valid as long as the map; the region is cursor->region until the cursor is used
 *          again. Undefined for false
 *
 * Returns false for any other range, for which the functions above say what it is; perhaps also near the end of
 * a region, and behind a translation.
 */
inline VIRTIO_HOT bool virtio_memory_find_plain(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len,
						void **out);

/*
 * The same for a walker with two cursors in one map: what is not in the window of one is often in that of the other, as
 * most guests have two regions, with a gap for devices in between.
 *
 * @cursor  where to look, and whose window moves
 * @other   where else to look; only read
 */
inline VIRTIO_HOT bool virtio_memory_find_plain_near(struct virtio_memory_cursor *cursor,
						     const struct virtio_memory_cursor *other, uint64_t addr,
						     uint64_t len, void **out);

/*
 * Resolves the beginning of a range.
 *
 * @cursor  where to look
 * @addr    first byte, as the driver gave it
 * @len     bytes, at least 1
 * @access  VIRTIO_ACCESS_... bits that the caller will use it for
 * @out     as much of the range, from addr on, as lies in one piece; untouched on failure
 *
 * Returns 0; VIRTIO_EINVAL for a length of 0; VIRTIO_EFAULT, VIRTIO_EPERM or VIRTIO_ENOTMAPPED. What comes
 * after the piece isn't looked at, nor whether the range wraps.
 */
VIRTIO_MUST_CHECK
int virtio_memory_segment(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, uint32_t access,
			  struct virtio_segment *out);

/*
 * Resolves a range to segments.
 *
 * @cursor    where to look
 * @addr      first byte, as the driver gave it
 * @len       bytes; a range over several regions makes several segments
 * @access    VIRTIO_ACCESS_... bits that the caller will use them for
 * @segments  the caller's array
 * @capacity  its entries
 *
 * Returns the number of segments filled in, 0 only for a length of 0; VIRTIO_ENOBUFS if the array is
 * too small; VIRTIO_EFAULT, VIRTIO_EPERM or VIRTIO_ENOTMAPPED. On failure the array's content is
 * undefined.
 */
VIRTIO_MUST_CHECK
int virtio_memory_segments(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, uint32_t access,
			   struct virtio_segment *segments, uint32_t capacity);

/*
 * Atomic access to one little-endian field, as the two sides of a ring share it.
 *
 * @addr   address of the field, a multiple of its size, on the guest's side and on the host's
 * @order  VIRTIO_RELAXED; VIRTIO_ACQUIRE for a load; VIRTIO_RELEASE for a store
 * @out    the value, in the host's byte order; untouched on failure
 *
 * Return 0; VIRTIO_EALIGN; VIRTIO_EFAULT, also for a field that lies over two regions; VIRTIO_EPERM;
 * VIRTIO_ENOTMAPPED. Stores are recorded in the dirty log.
 */
int virtio_memory_load_le16(struct virtio_memory_cursor *cursor, uint64_t addr, enum virtio_order order, uint16_t *out);
int virtio_memory_load_le32(struct virtio_memory_cursor *cursor, uint64_t addr, enum virtio_order order, uint32_t *out);
int virtio_memory_store_le16(struct virtio_memory_cursor *cursor, uint64_t addr, enum virtio_order order,
			     uint16_t value);
int virtio_memory_store_le32(struct virtio_memory_cursor *cursor, uint64_t addr, enum virtio_order order,
			     uint32_t value);

/* Segments */

/* The sum of the lengths of count segments, in bytes. */
uint64_t virtio_segments_bytes(const struct virtio_segment *segments, uint32_t count);

/*
 * Records in the dirty log what zero-copy I/O has written.
 *
 * @segments  as handed to the I/O, in order
 * @count     how many
 * @bytes     how many bytes were written, from the start of the first segment on; more than the
 *            segments hold means all of them
 *
 * To be called after the bytes are there and before the chain is completed. Any thread.
 */
void virtio_segments_mark_dirty(const struct virtio_segment *segments, uint32_t count, uint64_t bytes);

/*
 * Fills an I/O vector with part of a list of segments.
 *
 * @segments  the list
 * @count     how many
 * @offset    bytes to skip at the front
 * @bytes     bytes wanted after that; UINT64_MAX for all
 * @iov       the caller's array
 * @capacity  its entries
 * @filled    set to the bytes that the entries filled in stand for: less than wanted when the array
 *            or the list ends first
 *
 * Returns the number of entries filled in, each of at least one byte.
 */
uint32_t virtio_segments_iovec(const struct virtio_segment *segments, uint32_t count, uint64_t offset, uint64_t bytes,
			       struct virtio_iovec *iov, uint32_t capacity, uint64_t *filled);

/*
 * Records bytes written behind a host pointer in a region's dirty log, if it has one.
 *
 * @region  the region
 * @host    first byte written, inside the region
 * @len     bytes written
 */
void virtio_region_mark_dirty(const struct virtio_region *region, const void *host, uint64_t len);

/*
 * Records guest-physical pages in a log: those that the len bytes at addr touch. None for a length of
 * 0; a range that leaves the bitmap, or wraps, is cut to it. Any thread.
 */
void virtio_dirty_log_mark(const struct virtio_dirty_log *log, uint64_t addr, uint64_t len);

/*
 * Raw access: bytes of guest memory behind a host pointer that one of the functions above has
 * resolved. Everything that the suite does to such bytes is one of these. Not for a caller's use
 * outside of a device that keeps its own shared structures. Nothing is checked, and nothing recorded in a dirty log.
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
inline VIRTIO_HOT void virtio_guest_copy(void *to, const void *from, size_t len)
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
inline void virtio_guest_copy_in(void *dst, const void *guest, size_t len)
{
	virtio_guest_copy(dst, guest, len);
	__asm__ volatile("" : : "r"(dst) : "memory");
}

inline void virtio_guest_copy_out(void *guest, const void *src, size_t len)
{
	virtio_guest_copy(guest, src, len);
}

/* Copies eight bytes out of guest memory once, of any alignment and in no order: a little-endian field of a header. */
inline uint64_t virtio_guest_read_le64(const void *guest)
{
	uint64_t v;

	memcpy(&v, guest, sizeof v);
	__asm__ volatile("" : "+r"(v));
	return virtio_le64(v);
}

inline uint16_t virtio_guest_load_le16(const void *guest)
{
	return virtio_le16(__atomic_load_n((const virtio_guest_u16 *)guest, __ATOMIC_RELAXED));
}

/* Pairs with the release store by which the driver publishes an index (virtio 1.4, 2.7.13.3). */
inline uint16_t virtio_guest_load_le16_acquire(const void *guest)
{
	return virtio_le16(__atomic_load_n((const virtio_guest_u16 *)guest, __ATOMIC_ACQUIRE));
}

inline void virtio_guest_store_le16(void *guest, uint16_t value)
{
	__atomic_store_n((virtio_guest_u16 *)guest, virtio_le16(value), __ATOMIC_RELAXED);
}

/* Pairs with the acquire load (or read barrier) by which the driver sees an index (2.7.8.2). */
inline void virtio_guest_store_le16_release(void *guest, uint16_t value)
{
	__atomic_store_n((virtio_guest_u16 *)guest, virtio_le16(value), __ATOMIC_RELEASE);
}

/* A used element: 4-byte aligned, and published by the index that follows, so it may be written in two. */
inline void virtio_guest_store_used(void *guest, uint32_t id, uint32_t len)
{
	virtio_guest_u32 *half = (virtio_guest_u32 *)guest;

	half[0] = virtio_le32(id);
	half[1] = virtio_le32(len);
}

/*
 * An aligned descriptor, each byte of it read exactly once. The address on a 64-bit host in one, so that it is one that
 * the driver wrote. The other fields in two, which saves the instructions that would take them apart.
 */
inline struct virtio_guest_desc virtio_guest_load_desc(const void *guest)
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
inline void virtio_full_fence(void)
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

/* Inline bodies. */

/* The parts of the functions above that deal with a range outside the window. */
void *virtio_memory_find_slow(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, uint32_t access);
int virtio_memory_read_slow(struct virtio_memory_cursor *cursor, uint64_t addr, void *dst, size_t len);
int virtio_memory_write_slow(struct virtio_memory_cursor *cursor, uint64_t addr, const void *src, size_t len);
/*
 * Moves the window to the region in which VIRTIO_MEMORY_SMALL bytes can be read and written at addr without
 * further ado, and returns the host address of addr; or NULL, and nothing has moved, where there is more to it: near
 * the end of a region, in one that is read-only or has a dirty log, and under a translation.
 */
uint8_t *virtio_memory_move_window(struct virtio_memory_cursor *cursor, uint64_t addr);
/* The same, and from the other cursor's window, if it is there. */
uint8_t *virtio_memory_take_window(struct virtio_memory_cursor *cursor, const struct virtio_memory_cursor *other,
				   uint64_t addr);

inline VIRTIO_HOT void *virtio_memory_find(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len,
					   uint32_t access)
{
	uint64_t off = addr - cursor->start;

	/* Only where off is below the window's length is it subtracted, so nothing wraps. */
	if (VIRTIO_LIKELY(off < cursor->len && len <= cursor->len - off && (cursor->access & access) == access))
		return cursor->host + off;
	return virtio_memory_find_slow(cursor, addr, len, access);
}

/* Whether an access is small and of known size, so that one comparison will do. */
#define VIRTIO_MEMORY_IS_SMALL(len) (__builtin_constant_p(len) && (len) != 0 && (len) <= VIRTIO_MEMORY_SMALL)

/* Whether the range is plain memory in the window. */
inline VIRTIO_HOT bool virtio_memory_in_window(const struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len)
{
	const uint64_t off = addr - cursor->start;

	if (VIRTIO_MEMORY_IS_SMALL(len))
		return VIRTIO_LIKELY(off < cursor->plain_small);
	/* Nothing wraps but a length of 0 less 1, which is too long for any window. */
	return VIRTIO_LIKELY(off < cursor->plain_small &&
			     len - 1 < cursor->plain_small - off + (VIRTIO_MEMORY_SMALL - 1));
}

/* The window has been moved to host, the address of addr, or there is none: whether it holds the range. */
inline VIRTIO_HOT bool virtio_memory_moved(const struct virtio_memory_cursor *cursor, uint8_t *host, uint64_t addr,
					   uint64_t len, void **out)
{
	if (VIRTIO_UNLIKELY(!host))
		return false;
	*out = host;
	return VIRTIO_MEMORY_IS_SMALL(len) || VIRTIO_LIKELY(len - 1 < cursor->len - (addr - cursor->start));
}

inline VIRTIO_HOT bool virtio_memory_find_plain(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len,
						void **out)
{
	if (VIRTIO_UNLIKELY(!virtio_memory_in_window(cursor, addr, len)))
		return virtio_memory_moved(cursor, virtio_memory_move_window(cursor, addr), addr, len, out);
	*out = cursor->host + (addr - cursor->start);
	return true;
}

inline VIRTIO_HOT bool virtio_memory_find_plain_near(struct virtio_memory_cursor *cursor,
						     const struct virtio_memory_cursor *other, uint64_t addr,
						     uint64_t len, void **out)
{
	if (VIRTIO_UNLIKELY(!virtio_memory_in_window(cursor, addr, len)))
		return virtio_memory_moved(cursor, virtio_memory_take_window(cursor, other, addr), addr, len, out);
	*out = cursor->host + (addr - cursor->start);
	return true;
}

/*
 * A small access of known size: through the window, or a window that is moved there, or else by a copy. The copy also
 * keeps dst and src from escaping, so that the caller's variable may live in a register.
 */
inline VIRTIO_HOT int virtio_memory_read_small(struct virtio_memory_cursor *cursor, uint64_t addr, void *dst,
					       size_t len)
{
	const uint64_t off = addr - cursor->start;
	uint8_t copy[VIRTIO_MEMORY_SMALL];
	const uint8_t *from;
	int error;

	if (VIRTIO_LIKELY(off < cursor->readable_small)) {
		virtio_guest_copy_in(dst, cursor->host + off, len);
		return 0;
	}
	from = virtio_memory_move_window(cursor, addr);
	if (VIRTIO_LIKELY(from != NULL)) {
		virtio_guest_copy_in(dst, from, len);
		return 0;
	}
	error = virtio_memory_read_slow(cursor, addr, copy, len);
	if (!error)
		memcpy(dst, copy, len);
	return error;
}

inline VIRTIO_HOT int virtio_memory_write_small(struct virtio_memory_cursor *cursor, uint64_t addr, const void *src,
						size_t len)
{
	const uint64_t off = addr - cursor->start;
	uint8_t copy[VIRTIO_MEMORY_SMALL];
	uint8_t *to;

	if (VIRTIO_LIKELY(off < cursor->plain_small)) {
		virtio_guest_copy_out(cursor->host + off, src, len);
		return 0;
	}
	to = virtio_memory_move_window(cursor, addr);
	if (VIRTIO_LIKELY(to != NULL)) {
		virtio_guest_copy_out(to, src, len);
		return 0;
	}
	memcpy(copy, src, len);
	return virtio_memory_write_slow(cursor, addr, copy, len);
}

inline VIRTIO_HOT int virtio_memory_read(struct virtio_memory_cursor *cursor, uint64_t addr, void *dst, size_t len)
{
	const uint64_t off = addr - cursor->start;

	if (VIRTIO_MEMORY_IS_SMALL(len))
		return virtio_memory_read_small(cursor, addr, dst, len);
	/* Nothing wraps but a length of 0 less 1, which is too long for any window. */
	if (VIRTIO_UNLIKELY(off >= cursor->len || (uint64_t)len - 1 >= cursor->len - off ||
			    !(cursor->access & VIRTIO_ACCESS_READ)))
		return virtio_memory_read_slow(cursor, addr, dst, len);
	virtio_guest_copy_in(dst, cursor->host + off, len);
	return 0;
}

inline VIRTIO_HOT int virtio_memory_write(struct virtio_memory_cursor *cursor, uint64_t addr, const void *src,
					  size_t len)
{
	const uint64_t off = addr - cursor->start;

	if (VIRTIO_MEMORY_IS_SMALL(len))
		return virtio_memory_write_small(cursor, addr, src, len);
	/* As above; plain memory may be written. */
	if (VIRTIO_UNLIKELY(off >= cursor->len || (uint64_t)len - 1 >= cursor->len - off ||
			    !(cursor->access & VIRTIO_ACCESS_PLAIN)))
		return virtio_memory_write_slow(cursor, addr, src, len);
	virtio_guest_copy_out(cursor->host + off, src, len);
	return 0;
}

VIRTIO_END_DECLS

#endif
