/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The accesses of a device. Each result is compared with shadow memory. */
#include "device.h"
#include "driver.h"
#include "steps.h"

#include <virtio/reader.h>

#define ACCESS_BOTH (VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE)
#define MOST_BYTES 0x4000u /* more bytes than this harness maps in total, even if pages alias */

/* Picks an address in memory, just outside of memory, or anywhere. */
static uint64_t pick_address(struct harness *h)
{
	const uint8_t kind = fuzz_u8(&h->in);
	const uint64_t base = h->map->page_shift ? h->map->io_base : h->base;

	if (kind < 0x80)
		return base + kind;
	if (kind < 0xf0)
		return base + fuzz_u16(&h->in) % (h->total + 16) - 8;
	return fuzz_number(&h->in);
}

/*
 * Returns how many of the h->len bytes at h->addr come before the first byte that does not permit
 * the access. Sets @pieces to the number of pieces in which these bytes lie.
 */
static uint64_t reach(struct harness *h, uint32_t access, uint64_t *pieces)
{
	uint64_t bytes = 0;
	struct shadow_place p;

	*pieces = 0;
	while (bytes < h->len && bytes < MOST_BYTES && shadow_find(h->map, h->addr + bytes, access, &p) == 0) {
		bytes += p.len;
		++*pieces;
		if (h->addr + bytes == 0)
			break;
	}
	return bytes < h->len ? bytes : h->len;
}

/* Begins an access at h->addr. Sets h->len, h->errors and h->calls for this access. */
static void begin(struct harness *h, uint64_t len, uint32_t access)
{
	h->len = len;
	h->errors = shadow_errors(h->map, h->addr, len, access);
	h->calls = h->map->calls;
}

/*
 * Checks that an access makes at most 3 * n + 3 translations. n is the number of pieces if the
 * map's hook is SHADOW_HOOK_PAGE, else the number of bytes.
 */
static void check_work(struct harness *h, uint32_t access)
{
	uint64_t pieces, bytes = reach(h, access, &pieces);
	const uint64_t units = h->map->hook == SHADOW_HOOK_PAGE ? pieces : bytes;

	FUZZ_CHECK(h->map->calls - h->calls <= 3 * units + 3, "too many translations: %llu for %llu bytes",
		   (unsigned long long)(h->map->calls - h->calls), (unsigned long long)bytes);
}

static void check_result(struct harness *h, const char *what, int got, uint32_t access)
{
	FUZZ_CHECK(h->errors ? (fuzz_error_bit(got) & h->errors) != 0 : got == 0, "%s of %llu at %#llx returned %d",
		   what, (unsigned long long)h->len, (unsigned long long)h->addr, got);
	check_work(h, access);
}

/* Allocates a buffer. An access that must fail must not touch the buffer, so 64 bytes suffice. */
static uint8_t *buffer(struct harness *h, size_t *bytes)
{
	uint8_t *p;

	*bytes = h->errors ? 64 : (size_t)h->len;
	FUZZ_CHECK(*bytes <= MOST_BYTES, "the model says that an access of %zu bytes succeeds", *bytes);
	p = fuzz_alloc(*bytes);
	for (size_t i = 0; i < *bytes; i++)
		p[i] = (uint8_t)(0xe1 + i * 5);
	return p;
}

/* An access of a constant size has its own fast path. */
static int read_some(struct harness *h, void *dst)
{
	switch (h->len) {
	case 2:
		return virtio_memory_read(h->cursor, h->addr, dst, 2);
	case 8:
		return virtio_memory_read(h->cursor, h->addr, dst, 8);
	case 16:
		return virtio_memory_read(h->cursor, h->addr, dst, 16);
	case VIRTIO_MEMORY_SMALL:
		return virtio_memory_read(h->cursor, h->addr, dst, VIRTIO_MEMORY_SMALL);
	}
	return virtio_memory_read(h->cursor, h->addr, dst, (size_t)h->len);
}

static int write_some(struct harness *h, const void *src)
{
	switch (h->len) {
	case 1:
		return virtio_memory_write(h->cursor, h->addr, src, 1);
	case 4:
		return virtio_memory_write(h->cursor, h->addr, src, 4);
	case 16:
		return virtio_memory_write(h->cursor, h->addr, src, 16);
	case VIRTIO_MEMORY_SMALL:
		return virtio_memory_write(h->cursor, h->addr, src, VIRTIO_MEMORY_SMALL);
	}
	return virtio_memory_write(h->cursor, h->addr, src, (size_t)h->len);
}

static void do_read(struct harness *h)
{
	uint8_t *dst, *expected;
	size_t bytes;

	begin(h, fuzz_number(&h->in), VIRTIO_ACCESS_READ);
	dst = buffer(h, &bytes);
	expected = buffer(h, &bytes);
	if (!h->errors)
		shadow_get(h->map, h->addr, expected, bytes);
	check_result(h, "read", read_some(h, dst), VIRTIO_ACCESS_READ);
	FUZZ_CHECK(memcmp(dst, expected, bytes) == 0, "the read returned wrong bytes");
	free(dst);
	free(expected);
}

static void do_write(struct harness *h)
{
	uint8_t *src;
	size_t bytes;

	begin(h, fuzz_number(&h->in), VIRTIO_ACCESS_WRITE);
	src = buffer(h, &bytes);
	for (size_t i = 0; i < bytes && i < 4; i++)
		src[i] ^= fuzz_u8(&h->in);
	if (!h->errors)
		shadow_put(h->map, h->addr, src, bytes);
	check_result(h, "write", write_some(h, src), VIRTIO_ACCESS_WRITE);
	free(src);
}

static uint32_t pick_access(struct harness *h)
{
	const uint32_t access = fuzz_u8(&h->in) & 3;

	return access ? access : ACCESS_BOTH;
}

static void do_check(struct harness *h)
{
	const uint32_t access = pick_access(h);

	begin(h, fuzz_number(&h->in), access);
	check_result(h, "check", virtio_memory_check(h->cursor, h->addr, h->len, access), access);
}

static void check_host(const struct shadow_map *m, const struct shadow_place *p, const void *host)
{
	FUZZ_CHECK((const uint8_t *)host == shadow_host(m->shadow, p->region) + p->offset, "the host address is wrong");
}

/* Calls the fast path for a length that the compiler knows, or the fast path for any length. */
static bool find_writable(struct harness *h, void **host)
{
	return h->len == 1 ? virtio_impl_memory_find_writable(h->cursor, h->addr, 1, host)
			   : virtio_impl_memory_find_writable(h->cursor, h->addr, h->len, host);
}

/*
 * Checks the fast search for a range that can be read and written. Each range that the search finds
 * must permit reads and writes. The search must find such a range if the range is not translated,
 * and begins at least VIRTIO_MEMORY_SMALL bytes before the end of its region.
 */
static void check_writable(struct harness *h)
{
	const uint32_t both = VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE;
	const bool there = shadow_contiguous(h->map, h->addr, h->len, both);
	struct shadow_place p;
	void *host;

	if (h->len == 0)
		return;
	if (find_writable(h, &host)) {
		FUZZ_CHECK(there && shadow_find(h->map, h->addr, both, &p) == 0,
			   "the fast search finds memory that is not writable");
		check_host(h->map, &p, host);
	} else if (there && h->map->page_shift == 0 && shadow_find(h->map, h->addr, both, &p) == 0) {
		FUZZ_CHECK(p.len < VIRTIO_MEMORY_SMALL, "the fast search does not find writable memory");
	}
}

static void do_find(struct harness *h)
{
	const uint32_t access = pick_access(h);
	struct shadow_place p;
	void *host;

	begin(h, fuzz_number(&h->in), access);
	host = virtio_memory_find(h->cursor, h->addr, h->len, access);
	check_work(h, access);
	check_writable(h);
	if (h->len == 0)
		return;
	if (host) {
		FUZZ_CHECK(shadow_contiguous(h->map, h->addr, h->len, access),
			   "virtio_memory_find() finds a range that is not one piece");
		FUZZ_CHECK(shadow_find(h->map, h->addr, access, &p) == 0,
			   "virtio_memory_find() finds a range that is not in memory");
		check_host(h->map, &p, host);
	} else if (h->map->hook != SHADOW_HOOK_BYTE) {
		FUZZ_CHECK(!shadow_contiguous(h->map, h->addr, h->len, access),
			   "virtio_memory_find() does not find a range in one piece");
	}
}

/*
 * Compares one segment with the model. The segment may be shorter than the model's piece unless the
 * map's hook is SHADOW_HOOK_PAGE.
 */
static void check_segment(struct harness *h, const struct virtio_segment *s, uint64_t addr, uint64_t len,
			  uint32_t access, struct shadow_place *p)
{
	const bool exact = h->map->hook == SHADOW_HOOK_PAGE;
	const int error = shadow_find(h->map, addr, access, p);
	uint64_t most;

	FUZZ_CHECK(error == 0, "a segment was made where the model says %d", error);
	most = len < p->len ? len : p->len;
	FUZZ_CHECK(s->addr == addr && s->len >= 1 && s->len <= most && (!exact || s->len == most),
		   "a segment has a wrong address, or %llu bytes", (unsigned long long)s->len);
	FUZZ_CHECK(shadow_same_region(h->map, s->region, p->region), "a segment has a wrong region");
	check_host(h->map, p, s->host);
}

static void do_segment(struct harness *h)
{
	static const struct virtio_segment untouched = { .addr = 77, .len = 78 };
	struct virtio_segment s = untouched;
	const uint32_t access = pick_access(h);
	struct shadow_place p;
	int got, error;

	begin(h, fuzz_number(&h->in), access);
	got = virtio_memory_segment(h->cursor, h->addr, h->len, access, &s);
	check_work(h, access);
	error = h->len == 0 ? VIRTIO_EINVAL : shadow_find(h->map, h->addr, access, &p);
	FUZZ_CHECK(got == error, "segment returned %d, the model says %d", got, error);
	if (got == 0)
		check_segment(h, &s, h->addr, h->len, access, &p);
	else
		FUZZ_CHECK(s.addr == untouched.addr && s.len == untouched.len && !s.host,
			   "a failed call changed the segment");
}

static void check_segments(struct harness *h, uint32_t access)
{
	uint64_t done = 0;
	struct shadow_place p;

	for (uint32_t i = 0; i < h->count; i++) {
		check_segment(h, &h->segments[i], h->addr + done, h->len - done, access, &p);
		done += h->segments[i].len;
		h->kept[i] = *p.region;
		h->kept_offset[i] = p.offset;
	}
	FUZZ_CHECK(done == h->len, "the segments have %llu of %llu bytes", (unsigned long long)done,
		   (unsigned long long)h->len);
}

static void do_segments(struct harness *h)
{
	const uint32_t access = pick_access(h), capacity = fuzz_u8(&h->in) % (MOST_SEGMENTS + 1);
	struct virtio_segment *room = fuzz_alloc(sizeof *room * capacity);
	uint64_t pieces, bytes;
	int got;

	begin(h, fuzz_number(&h->in), access);
	bytes = reach(h, access, &pieces);
	got = virtio_memory_segments(h->cursor, h->addr, h->len, access, room, capacity);
	check_work(h, access);
	h->count = got > 0 ? (uint32_t)got : 0;
	FUZZ_CHECK(h->count <= capacity, "%d segments are in an array of %u", got, capacity);
	memcpy(h->segments, room, sizeof *room * h->count);
	free(room);
	if (got == VIRTIO_ENOBUFS) {
		FUZZ_CHECK(capacity < (h->map->hook == SHADOW_HOOK_PAGE ? pieces + (h->errors != 0) : bytes + 1),
			   "ENOBUFS, but the array is large enough");
	} else if (got < 0) {
		FUZZ_CHECK(fuzz_error_bit(got) & h->errors, "segments returned %d", got);
	} else {
		FUZZ_CHECK(!h->errors && (got > 0 || h->len == 0), "segments returned %d", got);
		check_segments(h, access);
	}
}

/* Returns the possible errors of an atomic access, and sets @p to the position of the field. */
static uint64_t field_errors(struct harness *h, uint32_t size, uint32_t access, struct shadow_place *p)
{
	uint64_t errors = 0;
	int error;

	if (h->addr % size)
		return fuzz_error_bit(VIRTIO_EALIGN);
	error = shadow_find(h->map, h->addr, access, p);
	if (error)
		return fuzz_error_bit(error);
	/* A translation that yields one byte at a time splits every field. */
	if (p->len < size || (h->map->page_shift && h->map->hook == SHADOW_HOOK_BYTE))
		errors |= fuzz_error_bit(VIRTIO_EFAULT);
	if ((uintptr_t)(shadow_host(h->shadow, p->region) + p->offset) % size)
		errors |= fuzz_error_bit(VIRTIO_EALIGN);
	return errors;
}

static void check_field(const struct harness *h, uint64_t errors, int got)
{
	FUZZ_CHECK(errors ? (fuzz_error_bit(got) & errors) != 0 : got == 0,
		   "the access to the field at %#llx returned %d", (unsigned long long)h->addr, got);
}

static void do_load(struct harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);
	const uint32_t size = how & 1 ? 4 : 2;
	const enum virtio_order order = how & 2 ? VIRTIO_ACQUIRE : VIRTIO_RELAXED;
	uint16_t v16 = 0x1234;
	uint32_t v32 = 0x12345678;
	struct shadow_place p;
	uint64_t errors;
	int got;

	begin(h, size, VIRTIO_ACCESS_READ);
	errors = field_errors(h, size, VIRTIO_ACCESS_READ, &p);
	got = size == 2 ? virtio_memory_load_le16(h->cursor, h->addr, order, &v16)
			: virtio_memory_load_le32(h->cursor, h->addr, order, &v32);
	check_field(h, errors, got);
	check_work(h, VIRTIO_ACCESS_READ);
	if (got) {
		FUZZ_CHECK(v16 == 0x1234 && v32 == 0x12345678, "a failed load changed the value");
		return;
	}
	if (size == 2)
		v32 = v16;
	for (uint32_t i = 0; i < size; i++)
		FUZZ_CHECK((uint8_t)(v32 >> 8 * i) == shadow_shadow(h->shadow, p.region, p.offset)[i],
			   "the load returned wrong bytes: %#x", v32);
}

static void do_store(struct harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);
	const uint32_t size = how & 1 ? 4 : 2, value = fuzz_u32(&h->in);
	const uint8_t raw[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
				 (uint8_t)(value >> 24) };
	const enum virtio_order order = how & 2 ? VIRTIO_RELEASE : VIRTIO_RELAXED;
	struct shadow_place p;
	uint64_t errors;
	int got;

	begin(h, size, VIRTIO_ACCESS_WRITE);
	errors = field_errors(h, size, VIRTIO_ACCESS_WRITE, &p);
	got = size == 2 ? virtio_memory_store_le16(h->cursor, h->addr, order, (uint16_t)value)
			: virtio_memory_store_le32(h->cursor, h->addr, order, value);
	check_field(h, errors, got);
	check_work(h, VIRTIO_ACCESS_WRITE);
	if (got == 0)
		shadow_put_region(h->shadow, p.region, p.offset, raw, size);
}

/* Segments */

static void do_mark(struct harness *h)
{
	const uint64_t bytes = fuzz_number(&h->in);
	uint64_t left = bytes, sum = 0;

	for (uint32_t i = 0; i < h->count; i++) {
		const uint64_t now = left < h->segments[i].len ? left : h->segments[i].len;

		shadow_mark_region(h->shadow, &h->kept[i], h->kept_offset[i], now);
		left -= now;
		sum += h->segments[i].len;
	}
	virtio_segments_mark_dirty(h->segments, h->count, bytes);
	FUZZ_CHECK(virtio_segments_bytes(h->segments, h->count) == sum, "virtio_segments_bytes() is wrong");
}

/* Makes an I/O vector for @bytes bytes of a list of segments, from @offset on. */
static uint32_t segments_iovec(const struct virtio_segment *segments, uint32_t count, uint64_t offset, uint64_t bytes,
			       struct virtio_iovec *iov, uint32_t capacity, uint64_t *filled)
{
	struct virtio_stream stream;

	virtio_stream_init(&stream, segments, virtio_segments_bytes(segments, count));
	*filled = 0;
	return virtio_stream_advance(&stream, offset) ? 0 : virtio_stream_iovec(&stream, bytes, iov, capacity, filled);
}

static void do_iovec(struct harness *h)
{
	const uint64_t offset = fuzz_number(&h->in), bytes = fuzz_number(&h->in);
	const uint32_t capacity = fuzz_u8(&h->in) % (MOST_SEGMENTS + 1);
	struct virtio_iovec *iov = fuzz_alloc(sizeof *iov * capacity);
	uint64_t filled = 99, skip = offset, done = 0;
	uint32_t n = 0;
	const uint32_t got = segments_iovec(h->segments, h->count, offset, bytes, iov, capacity, &filled);

	for (uint32_t i = 0; i < h->count; i++) {
		const uint64_t skipped = skip < h->segments[i].len ? skip : h->segments[i].len;
		uint64_t now = h->segments[i].len - skipped;

		skip -= skipped;
		now = now < bytes - done ? now : bytes - done;
		if (now == 0 || n == capacity)
			continue;
		FUZZ_CHECK(n < got && iov[n].len == now, "entry %u of %u has a wrong length", n, got);
		FUZZ_CHECK((uint8_t *)iov[n].base == (uint8_t *)h->segments[i].host + skipped,
			   "entry %u has a wrong address", n);
		done += now;
		n++;
	}
	FUZZ_CHECK(got == n && filled == done, "the vector has the wrong size of %u entries and %llu bytes", got,
		   (unsigned long long)filled);
	free(iov);
}

static void do_log(struct harness *h)
{
	const uint64_t len = fuzz_number(&h->in);
	const struct shadow_log *l;

	if (h->shadow->log_count == 0)
		return;
	l = &h->shadow->logs[fuzz_u8(&h->in) % h->shadow->log_count];
	shadow_mark(h->shadow, &l->log, h->addr, len);
	virtio_dirty_log_mark(&l->log, h->addr, len);
}

static void do_cursor(struct harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);
	struct shadow_map *m = h->maps[how >> 1 & 1];

	virtio_memory_cursor_init(&h->cursors[how & 1], &m->map);
	h->of[how & 1] = m;
}

void memory_step(struct harness *h)
{
	static void (*const steps[MEMORY_STEPS])(struct harness *) = {
		[MEMORY_READ] = do_read,
		[MEMORY_WRITE] = do_write,
		[MEMORY_CHECK] = do_check,
		[MEMORY_FIND] = do_find,
		[MEMORY_SEGMENT] = do_segment,
		[MEMORY_SEGMENTS] = do_segments,
		[MEMORY_LOAD] = do_load,
		[MEMORY_STORE] = do_store,
		[MEMORY_MARK] = do_mark,
		[MEMORY_IOVEC] = do_iovec,
		[MEMORY_LOG] = do_log,
		[MEMORY_POKE] = memory_poke,
		[MEMORY_MAP_PAGE] = memory_map_page,
		[MEMORY_CURSOR] = do_cursor,
	};
	const uint8_t op = fuzz_u8(&h->in);

	h->cursor = &h->cursors[op >> 4 & 1];
	h->map = h->of[op >> 4 & 1];
	if (op & 0x20)
		/* The access begins at the start or at the end of the last access. */
		h->addr = op & 0x40 ? h->addr + h->len : h->addr;
	else
		h->addr = pick_address(h);
	steps[(op & 15) % MEMORY_STEPS](h);
	shadow_compare(h->shadow);
}
