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
 * An internal bit of a region's member `access`: reading and writing are permitted, and writes need
 * no record in a dirty log.
 */
#define VIRTIO_IMPL_ACCESS_UNLOGGED 4u

/* Slow paths, for accesses that the inline code does not serve. */
void *virtio_impl_memory_find_slow(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, uint32_t access);
int virtio_impl_memory_read_slow(struct virtio_memory_cursor *cursor, uint64_t addr, void *dst, size_t len);
int virtio_impl_memory_write_slow(struct virtio_memory_cursor *cursor, uint64_t addr, const void *src, size_t len);
/* The slow path of virtio_impl_memory_cache_region(). */
const struct virtio_region *virtio_impl_memory_cache_any(struct virtio_memory_cursor *cursor, uint64_t addr);

/*
 * Returns the region that map->slots has for the slot of addr. Usually this region contains addr,
 * but the caller must check. Returns NULL if the map has a translation or no region, or if addr is
 * past the last slot.
 */
VIRTIO_INLINE VIRTIO_HOT const struct virtio_region *virtio_impl_memory_guess(const struct virtio_memory_map *map,
									      uint64_t addr)
{
	const uint64_t slot = addr >> map->slot_shift;

	const struct virtio_region *region;

	if (VIRTIO_UNLIKELY(slot >= map->fast_slots))
		return NULL;
	region = map->slots[slot];
	VIRTIO_ASSUME(region != NULL);
	return region;
}

/*
 * Makes the region of addr the cached region, if VIRTIO_MEMORY_SMALL bytes at addr can be read and
 * written there. Returns that region. Otherwise changes nothing and returns NULL. The result is
 * NULL outside the regions, near a region's end, in a read-only region, and under a translation.
 */
VIRTIO_INLINE VIRTIO_HOT const struct virtio_region *virtio_impl_memory_cache_region(
	struct virtio_memory_cursor *cursor, uint64_t addr)
{
	const struct virtio_region *region = virtio_impl_memory_guess(cursor->map, addr);

	if (VIRTIO_UNLIKELY(!region) || VIRTIO_UNLIKELY(addr - region->addr >= region->writable_small))
		return virtio_impl_memory_cache_any(cursor, addr);
	cursor->region = region;
	return region;
}

VIRTIO_INLINE VIRTIO_HOT void *virtio_memory_find(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len,
						  uint32_t access)
{
	const struct virtio_region *region = cursor->region;
	const uint64_t off = addr - region->addr;

	/* Subtracts off only after the test off < region->len, so the difference cannot wrap. */
	if (VIRTIO_LIKELY(off < region->len && len <= region->len - off && (region->access & access) == access))
		return (uint8_t *)region->host + off;
	return virtio_impl_memory_find_slow(cursor, addr, len, access);
}

/*
 * Tells whether len is small and the compiler knows its value. For such an access one comparison is
 * enough.
 */
#define VIRTIO_IMPL_MEMORY_IS_SMALL(len) (__builtin_constant_p(len) && (len) != 0 && (len) <= VIRTIO_MEMORY_SMALL)

/*
 * Returns whether the range is in the region, which may be a cursor's window, and can be read and
 * written. If the compiler knows a small len, the result is also false near the region's end. If
 * the region has a dirty log, the caller must record each write.
 */
VIRTIO_INLINE VIRTIO_HOT bool virtio_impl_memory_in_region(const struct virtio_region *region, uint64_t addr,
							   uint64_t len)
{
	const uint64_t off = addr - region->addr;
	uint64_t last;

	if (VIRTIO_IMPL_MEMORY_IS_SMALL(len))
		return VIRTIO_LIKELY(off < region->writable_small);
	/* If len is 0, the sum overflows or becomes UINT64_MAX, so the result is false. */
	return VIRTIO_LIKELY(!__builtin_add_overflow(off, len - 1, &last)) && VIRTIO_LIKELY(last < region->writable);
}

/* Returns the host address of the byte at addr, which must be in the region. */
VIRTIO_INLINE VIRTIO_HOT uint8_t *virtio_impl_memory_host(const struct virtio_region *region, uint64_t addr)
{
	return (uint8_t *)region->host + (addr - region->addr);
}

/*
 * Returns whether a newly cached region holds the range. If no region could be cached, the
 * parameter `region` is NULL, and the result is false. Otherwise sets *out to addr's host address.
 */
VIRTIO_INLINE VIRTIO_HOT bool virtio_impl_memory_in_new_region(const struct virtio_region *region, uint64_t addr,
							       uint64_t len, void **out)
{
	if (VIRTIO_UNLIKELY(!region))
		return false;
	*out = virtio_impl_memory_host(region, addr);
	return VIRTIO_IMPL_MEMORY_IS_SMALL(len) || VIRTIO_LIKELY(len - 1 < region->len - (addr - region->addr));
}

/*
 * Finds the host address of a range that can be read and written. This is the fast path for most
 * buffers.
 *
 * @cursor  a cursor of the map
 * @addr    first byte, as the driver gave it
 * @len     bytes; for 0 the result is false
 * @out     the host address of addr, valid as long as the map; undefined if the result is false.
 *          Until the cursor is used again, cursor->region->self is the region of the range. If
 *          that region has a dirty log, the caller must record each write.
 *
 * Returns whether the address was found. A range near the end of a region or behind a translation
 * is not always found. So if the result is false, the slow path decides.
 */
VIRTIO_INLINE VIRTIO_HOT bool virtio_impl_memory_find_writable(struct virtio_memory_cursor *cursor, uint64_t addr,
							       uint64_t len, void **out)
{
	const struct virtio_region *region = cursor->region;

	if (VIRTIO_UNLIKELY(!virtio_impl_memory_in_region(region, addr, len)))
		return virtio_impl_memory_in_new_region(virtio_impl_memory_cache_region(cursor, addr), addr, len, out);
	*out = virtio_impl_memory_host(region, addr);
	return true;
}

/*
 * Small accesses of known size. An access outside the cached region first caches another region.
 * The slow path works on the array `copy`. If the slow path got dst or src, the caller's variable
 * could not stay in a register.
 */
VIRTIO_INLINE VIRTIO_HOT int virtio_impl_memory_read_small(struct virtio_memory_cursor *cursor, uint64_t addr,
							   void *dst, size_t len)
{
	const struct virtio_region *region = cursor->region;
	uint8_t copy[VIRTIO_MEMORY_SMALL];
	int error;

	if (VIRTIO_LIKELY(addr - region->addr < region->writable_small)) {
		virtio_guest_copy_in(dst, virtio_impl_memory_host(region, addr), len);
		return 0;
	}
	region = virtio_impl_memory_cache_region(cursor, addr);
	if (VIRTIO_LIKELY(region != NULL)) {
		virtio_guest_copy_in(dst, virtio_impl_memory_host(region, addr), len);
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
	const struct virtio_region *region = cursor->region;
	uint8_t copy[VIRTIO_MEMORY_SMALL];
	uint8_t *to;

	if (VIRTIO_LIKELY(addr - region->addr < region->unlogged_small)) {
		virtio_guest_copy_out(virtio_impl_memory_host(region, addr), src, len);
		return 0;
	}
	if (addr - region->addr >= region->writable_small)
		region = virtio_impl_memory_cache_region(cursor, addr);
	if (VIRTIO_LIKELY(region != NULL)) {
		to = virtio_impl_memory_host(region, addr);
		virtio_guest_copy_out(to, src, len);
		if (region->unlogged_small == 0)
			virtio_region_mark_dirty(region->self, to, len);
		return 0;
	}
	memcpy(copy, src, len);
	return virtio_impl_memory_write_slow(cursor, addr, copy, len);
}

VIRTIO_INLINE VIRTIO_HOT int virtio_memory_read(struct virtio_memory_cursor *cursor, uint64_t addr, void *dst,
						size_t len)
{
	const struct virtio_region *region = cursor->region;
	const uint64_t off = addr - region->addr;

	if (VIRTIO_IMPL_MEMORY_IS_SMALL(len))
		return virtio_impl_memory_read_small(cursor, addr, dst, len);
	/* If len is 0, len - 1 wraps to the largest number, and the slow path is taken. */
	if (VIRTIO_UNLIKELY(off >= region->len || (uint64_t)len - 1 >= region->len - off ||
			    !(region->access & VIRTIO_ACCESS_READ)))
		return virtio_impl_memory_read_slow(cursor, addr, dst, len);
	virtio_guest_copy_in(dst, (uint8_t *)region->host + off, len);
	return 0;
}

VIRTIO_INLINE VIRTIO_HOT int virtio_memory_write(struct virtio_memory_cursor *cursor, uint64_t addr, const void *src,
						 size_t len)
{
	const struct virtio_region *region = cursor->region;
	const uint64_t off = addr - region->addr;

	if (VIRTIO_IMPL_MEMORY_IS_SMALL(len))
		return virtio_impl_memory_write_small(cursor, addr, src, len);
	/* Memory with a dirty log needs the slow path. So does a len of 0: len - 1 then wraps. */
	if (VIRTIO_UNLIKELY(off >= region->len || (uint64_t)len - 1 >= region->len - off ||
			    !(region->access & VIRTIO_IMPL_ACCESS_UNLOGGED)))
		return virtio_impl_memory_write_slow(cursor, addr, src, len);
	virtio_guest_copy_out((uint8_t *)region->host + off, src, len);
	return 0;
}

VIRTIO_END_DECLS

#endif
