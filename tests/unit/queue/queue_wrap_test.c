/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Hostile 10: the indices wrap, in queues of every size. Hostile 9: the ring is full across the
 * wrap.
 */
#include "../common/fixture.h"

#define BASE 0x10000u
#define RAM_BYTES (1u << 20)

/*
 * A guest large enough for the largest queue. The guest is static because the struct has almost 3
 * MiB.
 */
static struct {
	struct virtio_mock mock;
	struct virtio_queue queue;
	struct virtio_memory_map map;
	struct virtio_region region;
	struct virtio_mock_slot slots[VIRTIO_QUEUE_MAX_SIZE];
	struct virtio_inflight inflight[VIRTIO_QUEUE_MAX_SIZE];
	struct virtio_token tokens[VIRTIO_QUEUE_MAX_SIZE];
	struct virtio_completion batch[VIRTIO_QUEUE_MAX_SIZE];
	_Alignas(16) uint8_t ram[RAM_BYTES];
} guest;

static void setup(uint32_t size, bool event_idx, bool in_order, uint16_t index)
{
	guest.region = (struct virtio_region){ .addr = BASE, .len = RAM_BYTES, .host = guest.ram };
	assert_int_equal(virtio_memory_map_init(&guest.map, &guest.region, 1), 0);
	assert_int_equal(virtio_mock_init(&guest.mock, &guest.map, BASE, size, guest.slots, VIRTIO_QUEUE_MAX_SIZE), 0);
	guest.mock.event_idx = event_idx;
	guest.mock.in_order = in_order;
	assert_int_equal(virtio_mock_seek(&guest.mock, index), 0);
	assert_int_equal(
		virtio_mock_create_queue(&guest.mock, &guest.queue, guest.inflight, VIRTIO_QUEUE_MAX_SIZE, &guest.map),
		0);
	assert_int_equal(virtio_queue_set_next_avail(&guest.queue, index), 0);
	assert_int_equal(virtio_queue_set_next_used(&guest.queue, index), 0);
}

static void add(void)
{
	const struct virtio_mock_buffer one = WRITABLE(BASE, 16);

	assert_true(virtio_mock_add(&guest.mock, &one, 1) >= 0);
}

static struct virtio_token pop(void)
{
	struct virtio_chain chain = { 0 };

	assert_int_equal(virtio_queue_pop(&guest.queue, &chain), 1);
	return chain.token;
}

static void expect_used(uint32_t head, uint32_t len)
{
	struct vring_used_elem used = { 0, 0 };

	assert_int_equal(virtio_mock_pop_used(&guest.mock, &used), 1);
	assert_int_equal(used.id, head);
	assert_int_equal(used.len, len);
}

/* Serves one request at a time, through all 65,536 values of the indices and past the wrap. */
static void queue_wraps_one_request_at_a_time(void **state)
{
	(void)state;
	for (uint32_t size = 1; size <= VIRTIO_QUEUE_MAX_SIZE; size *= 2) {
		setup(size, true, false, 0xfff0);
		for (uint32_t i = 0; i < 0x10010; i++) {
			const uint16_t index = (uint16_t)(0xfff0 + i);
			struct virtio_token token;
			bool wanted;

			/*
			 * used_event is alternately the index of this request and of the next
			 * request.
			 */
			assert_int_equal(
				virtio_mock_set(&guest.mock, VIRTIO_MOCK_USED_EVENT, (uint16_t)(index + !(i & 1))), 0);
			add();
			token = pop();
			assert_int_equal(virtio_queue_complete(&guest.queue, token, i & 15), 0);
			/*
			 * The first check may require an interrupt, because setup() has set the
			 * indices.
			 */
			wanted = virtio_queue_needs_interrupt(&guest.queue);
			assert_true(i == 0 || wanted == (i & 1));
			expect_used(virtio_token_head(token), i & 15);
			assert_int_equal(virtio_queue_next_avail(&guest.queue), (uint16_t)(index + 1));
			assert_int_equal(virtio_queue_next_used(&guest.queue), (uint16_t)(index + 1));
		}
		assert_int_equal(virtio_queue_available(&guest.queue), 0);
	}
}

/*
 * Full rings cross the wrap. All buffers are popped in order, and completed in reverse order by one
 * batch.
 */
static void wrap_full_ring(bool in_order)
{
	for (uint32_t size = 1; size <= VIRTIO_QUEUE_MAX_SIZE; size *= 2) {
		setup(size, false, in_order, (uint16_t)(0 - size - size / 2));
		for (int round = 0; round < 4; round++) {
			for (uint32_t i = 0; i < size; i++)
				add();
			assert_int_equal(virtio_queue_available(&guest.queue), size);
			for (uint32_t i = 0; i < size; i++)
				guest.tokens[i] = pop();
			assert_int_equal(virtio_queue_available(&guest.queue), 0);
			for (uint32_t i = 0; i < size; i++)
				guest.batch[i] = (struct virtio_completion){ guest.tokens[size - 1 - i], i & 15 };
			assert_int_equal(virtio_queue_complete_batch(&guest.queue, guest.batch, size), 0);
			for (uint32_t i = 0; i < size; i++) {
				const uint32_t at = in_order ? size - 1 - i : i;

				expect_used(virtio_token_head(guest.batch[at].token), guest.batch[at].len);
			}
			assert_true(virtio_queue_quiesced(&guest.queue));
		}
	}
}

static void queue_wraps_with_full_ring(void **state)
{
	(void)state;
	wrap_full_ring(false);
}

/*
 * As above, but under IN_ORDER. The driver sees the completions in the order of the available ring.
 */
static void queue_wraps_with_full_ring_in_order(void **state)
{
	(void)state;
	wrap_full_ring(true);
}

/*
 * Hostile 7: at the wrap the available index is ahead by one more than the queue size. Every queue
 * size is tried.
 */
static void queue_refuses_index_past_size_at_wrap(void **state)
{
	(void)state;
	for (uint32_t size = 1; size <= VIRTIO_QUEUE_MAX_SIZE; size *= 2) {
		struct virtio_chain chain;

		setup(size, false, false, 0xffff);
		assert_int_equal(virtio_mock_set(&guest.mock, VIRTIO_MOCK_AVAIL_IDX, (uint16_t)(0xffff + size)), 0);
		assert_int_equal(virtio_queue_available(&guest.queue), size);
		assert_int_equal(virtio_mock_set(&guest.mock, VIRTIO_MOCK_AVAIL_IDX, (uint16_t)(0x10000 + size)), 0);
		assert_int_equal(virtio_queue_available(&guest.queue), VIRTIO_EAVAILIDX);
		assert_int_equal(virtio_queue_pop(&guest.queue, &chain), VIRTIO_EBROKEN);
	}
}

/* The counters do not wrap with the ring's indices. */
static void queue_counts_in_64_bits(void **state)
{
	struct virtio_queue_stats stats;
	const uint32_t count = 200000;

	(void)state;
	setup(4, false, false, 0);
	for (uint32_t i = 0; i < count; i++) {
		struct virtio_token token;

		add();
		token = pop();
		assert_int_equal(virtio_queue_complete(&guest.queue, token, 0), 0);
		expect_used(virtio_token_head(token), 0);
	}
	virtio_queue_get_stats(&guest.queue, &stats);
	assert_int_equal(stats.chains, count);
	assert_int_equal(stats.completions, count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_wraps_one_request_at_a_time),
		cmocka_unit_test(queue_wraps_with_full_ring),
		cmocka_unit_test(queue_wraps_with_full_ring_in_order),
		cmocka_unit_test(queue_refuses_index_past_size_at_wrap),
		cmocka_unit_test(queue_counts_in_64_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
