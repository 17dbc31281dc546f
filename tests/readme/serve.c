/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The README's device in twenty lines: an echo. */
#include "readme_serve.h"

#include "cmocka_includes.h"
#include "guest.h"

#include <string.h>

#define OUT_BYTES 300u /* more bytes than the reply has room for */
#define IN_BYTES 256u
#define IN 1024u /* offset of the reply from the request's address */

static struct virtio_queue queue;
static struct virtio_inflight inflight[GUEST_QUEUE_SIZE];

static void start_device(struct guest *g, const struct virtio_queue_config *config)
{
	assert_int_equal(virtio_queue_start(&queue, config, &g->map), 0);
}

static void reset_device(struct guest *g)
{
	(void)g;
	virtio_queue_reset(&queue);
}

static int run_device(struct guest *g)
{
	const int got = serve(&queue, guest_interrupt);

	(void)g;
	assert_in_range(got, 0, 1);
	return got;
}

/* Every fifth request has its buffers in the wrong order. */
static bool is_malformed(uint32_t number)
{
	return number % 5 == 4;
}

static uint32_t fill(struct guest *g, uint32_t number, uint64_t addr, struct virtio_mock_buffer *buffers)
{
	const struct virtio_mock_buffer out = { .addr = addr, .len = OUT_BYTES };
	const struct virtio_mock_buffer in = { .addr = addr + IN, .len = IN_BYTES, .flags = VRING_DESC_F_WRITE };

	(void)g;
	memset(guest_host(addr), (int)(number & 0x7f), OUT_BYTES);
	memset(guest_host(addr + IN), 0xff, IN_BYTES);
	buffers[0] = is_malformed(number) ? in : out;
	buffers[1] = is_malformed(number) ? out : in;
	return 2;
}

static void check(struct guest *g, uint32_t number, uint64_t addr, uint32_t len)
{
	uint8_t expected[IN_BYTES];

	(void)g;
	memset(expected, is_malformed(number) ? 0xff : (int)(number & 0x7f), sizeof expected);
	assert_int_equal(len, is_malformed(number) ? 0 : IN_BYTES);
	assert_memory_equal(guest_host(addr + IN), expected, sizeof expected);
}

static const struct guest_ops ops = {
	.drains = true,
	.start = start_device,
	.reset = reset_device,
	.run = run_device,
	.fill = fill,
	.check = check,
};

static void serve_answers_every_request(void **state)
{
	(void)state;
	assert_int_equal(virtio_queue_init(&queue, inflight, GUEST_QUEUE_SIZE), 0);
	guest_test_device(&ops);
}

static void serve_says_why_queue_is_broken_until_reset(void **state)
{
	(void)state;
	assert_int_equal(virtio_queue_init(&queue, inflight, GUEST_QUEUE_SIZE), 0);
	guest_init(&ops);
	guest_start(true);
	guest_exchange(3, 1);
	guest_break_ring();
	assert_int_equal(serve(&queue, guest_interrupt), VIRTIO_EAVAILIDX);
	assert_int_equal(serve(&queue, guest_interrupt), VIRTIO_EBROKEN);
	reset_device(&guest);
	guest_start(true);
	guest_exchange(3 * GUEST_QUEUE_SIZE, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serve_answers_every_request),
		cmocka_unit_test(serve_says_why_queue_is_broken_until_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
