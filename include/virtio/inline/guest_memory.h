/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Inline bodies of <virtio/guest_memory.h>, which includes this file. Do not include it directly.
 */
#ifndef VIRTIO_INLINE_GUEST_MEMORY_H
#define VIRTIO_INLINE_GUEST_MEMORY_H

#include <virtio/guest_access.h>
#include <virtio/guest_memory.h>

VIRTIO_BEGIN_DECLS

/*
 * An internal bit of a cursor's access: reading and writing is permitted, and writes need no record
 * in a dirty log.
 */
#define VIRTIO_IMPL_ACCESS_UNLOGGED 4u

/* The slow paths: a range outside the cached region. */
void *virtio_impl_memory_find_slow(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, uint32_t access);
int virtio_impl_memory_read_slow(struct virtio_memory_cursor *cursor, uint64_t addr, void *dst, size_t len);
int virtio_impl_memory_write_slow(struct virtio_memory_cursor *cursor, uint64_t addr, const void *src, size_t len);
/*
 * Makes the region of addr the cached region, if VIRTIO_MEMORY_SMALL bytes at addr can be read and
 * written there. Returns the host address of addr. Returns NULL and changes nothing near the end of
 * a region, in a read-only region, and under a translation.
 */
uint8_t *virtio_impl_memory_cache_region(struct virtio_memory_cursor *cursor, uint64_t addr);

VIRTIO_INLINE VIRTIO_HOT void *virtio_memory_find(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len,
						  uint32_t access)
{
	uint64_t off = addr - cursor->start;

	/* off is subtracted only after it is known to be below len, so nothing wraps. */
	if (VIRTIO_LIKELY(off < cursor->len && len <= cursor->len - off && (cursor->access & access) == access))
		return cursor->host + off;
	return virtio_impl_memory_find_slow(cursor, addr, len, access);
}

/*
 * Whether an access is small and of a size known to the compiler, so that one comparison is enough.
 */
#define VIRTIO_IMPL_MEMORY_IS_SMALL(len) (__builtin_constant_p(len) && (len) != 0 && (len) <= VIRTIO_MEMORY_SMALL)

/*
 * Returns whether the range can be read and written in the cached region. A write must be recorded
 * if the region has a dirty log.
 */
VIRTIO_INLINE VIRTIO_HOT bool virtio_impl_memory_in_cached_region(const struct virtio_memory_cursor *cursor,
								  uint64_t addr, uint64_t len)
{
	const uint64_t off = addr - cursor->start;

	if (VIRTIO_IMPL_MEMORY_IS_SMALL(len))
		return VIRTIO_LIKELY(off < cursor->writable_small);
	/* A length of 0 wraps to a number that no cached region has, so the result is false. */
	return VIRTIO_LIKELY(off < cursor->writable_small &&
			     len - 1 < cursor->writable_small - off + (VIRTIO_MEMORY_SMALL - 1));
}

/*
 * Whether the cached region, after a move, holds the range. host is the address of addr, or NULL.
 */
VIRTIO_INLINE VIRTIO_HOT bool virtio_impl_memory_in_new_region(const struct virtio_memory_cursor *cursor, uint8_t *host,
							       uint64_t addr, uint64_t len, void **out)
{
	if (VIRTIO_UNLIKELY(!host))
		return false;
	*out = host;
	return VIRTIO_IMPL_MEMORY_IS_SMALL(len) || VIRTIO_LIKELY(len - 1 < cursor->len - (addr - cursor->start));
}

/*
 * Finds the host address of a range that can be read and written. This is the fast path of most
 * buffers.
 *
 * @cursor  for the search
 * @addr    first byte, as the driver gave it
 * @len     bytes; for 0 the result is false
 * @out     the host address of addr, valid as long as the map; undefined if the result is false.
 *          cursor->region is its region until the cursor is used again. A write must be recorded if
 *          that region has a dirty log.
 *
 * Returns false for any other range, and sometimes near the end of a region or behind a
 * translation. Then the slow path decides.
 */
VIRTIO_INLINE VIRTIO_HOT bool virtio_impl_memory_find_writable(struct virtio_memory_cursor *cursor, uint64_t addr,
							       uint64_t len, void **out)
{
	if (VIRTIO_UNLIKELY(!virtio_impl_memory_in_cached_region(cursor, addr, len)))
		return virtio_impl_memory_in_new_region(cursor, virtio_impl_memory_cache_region(cursor, addr), addr,
							len, out);
	*out = cursor->host + (addr - cursor->start);
	return true;
}

/*
 * A small access of known size: through the cached region, or after moving it, or else by a copy.
 * The copy keeps dst and src from escaping, so the caller's variable can live in a register.
 */
VIRTIO_INLINE VIRTIO_HOT int virtio_impl_memory_read_small(struct virtio_memory_cursor *cursor, uint64_t addr,
							   void *dst, size_t len)
{
	const uint64_t off = addr - cursor->start;
	uint8_t copy[VIRTIO_MEMORY_SMALL];
	const uint8_t *from;
	int error;

	if (VIRTIO_LIKELY(off < cursor->writable_small)) {
		virtio_guest_copy_in(dst, cursor->host + off, len);
		return 0;
	}
	from = virtio_impl_memory_cache_region(cursor, addr);
	if (VIRTIO_LIKELY(from != NULL)) {
		virtio_guest_copy_in(dst, from, len);
		return 0;
	}
	error = virtio_impl_memory_read_slow(cursor, addr, copy, len);
	if (!error)
		memcpy(dst, copy, len);
	return error;
}

VIRTIO_INLINE VIRTIO_HOT int virtio_impl_memory_write_small(struct virtio_memory_cursor *cursor, uint64_t addr,
							    const void *src, size_t len)
{
	const uint64_t off = addr - cursor->start;
	uint8_t copy[VIRTIO_MEMORY_SMALL];
	uint8_t *to;

	if (VIRTIO_LIKELY(off < cursor->unlogged_small)) {
		virtio_guest_copy_out(cursor->host + off, src, len);
		return 0;
	}
	/* A region with a dirty log needs a mark besides the copy. */
	to = off < cursor->writable_small ? NULL : virtio_impl_memory_cache_region(cursor, addr);
	if (VIRTIO_LIKELY(to != NULL) && VIRTIO_LIKELY(cursor->unlogged_small != 0)) {
		virtio_guest_copy_out(to, src, len);
		return 0;
	}
	memcpy(copy, src, len);
	return virtio_impl_memory_write_slow(cursor, addr, copy, len);
}

VIRTIO_INLINE VIRTIO_HOT int virtio_memory_read(struct virtio_memory_cursor *cursor, uint64_t addr, void *dst,
						size_t len)
{
	const uint64_t off = addr - cursor->start;

	if (VIRTIO_IMPL_MEMORY_IS_SMALL(len))
		return virtio_impl_memory_read_small(cursor, addr, dst, len);
	/* A length of 0 wraps to a number that no cached region has. */
	if (VIRTIO_UNLIKELY(off >= cursor->len || (uint64_t)len - 1 >= cursor->len - off ||
			    !(cursor->access & VIRTIO_ACCESS_READ)))
		return virtio_impl_memory_read_slow(cursor, addr, dst, len);
	virtio_guest_copy_in(dst, cursor->host + off, len);
	return 0;
}

VIRTIO_INLINE VIRTIO_HOT int virtio_memory_write(struct virtio_memory_cursor *cursor, uint64_t addr, const void *src,
						 size_t len)
{
	const uint64_t off = addr - cursor->start;

	if (VIRTIO_IMPL_MEMORY_IS_SMALL(len))
		return virtio_impl_memory_write_small(cursor, addr, src, len);
	/* The fast path needs memory without a dirty log. A length of 0 wraps here too. */
	if (VIRTIO_UNLIKELY(off >= cursor->len || (uint64_t)len - 1 >= cursor->len - off ||
			    !(cursor->access & VIRTIO_IMPL_ACCESS_UNLOGGED)))
		return virtio_impl_memory_write_slow(cursor, addr, src, len);
	virtio_guest_copy_out(cursor->host + off, src, len);
	return 0;
}

VIRTIO_END_DECLS

#endif
