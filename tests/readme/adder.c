/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The adder of virtio-queue's README. It is paused, and continues with another map of the same
 * memory.
 */
#include "readme_adder.h"

#include "cmocka_includes.h"
#include "guest.h"

#include <string.h>
#include <virtio/endian.h>

#define IN 64u
#define IN_BYTES 20u

static struct adder adder;
static struct virtio_inflight inflight[GUEST_QUEUE_SIZE];
static struct virtio_memory_map elsewhere;
static uint32_t first; /* the number of the first request since the start */

static void start_device(struct guest *g, const struct virtio_queue_config *config)
{
	assert_int_equal(virtio_queue_start(&adder.queue, config, &g->map), 0);
	adder.small = 0;
	adder.medium = 0;
	adder.large = 0;
}

static void reset_device(struct guest *g)
{
	(void)g;
	virtio_queue_reset(&adder.queue);
}

static int run_device(struct guest *g)
{
	bool interrupt;
	int got = adder_kicked(&adder, &interrupt);

	if (interrupt)
		guest_interrupt();
	assert_in_range(got, 0, 1);
	/* Sometimes the machine pauses, and continues with another map of the same memory. */
	if (virtio_queue_next_used(&adder.queue) % 5 == 0) {
		assert_int_equal(adder_pause(&adder), 0);
		elsewhere = g->map;
		assert_int_equal(adder_resume(&adder, &elsewhere), 0);
		got = 1;
	}
	return got;
}

static uint32_t fill(struct guest *g, uint32_t number, uint64_t addr, struct virtio_mock_buffer *buffers)
{
	(void)g;
	(void)number;
	virtio_put_le16(guest_host(addr), 3);
	virtio_put_le32(guest_host(addr + 2), 0x10001);
	virtio_put_le64(guest_host(addr + 6), UINT64_C(0x100000001));
	memset(guest_host(addr + IN), 0xff, IN_BYTES);
	buffers[0] = (struct virtio_mock_buffer){ .addr = addr, .len = 14 };
	buffers[1] = (struct virtio_mock_buffer){ .addr = addr + IN, .len = IN_BYTES, .flags = VRING_DESC_F_WRITE };
	return 2;
}

static void check(struct guest *g, uint32_t number, uint64_t addr, uint32_t len)
{
	const uint32_t times = number + 1 - first;

	(void)g;
	assert_int_equal(len, IN_BYTES);
	assert_int_equal(virtio_get_le16(guest_host(addr + IN)), (uint16_t)(3 * times));
	assert_int_equal(virtio_get_le32(guest_host(addr + IN + 2)), 0x10001 * times);
	assert_true(virtio_get_le64(guest_host(addr + IN + 6)) == UINT64_C(0x100000001) * times);
	assert_memory_equal(guest_host(addr + IN + 14), "\0\0\0\0\0\0", 6);
}

static const struct guest_ops ops = {
	.drains = true,
	.start = start_device,
	.reset = reset_device,
	.run = run_device,
	.fill = fill,
	.check = check,
};

static void adder_adds_through_pauses(void **state)
{
	(void)state;
	assert_int_equal(virtio_queue_init(&adder.queue, inflight, GUEST_QUEUE_SIZE), 0);
	guest_test_device(&ops);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(adder_adds_through_pauses) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
