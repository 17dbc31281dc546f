/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Tests little-endian values in memory at any alignment. A write must change no other byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <virtio/endian.h>

#define GUARD 0xee

/* VIRTIO_LE16(), VIRTIO_LE32() and VIRTIO_LE64() can initialise static objects. */
static const uint16_t constant16 = VIRTIO_LE16(0x0102u);
static const uint32_t constant32 = VIRTIO_LE32(0x01020304u);
static const uint64_t constant64 = VIRTIO_LE64(UINT64_C(0x0102030405060708));

static const uint8_t bytes[8] = { 0x88, 0x77, 0xf6, 0x55, 0xc4, 0x33, 0x22, 0x91 };
#define VALUE16 0x7788u
#define VALUE32 0x55f67788u
#define VALUE64 UINT64_C(0x912233c455f67788)

static void endian_put_leaves_other_bytes_alone(void **state)
{
	(void)state;
	for (uint32_t at = 0; at < 16; at++) {
		uint8_t got[32], want[32];

		memset(want, GUARD, sizeof want);
		memset(got, GUARD, sizeof got);
		memcpy(want + at, bytes, 2);
		virtio_put_le16(got + at, VALUE16);
		assert_memory_equal(got, want, sizeof got);

		memset(got, GUARD, sizeof got);
		memcpy(want + at, bytes, 4);
		virtio_put_le32(got + at, VALUE32);
		assert_memory_equal(got, want, sizeof got);

		memset(got, GUARD, sizeof got);
		memcpy(want + at, bytes, 8);
		virtio_put_le64(got + at, VALUE64);
		assert_memory_equal(got, want, sizeof got);
	}
}

static void endian_get_reads_low_byte_first_at_any_alignment(void **state)
{
	(void)state;
	for (uint32_t at = 0; at < 16; at++) {
		uint8_t raw[32];

		memset(raw, GUARD, sizeof raw);
		memcpy(raw + at, bytes, sizeof bytes);
		assert_int_equal(virtio_get_le16(raw + at), VALUE16);
		assert_int_equal(virtio_get_le32(raw + at), VALUE32);
		assert_true(virtio_get_le64(raw + at) == VALUE64);
	}
}

/* A converted value has its low byte first in the host's memory. */
static void endian_conversion_makes_little_endian_bytes(void **state)
{
	const uint16_t v16 = virtio_le16(VALUE16);
	const uint32_t v32 = virtio_le32(VALUE32);
	const uint64_t v64 = virtio_le64(VALUE64);

	(void)state;
	assert_memory_equal(&v16, bytes, sizeof v16);
	assert_memory_equal(&v32, bytes, sizeof v32);
	assert_memory_equal(&v64, bytes, sizeof v64);
}

static void endian_conversion_undoes_itself(void **state)
{
	(void)state;
	for (uint32_t v = 0; v <= UINT16_MAX; v++)
		assert_int_equal(virtio_le16(virtio_le16((uint16_t)v)), v);
	for (uint32_t bit = 0; bit < 64; bit++) {
		const uint64_t v = VALUE64 ^ (UINT64_C(1) << bit);

		assert_int_equal(virtio_le32(virtio_le32((uint32_t)v)), (uint32_t)v);
		assert_true(virtio_le64(virtio_le64(v)) == v);
	}
}

/* Bit n is stored in byte n / 8. No sign extension or carry changes another bit. */
static void endian_each_bit_has_its_byte(void **state)
{
	(void)state;
	for (uint32_t bit = 0; bit < 64; bit++) {
		uint8_t want[8] = { 0 }, got[8] = { 0 };

		want[bit / 8] = (uint8_t)(1u << bit % 8);
		virtio_put_le64(got, UINT64_C(1) << bit);
		assert_memory_equal(got, want, sizeof got);
		assert_true(virtio_get_le64(want) == UINT64_C(1) << bit);
		if (bit < 32)
			assert_true(virtio_get_le32(want) == UINT32_C(1) << bit);
		if (bit < 16)
			assert_int_equal(virtio_get_le16(want), 1u << bit);
	}
}

static void endian_constants_agree_with_functions(void **state)
{
	(void)state;
	assert_int_equal(constant16, virtio_le16(0x0102));
	assert_int_equal(constant32, virtio_le32(0x01020304));
	assert_true(constant64 == virtio_le64(UINT64_C(0x0102030405060708)));
	assert_int_equal(((const uint8_t *)&constant16)[0], 0x02);
	assert_int_equal(((const uint8_t *)&constant32)[0], 0x04);
	assert_int_equal(((const uint8_t *)&constant64)[0], 0x08);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endian_put_leaves_other_bytes_alone),
		cmocka_unit_test(endian_get_reads_low_byte_first_at_any_alignment),
		cmocka_unit_test(endian_conversion_makes_little_endian_bytes),
		cmocka_unit_test(endian_conversion_undoes_itself),
		cmocka_unit_test(endian_each_bit_has_its_byte),
		cmocka_unit_test(endian_constants_agree_with_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
