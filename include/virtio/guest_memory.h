/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Guest memory: the only way by which the suite touches bytes that the guest can change.
 *
 * Concepts:
 *
 *   region   a run of guest-physical addresses, backed by host memory of the caller
 *   map      an immutable, sorted table of regions, and perhaps an address translation. If the
 *            layout of the guest's memory changes, the caller makes a new map.
 *   cursor   a map, and the region of the last access. Every access uses a cursor. An access to
 *            that region is cheap. A cursor must not be copied, because it may point into itself.
 *   segment  a run of guest addresses resolved to host memory, for zero-copy I/O
 *
 * What the guest can do: choose any address and length, and change every byte at any time from
 * another processor. Therefore:
 * - Each access is checked against the map. A check fails if its arithmetic wraps.
 * - For each access the caller states whether the access reads or writes.
 * - A value is copied once into the caller's own memory, and the copy is checked.
 *
 * What is not covered:
 * - Truncation of a file behind guest memory by another process. An access then raises SIGBUS. The
 *   caller must seal such a file against shrinking, or know that the file's length is fixed.
 * - Mapping of a region at the moment of access (Xen's grant tables). Regions must be resident, or
 *   demand-paged by the host.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   on a map, a region    any thread     the set-up of the map. Bits of a dirty log are set
 *   or a dirty log                       atomically.
 *   on a cursor           any thread     another call on the same cursor. Usually each queue's
 *                                        thread has its own cursors.
 *   set-up of a map       any thread     every other use of the map
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

/* What an access does, or what a region or a translation permits. The bits can be combined. */
#define VIRTIO_ACCESS_READ 1u
#define VIRTIO_ACCESS_WRITE 2u

/* Flags of a region. */
#define VIRTIO_REGION_READ_ONLY 1u /* the device may not write here (ROM, pflash) */

/*
 * Records the device's writes for live migration, one bit for each page.
 *
 * Bit n stands for the page at base + (n << page_shift). The least significant bit of a unit comes
 * first:
 *   unit 1                      bit n % 8 of byte n / 8, as in the logs of vhost-user and of KVM
 *   unit sizeof(unsigned long)  bit n % 64 (or 32) of an unsigned long in the host's byte order, as
 *                               operating systems keep bitmaps
 *
 * The library sets bits atomically, and clears none. Pages outside the bitmap are not recorded.
 */
struct virtio_dirty_log {
	void *bitmap;       /* aligned to unit */
	uint64_t size;      /* bytes of bitmap; a multiple of unit */
	uint64_t base;      /* guest-physical address of the first bit's page */
	uint8_t page_shift; /* log2 of the page size in bytes, 0 to 63; 12 for 4 KiB */
	uint8_t unit;       /* 1 or sizeof(unsigned long) */
};

/*
 * The largest small access, in bytes. A small access has the shortest fast path if the compiler
 * knows its size. This path needs a writable region of at least VIRTIO_MEMORY_SMALL bytes.
 */
#define VIRTIO_MEMORY_SMALL 64

/*
 * A run of guest-physical memory. The caller fills in the first five members.
 * virtio_memory_map_init() sets the other members, whatever their values are.
 */
struct virtio_region {
	uint64_t addr;                        /* guest-physical address of the first byte */
	uint64_t len;                         /* bytes, at least 1; the region may end at 2^64 */
	void *host;                           /* first byte's host address; see VIRTIO_EREGION */
	uint32_t flags;                       /* VIRTIO_REGION_... */
	const struct virtio_dirty_log *dirty; /* where device writes are recorded, or NULL */

	uint32_t access;   /* permitted VIRTIO_ACCESS_... bits, and an internal bit */
	uint64_t writable; /* len if the bytes can be read and written, otherwise 0 */
	/*
	 * writable_small is the number of offsets at which VIRTIO_MEMORY_SMALL bytes can be read
	 * and written. unlogged_small is 0 if the region has a dirty log, otherwise equal to
	 * writable_small. With these members a small access of known size needs one comparison.
	 */
	uint64_t writable_small;
	uint64_t unlogged_small;
	const struct virtio_region *self; /* this region; in a cursor's window, the map's region */
};

/* The result of a translation: the first len bytes at the requested address are at addr. */
struct virtio_translation {
	uint64_t addr;   /* guest-physical address */
	uint64_t len;    /* bytes, at least 1; may be less or more than requested */
	uint32_t access; /* VIRTIO_ACCESS_... bits permitted there */
};

/*
 * Translates an address that the driver wrote, for a vIOMMU. A device behind a translation offers
 * VIRTIO_F_ACCESS_PLATFORM (virtio 1.4, 6.2).
 *
 * @context   the map's translate_context
 * @addr      first byte, an I/O virtual address
 * @len       bytes that the caller needs, at least 1
 * @access    VIRTIO_ACCESS_... bits: the intended access
 * @out       filled in on success
 *
 * Returns 0, or:
 *   VIRTIO_EFAULT      nothing is mapped there, now or later
 *   VIRTIO_EPERM       the access is not permitted
 *   VIRTIO_ENOTMAPPED  the translation is not known yet. The caller of the suite gets this error
 *                      and can retry.
 *
 * For one map the result for an address must not change, except from VIRTIO_ENOTMAPPED to another
 * result. After an invalidation the caller must make a new map.
 *
 * The function runs on the thread that uses the cursor. Several threads may call it in parallel.
 */
typedef int virtio_translate_fn(void *context, uint64_t addr, uint64_t len, uint32_t access,
				struct virtio_translation *out);

/*
 * The number of slots of a map. Slots divide the addresses from 0 to at least the end of the last
 * region into parts of equal length. The member `slots` of the map has one region for each slot.
 * Inline code tries only the region of the address's slot.
 */
#define VIRTIO_MEMORY_SLOTS 32

/* The regions of guest memory, and perhaps a translation. After set-up a map is only read. */
struct virtio_memory_map {
	const struct virtio_region *regions; /* sorted by addr, without overlap */
	uint32_t count;
	uint8_t steps;                     /* steps of a search: log2 of count, rounded down */
	uint8_t fast_slots;                /* VIRTIO_MEMORY_SLOTS; 0 if slots are not used */
	uint8_t slot_shift;                /* log2 of the bytes of a slot */
	const struct virtio_region *upper; /* first of the last 2^steps regions */
	virtio_translate_fn *translate;    /* NULL if addresses are guest-physical */
	void *translate_context;
	/* The last region that starts in or below each slot. If none does, the first region. */
	const struct virtio_region *slots[VIRTIO_MEMORY_SLOTS];
};

/*
 * A map, and the cached region: the region of the last access. Set up by
 * virtio_memory_cursor_init(). Caching another region of the map takes one store.
 */
struct virtio_memory_cursor {
	const struct virtio_memory_map *map;
	/* Cached region: an entry of the map's table or the window; at first an empty region. */
	const struct virtio_region *region;
	/*
	 * The result of the last translation, in the form of a region. The member `addr` is the
	 * address before the translation. The member `access` has the bits that both the
	 * translation and the region permit.
	 */
	struct virtio_region window;
};

/*
 * A run of guest memory resolved to host memory. Valid as long as its map. The guest may change the
 * bytes at any time. Do not dereference the member `host`. Pass the pointer to the operating system
 * (readv, writev, io_uring), or to functions of <virtio/guest_access.h>.
 */
struct virtio_segment {
	uint64_t addr;                      /* address as the driver gave it */
	uint64_t len;                       /* bytes, at least 1 */
	void *host;                         /* host address of the first byte */
	const struct virtio_region *region; /* the region that holds the whole segment */
};

/* Has the layout of struct iovec, but needs no header of the operating system. */
struct virtio_iovec {
	void *base; /* first byte */
	size_t len; /* bytes */
};

/* Memory orders of the atomic accessors. */
enum virtio_order {
	VIRTIO_RELAXED, /* no order */
	VIRTIO_ACQUIRE, /* loads: later accesses stay after the load */
	VIRTIO_RELEASE, /* stores: earlier accesses stay before the store */
};

/* Maps */

/*
 * Makes a map from a table of regions.
 *
 * @map       filled in, without a translation
 * @regions   the caller's table, in any order. This call sorts the table, and sets the members
 *            after `dirty`. The table must not move or change while the map is in use, so another
 *            map needs a table of its own. May be NULL if count is 0.
 * @count     entries of the table
 *
 * Returns 0, or:
 *   VIRTIO_EREGION   - a region has length 0, no host memory, or an unknown flag
 *                    - a region has an invalid dirty log
 *                    - a region ends past the guest's address space
 *                    - a region has a byte in the last MiB of the host's address space or beyond.
 *                      In that MiB the address of a descriptor table plus an offset from a
 *                      guest's 16-bit index could wrap.
 *   VIRTIO_EOVERLAP  two regions overlap
 *
 * A failure leaves the map untouched, but may have sorted the table. virtio_memory_bad_region()
 * finds the wrong entry.
 */
VIRTIO_MUST_CHECK
int virtio_memory_map_init(struct virtio_memory_map *map, struct virtio_region *regions, uint32_t count);

/*
 * Finds the wrong region of a table, for a message.
 *
 * @regions, @count  as virtio_memory_map_init() has left them
 *
 * Returns the index of the first invalid region. If every region is valid, returns the index of the
 * first region that overlaps its predecessor. If no regions overlap, returns count.
 */
uint32_t virtio_memory_bad_region(const struct virtio_region *regions, uint32_t count);

/*
 * Adds a translation to a map that is not in use yet.
 *
 * @map       from virtio_memory_map_init()
 * @translate called for each range not inside a cursor's cached region; NULL for no translation
 * @context   passed to translate
 */
void virtio_memory_map_set_translation(struct virtio_memory_map *map, virtio_translate_fn *translate, void *context);

/*
 * Prepares a cursor for a map, which must live as long as the cursor is used. No region is cached.
 */
void virtio_memory_cursor_init(struct virtio_memory_cursor *cursor, const struct virtio_memory_map *map);

/* Access. Unless a comment says otherwise, a length of 0 succeeds at any address. */

/*
 * Copies bytes out of guest memory.
 *
 * @cursor  a cursor of the map
 * @addr    first byte, as the driver gave it
 * @dst     the caller's memory, len bytes; untouched on failure
 * @len     bytes; the range may cross regions
 *
 * Returns 0, or VIRTIO_EFAULT, VIRTIO_EPERM or VIRTIO_ENOTMAPPED if a byte is not readable.
 */
VIRTIO_MUST_CHECK
VIRTIO_INLINE VIRTIO_HOT int virtio_memory_read(struct virtio_memory_cursor *cursor, uint64_t addr, void *dst,
						size_t len);

/*
 * Copies bytes into guest memory and records them in the dirty log.
 *
 * @cursor  a cursor of the map
 * @addr    first byte, as the driver gave it
 * @src     the caller's memory, len bytes
 * @len     bytes; the range may cross regions
 *
 * Returns 0, or VIRTIO_EFAULT, VIRTIO_EPERM or VIRTIO_ENOTMAPPED if a byte is not writable. On
 * failure no byte is written.
 */
VIRTIO_MUST_CHECK
VIRTIO_INLINE VIRTIO_HOT int virtio_memory_write(struct virtio_memory_cursor *cursor, uint64_t addr, const void *src,
						 size_t len);

/*
 * Checks whether a range permits an access.
 *
 * @cursor  a cursor of the map
 * @addr    first byte, as the driver gave it
 * @len     bytes; the range may cross regions
 * @access  VIRTIO_ACCESS_... bits: the intended access
 *
 * Returns 0, or the access's error: VIRTIO_EFAULT, VIRTIO_EPERM or VIRTIO_ENOTMAPPED.
 */
VIRTIO_MUST_CHECK
int virtio_memory_check(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, uint32_t access);

/*
 * Finds the host address of a range that is contiguous in host memory.
 *
 * @cursor  a cursor of the map
 * @addr    first byte, as the driver gave it
 * @len     bytes
 * @access  VIRTIO_ACCESS_... bits: the intended access
 *
 * Returns NULL if the range is not inside one region and one translation, or does not permit the
 * access. For a length of 0 the result may be NULL. The address is valid as long as the map.
 *
 * Writes through the pointer are not recorded in a dirty log: see virtio_region_mark_dirty().
 * From a success until the next use of the cursor, cursor->region->self is the range's region.
 */
VIRTIO_INLINE VIRTIO_HOT void *virtio_memory_find(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len,
						  uint32_t access);

/*
 * Resolves the beginning of a range.
 *
 * @cursor  a cursor of the map
 * @addr    first byte, as the driver gave it
 * @len     bytes, at least 1
 * @access  VIRTIO_ACCESS_... bits: the intended access
 * @out     the part of the range in the first byte's region and translation; untouched on failure
 *
 * Returns 0, or:
 *   VIRTIO_EINVAL      the length is 0
 *   VIRTIO_EFAULT      the first byte is not in guest memory
 *   VIRTIO_EPERM       the first byte does not permit this access
 *   VIRTIO_ENOTMAPPED  a translation is not known yet
 * The call checks only the part in *out: the rest of the range may be invalid, and the range may
 * wrap.
 */
VIRTIO_MUST_CHECK
int virtio_memory_segment(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, uint32_t access,
			  struct virtio_segment *out);

/*
 * Resolves a range to segments.
 *
 * @cursor    a cursor of the map
 * @addr      first byte, as the driver gave it
 * @len       bytes; a range over several regions makes several segments
 * @access    VIRTIO_ACCESS_... bits: the intended access
 * @segments  the caller's array; undefined after a failure
 * @capacity  number of entries in segments
 *
 * Returns the number of segments filled in, which is 0 only for a length of 0; or:
 *   VIRTIO_ENOBUFS                                   the array is too small
 *   VIRTIO_EFAULT, VIRTIO_EPERM, VIRTIO_ENOTMAPPED   as virtio_memory_check()
 */
VIRTIO_MUST_CHECK
int virtio_memory_segments(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, uint32_t access,
			   struct virtio_segment *segments, uint32_t capacity);

/*
 * Atomic access to a little-endian field that both sides of a ring share.
 *
 * @addr   guest address. This address and the host address must be multiples of the field's size.
 * @order  VIRTIO_RELAXED, or VIRTIO_ACQUIRE for a load, or VIRTIO_RELEASE for a store
 * @out    the value, in the host's byte order; untouched on failure
 *
 * Return 0, or:
 *   VIRTIO_EALIGN                    one of the two addresses is not aligned
 *   VIRTIO_EFAULT                    the field is not in guest memory, or lies over two regions
 *   VIRTIO_EPERM, VIRTIO_ENOTMAPPED  as virtio_memory_check()
 *
 * Stores are recorded in the dirty log.
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

/* Returns the sum of the lengths of count segments, in bytes. */
uint64_t virtio_segments_bytes(const struct virtio_segment *segments, uint32_t count);

/*
 * Records in the dirty log the bytes that zero-copy I/O has written. Thread-safe.
 *
 * @segments  as passed to the I/O, in order
 * @count     number of segments
 * @bytes     bytes written, from the start of the first segment on. If the segments have fewer
 *            bytes, all their bytes are recorded.
 *
 * Call this after the bytes are written and before the chain is completed.
 */
void virtio_segments_mark_dirty(const struct virtio_segment *segments, uint32_t count, uint64_t bytes);

/*
 * Records bytes in a region's dirty log, if the region has one. Thread-safe.
 *
 * @region  an entry of the map's table, such as a segment's region; not a cursor's window, which
 *          has other addresses
 * @host    first byte written, inside the region
 * @len     bytes written
 */
void virtio_region_mark_dirty(const struct virtio_region *region, const void *host, uint64_t len);

/*
 * Records in a log the guest-physical pages that the len bytes at addr touch. A length of 0 records
 * nothing. Bytes outside the bitmap or past the address space are not recorded. Thread-safe.
 */
void virtio_dirty_log_mark(const struct virtio_dirty_log *log, uint64_t addr, uint64_t len);

VIRTIO_END_DECLS

#include <virtio/inline/guest_memory.h>

#endif
