/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Front ends set up rings in any order, and send set-up messages again while a ring runs. */
#include "daemon.h"
#include "front_end.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>

#define VERSION_1 FEATURE(VIRTIO_F_VERSION_1)
#define PROTOCOL FEATURE(VHOST_USER_F_PROTOCOL_FEATURES)

static uint16_t used_idx(struct front_end *fe)
{
	uint16_t used;

	assert_int_equal(virtio_mock_get(&fe->mock, VIRTIO_MOCK_USED_IDX, &used), 0);
	return used;
}

/* Set-up in any order */

static void step_features(struct front_end *fe)
{
	assert_int_equal(front_end_ask_u64(fe, VHOST_USER_SET_FEATURES, VERSION_1 | PROTOCOL), 0);
}

static void step_size(struct front_end *fe)
{
	assert_int_equal(front_end_ask_state(fe, VHOST_USER_SET_VRING_NUM, 0, RING_SIZE), 0);
}

static void step_base(struct front_end *fe)
{
	assert_int_equal(front_end_ask_state(fe, VHOST_USER_SET_VRING_BASE, 0, 0), 0);
}

static void step_addr(struct front_end *fe)
{
	const struct vhost_user_vring_addr addr = front_end_addr(fe);

	assert_int_equal(front_end_ask(fe, VHOST_USER_SET_VRING_ADDR, &addr, sizeof addr, NULL, 0), 0);
}

static void step_kick(struct front_end *fe)
{
	assert_int_equal(front_end_ask_fd(fe, VHOST_USER_SET_VRING_KICK, 0, fe->kick), 0);
}

static void step_call(struct front_end *fe)
{
	assert_int_equal(front_end_ask_fd(fe, VHOST_USER_SET_VRING_CALL, 0, fe->call), 0);
}

static void step_enable(struct front_end *fe)
{
	assert_int_equal(front_end_ask_state(fe, VHOST_USER_SET_VRING_ENABLE, 0, 1), 0);
}

static void (*const steps[])(struct front_end *fe) = {
	step_features, step_size, step_base, step_addr, step_kick, step_call, step_enable, front_end_share_memory,
};

#define STEPS (sizeof steps / sizeof *steps)

/* Shuffles the steps. Each run of the test uses the same orders. */
static void shuffle(unsigned int order[STEPS], uint32_t *seed)
{
	for (unsigned int i = STEPS; i-- > 1;) {
		unsigned int other, step;

		*seed = *seed * 1664525 + 1013904223;
		other = (*seed >> 16) % (i + 1);
		step = order[i];
		order[i] = order[other];
		order[other] = step;
	}
}

/*
 * One request is available before the ring starts, and another follows later. Each request is
 * served once, whatever the order of the set-up.
 */
static void ring_starts_whatever_comes_last(void **state)
{
	unsigned int order[STEPS];
	struct daemon_process daemon;
	struct front_end fe;
	uint32_t seed = 1;
	char text[256];

	(void)state;
	daemon_start(&daemon, "");
	for (unsigned int i = 0; i < STEPS; i++)
		order[i] = i;
	for (unsigned int round = 0; round < 200; round++) {
		front_end_open(&fe, daemon.socket);
		block_submit(&fe, 0, VIRTIO_BLK_T_IN, 0, 512);
		for (unsigned int i = 0; i < STEPS; i++)
			steps[order[i]](&fe);
		block_wait(&fe, 1);
		assert_int_equal(block_status(&fe, 0), VIRTIO_BLK_S_OK);
		assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
		assert_int_equal(used_idx(&fe), 2);
		front_end_close(&fe);
		shuffle(order, &seed);
	}
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 0);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, ": 400 requests"));
}

/* While the ring runs */

/*
 * While requests are served, the front end repeats every message of the set-up, with a new kick
 * descriptor.
 */
static void ring_goes_on_when_it_is_set_up_again(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	for (unsigned int i = 0; i < 50; i++) {
		const unsigned int step = i % STEPS;
		const int old = fe.kick;

		block_submit(&fe, 0, VIRTIO_BLK_T_OUT, 1, 512);
		block_kick(&fe);
		if (steps[step] == step_kick) {
			fe.kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
			assert_true(fe.kick >= 0);
			close(old);
		}
		steps[step](&fe);
		block_wait(&fe, 1);
		assert_int_equal(block_status(&fe, 0), VIRTIO_BLK_S_OK);
		assert_int_equal(used_idx(&fe), i + 1);
	}
	block_write_and_read(&fe, 1, 1);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* A running ring changes from a kick descriptor to polling, and back. */
static void ring_goes_on_with_another_kind_of_kick(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(front_end_ask_u64(&fe, VHOST_USER_SET_VRING_KICK, VHOST_USER_VRING_NO_FD), 0);
		block_submit(&fe, 0, VIRTIO_BLK_T_IN, 0, 512);
		block_wait(&fe, 1);
		step_kick(&fe);
		assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	}
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/*
 * Hostile 52: the front end sends another size, index or address for a running ring, as for a new
 * driver. The ring stops, and no request of the new driver is served before the set-up ends.
 */
static void ring_that_runs_stops_for_a_new_driver(void **state)
{
	struct vhost_user_vring_addr addr;
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	for (unsigned int i = 0; i < 6; i++) {
		block_write_and_read(&fe, i, (uint8_t)i);
		(void)front_end_get_u64(&fe, VHOST_USER_GET_FEATURES);
		if (i % 3 == 0) {
			assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_NUM, 0, 16), 0);
		} else if (i % 3 == 1) {
			assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_BASE, 0, 1), 0);
		} else {
			addr = front_end_addr(&fe);
			addr.used += 0x4000;
			assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_VRING_ADDR, &addr, sizeof addr, NULL, 0), 0);
		}
		assert_int_equal(virtio_mock_reset(&fe.mock), 0);
		block_submit(&fe, 0, VIRTIO_BLK_T_IN, 0, 512);
		block_kick(&fe);
		front_end_set_ring(&fe, 0);
		front_end_share_memory(&fe);
		assert_int_equal(block_status(&fe, 0), 0xff);
		if (i < 3)
			step_kick(&fe);
		else
			step_enable(&fe);
		block_wait(&fe, 1);
		assert_int_equal(block_status(&fe, 0), VIRTIO_BLK_S_OK);
	}
	front_end_close(&fe);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, " 0 faults"));
}

/* Features */

/*
 * Hostile 209: the front end sets the features several times: to 0, in two halves, and without
 * VERSION_1. The daemon uses only the features that are set when the ring starts.
 */
static void features_count_when_a_ring_starts(void **state)
{
	const uint64_t sets[] = { 0,
				  PROTOCOL,
				  FEATURE(VIRTIO_BLK_F_FLUSH),
				  PROTOCOL | FEATURE(VIRTIO_BLK_F_FLUSH) | FEATURE(VIRTIO_RING_F_EVENT_IDX),
				  VERSION_1,
				  VERSION_1 | PROTOCOL | FEATURE(VIRTIO_RING_F_EVENT_IDX),
				  VERSION_1 | PROTOCOL | FEATURE(VIRTIO_BLK_F_FLUSH) };
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < sizeof sets / sizeof *sets; i++)
			assert_int_equal(front_end_ask_u64(&fe, VHOST_USER_SET_FEATURES, sets[i]), 0);
		front_end_share_memory(&fe);
		front_end_set_ring(&fe, 0);
		front_end_start_ring(&fe);
		/* The running ring keeps the features of its start. */
		for (unsigned int i = 0; i < sizeof sets / sizeof *sets; i++) {
			assert_int_equal(front_end_ask_u64(&fe, VHOST_USER_SET_FEATURES, sets[i]), 0);
			block_write_and_read(&fe, i, (uint8_t)i);
		}
		assert_int_equal(front_end_ask(&fe, VHOST_USER_RESET_OWNER, NULL, 0, NULL, 0), 0);
		assert_int_equal(virtio_mock_reset(&fe.mock), 0);
	}
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/*
 * One message tells the operator what to do. The session continues, and a modern driver is served
 * later.
 */
static void legacy_driver_is_reported_and_not_served(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;
	char text[512];

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	assert_int_equal(front_end_ask_u64(&fe, VHOST_USER_SET_FEATURES, PROTOCOL), 0);
	front_end_share_memory(&fe);
	block_submit(&fe, 0, VIRTIO_BLK_T_IN, 0, 512);
	for (unsigned int i = 0; i < 3; i++) {
		front_end_set_ring(&fe, 0);
		front_end_start_ring(&fe);
	}
	assert_int_equal(block_status(&fe, 0), 0xff);
	assert_int_equal(daemon_errors(&daemon, text, sizeof text), 1);
	assert_non_null(strstr(text, "disable-legacy=on"));
	step_features(&fe);
	block_wait(&fe, 1);
	assert_int_equal(block_status(&fe, 0), VIRTIO_BLK_S_OK);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/*
 * A ring of the old driver runs. A new driver with other features sets up another ring. When the
 * new driver's ring starts, the old ring must stop.
 */
static void rings_of_the_old_driver_stop_when_the_new_one_starts(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, ",queues=2");
	front_end_open(&fe, daemon.socket);
	front_end_set_up(&fe, 0);
	block_write_and_read(&fe, 1, 1);
	daemon_await_queues(&daemon, 1);
	step_features(&fe);
	assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_NUM, 1, 16), 0);
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_KICK, 1, fe.err), 0);
	assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_ENABLE, 1, 1), 0);
	daemon_await_queues(&daemon, 1);
	block_write_and_read(&fe, 2, 2);
	(void)front_end_get_u64(&fe, VHOST_USER_GET_FEATURES);
	{
		struct vhost_user_vring_addr addr = front_end_addr(&fe);

		addr.index = 1;
		addr.used += 0x4000;
		addr.avail += 0x4000;
		addr.desc += 0x4000;
		assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_VRING_ADDR, &addr, sizeof addr, NULL, 0), 0);
	}
	block_submit(&fe, 0, VIRTIO_BLK_T_IN, 0, 512);
	block_kick(&fe);
	daemon_await_queues(&daemon, 1);
	assert_int_equal(block_status(&fe, 0), 0xff);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* Memory */

/* Regions whose length isn't a multiple of the page size can be used up to their last byte. */
static void memory_need_not_be_whole_pages(void **state)
{
	struct vhost_user_memory table = { .count = 1 };
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_negotiate(&fe, 0);
	table.regions[0] = front_end_table().regions[0];
	table.regions[0].size = DATA + 512 + 3;
	assert_int_equal(front_end_ask_table(&fe, &table), 0);
	front_end_set_ring(&fe, 0);
	front_end_start_ring(&fe);
	block_write_and_read(&fe, 1, 1);
	/* The device must not use a byte after the end of the region. */
	assert_int_equal(block_io(&fe, VIRTIO_BLK_T_IN, 0, 1024), VIRTIO_BLK_S_IOERR);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* The daemon accepts the largest table that the vhost crate can send. */
static void memory_may_have_many_regions(void **state)
{
	const uint64_t part = GUEST_BYTES / VHOST_USER_MAX_REGIONS;
	struct vhost_user_memory table = { .count = VHOST_USER_MAX_REGIONS };
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_negotiate(&fe, 0);
	for (uint32_t i = 0; i < table.count; i++)
		table.regions[i] = (struct vhost_user_region){
			.guest_addr = GUEST_ADDR + i * part,
			.size = part,
			.user_addr = USER_ADDR + i * part,
			.mmap_offset = i * part,
		};
	assert_int_equal(front_end_ask_table(&fe, &table), 0);
	front_end_set_ring(&fe, 0);
	front_end_start_ring(&fe);
	block_write_and_read(&fe, 1, 1);
	front_end_close(&fe);
	daemon_finish(&daemon);
}

/* Rings of any size */

#define LARGE 32768u
#define LARGE_REQUESTS (LARGE / 3)
#define LARGE_HEADER 0xe0000u

/* A ring has 32768 entries, and more requests than the daemon pops at once. */
static void ring_may_have_32768_entries(void **state)
{
	static struct virtio_mock_slot slots[LARGE];
	const struct virtio_mock_buffer buffers[3] = {
		{ .addr = GUEST_ADDR + LARGE_HEADER, .len = 16 }, /* zeroes: a read of sector 0 */
		{ .addr = GUEST_ADDR + LARGE_HEADER + 0x1000, .len = 512, .flags = VRING_DESC_F_WRITE },
		{ .addr = GUEST_ADDR + LARGE_HEADER + 0x2000, .len = 1, .flags = VRING_DESC_F_WRITE },
	};
	struct vhost_user_memory table = { .count = 1 };
	struct vhost_user_vring_addr addr;
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	front_end_open(&fe, daemon.socket);
	front_end_negotiate(&fe, 0);
	table.regions[0] = front_end_table().regions[0];
	table.regions[0].size = GUEST_BYTES;
	assert_int_equal(front_end_ask_table(&fe, &table), 0);
	assert_int_equal(virtio_mock_init(&fe.mock, &fe.map, GUEST_ADDR, LARGE, slots, LARGE), 0);
	assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_NUM, 0, LARGE), 0);
	addr = front_end_addr(&fe);
	assert_int_equal(front_end_ask(&fe, VHOST_USER_SET_VRING_ADDR, &addr, sizeof addr, NULL, 0), 0);
	step_call(&fe);
	front_end_start_ring(&fe);
	for (unsigned int round = 0; round < 3; round++) {
		fe.memory[LARGE_HEADER + 0x2000] = 0xff;
		for (unsigned int i = 0; i < LARGE_REQUESTS; i++)
			assert_true(virtio_mock_add(&fe.mock, buffers, 3) >= 0);
		block_kick(&fe);
		block_wait(&fe, LARGE_REQUESTS);
		assert_int_equal(fe.memory[LARGE_HEADER + 0x2000], VIRTIO_BLK_S_OK);
	}
	front_end_close(&fe);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, ": 32766 requests (in 32766, "));
	assert_non_null(strstr(daemon.summary, " failed 0)"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ring_starts_whatever_comes_last),
		cmocka_unit_test(ring_goes_on_when_it_is_set_up_again),
		cmocka_unit_test(ring_goes_on_with_another_kind_of_kick),
		cmocka_unit_test(ring_that_runs_stops_for_a_new_driver),
		cmocka_unit_test(features_count_when_a_ring_starts),
		cmocka_unit_test(legacy_driver_is_reported_and_not_served),
		cmocka_unit_test(rings_of_the_old_driver_stop_when_the_new_one_starts),
		cmocka_unit_test(memory_need_not_be_whole_pages),
		cmocka_unit_test(memory_may_have_many_regions),
		cmocka_unit_test(ring_may_have_32768_entries),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
