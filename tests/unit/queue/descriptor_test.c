/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Descriptors and ring elements as values: each field in its bytes, and back. */
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
	const struct virtio_raw_desc d = virtio_split_desc(UINT64_C(0x0807060504030201), 0x0c0b0a09, 0x0e0d, 0x100f);

	(void)state;
	assert_memory_equal(d.bytes, bytes, sizeof bytes);
	assert_true(virtio_raw_desc_addr(&d) == UINT64_C(0x0807060504030201));
	assert_int_equal(virtio_raw_desc_len(&d), 0x0c0b0a09);
	assert_int_equal(virtio_split_desc_flags(&d), 0x0e0d);
	assert_int_equal(virtio_split_desc_next(&d), 0x100f);
}

static void packed_desc_has_id_before_flags(void **state)
{
	const struct virtio_raw_desc d = virtio_packed_desc(UINT64_MAX - 1, 0xfffffffd, 0x1234, 0x5678);
	struct vring_packed_desc wire;

	(void)state;
	memcpy(&wire, &d, sizeof wire);
	assert_true(virtio_le64(wire.addr) == UINT64_MAX - 1);
	assert_int_equal(virtio_le32(wire.len), 0xfffffffd);
	assert_int_equal(virtio_le16(wire.id), 0x1234);
	assert_int_equal(virtio_le16(wire.flags), 0x5678);
	assert_int_equal(virtio_packed_desc_id(&d), 0x1234);
	assert_int_equal(virtio_packed_desc_flags(&d), 0x5678);
	assert_true(virtio_raw_desc_addr(&d) == UINT64_MAX - 1);
	assert_int_equal(virtio_raw_desc_len(&d), 0xfffffffd);
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

static void packed_event_keeps_offset_and_wrap_apart(void **state)
{
	static const uint16_t offsets[] = { 0, 1, 0x1234, 0x7fff };

	(void)state;
	for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++)
		for (uint8_t wrap = 0; wrap < 2; wrap++) {
			const struct vring_packed_desc_event e =
				virtio_packed_event(offsets[i], wrap, VRING_PACKED_EVENT_FLAG_DESC);

			assert_int_equal(virtio_le16(e.off_wrap), offsets[i] | wrap << 15);
			assert_int_equal(virtio_packed_event_offset(&e), offsets[i]);
			assert_int_equal(virtio_packed_event_wrap(&e), wrap);
			assert_int_equal(virtio_packed_event_flags(&e), VRING_PACKED_EVENT_FLAG_DESC);
		}
	/* What is too large for an offset does not reach the wrap counter. */
	assert_int_equal(virtio_le16(virtio_packed_event(0xffff, 0, 0).off_wrap), 0x7fff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_desc_has_each_field_in_its_bytes),
		cmocka_unit_test(packed_desc_has_id_before_flags),
		cmocka_unit_test(used_elem_is_little_endian),
		cmocka_unit_test(packed_event_keeps_offset_and_wrap_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
