/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Guest memory, the parts that are not inline: maps, look-ups outside the cached region, segments,
 * dirty log.
 */
#include "memory_internal.h"

/* Maps */

static bool dirty_log_is_valid(const struct virtio_dirty_log *log)
{
	if (!log->bitmap || log->size > UINTPTR_MAX - (uintptr_t)log->bitmap || log->page_shift > 63 ||
	    (log->unit != 1 && log->unit != sizeof(unsigned long)))
		return false;
	return (log->size & (log->unit - 1u)) == 0 && ((uintptr_t)log->bitmap & (log->unit - 1u)) == 0;
}

/*
 * The last host address that a region may have. A walk adds up to 65,535 * 16 bytes to the address
 * of a table, and compares the sum afterwards. So the sum must not wrap.
 */
#define LAST_HOST_ADDRESS (UINTPTR_MAX - 0x100000)

static bool region_is_valid(const struct virtio_region *r)
{
	if (r->len == 0 || !r->host || (r->flags & ~VIRTIO_REGION_READ_ONLY))
		return false;
	/*
	 * Computes the address of the last byte, because the end of a region may be guest address
	 * 2^64.
	 */
	if (r->addr + (r->len - 1) < r->addr || (uintptr_t)r->host > LAST_HOST_ADDRESS ||
	    r->len - 1 > LAST_HOST_ADDRESS - (uintptr_t)r->host)
		return false;
	return !r->dirty || dirty_log_is_valid(r->dirty);
}

/* Returns what a region permits, as bits for its member `access`. */
static uint32_t permitted_in(const struct virtio_region *region)
{
	if (region->flags & VIRTIO_REGION_READ_ONLY)
		return VIRTIO_ACCESS_READ;
	return VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE | (region->dirty ? 0 : VIRTIO_IMPL_ACCESS_UNLOGGED);
}

/* Sets the members that limit accesses, from the members `len` and `access`. */
static void set_limits(struct virtio_region *region)
{
	const uint32_t both = VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE;
	const uint64_t small = region->len < VIRTIO_MEMORY_SMALL ? 0 : region->len - VIRTIO_MEMORY_SMALL + 1;
	const bool writable = (~region->access & both) == 0;

	region->writable = writable ? region->len : 0;
	region->writable_small = writable ? small : 0;
	region->unlogged_small = region->access & VIRTIO_IMPL_ACCESS_UNLOGGED ? small : 0;
}

/* Computes the derived members of a region from the members that the caller has filled in. */
static void set_derived(struct virtio_region *region)
{
	region->access = permitted_in(region);
	region->self = region;
	set_limits(region);
}

static void sort_regions(struct virtio_region *regions, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		struct virtio_region r = regions[i];
		uint32_t j = i;

		for (; j > 0 && regions[j - 1].addr > r.addr; j--)
			regions[j] = regions[j - 1];
		regions[j] = r;
	}
}

static uint32_t first_impossible(const struct virtio_region *regions, uint32_t count)
{
	uint32_t i = 0;

	while (i < count && region_is_valid(&regions[i]))
		i++;
	return i;
}

uint32_t virtio_memory_bad_region(const struct virtio_region *regions, uint32_t count)
{
	const uint32_t impossible = first_impossible(regions, count);

	for (uint32_t i = 1; impossible == count && i < count; i++)
		if (regions[i].addr - regions[i - 1].addr < regions[i - 1].len)
			return i;
	return impossible;
}

/*
 * Divides the addresses into slots. Stores for each slot the last region that starts in or below
 * the slot. Stores the first region if every region starts above the slot.
 */
static void set_slots(struct virtio_memory_map *map)
{
	const struct virtio_region *last = map->regions + (map->count - 1);
	uint32_t n = 0;

	map->slot_shift = 0;
	while ((last->addr + (last->len - 1)) >> map->slot_shift >= VIRTIO_MEMORY_SLOTS)
		map->slot_shift++;
	for (uint64_t i = 0; i < VIRTIO_MEMORY_SLOTS; i++) {
		const uint64_t end = ((i + 1) << map->slot_shift) - 1;

		while (n + 1 < map->count && map->regions[n + 1].addr <= end)
			n++;
		map->slots[i] = &map->regions[n];
	}
}

int virtio_memory_map_init(struct virtio_memory_map *map, struct virtio_region *regions, uint32_t count)
{
	if (first_impossible(regions, count) != count)
		return VIRTIO_EREGION;
	sort_regions(regions, count);
	if (virtio_memory_bad_region(regions, count) != count)
		return VIRTIO_EOVERLAP;
	memset(map, 0, sizeof *map);
	map->regions = regions;
	map->count = count;
	map->fast_slots = count != 0 ? VIRTIO_MEMORY_SLOTS : 0;
	for (uint32_t i = 0; i < count; i++)
		set_derived(&regions[i]);
	while (count >> map->steps > 1)
		map->steps++;
	map->upper = count != 0 ? regions + (count - (1u << map->steps)) : regions;
	if (count != 0)
		set_slots(map);
	return 0;
}

void virtio_memory_map_set_translation(struct virtio_memory_map *map, virtio_translate_fn *translate, void *context)
{
	map->fast_slots = !translate && map->count != 0 ? VIRTIO_MEMORY_SLOTS : 0;
	map->translate = translate;
	map->translate_context = context;
}

/* The cached region of a new cursor. It is empty, so it contains no address. */
static const struct virtio_region no_region;

void virtio_memory_cursor_init(struct virtio_memory_cursor *cursor, const struct virtio_memory_map *map)
{
	memset(cursor, 0, sizeof *cursor);
	cursor->map = map;
	cursor->region = &no_region;
}

/* Look-ups */

static const struct virtio_region *find_region(const struct virtio_memory_map *map, uint64_t addr)
{
	const struct virtio_region *region;

	if (map->count == 0)
		return NULL;
	region = virtio_memory_search(map, addr);
	return addr - region->addr < region->len ? region : NULL;
}

/*
 * The slow path of virtio_impl_memory_cache_region(). Searches the map, because several regions may
 * share the slot of addr. Finds no region under a translation.
 */
VIRTIO_COLD const struct virtio_region *virtio_impl_memory_cache_any(struct virtio_memory_cursor *cursor, uint64_t addr)
{
	const struct virtio_memory_map *map = cursor->map;
	const struct virtio_region *region = map->translate ? NULL : find_region(map, addr);

	if (!region || addr - region->addr >= region->writable_small)
		return NULL;
	cursor->region = region;
	return region;
}

/*
 * Makes a translated range the cached region. The range begins `off` bytes after the start of
 * `region`, the guest-physical region.
 */
static void set_window(struct virtio_memory_cursor *cursor, uint64_t addr, const struct virtio_translation *t,
		       const struct virtio_region *region, uint64_t off)
{
	struct virtio_region *window = &cursor->window;

	*window = *region;
	window->addr = addr;
	window->len = t->len;
	window->host = (uint8_t *)region->host + off;
	window->access = t->access;
	set_limits(window);
	cursor->region = window;
}

/* Does the work of resolve() for a map with a translation. */
static VIRTIO_COLD int resolve_translated(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len,
					  uint32_t access)
{
	const struct virtio_memory_map *map = cursor->map;
	struct virtio_translation t = { 0 };
	const struct virtio_region *region;
	uint64_t off;
	int error = map->translate(map->translate_context, addr, len, access, &t);

	if (error)
		return error == VIRTIO_EPERM || error == VIRTIO_ENOTMAPPED ? error : VIRTIO_EFAULT;
	region = find_region(map, t.addr);
	if (!region || t.len == 0)
		return VIRTIO_EFAULT;
	/*
	 * Clears undefined bits of t.access, because such a bit could equal
	 * VIRTIO_IMPL_ACCESS_UNLOGGED.
	 */
	t.access &= VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE;
	if (t.access == (VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE))
		t.access |= VIRTIO_IMPL_ACCESS_UNLOGGED;
	t.access &= region->access;
	if ((t.access & access) != access)
		return VIRTIO_EPERM;
	off = t.addr - region->addr;
	if (t.len > region->len - off)
		t.len = region->len - off;
	/* A translation that runs past the end of the address space must not wrap to its start. */
	if (t.len - 1 > UINT64_MAX - addr)
		t.len = UINT64_MAX - addr + 1;
	set_window(cursor, addr, &t, region, off);
	return 0;
}

/* Caches a region that contains addr and permits the access. */
static int resolve(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, uint32_t access)
{
	const struct virtio_region *region;

	if (VIRTIO_UNLIKELY(cursor->map->translate != NULL))
		return resolve_translated(cursor, addr, len, access);
	region = find_region(cursor->map, addr);
	if (!region)
		return VIRTIO_EFAULT;
	if ((region->access & access) != access)
		return VIRTIO_EPERM;
	cursor->region = region;
	return 0;
}

/* Does the work of virtio_memory_segment() for a length that is not 0. */
static int first_piece(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, uint32_t access,
		       struct virtio_segment *out)
{
	const struct virtio_region *region = cursor->region;
	uint64_t off = addr - region->addr;

	if (off >= region->len || (region->access & access) != access) {
		int error = resolve(cursor, addr, len, access);

		if (error)
			return error;
		region = cursor->region;
		off = addr - region->addr;
	}
	out->addr = addr;
	out->len = len < region->len - off ? len : region->len - off;
	out->host = (uint8_t *)region->host + off;
	out->region = region->self;
	return 0;
}

/*
 * Works as first_piece(), for a caller that needs the range in one piece. Translates again if the
 * cached region ends inside the range, because an earlier translation may have been for fewer
 * bytes.
 */
static int one_piece(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, uint32_t access,
		     struct virtio_segment *out)
{
	const uint64_t off = addr - cursor->region->addr;

	if (cursor->map->translate && off < cursor->region->len && len > cursor->region->len - off) {
		int error = resolve(cursor, addr, len, access);

		if (error)
			return error;
	}
	return first_piece(cursor, addr, len, access, out);
}

int virtio_memory_segment(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, uint32_t access,
			  struct virtio_segment *out)
{
	return len == 0 ? VIRTIO_EINVAL : first_piece(cursor, addr, len, access, out);
}

void *virtio_impl_memory_find_slow(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, uint32_t access)
{
	struct virtio_segment s;

	if (len == 0 || one_piece(cursor, addr, len, access, &s) || s.len != len)
		return NULL;
	return s.host;
}

static bool range_wraps(uint64_t addr, uint64_t len)
{
	return len != 0 && addr + (len - 1) < addr;
}

int virtio_memory_check(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, uint32_t access)
{
	struct virtio_segment s;
	int error;

	if (range_wraps(addr, len))
		return VIRTIO_EFAULT;
	for (; len > 0; addr += s.len, len -= s.len) {
		error = virtio_memory_segment(cursor, addr, len, access, &s);
		if (error)
			return error;
	}
	return 0;
}

/*
 * If a range lies in one region that permits the access, caches this region and returns the host
 * address of the range. Otherwise returns NULL. Also returns NULL for an empty range, and under a
 * translation.
 */
static inline uint8_t *in_one_region(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, uint32_t access)
{
	const struct virtio_memory_map *map = cursor->map;
	const struct virtio_region *region;

	if (map->translate || len == 0)
		return NULL;
	region = find_region(map, addr);
	if (!region || len > region->len - (addr - region->addr))
		return NULL;
	if ((region->access & access) != access)
		return NULL;
	cursor->region = region;
	return virtio_impl_memory_host(region, addr);
}

int virtio_impl_memory_read_slow(struct virtio_memory_cursor *cursor, uint64_t addr, void *dst, size_t len)
{
	const uint8_t *from = in_one_region(cursor, addr, len, VIRTIO_ACCESS_READ);
	uint8_t *to = dst;
	struct virtio_segment s;
	int error;

	if (from) {
		virtio_guest_copy_in(dst, from, len);
		return 0;
	}
	error = virtio_memory_check(cursor, addr, len, VIRTIO_ACCESS_READ);
	if (error)
		return error;
	for (; len > 0; addr += s.len, to += s.len, len -= (size_t)s.len) {
		error = virtio_memory_segment(cursor, addr, len, VIRTIO_ACCESS_READ, &s);
		if (error)
			return error;
		virtio_guest_copy_in(to, s.host, (size_t)s.len);
	}
	return 0;
}

/* Writes bytes into one region, and marks these bytes if the region has a dirty log. */
static inline void write_recorded(const struct virtio_region *region, uint8_t *to, const void *src, size_t len)
{
	virtio_guest_copy_out(to, src, len);
	if (region->dirty)
		virtio_memory_mark(region->dirty, virtio_memory_guest_address(region, to), len);
}

/* Writes outside the cached region, or in several pieces. */
static VIRTIO_COLD int write_any(struct virtio_memory_cursor *cursor, uint64_t addr, const void *src, size_t len)
{
	uint8_t *to = in_one_region(cursor, addr, len, VIRTIO_ACCESS_WRITE);
	const uint8_t *from = src;
	struct virtio_segment s;
	int error;

	if (to) {
		write_recorded(cursor->region->self, to, src, len);
		return 0;
	}
	error = virtio_memory_check(cursor, addr, len, VIRTIO_ACCESS_WRITE);
	if (error)
		return error;
	for (; len > 0; addr += s.len, from += s.len, len -= (size_t)s.len) {
		error = virtio_memory_segment(cursor, addr, len, VIRTIO_ACCESS_WRITE, &s);
		if (error)
			return error;
		virtio_guest_copy_out(s.host, from, (size_t)s.len);
		virtio_region_mark_dirty(s.region, s.host, s.len);
	}
	return 0;
}

int virtio_impl_memory_write_slow(struct virtio_memory_cursor *cursor, uint64_t addr, const void *src, size_t len)
{
	const struct virtio_region *region = cursor->region;
	const uint64_t off = addr - region->addr;

	/* Many writes to a cached region that has a dirty log also reach this function. */
	if (VIRTIO_UNLIKELY(off >= region->len || (uint64_t)len - 1 >= region->len - off ||
			    !(region->access & VIRTIO_ACCESS_WRITE)))
		return write_any(cursor, addr, src, len);
	write_recorded(region->self, (uint8_t *)region->host + off, src, len);
	return 0;
}

int virtio_memory_segments(struct virtio_memory_cursor *cursor, uint64_t addr, uint64_t len, uint32_t access,
			   struct virtio_segment *segments, uint32_t capacity)
{
	uint32_t n = 0;

	if (range_wraps(addr, len))
		return VIRTIO_EFAULT;
	if (capacity > INT32_MAX)
		capacity = INT32_MAX;
	while (len > 0) {
		int error;

		if (n == capacity)
			return VIRTIO_ENOBUFS;
		error = virtio_memory_segment(cursor, addr, len, access, &segments[n]);
		if (error)
			return error;
		addr += segments[n].len;
		len -= segments[n].len;
		n++;
	}
	return (int)n;
}

/* Atomic fields */

static int find_field(struct virtio_memory_cursor *cursor, uint64_t addr, uint32_t size, uint32_t access, void **out)
{
	struct virtio_segment s;
	int error;

	if (addr & (size - 1))
		return VIRTIO_EALIGN;
	error = one_piece(cursor, addr, size, access, &s);
	if (error)
		return error;
	if (s.len < size)
		return VIRTIO_EFAULT;
	if ((uintptr_t)s.host & (size - 1))
		return VIRTIO_EALIGN;
	*out = s.host;
	return 0;
}

int virtio_memory_load_le16(struct virtio_memory_cursor *cursor, uint64_t addr, enum virtio_order order, uint16_t *out)
{
	void *p;
	int error = find_field(cursor, addr, sizeof *out, VIRTIO_ACCESS_READ, &p);

	if (error)
		return error;
	*out = order == VIRTIO_ACQUIRE ? virtio_guest_load_le16_acquire(p) : virtio_guest_load_le16(p);
	return 0;
}

int virtio_memory_load_le32(struct virtio_memory_cursor *cursor, uint64_t addr, enum virtio_order order, uint32_t *out)
{
	const virtio_impl_guest_u32 *field;
	void *p;
	int error = find_field(cursor, addr, sizeof *out, VIRTIO_ACCESS_READ, &p);

	if (error)
		return error;
	field = p;
	*out = virtio_le32(order == VIRTIO_ACQUIRE ? __atomic_load_n(field, __ATOMIC_ACQUIRE)
						   : __atomic_load_n(field, __ATOMIC_RELAXED));
	return 0;
}

int virtio_memory_store_le16(struct virtio_memory_cursor *cursor, uint64_t addr, enum virtio_order order,
			     uint16_t value)
{
	void *p;
	int error = find_field(cursor, addr, sizeof value, VIRTIO_ACCESS_WRITE, &p);

	if (error)
		return error;
	if (order == VIRTIO_RELEASE)
		virtio_guest_store_le16_release(p, value);
	else
		virtio_guest_store_le16(p, value);
	virtio_region_mark_dirty(cursor->region->self, p, sizeof value);
	return 0;
}

int virtio_memory_store_le32(struct virtio_memory_cursor *cursor, uint64_t addr, enum virtio_order order,
			     uint32_t value)
{
	void *p;
	int error = find_field(cursor, addr, sizeof value, VIRTIO_ACCESS_WRITE, &p);

	if (error)
		return error;
	if (order == VIRTIO_RELEASE)
		__atomic_store_n((virtio_impl_guest_u32 *)p, virtio_le32(value), __ATOMIC_RELEASE);
	else
		__atomic_store_n((virtio_impl_guest_u32 *)p, virtio_le32(value), __ATOMIC_RELAXED);
	virtio_region_mark_dirty(cursor->region->self, p, sizeof value);
	return 0;
}

/* Segments */

uint64_t virtio_segments_bytes(const struct virtio_segment *segments, uint32_t count)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < count; i++)
		bytes += segments[i].len;
	return bytes;
}

void virtio_segments_mark_dirty(const struct virtio_segment *segments, uint32_t count, uint64_t bytes)
{
	for (uint32_t i = 0; i < count && bytes > 0; i++) {
		uint64_t len = segments[i].len < bytes ? segments[i].len : bytes;

		virtio_region_mark_dirty(segments[i].region, segments[i].host, len);
		bytes -= len;
	}
}

/* Dirty log */

void virtio_region_mark_dirty(const struct virtio_region *region, const void *host, uint64_t len)
{
	if (region->dirty && len != 0)
		virtio_memory_mark(region->dirty, virtio_memory_guest_address(region, host), len);
}

void virtio_dirty_log_mark(const struct virtio_dirty_log *log, uint64_t addr, uint64_t len)
{
	/* Uses masks and shifts: a 64-bit division is a library call on 32-bit hosts. */
	const uint32_t shift = log->unit == 1 ? 3 : sizeof(unsigned long) == 8 ? 6 : 5;
	const uint32_t bits = 1u << shift;
	uint64_t last = addr + (len - 1);
	uint64_t first;

	if (len == 0 || log->size == 0)
		return;
	if (last < addr)
		last = UINT64_MAX;
	if (last < log->base)
		return;
	first = addr < log->base ? 0 : (addr - log->base) >> log->page_shift;
	last = (last - log->base) >> log->page_shift;
	/* Compares bytes of the bitmap, because the number of bits may not fit in 64 bits. */
	if (first / 8 >= log->size)
		return;
	if (last / 8 >= log->size)
		last = (log->size - 1) * 8 + 7;
	while (first <= last) {
		uint32_t bit = (uint32_t)first & (bits - 1);
		uint64_t n = bits - bit;
		unsigned long ones;

		if (n > last - first + 1)
			n = last - first + 1;
		ones = n == 8 * sizeof ones ? ~0ul : (1ul << n) - 1;
		virtio_memory_set_bits(log, first >> shift, ones << bit);
		first += n;
	}
}
