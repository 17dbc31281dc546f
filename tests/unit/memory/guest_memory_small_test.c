/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests accesses of constant size. Up to VIRTIO_MEMORY_SMALL bytes they have a fast path, which an
 * optimising compiler selects. Each size from 1 to 72 is tried at each offset near the end of a
 * region. The regions have many lengths and each kind of neighbour. An oracle of single bytes
 * checks the result. Some tests also try sizes that the compiler does not know.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <virtio/guest_memory.h>

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define MAX_SIZE 72u
#define MARGIN 80u     /* bytes around each region on the host */
#define MAX_LEN 288u   /* longest region under test */
#define NEIGHBOUR 128u /* length of the region after the region under test */
#define ADDR 0x1000u

VIRTIO_STATIC_ASSERT(MAX_SIZE > VIRTIO_MEMORY_SMALL, "sizes on both sides of the limit");

/* Defines three functions for each size, so the compiler knows the size. */
/* clang-format off */
#define FOR_EACH_SIZE(X) \
	X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) \
	X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) \
	X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) \
	X(31) X(32) X(33) X(34) X(35) X(36) X(37) X(38) X(39) X(40) \
	X(41) X(42) X(43) X(44) X(45) X(46) X(47) X(48) X(49) X(50) \
	X(51) X(52) X(53) X(54) X(55) X(56) X(57) X(58) X(59) X(60) \
	X(61) X(62) X(63) X(64) X(65) X(66) X(67) X(68) X(69) X(70) \
	X(71) X(72)
/* clang-format on */

#define DEFINE(n)                                                                                                      \
	static int read_##n(struct virtio_memory_cursor *cursor, uint64_t addr, uint8_t *dst)                          \
	{                                                                                                              \
		return virtio_memory_read(cursor, addr, dst, n);                                                       \
	}                                                                                                              \
	static int write_##n(struct virtio_memory_cursor *cursor, uint64_t addr, const uint8_t *src)                   \
	{                                                                                                              \
		return virtio_memory_write(cursor, addr, src, n);                                                      \
	}                                                                                                              \
	static bool find_##n(struct virtio_memory_cursor *cursor, uint64_t addr, void **out)                           \
	{                                                                                                              \
		return virtio_impl_memory_find_writable(cursor, addr, n, out);                                         \
	}
FOR_EACH_SIZE(DEFINE)

#define READ_ENTRY(n) read_##n,
#define WRITE_ENTRY(n) write_##n,
#define FIND_ENTRY(n) find_##n,
static int (*const reads[])(struct virtio_memory_cursor *, uint64_t, uint8_t *) = { FOR_EACH_SIZE(READ_ENTRY) };
static int (*const writes[])(struct virtio_memory_cursor *, uint64_t, const uint8_t *) = { FOR_EACH_SIZE(WRITE_ENTRY) };

static bool (*const finds[])(struct virtio_memory_cursor *, uint64_t, void **) = { FOR_EACH_SIZE(FIND_ENTRY) };

enum neighbour { HOLE, WRITABLE, READ_ONLY };

struct fixture {
	uint8_t host[MARGIN + MAX_LEN + MARGIN + NEIGHBOUR + MARGIN];
	uint8_t want[MARGIN + MAX_LEN + MARGIN + NEIGHBOUR + MARGIN];
	struct virtio_region regions[2];
	struct virtio_memory_map map;
	struct virtio_memory_cursor cursor;
	uint32_t len;
	enum neighbour neighbour;
	bool read_only; /* applies to the region under test */
};

static void setup(struct fixture *f, uint32_t len, bool read_only, enum neighbour neighbour)
{
	memset(f, 0, sizeof *f);
	f->len = len;
	f->neighbour = neighbour;
	f->read_only = read_only;
	for (uint32_t i = 0; i < sizeof f->host; i++)
		f->host[i] = f->want[i] = (uint8_t)(i * 3 + 1);
	f->regions[0].addr = ADDR;
	f->regions[0].len = len;
	f->regions[0].host = f->host + MARGIN;
	f->regions[0].flags = read_only ? VIRTIO_REGION_READ_ONLY : 0;
	f->regions[1].addr = ADDR + len;
	f->regions[1].len = NEIGHBOUR;
	f->regions[1].host = f->host + MARGIN + MAX_LEN + MARGIN;
	f->regions[1].flags = neighbour == READ_ONLY ? VIRTIO_REGION_READ_ONLY : 0;
	assert_int_equal(virtio_memory_map_init(&f->map, f->regions, neighbour == HOLE ? 1 : 2), 0);
	virtio_memory_cursor_init(&f->cursor, &f->map);
}

/* The oracle: returns the host address of the byte at a guest address, or NULL with an error. */
static uint8_t *byte_at(uint8_t *host, const struct fixture *f, uint64_t addr, int *error, bool write)
{
	const uint64_t off = addr - ADDR;
	bool read_only;

	if (off < f->len) {
		read_only = f->read_only;
	} else if (off - f->len < NEIGHBOUR && f->neighbour != HOLE) {
		read_only = f->neighbour == READ_ONLY;
	} else {
		*error = VIRTIO_EFAULT;
		return NULL;
	}
	if (write && read_only) {
		*error = VIRTIO_EPERM;
		return NULL;
	}
	return off < f->len ? host + MARGIN + off : host + MARGIN + MAX_LEN + MARGIN + (off - f->len);
}

static int expected_error(struct fixture *f, uint64_t addr, uint32_t size, bool write)
{
	int error = 0;

	for (uint32_t i = 0; i < size; i++)
		if (!byte_at(f->host, f, addr + i, &error, write))
			return error;
	return 0;
}

static void check_read(struct fixture *f, uint64_t addr, uint32_t size)
{
	const int error = expected_error(f, addr, size, false);
	uint8_t got[MAX_SIZE + 8], want[MAX_SIZE + 8];
	int none;

	memset(got, 0xee, sizeof got);
	memset(want, 0xee, sizeof want);
	for (uint32_t i = 0; !error && i < size; i++)
		want[i] = *byte_at(f->host, f, addr + i, &none, false);
	assert_int_equal(reads[size - 1](&f->cursor, addr, got), error);
	assert_memory_equal(got, want, sizeof got);
	assert_memory_equal(f->host, f->want, sizeof f->host);
}

static void check_write(struct fixture *f, uint64_t addr, uint32_t size)
{
	const int error = expected_error(f, addr, size, true);
	uint8_t src[MAX_SIZE];
	int none;

	for (uint32_t i = 0; i < size; i++) {
		uint8_t *byte = error ? NULL : byte_at(f->want, f, addr + i, &none, true);

		src[i] = byte ? (uint8_t)(*byte + 0x55 + i) : 0xee;
		if (byte)
			*byte = src[i];
	}
	assert_int_equal(writes[size - 1](&f->cursor, addr, src), error);
	assert_memory_equal(f->host, f->want, sizeof f->host);
}

/* Returns the number of bytes from addr on, in one region, that can be read and written. */
static uint64_t writable_bytes(const struct fixture *f, uint64_t addr)
{
	const uint64_t off = addr - ADDR;

	if (off < f->len)
		return f->read_only ? 0 : f->len - off;
	return off - f->len < NEIGHBOUR && f->neighbour == WRITABLE ? NEIGHBOUR - (off - f->len) : 0;
}

/*
 * Memory that is found must be readable, writable and at the right host address. The search may
 * find nothing only if fewer than VIRTIO_MEMORY_SMALL bytes, or fewer than `size` bytes, can be
 * read and written from addr on.
 */
static void check_find(struct fixture *f, uint64_t addr, uint32_t size)
{
	const uint64_t writable = writable_bytes(f, addr);
	volatile uint32_t unknown = size;
	int none;

	for (int way = 0; way < 3; way++) {
		bool found;
		void *host = NULL;

		/*
		 * Ways 0 and 1 start with the cursor as it is. Way 2 starts with no cached region.
		 */
		if (way == 2)
			virtio_memory_cursor_init(&f->cursor, &f->map);
		if (way == 0)
			found = finds[size - 1](&f->cursor, addr, &host);
		else
			found = virtio_impl_memory_find_writable(&f->cursor, addr, unknown, &host);
		if (found) {
			assert_true(size <= writable);
			assert_ptr_equal(host, byte_at(f->host, f, addr, &none, true));
			assert_ptr_equal(f->cursor.region, &f->regions[addr - ADDR < f->len ? 0 : 1]);
		} else {
			assert_true(writable < VIRTIO_MEMORY_SMALL || writable < size);
		}
	}
}

/*
 * Tries every size at each offset near both ends of the region: in its last 128 bytes, in the 3
 * bytes after the region, and just before the region.
 */
static void check_all(struct fixture *f)
{
	for (uint32_t size = 1; size <= MAX_SIZE; size++) {
		const uint32_t first = f->len < 128 ? 0 : f->len - 128;

		for (uint32_t off = first; off < f->len + 3; off++) {
			/*
			 * Each access is made with no cached region, with this region cached, and
			 * with its neighbour cached.
			 */
			virtio_memory_cursor_init(&f->cursor, &f->map);
			check_read(f, ADDR + off, size);
			virtio_memory_cursor_init(&f->cursor, &f->map);
			check_write(f, ADDR + off, size);
			check_read(f, ADDR, 1);
			check_read(f, ADDR + off, size);
			check_write(f, ADDR, 1);
			check_write(f, ADDR + off, size);
			check_read(f, ADDR + f->len, 1);
			check_read(f, ADDR + off, size);
			check_write(f, ADDR + f->len, 1);
			check_write(f, ADDR + off, size);
			check_find(f, ADDR + off, size);
			virtio_memory_cursor_init(&f->cursor, &f->map);
			check_find(f, ADDR + off, size);
		}
		/* These accesses begin just before the region. */
		for (uint32_t off = 1; off < size + 2; off++) {
			check_read(f, ADDR - off, size);
			check_write(f, ADDR - off, size);
			check_find(f, ADDR - off, size);
		}
	}
}

static void small_access_agrees_with_single_bytes(const uint32_t *lens, uint32_t count)
{
	struct fixture f;

	for (uint32_t i = 0; i < count; i++)
		for (uint32_t kind = 0; kind < 6; kind++) {
			setup(&f, lens[i], kind >= 3, (enum neighbour)(kind % 3));
			check_all(&f);
		}
}

/* The fast path serves no offset of a region shorter than VIRTIO_MEMORY_SMALL. */
static void small_access_in_regions_below_the_limit(void **state)
{
	static const uint32_t lens[] = { 1, 2, 3, 7, 8, 16, VIRTIO_MEMORY_SMALL - 1 };

	(void)state;
	small_access_agrees_with_single_bytes(lens, COUNT(lens));
}

static void small_access_in_regions_around_the_limit(void **state)
{
	static const uint32_t lens[] = { VIRTIO_MEMORY_SMALL, VIRTIO_MEMORY_SMALL + 1, MAX_SIZE,
					 2 * VIRTIO_MEMORY_SMALL };

	(void)state;
	small_access_agrees_with_single_bytes(lens, COUNT(lens));
}

static void small_access_at_the_end_of_large_regions(void **state)
{
	static const uint32_t lens[] = { 200, MAX_LEN };

	(void)state;
	small_access_agrees_with_single_bytes(lens, COUNT(lens));
}

/*
 * Regions lie at both ends of the address space. An access that wraps must fail, although its end
 * lies in the first region.
 */
static void small_access_does_not_wrap_around(void **state)
{
	uint8_t host[2 * MARGIN], before[2 * MARGIN], dst[MAX_SIZE];
	const uint8_t src[MAX_SIZE] = { 0 };
	struct virtio_region regions[2] = {
		{ .addr = 0, .len = MARGIN, .host = host },
		{ .addr = UINT64_MAX - (MARGIN - 1), .len = MARGIN, .host = host + MARGIN },
	};
	struct virtio_memory_map map;
	struct virtio_memory_cursor cursor;

	(void)state;
	memset(host, 0x11, sizeof host);
	memset(dst, 0xee, sizeof dst);
	memcpy(before, host, sizeof host);
	assert_int_equal(virtio_memory_map_init(&map, regions, 2), 0);
	virtio_memory_cursor_init(&cursor, &map);
	for (uint32_t size = 2; size <= MAX_SIZE; size++)
		for (uint32_t back = 1; back < size; back++)
			for (uint32_t warm = 0; warm < 2; warm++) {
				const uint64_t addr = UINT64_MAX - (back - 1);

				assert_int_equal(virtio_memory_check(&cursor, warm ? 0 : UINT64_MAX, 1, 0), 0);
				assert_int_equal(reads[size - 1](&cursor, addr, dst), VIRTIO_EFAULT);
				assert_int_equal(writes[size - 1](&cursor, addr, src), VIRTIO_EFAULT);
			}
	assert_memory_equal(host, before, sizeof host);
	for (uint32_t i = 0; i < sizeof dst; i++)
		assert_int_equal(dst[i], 0xee);
	assert_int_equal(reads[MAX_SIZE - 1](&cursor, UINT64_MAX - (MAX_SIZE - 1), dst), 0);
	assert_memory_equal(dst, host, sizeof dst);
}

/*
 * The compiler does not know the size. A copy of any size and alignment copies exactly its bytes.
 */
static void small_copy_of_unknown_size_copies_it_exactly(void **state)
{
	uint8_t from[96], to[96], want[96];

	(void)state;
	for (uint32_t i = 0; i < sizeof from; i++)
		from[i] = (uint8_t)(i * 5 + 1);
	for (uint32_t size = 0; size <= MAX_SIZE; size++)
		for (uint32_t at = 0; at < 8; at++) {
			volatile size_t unknown = size;

			memset(to, 0xee, sizeof to);
			memset(want, 0xee, sizeof want);
			memcpy(want + at, from + 7 - at, size);
			virtio_guest_copy_in(to + at, from + 7 - at, unknown);
			assert_memory_equal(to, want, sizeof to);
			memset(to, 0xee, sizeof to);
			virtio_guest_copy_out(to + at, from + 7 - at, unknown);
			assert_memory_equal(to, want, sizeof to);
		}
}

/* A range of length 0 is never found, not even in the cached region. */
static void small_writable_memory_has_bytes(void **state)
{
	volatile uint32_t unknown = 0;
	struct fixture f;
	void *found;

	(void)state;
	setup(&f, MAX_LEN, false, WRITABLE);
	assert_true(virtio_impl_memory_find_writable(&f.cursor, ADDR, 1, &found));
	assert_false(virtio_impl_memory_find_writable(&f.cursor, ADDR, 0, &found));
	assert_false(virtio_impl_memory_find_writable(&f.cursor, ADDR, unknown, &found));
}

/* Regions without a fast path do not change the look-up of other regions. */
static void small_writable_memory_beside_other_memory(void **state)
{
	static uint8_t host[4][64], bitmap[16];
	const struct virtio_dirty_log log = { .bitmap = bitmap, .size = sizeof bitmap, .page_shift = 12, .unit = 1 };
	struct virtio_region regions[4] = {
		{ .addr = 0x1000, .len = 64, .host = host[0] },
		{ .addr = 0x2000, .len = 64, .host = host[1], .flags = VIRTIO_REGION_READ_ONLY },
		{ .addr = 0x3000, .len = VIRTIO_MEMORY_SMALL - 1, .host = host[2] },
		{ .addr = 0x4000, .len = 64, .host = host[3], .dirty = &log },
	};
	struct virtio_memory_cursor cursor;
	struct virtio_memory_map map;
	void *found;

	(void)state;
	assert_int_equal(virtio_memory_map_init(&map, regions, 4), 0);
	virtio_memory_cursor_init(&cursor, &map);
	for (int turn = 0; turn < 2; turn++) {
		assert_true(virtio_impl_memory_find_writable(&cursor, 0x1000, 64, &found));
		assert_ptr_equal(found, host[0]);
		for (uint64_t addr = 0x2000; addr <= 0x5000; addr += 0x1000) {
			const bool logged = addr == 0x4000;

			assert_int_equal(virtio_impl_memory_find_writable(&cursor, addr, 1, &found), logged);
			assert_int_equal(virtio_impl_memory_find_writable(&cursor, addr, 20, &found), logged);
		}
	}
}

static int nowhere(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	(void)context, (void)addr, (void)len, (void)access, (void)out;
	return VIRTIO_EFAULT;
}

/* When the translation of a map is removed again, the fast path works again. */
static void small_writable_memory_comes_back_behind_translation(void **state)
{
	struct fixture f;
	void *found;

	(void)state;
	setup(&f, MAX_LEN, false, WRITABLE);
	virtio_memory_map_set_translation(&f.map, nowhere, NULL);
	virtio_memory_cursor_init(&f.cursor, &f.map);
	assert_false(virtio_impl_memory_find_writable(&f.cursor, ADDR, 1, &found));
	virtio_memory_map_set_translation(&f.map, NULL, NULL);
	virtio_memory_cursor_init(&f.cursor, &f.map);
	assert_true(virtio_impl_memory_find_writable(&f.cursor, ADDR, 1, &found));
}

/*
 * A region with a dirty log is found like any other region. Each write is recorded: the first
 * write, writes with the region cached, and writes of known and of unknown size.
 */
static void small_writes_are_recorded_in_the_dirty_log(void **state)
{
	static uint8_t bitmap[16], host[1024];
	const struct virtio_dirty_log log = {
		.bitmap = bitmap, .size = sizeof bitmap, .base = 0x1000, .page_shift = 6, .unit = 1
	};
	struct virtio_region region = { .addr = ADDR, .len = sizeof host, .host = host, .dirty = &log };
	const uint8_t src[MAX_SIZE] = { 1 };
	struct virtio_memory_cursor cursor;
	struct virtio_memory_map map;
	volatile size_t unknown;
	void *found = NULL;

	(void)state;
	assert_int_equal(virtio_memory_map_init(&map, &region, 1), 0);
	for (uint32_t warm = 0; warm < 2; warm++)
		for (uint32_t size = 1; size <= MAX_SIZE; size++)
			for (uint32_t known = 0; known < 2; known++)
				for (uint32_t off = 100; off < 164; off++) {
					uint8_t want[sizeof bitmap] = { 0 };

					for (uint32_t page = off / 64; page <= (off + size - 1) / 64; page++)
						want[page / 8] |= (uint8_t)(1u << page % 8);
					memset(bitmap, 0, sizeof bitmap);
					virtio_memory_cursor_init(&cursor, &map);
					if (warm)
						assert_true(virtio_impl_memory_find_writable(&cursor, ADDR, 1, &found));
					unknown = size;
					assert_int_equal(known ? writes[size - 1](&cursor, ADDR + off, src)
							       : virtio_memory_write(&cursor, ADDR + off, src, unknown),
							 0);
					assert_memory_equal(bitmap, want, sizeof want);
				}
	assert_ptr_equal(found, host);
}

/*
 * Look-ups start from a table, in which each slot represents a range of addresses. The look-ups
 * must give the same result as a search of all regions. The regions share a slot, lie at both ends
 * of the address space, or have holes between them.
 */
static void small_look_ups_agree_with_a_search(void **state)
{
	static uint8_t host[8][256];
	static const uint64_t starts[][8] = {
		{ 0, 0x100, 0x200, 0x300, 0x400, 0x500, 0x600, 0x700 },
		{ 0, 0x1000, 0x1100, UINT64_MAX - 255 },
		{ UINT64_C(1) << 63, (UINT64_C(1) << 63) + 0x1000, UINT64_MAX - 0x10ff },
		{ 0x40000000, 0x80000000, 0xc0000000, 0x100000000, 0x140000000 },
		{ 0x1f00, 0x2000, 0x3f00 },
		{ 0 },
	};

	(void)state;
	for (uint32_t t = 0; t < COUNT(starts); t++) {
		struct virtio_region regions[8];
		struct virtio_memory_cursor cursor;
		struct virtio_memory_map map;
		uint32_t count = 0;
		void *found;

		for (; count < 8 && (count == 0 || starts[t][count] != 0); count++)
			regions[count] =
				(struct virtio_region){ .addr = starts[t][count], .len = 256, .host = host[count] };
		assert_int_equal(virtio_memory_map_init(&map, regions, count), 0);
		virtio_memory_cursor_init(&cursor, &map);
		for (uint32_t i = 0; i < count; i++)
			for (uint32_t off = 0; off < 512; off++) {
				const uint64_t addr = starts[t][(i * 5 + 3) % count] + off - 128;
				const uint8_t *want = NULL;

				for (uint32_t n = 0; n < count; n++)
					if (addr - starts[t][n] <= 256 - VIRTIO_MEMORY_SMALL)
						want = host[n] + (addr - starts[t][n]);
				found = NULL;
				if (virtio_impl_memory_find_writable(&cursor, addr, 1, &found))
					assert_ptr_equal(found,
							 virtio_memory_find(&cursor, addr, 1, VIRTIO_ACCESS_READ));
				if (want)
					assert_ptr_equal(found, want);
			}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_access_in_regions_below_the_limit),
		cmocka_unit_test(small_access_in_regions_around_the_limit),
		cmocka_unit_test(small_access_at_the_end_of_large_regions),
		cmocka_unit_test(small_access_does_not_wrap_around),
		cmocka_unit_test(small_copy_of_unknown_size_copies_it_exactly),
		cmocka_unit_test(small_writes_are_recorded_in_the_dirty_log),
		cmocka_unit_test(small_look_ups_agree_with_a_search),
		cmocka_unit_test(small_writable_memory_has_bytes),
		cmocka_unit_test(small_writable_memory_beside_other_memory),
		cmocka_unit_test(small_writable_memory_comes_back_behind_translation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
