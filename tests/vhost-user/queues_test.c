/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Several queues run at once, each with a thread in the daemon. The data must be right. After the
 * daemon reports a stop, the daemon must not touch the queue, whatever the guest and the front end
 * do.
 */
#include "daemon.h"
#include "front_end.h"
#include "rings.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>

#define QUEUES ",queues=4"

static_assert(RINGS == 4, "RINGS must match QUEUES");

/* A thread that acts as the driver of one ring. */
struct traffic {
	struct ring *ring;
	unsigned int rounds;
	atomic_uint *running;
	pthread_t thread;
	const char *wrong;
};

static void *run_traffic(void *arg)
{
	struct traffic *traffic = arg;

	traffic->wrong = ring_traffic(traffic->ring, traffic->rounds);
	atomic_fetch_sub(traffic->running, 1);
	return NULL;
}

static void start_traffic(struct traffic *traffic, struct ring *rings, unsigned int rounds, atomic_uint *running)
{
	atomic_store(running, RINGS);
	for (unsigned int i = 0; i < RINGS; i++) {
		traffic[i] = (struct traffic){ .ring = &rings[i], .rounds = rounds, .running = running };
		assert_int_equal(pthread_create(&traffic[i].thread, NULL, run_traffic, &traffic[i]), 0);
	}
}

static void finish_traffic(struct traffic *traffic)
{
	for (unsigned int i = 0; i < RINGS; i++) {
		assert_int_equal(pthread_join(traffic[i].thread, NULL), 0);
		if (traffic[i].wrong)
			fail_msg("ring %u: %s", i, traffic[i].wrong);
	}
}

static void queues_have_a_thread_each_while_they_run(void **state)
{
	struct daemon_process daemon;
	struct ring rings[RINGS];
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, QUEUES);
	rings_open(rings, &fe, daemon.socket, 0);
	daemon_await_queues(&daemon, RINGS);
	for (uint16_t i = 0; i < RINGS; i++) {
		assert_int_equal(ring_stop(&rings[i]), 0);
		daemon_await_queues(&daemon, RINGS - i - 1u);
	}
	rings_close(rings);
	daemon_finish(&daemon);
}

/* Hostile 135: all queues read, write and flush at the same time. */
static void queues_keep_the_data_of_all_apart(void **state)
{
	const uint64_t features[] = { 0, FEATURE(VIRTIO_RING_F_EVENT_IDX) };
	const unsigned int rounds = 100;
	/*
	 * All queues together send this number of flushes among the writes of both sessions, and
	 * the same number among the reads.
	 */
	const unsigned int flushes = 2 * RINGS * rounds / RING_FLUSH_ROUNDS * RING_FLUSHES;
	const unsigned int moves = 2 * RINGS * rounds * RING_REQUESTS - flushes;
	struct daemon_process daemon;
	struct traffic traffic[RINGS];
	struct ring rings[RINGS];
	struct front_end fe;
	atomic_uint running;
	char words[96];

	(void)state;
	daemon_start(&daemon, QUEUES);
	for (unsigned int f = 0; f < 2; f++) {
		rings_open(rings, &fe, daemon.socket, features[f]);
		start_traffic(traffic, rings, rounds, &running);
		finish_traffic(traffic);
		for (unsigned int i = 0; i < RINGS; i++)
			assert_int_equal(ring_stop(&rings[i]), 2 * rounds * RING_REQUESTS);
		rings_close(rings);
	}
	daemon_finish(&daemon);
	snprintf(words, sizeof words, "(in %u, out %u, flush %u,", moves, moves, 2 * flushes);
	assert_non_null(strstr(daemon.summary, words));
	assert_non_null(strstr(daemon.summary, "failed 0)"));
	assert_non_null(strstr(daemon.summary, " 0 faults"));
}

/* For a new table a queue is drained and paused, and then continues at its index. */
static void queues_go_on_while_memory_is_replaced(void **state)
{
	struct vhost_user_memory tables[2] = { front_end_table(), front_end_table() };
	struct daemon_process daemon;
	struct traffic traffic[RINGS];
	struct ring rings[RINGS];
	struct front_end fe;
	unsigned int changes = 0;
	atomic_uint running;

	(void)state;
	tables[1].count = 1;
	tables[1].regions[0].size = GUEST_BYTES;
	daemon_start(&daemon, QUEUES);
	rings_open(rings, &fe, daemon.socket, FEATURE(VIRTIO_RING_F_EVENT_IDX));
	start_traffic(traffic, rings, 150, &running);
	while (atomic_load(&running) > 0 || changes < 10) {
		assert_int_equal(front_end_ask_table(&fe, &tables[++changes % 2]), 0);
		/* A table without the last ring is refused, and all rings keep the old memory. */
		if (changes % 8 == 0) {
			struct vhost_user_memory bad = tables[1];

			bad.regions[0].size = 0x60000;
			assert_int_equal(front_end_ask_table(&fe, &bad), 1);
		}
	}
	finish_traffic(traffic);
	assert_in_range(daemon_mappings(&daemon), 1, 2);
	rings_close(rings);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, "failed 0)"));
	assert_non_null(strstr(daemon.summary, " 0 faults"));
}

/*
 * The daemon signals the current call descriptor. During a change the daemon may signal the old and
 * the new descriptor.
 */
static void queues_lose_no_signal_while_descriptors_are_replaced(void **state)
{
	struct daemon_process daemon;
	struct traffic traffic[RINGS];
	struct ring rings[RINGS];
	struct front_end fe;
	unsigned int changes = 0;
	atomic_uint running;

	(void)state;
	daemon_start(&daemon, QUEUES);
	rings_open(rings, &fe, daemon.socket, FEATURE(VIRTIO_RING_F_EVENT_IDX));
	start_traffic(traffic, rings, 100, &running);
	while (atomic_load(&running) > 0 || changes < 10) {
		const struct ring *ring = &rings[++changes % RINGS];
		const uint32_t request = changes / RINGS % 2 ? VHOST_USER_SET_VRING_CALL : VHOST_USER_SET_VRING_ERR;

		assert_int_equal(front_end_ask_fd(&fe, request, ring->index, ring->call), 0);
	}
	finish_traffic(traffic);
	rings_close(rings);
	daemon_finish(&daemon);
}

/*
 * The index in the reply to GET_VRING_BASE is right and stays right. All requests before this index
 * are completed, and no later request has begun.
 */
static void queue_that_is_stopped_is_quiet(void **state)
{
	struct daemon_process daemon;
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, "");
	for (unsigned int i = 0; i < 20; i++) {
		struct vhost_user_vring_state base = { .index = 0 };
		uint16_t used, later;
		pid_t guest;

		front_end_open(&fe, daemon.socket);
		front_end_set_up(&fe, 0);
		guest = block_busy_guest(&fe);
		front_end_send(&fe, VHOST_USER_GET_VRING_BASE, VHOST_USER_FLAG_VERSION, &base, sizeof base, NULL, 0);
		assert_int_equal(front_end_reply(&fe, VHOST_USER_GET_VRING_BASE, &base, sizeof base), sizeof base);
		assert_int_equal(virtio_mock_get(&fe.mock, VIRTIO_MOCK_USED_IDX, &used), 0);
		assert_int_equal(used, base.num);
		/* The guest still kicks, but the ring must not change. */
		usleep(2000);
		assert_int_equal(virtio_mock_get(&fe.mock, VIRTIO_MOCK_USED_IDX, &later), 0);
		assert_int_equal(later, used);
		/*
		 * The front end can start the ring again, and stop the ring again by disabling it.
		 */
		assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_KICK, 0, fe.kick), 0);
		do
			assert_int_equal(virtio_mock_get(&fe.mock, VIRTIO_MOCK_USED_IDX, &later), 0);
		while (later == used);
		assert_int_equal(front_end_ask_state(&fe, VHOST_USER_SET_VRING_ENABLE, 0, 0), 0);
		assert_int_equal(kill(guest, SIGKILL), 0);
		assert_int_equal(waitpid(guest, NULL, 0), guest);
		front_end_close(&fe);
	}
	daemon_finish(&daemon);
}

/*
 * The front end leaves while all rings have requests, kicked or not. Before that, the front end
 * waits for at most one request.
 */
static void queues_of_a_front_end_that_leaves_are_let_go(void **state)
{
	struct daemon_process daemon;
	unsigned int files = 0;

	(void)state;
	daemon_start(&daemon, QUEUES);
	for (unsigned int i = 0; i < 100; i++) {
		struct ring rings[RINGS];
		struct front_end fe;

		rings_open(rings, &fe, daemon.socket, 0);
		for (unsigned int r = 0; r < RINGS; r++) {
			for (unsigned int n = 0; n < RING_REQUESTS; n++)
				assert_int_equal(ring_submit(&rings[r], n, n % 2 ? VIRTIO_BLK_T_IN : VIRTIO_BLK_T_OUT,
							     n * REQUEST_SECTORS, REQUEST_BYTES),
						 0);
			if ((i + r) % 4)
				assert_int_equal(ring_kick(&rings[r]), 0);
		}
		/* Sometimes the front end leaves while the first requests are being served. */
		if (i % 3 == 0)
			assert_int_equal(ring_wait(&rings[i % RINGS], (i + i) % 4 ? 1 : 0), 0);
		rings_close(rings);
		if (i % 10 == 9) {
			front_end_open(&fe, daemon.socket);
			(void)front_end_get_u64(&fe, VHOST_USER_GET_FEATURES);
			if (i == 9) {
				files = daemon_open_files(&daemon);
			}
			assert_int_equal(daemon_open_files(&daemon), files);
			daemon_await_queues(&daemon, 0);
			front_end_close(&fe);
		}
	}
	front_end_good_session(daemon.socket, 1);
	daemon_finish(&daemon);
}

/* Starts a process that fills the call descriptor, or reads it, until the process is killed. */
static pid_t start_filling(const struct front_end *fe, bool reading)
{
	uint64_t count = UINT64_MAX - 1;
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fe->socket);
		for (;;)
			if (reading)
				(void)!read(fe->call, &count, sizeof count);
			else
				(void)!write(fe->call, &count, sizeof count);
	}
	return pid;
}

/*
 * The daemon checks with poll() that the call descriptor accepts a signal, and then writes. If the
 * descriptor becomes full in between, the write blocks. This function tries to make the write
 * block. If the write blocks, the function leaves the reader stopped and returns true.
 */
static bool wait_for_a_full_descriptor(const struct daemon_process *daemon, pid_t reader)
{
	for (unsigned int tries = 0; tries < 5000; tries++) {
		bool waits = true;

		/* The number of tries limits this loop, so each try may count as progress. */
		watchdog_step();
		assert_int_equal(kill(reader, SIGSTOP), 0);
		/*
		 * While the reader is stopped, another process fills the descriptor. If the queue's
		 * thread is in write() at three checks in a row, the write is blocked.
		 */
		for (unsigned int looks = 0; looks < 3 && waits; looks++) {
			usleep(1000);
			waits = daemon_queue_writes(daemon);
		}
		if (waits)
			return true;
		assert_int_equal(kill(reader, SIGCONT), 0);
		usleep(100);
	}
	return false;
}

static void queue_with_a_full_call_descriptor_can_be_stopped(void **state)
{
	struct daemon_process daemon;
	unsigned int seen = 0;

	(void)state;
	daemon_start_two(&daemon);
	for (unsigned int i = 0; i < 3; i++) {
		struct vhost_user_vring_state base = { .index = 0 };
		pid_t guest, filler, reader;
		struct front_end fe;

		front_end_open(&fe, daemon.socket);
		front_end_set_up(&fe, 0);
		guest = block_busy_guest(&fe);
		reader = start_filling(&fe, true);
		filler = start_filling(&fe, false);
		seen += wait_for_a_full_descriptor(&daemon, reader);
		/*
		 * The daemon still serves the other device. This front end replaces its memory in
		 * round 0, stops the ring in rounds 0 and 1, and leaves in each round.
		 */
		front_end_good_session(daemon.other, 1);
		if (i == 0)
			front_end_share_memory(&fe);
		if (i <= 1) {
			front_end_send(&fe, VHOST_USER_GET_VRING_BASE, VHOST_USER_FLAG_VERSION, &base, sizeof base,
				       NULL, 0);
			assert_int_equal(front_end_reply(&fe, VHOST_USER_GET_VRING_BASE, &base, sizeof base),
					 sizeof base);
		}
		front_end_close(&fe);
		front_end_good_session(daemon.socket, 1);
		for (unsigned int p = 0; p < 3; p++) {
			const pid_t pid = (const pid_t[]){ guest, filler, reader }[p];

			assert_int_equal(kill(pid, SIGKILL), 0);
			assert_int_equal(waitpid(pid, NULL, 0), pid);
		}
	}
	daemon_finish(&daemon);
	if (seen == 0) {
		print_message("the descriptor never became full between poll() and write()\n");
		skip();
	}
}

/* If one queue breaks, the other queues of the session continue. */
static void queue_that_breaks_leaves_the_others_alone(void **state)
{
	struct daemon_process daemon;
	struct ring rings[RINGS];
	struct front_end fe;

	(void)state;
	daemon_start(&daemon, QUEUES);
	rings_open(rings, &fe, daemon.socket, 0);
	assert_int_equal(front_end_ask_fd(&fe, VHOST_USER_SET_VRING_ERR, 2, fe.err), 0);
	for (unsigned int i = 0; i < 3; i++) {
		uint8_t last = VIRTIO_BLK_S_OK;
		uint64_t count;

		assert_null(ring_traffic(&rings[2], 1));
		/* Good requests are available before the bad head. */
		for (unsigned int n = 0; n < 32; n++)
			assert_int_equal(ring_submit(&rings[2], n, VIRTIO_BLK_T_IN, 0, REQUEST_BYTES), 0);
		assert_int_equal(virtio_mock_offer(&rings[2].mock, RING_ENTRIES), 0);
		assert_int_equal(virtio_mock_publish(&rings[2].mock), 0);
		assert_int_equal(ring_kick(&rings[2]), 0);
		assert_int_equal(read(fe.err, &count, sizeof count), sizeof count);
		/*
		 * The requests were completed before the daemon signalled the error. On a busy
		 * machine the turn may end early, and then the last requests fail.
		 */
		for (unsigned int n = 0; n < 32; n++) {
			const uint8_t status = ring_status(&rings[2], n);

			assert_true(status == VIRTIO_BLK_S_IOERR || (status == VIRTIO_BLK_S_OK && last == status));
			last = status;
		}
		assert_null(ring_traffic(&rings[1], 2));
		assert_null(ring_traffic(&rings[3], 2));
		/* The front end sets the ring up again, with or without GET_VRING_BASE before. */
		if (i % 2)
			(void)ring_stop(&rings[2]);
		assert_int_equal(virtio_mock_reset(&rings[2].mock), 0);
		ring_start(&rings[2], 0);
	}
	assert_null(ring_traffic(&rings[2], 2));
	rings_close(rings);
	daemon_finish(&daemon);
	assert_non_null(strstr(daemon.summary, " 3 faults"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queues_have_a_thread_each_while_they_run),
		cmocka_unit_test(queues_keep_the_data_of_all_apart),
		cmocka_unit_test(queues_go_on_while_memory_is_replaced),
		cmocka_unit_test(queues_lose_no_signal_while_descriptors_are_replaced),
		cmocka_unit_test(queue_that_is_stopped_is_quiet),
		cmocka_unit_test(queues_of_a_front_end_that_leaves_are_let_go),
		cmocka_unit_test(queue_with_a_full_call_descriptor_can_be_stopped),
		cmocka_unit_test(queue_that_breaks_leaves_the_others_alone),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
