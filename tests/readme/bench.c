/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The test driver of virtio-queue's README, with good and bad requests, and a device that writes
 * nothing.
 */
#include "readme_bench.h"

#include "cmocka_includes.h"

static struct bench bench;
static int kick_said;
static uint32_t kicks;

/*
 * Walks every chain to its end and completes it. One pass is enough, because the driver doesn't run
 * meanwhile.
 */
static void kick(struct virtio_queue *queue)
{
	struct virtio_chain chain;
	struct virtio_desc desc;

	kicks++;
	while ((kick_said = virtio_queue_pop(queue, &chain)) == 1) {
		while (virtio_chain_next(&chain, &desc) == 1) {
		}
		assert_int_equal(virtio_queue_complete(queue, chain.token, 0), 0);
	}
	(void)virtio_queue_needs_interrupt(queue);
	(void)!virtio_queue_enable_kicks(queue);
}

static void lazy(struct virtio_queue *queue)
{
	(void)queue;
}

/* A bad device: its first used element names a chain that the device has not popped. */
static void mad(struct virtio_queue *queue)
{
	const struct vring_used_elem made_up = { SIZE - 1, 0 };

	kick(queue);
	assert_int_equal(virtio_mock_set_used_entry(&bench.mock, bench.mock.used_idx % SIZE, &made_up), 0);
}

static void bench_behaves_until_indices_wrap_twice(void **state)
{
	(void)state;
	assert_int_equal(bench_init(&bench, false), 0);
	for (uint32_t i = 0; i < 50000; i++)
		assert_int_equal(bench_behave(&bench, kick), 3);
	assert_int_equal(kick_said, 0);
}

static void bench_tells_what_device_did_wrong(void **state)
{
	(void)state;
	assert_int_equal(bench_init(&bench, false), 0);
	assert_int_equal(bench_behave(&bench, lazy), 0);
	assert_int_equal(bench_init(&bench, false), 0);
	assert_int_equal(bench_behave(&bench, mad), VIRTIO_ESTALE);
}

static void bench_refuses_used_ring_outside_memory(void **state)
{
	(void)state;
	assert_int_equal(bench_init(&bench, true), VIRTIO_EFAULT);
}

/* Checks the queue's statistics, and the result of the last pop, after each attack. */
static void bench_attacks_are_noticed(void **state)
{
	static const struct {
		attack *run;
		int popped; /* result of the last pop */
		int fault;
		uint64_t chains;
	} cases[] = {
		{ attack_endless_chain, 0, VIRTIO_ETOOLONG, 1 },
		/*
		 * The device completes the head before it pops the same head again, so there is no
		 * fault.
		 */
		{ attack_head_twice, 0, 0, 2 },
		{ attack_table_in_table, 0, VIRTIO_EINDIRECT, 1 },
		{ attack_own_descriptor, 0, 0, 1 },
		{ attack_used_ring, 0, 0, 0 },
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct virtio_queue_stats stats;

		assert_int_equal(bench_init(&bench, false), 0);
		kicks = 0;
		assert_int_equal(bench_attack(&bench, cases[i].run, kick), 0);
		assert_int_equal(kicks, 1);
		assert_int_equal(kick_said, cases[i].popped);
		virtio_queue_get_stats(&bench.queue, &stats);
		assert_int_equal(stats.first_error, cases[i].fault);
		assert_int_equal(stats.completions, cases[i].chains);
		/*
		 * After this attack a good driver works, because the device overwrites the used
		 * ring.
		 */
		if (cases[i].run == attack_used_ring)
			assert_int_equal(bench_behave(&bench, kick), 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bench_behaves_until_indices_wrap_twice),
		cmocka_unit_test(bench_tells_what_device_did_wrong),
		cmocka_unit_test(bench_refuses_used_ring_outside_memory),
		cmocka_unit_test(bench_attacks_are_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
