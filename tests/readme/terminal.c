/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The terminal of virtio-console's README: a guest's output, and input read in pieces. */
#include "readme_terminal.h"

#include "cmocka_includes.h"
#include "guest.h"

#define MOST 16u /* largest number of bytes in a buffer */

static struct terminal terminal;
static struct virtio_queue queue, idle;
static struct virtio_inflight inflight[GUEST_QUEUE_SIZE], idle_inflight[GUEST_QUEUE_SIZE];
static uint32_t typed, arrived;  /* bytes of input */
static uint32_t written, output; /* bytes of output */

/* Returns the byte that input and output have at an offset. */
static uint8_t byte_at(uint32_t place)
{
	return (uint8_t)(place ^ place >> 8);
}

static uint32_t bytes_of(uint32_t number)
{
	return number % MOST + 1;
}

static size_t take_output(void *context, const void *bytes, size_t len)
{
	assert_ptr_equal(context, &terminal);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(((const uint8_t *)bytes)[i], byte_at(output++));
	return len;
}

/* Starts the queue under test with the configuration of the guest's driver. */
static void start_device(struct guest *g, const struct virtio_queue_config *config)
{
	assert_int_equal(virtio_console_negotiate(&terminal.console, virtio_console_offered(&terminal.console)), 0);
	assert_int_equal(virtio_queue_init(&queue, inflight, GUEST_QUEUE_SIZE), 0);
	assert_int_equal(virtio_queue_start(&queue, config, &g->map), 0);
	/* The guest writes again the bytes that were not output before the reset. */
	written = output;
}

static void reset_device(struct guest *g)
{
	(void)g;
	virtio_console_reset(&terminal.console);
	virtio_queue_reset(&queue);
}

/* Starts a queue with its own memory, in which the driver makes nothing available. */
static void start_idle(void)
{
	static _Alignas(4096) uint8_t ram[4096];
	static struct virtio_region region = { .addr = 0, .len = sizeof ram, .host = ram };
	static struct virtio_memory_map map;
	static struct virtio_mock_slot slots[GUEST_QUEUE_SIZE];
	static struct virtio_mock mock;

	assert_int_equal(virtio_memory_map_init(&map, &region, 1), 0);
	assert_int_equal(virtio_mock_init(&mock, &map, 0, GUEST_QUEUE_SIZE, slots, GUEST_QUEUE_SIZE), 0);
	assert_int_equal(virtio_mock_create_queue(&mock, &idle, idle_inflight, GUEST_QUEUE_SIZE, &map), 0);
}

static void open_all(void)
{
	typed = arrived = written = output = 0;
	start_idle();
	assert_int_equal(terminal_open(&terminal, take_output, &terminal), 0);
}

static int serve(struct virtio_queue *receiveq, struct virtio_queue *transmitq)
{
	bool notify[2];
	const int got = terminal_serve(&terminal, receiveq, transmitq, notify);

	assert_in_range(got, 0, 1);
	assert_false(notify[receiveq == &queue]);
	if (notify[receiveq != &queue])
		guest_interrupt();
	return got;
}

/* Output */

static int run_output(struct guest *g)
{
	(void)g;
	return serve(&idle, &queue);
}

static uint32_t fill_output(struct guest *g, uint32_t number, uint64_t addr, struct virtio_mock_buffer *buffers)
{
	(void)g;
	for (uint32_t i = 0; i < bytes_of(number); i++)
		guest_host(addr)[i] = byte_at(written++);
	buffers[0] = (struct virtio_mock_buffer){ .addr = addr, .len = bytes_of(number) };
	return 1;
}

static void check_output(struct guest *g, uint32_t number, uint64_t addr, uint32_t len)
{
	(void)g;
	(void)number;
	(void)addr;
	assert_int_equal(len, 0);
}

static const struct guest_ops output_ops = { .drains = true,
					     .start = start_device,
					     .reset = reset_device,
					     .run = run_output,
					     .fill = fill_output,
					     .check = check_output };

static void terminal_prints_all_output_in_order(void **state)
{
	(void)state;
	open_all();
	guest_test_device(&output_ops);
	assert_true(output > 0);
	assert_int_equal(output, terminal.port.stats.transmitted);
}

/* Input */

/*
 * Enqueues as many bytes as the input buffer accepts, so the terminal always has more input than
 * the guest has room for.
 */
static int run_input(struct guest *g)
{
	bool wake;

	(void)g;
	while (virtio_console_input_available(&terminal.input) > 0) {
		const uint8_t byte = byte_at(typed);

		assert_int_equal(terminal_type(&terminal, &byte, 1, &wake), 1);
		typed++;
	}
	return serve(&queue, &idle);
}

static uint32_t fill_input(struct guest *g, uint32_t number, uint64_t addr, struct virtio_mock_buffer *buffers)
{
	(void)g;
	buffers[0] = (struct virtio_mock_buffer){ .addr = addr, .len = bytes_of(number), .flags = VRING_DESC_F_WRITE };
	return 1;
}

static void check_input(struct guest *g, uint32_t number, uint64_t addr, uint32_t len)
{
	(void)g;
	assert_int_equal(len, bytes_of(number));
	for (uint32_t i = 0; i < len; i++)
		assert_int_equal(guest_host(addr)[i], byte_at(arrived++));
}

static const struct guest_ops input_ops = { .drains = true,
					    .start = start_device,
					    .reset = reset_device,
					    .run = run_input,
					    .fill = fill_input,
					    .check = check_input };

static void terminal_passes_all_input_on_in_order(void **state)
{
	(void)state;
	open_all();
	guest_test_device(&input_ops);
	assert_true(arrived > 0);
	assert_int_equal(arrived, terminal.port.stats.received);
}

/* A keystroke in an empty input buffer wakes the terminal. */
static void terminal_type_wakes_a_waiting_terminal(void **state)
{
	bool wake = false;

	(void)state;
	open_all();
	guest_init(&input_ops);
	guest_start(true);
	assert_int_equal(serve(&queue, &idle), 0);
	assert_int_equal(terminal_type(&terminal, "x", 1, &wake), 1);
	assert_true(wake);
}

static void terminal_serve_reports_a_broken_ring(void **state)
{
	bool notify[2], wake;

	(void)state;
	open_all();
	guest_init(&input_ops);
	guest_start(true);
	assert_int_equal(terminal_type(&terminal, "x", 1, &wake), 1);
	guest_break_ring();
	assert_int_equal(terminal_serve(&terminal, &queue, &idle, notify), VIRTIO_EAVAILIDX);
	assert_false(virtio_console_input_is_empty(&terminal.input));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terminal_prints_all_output_in_order),
		cmocka_unit_test(terminal_passes_all_input_on_in_order),
		cmocka_unit_test(terminal_type_wakes_a_waiting_terminal),
		cmocka_unit_test(terminal_serve_reports_a_broken_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
