/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Transmit: from the driver's chains to the sink of a port. */
#include "console_fixture.h"

static struct console_fixture f;

static struct virtio_console_port_stats stats(void)
{
	struct virtio_console_port_stats out;

	assert_int_equal(virtio_console_get_port_stats(&f.console, 0, &out), 0);
	return out;
}

/* Hostile 139: the used length of a transmit chain is 0. */
static void transmit_hands_a_chain_to_the_sink(void **state)
{
	console_setup(&f, fixture_kind(state), false);
	console_send(&f, FIXTURE_DATA, "hello");
	assert_int_equal(console_transmit(&f, 0), 0);
	console_expect_output(&f, 0, "hello");
	assert_int_equal(console_used(&f.tx), 0);
	assert_int_equal(f.progress.bytes, 5);
	assert_int_equal(f.progress.chains, 1);
	assert_true(f.progress.notify);
	assert_false(f.progress.blocked);
	assert_false(f.progress.more);
	assert_int_equal(stats().transmitted, 5);
}

/* Hostile 148: every byte value is passed on. */
static void transmit_passes_every_byte_through(void **state)
{
	uint8_t all[256];
	const struct virtio_mock_buffer buffer = READABLE(FIXTURE_DATA, 256);

	for (uint32_t i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	console_setup(&f, fixture_kind(state), false);
	fixture_write(&f.tx, FIXTURE_DATA, all, sizeof all);
	(void)fixture_add(&f.tx, &buffer, 1);
	assert_int_equal(console_transmit(&f, 0), 0);
	assert_int_equal(f.sinks[0].count, 256);
	assert_memory_equal(f.sinks[0].bytes, all, 256);
}

/* One batch has several chains, and one of them has two buffers. */
static void transmit_keeps_the_order_of_chains_and_buffers(void **state)
{
	const struct virtio_mock_buffer two[] = { READABLE(FIXTURE_DATA + 64, 3), READABLE(FIXTURE_DATA + 32, 2) };

	console_setup(&f, fixture_kind(state), false);
	console_send(&f, FIXTURE_DATA, "a");
	fixture_write(&f.tx, FIXTURE_DATA + 64, "bcd", 3);
	fixture_write(&f.tx, FIXTURE_DATA + 32, "ef", 2);
	(void)fixture_add(&f.tx, two, 2);
	console_send(&f, FIXTURE_DATA + 96, "ghi");
	assert_int_equal(console_transmit(&f, 0), 0);
	console_expect_output(&f, 0, "abcdefghi");
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(console_used(&f.tx), 0);
	assert_true(console_none_used(&f.tx));
}

static void transmit_reads_a_chain_behind_a_table(void **state)
{
	const struct virtio_mock_buffer two[] = { READABLE(FIXTURE_DATA, 3), READABLE(FIXTURE_DATA + 32, 2) };

	console_setup(&f, fixture_kind(state), false);
	fixture_write(&f.tx, FIXTURE_DATA, "abc", 3);
	fixture_write(&f.tx, FIXTURE_DATA + 32, "de", 2);
	fixture_offer_table(&f.tx, 0, VRING_DESC_F_INDIRECT, two, 2);
	assert_int_equal(console_transmit(&f, 0), 0);
	console_expect_output(&f, 0, "abcde");
}

/* Hostile 173: chains without bytes are completed, and nothing reaches the sink. */
static void transmit_completes_chains_without_bytes(void **state)
{
	const struct virtio_mock_buffer empty[] = { READABLE(FIXTURE_DATA, 0), READABLE(UINT64_MAX, 0),
						    READABLE(FIXTURE_DATA, 0) };

	console_setup(&f, fixture_kind(state), false);
	(void)fixture_add(&f.tx, empty, 1);
	(void)fixture_add(&f.tx, empty, 3);
	assert_int_equal(console_transmit(&f, 0), 0);
	assert_int_equal(f.sinks[0].calls, 0);
	assert_int_equal(console_used(&f.tx), 0);
	assert_int_equal(console_used(&f.tx), 0);
	assert_int_equal(stats().transmit_malformed, 0);
}

/* Hostile 174: a buffer may cover the descriptor table, whose bytes are sent as data. */
static void transmit_sends_the_descriptor_table_as_bytes(void **state)
{
	const struct virtio_mock_buffer table = READABLE(FIXTURE_BASE, 16);
	uint8_t bytes[16];

	(void)state;
	console_setup(&f, FIXTURE_FLAT, false);
	(void)fixture_add(&f.tx, &table, 1);
	fixture_read(&f.tx, FIXTURE_BASE, bytes, sizeof bytes);
	assert_int_equal(console_transmit(&f, 0), 0);
	assert_int_equal(f.sinks[0].count, 16);
	assert_memory_equal(f.sinks[0].bytes, bytes, 16);
}

/* Hostile 137: a chain with a writable buffer is not read. */
static void transmit_completes_misdirected_chains_unread(void **state)
{
	const struct virtio_mock_buffer writable[] = { WRITABLE(FIXTURE_DATA, 8) };
	const struct virtio_mock_buffer both[] = { READABLE(FIXTURE_DATA, 8), WRITABLE(FIXTURE_DATA + 32, 8) };
	const struct virtio_mock_buffer far[] = { READABLE(FIXTURE_DATA, 8), READABLE(FIXTURE_DATA, 8),
						  WRITABLE(FIXTURE_DATA + 32, 8) };

	console_setup(&f, fixture_kind(state), false);
	(void)fixture_add(&f.tx, writable, 1);
	(void)fixture_add(&f.tx, both, 2);
	(void)fixture_add(&f.tx, far, 3);
	assert_int_equal(console_transmit(&f, 0), 0);
	assert_int_equal(f.sinks[0].calls, 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(console_used(&f.tx), 0);
	assert_int_equal(stats().transmit_misdirected, 3);
}

static void transmit_completes_malformed_chains_unread(void **state)
{
	const struct virtio_mock_buffer order[] = { READABLE(FIXTURE_DATA, 4), WRITABLE(FIXTURE_DATA, 4),
						    READABLE(FIXTURE_DATA, 4) };
	const struct vring_desc bad_next = { FIXTURE_DATA, 1, VRING_DESC_F_NEXT, 99 };
	const struct vring_desc loop = { FIXTURE_DATA, 1, VRING_DESC_F_NEXT, 7 };

	console_setup(&f, fixture_kind(state), false);
	fixture_offer_chain(&f.tx, 0, order, 3);
	assert_int_equal(virtio_mock_set_desc(&f.tx.mock, 6, &bad_next), 0);
	fixture_offer_head(&f.tx, 6);
	assert_int_equal(virtio_mock_set_desc(&f.tx.mock, 7, &loop), 0);
	fixture_offer_head(&f.tx, 7);
	assert_int_equal(console_transmit(&f, 0), 0);
	assert_int_equal(f.sinks[0].calls, 0);
	assert_int_equal(f.progress.chains, 3);
	assert_int_equal(stats().transmit_malformed, 3);
}

static void transmit_completes_chains_with_a_bad_buffer_unread(void **state)
{
	const struct virtio_mock_buffer bad[][2] = {
		{ READABLE(FIXTURE_DATA, 4), READABLE(FIXTURE_END - 2, 4) },
		{ READABLE(FIXTURE_END, 4), READABLE(FIXTURE_DATA, 4) },
		{ READABLE(UINT64_MAX - 1, 4), READABLE(FIXTURE_DATA, 0) },
	};

	console_setup(&f, fixture_kind(state), false);
	for (uint32_t i = 0; i < COUNT(bad); i++) {
		(void)fixture_add(&f.tx, bad[i], i == 2 ? 1 : 2);
		assert_int_equal(console_transmit(&f, 0), 0);
		assert_int_equal(console_used(&f.tx), 0);
	}
	assert_int_equal(f.sinks[0].calls, 0);
	assert_int_equal(stats().transmit_malformed, COUNT(bad));
}

/* All buffers of a long chain cover the same memory. */
static void transmit_hands_long_chains_over_in_pieces(void **state)
{
	struct virtio_mock_buffer buffers[CONSOLE_QUEUE];
	uint8_t bytes[1024];

	(void)state;
	console_setup(&f, FIXTURE_FLAT, false);
	for (uint32_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7);
	fixture_write(&f.tx, FIXTURE_DATA, bytes, sizeof bytes);
	for (uint32_t i = 0; i < CONSOLE_QUEUE; i++)
		buffers[i] = (struct virtio_mock_buffer)READABLE(FIXTURE_DATA, sizeof bytes);
	(void)fixture_add(&f.tx, buffers, CONSOLE_QUEUE);
	assert_int_equal(console_transmit(&f, 0), 0);
	assert_int_equal(f.sinks[0].count, CONSOLE_QUEUE * sizeof bytes);
	assert_int_equal(f.sinks[0].calls, 2);
	assert_int_equal(f.sinks[0].longest, VIRTIO_CONSOLE_PIECE_BYTES);
	for (uint32_t i = 0; i < CONSOLE_QUEUE; i++)
		assert_memory_equal(f.sinks[0].bytes + i * sizeof bytes, bytes, sizeof bytes);
	assert_int_equal(console_used(&f.tx), 0);
}

/*
 * Sends 26 letters in one chain of this number of buffers.
 */
static void send_letters(uint32_t cuts)
{
	struct virtio_mock_buffer buffers[CONSOLE_QUEUE];
	const uint32_t each = 26 / cuts;

	fixture_write(&f.tx, FIXTURE_DATA, "abcdefghijklmnopqrstuvwxyz", 26);
	for (uint32_t i = 0; i < cuts; i++)
		buffers[i] = (struct virtio_mock_buffer)READABLE(FIXTURE_DATA + i * each,
								 i + 1 < cuts ? each : 26 - i * each);
	(void)fixture_add(&f.tx, buffers, cuts);
}

static void transmit_goes_on_where_the_sink_stopped(void **state)
{
	for (uint32_t cuts = 1; cuts <= 5; cuts += 2)
		for (uint32_t step = 1; step <= 26; step++) {
			console_setup(&f, fixture_kind(state), false);
			send_letters(cuts);
			f.sinks[0].limit = 0;
			for (uint32_t calls = 0; f.sinks[0].count < 26; calls++) {
				assert_int_equal(console_transmit(&f, 0), 0);
				assert_true(f.progress.blocked);
				assert_true(console_none_used(&f.tx));
				assert_int_equal(virtio_queue_in_flight(&f.tx.queue), 1);
				assert_true(calls <= 26);
				f.sinks[0].limit += step;
				assert_int_equal(console_transmit(&f, 0), 0);
			}
			assert_false(f.progress.blocked);
			assert_int_equal(console_used(&f.tx), 0);
			console_expect_output(&f, 0, "abcdefghijklmnopqrstuvwxyz");
		}
}

static void transmit_does_not_pass_a_chain_that_waits(void **state)
{
	console_setup(&f, fixture_kind(state), false);
	console_send(&f, FIXTURE_DATA, "first");
	console_send(&f, FIXTURE_DATA + 32, "second");
	f.sinks[0].limit = 3;
	assert_int_equal(console_transmit(&f, 0), 0);
	assert_true(f.progress.blocked);
	console_expect_output(&f, 0, "fir");
	f.sinks[0].limit = 7;
	assert_int_equal(console_transmit(&f, 0), 0);
	assert_true(f.progress.blocked);
	console_expect_output(&f, 0, "firstse");
	assert_int_equal(console_used(&f.tx), 0);
	assert_true(console_none_used(&f.tx));
	f.sinks[0].limit = 99;
	assert_int_equal(console_transmit(&f, 0), 0);
	console_expect_output(&f, 0, "firstsecond");
}

static size_t take_too_much(void *context, const void *bytes, size_t len)
{
	console_take(context, bytes, len);
	return len + 7;
}

static void transmit_clamps_a_sink_that_reports_more_than_offered(void **state)
{
	console_setup(&f, fixture_kind(state), false);
	f.ports[0].options.sink = take_too_much;
	console_send(&f, FIXTURE_DATA, "one");
	console_send(&f, FIXTURE_DATA + 32, "two");
	assert_int_equal(console_transmit(&f, 0), 0);
	console_expect_output(&f, 0, "onetwo");
	assert_int_equal(f.progress.bytes, 6);
}

/*
 * A chain has more buffers than the port's array has segments. The device reads the chain in
 * several parts, and continues at the byte where the sink stopped.
 */
static void transmit_reads_chains_with_more_pieces_than_segments(void **state)
{
	for (uint32_t capacity = 1; capacity <= 4; capacity++)
		for (uint32_t step = 1; step <= 9; step += 4) {
			(void)state;
			console_setup(&f, FIXTURE_FLAT, false);
			f.ports[0].options.transmit_capacity = capacity;
			send_letters(7);
			f.sinks[0].limit = 0;
			while (f.sinks[0].count < 26) {
				f.sinks[0].limit += step;
				assert_int_equal(console_transmit(&f, 0), 0);
			}
			console_expect_output(&f, 0, "abcdefghijklmnopqrstuvwxyz");
			assert_int_equal(console_used(&f.tx), 0);
			assert_true(console_none_used(&f.tx));
		}
}

/*
 * The device checks a chain with more buffers than segments, and then reads the chain again in
 * parts. The device must check each part again, because the guest may have changed the chain.
 */
static void transmit_ends_a_long_chain_that_has_changed(void **state)
{
	const struct vring_desc bad = { FIXTURE_END, 4, VRING_DESC_F_NEXT, 4 };
	struct vring_desc writable;

	(void)state;
	for (uint32_t round = 0; round < 2; round++) {
		console_setup(&f, FIXTURE_FLAT, false);
		f.ports[0].options.transmit_capacity = 1;
		send_letters(7);
		f.sinks[0].limit = 2;
		assert_int_equal(console_transmit(&f, 0), 0);
		assert_true(f.progress.blocked);
		assert_int_equal(virtio_mock_get_desc(&f.tx.mock, 3, &writable), 0);
		writable.flags = VRING_DESC_F_WRITE;
		assert_int_equal(virtio_mock_set_desc(&f.tx.mock, 3, round ? &writable : &bad), 0);
		f.sinks[0].limit = 99;
		assert_int_equal(console_transmit(&f, 0), 0);
		console_expect_output(&f, 0, "abcdefghi");
		assert_int_equal(f.progress.chains, 1);
		assert_int_equal(stats().transmit_malformed, 1);
		assert_int_equal(virtio_queue_in_flight(&f.tx.queue), 0);
	}
}

static void transmit_retries_an_unmapped_page(void **state)
{
	(void)state;
	console_setup(&f, FIXTURE_CHANGING, false);
	send_letters(2);
	f.tx.rewriting = false;
	f.tx.bad_start = FIXTURE_DATA + 16;
	f.tx.bad_end = FIXTURE_DATA + 32;
	f.tx.bad_error = VIRTIO_ENOTMAPPED;
	assert_int_equal(console_transmit(&f, 0), VIRTIO_ENOTMAPPED);
	assert_int_equal(f.sinks[0].calls, 0);
	assert_int_equal(virtio_queue_in_flight(&f.tx.queue), 0);
	f.tx.bad_error = 0;
	assert_int_equal(console_transmit(&f, 0), 0);
	console_expect_output(&f, 0, "abcdefghijklmnopqrstuvwxyz");
}

/* The pages of a long chain may be unmapped after the chain was checked. */
static void transmit_retries_an_unmapped_page_of_a_long_chain(void **state)
{
	(void)state;
	console_setup(&f, FIXTURE_CHANGING, false);
	f.tx.rewriting = false;
	f.ports[0].options.transmit_capacity = 1;
	send_letters(2);
	f.sinks[0].limit = 4;
	assert_int_equal(console_transmit(&f, 0), 0);
	assert_true(f.progress.blocked);
	f.tx.bad_start = FIXTURE_DATA + 16;
	f.tx.bad_end = FIXTURE_DATA + 32;
	f.tx.bad_error = VIRTIO_ENOTMAPPED;
	virtio_memory_cursor_init(&f.tx.queue.memory[0], &f.tx.device_map);
	f.sinks[0].limit = 99;
	assert_int_equal(console_transmit(&f, 0), VIRTIO_ENOTMAPPED);
	assert_int_equal(virtio_queue_in_flight(&f.tx.queue), 1);
	f.tx.bad_error = 0;
	assert_int_equal(console_transmit(&f, 0), 0);
	console_expect_output(&f, 0, "abcdefghijklmnopqrstuvwxyz");
	assert_int_equal(console_used(&f.tx), 0);
}

/* If the entry of the used ring is not mapped, no byte is sent twice. */
static void transmit_repeats_nothing_when_a_chain_cannot_be_completed(void **state)
{
	(void)state;
	for (uint32_t cuts = 1; cuts <= 2; cuts++) {
		console_setup(&f, FIXTURE_CHANGING, false);
		f.tx.rewriting = false;
		if (cuts == 1)
			console_send(&f, FIXTURE_DATA, "abcdefghijklmnop");
		else
			send_letters(2);
		f.tx.bad_start = virtio_mock_used_entry_addr(&f.tx.mock, 0);
		f.tx.bad_end = f.tx.bad_start + 8;
		f.tx.bad_error = VIRTIO_ENOTMAPPED;
		assert_int_equal(console_transmit(&f, 0), VIRTIO_ENOTMAPPED);
		assert_int_equal(f.sinks[0].count, cuts == 1 ? 16 : 26);
		assert_false(f.progress.blocked);
		assert_int_equal(console_transmit(&f, 0), VIRTIO_ENOTMAPPED);
		f.tx.bad_error = 0;
		assert_int_equal(console_transmit(&f, 0), 0);
		assert_int_equal(f.sinks[0].count, cuts == 1 ? 16 : 26);
		assert_int_equal(console_used(&f.tx), 0);
		assert_true(console_none_used(&f.tx));
	}
}

static void transmit_marks_the_used_ring_in_the_dirty_log(void **state)
{
	static struct console_log log;

	(void)state;
	console_setup(&f, FIXTURE_FLAT, false);
	console_log_on(&log, &f.tx, true, NULL);
	console_send(&f, FIXTURE_DATA, "usual");
	assert_int_equal(console_transmit(&f, 0), 0);
	console_expect_output(&f, 0, "usual");
	assert_int_equal(console_used(&f.tx), 0);
	assert_true(virtio_queue_quiesced(&f.tx.queue));
	assert_true(console_logged(&log, virtio_mock_used_entry_addr(&f.tx.mock, 0)));
	assert_false(console_logged(&log, FIXTURE_DATA));
}

/* Translates so that the buffers lie 256 bytes after their addresses. */
static int translate_behind(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	const bool buffers = addr >= FIXTURE_DATA;
	const uint64_t end = buffers ? FIXTURE_DATA + 256 : FIXTURE_DATA;

	(void)context, (void)len, (void)access;
	if (addr >= end)
		return VIRTIO_EFAULT;
	*out = (struct virtio_translation){ addr + (buffers ? 256 : 0), end - addr,
					    VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE };
	return 0;
}

/*
 * When the sink is full, the device keeps the segment of the buffer. The segment must point to the
 * buffer's region, and not to the region of the queue's last access.
 */
static void transmit_keeps_the_region_of_translated_bytes(void **state)
{
	static struct console_log log;

	(void)state;
	console_setup(&f, FIXTURE_FLAT, false);
	console_log_on(&log, &f.tx, false, translate_behind);
	fixture_write(&f.tx, FIXTURE_DATA + 256, "first", 5);
	fixture_write(&f.tx, FIXTURE_DATA + 256 + 128, "second", 6);
	for (uint32_t i = 0; i < 2; i++) {
		const struct virtio_mock_buffer buffer = READABLE(FIXTURE_DATA + 128 * i, 5 + i);

		(void)fixture_add(&f.tx, &buffer, 1);
		f.sinks[0].limit = 5 + i;
		assert_int_equal(console_transmit(&f, 0), 0);
	}
	console_expect_output(&f, 0, "firsts");
	assert_ptr_equal(f.transmit_segments[0].region, &log.regions[1]);
	f.sinks[0].limit = CONSOLE_OUTPUT;
	assert_int_equal(console_transmit(&f, 0), 0);
	console_expect_output(&f, 0, "firstsecond");
}

static void transmit_forgets_a_chain_of_before_a_reset(void **state)
{
	console_setup(&f, fixture_kind(state), false);
	console_send(&f, FIXTURE_DATA, "old");
	f.sinks[0].limit = 1;
	assert_int_equal(console_transmit(&f, 0), 0);
	assert_true(f.progress.blocked);
	virtio_queue_reset(&f.tx.queue);
	assert_int_equal(console_transmit(&f, 0), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_mock_reset(&f.tx.mock), 0);
	fixture_start(&f.tx);
	console_send(&f, FIXTURE_DATA + 16, "new");
	f.sinks[0].limit = 99;
	assert_int_equal(console_transmit(&f, 0), 0);
	console_expect_output(&f, 0, "onew");
}

static void transmit_reports_a_broken_ring(void **state)
{
	console_setup(&f, fixture_kind(state), false);
	console_send(&f, FIXTURE_DATA, "one");
	fixture_offer_head(&f.tx, 99);
	assert_int_equal(console_transmit(&f, 0), VIRTIO_EHEAD);
	assert_true(f.progress.notify);
	console_expect_output(&f, 0, "one");
	assert_int_equal(console_transmit(&f, 0), VIRTIO_EBROKEN);
}

static void transmit_pops_at_most_a_queue_of_chains(void **state)
{
	(void)state;
	console_setup(&f, FIXTURE_FLAT, false);
	for (uint32_t i = 0; i < CONSOLE_QUEUE; i++)
		console_send(&f, FIXTURE_DATA + i, "x");
	assert_int_equal(console_transmit(&f, 0), 0);
	assert_int_equal(f.progress.chains, CONSOLE_QUEUE);
	assert_true(f.progress.more);
	assert_int_equal(console_transmit(&f, 0), 0);
	assert_false(f.progress.more);
	assert_int_equal(f.progress.chains, 0);
}

static void transmit_refuses_ports_that_have_no_queues(void **state)
{
	(void)state;
	console_setup(&f, FIXTURE_FLAT, true);
	console_add(&f, 1, true);
	console_send(&f, FIXTURE_DATA, "x");
	assert_int_equal(console_transmit(&f, CONSOLE_PORTS), VIRTIO_EINVAL);
	assert_int_equal(virtio_console_negotiate(&f.console, 0), 0);
	assert_int_equal(console_transmit(&f, 1), VIRTIO_EINVAL);
	assert_true(console_none_used(&f.tx));
	assert_int_equal(f.progress.chains, 0);
}

/* A port is removed with a chain in flight. The rest of the chain reaches no sink. */
static void transmit_completes_chains_of_a_removed_port(void **state)
{
	bool room;

	console_setup(&f, fixture_kind(state), true);
	console_send(&f, FIXTURE_DATA, "first");
	console_send(&f, FIXTURE_DATA + 32, "second");
	f.sinks[0].limit = 2;
	assert_int_equal(console_transmit(&f, 0), 0);
	assert_int_equal(virtio_console_remove_port(&f.console, 0, &room), 0);
	f.sinks[0].limit = 99;
	assert_int_equal(console_transmit(&f, 0), 0);
	console_expect_output(&f, 0, "fi");
	assert_int_equal(console_used(&f.tx), 0);
	assert_int_equal(console_used(&f.tx), 0);
	assert_int_equal(stats().transmit_discarded, 2);
	console_send(&f, FIXTURE_DATA, "third");
	console_add(&f, 0, true);
	assert_int_equal(console_transmit(&f, 0), 0);
	console_expect_output(&f, 0, "third");
}

static void transmit_sends_nothing_of_a_removed_port_to_its_successor(void **state)
{
	bool room;

	console_setup(&f, fixture_kind(state), true);
	console_send(&f, FIXTURE_DATA, "first");
	f.sinks[0].limit = 2;
	assert_int_equal(console_transmit(&f, 0), 0);
	assert_int_equal(virtio_console_remove_port(&f.console, 0, &room), 0);
	console_add(&f, 0, true);
	assert_int_equal(console_transmit(&f, 0), 0);
	console_expect_output(&f, 0, "");
	assert_int_equal(console_used(&f.tx), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON_ALL(transmit_hands_a_chain_to_the_sink),
		FIXTURE_ON_ALL(transmit_passes_every_byte_through),
		FIXTURE_ON_ALL(transmit_keeps_the_order_of_chains_and_buffers),
		FIXTURE_ON_ALL(transmit_reads_a_chain_behind_a_table),
		FIXTURE_ON_ALL(transmit_completes_chains_without_bytes),
		cmocka_unit_test(transmit_sends_the_descriptor_table_as_bytes),
		FIXTURE_ON_ALL(transmit_completes_misdirected_chains_unread),
		FIXTURE_ON_ALL(transmit_completes_malformed_chains_unread),
		FIXTURE_ON_ALL(transmit_completes_chains_with_a_bad_buffer_unread),
		cmocka_unit_test(transmit_hands_long_chains_over_in_pieces),
		FIXTURE_ON_ALL(transmit_goes_on_where_the_sink_stopped),
		FIXTURE_ON_ALL(transmit_does_not_pass_a_chain_that_waits),
		FIXTURE_ON_ALL(transmit_clamps_a_sink_that_reports_more_than_offered),
		cmocka_unit_test(transmit_reads_chains_with_more_pieces_than_segments),
		cmocka_unit_test(transmit_ends_a_long_chain_that_has_changed),
		cmocka_unit_test(transmit_retries_an_unmapped_page),
		cmocka_unit_test(transmit_retries_an_unmapped_page_of_a_long_chain),
		cmocka_unit_test(transmit_repeats_nothing_when_a_chain_cannot_be_completed),
		cmocka_unit_test(transmit_marks_the_used_ring_in_the_dirty_log),
		cmocka_unit_test(transmit_keeps_the_region_of_translated_bytes),
		FIXTURE_ON_ALL(transmit_forgets_a_chain_of_before_a_reset),
		FIXTURE_ON_ALL(transmit_reports_a_broken_ring),
		cmocka_unit_test(transmit_pops_at_most_a_queue_of_chains),
		cmocka_unit_test(transmit_refuses_ports_that_have_no_queues),
		FIXTURE_ON_ALL(transmit_completes_chains_of_a_removed_port),
		FIXTURE_ON_ALL(transmit_sends_nothing_of_a_removed_port_to_its_successor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
