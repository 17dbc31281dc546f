/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The receiver of virtio-queue's README: packets over several chains, with malformed chains among
 * them.
 */
#include "readme_merge.h"

#include "cmocka_includes.h"

#include <string.h>
#include <virtio/endian.h>
#include <virtio/queue_mock.h>

#define SIZE 16u
#define RAM 0x20000u
#define DATA 0x4000u
#define BUFFER 100u
#define HEADER 12u

static struct {
	_Alignas(4096) uint8_t ram[RAM];
	struct virtio_region region;
	struct virtio_memory_map map;
	struct virtio_mock mock;
	struct virtio_mock_slot slots[SIZE];
	struct virtio_inflight inflight[SIZE];
	struct receiver receiver;
	uint32_t added;
} g;

static void setup_with(bool event_idx)
{
	memset(&g, 0, sizeof g);
	g.region = (struct virtio_region){ .addr = 0, .len = RAM, .host = g.ram };
	assert_int_equal(virtio_memory_map_init(&g.map, &g.region, 1), 0);
	assert_int_equal(virtio_mock_init(&g.mock, &g.map, 0, SIZE, g.slots, SIZE), 0);
	g.mock.event_idx = event_idx;
	assert_int_equal(virtio_mock_create_queue(&g.mock, &g.receiver.queue, g.inflight, SIZE, &g.map), 0);
}

static void setup(void)
{
	setup_with(false);
}

static uint16_t add_buffer(uint32_t len)
{
	const struct virtio_mock_buffer buffer = { DATA + 256 * (g.added++ % 64), len, VRING_DESC_F_WRITE };
	const int head = virtio_mock_add(&g.mock, &buffer, 1);

	assert_true(head >= 0);
	return (uint16_t)head;
}

static uint16_t add_malformed(void)
{
	const struct virtio_mock_buffer wrong[] = { { DATA, 8, VRING_DESC_F_WRITE }, { DATA + 8, 8, 0 } };
	const int head = virtio_mock_add(&g.mock, wrong, 2);

	assert_true(head >= 0);
	return (uint16_t)head;
}

/* Checks the next used element: its head and its length. */
static void expect_used(uint16_t head, uint32_t len)
{
	struct vring_used_elem used;

	assert_int_equal(virtio_mock_pop_used(&g.mock, &used), 1);
	assert_int_equal(used.id, head);
	assert_int_equal(used.len, len);
}

static void expect_none_used(void)
{
	struct vring_used_elem used;

	assert_int_equal(virtio_mock_pop_used(&g.mock, &used), 0);
}

/*
 * Delivers a packet. Checks that the driver is interrupted if and only if the packet was delivered.
 */
static int deliver(const uint8_t *packet, size_t len)
{
	bool interrupt = true;
	const int got = receiver_deliver(&g.receiver, packet, len, &interrupt);

	assert_int_equal(interrupt, got == 1);
	return got;
}

static void receiver_spreads_a_packet_over_chains(void **state)
{
	uint8_t packet[3 * BUFFER];

	(void)state;
	setup();
	for (uint32_t i = 0; i < sizeof packet; i++)
		packet[i] = (uint8_t)(i * 7 + 1);
	for (uint32_t round = 0; round < 5 * SIZE; round++) {
		const size_t len = 1 + round * 5 % (sizeof packet - HEADER);
		const uint32_t all = HEADER + (uint32_t)len, chains = (all + BUFFER - 1) / BUFFER, at = g.added;
		uint16_t heads[4];
		uint32_t left = all;

		memset(g.ram + DATA, 0, 64 * 256);
		for (uint32_t i = 0; i < chains; i++)
			heads[i] = add_buffer(BUFFER);
		assert_int_equal(deliver(packet, len), 1);
		for (uint32_t i = 0; i < chains; i++) {
			const uint32_t now = left < BUFFER ? left : BUFFER, skip = i == 0 ? HEADER : 0;

			expect_used(heads[i], now);
			assert_memory_equal(g.ram + DATA + 256 * ((at + i) % 64) + skip,
					    packet + (i == 0 ? 0 : i * BUFFER - HEADER), now - skip);
			left -= now;
		}
		assert_int_equal(virtio_get_le16(g.ram + DATA + 256 * (at % 64) + 10), chains);
		expect_none_used();
	}
}

static void receiver_keeps_the_packet_until_there_are_buffers_enough(void **state)
{
	uint8_t packet[2 * BUFFER] = { 1 };
	uint16_t heads[3];

	(void)state;
	setup();
	heads[0] = add_buffer(BUFFER);
	heads[1] = add_buffer(BUFFER);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(deliver(packet, sizeof packet), 0);
		assert_true(virtio_queue_quiesced(&g.receiver.queue));
		expect_none_used();
	}
	heads[2] = add_buffer(BUFFER);
	assert_int_equal(deliver(packet, sizeof packet), 1);
	expect_used(heads[0], BUFFER);
	expect_used(heads[1], BUFFER);
	expect_used(heads[2], HEADER);
	assert_int_equal(deliver(packet, 1), 0);
}

static void receiver_returns_malformed_chains_in_front_of_the_packet(void **state)
{
	uint8_t packet[BUFFER] = { 1 };
	uint16_t good[2], bad[2];

	(void)state;
	setup();
	bad[0] = add_malformed();
	good[0] = add_buffer(BUFFER);
	bad[1] = add_malformed();
	/*
	 * One buffer is not enough for the packet. So all chains are unpopped, including the
	 * malformed chains.
	 */
	assert_int_equal(deliver(packet, sizeof packet), 0);
	assert_true(virtio_queue_quiesced(&g.receiver.queue));
	good[1] = add_buffer(BUFFER);
	assert_int_equal(deliver(packet, sizeof packet), 1);
	expect_used(bad[0], 0);
	expect_used(bad[1], 0);
	expect_used(good[0], BUFFER);
	expect_used(good[1], HEADER);
	expect_none_used();
	assert_int_equal(virtio_get_le16(g.ram + DATA + 10), 2);
}

/*
 * The first four deliveries find too few buffers. If the receiver did not ask for a kick, it would
 * never learn of the next buffer.
 */
static void receiver_gets_a_kick_for_each_buffer_it_waits_for(void **state)
{
	uint8_t packet[4 * BUFFER] = { 1 };

	(void)state;
	for (int event_idx = 0; event_idx < 2; event_idx++) {
		setup_with(event_idx);
		for (int i = 0; i < 4; i++) {
			assert_int_equal(deliver(packet, sizeof packet), 0);
			(void)add_buffer(BUFFER);
			assert_int_equal(virtio_mock_should_kick(&g.mock), 1);
		}
		(void)add_buffer(BUFFER);
		assert_int_equal(deliver(packet, sizeof packet), 1);
	}
}

static void receiver_drops_a_packet_that_fits_no_chains(void **state)
{
	uint8_t packet[SIZE * 8] = { 1 };
	uint16_t head = 0;

	(void)state;
	setup();
	for (uint32_t i = 0; i < SIZE; i++) {
		const uint16_t added = add_buffer(8);

		head = i == 0 ? added : head;
	}
	assert_int_equal(deliver(packet, sizeof packet), VIRTIO_ENOBUFS);
	assert_true(virtio_queue_quiesced(&g.receiver.queue));
	expect_none_used();
	assert_int_equal(deliver(packet, 16), 1);
	expect_used(head, 8);
}

static void receiver_reports_a_broken_ring(void **state)
{
	uint8_t packet[1] = { 1 };

	(void)state;
	setup();
	assert_int_equal(virtio_mock_offer(&g.mock, SIZE), 0);
	assert_int_equal(virtio_mock_publish(&g.mock), 0);
	assert_int_equal(deliver(packet, 1), VIRTIO_EHEAD);
	assert_int_equal(deliver(packet, 1), VIRTIO_EBROKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receiver_spreads_a_packet_over_chains),
		cmocka_unit_test(receiver_keeps_the_packet_until_there_are_buffers_enough),
		cmocka_unit_test(receiver_returns_malformed_chains_in_front_of_the_packet),
		cmocka_unit_test(receiver_gets_a_kick_for_each_buffer_it_waits_for),
		cmocka_unit_test(receiver_drops_a_packet_that_fits_no_chains),
		cmocka_unit_test(receiver_reports_a_broken_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
