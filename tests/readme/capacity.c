/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The helper of virtio-bindings' README. */
#include "readme_capacity.h"

#include "cmocka_includes.h"

static void capacity_of_counts_bytes_of_little_endian_sectors(void **state)
{
	union {
		struct virtio_blk_config config;
		uint8_t bytes[sizeof(struct virtio_blk_config)];
	} space = { .bytes = { 0x01, 0x02, 0x03, 0x04, 0x05 } };

	(void)state;
	assert_true(capacity_of(&space.config) == UINT64_C(0x0504030201) * 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(capacity_of_counts_bytes_of_little_endian_sectors) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
