/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The first device of virtio-queue's README: it completes each request without writing. */
#include "readme_device.h"

#include "cmocka_includes.h"
#include "guest.h"

static struct device device;

static void start_device(struct guest *g, const struct virtio_queue_config *config)
{
	assert_int_equal(device_start(&device, config, &g->map), 0);
}

static void reset_device(struct guest *g)
{
	(void)g;
	device_reset(&device);
}

static int run_device(struct guest *g)
{
	const int got = device_kicked(&device);

	(void)g;
	assert_in_range(got, 0, 1);
	return got;
}

static uint32_t fill(struct guest *g, uint32_t number, uint64_t addr, struct virtio_mock_buffer *buffers)
{
	(void)g;
	for (uint32_t i = 0; i <= number % GUEST_BUFFERS; i++)
		buffers[i] = (struct virtio_mock_buffer){ .addr = addr + 16 * i, .len = 16 };
	return number % GUEST_BUFFERS + 1;
}

static void check(struct guest *g, uint32_t number, uint64_t addr, uint32_t len)
{
	(void)g;
	(void)number;
	(void)addr;
	assert_int_equal(len, 0);
}

static const struct guest_ops ops = {
	.drains = true, .start = start_device, .reset = reset_device, .run = run_device, .fill = fill, .check = check
};

static void device_returns_every_request(void **state)
{
	(void)state;
	assert_int_equal(device_init(&device, guest_interrupt), 0);
	guest_test_device(&ops);
}

static void device_says_why_queue_is_broken_until_reset(void **state)
{
	(void)state;
	assert_int_equal(device_init(&device, guest_interrupt), 0);
	guest_init(&ops);
	guest_start(true);
	guest_exchange(3, 1);
	guest_break_ring();
	assert_int_equal(device_kicked(&device), VIRTIO_EAVAILIDX);
	assert_int_equal(device_kicked(&device), VIRTIO_EBROKEN);
	reset_device(&guest);
	guest_start(true);
	guest_exchange(3 * GUEST_QUEUE_SIZE, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_returns_every_request),
		cmocka_unit_test(device_says_why_queue_is_broken_until_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
