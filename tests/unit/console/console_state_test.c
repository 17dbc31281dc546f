/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Saved state of a console, and of its ports with a chain in flight. */
#include "console_fixture.h"

static struct console_fixture f;

/* Saves console, port and queue, resets and restores them. Then replays the chain in flight. */
static void move_port(uint32_t id)
{
	struct virtio_console_port_state port;
	struct virtio_console_state device;
	struct virtio_queue_state queue;
	struct virtio_chain chain = { 0 };
	struct virtio_queue_flight record[CONSOLE_QUEUE];
	uint32_t count = 0;

	virtio_console_save(&f.console, &device);
	assert_int_equal(virtio_console_save_port(&f.console, id, &port), 0);
	assert_int_equal(virtio_queue_save_in_flight(&f.tx.queue, &queue, record, CONSOLE_QUEUE, &count), 0);
	assert_int_equal(count, port.in_flight);
	memset(f.transmit_segments, 0xee, sizeof f.transmit_segments);
	virtio_console_reset(&f.console);
	virtio_queue_reset(&f.tx.queue);
	assert_int_equal(virtio_console_restore(&f.console, &device), 0);
	assert_int_equal(virtio_console_restore_port(&f.console, &port), 0);
	assert_int_equal(virtio_queue_restore(&f.tx.queue, &queue, &f.tx.device_map), 0);
	if (count == 0)
		return;
	assert_int_equal(console_transmit(&f, id), VIRTIO_EBUSY);
	assert_int_equal(record[0].head, port.head);
	assert_int_equal(virtio_queue_replay(&f.tx.queue, &record[0], &chain), 1);
	assert_int_equal(virtio_console_replay_transmit(&f.console, id, &chain), 0);
	assert_int_equal(virtio_console_replay_transmit(&f.console, id, &chain), VIRTIO_EINVAL);
}

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

/*
 * Saves and restores after every byte of a chain, in several layouts, also with more buffers than
 * segments. No byte is lost, repeated or reordered.
 */
static void state_moves_with_a_transmit_chain_in_flight(void **state)
{
	for (uint32_t cuts = 1; cuts <= 7; cuts += 3)
		for (uint32_t capacity = 2; capacity <= CONSOLE_SEGMENTS; capacity += CONSOLE_SEGMENTS - 2) {
			console_setup(&f, FIXTURE_FLAT, false);
			(void)state;
			f.ports[0].options.transmit_capacity = capacity;
			send_letters(cuts);
			for (uint32_t place = 0; place < 26; place++) {
				f.sinks[0].limit = place;
				assert_int_equal(console_transmit(&f, 0), 0);
				assert_true(f.progress.blocked);
				move_port(0);
			}
			f.sinks[0].limit = 99;
			assert_int_equal(console_transmit(&f, 0), 0);
			console_expect_output(&f, 0, "abcdefghijklmnopqrstuvwxyz");
			assert_int_equal(console_used(&f.tx), 0);
		}
}

/* The port is saved again before its chain is replayed. */
static void state_of_a_port_that_waits_for_its_chain_is_the_same(void **state)
{
	struct virtio_console_port_state before, after;

	(void)state;
	console_setup(&f, FIXTURE_FLAT, false);
	send_letters(2);
	f.sinks[0].limit = 7;
	assert_int_equal(console_transmit(&f, 0), 0);
	assert_int_equal(virtio_console_save_port(&f.console, 0, &before), 0);
	assert_int_equal(before.taken, 7);
	assert_int_equal(before.in_flight, 1);
	assert_int_equal(virtio_console_restore_port(&f.console, &before), 0);
	assert_int_equal(virtio_console_save_port(&f.console, 0, &after), 0);
	assert_int_equal(after.taken, before.taken);
	assert_int_equal(after.head, before.head);
	assert_int_equal(after.in_flight, 1);
	assert_int_equal(after.flags, before.flags);
	assert_int_equal(after.pending, before.pending);
}

static void replay_refuses_another_chain(void **state)
{
	struct virtio_console_port_state port;
	struct virtio_chain chain = { 0 };

	(void)state;
	console_setup(&f, FIXTURE_FLAT, false);
	send_letters(2);
	(void)fixture_add(&f.tx, &(struct virtio_mock_buffer)READABLE(FIXTURE_DATA, 1), 1);
	f.sinks[0].limit = 7;
	assert_int_equal(console_transmit(&f, 0), 0);
	assert_int_equal(virtio_queue_pop(&f.tx.queue, &chain), 1);
	assert_int_equal(virtio_console_replay_transmit(&f.console, 0, &chain), VIRTIO_EINVAL);
	assert_int_equal(virtio_console_save_port(&f.console, 0, &port), 0);
	assert_int_equal(virtio_console_restore_port(&f.console, &port), 0);
	assert_int_equal(virtio_console_replay_transmit(&f.console, 0, &chain), VIRTIO_EINVAL);
	assert_int_equal(virtio_console_replay_transmit(&f.console, 1, &chain), VIRTIO_EINVAL);
}

/*
 * The guest, or the sender of the state, has changed the chain before the replay. The first
 * transmit after the replay completes the chain.
 */
static void replay_ends_a_chain_that_is_shorter_or_malformed_by_now(void **state)
{
	struct virtio_console_port_stats stats;
	struct vring_desc desc;

	(void)state;
	for (uint32_t round = 0; round < 2; round++) {
		console_setup(&f, FIXTURE_FLAT, false);
		send_letters(2);
		f.sinks[0].limit = 20;
		assert_int_equal(console_transmit(&f, 0), 0);
		assert_int_equal(virtio_mock_get_desc(&f.tx.mock, 0, &desc), 0);
		if (round)
			desc.addr = FIXTURE_END;
		else
			desc.flags = 0;
		assert_int_equal(virtio_mock_set_desc(&f.tx.mock, 0, &desc), 0);
		move_port(0);
		f.sinks[0].limit = 99;
		assert_int_equal(console_transmit(&f, 0), 0);
		assert_int_equal(f.sinks[0].count, 20);
		assert_int_equal(f.progress.chains, 1);
		assert_int_equal(virtio_queue_in_flight(&f.tx.queue), 0);
		assert_int_equal(virtio_console_get_port_stats(&f.console, 0, &stats), 0);
		assert_int_equal(stats.transmit_malformed, round);
	}
}

static void replay_retries_an_unmapped_page(void **state)
{
	struct virtio_console_port_state port;
	struct virtio_queue_state queue;
	struct virtio_chain chain = { 0 };
	struct virtio_queue_flight record[1];
	uint32_t count;

	(void)state;
	console_setup(&f, FIXTURE_CHANGING, false);
	f.tx.rewriting = false;
	send_letters(2);
	f.sinks[0].limit = 7;
	assert_int_equal(console_transmit(&f, 0), 0);
	assert_int_equal(virtio_console_save_port(&f.console, 0, &port), 0);
	assert_int_equal(virtio_queue_save_in_flight(&f.tx.queue, &queue, record, 1, &count), 0);
	assert_int_equal(virtio_console_restore_port(&f.console, &port), 0);
	virtio_queue_reset(&f.tx.queue);
	assert_int_equal(virtio_queue_restore(&f.tx.queue, &queue, &f.tx.device_map), 0);
	f.tx.bad_start = FIXTURE_DATA;
	f.tx.bad_end = FIXTURE_DATA + 16;
	f.tx.bad_error = VIRTIO_ENOTMAPPED;
	assert_int_equal(virtio_queue_replay(&f.tx.queue, &record[0], &chain), 1);
	assert_int_equal(virtio_console_replay_transmit(&f.console, 0, &chain), VIRTIO_ENOTMAPPED);
	assert_int_equal(virtio_queue_unpop(&f.tx.queue, chain.token), 0);
	f.tx.bad_error = 0;
	assert_int_equal(virtio_queue_replay(&f.tx.queue, &record[0], &chain), 1);
	assert_int_equal(virtio_console_replay_transmit(&f.console, 0, &chain), 0);
	f.sinks[0].limit = 99;
	assert_int_equal(console_transmit(&f, 0), 0);
	console_expect_output(&f, 0, "abcdefghijklmnopqrstuvwxyz");
}

/* A port is removed before its chain is replayed. The rest of the chain reaches no sink. */
static void replay_for_a_removed_port_completes_the_chain(void **state)
{
	struct virtio_console_port_state port;
	struct virtio_queue_state queue;
	struct virtio_chain chain = { 0 };
	struct virtio_queue_flight record[1];
	uint32_t count;
	bool room;

	for (uint32_t again = 0; again < 2; again++) {
		console_setup(&f, fixture_kind(state), true);
		send_letters(2);
		f.sinks[0].limit = 7;
		assert_int_equal(console_transmit(&f, 0), 0);
		assert_int_equal(virtio_console_save_port(&f.console, 0, &port), 0);
		assert_int_equal(virtio_queue_save_in_flight(&f.tx.queue, &queue, record, 1, &count), 0);
		assert_int_equal(virtio_console_restore_port(&f.console, &port), 0);
		assert_int_equal(virtio_console_remove_port(&f.console, 0, &room), 0);
		if (again)
			console_add(&f, 0, true);
		f.tx.rewriting = false;
		virtio_queue_reset(&f.tx.queue);
		assert_int_equal(virtio_queue_restore(&f.tx.queue, &queue, &f.tx.device_map), 0);
		assert_int_equal(virtio_queue_replay(&f.tx.queue, &record[0], &chain), 1);
		assert_int_equal(virtio_console_replay_transmit(&f.console, 0, &chain), 0);
		f.sinks[0].count = 0;
		f.sinks[0].limit = 99;
		assert_int_equal(console_transmit(&f, 0), 0);
		assert_int_equal(f.sinks[0].count, 0);
		assert_int_equal(console_used(&f.tx), 0);
	}
}

static void restore_refuses_impossible_devices(void **state)
{
	const struct virtio_console_state bad[] = {
		{ .negotiated = UINT64_C(1) << 5 },
		{ .negotiated = MULTIPORT, .driver_ready = 2 },
		{ .negotiated = 0, .driver_ready = 1 },
	};

	(void)state;
	console_setup(&f, FIXTURE_FLAT, true);
	for (uint32_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(virtio_console_restore(&f.console, &bad[i]), VIRTIO_EINVAL);
	assert_int_equal(f.console.negotiated, f.console.offered);
	assert_false(f.console.driver_ready);
}

#define PRESENT VIRTIO_CONSOLE_PORT_PRESENT
#define CONSOLE (VIRTIO_CONSOLE_PORT_PRESENT | VIRTIO_CONSOLE_PORT_IS_CONSOLE)
#define KNOWN VIRTIO_CONSOLE_PORT_KNOWN
#define READY VIRTIO_CONSOLE_PORT_IS_READY
#define TOLD VIRTIO_CONSOLE_PORT_TOLD_OPEN
#define AWAITS VIRTIO_CONSOLE_PORT_AWAITS_READY

/*
 * Each state has one impossible value. Port 0 is a console, port 1 is a generic port without a
 * name, and port 2 is absent.
 */
static const struct virtio_console_port_state impossible[] = {
	{ .id = CONSOLE_PORTS },
	{ .id = UINT32_MAX },
	{ .id = 0, .flags = 0 },
	{ .id = 0, .flags = PRESENT },
	{ .id = 1, .flags = CONSOLE },
	{ .id = 2, .flags = PRESENT },
	{ .id = 2, .flags = VIRTIO_CONSOLE_PORT_IS_CONSOLE },
	{ .id = 0, .flags = CONSOLE | VIRTIO_CONSOLE_PORT_CONNECTED },
	{ .id = 0, .flags = CONSOLE | KNOWN | READY | AWAITS },
	{ .id = 0, .flags = CONSOLE, .pending = 0x80 },
	{ .id = 0, .flags = CONSOLE, .in_flight = 2 },
	{ .id = 0, .flags = CONSOLE, .in_flight = 1, .head = 0x8000 },
	{ .id = 0, .flags = CONSOLE, .in_flight = 1, .taken = (UINT64_C(1) << 32) + 1 },
	{ .id = 0, .flags = CONSOLE, .head = 1 },
	{ .id = 0, .flags = CONSOLE, .taken = 1 },
	{ .id = 0, .flags = CONSOLE | KNOWN, .pending = VIRTIO_CONSOLE_SEND_ADD },
	{ .id = 0, .flags = CONSOLE | KNOWN, .pending = VIRTIO_CONSOLE_SEND_REMOVE },
	{ .id = 0, .flags = CONSOLE | READY },
	{ .id = 0, .flags = CONSOLE | READY, .pending = VIRTIO_CONSOLE_SEND_ADD | VIRTIO_CONSOLE_SEND_REMOVE },
	{ .id = 0, .flags = CONSOLE, .pending = VIRTIO_CONSOLE_SEND_REMOVE },
	{ .id = 2, .pending = VIRTIO_CONSOLE_SEND_REMOVE },
	{ .id = 0, .flags = CONSOLE | KNOWN | TOLD },
	{ .id = 1, .flags = PRESENT | KNOWN | VIRTIO_CONSOLE_PORT_GUEST_OPEN },
	{ .id = 0, .flags = CONSOLE | KNOWN, .pending = VIRTIO_CONSOLE_SEND_CONSOLE },
	{ .id = 0, .flags = CONSOLE | KNOWN, .pending = VIRTIO_CONSOLE_SEND_OPEN },
	{ .id = 0, .flags = CONSOLE | KNOWN, .pending = VIRTIO_CONSOLE_SEND_RESIZE },
	{ .id = 0, .flags = CONSOLE | KNOWN | READY | TOLD, .pending = VIRTIO_CONSOLE_SEND_CLOSE },
	{ .id = 0, .flags = CONSOLE | KNOWN | READY, .pending = VIRTIO_CONSOLE_SEND_NAME },
	{ .id = 1, .flags = PRESENT | KNOWN | READY, .pending = VIRTIO_CONSOLE_SEND_CLOSE },
	{ .id = 1, .flags = PRESENT | KNOWN | READY, .pending = VIRTIO_CONSOLE_SEND_CONSOLE },
	{ .id = 1, .flags = PRESENT | KNOWN | READY, .pending = VIRTIO_CONSOLE_SEND_RESIZE },
	{ .id = 2, .flags = KNOWN },
	{ .id = 2, .flags = KNOWN | AWAITS },
	{ .id = 2, .flags = VIRTIO_CONSOLE_PORT_GUEST_OPEN },
	{ .id = 2, .cols = 1 },
	{ .id = 2, .rows = 1 },
	{ .id = 2, .pending = VIRTIO_CONSOLE_SEND_ADD },
};

static void restore_port_refuses_impossible_states(void **state)
{
	struct virtio_console_port before[CONSOLE_PORTS];

	(void)state;
	console_setup(&f, FIXTURE_FLAT, true);
	console_add(&f, 1, false);
	memcpy(before, f.ports, sizeof before);
	for (uint32_t i = 0; i < COUNT(impossible); i++)
		if (virtio_console_restore_port(&f.console, &impossible[i]) != VIRTIO_EINVAL)
			fail_msg("impossible state %u was accepted", i);
	assert_memory_equal(f.ports, before, sizeof before);
}

/* Without the control queues no messages are pending, and only port 0 has queues. */
static void restore_port_refuses_messages_without_multiport(void **state)
{
	const struct virtio_console_port_state bad[] = {
		{ .id = 0, .flags = CONSOLE | KNOWN },
		{ .id = 0, .flags = CONSOLE | VIRTIO_CONSOLE_PORT_GUEST_OPEN },
		{ .id = 0, .flags = CONSOLE | AWAITS },
		{ .id = 0, .flags = CONSOLE, .pending = VIRTIO_CONSOLE_SEND_ADD },
		{ .id = 1, .flags = PRESENT, .in_flight = 1 },
	};
	const struct virtio_console_port_state good = { .id = 0, .flags = CONSOLE, .in_flight = 1, .cols = 7 };

	(void)state;
	console_setup(&f, FIXTURE_FLAT, true);
	console_add(&f, 1, false);
	assert_int_equal(virtio_console_negotiate(&f.console, 0), 0);
	for (uint32_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(virtio_console_restore_port(&f.console, &bad[i]), VIRTIO_EINVAL);
	assert_int_equal(virtio_console_restore_port(&f.console, &good), 0);
	assert_int_equal(f.ports[0].options.cols, 7);
}

static void save_port_refuses_a_number_that_is_too_high(void **state)
{
	struct virtio_console_port_state out, before;

	(void)state;
	console_setup(&f, FIXTURE_FLAT, true);
	memset(&out, 0x5a, sizeof out);
	memcpy(&before, &out, sizeof before);
	assert_int_equal(virtio_console_save_port(&f.console, CONSOLE_PORTS, &out), VIRTIO_EINVAL);
	assert_memory_equal(&out, &before, sizeof out);
}

/*
 * The state records which messages were sent and received, and which are pending. The target sends
 * the pending messages.
 */
static void restore_goes_on_with_the_messages(void **state)
{
	struct virtio_console_port_state ports[CONSOLE_PORTS];
	struct virtio_console_state device;
	const uint8_t size[] = { 9, 0, 8, 0 };
	bool room;

	console_setup(&f, fixture_kind(state), true);
	console_add(&f, 1, false);
	console_add(&f, 2, false);
	console_say(&f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	console_expect(&f, 0, VIRTIO_CONSOLE_PORT_ADD, 0);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_ADD, 0);
	console_say(&f, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	console_expect(&f, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
	console_expect(&f, 0, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(virtio_console_resize(&f.console, 0, 9, 8), 1);
	assert_int_equal(virtio_console_remove_port(&f.console, 1, &room), 0);
	virtio_console_save(&f.console, &device);
	for (uint32_t id = 0; id < CONSOLE_PORTS; id++)
		assert_int_equal(virtio_console_save_port(&f.console, id, &ports[id]), 0);
	virtio_console_reset(&f.console);
	assert_int_equal(virtio_console_restore(&f.console, &device), 0);
	for (uint32_t id = 0; id < CONSOLE_PORTS; id++)
		assert_int_equal(virtio_console_restore_port(&f.console, &ports[id]), 0);
	console_expect_message(&f, 0, VIRTIO_CONSOLE_RESIZE, 0, size, 4);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_REMOVE, 0);
	console_expect(&f, 2, VIRTIO_CONSOLE_PORT_ADD, 0);
	console_expect_nothing(&f);
}

/*
 * A restore keeps the target's clients. The driver gets a message if the port had a client at the
 * save and has none now. The same holds for the reverse case.
 */
static void restore_tells_the_driver_of_another_client(void **state)
{
	struct virtio_console_port_state port;
	bool room;

	console_setup(&f, fixture_kind(state), true);
	console_add(&f, 1, false);
	assert_int_equal(virtio_console_connect(&f.console, 1), 0);
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(virtio_console_save_port(&f.console, 1, &port), 0);
	assert_int_equal(virtio_console_restore_port(&f.console, &port), 0);
	console_expect_nothing(&f);
	assert_int_equal(f.ports[1].guest_open, 1);
	/* An OPEN that repeats the last OPEN is still sent. */
	console_say(&f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	assert_int_equal(virtio_console_save_port(&f.console, 1, &port), 0);
	assert_int_equal(virtio_console_restore_port(&f.console, &port), 0);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(virtio_console_save_port(&f.console, 1, &port), 0);
	assert_int_equal(virtio_console_disconnect(&f.console, 1, &room), 0);
	assert_int_equal(virtio_console_restore_port(&f.console, &port), 0);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	console_expect_nothing(&f);
	assert_int_equal(virtio_console_save_port(&f.console, 1, &port), 0);
	assert_int_equal(virtio_console_connect(&f.console, 1), 0);
	assert_int_equal(virtio_console_restore_port(&f.console, &port), 0);
	console_expect(&f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_moves_with_a_transmit_chain_in_flight),
		cmocka_unit_test(state_of_a_port_that_waits_for_its_chain_is_the_same),
		cmocka_unit_test(replay_refuses_another_chain),
		cmocka_unit_test(replay_ends_a_chain_that_is_shorter_or_malformed_by_now),
		cmocka_unit_test(replay_retries_an_unmapped_page),
		FIXTURE_ON_ALL(replay_for_a_removed_port_completes_the_chain),
		cmocka_unit_test(restore_refuses_impossible_devices),
		cmocka_unit_test(restore_port_refuses_impossible_states),
		cmocka_unit_test(restore_port_refuses_messages_without_multiport),
		cmocka_unit_test(save_port_refuses_a_number_that_is_too_high),
		FIXTURE_ON_ALL(restore_goes_on_with_the_messages),
		FIXTURE_ON_ALL(restore_tells_the_driver_of_another_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
