/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Seeds of the memory harness. */
#include "../common/seeds.h"
#include "steps.h"

#define MEMORY(name, ...) SEED("fuzz_guest_memory", name, __VA_ARGS__)

const struct seed memory_seeds[] = {
	/*
	 * A seed has these bytes, in this order: 0; start of memory; number of regions - 1; three
	 * dirty logs; gap, length - 1 and attributes of each region; translation; second map;
	 * steps. A seed that begins with 0x80 is for tables.c.
	 */
	MEMORY("flat", 0, 1, 0, 0, 0, 0, 0, 100, 0, 0, 0, MEMORY_READ, 3, 16, MEMORY_WRITE, 5, 20, 1, 2, 3, 4,
	       MEMORY_CHECK, 9, 3, 93, MEMORY_FIND, 90, 2, 10, MEMORY_LOAD, 8, 3, MEMORY_STORE, 12, 3, 1, 2, 3, 4),
	MEMORY("regions", 0, 1, 3, 0, 0, 0, 0, 20, 0, 0, 20, 0, 0x90, 20, 1, 0, 40, 8, 0, 0, MEMORY_READ, 3, 40,
	       MEMORY_WRITE, 5, 30, 1, 2, 3, 4, MEMORY_WRITE, 5, 60, 1, 2, 3, 4, MEMORY_SEGMENTS, 2, 1, 8, 37,
	       MEMORY_IOVEC, 5, 20, 4, MEMORY_SEGMENT, 15, 1, 30),
	MEMORY("one_byte", 0, 1, 0, 0, 0, 0, 0, 15, 0x40, 0, 0, MEMORY_READ, 3, 8, MEMORY_WRITE, 0, 16, 1, 2, 3, 4,
	       MEMORY_SEGMENTS, 2, 1, 20, 9, MEMORY_LOAD, 2, 0, MEMORY_STORE, 2, 1, 1, 2, 3, 4),
	MEMORY("dirty", 0, 1, 1, 0x13, 0x91, 0x50, 2, 0, 100, 2, 0, 100, 4, 0, 0, MEMORY_WRITE, 5, 20, 1, 2, 3, 4,
	       MEMORY_STORE, 40, 1, 1, 2, 3, 4, MEMORY_WRITE, 90, 40, 1, 2, 3, 4, MEMORY_SEGMENTS, 95, 2, 8, 30,
	       MEMORY_MARK, 0, 12, MEMORY_LOG, 0, 0xd0, 0, 1, 0),
	MEMORY("top", 0, 4, 0, 0, 0, 0, 0, 99, 0, 0, 0, MEMORY_READ, 84, 16, MEMORY_WRITE, 84, 17, 1, 2, 3, 4,
	       MEMORY_CHECK, 90, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255),
	MEMORY("pages", 0, 1, 1, 0, 0, 0, 0, 127, 0, 0, 127, 1, 0x05, 7, 0, 1, 9, 0x30, 6, 0x60, 0x20, 0, 0, 0,
	       MEMORY_READ, 3, 30, MEMORY_WRITE, 5, 40, 1, 2, 3, 4, MEMORY_READ, 70, 30, MEMORY_MAP_PAGE, 0,
	       MEMORY_SEGMENTS, 2, 1, 8, 100),
	MEMORY("short_pages", 0, 1, 1, 0, 0, 0, 0, 127, 0, 0, 127, 0, 0x17, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, MEMORY_READ,
	       3, 30, MEMORY_FIND, 3, 1, 40, MEMORY_LOAD, 8, 1, MEMORY_SEGMENTS, 2, 1, 30, 90),
	MEMORY("cursors", 0, 1, 0, 0, 0, 0, 0, 100, 0, 0, 1, MEMORY_CURSOR, 0, 3, MEMORY_CURSOR_1 | MEMORY_WRITE, 5, 20,
	       1, 2, 3, 4, MEMORY_WRITE, 5, 20, 1, 2, 3, 4, MEMORY_READ | MEMORY_AGAIN, 7,
	       MEMORY_READ | MEMORY_AGAIN | MEMORY_BEHIND, 7),
	MEMORY("table", 0x80, 3, 0, 0, 40, 10, 0, 10, 30, 16, 100, 50, 10, 3, 40, 8, 12, 80, 60, 9, 0xff, 255, 255, 255,
	       255, 255, 255, 255, 255, 7),
	MEMORY("table_wrong", 0x80, 3, 0, 0, 40, 11, 0, 10, 30, 16, 100, 50, 10),
	MEMORY("table_top", 0x80, 1, 0, 1, 0xff, 0, 255, 255, 255, 255, 255, 255, 255, 0xd0, 0, 1, 0xff, 0, 255, 255,
	       255, 255, 255, 255, 255, 20),
	MEMORY("table_log", 0x80, 1, 32, 32, 9, 7, 0x20, 0, 9, 0, 5, 5),
};

const size_t memory_seed_count = sizeof memory_seeds / sizeof memory_seeds[0];
