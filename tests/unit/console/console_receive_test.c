/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Receive: from the input buffer of a port into the driver's chains. */
#include "console_fixture.h"

static struct console_fixture f;

static void add_buffer(uint64_t addr, uint32_t len)
{
	const struct virtio_mock_buffer buffer = WRITABLE(addr, len);

	(void)fixture_add(&f.rx, &buffer, 1);
}

static struct virtio_console_port_stats stats(void)
{
	struct virtio_console_port_stats out;

	assert_int_equal(virtio_console_get_port_stats(&f.console, 0, &out), 0);
	return out;
}

/* Any input completes a chain at once, although the chain has more room. */
static void receive_fills_a_chain_with_what_is_there(void **state)
{
	console_setup(&f, fixture_kind(state), false);
	add_buffer(FIXTURE_DATA, 16);
	add_buffer(FIXTURE_DATA + 16, 16);
	assert_true(console_type(&f, 0, "k"));
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(f.progress.bytes, 1);
	assert_int_equal(f.progress.chains, 1);
	assert_true(f.progress.notify);
	assert_false(f.progress.more);
	assert_int_equal(console_used(&f.rx), 1);
	assert_true(console_none_used(&f.rx));
	console_expect_bytes(&f.rx, FIXTURE_DATA, "k");
	assert_true(virtio_console_input_is_empty(&f.input[0]));
	assert_true(console_type(&f, 0, "l"));
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(console_used(&f.rx), 1);
	console_expect_bytes(&f.rx, FIXTURE_DATA + 16, "l");
	assert_int_equal(stats().received, 2);
}

/* Hostile 177: the buffers of a chain are filled in order, and the used length is exact. */
static void receive_fills_every_piece_in_order(void **state)
{
	const struct virtio_mock_buffer buffers[] = {
		WRITABLE(FIXTURE_DATA, 3),      WRITABLE(FIXTURE_DATA + 32, 1), WRITABLE(FIXTURE_DATA + 48, 0),
		WRITABLE(FIXTURE_DATA + 64, 5), WRITABLE(FIXTURE_DATA + 96, 9),
	};

	console_setup(&f, fixture_kind(state), false);
	(void)fixture_add(&f.rx, buffers, COUNT(buffers));
	console_type(&f, 0, "abcdefghijkl");
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(console_used(&f.rx), 12);
	console_expect_bytes(&f.rx, FIXTURE_DATA, "abc\xa5");
	console_expect_bytes(&f.rx, FIXTURE_DATA + 32, "d\xa5");
	console_expect_bytes(&f.rx, FIXTURE_DATA + 64, "efghi\xa5");
	console_expect_bytes(&f.rx, FIXTURE_DATA + 96, "jkl\xa5");
}

static void receive_marks_what_it_writes_in_the_dirty_log(void **state)
{
	const struct virtio_mock_buffer buffer = WRITABLE(FIXTURE_DATA + 60, 200);
	static struct console_log log;

	(void)state;
	for (int rings = 0; rings <= 1; rings++) {
		console_setup(&f, FIXTURE_FLAT, false);
		console_log_on(&log, &f.rx, rings != 0, NULL);
		(void)fixture_add(&f.rx, &buffer, 1);
		console_type(&f, 0, "abcdefgh");
		assert_int_equal(console_receive(&f, 0), 0);
		assert_int_equal(console_used(&f.rx), 8);
		console_expect_bytes(&f.rx, FIXTURE_DATA + 60, "abcdefgh\xa5");
		assert_true(virtio_queue_quiesced(&f.rx.queue));
		assert_true(console_logged(&log, FIXTURE_DATA));
		assert_true(console_logged(&log, FIXTURE_DATA + 64));
		assert_false(console_logged(&log, FIXTURE_DATA + 128));
		assert_int_equal(console_logged(&log, virtio_mock_used_entry_addr(&f.rx.mock, 0)), rings);
	}
}

#define SHIFTED 0x100000u

/* Translates addresses, so that memory at addr is also at addr + SHIFTED. */
static int translate_shifted(void *context, uint64_t addr, uint64_t len, uint32_t access,
			     struct virtio_translation *out)
{
	const uint64_t here = addr >= SHIFTED ? addr - SHIFTED : addr;

	(void)context, (void)len, (void)access;
	if (here < FIXTURE_BASE || here >= FIXTURE_END)
		return VIRTIO_EFAULT;
	*out = (struct virtio_translation){ here, FIXTURE_END - here, VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE };
	return 0;
}

/*
 * The first chain sets the cursor's cached region. This region decides which path the second chain
 * takes.
 */
static void receive_marks_the_translated_address_in_the_dirty_log(void **state)
{
	static struct console_log log;

	(void)state;
	console_setup(&f, FIXTURE_FLAT, false);
	console_log_on(&log, &f.rx, false, translate_shifted);
	for (uint32_t at = FIXTURE_DATA; at <= FIXTURE_DATA + 256; at += 256) {
		const struct virtio_mock_buffer buffer = WRITABLE(SHIFTED + at, 128);

		(void)fixture_add(&f.rx, &buffer, 1);
		console_type(&f, 0, "abcd");
		assert_int_equal(console_receive(&f, 0), 0);
		assert_int_equal(console_used(&f.rx), 4);
		console_expect_bytes(&f.rx, at, "abcd\xa5");
		assert_true(console_logged(&log, at));
		assert_false(console_logged(&log, at + 64));
	}
}

static void receive_fills_a_chain_behind_a_table(void **state)
{
	const struct virtio_mock_buffer buffers[] = { WRITABLE(FIXTURE_DATA, 2), WRITABLE(FIXTURE_DATA + 32, 4) };

	console_setup(&f, fixture_kind(state), false);
	fixture_offer_table(&f.rx, 0, VRING_DESC_F_INDIRECT, buffers, 2);
	console_type(&f, 0, "abcd");
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(f.progress.bytes, 4);
	console_expect_bytes(&f.rx, FIXTURE_DATA, "ab\xa5");
	console_expect_bytes(&f.rx, FIXTURE_DATA + 32, "cd\xa5");
}

/* The input buffer is a ring of bytes. After its last byte, input continues at its first byte. */
static void receive_keeps_the_order_across_the_end_of_the_buffer(void **state)
{
	char text[CONSOLE_INPUT + 1] = { 0 };

	console_setup(&f, fixture_kind(state), false);
	for (uint32_t round = 0; round < 40; round++) {
		const uint32_t len = 1 + round * 7 % (CONSOLE_INPUT - 1);

		for (uint32_t i = 0; i < len; i++)
			text[i] = (char)('A' + (round + i) % 50);
		text[len] = 0;
		console_type(&f, 0, text);
		add_buffer(FIXTURE_DATA, len);
		assert_int_equal(console_receive(&f, 0), 0);
		assert_int_equal(console_used(&f.rx), len);
		console_expect_bytes(&f.rx, FIXTURE_DATA, text);
	}
}

/*
 * Hostile 142: without receive buffers the port holds its input, and the producer sees a full input
 * buffer. The kick resumes the input.
 */
static void receive_without_buffers_holds_input_until_the_kick(void **state)
{
	char text[CONSOLE_INPUT + 2];
	bool wake = false;

	console_setup(&f, fixture_kind(state), false);
	memset(text, 'x', sizeof text);
	assert_int_equal(virtio_console_input_enqueue(&f.input[0], text, sizeof text, &wake), CONSOLE_INPUT);
	assert_true(wake);
	fixture_set(&f.rx, VIRTIO_MOCK_USED_FLAGS, VRING_USED_F_NO_NOTIFY);
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(f.progress.chains, 0);
	assert_false(f.progress.room);
	/* The device has enabled kicks. */
	assert_int_equal(fixture_get(&f.rx, VIRTIO_MOCK_USED_FLAGS), 0);
	assert_int_equal(virtio_console_input_enqueue(&f.input[0], "x", 1, &wake), VIRTIO_ENOBUFS);
	add_buffer(FIXTURE_DATA, 10);
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(console_used(&f.rx), 10);
	assert_true(f.progress.room);
	assert_int_equal(virtio_console_input_available(&f.input[0]), 10);
	/* Only the first call after the input buffer was full sets `room`. */
	add_buffer(FIXTURE_DATA, 10);
	assert_int_equal(console_receive(&f, 0), 0);
	assert_false(f.progress.room);
}

/* Hostile 176: with a full ring of buffers and no input, no chain is popped. */
static void receive_without_input_pops_no_chain(void **state)
{
	console_setup(&f, fixture_kind(state), false);
	for (uint32_t i = 0; i < CONSOLE_QUEUE; i++)
		add_buffer(FIXTURE_DATA, 16);
	fixture_save(&f.rx);
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(f.progress.chains, 0);
	assert_false(f.progress.notify);
	assert_true(fixture_unchanged(&f.rx));
	assert_int_equal(virtio_queue_available(&f.rx.queue), CONSOLE_QUEUE);
}

static void expect_kept(uint32_t used, const char *text)
{
	char seen[CONSOLE_INPUT];

	assert_int_equal(f.progress.bytes, 0);
	assert_int_equal(console_used(&f.rx), used);
	assert_true(fixture_ram_unchanged(&f.rx) || used == 0);
	assert_int_equal(virtio_console_input_peek(&f.input[0], seen, sizeof seen), strlen(text));
	assert_memory_equal(seen, text, strlen(text));
}

/* Hostile 136: a chain with a readable buffer gets no input. The next chain gets the input. */
static void receive_completes_misdirected_chains_empty(void **state)
{
	const struct virtio_mock_buffer readable[] = { READABLE(FIXTURE_DATA, 16) };
	const struct virtio_mock_buffer both[] = { READABLE(FIXTURE_DATA, 4), WRITABLE(FIXTURE_DATA + 16, 16) };

	console_setup(&f, fixture_kind(state), false);
	console_type(&f, 0, "keep");
	(void)fixture_add(&f.rx, readable, 1);
	assert_int_equal(console_receive(&f, 0), 0);
	expect_kept(0, "keep");
	(void)fixture_add(&f.rx, both, 2);
	assert_int_equal(console_receive(&f, 0), 0);
	expect_kept(0, "keep");
	console_expect_bytes(&f.rx, FIXTURE_DATA + 16, "\xa5\xa5");
	assert_int_equal(stats().receive_misdirected, 2);
	add_buffer(FIXTURE_DATA, 16);
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(console_used(&f.rx), 4);
	console_expect_bytes(&f.rx, FIXTURE_DATA, "keep");
}

/* Hostile 141 and 175: a bad buffer loses no input. */
static void receive_keeps_input_when_a_buffer_is_bad(void **state)
{
	const struct virtio_mock_buffer bad[][2] = {
		{ WRITABLE(FIXTURE_END, 16), WRITABLE(FIXTURE_DATA, 0) },
		{ WRITABLE(FIXTURE_END - 8, 1u << 30), WRITABLE(FIXTURE_DATA, 0) },
		{ WRITABLE(FIXTURE_DATA, UINT32_MAX), WRITABLE(FIXTURE_DATA, 0) },
		{ WRITABLE(UINT64_MAX - 3, 16), WRITABLE(FIXTURE_DATA, 0) },
		{ WRITABLE(FIXTURE_DATA, 2), WRITABLE(FIXTURE_END - 1, 2) },
	};

	console_setup(&f, fixture_kind(state), false);
	console_type(&f, 0, "keep");
	for (uint32_t i = 0; i < COUNT(bad); i++) {
		(void)fixture_add(&f.rx, bad[i], 2);
		assert_int_equal(console_receive(&f, 0), 0);
		expect_kept(0, "keep");
		console_expect_bytes(&f.rx, FIXTURE_DATA, "\xa5\xa5");
		console_expect_bytes(&f.rx, FIXTURE_END - 8, "\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5");
	}
	assert_int_equal(stats().receive_malformed, COUNT(bad));
}

static void receive_keeps_input_when_a_chain_is_malformed(void **state)
{
	const struct virtio_mock_buffer order[] = { WRITABLE(FIXTURE_DATA, 4), READABLE(FIXTURE_DATA + 16, 4) };
	const struct vring_desc loop = { FIXTURE_DATA, 1, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 7 };
	const struct vring_desc bad_next = { FIXTURE_DATA, 1, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 99 };

	console_setup(&f, fixture_kind(state), false);
	console_type(&f, 0, "keep");
	fixture_offer_chain(&f.rx, 0, order, 2);
	assert_int_equal(virtio_mock_set_desc(&f.rx.mock, 7, &loop), 0);
	fixture_offer_head(&f.rx, 7);
	assert_int_equal(virtio_mock_set_desc(&f.rx.mock, 6, &bad_next), 0);
	fixture_offer_head(&f.rx, 6);
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(f.progress.chains, 3);
	assert_int_equal(f.progress.bytes, 0);
	assert_int_equal(stats().receive_malformed, 3);
	assert_int_equal(virtio_console_input_available(&f.input[0]), CONSOLE_INPUT - 4);
}

static void receive_completes_chains_without_room(void **state)
{
	console_setup(&f, fixture_kind(state), false);
	console_type(&f, 0, "keep");
	add_buffer(FIXTURE_DATA, 0);
	assert_int_equal(console_receive(&f, 0), 0);
	expect_kept(0, "keep");
	assert_int_equal(stats().receive_empty, 1);
}

/* If a page is not mapped yet, the same chain gets the same input later. */
static void receive_retries_an_unmapped_page(void **state)
{
	(void)state;
	console_setup(&f, FIXTURE_CHANGING, false);
	console_type(&f, 0, "keep");
	add_buffer(FIXTURE_DATA, 32);
	f.rx.bad_start = FIXTURE_DATA + 16;
	f.rx.bad_end = FIXTURE_DATA + 32;
	f.rx.bad_error = VIRTIO_ENOTMAPPED;
	f.rx.rewriting = false;
	assert_int_equal(console_receive(&f, 0), VIRTIO_ENOTMAPPED);
	assert_true(console_none_used(&f.rx));
	assert_int_equal(virtio_queue_in_flight(&f.rx.queue), 0);
	f.rx.bad_error = 0;
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(console_used(&f.rx), 4);
	console_expect_bytes(&f.rx, FIXTURE_DATA, "keep");
}

/* If the entry of the used ring is not mapped, no input is lost. */
static void receive_keeps_input_when_the_chain_cannot_be_completed(void **state)
{
	(void)state;
	console_setup(&f, FIXTURE_CHANGING, false);
	console_type(&f, 0, "keep");
	add_buffer(FIXTURE_DATA, 16);
	f.rx.rewriting = false;
	f.rx.bad_start = virtio_mock_used_entry_addr(&f.rx.mock, 0);
	f.rx.bad_end = f.rx.bad_start + 8;
	f.rx.bad_error = VIRTIO_ENOTMAPPED;
	assert_int_equal(console_receive(&f, 0), VIRTIO_ENOTMAPPED);
	assert_int_equal(virtio_console_input_available(&f.input[0]), CONSOLE_INPUT - 4);
	f.rx.bad_error = 0;
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(console_used(&f.rx), 4);
	console_expect_bytes(&f.rx, FIXTURE_DATA, "keep");
}

static void receive_keeps_input_over_a_reset(void **state)
{
	console_setup(&f, fixture_kind(state), false);
	console_type(&f, 0, "keep");
	virtio_queue_reset(&f.rx.queue);
	assert_int_equal(console_receive(&f, 0), VIRTIO_ENOTREADY);
	virtio_console_reset(&f.console);
	assert_int_equal(virtio_mock_reset(&f.rx.mock), 0);
	fixture_start(&f.rx);
	add_buffer(FIXTURE_DATA, 16);
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(console_used(&f.rx), 4);
	console_expect_bytes(&f.rx, FIXTURE_DATA, "keep");
}

static void receive_reports_a_broken_ring(void **state)
{
	console_setup(&f, fixture_kind(state), false);
	console_type(&f, 0, "keep");
	fixture_offer_head(&f.rx, 99);
	assert_int_equal(console_receive(&f, 0), VIRTIO_EHEAD);
	assert_int_equal(console_receive(&f, 0), VIRTIO_EBROKEN);
	assert_int_equal(virtio_console_input_available(&f.input[0]), CONSOLE_INPUT - 4);
}

/*
 * If a chain has more buffers than the port's array has segments, only the chain's first buffers
 * are filled.
 */
static void receive_fills_the_front_of_a_chain_with_many_pieces(void **state)
{
	const struct virtio_mock_buffer buffers[] = { WRITABLE(FIXTURE_DATA, 1), WRITABLE(FIXTURE_DATA + 32, 1),
						      WRITABLE(FIXTURE_DATA + 64, 1) };

	(void)state;
	console_setup(&f, FIXTURE_FLAT, false);
	f.ports[0].options.receive_capacity = 2;
	console_type(&f, 0, "abc");
	(void)fixture_add(&f.rx, buffers, 3);
	(void)fixture_add(&f.rx, buffers, 2);
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(console_used(&f.rx), 2);
	assert_int_equal(console_used(&f.rx), 1);
	console_expect_bytes(&f.rx, FIXTURE_DATA, "c\xa5");
	console_expect_bytes(&f.rx, FIXTURE_DATA + 32, "b\xa5");
	console_expect_bytes(&f.rx, FIXTURE_DATA + 64, "\xa5");
}

/*
 * A call fills at most as many chains as the queue has entries, so the driver cannot prolong the
 * call.
 */
static void receive_fills_at_most_a_queue_of_chains(void **state)
{
	(void)state;
	console_setup(&f, FIXTURE_FLAT, false);
	console_type(&f, 0, "abcdefghijkl");
	for (uint32_t i = 0; i < CONSOLE_QUEUE; i++)
		add_buffer(FIXTURE_DATA + 16 * i, 1);
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(f.progress.chains, CONSOLE_QUEUE);
	assert_true(f.progress.more);
	assert_int_equal(virtio_console_input_available(&f.input[0]), CONSOLE_INPUT - 4);
	assert_int_equal(console_receive(&f, 0), 0);
	assert_false(f.progress.more);
}

/* Hostile 178, second part: without MULTIPORT there are no queues beyond the first pair. */
static void receive_refuses_ports_that_are_not_there(void **state)
{
	(void)state;
	console_setup(&f, FIXTURE_FLAT, true);
	console_add(&f, 1, true);
	assert_int_equal(console_receive(&f, 1), 0);
	assert_int_equal(console_receive(&f, 2), VIRTIO_EINVAL);
	assert_int_equal(console_receive(&f, CONSOLE_PORTS), VIRTIO_EINVAL);
	assert_int_equal(console_receive(&f, UINT32_MAX), VIRTIO_EINVAL);
	assert_int_equal(virtio_console_negotiate(&f.console, 0), 0);
	assert_int_equal(console_receive(&f, 1), VIRTIO_EINVAL);
	assert_int_equal(console_receive(&f, 0), 0);
}

/* Hostile 215 and 218: a generic port gets input only while the driver has the port open. */
static void receive_waits_until_the_driver_opens_a_generic_port(void **state)
{
	console_setup(&f, fixture_kind(state), true);
	console_add(&f, 1, false);
	console_type(&f, 1, "keep");
	add_buffer(FIXTURE_DATA, 2);
	assert_int_equal(console_receive(&f, 1), 0);
	assert_int_equal(f.progress.chains, 0);
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	assert_int_equal(console_receive(&f, 1), 0);
	assert_int_equal(f.progress.chains, 0);
	/* Hostile 183: any value but 0 opens the port. */
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0xffff);
	assert_int_equal(console_receive(&f, 1), 0);
	assert_int_equal(console_used(&f.rx), 2);
	console_expect_bytes(&f.rx, FIXTURE_DATA, "ke");
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	add_buffer(FIXTURE_DATA, 2);
	assert_int_equal(console_receive(&f, 1), 0);
	assert_true(console_none_used(&f.rx));
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(console_receive(&f, 1), 0);
	assert_int_equal(console_used(&f.rx), 2);
	console_expect_bytes(&f.rx, FIXTURE_DATA, "ep");
}

static void receive_gives_a_console_input_at_any_time(void **state)
{
	console_setup(&f, fixture_kind(state), true);
	console_say(&f, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	console_say(&f, 0, VIRTIO_CONSOLE_PORT_OPEN, 0);
	console_type(&f, 0, "k");
	add_buffer(FIXTURE_DATA, 2);
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(console_used(&f.rx), 1);
}

static void receive_treats_the_only_port_as_a_console(void **state)
{
	bool room;

	(void)state;
	console_setup(&f, FIXTURE_FLAT, true);
	assert_int_equal(virtio_console_remove_port(&f.console, 0, &room), 0);
	console_add(&f, 0, false);
	assert_int_equal(virtio_console_negotiate(&f.console, 0), 0);
	console_type(&f, 0, "k");
	add_buffer(FIXTURE_DATA, 2);
	assert_int_equal(console_receive(&f, 0), 0);
	assert_int_equal(console_used(&f.rx), 1);
}

static void port_stats_refuse_a_number_that_is_too_high(void **state)
{
	struct virtio_console_port_stats out, before;

	(void)state;
	console_setup(&f, FIXTURE_FLAT, true);
	memset(&out, 0x5a, sizeof out);
	memcpy(&before, &out, sizeof before);
	assert_int_equal(virtio_console_get_port_stats(&f.console, CONSOLE_PORTS, &out), VIRTIO_EINVAL);
	assert_memory_equal(&out, &before, sizeof out);
	assert_int_equal(virtio_console_get_port_stats(&f.console, CONSOLE_PORTS - 1, &out), 0);
	assert_int_equal(out.received, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON_ALL(receive_fills_a_chain_with_what_is_there),
		FIXTURE_ON_ALL(receive_fills_every_piece_in_order),
		cmocka_unit_test(receive_marks_what_it_writes_in_the_dirty_log),
		cmocka_unit_test(receive_marks_the_translated_address_in_the_dirty_log),
		FIXTURE_ON_ALL(receive_fills_a_chain_behind_a_table),
		FIXTURE_ON_ALL(receive_keeps_the_order_across_the_end_of_the_buffer),
		FIXTURE_ON_ALL(receive_without_buffers_holds_input_until_the_kick),
		FIXTURE_ON_ALL(receive_without_input_pops_no_chain),
		FIXTURE_ON_ALL(receive_completes_misdirected_chains_empty),
		FIXTURE_ON_ALL(receive_keeps_input_when_a_buffer_is_bad),
		FIXTURE_ON_ALL(receive_keeps_input_when_a_chain_is_malformed),
		FIXTURE_ON_ALL(receive_completes_chains_without_room),
		cmocka_unit_test(receive_retries_an_unmapped_page),
		cmocka_unit_test(receive_keeps_input_when_the_chain_cannot_be_completed),
		FIXTURE_ON_ALL(receive_keeps_input_over_a_reset),
		FIXTURE_ON_ALL(receive_reports_a_broken_ring),
		cmocka_unit_test(receive_fills_the_front_of_a_chain_with_many_pieces),
		cmocka_unit_test(receive_fills_at_most_a_queue_of_chains),
		cmocka_unit_test(receive_refuses_ports_that_are_not_there),
		FIXTURE_ON_ALL(receive_waits_until_the_driver_opens_a_generic_port),
		FIXTURE_ON_ALL(receive_gives_a_console_input_at_any_time),
		cmocka_unit_test(receive_treats_the_only_port_as_a_console),
		cmocka_unit_test(port_stats_refuse_a_number_that_is_too_high),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
