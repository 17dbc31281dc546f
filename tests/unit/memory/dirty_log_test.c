/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests the dirty log by itself: the bits that a range sets, in both layouts. An oracle checks each
 * page against the range. Hostile 48: whatever the length, the work is bounded and no byte outside
 * the bitmap changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <virtio/guest_memory.h>

#define WORD ((uint32_t)sizeof(unsigned long))
#define GUARD 64u /* guard bytes on either side of a bitmap */
#define MAX_BITMAP 64u

static const uint8_t units[2] = { 1, sizeof(unsigned long) };

/* A bitmap between guards. */
struct fixture {
	struct virtio_dirty_log log;
	_Alignas(16) uint8_t raw[MAX_BITMAP + 2 * GUARD];
	uint8_t want[MAX_BITMAP + 2 * GUARD];
};

static void setup(struct fixture *f, uint8_t unit, uint64_t size, uint64_t base, uint8_t page_shift)
{
	memset(f, 0, sizeof *f);
	assert_true(size <= MAX_BITMAP);
	f->log.bitmap = f->raw + GUARD;
	f->log.size = size;
	f->log.base = base;
	f->log.page_shift = page_shift;
	f->log.unit = unit;
	memset(f->raw, 0x5a, sizeof f->raw);
	memset(f->raw + GUARD, 0, (size_t)size);
	memcpy(f->want, f->raw, sizeof f->raw);
}

/* Sets bit n of a bitmap in one of the two layouts. */
static void set_bit(uint8_t *bitmap, uint8_t unit, uint64_t n)
{
	unsigned long word;

	if (unit == 1) {
		bitmap[n / 8] = (uint8_t)(bitmap[n / 8] | 1u << n % 8);
		return;
	}
	memcpy(&word, bitmap + n / (8 * WORD) * WORD, WORD);
	word |= 1ul << n % (8 * WORD);
	memcpy(bitmap + n / (8 * WORD) * WORD, &word, WORD);
}

/*
 * Returns whether a range of at least one byte touches page n of a log. Compares last bytes and not
 * ends, because the range and the page may end with the address space. A page may also lie beyond
 * the address space.
 */
static bool touches(const struct virtio_dirty_log *log, uint64_t n, uint64_t addr, uint64_t len)
{
	const uint64_t last = len - 1 > UINT64_MAX - addr ? UINT64_MAX : addr + (len - 1);
	const uint64_t page = UINT64_C(1) << log->page_shift;
	uint64_t first_of_page, last_of_page;

	if (n > (UINT64_MAX - log->base) >> log->page_shift)
		return false;
	first_of_page = log->base + (n << log->page_shift);
	last_of_page = page - 1 > UINT64_MAX - first_of_page ? UINT64_MAX : first_of_page + (page - 1);
	return addr <= last_of_page && last >= first_of_page;
}

static void expect_marked(struct fixture *f, uint64_t addr, uint64_t len)
{
	if (len == 0)
		return;
	for (uint64_t n = 0; n < f->log.size * 8; n++)
		if (touches(&f->log, n, addr, len))
			set_bit(f->want + GUARD, f->log.unit, n);
}

/* Marks a range, and compares the bitmap and its guards with the oracle. */
static void mark(struct fixture *f, uint64_t addr, uint64_t len)
{
	virtio_dirty_log_mark(&f->log, addr, len);
	expect_marked(f, addr, len);
	assert_memory_equal(f->raw, f->want, sizeof f->raw);
}

static void mark_afresh(struct fixture *f, uint64_t addr, uint64_t len)
{
	memset(f->raw + GUARD, 0, (size_t)f->log.size);
	memset(f->want + GUARD, 0, (size_t)f->log.size);
	mark(f, addr, len);
}

/* Marks a range that must set no bit. */
static void mark_nothing(struct fixture *f, uint64_t addr, uint64_t len)
{
	uint8_t before[sizeof f->raw];

	memcpy(before, f->raw, sizeof before);
	virtio_dirty_log_mark(&f->log, addr, len);
	assert_memory_equal(f->raw, before, sizeof before);
}

/* Hostile 48: a range of length 0 sets no bit. */
static void dirty_log_marks_nothing_for_length_zero(void **state)
{
	const uint64_t addrs[] = { 0, 0xfff, 0x1000, 0x1fff, UINT64_MAX - 1, UINT64_MAX };
	struct fixture f;

	(void)state;
	for (uint32_t u = 0; u < 2; u++)
		for (uint32_t i = 0; i < sizeof addrs / sizeof addrs[0]; i++) {
			setup(&f, units[u], 16, 0, 12);
			mark_nothing(&f, addrs[i], 0);
			setup(&f, units[u], 16, addrs[i], 0);
			mark_nothing(&f, addrs[i], 0);
		}
}

static void dirty_log_marks_nothing_in_empty_bitmap(void **state)
{
	struct fixture f;

	(void)state;
	for (uint32_t u = 0; u < 2; u++) {
		setup(&f, units[u], 0, 0x1000, 12);
		mark_nothing(&f, 0, UINT64_MAX);
		mark_nothing(&f, 0x1000, 1);
		mark_nothing(&f, UINT64_MAX, 1);
	}
}

static void dirty_log_marks_nothing_for_ranges_outside(void **state)
{
	const uint64_t base = 0x100000, end = base + 16 * 8 * 0x1000;
	struct fixture f;

	(void)state;
	for (uint32_t u = 0; u < 2; u++) {
		setup(&f, units[u], 16, base, 12);
		mark_nothing(&f, 0, 1);
		mark_nothing(&f, 0, base);
		mark_nothing(&f, base - 1, 1);
		mark_nothing(&f, end, 1);
		mark_nothing(&f, end, UINT64_MAX);
		mark_nothing(&f, UINT64_MAX, 1);
		mark_nothing(&f, UINT64_MAX, UINT64_MAX);
		/* A range that wraps is cut. The range does not continue at address 0. */
		mark_nothing(&f, UINT64_MAX - 1, base + 0x10000);
		/* A range with one byte in the log sets one bit. */
		mark(&f, 0, base + 1);
		mark(&f, end - 1, 1);
	}
}

/*
 * Marks ranges around the pages of a small bitmap. Ranges begin and end before these pages, inside
 * them and after them.
 */
static void dirty_log_sets_exactly_the_pages_touched(void **state)
{
	const uint64_t bases[] = { 0, 1, 24, 1000 };
	const uint32_t words[] = { 1, 3 };
	struct fixture f;

	(void)state;
	for (uint32_t u = 0; u < 2; u++)
		for (uint32_t b = 0; b < 4; b++)
			for (uint8_t shift = 0; shift < 3; shift++)
				for (uint32_t w = 0; w < 2; w++) {
					const uint64_t size = words[w] * units[u];
					const uint64_t end = bases[b] + (size * 8 << shift);
					const uint64_t step = end - bases[b] > 200 ? 7 : 1;

					setup(&f, units[u], size, bases[b], shift);
					for (uint64_t a = bases[b] < 20 ? 0 : bases[b] - 20; a < end + 5; a += step)
						for (uint64_t len = 0; len < end + 10 - bases[b]; len += step)
							mark_afresh(&f, a, len);
				}
}

/* Marks ranges around each byte and word boundary of a bitmap of several words. */
static void dirty_log_crosses_words_of_the_bitmap(void **state)
{
	struct fixture f;

	(void)state;
	for (uint32_t u = 0; u < 2; u++) {
		setup(&f, units[u], MAX_BITMAP, 0x7000, 12);
		for (uint64_t edge = 0; edge <= MAX_BITMAP * 8; edge += 8)
			for (uint64_t before = 0; before < 3; before++)
				for (uint64_t after = 0; after < 140; after += 9) {
					const uint64_t page = edge < before ? 0 : edge - before;

					mark_afresh(&f, 0x7000 + page * 0x1000 + 0xfff, 1 + after * 0x1000);
				}
	}
}

static void dirty_log_never_clears_a_bit(void **state)
{
	struct fixture f;

	(void)state;
	for (uint32_t u = 0; u < 2; u++) {
		setup(&f, units[u], 16, 0, 12);
		for (uint32_t i = 0; i < 16; i++)
			f.raw[GUARD + i] = f.want[GUARD + i] = 0x92;
		for (uint64_t page = 0; page < 16 * 8; page += 3)
			mark(&f, page * 0x1000, 0x1000);
		mark(&f, 0, 0);
		mark(&f, 0, UINT64_MAX);
	}
}

/* Hostile 48: a range that is longer than the log, or that wraps, is cut. */
static void dirty_log_cuts_over_long_ranges(void **state)
{
	const uint64_t addrs[] = { 0, 1, 0xfff, 0x1000, 0x8000, 0x8fff, 0x9000, 0x10000, UINT64_MAX };
	const uint64_t lens[] = { UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 0xfff, UINT64_C(1) << 63, UINT32_MAX };
	const uint8_t shifts[] = { 0, 1, 12, 31, 32, 62, 63 };
	struct fixture f;

	(void)state;
	for (uint32_t u = 0; u < 2; u++)
		for (uint32_t s = 0; s < sizeof shifts; s++)
			for (uint32_t a = 0; a < sizeof addrs / sizeof addrs[0]; a++)
				for (uint32_t l = 0; l < sizeof lens / sizeof lens[0]; l++) {
					setup(&f, units[u], 16, 0x8000, shifts[s]);
					mark(&f, addrs[a], lens[l]);
					setup(&f, units[u], 16, 0, shifts[s]);
					mark(&f, addrs[a], lens[l]);
				}
}

/* The last pages of the bitmap would lie past the address space. */
static void dirty_log_at_the_end_of_the_address_space(void **state)
{
	const uint8_t shifts[] = { 0, 3, 12, 63 };
	struct fixture f;

	(void)state;
	for (uint32_t u = 0; u < 2; u++)
		for (uint32_t s = 0; s < sizeof shifts; s++)
			for (uint64_t back = 0; back < 50; back += 7)
				for (uint64_t a = 0; a < 60; a++) {
					setup(&f, units[u], 8, UINT64_MAX - back, shifts[s]);
					mark(&f, UINT64_MAX - a, 1);
					mark_afresh(&f, UINT64_MAX - a, a);
					mark_afresh(&f, UINT64_MAX - a, a + 1);
					mark_afresh(&f, UINT64_MAX - a, a + 2);
					mark_afresh(&f, UINT64_MAX - a, UINT64_MAX);
				}
}

static void dirty_log_with_pages_of_half_the_address_space(void **state)
{
	const uint64_t half = UINT64_C(1) << 63;
	struct fixture f;

	(void)state;
	for (uint32_t u = 0; u < 2; u++) {
		const unsigned long one = 1, two = 2, both = 3;
		const uint8_t *bits = f.raw + GUARD;

		setup(&f, units[u], 8, 0, 63);
		mark(&f, half - 1, 1);
		assert_memory_equal(bits, units[u] == 1 ? (const void *)"\1" : (const void *)&one, units[u]);
		mark_afresh(&f, half, 1);
		assert_memory_equal(bits, units[u] == 1 ? (const void *)"\2" : (const void *)&two, units[u]);
		mark_afresh(&f, half - 1, 2);
		assert_memory_equal(bits, units[u] == 1 ? (const void *)"\3" : (const void *)&both, units[u]);
		mark_afresh(&f, 0, UINT64_MAX);
		assert_memory_equal(bits, units[u] == 1 ? (const void *)"\3" : (const void *)&both, units[u]);
	}
}

/*
 * The bitmap is the end of a heap block, at the smallest alignment that its unit permits. So a
 * sanitizer reports an access beyond the bitmap.
 */
static void dirty_log_stays_inside_a_heap_block(void **state)
{
	(void)state;
	for (uint32_t u = 0; u < 2; u++)
		for (uint64_t units_in_it = 1; units_in_it < 5; units_in_it++) {
			const size_t size = (size_t)units_in_it * units[u], bits = size * 8;
			uint8_t *block = malloc(size + units[u]);
			const struct virtio_dirty_log log = { block + units[u], size, 0x4000, 12, units[u] };

			assert_non_null(block);
			memset(block, 0, size + units[u]);
			for (uint64_t page = 0; page < bits + 4; page++)
				for (uint64_t len = 1; len < bits * 0x1000; len += 0x1000 * 5 + 1)
					virtio_dirty_log_mark(&log, 0x2000 + page * 0x1000, len);
			virtio_dirty_log_mark(&log, 0, UINT64_MAX);
			virtio_dirty_log_mark(&log, 0x4000 + bits * 0x1000 - 1, UINT64_MAX);
			for (size_t i = 0; i < size + units[u]; i++)
				assert_int_equal(block[i], i < units[u] ? 0 : 0xff);
			free(block);
		}
}

/*
 * Compares both layouts with constants, because the oracle might share a mistake with the library.
 */
static void dirty_log_layouts_are_as_documented(void **state)
{
	static const uint8_t by_byte[8] = { 0x80, 0x01, 0, 0, 0, 0, 0, 0x80 };
	unsigned long word = 0;
	uint8_t bitmap[8] = { 0 };
	const struct virtio_dirty_log bytes = { bitmap, 8, 0x100000, 12, 1 };
	const struct virtio_dirty_log words = { &word, WORD, 0x100000, 12, (uint8_t)WORD };

	(void)state;
	/* Marks pages 7 and 8, and the last page of the bitmap. */
	virtio_dirty_log_mark(&bytes, 0x107fff, 2);
	virtio_dirty_log_mark(&bytes, 0x13ffff, 1);
	assert_memory_equal(bitmap, by_byte, sizeof bitmap);
	virtio_dirty_log_mark(&words, 0x107fff, 2);
	assert_true(word == 0x180);
	virtio_dirty_log_mark(&words, 0x100000 + (8 * WORD - 1) * 0x1000, 0x1000);
	assert_true(word == (0x180 | 1ul << (8 * WORD - 1)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dirty_log_marks_nothing_for_length_zero),
		cmocka_unit_test(dirty_log_marks_nothing_in_empty_bitmap),
		cmocka_unit_test(dirty_log_marks_nothing_for_ranges_outside),
		cmocka_unit_test(dirty_log_sets_exactly_the_pages_touched),
		cmocka_unit_test(dirty_log_crosses_words_of_the_bitmap),
		cmocka_unit_test(dirty_log_never_clears_a_bit),
		cmocka_unit_test(dirty_log_cuts_over_long_ranges),
		cmocka_unit_test(dirty_log_at_the_end_of_the_address_space),
		cmocka_unit_test(dirty_log_with_pages_of_half_the_address_space),
		cmocka_unit_test(dirty_log_stays_inside_a_heap_block),
		cmocka_unit_test(dirty_log_layouts_are_as_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
