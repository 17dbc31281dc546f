/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Makes valid and invalid tables of regions, and looks up addresses in the valid tables. The host
 * pointers are never dereferenced.
 */
#include "tables.h"

#include <virtio/guest_memory.h>

/* Sums of two 64-bit numbers do not wrap in this type. */
__extension__ typedef unsigned __int128 wide;

#define SPACE ((wide)1 << 64)
/* A region must end at least 1 MiB before the end of the host's address space. */
#define HOST_SPACE ((wide)UINTPTR_MAX + 1 - (1u << 20))

static bool log_is_right(const struct virtio_dirty_log *log)
{
	if (!log->bitmap || log->page_shift >= 64)
		return false;
	if (log->unit != 1 && log->unit != sizeof(unsigned long))
		return false;
	return log->size % log->unit == 0 && (uintptr_t)log->bitmap % log->unit == 0;
}

static bool table_is_right(const struct virtio_region *r, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (r[i].len == 0 || !r[i].host || (r[i].flags != 0 && r[i].flags != VIRTIO_REGION_READ_ONLY))
			return false;
		if ((wide)r[i].addr + r[i].len > SPACE || (wide)(uintptr_t)r[i].host + r[i].len > HOST_SPACE)
			return false;
		if (r[i].dirty && !log_is_right(r[i].dirty))
			return false;
		for (uint32_t j = 0; j < i; j++)
			if ((wide)r[i].addr + r[i].len > r[j].addr && (wide)r[j].addr + r[j].len > r[i].addr)
				return false;
	}
	return true;
}

static void make_log(struct fuzz_input *in, struct virtio_dirty_log *log, unsigned long *bitmap)
{
	const uint8_t how = fuzz_u8(in);

	log->bitmap = how & 1 ? NULL : (uint8_t *)bitmap + (how & 2 ? 1 : 0);
	log->unit = how & 4 ? fuzz_u8(in) : how & 8 ? sizeof(unsigned long) : 1;
	log->page_shift = how & 16 ? fuzz_u8(in) : 12;
	log->size = how & 32 ? fuzz_u8(in) : 8;
	log->base = 0;
}

static void make_region(struct fuzz_input *in, struct virtio_region *r, struct virtio_dirty_log *log,
			unsigned long *bitmap)
{
	const uint8_t how = fuzz_u8(in);

	r->addr = fuzz_number(in);
	r->len = fuzz_number(in);
	r->host = how & 1 ? (void *)(UINTPTR_MAX - (uintptr_t)fuzz_number(in)) : (void *)bitmap;
	if ((how & 6) == 6)
		r->host = NULL;
	r->flags = how & 8 ? fuzz_u8(in) : how >> 4 & 1;
	r->dirty = how & 32 ? log : NULL;
}

/* Looks up an address in a table that was accepted. */
static void look_up(struct fuzz_input *in, struct virtio_memory_cursor *cursor, const struct virtio_region *table,
		    uint32_t count)
{
	const uint64_t addr = fuzz_number(in), len = fuzz_number(in) | 1;
	const struct virtio_region *found = NULL;
	struct virtio_segment s = { 0 };
	void *host;
	uint64_t room;
	int error = virtio_memory_segment(cursor, addr, len, VIRTIO_ACCESS_WRITE, &s);

	for (uint32_t i = 0; i < count; i++)
		if (addr >= table[i].addr && (wide)addr < (wide)table[i].addr + table[i].len)
			found = &table[i];
	if (!found || found->flags) {
		FUZZ_CHECK(error == (found ? VIRTIO_EPERM : VIRTIO_EFAULT),
			   "virtio_memory_segment() returned %d for memory that is not writable", error);
		FUZZ_CHECK(!virtio_memory_find(cursor, addr, len, VIRTIO_ACCESS_WRITE),
			   "virtio_memory_find() finds memory that is not writable");
		return;
	}
	room = found->len - (addr - found->addr);
	FUZZ_CHECK(error == 0 && s.region == found && s.addr == addr,
		   "virtio_memory_segment() returned %d, or a wrong segment", error);
	FUZZ_CHECK(s.len == (len < room ? len : room), "the segment has the wrong length %llu",
		   (unsigned long long)s.len);
	FUZZ_CHECK((uintptr_t)s.host == (uintptr_t)found->host + (uintptr_t)(addr - found->addr),
		   "the host address is wrong");
	FUZZ_CHECK(virtio_memory_find(cursor, addr, len, VIRTIO_ACCESS_WRITE) == (len <= room ? s.host : NULL),
		   "virtio_memory_find() is wrong");
	if (virtio_impl_memory_find_writable(cursor, addr, len, &host))
		FUZZ_CHECK(host == s.host && len <= room, "the fast search finds wrong memory");
}

void memory_try_table(struct fuzz_input *in)
{
	static const struct virtio_memory_map untouched = { .count = 0x5a5a };
	unsigned long bitmap[4] = { 0 };
	struct virtio_dirty_log log;
	struct virtio_memory_cursor cursor;
	struct virtio_memory_map map = untouched;
	const uint32_t count = fuzz_u8(in) % 6;
	struct virtio_region *table = fuzz_alloc(sizeof *table * count);
	bool right;
	int error;

	make_log(in, &log, bitmap);
	for (uint32_t i = 0; i < count; i++)
		make_region(in, &table[i], &log, bitmap);
	right = table_is_right(table, count);
	error = virtio_memory_map_init(&map, table, count);
	FUZZ_CHECK(right ? error == 0 : error == VIRTIO_EREGION || error == VIRTIO_EOVERLAP,
		   "a table is %s, and virtio_memory_map_init() returned %d", right ? "right" : "wrong", error);
	FUZZ_CHECK((virtio_memory_bad_region(table, count) == count) == right, "virtio_memory_bad_region() is wrong");
	if (right) {
		for (uint32_t i = 1; i < count; i++)
			FUZZ_CHECK(table[i - 1].addr < table[i].addr, "the table is not sorted");
		virtio_memory_cursor_init(&cursor, &map);
		for (uint32_t i = 0; i < 64 && in->left; i++)
			look_up(in, &cursor, table, count);
	} else {
		FUZZ_CHECK(map.count == untouched.count && !map.regions && !map.translate,
			   "a failed init changed the map");
	}
	free(table);
}
