/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Tests freestanding.c, a hypervisor that polls a queue for requests to read sensors. */
#include "consumers.h"

#include "cmocka_includes.h"
#include "guest.h"

#define OUT 64u /* offset of the value from the request's address */

uint64_t read_sensor(uint32_t number)
{
	return number * UINT64_C(0x100000001);
}

void raise_interrupt(void)
{
	guest_interrupt();
}

static void start_device(struct guest *g, const struct virtio_queue_config *config)
{
	(void)g;
	assert_int_equal(partition_start(config), 0);
}

static void reset_device(struct guest *g)
{
	(void)g;
	partition_stop();
}

static int run_device(struct guest *g)
{
	(void)g;
	assert_int_equal(partition_poll(), 0);
	return 0;
}

/* Every fifth request has no room for the value. */
static uint32_t room_of(uint32_t number)
{
	return number % 5 == 4 ? 7 : 8;
}

static uint32_t fill(struct guest *g, uint32_t number, uint64_t addr, struct virtio_mock_buffer *buffers)
{
	(void)g;
	virtio_put_le32(guest_host(addr), number);
	virtio_put_le64(guest_host(addr + OUT), 1);
	buffers[0] = (struct virtio_mock_buffer){ .addr = addr, .len = 4 };
	buffers[1] =
		(struct virtio_mock_buffer){ .addr = addr + OUT, .len = room_of(number), .flags = VRING_DESC_F_WRITE };
	return 2;
}

static void check(struct guest *g, uint32_t number, uint64_t addr, uint32_t len)
{
	const bool fits = room_of(number) == 8;

	(void)g;
	assert_int_equal(len, fits ? 8 : 0);
	assert_true(virtio_get_le64(guest_host(addr + OUT)) == (fits ? read_sensor(number) : 1));
}

static void freestanding_answers_every_request(void **state)
{
	static const struct guest_ops ops = { .polls = true,
					      .start = start_device,
					      .reset = reset_device,
					      .run = run_device,
					      .fill = fill,
					      .check = check };

	(void)state;
	assert_int_equal(partition_boot(guest.ram, GUEST_BYTES), 0);
	guest_test_device(&ops);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(freestanding_answers_every_request) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
