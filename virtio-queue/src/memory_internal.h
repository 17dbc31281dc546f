/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Inline functions that search for a region, or set marks in a dirty log. */
#ifndef VIRTIO_MEMORY_INTERNAL_H
#define VIRTIO_MEMORY_INTERNAL_H

#include <virtio/guest_memory.h>

/* Keeps the compiler from replacing the branch around this call by conditional moves. */
static inline void virtio_force_branch(void)
{
	__asm__ volatile("");
}

/*
 * One step of a binary search. Returns the region `at + n` if that region starts at or below addr,
 * else the region `at`.
 */
static inline const struct virtio_region *virtio_memory_halve(const struct virtio_region *at, size_t n, uint64_t addr)
{
	const struct virtio_region *half = at + n;

	/* Forces a conditional move. For scattered addresses a branch would be mispredicted. */
	__asm__("" : "+r"(half));
	at = half->addr <= addr ? half : at;
	__asm__("" : "+r"(at));
	return at;
}

/*
 * Returns the last region that starts at or below addr, or the first region if all start above
 * addr. The map must have a region. The search covers either the first or the last 2^steps regions
 * of the map.
 */
static inline const struct virtio_region *virtio_memory_search(const struct virtio_memory_map *map, uint64_t addr)
{
	const struct virtio_region *at = map->upper->addr <= addr ? map->upper : map->regions;

	for (size_t n = ((size_t)1 << map->steps) / 2; n != 0; n /= 2)
		at = virtio_memory_halve(at, n, addr);
	return at;
}

/*
 * Sets bits in one unit of a dirty log. The release order makes the written bytes visible before
 * the bit. So a thread that reads the bit and then copies the page copies the written bytes.
 */
static inline void virtio_memory_set_bits(const struct virtio_dirty_log *log, uint64_t unit, unsigned long bits)
{
	if (log->unit == 1)
		__atomic_fetch_or((uint8_t *)log->bitmap + unit, (uint8_t)bits, __ATOMIC_RELEASE);
	else
		__atomic_fetch_or((unsigned long *)log->bitmap + unit, bits, __ATOMIC_RELEASE);
}

/*
 * Works as virtio_dirty_log_mark(), for a length that is not 0. The inline part serves bytes in one
 * page of a log with byte units.
 */
static inline VIRTIO_HOT void virtio_memory_mark(const struct virtio_dirty_log *log, uint64_t addr, uint64_t len)
{
	const uint64_t off = addr - log->base, page = off >> log->page_shift;

	/*
	 * If off + (len - 1) wraps, the sum lies in a lower page than `off`, and the slow path
	 * follows. The sum can't wrap to the same page, because no region has almost 2^64 bytes.
	 */
	if (VIRTIO_LIKELY(log->unit == 1) && VIRTIO_LIKELY(addr >= log->base) &&
	    VIRTIO_LIKELY((off + (len - 1)) >> log->page_shift == page) && VIRTIO_LIKELY(page / 8 < log->size))
		virtio_memory_set_bits(log, page / 8, 1ul << (page & 7));
	else
		virtio_dirty_log_mark(log, addr, len);
}

/* Returns the guest-physical address of a host address in a region. */
static inline uint64_t virtio_memory_guest_address(const struct virtio_region *region, const void *host)
{
	return region->addr + (uint64_t)((const uint8_t *)host - (const uint8_t *)region->host);
}

#endif
