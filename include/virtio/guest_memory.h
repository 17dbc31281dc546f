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
	bool unlogged;                     /* addresses are guest-physical, and all regions are unlogged: see below */
	uint8_t steps;                     /* of a binary search: log2 of count, rounded down */
	const struct virtio_region *upper; /* the last 2^steps of the regions */
	virtio_translate_fn *translate;    /* NULL: addresses are guest-physical */
	void *translate_context;
};

/*
 * Accesses of at most so many bytes have a fast path. A region with fewer, a flag or a dirty log
 * has none.
 */
#define VIRTIO_MEMORY_SMALL 32

/*
 * A map and the cached region in which the last access fell. Set up by virtio_memory_cursor_init().
 * The cached region is keyed by the address before translation and by the access permitted.
 */
struct virtio_memory_cursor {
	const struct virtio_memory_map *map;
	uint64_t start;                     /* first address of the cached region */
	const struct virtio_region *region; /* where it lies */
	uint8_t *host;                      /* host address of start */
	/*
	 * The number of offsets at which VIRTIO_MEMORY_SMALL bytes can be read, and at which they
	 * are unlogged memory, so that for a small access of known size one comparison will do.
	 */
	uint64_t readable_small;
	uint64_t len;    /* bytes of the cached region; 0 for none cached */
	uint32_t access; /* VIRTIO_ACCESS_... that it permits, and an internal flag */
	uint64_t unlogged_small;
};

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
 * Returns 0; VIRTIO_EREGION for a region of length 0, without host memory, that ends past the
 * address space (guest's or host's), has an unknown flag or an impossible dirty log;
 * VIRTIO_EOVERLAP for two that overlap. On failure the map is untouched, though the table may be in
 * another order: virtio_memory_bad_region() finds the entry.
 */
VIRTIO_MUST_CHECK
int virtio_memory_map_init(struct virtio_memory_map *map, struct virtio_region *regions, uint32_t count);

/*
 * Which region of a table is wrong, for a message.
 *
 * @regions, @count  as virtio_memory_map_init() has left them
 *
 * Returns the index of the first region that is impossible, or else of the first that overlaps the
 * one before it; count if there is none.
 */
uint32_t virtio_memory_bad_region(const struct virtio_region *regions, uint32_t count);

/*
 * Puts a translation in front of a map that no one uses yet.
 *
 * @map       from virtio_memory_map_init()
 * @translate called for each address not in a cursor's cached region; NULL for none
 * @context   handed to it
 */
void virtio_memory_map_set_translation(struct virtio_memory_map *map, virtio_translate_fn *translate, void *context);

/* Points a cursor at a map, which must live as long as the cursor is used. No cached region yet. */
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
VIRTIO_MUST_CHECK
VIRTIO_INLINE VIRTIO_HOT int virtio_memory_read(struct virtio_memory_cursor *cursor, uint64_t addr, void *dst,
						size_t len);

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
VIRTIO_MUST_CHECK
VIRTIO_INLINE VIRTIO_HOT int virtio_memory_write(struct virtio_memory_cursor *cursor, uint64_t addr, const void *src,
						 size_t len);

/*
 * Whether a range permits an access.
 *
 * @cursor  where to look
 * @addr    first byte, as the driver gave it
 * @len     bytes; the range may cross regions
 * @access  VIRTIO_ACCESS_... bits: what would be done there
 *
 * Returns 0; or the error that the access would return: VIRTIO_EFAULT, VIRTIO_EPERM or
 * VIRTIO_ENOTMAPPED.
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
 * access; for an empty range perhaps NULL, perhaps not. Writes made through the pointer are not
 * recorded in a dirty log: see virtio_region_mark_dirty(). Valid as long as the map.
 */
VIRTIO_INLINE VIRTIO_HOT void *virtio_memory_find(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len,
						  uint32_t access);

/*
 * Resolves the beginning of a range.
 *
 * @cursor  where to look
 * @addr    first byte, as the driver gave it
 * @len     bytes, at least 1
 * @access  VIRTIO_ACCESS_... bits that the caller will use it for
 * @out     as much of the range, from addr on, as lies in one piece; untouched on failure
 *
 * Returns 0; VIRTIO_EINVAL for a length of 0; VIRTIO_EFAULT, VIRTIO_EPERM or VIRTIO_ENOTMAPPED.
 * What comes after the piece isn't looked at, nor whether the range wraps.
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
 * Returns the number of segments filled in, 0 only for a length of 0; VIRTIO_ENOBUFS if the array
 * is too small; VIRTIO_EFAULT, VIRTIO_EPERM or VIRTIO_ENOTMAPPED. On failure the array's content is
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
 * Return 0; VIRTIO_EALIGN; VIRTIO_EFAULT, also for a field that lies over two regions;
 * VIRTIO_EPERM; VIRTIO_ENOTMAPPED. Stores are recorded in the dirty log.
 */
VIRTIO_MUST_CHECK
int virtio_memory_load_le16(struct virtio_memory_cursor *cursor, uint64_t addr, enum virtio_order order, uint16_t *out);
VIRTIO_MUST_CHECK
int virtio_memory_load_le32(struct virtio_memory_cursor *cursor, uint64_t addr, enum virtio_order order, uint32_t *out);
VIRTIO_MUST_CHECK
int virtio_memory_store_le16(struct virtio_memory_cursor *cursor, uint64_t addr, enum virtio_order order,
			     uint16_t value);
VIRTIO_MUST_CHECK
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
 * Records bytes written behind a host pointer in a region's dirty log, if it has one.
 *
 * @region  the region
 * @host    first byte written, inside the region
 * @len     bytes written
 */
void virtio_region_mark_dirty(const struct virtio_region *region, const void *host, uint64_t len);

/*
 * Records guest-physical pages in a log: those that the len bytes at addr touch. None for a length
 * of 0; a range that leaves the bitmap, or wraps, is cut to it. Any thread.
 */
void virtio_dirty_log_mark(const struct virtio_dirty_log *log, uint64_t addr, uint64_t len);

VIRTIO_END_DECLS

#include <virtio/inline/guest_memory.h>

#endif
