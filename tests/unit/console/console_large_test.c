/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Chains that need more guest memory than the fixture of the other tests has. */
#include "../common/fixture.h"
#include <stdlib.h>
#include <virtio/console.h>

#define QUEUE 4096u
#define TABLE 0x80000u
#define DATA 0x100000u
#define DATA_BYTES 0x100000u
#define RAM (DATA + DATA_BYTES)

static struct {
	uint8_t *ram;
	struct virtio_region region;
	struct virtio_memory_map map;
	struct virtio_mock mock;
	struct virtio_mock_slot slots[QUEUE];
	struct virtio_queue queue;
	struct virtio_inflight inflight[QUEUE];
	struct virtio_console console;
	struct virtio_console_port port;
	struct virtio_console_input input;
	uint8_t input_bytes[VIRTIO_CONSOLE_INPUT_MAX];
	struct virtio_segment receive_segments[QUEUE], transmit_segments[QUEUE], control_segments[QUEUE];
	struct virtio_mock_buffer buffers[QUEUE];
	uint64_t taken; /* bytes that the sink has accepted */
	bool wrong;     /* a piece was too long, or its first or last byte was wrong */
} g;

/* Returns the byte that guest memory has at an offset of the data. */
static uint8_t byte_at(uint64_t offset)
{
	return (uint8_t)(offset ^ offset >> 8 ^ offset >> 16);
}

/*
 * Checks the first and the last of the offered bytes. The chains repeat the same DATA_BYTES bytes
 * of data. So the number of bytes accepted before gives the offset in the data.
 */
static size_t take(void *context, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	(void)context;
	g.wrong = g.wrong || len > VIRTIO_CONSOLE_PIECE_BYTES || at[0] != byte_at(g.taken % DATA_BYTES) ||
		  at[len - 1] != byte_at((g.taken + len - 1) % DATA_BYTES);
	g.taken += len;
	return len;
}

static int setup(void **state)
{
	const struct virtio_console_options options = {
		.ports = &g.port,
		.port_count = 1,
		.multiport = true,
		.control_segments = g.control_segments,
		.control_capacity = QUEUE,
	};
	const struct virtio_console_port_options port = {
		.console = true,
		.input = &g.input,
		.sink = take,
		.receive_segments = g.receive_segments,
		.receive_capacity = QUEUE,
		.transmit_segments = g.transmit_segments,
		.transmit_capacity = QUEUE,
	};

	(void)state;
	memset(&g, 0, sizeof g);
	g.ram = calloc(1, RAM);
	assert_non_null(g.ram);
	for (uint32_t i = 0; i < DATA_BYTES; i++)
		g.ram[DATA + i] = byte_at(i);
	g.region = (struct virtio_region){ .addr = 0, .len = RAM, .host = g.ram };
	assert_int_equal(virtio_memory_map_init(&g.map, &g.region, 1), 0);
	assert_int_equal(virtio_mock_init(&g.mock, &g.map, 0, QUEUE, g.slots, QUEUE), 0);
	assert_true(virtio_mock_end(&g.mock) <= TABLE);
	g.mock.indirect = true;
	assert_int_equal(virtio_mock_create_queue(&g.mock, &g.queue, g.inflight, QUEUE, &g.map), 0);
	assert_int_equal(virtio_console_input_init(&g.input, g.input_bytes, sizeof g.input_bytes), 0);
	assert_int_equal(virtio_console_init(&g.console, &options), 0);
	assert_int_equal(virtio_console_add_port(&g.console, 0, &port), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(g.ram);
	return 0;
}

/* Transmits all chains. Checks that each call ends after a limited number of bytes. */
static void transmit(uint32_t chains, uint64_t bytes)
{
	struct virtio_console_progress progress;
	struct vring_used_elem used;
	uint32_t done = 0;
	uint64_t sent = 0;

	do {
		assert_int_equal(virtio_console_transmit(&g.console, 0, &g.queue, &progress), 0);
		assert_true(progress.bytes <= VIRTIO_CONSOLE_CALL_BYTES + VIRTIO_CONSOLE_PIECE_BYTES);
		assert_false(progress.blocked);
		done += progress.chains;
		sent += progress.bytes;
	} while (progress.more);
	assert_int_equal(done, chains);
	assert_true(sent == bytes);
	assert_false(g.wrong);
	while (chains-- > 0) {
		assert_int_equal(virtio_mock_pop_used(&g.mock, &used), 1);
		assert_int_equal(used.len, 0);
	}
}

/* Hostile 140: all buffers of a chain of 4 GiB cover the same memory. */
static void transmit_hands_4_gib_over_in_pieces(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < QUEUE; i++)
		g.buffers[i] = (struct virtio_mock_buffer)READABLE(DATA, DATA_BYTES);
	assert_true(virtio_mock_add_indirect(&g.mock, TABLE, g.buffers, QUEUE) >= 0);
	transmit(1, UINT64_C(1) << 32);
	assert_true(g.taken == UINT64_C(1) << 32);
}

/*
 * Hostile 172: each size is sent alone, in 32 chains of one batch, and in two buffers of one chain.
 */
static void transmit_serves_every_size_in_batches(void **state)
{
	const uint32_t sizes[] = { 1, 128, 4096, 65536 };

	(void)state;
	for (uint32_t s = 0; s < COUNT(sizes); s++) {
		const uint32_t size = sizes[s];

		for (uint32_t n = 1; n <= 32; n += 31) {
			g.taken = 0;
			for (uint32_t i = 0; i < n; i++) {
				g.buffers[0] = (struct virtio_mock_buffer)READABLE(
					DATA + (uint64_t)i * size % DATA_BYTES, size);
				assert_true(virtio_mock_add(&g.mock, g.buffers, 1) >= 0);
			}
			transmit(n, (uint64_t)n * size);
		}
		g.taken = 0;
		g.buffers[0] = (struct virtio_mock_buffer)READABLE(DATA, size);
		g.buffers[1] = (struct virtio_mock_buffer)READABLE(DATA + size, size);
		assert_true(virtio_mock_add(&g.mock, g.buffers, 2) >= 0);
		transmit(1, 2 * (uint64_t)size);
	}
}

/* Hostile 138: a chain may have as many buffers as the queue has descriptors. */
static void receive_fills_a_chain_of_many_pieces(void **state)
{
	struct virtio_console_progress progress;
	struct vring_used_elem used;
	bool wake;

	(void)state;
	for (uint32_t i = 0; i < QUEUE; i++)
		g.buffers[i] = (struct virtio_mock_buffer)WRITABLE(DATA + 3 * i, 1);
	assert_int_equal(virtio_console_input_enqueue(&g.input, g.ram + DATA, QUEUE - 1, &wake), QUEUE - 1);
	memset(g.ram + DATA, 0xa5, DATA_BYTES);
	assert_true(virtio_mock_add(&g.mock, g.buffers, QUEUE) >= 0);
	assert_int_equal(virtio_console_receive(&g.console, 0, &g.queue, &progress), 0);
	assert_int_equal(virtio_mock_pop_used(&g.mock, &used), 1);
	assert_int_equal(used.len, QUEUE - 1);
	for (uint32_t i = 0; i < 3 * QUEUE; i++)
		assert_int_equal(g.ram[DATA + i], i % 3 == 0 && i / 3 < QUEUE - 1 ? byte_at(i / 3) : 0xa5);
}

/*
 * Offers a chain of each length up to the queue's size. All chains share one list of descriptors,
 * and together need millions of steps. Checks that each call takes only a part of these steps, and
 * sets progress.more unless it is the last call.
 */
static void expect_short_calls(uint16_t flags, int (*call)(struct virtio_console_progress *progress))
{
	struct virtio_console_progress progress;
	uint32_t done = 0;

	for (uint32_t i = 0; i < QUEUE; i++)
		g.buffers[i] = (struct virtio_mock_buffer){ DATA, 1, flags };
	assert_int_equal(virtio_mock_write_chain(&g.mock, 0, g.buffers, QUEUE), 0);
	for (uint32_t i = 0; i < QUEUE; i++)
		assert_int_equal(virtio_mock_offer(&g.mock, (uint16_t)i), 0);
	assert_int_equal(virtio_mock_publish(&g.mock), 0);
	do {
		uint32_t steps = 0;

		assert_int_equal(call(&progress), 0);
		assert_true(progress.chains > 0);
		while (progress.chains-- > 0)
			steps += QUEUE - done++;
		/* A call may exceed the limit of 32 * QUEUE steps by one chain. */
		assert_true(steps <= 33 * QUEUE);
	} while (progress.more);
	assert_int_equal(done, QUEUE);
}

static int receive_once(struct virtio_console_progress *progress)
{
	return virtio_console_receive(&g.console, 0, &g.queue, progress);
}

static int transmit_once(struct virtio_console_progress *progress)
{
	return virtio_console_transmit(&g.console, 0, &g.queue, progress);
}

static int control_once(struct virtio_console_progress *progress)
{
	return virtio_console_control_transmit(&g.console, &g.queue, progress);
}

/* Hostile 138: many chains share one list of descriptors. */
static void receive_of_many_long_chains_ends_early(void **state)
{
	bool wake;

	(void)state;
	assert_int_equal(virtio_console_input_enqueue(&g.input, "x", 1, &wake), 1);
	expect_short_calls(0, receive_once);
	assert_int_equal(g.port.stats.receive_misdirected, QUEUE);
	assert_false(virtio_console_input_is_empty(&g.input));
}

static void transmit_of_many_long_chains_ends_early(void **state)
{
	(void)state;
	expect_short_calls(VRING_DESC_F_WRITE, transmit_once);
	assert_int_equal(g.port.stats.transmit_misdirected, QUEUE);
}

static void control_of_many_long_chains_ends_early(void **state)
{
	(void)state;
	assert_int_equal(virtio_console_negotiate(&g.console, virtio_console_offered(&g.console)), 0);
	expect_short_calls(VRING_DESC_F_WRITE, control_once);
	assert_int_equal(g.console.stats.misdirected, QUEUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(transmit_hands_4_gib_over_in_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(transmit_serves_every_size_in_batches, setup, teardown),
		cmocka_unit_test_setup_teardown(receive_fills_a_chain_of_many_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(receive_of_many_long_chains_ends_early, setup, teardown),
		cmocka_unit_test_setup_teardown(transmit_of_many_long_chains_ends_early, setup, teardown),
		cmocka_unit_test_setup_teardown(control_of_many_long_chains_ends_early, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
