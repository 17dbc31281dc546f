/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests descriptors and used elements as values: each field is stored in the right bytes and read
 * back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <virtio/descriptor.h>

static void split_desc_has_each_field_in_its_bytes(void **state)
{
	static const uint8_t bytes[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	const struct vring_desc d = virtio_split_desc(UINT64_C(0x0807060504030201), 0x0c0b0a09, 0x0e0d, 0x100f);

	(void)state;
	assert_memory_equal(&d, bytes, sizeof bytes);
	assert_true(virtio_split_desc_addr(&d) == UINT64_C(0x0807060504030201));
	assert_int_equal(virtio_split_desc_len(&d), 0x0c0b0a09);
	assert_int_equal(virtio_split_desc_flags(&d), 0x0e0d);
	assert_int_equal(virtio_split_desc_next(&d), 0x100f);
}

static void used_elem_is_little_endian(void **state)
{
	static const uint8_t bytes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	const struct vring_used_elem e = virtio_used_elem(0x04030201, 0x08070605);

	(void)state;
	assert_memory_equal(&e, bytes, sizeof bytes);
	assert_int_equal(virtio_used_elem_id(&e), 0x04030201);
	assert_int_equal(virtio_used_elem_len(&e), 0x08070605);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_desc_has_each_field_in_its_bytes),
		cmocka_unit_test(used_elem_is_little_endian),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
