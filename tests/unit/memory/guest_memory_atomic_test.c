/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Tests atomic fields, and the raw accessors virtio_guest_*(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <virtio/guest_memory.h>

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define BYTES 0x40u
#define TOP (UINT64_MAX - (BYTES - 1))

/*
 * The guest:
 *   0x1000..0x103f  writable, aligned on the host
 *   0x1040..0x107f  read-only
 *   0x1080..0x10bf  at an odd host address
 *   0x10c0..0x10ff  at a host address that is even, but no multiple of 4
 *   0x2000..0x2040  writable, and of odd length
 *   0x2041..0x2080  adjacent to 0x2000..0x2040, also on the host
 *   TOP..UINT64_MAX writable
 */
struct fixture {
	_Alignas(16) uint8_t host[0x400];
	uint8_t want[0x400];
	struct virtio_region regions[7];
	struct virtio_memory_map map;
	struct virtio_memory_cursor cursor;
};

static void setup(struct fixture *f)
{
	const struct virtio_region regions[] = {
		{ .addr = 0x1000, .len = BYTES, .host = f->host + 0x010 },
		{ .addr = 0x1040, .len = BYTES, .host = f->host + 0x080, .flags = VIRTIO_REGION_READ_ONLY },
		{ .addr = 0x1080, .len = BYTES, .host = f->host + 0x101 },
		{ .addr = 0x10c0, .len = BYTES, .host = f->host + 0x182 },
		{ .addr = 0x2000, .len = BYTES + 1, .host = f->host + 0x200 },
		{ .addr = 0x2000 + BYTES + 1, .len = BYTES, .host = f->host + 0x200 + BYTES + 1 },
		{ .addr = TOP, .len = BYTES, .host = f->host + 0x300 },
	};

	for (uint32_t i = 0; i < sizeof f->host; i++)
		f->host[i] = f->want[i] = (uint8_t)(i * 11 + i / 256 + 1);
	memcpy(f->regions, regions, sizeof regions);
	assert_int_equal(virtio_memory_map_init(&f->map, f->regions, COUNT(f->regions)), 0);
	virtio_memory_cursor_init(&f->cursor, &f->map);
}

static void loads_fail(struct fixture *f, uint64_t addr, int error16, int error32)
{
	uint16_t v16 = 0x1234;
	uint32_t v32 = 0x12345678;

	if (error16) {
		assert_int_equal(virtio_memory_load_le16(&f->cursor, addr, VIRTIO_RELAXED, &v16), error16);
		assert_int_equal(virtio_memory_load_le16(&f->cursor, addr, VIRTIO_ACQUIRE, &v16), error16);
		assert_int_equal(v16, 0x1234);
	}
	if (error32) {
		assert_int_equal(virtio_memory_load_le32(&f->cursor, addr, VIRTIO_RELAXED, &v32), error32);
		assert_int_equal(virtio_memory_load_le32(&f->cursor, addr, VIRTIO_ACQUIRE, &v32), error32);
		assert_int_equal(v32, 0x12345678);
	}
}

static void stores_fail(struct fixture *f, uint64_t addr, int error16, int error32)
{
	if (error16) {
		assert_int_equal(virtio_memory_store_le16(&f->cursor, addr, VIRTIO_RELAXED, 0), error16);
		assert_int_equal(virtio_memory_store_le16(&f->cursor, addr, VIRTIO_RELEASE, 0), error16);
	}
	if (error32) {
		assert_int_equal(virtio_memory_store_le32(&f->cursor, addr, VIRTIO_RELAXED, 0), error32);
		assert_int_equal(virtio_memory_store_le32(&f->cursor, addr, VIRTIO_RELEASE, 0), error32);
	}
	assert_memory_equal(f->host, f->want, sizeof f->host);
}

/*
 * Loads and stores of 16 and 32 bits must fail with these errors, with a fresh cursor and with the
 * region at 0x1000 cached. If the error for a size is 0, accesses of that size are not tried.
 */
static void fields_fail(struct fixture *f, uint64_t addr, int error16, int error32)
{
	uint16_t value;

	virtio_memory_cursor_init(&f->cursor, &f->map);
	for (uint32_t turn = 0; turn < 2; turn++) {
		loads_fail(f, addr, error16, error32);
		stores_fail(f, addr, error16, error32);
		assert_int_equal(virtio_memory_load_le16(&f->cursor, 0x1000, VIRTIO_RELAXED, &value), 0);
		assert_int_equal(value, virtio_get_le16(f->host + 0x10));
	}
}

static void atomic_field_refuses_misaligned_guest_address(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint64_t off = 0; off < BYTES; off++)
		fields_fail(&f, 0x1000 + off, off % 2 ? VIRTIO_EALIGN : 0, off % 4 ? VIRTIO_EALIGN : 0);
	/* A misaligned guest address is refused even if the host address is aligned. */
	fields_fail(&f, 0x1081, VIRTIO_EALIGN, VIRTIO_EALIGN);
	fields_fail(&f, 0x10c2, 0, VIRTIO_EALIGN);
	fields_fail(&f, UINT64_MAX, VIRTIO_EALIGN, VIRTIO_EALIGN);
}

static void atomic_field_refuses_misaligned_host_address(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	for (uint64_t off = 0; off < BYTES; off += 4) {
		fields_fail(&f, 0x1080 + off, VIRTIO_EALIGN, VIRTIO_EALIGN);
		fields_fail(&f, 0x10c0 + off, 0, VIRTIO_EALIGN);
	}
}

static void atomic_field_refuses_addresses_outside(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	fields_fail(&f, 0, VIRTIO_EFAULT, VIRTIO_EFAULT);
	fields_fail(&f, 0x0ffc, VIRTIO_EFAULT, VIRTIO_EFAULT);
	fields_fail(&f, 0x1100, VIRTIO_EFAULT, VIRTIO_EFAULT);
	fields_fail(&f, TOP - 4, VIRTIO_EFAULT, VIRTIO_EFAULT);
	fields_fail(&f, UINT64_C(1) << 63, VIRTIO_EFAULT, VIRTIO_EFAULT);
}

/*
 * A field over the end of a region is refused, even if the next region is adjacent in guest memory
 * and on the host.
 */
static void atomic_field_refuses_two_regions(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	fields_fail(&f, 0x2040, VIRTIO_EFAULT, VIRTIO_EFAULT);
	fields_fail(&f, 0x2080, VIRTIO_EFAULT, VIRTIO_EFAULT);
}

static void atomic_store_refuses_read_only_region(void **state)
{
	struct fixture f;
	uint32_t value;

	(void)state;
	setup(&f);
	for (uint64_t off = 0; off < BYTES; off += 4) {
		virtio_memory_cursor_init(&f.cursor, &f.map);
		stores_fail(&f, 0x1040 + off, VIRTIO_EPERM, VIRTIO_EPERM);
		assert_int_equal(virtio_memory_load_le32(&f.cursor, 0x1040 + off, VIRTIO_RELAXED, &value), 0);
		assert_int_equal(value, virtio_get_le32(f.host + 0x80 + off));
		/* The cached region permits loads, but not stores. */
		stores_fail(&f, 0x1040 + off, VIRTIO_EPERM, VIRTIO_EPERM);
	}
}

/* Checks each field of a region at guest address `addr` and host offset `at`. */
static void check_fields(struct fixture *f, uint64_t addr, uint32_t at)
{
	static const enum virtio_order loads[2] = { VIRTIO_RELAXED, VIRTIO_ACQUIRE };
	static const enum virtio_order stores[2] = { VIRTIO_RELAXED, VIRTIO_RELEASE };

	for (uint32_t i = 0; i < 2 * BYTES; i += 2) {
		const uint32_t off = i % BYTES;
		const uint32_t value = 0x81e2c3a4u + 0x01010101u * i;
		uint16_t v16 = 0;
		uint32_t v32 = 0;

		virtio_put_le16(f->want + at + off, (uint16_t)value);
		assert_int_equal(virtio_memory_store_le16(&f->cursor, addr + off, stores[i / BYTES], (uint16_t)value),
				 0);
		assert_memory_equal(f->host, f->want, sizeof f->host);
		assert_int_equal(virtio_memory_load_le16(&f->cursor, addr + off, loads[i / BYTES], &v16), 0);
		assert_int_equal(v16, (uint16_t)value);
		if (off % 4)
			continue;
		virtio_put_le32(f->want + at + off, value);
		assert_int_equal(virtio_memory_store_le32(&f->cursor, addr + off, stores[i / BYTES], value), 0);
		assert_memory_equal(f->host, f->want, sizeof f->host);
		assert_int_equal(virtio_memory_load_le32(&f->cursor, addr + off, loads[i / BYTES], &v32), 0);
		assert_int_equal(v32, value);
	}
}

static void atomic_field_is_little_endian_in_any_order(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	check_fields(&f, 0x1000, 0x10);
	check_fields(&f, 0x2000, 0x200);
}

/* Hostile 36: the region's last field ends with the last byte of the address space. */
static void atomic_field_at_the_end_of_the_address_space(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f);
	check_fields(&f, TOP, 0x300);
}

/* Raw accessors */

#define GUARD 0xee

static void raw_stores_touch_their_bytes_only(void **state)
{
	static const uint8_t used[8] = { 0x44, 0x33, 0x22, 0x11, 0x88, 0x77, 0x66, 0x55 };

	(void)state;
	for (uint32_t at = 8; at < 24; at += 4) {
		_Alignas(16) uint8_t got[40];
		uint8_t want[40];

		memset(got, GUARD, sizeof got);
		memset(want, GUARD, sizeof want);
		virtio_guest_store_le16(got + at, 0xa1b2);
		virtio_guest_store_le16_release(got + at + 2, 0xc3d4);
		memcpy(want + at, "\xb2\xa1\xd4\xc3", 4);
		assert_memory_equal(got, want, sizeof got);
		virtio_guest_store_used(got + at, 0x11223344, 0x55667788);
		memcpy(want + at, used, sizeof used);
		assert_memory_equal(got, want, sizeof got);
		virtio_guest_copy_out(got + at + 1, "abc", 3);
		memcpy(want + at + 1, "abc", 3);
		assert_memory_equal(got, want, sizeof got);
		virtio_guest_copy_out(got + at, want, 0);
		assert_memory_equal(got, want, sizeof got);
	}
}

static void raw_loads_read_little_endian(void **state)
{
	_Alignas(16) uint8_t raw[32];

	(void)state;
	for (uint32_t i = 0; i < sizeof raw; i++)
		raw[i] = (uint8_t)(0xf0 - 7 * i);
	for (uint32_t at = 0; at < 16; at += 2) {
		uint8_t copy[20];

		assert_int_equal(virtio_guest_load_le16(raw + at), virtio_get_le16(raw + at));
		assert_int_equal(virtio_guest_load_le16_acquire(raw + at), virtio_get_le16(raw + at));
		memset(copy, GUARD, sizeof copy);
		virtio_guest_copy_in(copy + 1, raw + at, 16);
		assert_memory_equal(copy + 1, raw + at, 16);
		assert_int_equal(copy[0], GUARD);
		assert_int_equal(copy[17], GUARD);
	}
	for (uint32_t at = 0; at <= 16; at += 16) {
		const struct virtio_guest_desc d = virtio_guest_load_desc(raw + at);

		assert_true(d.addr == virtio_get_le64(raw + at));
		assert_true(d.len == virtio_get_le32(raw + at + 8));
		assert_true(d.flags_next == virtio_get_le32(raw + at + 12));
	}
}

/*
 * The memory changes between two copies. The compiler must not reuse the bytes of the first copy.
 */
static void raw_copies_look_at_memory_each_time(void **state)
{
	uint8_t guest[4] = { 1, 2, 3, 4 }, first[4], second[4];

	(void)state;
	virtio_guest_copy_in(first, guest, sizeof guest);
	virtio_guest_copy_out(guest, "\5\6\7\10", sizeof guest);
	virtio_full_fence();
	virtio_guest_copy_in(second, guest, sizeof guest);
	assert_memory_equal(first, "\1\2\3\4", sizeof first);
	assert_memory_equal(second, "\5\6\7\10", sizeof second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(atomic_field_refuses_misaligned_guest_address),
		cmocka_unit_test(atomic_field_refuses_misaligned_host_address),
		cmocka_unit_test(atomic_field_refuses_addresses_outside),
		cmocka_unit_test(atomic_field_refuses_two_regions),
		cmocka_unit_test(atomic_store_refuses_read_only_region),
		cmocka_unit_test(atomic_field_is_little_endian_in_any_order),
		cmocka_unit_test(atomic_field_at_the_end_of_the_address_space),
		cmocka_unit_test(raw_stores_touch_their_bytes_only),
		cmocka_unit_test(raw_loads_read_little_endian),
		cmocka_unit_test(raw_copies_look_at_memory_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
