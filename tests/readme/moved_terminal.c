/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The saved state of virtio-console's README: a terminal continues in the middle of an output, and
 * keeps its input.
 */
#include "readme_moved_terminal.h"

#include "cmocka_includes.h"

#include "guest.h"

#include <string.h>

struct side {
	struct virtio_console console;
	struct virtio_console_port port;
	struct virtio_console_input input;
	uint8_t bytes[64];
	struct virtio_segment segments[2][GUEST_QUEUE_SIZE];
	struct virtio_queue transmit;
	struct virtio_inflight inflight[GUEST_QUEUE_SIZE];
	char output[64];
	size_t length, room;
};

static size_t sink(void *context, const void *bytes, size_t len)
{
	struct side *s = context;
	const size_t n = len < s->room ? len : s->room;

	memcpy(s->output + s->length, bytes, n);
	s->length += n;
	s->room -= n;
	return n;
}

static void make(struct side *s, size_t room)
{
	const struct virtio_console_options options = { .ports = &s->port, .port_count = 1 };
	const struct virtio_console_port_options port = {
		.console = true,
		.input = &s->input,
		.sink = sink,
		.sink_context = s,
		.receive_segments = s->segments[0],
		.receive_capacity = GUEST_QUEUE_SIZE,
		.transmit_segments = s->segments[1],
		.transmit_capacity = GUEST_QUEUE_SIZE,
	};

	memset(s, 0, sizeof *s);
	s->room = room;
	assert_int_equal(virtio_console_input_init(&s->input, s->bytes, sizeof s->bytes), 0);
	assert_int_equal(virtio_console_init(&s->console, &options), 0);
	assert_int_equal(virtio_console_add_port(&s->console, 0, &port), 0);
	assert_int_equal(virtio_queue_init(&s->transmit, s->inflight, GUEST_QUEUE_SIZE), 0);
}

static void transmit(struct side *s)
{
	struct virtio_console_progress progress;

	assert_int_equal(virtio_console_transmit(&s->console, 0, &s->transmit, &progress), 0);
}

static void moved_terminal_goes_on_in_the_middle(void **state)
{
	static const struct virtio_mock_buffer buffer = { .addr = GUEST_DATA, .len = 10 };
	static struct side from, to;
	static struct moved moved;
	struct virtio_queue_flight record[GUEST_QUEUE_SIZE];
	struct virtio_queue_state queue;
	struct virtio_queue_config config;
	struct virtio_section_writer writer;
	struct virtio_section_reader reader;
	uint8_t bytes[256], input[8];
	uint32_t count;
	bool wake;

	(void)state;
	guest_init(&(const struct guest_ops){ .polls = true });
	virtio_mock_fill_config(&guest.mock, &config);
	make(&from, 4);
	assert_int_equal(virtio_queue_start(&from.transmit, &config, &guest.map), 0);
	memcpy(guest_host(GUEST_DATA), "0123456789", 10);
	assert_true(virtio_mock_add(&guest.mock, &buffer, 1) >= 0);
	transmit(&from);
	assert_int_equal(virtio_console_input_enqueue(&from.input, "typed", 5, &wake), 5);

	virtio_section_writer_init(&writer, bytes, sizeof bytes);
	moved_write(&writer, &from.console);
	assert_int_equal(virtio_queue_save_in_flight(&from.transmit, &queue, record, GUEST_QUEUE_SIZE, &count), 0);

	make(&to, 100);
	virtio_section_reader_init(&reader, bytes, 0, writer.length);
	assert_int_equal(moved_read(&reader, &to.console, &moved), 0);
	assert_int_equal(virtio_section_reader_end(&reader), 0);
	assert_int_equal(virtio_queue_restore(&to.transmit, &queue, &guest.map), 0);
	assert_int_equal(moved_restore(&to.console, &to.input, &moved, &to.transmit, record, 0), VIRTIO_EINVAL);
	assert_int_equal(moved_restore(&to.console, &to.input, &moved, &to.transmit, record, count), 0);
	transmit(&to);
	assert_int_equal(from.length, 4);
	assert_memory_equal(from.output, "0123", 4);
	assert_int_equal(to.length, 6);
	assert_memory_equal(to.output, "456789", 6);
	assert_int_equal(virtio_console_input_peek(&to.input, input, sizeof input), 5);
	assert_memory_equal(input, "typed", 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(moved_terminal_goes_on_in_the_middle) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
