/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Tests maps and cursors: tables of regions that are refused, and look-ups in accepted tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <virtio/guest_memory.h>

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define READ VIRTIO_ACCESS_READ
#define WRITE VIRTIO_ACCESS_WRITE

static uint8_t ram[0x1000];

/* A table with this region must be refused, wherever the region is among good regions. */
static void refuses_one(const struct virtio_region *bad)
{
	const struct virtio_region harmless[2] = {
		{ .addr = UINT64_C(0x7000000000000000), .len = 16, .host = ram },
		{ .addr = UINT64_C(0x6000000000000000), .len = 16, .host = ram + 16 },
	};
	struct virtio_memory_map map, before;

	memset(&map, 0x5a, sizeof map);
	memcpy(&before, &map, sizeof map);
	for (uint32_t at = 0; at < 3; at++) {
		struct virtio_region table[3] = { harmless[0], harmless[1], *bad };

		table[2] = table[at];
		table[at] = *bad;
		assert_int_equal(virtio_memory_map_init(&map, table, 3), VIRTIO_EREGION);
		assert_int_equal(virtio_memory_bad_region(table, 3), at);
		assert_memory_equal(&map, &before, sizeof map);
		table[0] = *bad;
		assert_int_equal(virtio_memory_map_init(&map, table, 1), VIRTIO_EREGION);
		assert_int_equal(virtio_memory_bad_region(table, 1), 0);
		assert_memory_equal(&map, &before, sizeof map);
	}
}

static void accepts_one(const struct virtio_region *good)
{
	struct virtio_region table[1] = { *good };
	struct virtio_memory_map map;

	assert_int_equal(virtio_memory_bad_region(table, 1), 1);
	struct virtio_memory_cursor cursor;

	assert_int_equal(virtio_memory_map_init(&map, table, 1), 0);
	virtio_memory_cursor_init(&cursor, &map);
	assert_int_equal(virtio_memory_check(&cursor, good->addr, good->len, READ), 0);
	assert_ptr_equal(virtio_memory_find(&cursor, good->addr, good->len, READ), good->host);
	if (good->addr > 0)
		assert_int_equal(virtio_memory_check(&cursor, good->addr - 1, 1, READ), VIRTIO_EFAULT);
	assert_int_equal(virtio_memory_check(&cursor, good->addr + good->len, 1, READ), VIRTIO_EFAULT);
}

static void accepts(uint64_t addr, uint64_t len, void *host)
{
	const struct virtio_region region = { .addr = addr, .len = len, .host = host };

	accepts_one(&region);
}

static void refuses(uint64_t addr, uint64_t len, void *host)
{
	const struct virtio_region region = { .addr = addr, .len = len, .host = host };

	refuses_one(&region);
}

static void map_init_refuses_region_without_length(void **state)
{
	(void)state;
	refuses(0, 0, ram);
	refuses(0x1000, 0, ram);
	refuses(UINT64_MAX, 0, ram);
	accepts(0x1000, 1, ram);
}

static void map_init_refuses_region_without_host_memory(void **state)
{
	(void)state;
	refuses(0x1000, 1, NULL);
	refuses(0x1000, 0, NULL);
	accepts(0x1000, 1, ram);
}

static void map_init_refuses_region_past_the_address_space(void **state)
{
	(void)state;
	refuses(UINT64_MAX, 2, ram);
	refuses(UINT64_MAX - 0xffe, 0x1000, ram);
	refuses(2, UINT64_MAX, ram);
	refuses(UINT64_C(1) << 63, (UINT64_C(1) << 63) + 1, ram);
	refuses(UINT64_MAX, UINT64_MAX, ram);
	/* The last byte of the address space is an ordinary byte. */
	accepts(UINT64_MAX, 1, ram);
	accepts(UINT64_MAX - 0xfff, 0x1000, ram);
	accepts(0, 0x1000, ram);
}

static void map_init_refuses_memory_at_the_end_of_host_addresses(void **state)
{
	/*
	 * The last host address that a region may have. After this address, 65,535 descriptors of
	 * 16 bytes cause no wrap.
	 */
	const uintptr_t last = UINTPTR_MAX - 0x100000;

	(void)state;
	/* Only checks the numbers: no byte of these regions is accessed. */
	refuses(0x1000, 1, (void *)UINTPTR_MAX);
	refuses(0x1000, 2, (void *)UINTPTR_MAX);
	refuses(0x1000, 0x1000, (void *)(UINTPTR_MAX - 0xfff));
	refuses(0x1000, 1, (void *)(last + 1));
	refuses(0x1000, 2, (void *)last);
	refuses(0x1000, 0x1000, (void *)(last - 0xffe));
	refuses(0, UINT64_MAX, (void *)(uintptr_t)2);
	refuses(0, (uint64_t)last + 1, (void *)(uintptr_t)1);
	accepts(0x1000, 1, (void *)last);
	accepts(0x1000, 0x1000, (void *)(last - 0xfff));
	accepts(0, last, (void *)(uintptr_t)1);
}

static void map_init_refuses_unknown_flags(void **state)
{
	struct virtio_region region = { .addr = 0x1000, .len = 16, .host = ram };

	(void)state;
	for (uint32_t bit = 0; bit < 32; bit++) {
		region.flags = UINT32_C(1) << bit;
		if (region.flags == VIRTIO_REGION_READ_ONLY)
			continue;
		refuses_one(&region);
		region.flags |= VIRTIO_REGION_READ_ONLY;
		refuses_one(&region);
	}
	region.flags = VIRTIO_REGION_READ_ONLY;
	accepts_one(&region);
}

/*
 * Before virtio_memory_map_init(), the members that the library derives may hold anything, also
 * values of an earlier map.
 */
static void map_init_sets_derived_members_anew(void **state)
{
	struct virtio_dirty_log log = { .bitmap = NULL };
	struct virtio_region region, fresh;
	struct virtio_memory_cursor cursor;
	struct virtio_memory_map map;
	uint8_t byte = 0;

	(void)state;
	memset(&region, 0xff, sizeof region);
	region.addr = 0x1000;
	region.len = sizeof ram;
	region.host = ram;
	region.flags = VIRTIO_REGION_READ_ONLY;
	region.dirty = NULL;
	assert_int_equal(virtio_memory_map_init(&map, &region, 1), 0);
	virtio_memory_cursor_init(&cursor, &map);
	assert_int_equal(virtio_memory_read(&cursor, 0x1000, &byte, 1), 0);
	assert_int_equal(virtio_memory_write(&cursor, 0x1000, &byte, 1), VIRTIO_EPERM);
	assert_int_equal(virtio_memory_read(&cursor, 0x1000 + sizeof ram, &byte, 1), VIRTIO_EFAULT);

	fresh = (struct virtio_region){ .addr = 0x1000, .len = sizeof ram, .host = ram, .dirty = &log };
	log = (struct virtio_dirty_log){ .bitmap = &byte, .size = 1, .base = 0x1000, .page_shift = 12, .unit = 1 };
	region.flags = 0;
	region.dirty = &log;
	assert_int_equal(virtio_memory_map_init(&map, &region, 1), 0);
	assert_int_equal(virtio_memory_map_init(&map, &fresh, 1), 0);
	assert_ptr_equal(region.self, &region);
	assert_int_equal(region.access, fresh.access);
	assert_int_equal(region.writable, sizeof ram);
	assert_int_equal(region.writable_small, fresh.writable_small);
	assert_int_equal(region.unlogged_small, 0);
}

static void map_init_refuses_impossible_dirty_logs(void **state)
{
	const uint8_t word = sizeof(unsigned long);
	static unsigned long bitmap[4];
	uint8_t *bytes = (uint8_t *)bitmap;
	const struct virtio_dirty_log bad[] = {
		{ NULL, 8, 0, 12, 1 },
		{ NULL, 0, 0, 12, 1 },
		{ bitmap, 8, 0, 64, 1 },
		{ bitmap, 8, 0, 255, 1 },
		{ bitmap, 8, 0, 12, 0 },
		{ bitmap, 8, 0, 12, 2 },
		{ bitmap, 8, 0, 12, 3 },
		{ bitmap, 16, 0, 12, 16 },
		{ bitmap, 16, 0, 12, 255 },
		{ bitmap, 16, 0, 12, (uint8_t)(12 - word) }, /* unit 4 if word is 8, else 8 */
		{ bitmap, 1, 0, 12, word },
		{ bitmap, word + 1u, 0, 12, word },
		{ bitmap, 2u * word - 1, 0, 12, word },
		{ bitmap, UINT64_MAX, 0, 12, word },
		{ bytes + 1, word, 0, 12, word },
		{ bytes + word / 2, word, 0, 12, word },
	};
	const struct virtio_dirty_log good[] = {
		{ bitmap, 8, 0, 12, 1 },
		{ bytes + 1, 7, 5, 0, 1 },
		{ bitmap, 0, 0, 12, 1 },
		{ bitmap, 0, 0, 12, word },
		{ bitmap, sizeof bitmap, UINT64_MAX, 63, word },
		{ bytes + word, word, 0, 12, word },
	};
	struct virtio_region region = { .addr = 0x1000, .len = 16, .host = ram };

	(void)state;
	for (uint32_t i = 0; i < COUNT(bad); i++) {
		region.dirty = &bad[i];
		refuses_one(&region);
	}
	for (uint32_t i = 0; i < COUNT(good); i++) {
		region.dirty = &good[i];
		accepts_one(&region);
	}
	for (uint32_t i = 0; i < COUNT(bitmap); i++)
		assert_true(bitmap[i] == 0);
}

static bool same(const struct virtio_region *a, const struct virtio_region *b)
{
	return a->addr == b->addr && a->len == b->len && a->host == b->host && a->flags == b->flags &&
	       a->dirty == b->dirty;
}

/* Two regions overlap, among other regions and in either order. */
static void refuses_two(uint64_t addr1, uint64_t len1, uint64_t addr2, uint64_t len2)
{
	const struct virtio_region regions[4] = {
		{ .addr = 0x10, .len = 16, .host = ram },
		{ .addr = addr1, .len = len1, .host = ram },
		{ .addr = addr2, .len = len2, .host = ram },
		{ .addr = UINT64_C(0x7000000000000000), .len = 16, .host = ram },
	};
	struct virtio_memory_map map, before;

	memset(&map, 0x5a, sizeof map);
	memcpy(&before, &map, sizeof map);
	for (uint32_t turn = 0; turn < 4; turn++)
		for (uint32_t step = 1; step < 4; step += 2) {
			struct virtio_region table[4];
			uint32_t found = 0, bad;

			for (uint32_t i = 0; i < 4; i++)
				table[i] = regions[(turn + step * i) % 4];
			assert_int_equal(virtio_memory_map_init(&map, table, 4), VIRTIO_EOVERLAP);
			/* The bad region is the second of the two that overlap. */
			bad = virtio_memory_bad_region(table, 4);
			assert_in_range(bad, 1, 3);
			assert_true(table[bad].addr - table[bad - 1].addr < table[bad - 1].len);
			assert_memory_equal(&map, &before, sizeof map);
			/* The call may sort the table, but must not change its entries. */
			for (uint32_t i = 0; i < 16; i++)
				found += same(&table[i / 4], &regions[i % 4]);
			assert_true(found == (addr1 == addr2 && len1 == len2 ? 6 : 4));
		}
}

static void accepts_two(uint64_t addr1, uint64_t len1, uint64_t addr2, uint64_t len2)
{
	struct virtio_region table[2] = {
		{ .addr = addr1, .len = len1, .host = ram },
		{ .addr = addr2, .len = len2, .host = ram },
	};
	struct virtio_memory_map map;

	assert_int_equal(virtio_memory_map_init(&map, table, 2), 0);
}

static void map_init_refuses_overlap_of_one_byte(void **state)
{
	const uint64_t top = UINT64_MAX - 0xfff;

	(void)state;
	refuses_two(0x1000, 0x1000, 0x1fff, 0x1000);
	refuses_two(0x1000, 0x1000, 0x1fff, 1);
	refuses_two(0x1000, 1, 0x1000, 1);
	refuses_two(0x1000, 1, 0x1000, 0x1000);
	refuses_two(0x1000, 0x1000, 0x1800, 1);
	refuses_two(0x1000, 0x1000, 0x1000, 0x1000);
	refuses_two(top, 0x1000, top + 0xfff, 1);
	refuses_two(top - 0xfff, 0x1001, top, 0x1000);
	accepts_two(0x1000, 0x1000, 0x2000, 0x1000);
	accepts_two(0x2000, 0x1000, 0x1000, 0x1000);
	accepts_two(top, 0xfff, top + 0xfff, 1);
	/* The last and the first byte of the address space are not adjacent. */
	accepts_two(top, 0x1000, 0, 0x1000);
}

static void map_init_without_regions_knows_no_address(void **state)
{
	const uint64_t addrs[] = { 0, 1, 0x1000, UINT64_MAX };
	struct virtio_memory_map map;
	struct virtio_memory_cursor cursor;
	uint8_t byte = 0xee;

	(void)state;
	assert_int_equal(virtio_memory_map_init(&map, NULL, 0), 0);
	virtio_memory_cursor_init(&cursor, &map);
	for (uint32_t i = 0; i < COUNT(addrs); i++) {
		assert_int_equal(virtio_memory_read(&cursor, addrs[i], &byte, 1), VIRTIO_EFAULT);
		assert_int_equal(byte, 0xee);
		assert_int_equal(virtio_memory_write(&cursor, addrs[i], &byte, 1), VIRTIO_EFAULT);
		assert_null(virtio_memory_find(&cursor, addrs[i], 1, READ));
		assert_int_equal(virtio_memory_read(&cursor, addrs[i], &byte, 0), 0);
		assert_int_equal(virtio_memory_write(&cursor, addrs[i], &byte, 0), 0);
	}
}

/* Five regions, two of them adjacent, give the same map in every order. */
static void map_init_sorts_any_order(void **state)
{
	static const uint64_t addrs[5] = { 0, 0x100, 0x110, 0x5000, UINT64_MAX - 15 };

	(void)state;
	for (uint32_t order = 0; order < 5 * 5 * 5 * 5 * 5; order++) {
		struct virtio_region table[5];
		struct virtio_memory_map map;
		struct virtio_memory_cursor cursor;
		uint32_t seen = 0;

		for (uint32_t i = 0, rest = order; i < 5; i++, rest /= 5) {
			seen |= 1u << rest % 5;
			table[i].addr = addrs[rest % 5];
			table[i].len = 16;
			table[i].host = ram + 32 * (rest % 5);
			table[i].flags = 0;
			table[i].dirty = NULL;
		}
		if (seen != 31)
			continue;
		assert_int_equal(virtio_memory_map_init(&map, table, 5), 0);
		virtio_memory_cursor_init(&cursor, &map);
		for (uint32_t i = 0; i < 5; i++) {
			assert_true(table[i].addr == addrs[i]);
			assert_ptr_equal(virtio_memory_find(&cursor, addrs[i] + 15, 1, READ | WRITE),
					 ram + 32 * i + 15);
			assert_ptr_equal(virtio_memory_find(&cursor, addrs[i], 16, READ | WRITE), ram + 32 * i);
		}
		assert_null(virtio_memory_find(&cursor, 16, 1, READ));
		assert_null(virtio_memory_find(&cursor, 0x120, 1, READ));
		assert_int_equal(virtio_memory_check(&cursor, 0x100, 0x20, WRITE), 0);
		assert_int_equal(virtio_memory_check(&cursor, 0x100, 0x21, WRITE), VIRTIO_EFAULT);
	}
}

/*
 * Looks up each byte of each region, and each address of the holes around the regions, in tables of
 * 1 to 200 regions.
 */
static void map_finds_each_region_of_tables_of_any_size(void **state)
{
	static struct virtio_region table[200];

	(void)state;
	for (uint32_t count = 1; count <= COUNT(table); count++) {
		struct virtio_memory_map map;
		struct virtio_memory_cursor cursor;

		for (uint32_t i = 0; i < count; i++) {
			const uint32_t place = count - 1 - i;

			table[i] =
				(struct virtio_region){ .addr = 100 + 10 * place, .len = 7, .host = ram + 8 * place };
		}
		assert_int_equal(virtio_memory_map_init(&map, table, count), 0);
		for (uint64_t addr = 90; addr < 110 + 10 * count; addr++) {
			const bool there = addr >= 100 && addr < 100 + 10 * count && addr % 10 < 7;
			void *const want = there ? ram + (addr - 100) / 10 * 8 + addr % 10 : NULL;

			virtio_memory_cursor_init(&cursor, &map);
			assert_ptr_equal(virtio_memory_find(&cursor, addr, 1, READ), want);
		}
	}
}

static int nothing_there(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	(void)addr, (void)len, (void)access, (void)out;
	++*(uint32_t *)context;
	return VIRTIO_EPERM;
}

static void map_translation_is_used_until_taken_away(void **state)
{
	struct virtio_region table[1] = { { .addr = 0x1000, .len = 16, .host = ram } };
	struct virtio_memory_map map;
	struct virtio_memory_cursor cursor;
	uint32_t calls = 0;

	(void)state;
	memset(&map, 0x5a, sizeof map); /* values that the call must overwrite */
	assert_int_equal(virtio_memory_map_init(&map, table, 1), 0);
	virtio_memory_cursor_init(&cursor, &map);
	assert_int_equal(virtio_memory_check(&cursor, 0x1000, 16, WRITE), 0);

	virtio_memory_map_set_translation(&map, nothing_there, &calls);
	virtio_memory_cursor_init(&cursor, &map);
	assert_int_equal(virtio_memory_check(&cursor, 0x1000, 16, WRITE), VIRTIO_EPERM);
	assert_int_equal(calls, 1);

	virtio_memory_map_set_translation(&map, NULL, NULL);
	virtio_memory_cursor_init(&cursor, &map);
	assert_int_equal(virtio_memory_check(&cursor, 0x1000, 16, WRITE), 0);
	assert_int_equal(calls, 1);
}

/*
 * Look-ups do not depend on the bytes of a cursor before its init, or on an earlier cached region.
 */
static void cursor_init_forgets_everything(void **state)
{
	struct virtio_region table[2] = { { .addr = 0x1000, .len = 16, .host = ram } };
	struct virtio_region other[1] = { { .addr = 0x1008, .len = 16, .host = ram + 64 } };
	struct virtio_memory_map map, other_map;
	struct virtio_memory_cursor cursor;

	(void)state;
	assert_int_equal(virtio_memory_map_init(&map, table, 1), 0);
	assert_int_equal(virtio_memory_map_init(&other_map, other, 1), 0);
	memset(&cursor, 0xff, sizeof cursor);
	virtio_memory_cursor_init(&cursor, &map);
	assert_null(virtio_memory_find(&cursor, 0, 1, READ));
	assert_null(virtio_memory_find(&cursor, UINT64_MAX, 1, READ));
	assert_ptr_equal(virtio_memory_find(&cursor, 0x100f, 1, READ), ram + 15);
	virtio_memory_cursor_init(&cursor, &other_map);
	assert_ptr_equal(virtio_memory_find(&cursor, 0x100f, 1, READ), ram + 64 + 7);
	assert_null(virtio_memory_find(&cursor, 0x1007, 1, READ));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_init_refuses_region_without_length),
		cmocka_unit_test(map_init_refuses_region_without_host_memory),
		cmocka_unit_test(map_init_refuses_region_past_the_address_space),
		cmocka_unit_test(map_init_refuses_memory_at_the_end_of_host_addresses),
		cmocka_unit_test(map_init_refuses_unknown_flags),
		cmocka_unit_test(map_init_sets_derived_members_anew),
		cmocka_unit_test(map_init_refuses_impossible_dirty_logs),
		cmocka_unit_test(map_init_refuses_overlap_of_one_byte),
		cmocka_unit_test(map_init_without_regions_knows_no_address),
		cmocka_unit_test(map_init_sorts_any_order),
		cmocka_unit_test(map_finds_each_region_of_tables_of_any_size),
		cmocka_unit_test(map_translation_is_used_until_taken_away),
		cmocka_unit_test(cursor_init_forgets_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
