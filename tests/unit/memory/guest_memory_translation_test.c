/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests maps with a translation: pages of every kind, good and bad results of the translation, and
 * what a cursor may cache.
 */
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
#define BOTH (READ | WRITE)

#define PAGE UINT64_C(0x100)
#define RAM UINT64_C(0x100000)   /* guest-physical: 16 pages */
#define ROM UINT64_C(0x200000)   /* one page, read-only */
#define SHORT UINT64_C(0x300000) /* memory that ends within its first page */
#define SHORT_LEN 0x28u
#define LAST (UINT64_MAX - (PAGE - 1)) /* the last page of the input addresses */

/* The extent of the translation's result for a page, or the fault in the result. */
enum style {
	TO_PAGE_END,
	HUGE_LEN,  /* claims to reach beyond the end of the address space */
	NO_LEN,    /* returns 0 with a length of 0 */
	NO_ANSWER, /* returns 0 and fills nothing in */
	PIECES,    /* reaches to the next multiple of 16 */
};

struct page {
	uint64_t in, out;
	uint32_t access;
	int result;
	enum style style;
	int read, write; /* expected results of accesses; 0 for success */
};

/* Pages of input addresses. Every other address gives VIRTIO_EFAULT. */
static const struct page pages[] = {
	{ 0x5000, RAM + 0x300, BOTH, 0, TO_PAGE_END, 0, 0 },
	{ 0x5100, RAM + 0x100, BOTH, 0, TO_PAGE_END, 0, 0 },
	{ 0x5200, RAM + 0x200, BOTH, 0, TO_PAGE_END, 0, 0 }, /* adjacent to the previous page */
	{ 0x5300, RAM + 0x400, READ, 0, TO_PAGE_END, 0, VIRTIO_EPERM },
	{ 0x5400, RAM + 0x500, WRITE, 0, TO_PAGE_END, VIRTIO_EPERM, 0 },
	{ 0x5500, RAM + 0x600, BOTH, VIRTIO_ENOTMAPPED, TO_PAGE_END, VIRTIO_ENOTMAPPED, VIRTIO_ENOTMAPPED },
	{ 0x5600, RAM + 0x600, BOTH, VIRTIO_EFAULT, TO_PAGE_END, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x5700, RAM + 0x600, BOTH, VIRTIO_EPERM, TO_PAGE_END, VIRTIO_EPERM, VIRTIO_EPERM },
	{ 0x5800, ROM, BOTH, 0, TO_PAGE_END, 0, VIRTIO_EPERM },
	{ 0x5900, 0x900000, BOTH, 0, TO_PAGE_END, VIRTIO_EFAULT, VIRTIO_EFAULT },
	/* The translation returns 7, which is no valid result. */
	{ 0x5a00, RAM + 0x600, BOTH, 7, TO_PAGE_END, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x5b00, RAM + 0x600, BOTH, 0, NO_LEN, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x5c00, RAM + 0x600, BOTH, 0, NO_ANSWER, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ 0x5d00, RAM + 0x600, 0, 0, TO_PAGE_END, VIRTIO_EPERM, VIRTIO_EPERM },
	{ 0x5e00, RAM + 0x700, BOTH, 0, PIECES, 0, 0 },
	/* The translated page begins one byte before memory. */
	{ 0x6000, RAM - 1, BOTH, 0, TO_PAGE_END, VIRTIO_EFAULT, VIRTIO_EFAULT },
	{ LAST, RAM + 0x800, BOTH, 0, HUGE_LEN, 0, 0 },
};

struct fixture {
	/* RAM, with a guard page on either side. */
	_Alignas(16) uint8_t ram[16 * PAGE + 2 * PAGE];
	uint8_t rom[PAGE];
	uint8_t shortage[SHORT_LEN + 0x40];
	uint8_t want[16 * PAGE + 2 * PAGE];
	struct virtio_region regions[3];
	struct virtio_memory_map map;
	struct virtio_memory_cursor cursor;

	/* The page table of the translation. */
	struct page table[COUNT(pages) + 2];
	uint32_t count;
	bool clip; /* the result covers only the bytes of the look-up */
	/* Unless `whole` is 0, look-ups of more than `whole` bytes fail with VIRTIO_ENOTMAPPED. */
	uint64_t whole;
	/*
	 * Unless `last` is 0, only the first `last` look-ups succeed. Later look-ups fail with
	 * VIRTIO_ENOTMAPPED.
	 */
	uint32_t last;
	uint32_t calls; /* number of look-ups */
	uint64_t addr;  /* address, length and access of the last look-up */
	uint64_t len;
	uint32_t access;
};

static int translate(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	struct fixture *f = context;

	f->calls++;
	f->addr = addr;
	f->len = len;
	f->access = access;
	/* Hostile 37: the library must not look up 0 bytes. */
	assert_true(len > 0);
	if ((f->whole && len > f->whole) || (f->last && f->calls > f->last))
		return VIRTIO_ENOTMAPPED;
	for (uint32_t i = 0; i < f->count; i++) {
		const struct page *p = &f->table[i];
		const uint64_t off = addr - p->in;

		if (off >= PAGE)
			continue;
		if (p->style == NO_ANSWER)
			return p->result;
		out->addr = p->out + off;
		out->len = PAGE - off;
		out->access = p->access;
		if (p->style == HUGE_LEN)
			out->len = UINT64_MAX;
		if (p->style == NO_LEN)
			out->len = 0;
		if (p->style == PIECES)
			out->len = 16 - off % 16;
		if (f->clip && out->len > len)
			out->len = len;
		return p->result;
	}
	return VIRTIO_EFAULT;
}

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof *f);
	for (uint32_t i = 0; i < sizeof f->ram; i++)
		f->ram[i] = (uint8_t)(i * 5 + i / 256);
	memcpy(f->want, f->ram, sizeof f->ram);
	memset(f->rom, 0x33, sizeof f->rom);
	memset(f->shortage, 0x44, sizeof f->shortage);
	f->regions[0] = (struct virtio_region){ .addr = RAM, .len = 16 * PAGE, .host = f->ram + PAGE };
	f->regions[1] =
		(struct virtio_region){ .addr = ROM, .len = PAGE, .host = f->rom, .flags = VIRTIO_REGION_READ_ONLY };
	f->regions[2] = (struct virtio_region){ .addr = SHORT, .len = SHORT_LEN, .host = f->shortage };
	memcpy(f->table, pages, sizeof pages);
	f->count = COUNT(pages);
	assert_int_equal(virtio_memory_map_init(&f->map, f->regions, 3), 0);
	virtio_memory_map_set_translation(&f->map, translate, f);
	virtio_memory_cursor_init(&f->cursor, &f->map);
}

static void add_page(struct fixture *f, uint64_t in, uint64_t out, enum style style)
{
	assert_true(f->count < COUNT(f->table));
	f->table[f->count++] = (struct page){ in, out, BOTH, 0, style, 0, 0 };
}

static struct page *page_at(struct fixture *f, uint64_t in)
{
	for (uint32_t i = 0; i < f->count; i++)
		if (f->table[i].in == in)
			return &f->table[i];
	fail();
	return NULL;
}

/* Returns the offset in f->ram of a guest-physical address of RAM. */
static uint32_t ram_at(uint64_t phys)
{
	return (uint32_t)(phys - RAM + PAGE);
}

static void expect_unchanged(const struct fixture *f)
{
	assert_memory_equal(f->ram, f->want, sizeof f->ram);
	for (uint32_t i = 0; i < sizeof f->rom; i++)
		assert_int_equal(f->rom[i], 0x33);
	for (uint32_t i = 0; i < sizeof f->shortage; i++)
		assert_int_equal(f->shortage[i], 0x44);
}

static void expect_read_error(struct fixture *f, uint64_t addr, size_t len, int error)
{
	uint8_t dst[64], untouched[64];
	struct virtio_segment list[8];

	memset(dst, 0xee, sizeof dst);
	memset(untouched, 0xee, sizeof untouched);
	assert_int_equal(virtio_memory_read(&f->cursor, addr, dst, len), error);
	if (len == 1)
		assert_int_equal(virtio_memory_read(&f->cursor, addr, dst, 1), error);
	assert_memory_equal(dst, untouched, sizeof dst);
	assert_int_equal(virtio_memory_check(&f->cursor, addr, len, READ), error);
	assert_null(virtio_memory_find(&f->cursor, addr, len, READ));
	assert_int_equal(virtio_memory_segments(&f->cursor, addr, len, READ, list, COUNT(list)), error);
}

static void expect_write_error(struct fixture *f, uint64_t addr, size_t len, int error)
{
	const uint8_t src[64] = { 0 };
	struct virtio_segment list[8];

	assert_true(len <= sizeof src);
	assert_int_equal(virtio_memory_write(&f->cursor, addr, src, len), error);
	if (len == 1)
		assert_int_equal(virtio_memory_write(&f->cursor, addr, src, 1), error);
	assert_int_equal(virtio_memory_check(&f->cursor, addr, len, WRITE), error);
	assert_null(virtio_memory_find(&f->cursor, addr, len, WRITE));
	assert_int_equal(virtio_memory_segments(&f->cursor, addr, len, WRITE, list, COUNT(list)), error);
	expect_unchanged(f);
}

/* A read at addr must yield the bytes of RAM at phys. */
static void expect_read(struct fixture *f, uint64_t addr, size_t len, uint64_t phys)
{
	uint8_t got[2 * PAGE];

	memset(got, 0xee, sizeof got);
	assert_int_equal(virtio_memory_read(&f->cursor, addr, got, len), 0);
	assert_memory_equal(got, f->ram + ram_at(phys), len);
	for (size_t i = len; i < sizeof got; i++)
		assert_int_equal(got[i], 0xee);
}

static void expect_write(struct fixture *f, uint64_t addr, size_t len, uint64_t phys)
{
	uint8_t src[2 * PAGE];

	for (size_t i = 0; i < len; i++)
		f->want[ram_at(phys) + i] = src[i] = (uint8_t)~f->want[ram_at(phys) + i];
	assert_int_equal(virtio_memory_write(&f->cursor, addr, src, len), 0);
	expect_unchanged(f);
}

/* Failures */

/* Hostile 37: an access of length 0 makes no look-up, whatever its address. */
static void translation_is_never_asked_for_length_zero(void **state)
{
	const uint64_t addrs[] = { 0, 0x5000, 0x5500, 0x5600, 0x5a00, 0x7000, UINT64_MAX };
	struct virtio_segment s;
	struct fixture f;
	uint8_t byte = 0xee;
	volatile size_t none = 0; /* a length that the compiler does not know */

	(void)state;
	setup(&f);
	for (uint32_t i = 0; i < COUNT(addrs); i++) {
		assert_int_equal(virtio_memory_read(&f.cursor, addrs[i], &byte, 0), 0);
		assert_int_equal(virtio_memory_write(&f.cursor, addrs[i], &byte, 0), 0);
		assert_int_equal(virtio_memory_read(&f.cursor, addrs[i], &byte, none), 0);
		assert_int_equal(virtio_memory_write(&f.cursor, addrs[i], &byte, none), 0);
		assert_int_equal(virtio_memory_check(&f.cursor, addrs[i], 0, BOTH), 0);
		assert_int_equal(virtio_memory_segments(&f.cursor, addrs[i], 0, BOTH, &s, 1), 0);
		assert_int_equal(virtio_memory_segment(&f.cursor, addrs[i], 0, BOTH, &s), VIRTIO_EINVAL);
		(void)virtio_memory_find(&f.cursor, addrs[i], 0, BOTH);
	}
	assert_int_equal(byte, 0xee);
	assert_int_equal(f.calls, 0);
	expect_unchanged(&f);
}

/* Accesses each page, with a fresh cursor and with each readable page cached. */
static void translation_answers_decide_each_access(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint32_t i = 0; i < COUNT(pages); i++)
		for (uint32_t warm = 0; warm <= COUNT(pages); warm++) {
			const struct page *p = &pages[i];
			uint8_t byte;

			virtio_memory_cursor_init(&f.cursor, &f.map);
			if (warm < COUNT(pages) && pages[warm].read == 0)
				assert_int_equal(virtio_memory_read(&f.cursor, pages[warm].in, &byte, 1), 0);
			if (p->read)
				expect_read_error(&f, p->in, 1, p->read);
			else if (p->out != ROM)
				expect_read(&f, p->in + 3, 5, p->out + 3);
			if (p->write)
				expect_write_error(&f, p->in, 1, p->write);
			else
				expect_write(&f, p->in + 3, 5, p->out + 3);
			/*
			 * The errors are the same after these accesses have changed the cached
			 * region.
			 */
			if (p->read)
				expect_read_error(&f, p->in, 1, p->read);
			if (p->write)
				expect_write_error(&f, p->in, 1, p->write);
		}
}

/* Hostile 34: an access meets a bad page in its middle. The earlier pages do not change. */
static void translation_failing_in_the_middle_changes_nothing(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	/* 0x52f0 is writable, and 0x5300 is read-only. */
	expect_write_error(&f, 0x52f0, 0x20, VIRTIO_EPERM);
	/* 0x53f0 is readable, and 0x5400 is write-only. */
	expect_read_error(&f, 0x53f0, 0x20, VIRTIO_EPERM);
	/* 0x54f0 is writable, and 0x5500 is not mapped yet. */
	expect_write_error(&f, 0x54f0, 0x20, VIRTIO_ENOTMAPPED);
	/* 0x58f0 is readable, and 0x5900 is not in memory. */
	expect_read_error(&f, 0x58f0, 0x20, VIRTIO_EFAULT);
	/* The page at 0x5e00 is readable and writable, and 0x5f00 has no page. */
	expect_read_error(&f, 0x5ef0, 0x11, VIRTIO_EFAULT);
	expect_write_error(&f, 0x5ef0, 0x11, VIRTIO_EFAULT);
	expect_unchanged(&f);
}

/*
 * Hostile 31, 32: a range of input addresses that wraps is refused, whatever the translation
 * returns.
 */
static void translation_does_not_wrap_the_input_addresses(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	/* The range is refused even if address 0 is mapped. */
	add_page(&f, 0, RAM, TO_PAGE_END);
	expect_read_error(&f, UINT64_MAX, 2, VIRTIO_EFAULT);
	expect_write_error(&f, UINT64_MAX - 15, 0x20, VIRTIO_EFAULT);
	expect_read(&f, UINT64_MAX, 1, RAM + 0x8ff);
	expect_write_error(&f, UINT64_MAX, 2, VIRTIO_EFAULT);
	/* The result for LAST claimed to have no end. Address 0 still needs its own look-up. */
	expect_read(&f, LAST, PAGE, RAM + 0x800);
	f.calls = 0;
	expect_read(&f, 0, 4, RAM);
	assert_int_equal(f.calls, 1);
	assert_true(f.addr == 0);
}

static void translation_does_not_wrap_into_unmapped_start(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint64_t from = 0; from < PAGE; from += 51) {
		virtio_memory_cursor_init(&f.cursor, &f.map);
		expect_read(&f, LAST + from, 1, RAM + 0x800 + from);
		expect_read_error(&f, 0, 1, VIRTIO_EFAULT);
		expect_write(&f, LAST + from, 1, RAM + 0x800 + from);
		expect_write_error(&f, 0, 1, VIRTIO_EFAULT);
		expect_read(&f, UINT64_MAX, 1, RAM + 0x8ff);
	}
}

/*
 * A result that is longer than memory is cut at the end of memory. The next address is looked up,
 * and is not in memory.
 */
static void translation_longer_than_memory_ends_with_it(void **state)
{
	const uint8_t src[SHORT_LEN + 1] = { 0 };
	uint8_t dst[SHORT_LEN];
	struct virtio_segment s;
	struct fixture f;

	(void)state;
	setup(&f);
	add_page(&f, 0x8000, SHORT, HUGE_LEN);
	for (uint64_t from = 0; from < SHORT_LEN; from += 13) {
		virtio_memory_cursor_init(&f.cursor, &f.map);
		assert_int_equal(virtio_memory_segment(&f.cursor, 0x8000 + from, UINT64_MAX, BOTH, &s), 0);
		assert_true(s.len == SHORT_LEN - from);
		assert_ptr_equal(s.host, f.shortage + from);
		expect_read_error(&f, 0x8000 + SHORT_LEN, 1, VIRTIO_EFAULT);
		assert_int_equal(virtio_memory_read(&f.cursor, 0x8000 + from, dst, SHORT_LEN - (size_t)from), 0);
		expect_read_error(&f, 0x8000 + from, SHORT_LEN - (size_t)from + 1, VIRTIO_EFAULT);
		expect_write_error(&f, 0x8000 + from, SHORT_LEN - (size_t)from + 1, VIRTIO_EFAULT);
	}
	assert_int_equal(virtio_memory_write(&f.cursor, 0x8000, src, SHORT_LEN + 1), VIRTIO_EFAULT);
	expect_unchanged(&f);
}

/* A page that is not mapped yet can be accessed later, also with the same cursor. */
static void translation_not_known_yet_can_be_retried(void **state)
{
	struct fixture f;
	uint16_t value = 0x1234;

	(void)state;
	setup(&f);
	for (uint32_t turn = 0; turn < 2; turn++) {
		const uint32_t calls = f.calls;

		expect_read_error(&f, 0x5500, 8, VIRTIO_ENOTMAPPED);
		expect_write_error(&f, 0x5500, 8, VIRTIO_ENOTMAPPED);
		expect_read_error(&f, 0x54ff + 1, 1, VIRTIO_ENOTMAPPED);
		assert_int_equal(virtio_memory_load_le16(&f.cursor, 0x5500, VIRTIO_RELAXED, &value), VIRTIO_ENOTMAPPED);
		assert_int_equal(value, 0x1234);
		assert_int_equal(virtio_memory_store_le16(&f.cursor, 0x5500, VIRTIO_RELAXED, 1), VIRTIO_ENOTMAPPED);
		assert_true(f.calls > calls);
		expect_unchanged(&f);
	}
	page_at(&f, 0x5500)->result = 0;
	expect_read(&f, 0x5500, 8, RAM + 0x600);
	expect_write(&f, 0x5500, 8, RAM + 0x600);
	/* The range begins in the write-only page and continues in the next page. */
	assert_int_equal(virtio_memory_check(&f.cursor, 0x54f0, 0x20, WRITE), 0);
}

/* Cached regions */

/*
 * A cached region of a read-only page does not permit writes. A cached region of a write-only page
 * does not permit reads.
 */
static void translation_cached_region_is_for_its_access_only(void **state)
{
	struct fixture f;
	void *found;

	(void)state;
	setup(&f);
	for (uint32_t turn = 0; turn < 2; turn++) {
		expect_read(&f, 0x5300, PAGE, RAM + 0x400);
		expect_write_error(&f, 0x5300, 1, VIRTIO_EPERM);
		expect_write_error(&f, 0x5310, 32, VIRTIO_EPERM);
		assert_int_equal(f.access, WRITE);
		expect_read(&f, 0x5300, PAGE, RAM + 0x400);
		assert_false(virtio_impl_memory_find_writable(&f.cursor, 0x5300, 4, &found));
		assert_false(virtio_impl_memory_find_writable(&f.cursor, 0x5300, PAGE, &found));
		assert_null(virtio_memory_find(&f.cursor, 0x5300, 4, BOTH));
		assert_int_equal(f.access, BOTH);
		assert_ptr_equal(virtio_memory_find(&f.cursor, 0x5300, 4, READ), f.ram + ram_at(RAM + 0x400));

		expect_write(&f, 0x5400, PAGE, RAM + 0x500);
		expect_read_error(&f, 0x5400, 1, VIRTIO_EPERM);
		expect_write(&f, 0x5410, 32, RAM + 0x510);
		expect_read_error(&f, 0x5410, 32, VIRTIO_EPERM);
		expect_write(&f, 0x5410, 32, RAM + 0x510);
		assert_false(virtio_impl_memory_find_writable(&f.cursor, 0x5400, 4, &found));
		assert_false(virtio_impl_memory_find_writable(&f.cursor, 0x5400, PAGE, &found));
		assert_null(virtio_memory_find(&f.cursor, 0x5400, 4, BOTH));
		assert_ptr_equal(virtio_memory_find(&f.cursor, 0x5400, 4, WRITE), f.ram + ram_at(RAM + 0x500));
	}
}

/* Unknown bits in the permissions of a result permit nothing: a readable page stays read-only. */
static void translation_cached_region_ignores_unknown_permissions(void **state)
{
	uint8_t byte = 0xa5, read[PAGE];
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint32_t i = 0; i < f.count; i++)
		if (f.table[i].in == 0x5300)
			f.table[i].access = ~WRITE;
	assert_int_equal(virtio_memory_read(&f.cursor, 0x5300, read, PAGE), 0);
	assert_int_equal(virtio_memory_write(&f.cursor, 0x5300, &byte, 1), VIRTIO_EPERM);
	assert_int_equal(virtio_memory_write(&f.cursor, 0x5300, read, PAGE), VIRTIO_EPERM);
	expect_unchanged(&f);
}

/*
 * One input address has different targets for reads and for writes. The cursor must not mix up the
 * targets.
 */
static void translation_cached_region_of_split_permissions_is_not_shared(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint32_t turn = 0; turn < 3; turn++) {
		page_at(&f, 0x5300)->access = READ;
		expect_read(&f, 0x5308, 8, RAM + 0x408);
		*page_at(&f, 0x5300) = (struct page){ 0x5300, RAM + 0xa00, WRITE, 0, TO_PAGE_END, 0, 0 };
		expect_write(&f, 0x5308, 8, RAM + 0xa08);
		*page_at(&f, 0x5300) = (struct page){ 0x5300, RAM + 0x400, READ, 0, TO_PAGE_END, 0, 0 };
		expect_read(&f, 0x5308, 8, RAM + 0x408);
	}
}

/* A cached region covers only the addresses of the result, and no address around them. */
static void translation_cached_region_does_not_leak_to_neighbours(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	add_page(&f, 0x9000, RAM + 0x900, TO_PAGE_END);
	for (uint64_t off = 0; off < PAGE; off += 15) {
		virtio_memory_cursor_init(&f.cursor, &f.map);
		expect_read(&f, 0x9000 + off, 1, RAM + 0x900 + off);
		expect_read_error(&f, 0x9000 - 1, 1, VIRTIO_EFAULT);
		expect_read(&f, 0x9000 + off, 1, RAM + 0x900 + off);
		expect_read_error(&f, 0x9000 + PAGE, 1, VIRTIO_EFAULT);
		expect_read(&f, 0x9000 + off, 1, RAM + 0x900 + off);
		expect_read_error(&f, 0x9000 + off, PAGE - (size_t)off + 1, VIRTIO_EFAULT);
		expect_read_error(&f, 0x9000 - 1, 2, VIRTIO_EFAULT);
		expect_write_error(&f, 0x9000 + PAGE - 1, 2, VIRTIO_EFAULT);
		/*
		 * A guest-physical address is not an input address, even if the cached region holds
		 * it.
		 */
		expect_read_error(&f, RAM + 0x900 + off, 1, VIRTIO_EFAULT);
		expect_write_error(&f, RAM + 0x900, 1, VIRTIO_EFAULT);
	}
}

/* A cursor makes no look-up inside its last result, if the result permits the access. */
static void translation_is_asked_once_for_a_cached_region(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	expect_read(&f, 0x5000, 1, RAM + 0x300);
	assert_int_equal(f.calls, 1);
	assert_true(f.addr == 0x5000 && f.len == 1 && f.access == READ);
	for (uint64_t off = 0; off < PAGE; off++) {
		expect_read(&f, 0x5000 + off, PAGE - (size_t)off, RAM + 0x300 + off);
		expect_write(&f, 0x5000 + off, 1, RAM + 0x300 + off);
		assert_non_null(virtio_memory_find(&f.cursor, 0x5000 + off, 1, BOTH));
		assert_int_equal(virtio_memory_check(&f.cursor, 0x5000 + off, 1, BOTH), 0);
	}
	assert_int_equal(f.calls, 1);
	expect_write(&f, 0x5100, 8, RAM + 0x100);
	assert_int_equal(f.calls, 2);
	assert_true(f.addr == 0x5100 && f.len == 8 && f.access == WRITE);
	/* Results cover 16 bytes here, so the 17th byte needs a look-up. */
	expect_read(&f, 0x5e00, 16, RAM + 0x700);
	assert_int_equal(f.calls, 3);
	expect_read(&f, 0x5e10, 1, RAM + 0x710);
	assert_int_equal(f.calls, 4);
	assert_true(f.addr == 0x5e10);
}

static void translation_cursors_of_one_map_are_independent(void **state)
{
	struct virtio_memory_cursor other;
	struct fixture f;

	(void)state;
	setup(&f);
	virtio_memory_cursor_init(&other, &f.map);
	expect_read(&f, 0x5000, 4, RAM + 0x300);
	assert_ptr_equal(virtio_memory_find(&other, 0x5100, 4, READ), f.ram + ram_at(RAM + 0x100));
	assert_int_equal(f.calls, 2);
	expect_read(&f, 0x5000, 4, RAM + 0x300);
	assert_ptr_equal(virtio_memory_find(&other, 0x51fc, 4, READ), f.ram + ram_at(RAM + 0x1fc));
	assert_int_equal(f.calls, 2);
}

/* Ranges over several pages */

/* Hostile 35: the pages are adjacent in input addresses, but not in guest-physical addresses. */
static void translation_access_crosses_pages(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint64_t start = 0x50e0; start < 0x5100; start++)
		for (size_t len = (size_t)(0x5100 - start) + 1; len < 0x80; len += 11) {
			const size_t front = (size_t)(0x5100 - start);
			uint8_t got[0x80], src[0x80];

			assert_int_equal(virtio_memory_read(&f.cursor, start, got, len), 0);
			assert_memory_equal(got, f.ram + ram_at(RAM + 0x300) + (start - 0x5000), front);
			assert_memory_equal(got + front, f.ram + ram_at(RAM + 0x100), len - front);
			for (size_t i = 0; i < len; i++)
				src[i] = (uint8_t)~got[i];
			memcpy(f.want + ram_at(RAM + 0x300) + (start - 0x5000), src, front);
			memcpy(f.want + ram_at(RAM + 0x100), src + front, len - front);
			assert_int_equal(virtio_memory_write(&f.cursor, start, src, len), 0);
			expect_unchanged(&f);
		}
	/* These pages and pieces are adjacent in input and in guest-physical addresses. */
	expect_read(&f, 0x51f0, 0x20, RAM + 0x1f0);
	expect_write(&f, 0x5100, 2 * PAGE, RAM + 0x100);
	expect_write(&f, 0x5e03, PAGE - 3, RAM + 0x703);
}

static void translation_find_needs_one_translation(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	assert_null(virtio_memory_find(&f.cursor, 0x50ff, 2, READ));
	assert_null(virtio_memory_find(&f.cursor, 0x51ff, 2, READ)); /* needs two look-ups */
	assert_null(virtio_memory_find(&f.cursor, 0x5e08, 9, READ));
	assert_ptr_equal(virtio_memory_find(&f.cursor, 0x5e08, 8, READ), f.ram + ram_at(RAM + 0x708));
	assert_ptr_equal(virtio_memory_find(&f.cursor, 0x5100, PAGE, BOTH), f.ram + ram_at(RAM + 0x100));
	assert_ptr_equal(f.cursor.region->self, &f.regions[0]);
	expect_unchanged(&f);
}

/*
 * Segments keep the driver's input addresses. Their regions are the regions of the translated
 * addresses.
 */
static void translation_segments_are_addressed_as_by_the_driver(void **state)
{
	static const uint32_t offsets[3] = { 0x3f0, 0x100, 0x200 };
	static const uint64_t lens[3] = { 0x10, 0x100, 0x05 };
	struct virtio_segment list[4];
	struct fixture f;
	uint64_t at = 0x50f0;

	(void)state;
	setup(&f);
	assert_int_equal(virtio_memory_segments(&f.cursor, at, 0x115, BOTH, list, 2), VIRTIO_ENOBUFS);
	assert_int_equal(virtio_memory_segments(&f.cursor, at, 0x115, BOTH, list, 3), 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(list[i].addr == at);
		assert_true(list[i].len == lens[i]);
		assert_ptr_equal(list[i].host, f.ram + PAGE + offsets[i]);
		assert_ptr_equal(list[i].region, &f.regions[0]);
		at += lens[i];
	}
}

/* An atomic field must be aligned in input addresses and on the host. */
static void translation_of_atomic_fields(void **state)
{
	uint16_t v16 = 0x1234;
	uint32_t v32 = 0x12345678;
	struct fixture f;

	(void)state;
	setup(&f);
	add_page(&f, 0x9000, RAM + 0x901, TO_PAGE_END);
	assert_int_equal(virtio_memory_load_le16(&f.cursor, 0x9001, VIRTIO_RELAXED, &v16), VIRTIO_EALIGN);
	assert_int_equal(virtio_memory_load_le16(&f.cursor, 0x9000, VIRTIO_RELAXED, &v16), VIRTIO_EALIGN);
	assert_int_equal(virtio_memory_load_le32(&f.cursor, 0x9000, VIRTIO_RELAXED, &v32), VIRTIO_EALIGN);
	assert_int_equal(virtio_memory_store_le32(&f.cursor, 0x9000, VIRTIO_RELAXED, 1), VIRTIO_EALIGN);
	assert_int_equal(virtio_memory_load_le16(&f.cursor, 0x5400, VIRTIO_RELAXED, &v16), VIRTIO_EPERM);
	assert_int_equal(virtio_memory_store_le16(&f.cursor, 0x5300, VIRTIO_RELAXED, 1), VIRTIO_EPERM);
	assert_int_equal(virtio_memory_store_le32(&f.cursor, 0x5800, VIRTIO_RELAXED, 1), VIRTIO_EPERM);
	assert_int_equal(virtio_memory_load_le32(&f.cursor, 0x5900, VIRTIO_RELAXED, &v32), VIRTIO_EFAULT);
	assert_int_equal(v16, 0x1234);
	assert_int_equal(v32, 0x12345678);
	expect_unchanged(&f);
	assert_int_equal(virtio_memory_load_le32(&f.cursor, 0x53fc, VIRTIO_ACQUIRE, &v32), 0);
	assert_int_equal(v32, virtio_get_le32(f.ram + ram_at(RAM + 0x4fc)));
	virtio_put_le16(f.want + ram_at(RAM + 0x5fe), 0xbeef);
	assert_int_equal(virtio_memory_store_le16(&f.cursor, 0x54fe, VIRTIO_RELEASE, 0xbeef), 0);
	expect_unchanged(&f);
}

/*
 * Each result of the translation covers only the bytes of its look-up. An earlier short access must
 * not limit a later access.
 */
static void translation_clipped_to_the_question_limits_no_later_access(void **state)
{
	uint16_t v16;
	uint32_t v32;
	struct fixture f;

	(void)state;
	setup(&f);
	f.clip = true;
	for (size_t len = 1; len <= PAGE; len += 1 + len / 2) {
		expect_read(&f, 0x5100, len, RAM + 0x100);
		assert_ptr_equal(virtio_memory_find(&f.cursor, 0x5100, len, BOTH), f.ram + ram_at(RAM + 0x100));
		expect_write(&f, 0x5100, len, RAM + 0x100);
	}
	virtio_memory_cursor_init(&f.cursor, &f.map);
	for (uint64_t len = 1; len <= PAGE; len *= 2)
		assert_ptr_equal(virtio_memory_find(&f.cursor, 0x5200, len, READ), f.ram + ram_at(RAM + 0x200));
	assert_null(virtio_memory_find(&f.cursor, 0x5200, PAGE + 1, READ));
	virtio_memory_cursor_init(&f.cursor, &f.map);
	expect_read(&f, 0x5000, 1, RAM + 0x300);
	assert_int_equal(virtio_memory_load_le16(&f.cursor, 0x5000, VIRTIO_RELAXED, &v16), 0);
	assert_int_equal(v16, virtio_get_le16(f.ram + ram_at(RAM + 0x300)));
	assert_int_equal(virtio_memory_load_le32(&f.cursor, 0x5000, VIRTIO_RELAXED, &v32), 0);
	assert_int_equal(v32, virtio_get_le32(f.ram + ram_at(RAM + 0x300)));
	expect_write(&f, 0x5010, 2, RAM + 0x310);
	virtio_put_le32(f.want + ram_at(RAM + 0x310), 0xa1b2c3d4);
	assert_int_equal(virtio_memory_store_le32(&f.cursor, 0x5010, VIRTIO_RELEASE, 0xa1b2c3d4), 0);
	expect_unchanged(&f);
}

/*
 * A range that is needed in one piece is looked up as a whole, although its beginning is cached. If
 * this look-up fails with VIRTIO_ENOTMAPPED, an atomic access fails with the same error. The error
 * is not VIRTIO_EFAULT, the error of a field that is cut in two.
 */
static void translation_not_known_yet_as_a_whole_is_no_fault(void **state)
{
	uint16_t v16 = 0x1234;
	uint32_t v32 = 0x12345678;
	struct fixture f;

	(void)state;
	setup(&f);
	f.clip = true;
	f.whole = 1;
	for (uint32_t turn = 0; turn < 2; turn++) {
		const uint32_t calls = f.calls;

		expect_read(&f, 0x5000, 1, RAM + 0x300);
		assert_int_equal(virtio_memory_load_le16(&f.cursor, 0x5000, VIRTIO_ACQUIRE, &v16), VIRTIO_ENOTMAPPED);
		assert_true(f.addr == 0x5000 && f.len == 2 && f.access == READ);
		assert_int_equal(virtio_memory_load_le32(&f.cursor, 0x5000, VIRTIO_RELAXED, &v32), VIRTIO_ENOTMAPPED);
		assert_int_equal(virtio_memory_store_le16(&f.cursor, 0x5000, VIRTIO_RELEASE, 1), VIRTIO_ENOTMAPPED);
		assert_int_equal(virtio_memory_store_le32(&f.cursor, 0x5000, VIRTIO_RELAXED, 1), VIRTIO_ENOTMAPPED);
		assert_null(virtio_memory_find(&f.cursor, 0x5000, 8, READ));
		assert_true(f.len == 8);
		assert_int_equal(f.calls, calls + 5 + (turn == 0));
		expect_unchanged(&f);
	}
	assert_int_equal(v16, 0x1234);
	assert_int_equal(v32, 0x12345678);
	f.whole = 0;
	assert_int_equal(virtio_memory_load_le32(&f.cursor, 0x5000, VIRTIO_RELAXED, &v32), 0);
	assert_int_equal(v32, virtio_get_le32(f.ram + ram_at(RAM + 0x300)));
}

/* Every byte of RAM must be as before, but bytes of the two ranges may have the new value. */
static void expect_old_or_new(const struct fixture *f, uint64_t phys[2], uint32_t len, uint8_t new_value)
{
	for (uint32_t i = 0; i < sizeof f->ram; i++) {
		const bool target = i - ram_at(phys[0]) < len || i - ram_at(phys[1]) < len;

		assert_true(f->ram[i] == f->want[i] || (target && f->ram[i] == new_value));
	}
}

/*
 * From some look-up on, the translation fails: during the check of a range, or later during the
 * copy. The access then fails, and writes no wrong byte.
 */
static void translation_that_goes_away_during_a_copy_is_an_error(void **state)
{
	uint64_t phys[2] = { RAM + 0x3f0, RAM + 0x100 };
	uint32_t failures[2] = { 0, 0 };

	(void)state;
	for (uint32_t turn = 0; turn < 16; turn++) {
		const bool write = turn & 1;
		uint8_t bytes[0x20];
		struct fixture f;
		int error;

		setup(&f);
		f.last = 1 + turn / 2;
		memset(bytes, 0x77, sizeof bytes);
		error = write ? virtio_memory_write(&f.cursor, 0x50f0, bytes, sizeof bytes)
			      : virtio_memory_read(&f.cursor, 0x50f0, bytes, sizeof bytes);
		if (f.calls <= f.last) {
			assert_int_equal(error, 0);
			continue;
		}
		failures[write]++;
		assert_int_equal(error, VIRTIO_ENOTMAPPED);
		for (uint32_t i = 0; i < sizeof bytes; i++)
			assert_true(bytes[i] == 0x77 || bytes[i] == f.ram[ram_at(phys[i / 0x10] + i % 0x10)]);
		expect_old_or_new(&f, phys, write ? 0x10 : 0, 0x77);
	}
	assert_true(failures[0] > 0 && failures[1] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(translation_is_never_asked_for_length_zero),
		cmocka_unit_test(translation_answers_decide_each_access),
		cmocka_unit_test(translation_failing_in_the_middle_changes_nothing),
		cmocka_unit_test(translation_does_not_wrap_the_input_addresses),
		cmocka_unit_test(translation_does_not_wrap_into_unmapped_start),
		cmocka_unit_test(translation_longer_than_memory_ends_with_it),
		cmocka_unit_test(translation_not_known_yet_can_be_retried),
		cmocka_unit_test(translation_cached_region_is_for_its_access_only),
		cmocka_unit_test(translation_cached_region_ignores_unknown_permissions),
		cmocka_unit_test(translation_cached_region_of_split_permissions_is_not_shared),
		cmocka_unit_test(translation_cached_region_does_not_leak_to_neighbours),
		cmocka_unit_test(translation_is_asked_once_for_a_cached_region),
		cmocka_unit_test(translation_cursors_of_one_map_are_independent),
		cmocka_unit_test(translation_access_crosses_pages),
		cmocka_unit_test(translation_find_needs_one_translation),
		cmocka_unit_test(translation_segments_are_addressed_as_by_the_driver),
		cmocka_unit_test(translation_of_atomic_fields),
		cmocka_unit_test(translation_clipped_to_the_question_limits_no_later_access),
		cmocka_unit_test(translation_not_known_yet_as_a_whole_is_no_fault),
		cmocka_unit_test(translation_that_goes_away_during_a_copy_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
