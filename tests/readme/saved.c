/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The saved queue of virtio-queue-ser's README: another queue continues with the first queue's
 * position and requests in flight.
 */
#include "readme_saved.h"

#include "cmocka_includes.h"

#include "guest.h"

#include <string.h>

static const uint8_t id[VIRTIO_QUEUE_SER_ID_BYTES] = { 1, 2, 3 }, other_id[VIRTIO_QUEUE_SER_ID_BYTES] = { 1, 2, 4 };
static struct virtio_chain carried_out[GUEST_QUEUE_SIZE];
static uint32_t carried_out_count;

static void carry_out(struct virtio_chain *chain)
{
	carried_out[carried_out_count++] = *chain;
}

static void saved_queue_goes_on_with_what_was_in_flight(void **state)
{
	static const struct virtio_mock_buffer buffer = { .addr = GUEST_DATA, .len = 16, .flags = VRING_DESC_F_WRITE };
	struct virtio_queue_config config;
	struct virtio_inflight inflight[2][GUEST_QUEUE_SIZE];
	struct virtio_queue queues[2];
	struct virtio_chain chain;
	struct vring_used_elem used;
	uint8_t bytes[256];
	char text[200];
	size_t length = 0;

	(void)state;
	guest_init(&(const struct guest_ops){ .polls = true });
	virtio_mock_fill_config(&guest.mock, &config);
	memset(queues, 0, sizeof queues);
	for (int i = 0; i < 2; i++)
		assert_int_equal(virtio_queue_init(&queues[i], inflight[i], GUEST_QUEUE_SIZE), 0);
	assert_int_equal(virtio_queue_start(&queues[0], &config, &guest.map), 0);
	for (int i = 0; i < 2; i++) {
		assert_true(virtio_mock_add(&guest.mock, &buffer, 1) >= 0);
		assert_int_equal(virtio_queue_pop(&queues[0], &chain), 1);
	}
	assert_int_equal(queue_to_bytes(&queues[0], id, NULL, 0, &length), VIRTIO_ENOBUFS);
	assert_in_range(length, 1, sizeof bytes);
	assert_int_equal(queue_to_bytes(&queues[0], id, bytes, sizeof bytes, &length), 0);

	assert_int_equal(
		queue_from_bytes(&queues[1], &guest.map, other_id, bytes, length, carry_out, text, sizeof text),
		VIRTIO_EINVAL);
	assert_string_equal(text, "file: id at byte 20: the file belongs to other memory "
				  "(VIRTIO_EINVAL: argument out of range)");
	assert_int_equal(queues[1].size, 0);
	assert_int_equal(queue_from_bytes(&queues[1], &guest.map, id, bytes, length, carry_out, text, sizeof text), 0);
	assert_int_equal(carried_out_count, 2);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(virtio_queue_complete(&queues[1], carried_out[i].token, i + 1), 0);
		assert_int_equal(virtio_mock_pop_used(&guest.mock, &used), 1);
		assert_int_equal(used.len, i + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(saved_queue_goes_on_with_what_was_in_flight) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
