/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Ports that are added and removed, and the messages of the control queues. */
#include "console_fixture.h"

static struct console_fixture f;

static void add_named(uint32_t id, bool console, const char *name, uint32_t bytes)
{
	struct virtio_console_port_options options = console_port_options(&f, id, console);

	options.name = name;
	options.name_bytes = bytes;
	assert_int_equal(virtio_console_input_init(&f.input[id], f.input_bytes[id], CONSOLE_INPUT), 0);
	f.sinks[id] = (struct console_sink){ .limit = CONSOLE_OUTPUT };
	assert_int_equal(virtio_console_add_port(&f.console, id, &options), 0);
}

/* Makes a port ready, and pops the messages that follow until no message is pending. */
static void make_ready(uint32_t id)
{
	const struct virtio_mock_buffer buffer = WRITABLE(FIXTURE_DATA, 64);

	console_say(&f, id, VIRTIO_CONSOLE_PORT_READY, 1);
	while (virtio_console_control_pending(&f.console)) {
		(void)fixture_add(&f.control_rx, &buffer, 1);
		assert_int_equal(virtio_console_control_receive(&f.console, &f.control_rx.queue, &f.progress), 0);
		assert_true(console_used(&f.control_rx) >= 8);
	}
}

static void disconnect(uint32_t id)
{
	bool room = true;

	assert_int_equal(virtio_console_disconnect(&f.console, id, &room), 0);
	assert_false(room);
}

static void remove_port(uint32_t id)
{
	bool room = true;

	assert_int_equal(virtio_console_remove_port(&f.console, id, &room), 0);
	assert_false(room);
}

static void add_port_refuses_bad_options_and_numbers(void **state)
{
	const struct virtio_console_port_options good = console_port_options(&f, 1, false);
	struct virtio_console_port_options bad[9];
	struct virtio_console_input none = { 0 };
	struct virtio_console_port before;

	(void)state;
	console_setup(&f, FIXTURE_FLAT, true);
	assert_int_equal(virtio_console_input_init(&f.input[1], f.input_bytes[1], CONSOLE_INPUT), 0);
	for (uint32_t i = 0; i < COUNT(bad); i++)
		bad[i] = good;
	bad[0].input = NULL;
	bad[1].input = &none;
	bad[2].sink = NULL;
	bad[3].receive_segments = NULL;
	bad[4].receive_capacity = 0;
	bad[5].transmit_segments = NULL;
	bad[6].transmit_capacity = 0;
	bad[7].name_bytes = 1;
	bad[8].name = "x";
	bad[8].name_bytes = VIRTIO_CONSOLE_NAME_MAX + 1;
	memcpy(&before, &f.ports[1], sizeof before);
	for (uint32_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(virtio_console_add_port(&f.console, 1, &bad[i]), VIRTIO_EINVAL);
		assert_memory_equal(&f.ports[1], &before, sizeof before);
	}
	assert_int_equal(virtio_console_add_port(&f.console, CONSOLE_PORTS, &good), VIRTIO_EINVAL);
	assert_int_equal(virtio_console_add_port(&f.console, UINT32_MAX, &good), VIRTIO_EINVAL);
	assert_int_equal(virtio_console_add_port(&f.console, 1, &good), 0);
	memcpy(&before, &f.ports[1], sizeof before);
	assert_int_equal(virtio_console_add_port(&f.console, 1, &good), VIRTIO_EBUSY);
	assert_memory_equal(&f.ports[1], &before, sizeof before);
}

static void port_calls_refuse_ports_that_are_not_there(void **state)
{
	bool room = true;

	(void)state;
	console_setup(&f, FIXTURE_FLAT, true);
	for (uint32_t id = 1; id < 6; id++) {
		assert_int_equal(virtio_console_remove_port(&f.console, id, &room), VIRTIO_EINVAL);
		assert_int_equal(virtio_console_connect(&f.console, id), VIRTIO_EINVAL);
		assert_int_equal(virtio_console_disconnect(&f.console, id, &room), VIRTIO_EINVAL);
	}
	assert_true(room);
	assert_int_equal(virtio_console_disconnect(&f.console, 0, &room), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_console_connect(&f.console, 0), 0);
	assert_int_equal(virtio_console_connect(&f.console, 0), VIRTIO_EBUSY);
	assert_true(room);
}

/*
 * PORT_ADD follows DEVICE_READY. CONSOLE_PORT, PORT_NAME, PORT_OPEN and RESIZE follow PORT_READY,
 * in this order.
 */
static void control_messages_come_in_their_order(void **state)
{
	const uint8_t size[] = { 80, 0, 0x2c, 1 };

	console_setup(&f, fixture_kind(state), true);
	add_named(2, true, "org.tty", 7);
	assert_int_equal(virtio_console_resize(&f.console, 2, 80, 300), 0);
	console_expect_nothing(&f);
	console_say(&f, 99, VIRTIO_CONSOLE_DEVICE_READY, 1);
	assert_int_equal(f.event_count, 1);
	assert_int_equal(f.events[0].id, 0);
	assert_int_equal(f.events[0].event, VIRTIO_CONSOLE_DEVICE_READY);
	assert_int_equal(f.events[0].value, 1);
	console_expect(&f, 0, VIRTIO_CONSOLE_PORT_ADD, 0);
	console_expect(&f, 2, VIRTIO_CONSOLE_PORT_ADD, 0);
	console_expect_nothing(&f);
	console_say(&f, 2, VIRTIO_CONSOLE_PORT_READY, 1);
	assert_int_equal(f.events[1].id, 2);
	assert_int_equal(f.events[1].event, VIRTIO_CONSOLE_PORT_READY);
	console_expect(&f, 2, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
	console_expect_message(&f, 2, VIRTIO_CONSOLE_PORT_NAME, 0, "org.tty", 7);
	/* Hostile 217: firmware waits for PORT_OPEN. */
	console_expect(&f, 2, VIRTIO_CONSOLE_PORT_OPEN, 1);
	console_expect_message(&f, 2, VIRTIO_CONSOLE_RESIZE, 0, size, 4);
	console_expect_nothing(&f);
	assert_int_equal(f.console.stats.sent, 6);
	assert_int_equal(f.console.stats.taken, 2);
}

static void control_port_without_a_client_is_not_opened(void **state)
{
	console_setup(&f, fixture_kind(state), true);
	add_named(1, false, NULL, 0);
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	console_expect_nothing(&f);
	assert_int_equal(virtio_console_connect(&f.console, 1), 0);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	disconnect(1);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	console_expect_nothing(&f);
}

/* Hostile 181 and 214: Linux sends PORT_READY without DEVICE_READY when it resumes. */
static void control_answers_port_ready_without_device_ready(void **state)
{
	console_setup(&f, fixture_kind(state), true);
	add_named(1, false, "port", 4);
	assert_int_equal(virtio_console_connect(&f.console, 1), 0);
	console_say(&f, 1, VIRTIO_CONSOLE_DEVICE_READY, 1);
	console_expect(&f, 0, VIRTIO_CONSOLE_PORT_ADD, 0);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_ADD, 0);
	make_ready(1);
	virtio_console_reset(&f.console);
	assert_int_equal(virtio_console_negotiate(&f.console, virtio_console_offered(&f.console)), 0);
	console_expect_nothing(&f);
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	console_say(&f, 3, VIRTIO_CONSOLE_PORT_READY, 1);
	console_expect_message(&f, 1, VIRTIO_CONSOLE_PORT_NAME, 0, "port", 4);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	console_expect_nothing(&f);
	assert_int_equal(f.console.stats.ignored, 1);
	/*
	 * A driver that has resumed gets PORT_ADD only for ports that it does not know yet.
	 */
	console_add(&f, 2, false);
	console_expect(&f, 2, VIRTIO_CONSOLE_PORT_ADD, 0);
	console_say(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	console_expect(&f, 0, VIRTIO_CONSOLE_PORT_ADD, 0);
	console_expect_nothing(&f);
}

static void control_answers_port_ready_each_time(void **state)
{
	console_setup(&f, fixture_kind(state), true);
	console_say(&f, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	for (uint32_t i = 0; i < 3; i++) {
		console_say(&f, 0, VIRTIO_CONSOLE_PORT_READY, 1);
		console_say(&f, 0, VIRTIO_CONSOLE_PORT_READY, 1);
		console_expect(&f, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
		console_expect(&f, 0, VIRTIO_CONSOLE_PORT_OPEN, 1);
		console_expect_nothing(&f);
	}
}

/* A PORT_READY gets its replies even if a new client connects before the replies are sent. */
static void control_answers_port_ready_though_a_client_comes(void **state)
{
	console_setup(&f, fixture_kind(state), true);
	make_ready(0);
	console_say(&f, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	assert_int_equal(virtio_console_connect(&f.console, 0), 0);
	console_expect(&f, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
	console_expect(&f, 0, VIRTIO_CONSOLE_PORT_OPEN, 1);
	console_expect_nothing(&f);
}

static void control_driver_that_failed_is_told_no_more(void **state)
{
	console_setup(&f, fixture_kind(state), true);
	console_say(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 0);
	console_expect_nothing(&f);
	console_say(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	console_say(&f, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	console_say(&f, 0, VIRTIO_CONSOLE_PORT_READY, 0);
	console_expect(&f, 0, VIRTIO_CONSOLE_PORT_ADD, 0);
	console_expect_nothing(&f);
	assert_int_equal(virtio_console_resize(&f.console, 0, 1, 1), 1);
	console_expect_nothing(&f);
	assert_int_equal(f.events[3].event, VIRTIO_CONSOLE_PORT_READY);
	assert_int_equal(f.events[3].value, 0);
}

/* Hostile 143, 145, 179, 180, 181 and 182: the device ignores messages without a meaning. */
static void control_ignores_messages_that_make_no_sense(void **state)
{
	const uint16_t from_device[] = { VIRTIO_CONSOLE_PORT_ADD,
					 VIRTIO_CONSOLE_PORT_REMOVE,
					 VIRTIO_CONSOLE_CONSOLE_PORT,
					 VIRTIO_CONSOLE_RESIZE,
					 VIRTIO_CONSOLE_PORT_NAME,
					 8,
					 0xffff };
	const uint32_t no_port[] = { 1, CONSOLE_PORTS, UINT32_MAX };
	const uint8_t open[8] = { 0, 0, 0, 0, VIRTIO_CONSOLE_PORT_OPEN, 0, 1, 0 };
	uint64_t ignored = 0;

	console_setup(&f, fixture_kind(state), true);
	for (uint32_t i = 0; i < COUNT(from_device); i++, ignored++)
		console_say(&f, 0, from_device[i], 1);
	for (uint32_t i = 0; i < COUNT(no_port); i++, ignored += 2) {
		console_say(&f, no_port[i], VIRTIO_CONSOLE_PORT_READY, 1);
		console_say(&f, no_port[i], VIRTIO_CONSOLE_PORT_OPEN, 1);
	}
	console_say(&f, 0, VIRTIO_CONSOLE_PORT_READY, 2);
	console_say(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 0xffff);
	console_say_bytes(&f, open, 0);
	console_say_bytes(&f, open, 2);
	console_say_bytes(&f, open, 7);
	ignored += 5;
	assert_int_equal(f.console.stats.ignored, ignored);
	assert_int_equal(f.console.stats.taken, 0);
	assert_int_equal(f.event_count, 0);
	assert_int_equal(f.ports[0].guest_open, 0);
	console_expect_nothing(&f);
}

/* Hostile 179, last part: bytes after a message are ignored. */
static void control_ignores_bytes_behind_a_message(void **state)
{
	const uint8_t open[20] = { 0, 0, 0, 0, VIRTIO_CONSOLE_PORT_OPEN, 0, 1, 0, 7, 7, 7 };

	console_setup(&f, fixture_kind(state), true);
	console_say(&f, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	console_say_bytes(&f, open, sizeof open);
	assert_int_equal(f.ports[0].guest_open, 1);
	assert_int_equal(f.event_count, 2);
	assert_int_equal(f.events[1].event, VIRTIO_CONSOLE_PORT_OPEN);
	assert_int_equal(f.events[1].value, 1);
}

static void control_accepts_a_message_in_any_layout(void **state)
{
	const uint8_t open[8] = { 0, 0, 0, 0, VIRTIO_CONSOLE_PORT_OPEN, 0, 1, 0 };
	const struct virtio_mock_buffer cut[] = { READABLE(FIXTURE_DATA, 3), READABLE(FIXTURE_DATA + 3, 1),
						  READABLE(FIXTURE_DATA + 4, 4) };
	const struct virtio_mock_buffer pieces[] = { WRITABLE(FIXTURE_DATA, 1), WRITABLE(FIXTURE_DATA + 1, 5),
						     WRITABLE(FIXTURE_DATA + 6, 2) };
	uint8_t bytes[8];

	console_setup(&f, fixture_kind(state), true);
	make_ready(0);
	fixture_write(&f.control_tx, FIXTURE_DATA, open, sizeof open);
	(void)fixture_add(&f.control_tx, cut, 3);
	assert_int_equal(virtio_console_control_transmit(&f.console, &f.control_tx.queue, &f.progress), 0);
	assert_int_equal(f.ports[0].guest_open, 1);
	assert_int_equal(f.progress.bytes, 8);
	console_add(&f, 1, false);
	console_say(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	(void)fixture_add(&f.control_rx, pieces, 3);
	assert_int_equal(virtio_console_control_receive(&f.console, &f.control_rx.queue, &f.progress), 0);
	assert_int_equal(console_used(&f.control_rx), 8);
	fixture_read(&f.control_rx, FIXTURE_DATA, bytes, sizeof bytes);
	assert_memory_equal(bytes, ((uint8_t[8]){ 1, 0, 0, 0, VIRTIO_CONSOLE_PORT_ADD }), 8);
}

static void control_completes_misdirected_and_malformed_chains(void **state)
{
	const struct virtio_mock_buffer readable = READABLE(FIXTURE_DATA, 64), writable = WRITABLE(FIXTURE_DATA, 64);
	const struct virtio_mock_buffer bad_in = WRITABLE(FIXTURE_END - 4, 64), bad_out = READABLE(FIXTURE_END - 4, 64);

	console_setup(&f, fixture_kind(state), true);
	(void)fixture_add(&f.control_tx, &writable, 1);
	(void)fixture_add(&f.control_tx, &bad_out, 1);
	assert_int_equal(virtio_console_control_transmit(&f.console, &f.control_tx.queue, &f.progress), 0);
	assert_int_equal(f.progress.chains, 2);
	assert_int_equal(f.console.stats.misdirected, 1);
	assert_int_equal(f.console.stats.malformed, 1);
	assert_int_equal(f.console.stats.ignored, 0);
	console_say(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	(void)fixture_add(&f.control_rx, &readable, 1);
	(void)fixture_add(&f.control_rx, &bad_in, 1);
	assert_int_equal(virtio_console_control_receive(&f.console, &f.control_rx.queue, &f.progress), 0);
	assert_int_equal(console_used(&f.control_rx), 0);
	assert_int_equal(console_used(&f.control_rx), 0);
	assert_int_equal(f.console.stats.misdirected, 2);
	assert_int_equal(f.console.stats.malformed, 2);
	assert_int_equal(f.console.stats.sent, 0);
	console_expect(&f, 0, VIRTIO_CONSOLE_PORT_ADD, 0);
}

static void control_message_waits_for_a_chain_with_room(void **state)
{
	const struct virtio_mock_buffer small = WRITABLE(FIXTURE_DATA, 7);

	console_setup(&f, fixture_kind(state), true);
	console_say(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	(void)fixture_add(&f.control_rx, &small, 1);
	assert_int_equal(virtio_console_control_receive(&f.console, &f.control_rx.queue, &f.progress), 0);
	assert_int_equal(console_used(&f.control_rx), 0);
	console_expect_bytes(&f.control_rx, FIXTURE_DATA, "\xa5\xa5\xa5\xa5");
	assert_int_equal(f.console.stats.too_short, 1);
	assert_true(virtio_console_control_pending(&f.console));
	console_expect(&f, 0, VIRTIO_CONSOLE_PORT_ADD, 0);
}

static void control_name_without_room_does_not_hold_up_what_follows(void **state)
{
	const struct virtio_mock_buffer small = WRITABLE(FIXTURE_DATA, 11);

	console_setup(&f, fixture_kind(state), true);
	add_named(1, false, "name", 4);
	assert_int_equal(virtio_console_connect(&f.console, 1), 0);
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	(void)fixture_add(&f.control_rx, &small, 1);
	assert_int_equal(virtio_console_control_receive(&f.console, &f.control_rx.queue, &f.progress), 0);
	assert_int_equal(console_used(&f.control_rx), 0);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	console_expect_nothing(&f);
}

static void control_calls_report_their_limit_and_broken_rings(void **state)
{
	(void)state;
	console_setup(&f, FIXTURE_FLAT, true);
	for (uint32_t i = 0; i < CONSOLE_QUEUE; i++) {
		const struct virtio_mock_buffer one = READABLE(FIXTURE_DATA, 1);

		(void)fixture_add(&f.control_tx, &one, 1);
	}
	assert_int_equal(virtio_console_control_transmit(&f.console, &f.control_tx.queue, &f.progress), 0);
	assert_int_equal(f.progress.chains, CONSOLE_QUEUE);
	assert_true(f.progress.more);
	assert_true(f.progress.notify);
	fixture_offer_head(&f.control_tx, 77);
	assert_int_equal(virtio_console_control_transmit(&f.console, &f.control_tx.queue, &f.progress), VIRTIO_EHEAD);
	console_add(&f, 1, false);
	virtio_queue_reset(&f.control_tx.queue);
	assert_int_equal(virtio_console_control_transmit(&f.console, &f.control_tx.queue, &f.progress),
			 VIRTIO_ENOTREADY);
	assert_int_equal(virtio_mock_reset(&f.control_tx.mock), 0);
	fixture_start(&f.control_tx);
	console_say(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	fixture_offer_head(&f.control_rx, 77);
	assert_int_equal(virtio_console_control_receive(&f.console, &f.control_rx.queue, &f.progress), VIRTIO_EHEAD);
	virtio_queue_reset(&f.control_rx.queue);
	assert_int_equal(virtio_console_control_receive(&f.console, &f.control_rx.queue, &f.progress),
			 VIRTIO_ENOTREADY);
	assert_true(virtio_console_control_pending(&f.console));
}

/* A call completes at most as many chains as the queue has entries, although a message waits. */
static void control_receive_reports_its_limit(void **state)
{
	const struct virtio_mock_buffer short_one = WRITABLE(FIXTURE_DATA, 1);

	(void)state;
	console_setup(&f, FIXTURE_FLAT, true);
	console_say(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	for (uint32_t i = 0; i < CONSOLE_QUEUE; i++)
		(void)fixture_add(&f.control_rx, &short_one, 1);
	assert_int_equal(virtio_console_control_receive(&f.console, &f.control_rx.queue, &f.progress), 0);
	assert_int_equal(f.progress.chains, CONSOLE_QUEUE);
	assert_true(f.progress.more);
}

static void control_retries_an_unmapped_page(void **state)
{
	const struct virtio_mock_buffer in = WRITABLE(FIXTURE_DATA + 32, 16), out = READABLE(FIXTURE_DATA, 8);
	const uint8_t ready[8] = { 0, 0, 0, 0, VIRTIO_CONSOLE_DEVICE_READY, 0, 1, 0 };

	(void)state;
	console_setup(&f, FIXTURE_CHANGING, true);
	f.control_tx.rewriting = f.control_rx.rewriting = false;
	f.control_tx.bad_start = FIXTURE_DATA;
	f.control_tx.bad_end = FIXTURE_DATA + 16;
	f.control_tx.bad_error = VIRTIO_ENOTMAPPED;
	fixture_write(&f.control_tx, FIXTURE_DATA, ready, sizeof ready);
	(void)fixture_add(&f.control_tx, &out, 1);
	assert_int_equal(virtio_console_control_transmit(&f.console, &f.control_tx.queue, &f.progress),
			 VIRTIO_ENOTMAPPED);
	assert_int_equal(f.event_count, 0);
	/*
	 * Now the entry of the used ring is not mapped. The message is handled only once, when its
	 * chain can be completed.
	 */
	f.control_tx.bad_start = virtio_mock_used_entry_addr(&f.control_tx.mock, 0);
	f.control_tx.bad_end = f.control_tx.bad_start + 8;
	assert_int_equal(virtio_console_control_transmit(&f.console, &f.control_tx.queue, &f.progress),
			 VIRTIO_ENOTMAPPED);
	assert_int_equal(f.event_count, 0);
	f.control_tx.bad_error = 0;
	assert_int_equal(virtio_console_control_transmit(&f.console, &f.control_tx.queue, &f.progress), 0);
	assert_int_equal(f.event_count, 1);
	f.control_rx.bad_start = virtio_mock_used_entry_addr(&f.control_rx.mock, 0);
	f.control_rx.bad_end = f.control_rx.bad_start + 8;
	f.control_rx.bad_error = VIRTIO_ENOTMAPPED;
	(void)fixture_add(&f.control_rx, &in, 1);
	assert_int_equal(virtio_console_control_receive(&f.console, &f.control_rx.queue, &f.progress),
			 VIRTIO_ENOTMAPPED);
	assert_true(virtio_console_control_pending(&f.console));
	f.control_rx.bad_error = 0;
	assert_int_equal(virtio_console_control_receive(&f.console, &f.control_rx.queue, &f.progress), 0);
	assert_int_equal(console_used(&f.control_rx), 8);
	console_expect_nothing(&f);
}

/* The event function is optional. */
static void control_accepts_messages_without_an_event_function(void **state)
{
	(void)state;
	console_setup(&f, FIXTURE_FLAT, true);
	f.console.options.event = NULL;
	console_say(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	assert_int_equal(f.event_count, 0);
	console_expect(&f, 0, VIRTIO_CONSOLE_PORT_ADD, 0);
}

/* Hostile 144: without MULTIPORT the control queues do nothing. */
static void control_queues_do_nothing_without_multiport(void **state)
{
	const struct virtio_mock_buffer out = READABLE(FIXTURE_DATA, 8);

	console_setup(&f, fixture_kind(state), true);
	console_say(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	assert_true(virtio_console_control_pending(&f.console));
	assert_int_equal(virtio_console_negotiate(&f.console, 0), 0);
	(void)fixture_add(&f.control_tx, &out, 1);
	fixture_save(&f.control_tx);
	assert_int_equal(virtio_console_control_transmit(&f.console, &f.control_tx.queue, &f.progress), 0);
	assert_int_equal(virtio_console_control_receive(&f.console, &f.control_rx.queue, &f.progress), 0);
	assert_false(virtio_console_control_pending(&f.console));
	assert_true(fixture_unchanged(&f.control_tx));
	assert_int_equal(f.progress.chains, 0);
}

/*
 * Hostile 147, last part: a new RESIZE replaces an unsent RESIZE. In the message cols precedes
 * rows.
 */
static void control_resize_sends_the_latest_size(void **state)
{
	const uint8_t last[] = { 0x34, 0x12, 0x78, 0x56 };

	console_setup(&f, fixture_kind(state), true);
	make_ready(0);
	assert_int_equal(virtio_console_resize(&f.console, 0, 10, 20), 1);
	assert_int_equal(virtio_console_resize(&f.console, 0, 0x1234, 0x5678), 1);
	console_expect_message(&f, 0, VIRTIO_CONSOLE_RESIZE, 0, last, 4);
	console_expect_nothing(&f);
	assert_int_equal(virtio_console_resize(&f.console, 0, 0x1234, 0x5678), 0);
	console_expect_nothing(&f);
}

/*
 * Hostile 216: if a new client replaces a client, the guest gets a close and an open. The guest
 * gets no input of the old client.
 */
static void control_change_of_client_is_a_close_and_an_open(void **state)
{
	const struct virtio_mock_buffer buffer = WRITABLE(FIXTURE_DATA, 32);
	struct virtio_console_port_stats stats;

	console_setup(&f, fixture_kind(state), true);
	console_add(&f, 1, false);
	assert_int_equal(virtio_console_connect(&f.console, 1), 0);
	make_ready(1);
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	console_type(&f, 1, "half a mess");
	disconnect(1);
	assert_int_equal(virtio_console_connect(&f.console, 1), 0);
	console_type(&f, 1, "new");
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	console_expect_nothing(&f);
	(void)fixture_add(&f.rx, &buffer, 1);
	assert_int_equal(console_receive(&f, 1), 0);
	assert_int_equal(console_used(&f.rx), 3);
	console_expect_bytes(&f.rx, FIXTURE_DATA, "new");
	assert_int_equal(virtio_console_get_port_stats(&f.console, 1, &stats), 0);
	assert_int_equal(stats.dropped, 11);
}

static void control_clients_that_the_driver_never_saw_are_not_told(void **state)
{
	console_setup(&f, fixture_kind(state), true);
	console_add(&f, 1, false);
	make_ready(1);
	assert_int_equal(virtio_console_connect(&f.console, 1), 0);
	disconnect(1);
	console_expect_nothing(&f);
	/*
	 * Many clients connect and disconnect between two messages. The guest gets only the first
	 * open and the last close.
	 */
	assert_int_equal(virtio_console_connect(&f.console, 1), 0);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	for (uint32_t i = 0; i < 9; i++) {
		disconnect(1);
		assert_int_equal(virtio_console_connect(&f.console, 1), 0);
	}
	disconnect(1);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	console_expect_nothing(&f);
}

static void control_console_stays_open_without_a_client(void **state)
{
	struct virtio_console_port_stats stats;

	console_setup(&f, fixture_kind(state), true);
	assert_int_equal(virtio_console_connect(&f.console, 0), 0);
	make_ready(0);
	console_type(&f, 0, "old");
	disconnect(0);
	assert_int_equal(virtio_console_connect(&f.console, 0), 0);
	console_expect_nothing(&f);
	assert_int_equal(virtio_console_get_port_stats(&f.console, 0, &stats), 0);
	assert_int_equal(stats.dropped, 3);
}

static void control_disconnect_wakes_a_producer_that_waits(void **state)
{
	char text[CONSOLE_INPUT + 1];
	bool wake, room = false;

	(void)state;
	console_setup(&f, FIXTURE_FLAT, true);
	memset(text, 'x', sizeof text);
	assert_int_equal(virtio_console_connect(&f.console, 0), 0);
	assert_int_equal(virtio_console_input_enqueue(&f.input[0], text, sizeof text, &wake), CONSOLE_INPUT);
	assert_int_equal(virtio_console_disconnect(&f.console, 0, &room), 0);
	assert_true(room);
	room = false;
	assert_int_equal(virtio_console_input_enqueue(&f.input[0], text, sizeof text, &wake), CONSOLE_INPUT);
	assert_int_equal(virtio_console_remove_port(&f.console, 0, &room), 0);
	assert_true(room);
}

static void control_removes_only_what_was_added(void **state)
{
	console_setup(&f, fixture_kind(state), true);
	console_add(&f, 1, false);
	console_add(&f, 2, false);
	console_say(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	console_expect(&f, 0, VIRTIO_CONSOLE_PORT_ADD, 0);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_ADD, 0);
	remove_port(1);
	remove_port(2);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_REMOVE, 0);
	console_expect_nothing(&f);
	/* Messages for removed ports have no effect. */
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	console_expect_nothing(&f);
	assert_int_equal(f.console.stats.ignored, 1);
}

static void control_port_that_comes_again_is_removed_first(void **state)
{
	console_setup(&f, fixture_kind(state), true);
	console_add(&f, 1, false);
	console_say(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	console_expect(&f, 0, VIRTIO_CONSOLE_PORT_ADD, 0);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_ADD, 0);
	make_ready(1);
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	remove_port(1);
	add_named(1, false, "b", 1);
	assert_int_equal(f.ports[1].guest_open, 0);
	/* The driver sends these messages for the old port, because it has not seen REMOVE. */
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(f.ports[1].guest_open, 0);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_REMOVE, 0);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_ADD, 0);
	console_expect_nothing(&f);
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	console_expect_message(&f, 1, VIRTIO_CONSOLE_PORT_NAME, 0, "b", 1);
	/*
	 * The port is replaced twice while the driver has no buffer. Then the driver gets one
	 * REMOVE and one ADD.
	 */
	remove_port(1);
	console_add(&f, 1, false);
	remove_port(1);
	console_add(&f, 1, false);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_REMOVE, 0);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_ADD, 0);
	console_expect_nothing(&f);
}

/*
 * The driver has sent messages for the old port before it has seen REMOVE. The messages arrive
 * after the device has sent REMOVE and ADD, and must not open the new port.
 */
static void control_port_is_opened_only_after_its_port_ready(void **state)
{
	console_setup(&f, fixture_kind(state), true);
	console_add(&f, 1, false);
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(f.ports[1].guest_open, 0);
	make_ready(1);
	remove_port(1);
	console_add(&f, 1, false);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_REMOVE, 0);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_ADD, 0);
	f.event_count = 0;
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(f.ports[1].guest_open, 0);
	assert_int_equal(f.event_count, 0);
	assert_int_equal(f.console.stats.ignored, 2);
	/* The first two messages are for the old port. The second PORT_READY replies to ADD. */
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	assert_int_equal(f.ports[1].guest_open, 0);
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(f.ports[1].guest_open, 1);
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_READY, 0);
	assert_int_equal(f.ports[1].guest_open, 0);
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(f.ports[1].guest_open, 0);
	assert_int_equal(f.console.stats.ignored, 3);
}

/*
 * Until the driver sends PORT_READY for the new port, the driver's output belongs to the old port,
 * and must not appear at the new port.
 */
static void control_port_has_no_output_of_the_one_before(void **state)
{
	struct virtio_console_port_state saved;

	console_setup(&f, fixture_kind(state), true);
	console_add(&f, 1, false);
	/* The driver never knew this port, so the next port need not drop any output. */
	remove_port(1);
	console_add(&f, 1, false);
	console_send(&f, FIXTURE_DATA, "early");
	assert_int_equal(console_transmit(&f, 1), 0);
	console_expect_output(&f, 1, "early");
	make_ready(1);
	remove_port(1);
	console_add(&f, 1, false);
	console_send(&f, FIXTURE_DATA, "old 1");
	assert_int_equal(console_transmit(&f, 1), 0);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_REMOVE, 0);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_ADD, 0);
	console_send(&f, FIXTURE_DATA, "old 2");
	assert_int_equal(console_transmit(&f, 1), 0);
	assert_int_equal(virtio_console_save_port(&f.console, 1, &saved), 0);
	assert_int_equal(saved.flags & VIRTIO_CONSOLE_PORT_AWAITS_READY, VIRTIO_CONSOLE_PORT_AWAITS_READY);
	f.ports[1].awaits_ready = 0;
	assert_int_equal(virtio_console_restore_port(&f.console, &saved), 0);
	console_send(&f, FIXTURE_DATA, "old 3");
	assert_int_equal(console_transmit(&f, 1), 0);
	console_expect_output(&f, 1, "");
	assert_int_equal(f.ports[1].stats.transmit_discarded, 3);
	make_ready(1);
	console_send(&f, FIXTURE_DATA, "new");
	assert_int_equal(console_transmit(&f, 1), 0);
	console_expect_output(&f, 1, "new");
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(console_used(&f.tx), 0);
	/* After a reset the next driver does not know the old port. */
	remove_port(1);
	console_add(&f, 1, false);
	virtio_console_reset(&f.console);
	assert_int_equal(virtio_console_negotiate(&f.console, virtio_console_offered(&f.console)), 0);
	console_send(&f, FIXTURE_DATA, "first");
	assert_int_equal(console_transmit(&f, 1), 0);
	console_expect_output(&f, 1, "first");
}

/* Before PORT_READY the driver would discard the input as input of the old port. */
static void control_console_has_no_input_before_its_port_ready(void **state)
{
	const struct virtio_mock_buffer buffer = WRITABLE(FIXTURE_DATA, 32);

	console_setup(&f, fixture_kind(state), true);
	make_ready(0);
	remove_port(0);
	console_add(&f, 0, true);
	console_type(&f, 0, "keys");
	(void)fixture_add(&f.rx, &buffer, 1);
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(f.progress.chains, 0);
	console_expect(&f, 0, VIRTIO_CONSOLE_PORT_REMOVE, 0);
	console_expect(&f, 0, VIRTIO_CONSOLE_PORT_ADD, 0);
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(f.progress.chains, 0);
	console_say(&f, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(console_used(&f.rx), 4);
	console_expect_bytes(&f.rx, FIXTURE_DATA, "keys");
}

/*
 * Hostile 218: the driver floods the device with PORT_READY and PORT_OPEN. The number of pending
 * messages does not grow.
 */
static void control_flood_of_messages_leaves_one_answer(void **state)
{
	(void)state;
	console_setup(&f, FIXTURE_FLAT, true);
	add_named(1, false, "x", 1);
	assert_int_equal(virtio_console_connect(&f.console, 1), 0);
	for (uint32_t i = 0; i < 10; i++) {
		f.event_count = 0;
		console_say(&f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
		console_say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, i % 2);
	}
	console_expect_message(&f, 1, VIRTIO_CONSOLE_PORT_NAME, 0, "x", 1);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	console_expect_nothing(&f);
}

static void control_reset_forgets_what_was_said(void **state)
{
	console_setup(&f, fixture_kind(state), true);
	console_add(&f, 1, false);
	assert_int_equal(virtio_console_connect(&f.console, 1), 0);
	make_ready(1);
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	console_say(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	virtio_console_reset(&f.console);
	assert_int_equal(f.console.negotiated, 0);
	assert_int_equal(virtio_console_negotiate(&f.console, virtio_console_offered(&f.console)), 0);
	console_expect_nothing(&f);
	assert_int_equal(f.ports[1].guest_open, 0);
	console_say(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	console_expect(&f, 0, VIRTIO_CONSOLE_PORT_ADD, 0);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_ADD, 0);
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	/* OPEN follows, because the client is still connected. */
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(add_port_refuses_bad_options_and_numbers),
		cmocka_unit_test(port_calls_refuse_ports_that_are_not_there),
		FIXTURE_ON_ALL(control_messages_come_in_their_order),
		FIXTURE_ON_ALL(control_port_without_a_client_is_not_opened),
		FIXTURE_ON_ALL(control_answers_port_ready_without_device_ready),
		FIXTURE_ON_ALL(control_answers_port_ready_each_time),
		FIXTURE_ON_ALL(control_answers_port_ready_though_a_client_comes),
		FIXTURE_ON_ALL(control_driver_that_failed_is_told_no_more),
		FIXTURE_ON_ALL(control_ignores_messages_that_make_no_sense),
		FIXTURE_ON_ALL(control_ignores_bytes_behind_a_message),
		FIXTURE_ON_ALL(control_accepts_a_message_in_any_layout),
		FIXTURE_ON_ALL(control_completes_misdirected_and_malformed_chains),
		FIXTURE_ON_ALL(control_message_waits_for_a_chain_with_room),
		FIXTURE_ON_ALL(control_name_without_room_does_not_hold_up_what_follows),
		cmocka_unit_test(control_calls_report_their_limit_and_broken_rings),
		cmocka_unit_test(control_receive_reports_its_limit),
		cmocka_unit_test(control_retries_an_unmapped_page),
		cmocka_unit_test(control_accepts_messages_without_an_event_function),
		FIXTURE_ON_ALL(control_queues_do_nothing_without_multiport),
		FIXTURE_ON_ALL(control_resize_sends_the_latest_size),
		FIXTURE_ON_ALL(control_change_of_client_is_a_close_and_an_open),
		FIXTURE_ON_ALL(control_clients_that_the_driver_never_saw_are_not_told),
		FIXTURE_ON_ALL(control_console_stays_open_without_a_client),
		cmocka_unit_test(control_disconnect_wakes_a_producer_that_waits),
		FIXTURE_ON_ALL(control_removes_only_what_was_added),
		FIXTURE_ON_ALL(control_port_that_comes_again_is_removed_first),
		FIXTURE_ON_ALL(control_port_is_opened_only_after_its_port_ready),
		FIXTURE_ON_ALL(control_port_has_no_output_of_the_one_before),
		FIXTURE_ON_ALL(control_console_has_no_input_before_its_port_ready),
		cmocka_unit_test(control_flood_of_messages_leaves_one_answer),
		FIXTURE_ON_ALL(control_reset_forgets_what_was_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
