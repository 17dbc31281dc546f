/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Requests through io_uring on a fake kernel, which shortens, interrupts, fails, refuses and
 * reorders pieces. A piece is one operation submitted to io_uring. The results must be right, and
 * no result may be reported too early.
 */
#include "fake_kernel.h"

#include "device.h"
#include "flusher.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define OUT VIRTIO_BLK_T_OUT
#define IN VIRTIO_BLK_T_IN
#define FLUSH VIRTIO_BLK_T_FLUSH
#define BYTES (REQUEST_SECTORS * 512)

/* Sets how the next pieces end. */
static void tell(const int64_t *outcomes, unsigned int count)
{
	assert_true(count <= sizeof kernel_kernel.outcomes / sizeof outcomes[0]);
	memcpy(kernel_kernel.outcomes, outcomes, count * sizeof outcomes[0]);
	kernel_kernel.outcome_count = count;
	kernel_kernel.ended = 0;
	kernel_kernel.pieces = 0;
}

static void expect(unsigned int queue, unsigned int n, uint8_t status, uint32_t length)
{
	assert_int_equal(kernel_status(queue, n), status);
	assert_int_equal(kernel_length(queue, n), length);
}

/* Sends a request, runs the device until nothing is in flight, and checks the result. */
static void serve(unsigned int n, uint32_t type, uint8_t status, uint32_t length)
{
	kernel_send(0, n, type, type == FLUSH ? 0 : REQUEST_SECTORS);
	kernel_run(0);
	expect(0, n, status, length);
}

/* Pieces */

static void uring_goes_on_after_short_pieces(void **state)
{
	const int64_t outcomes[] = { AT_MOST(1), AT_MOST(511), AT_MOST(100) };

	(void)state;
	kernel_open(WRITE_BACK, 1);
	tell(outcomes, 3);
	serve(3, OUT, VIRTIO_BLK_S_OK, 1);
	assert_int_equal(kernel_kernel.pieces, 4);
	tell(outcomes, 3);
	serve(3, IN, VIRTIO_BLK_S_OK, BYTES + 1);
	assert_int_equal(kernel_kernel.pieces, 4);
	kernel_close();
}

static void uring_reads_need_no_flush(void **state)
{
	(void)state;
	kernel_open(WRITE_THROUGH, 1);
	serve(0, IN, VIRTIO_BLK_S_OK, BYTES + 1);
	assert_int_equal(kernel_disk.syncs, 0);
	kernel_close();
}

/*
 * A failed piece fails the request, whether it is the first piece or a later piece. An impossible
 * result fails the request, too.
 */
static void uring_fails_requests_whose_pieces_fail(void **state)
{
	const int64_t failures[] = { SAYS(-EIO), SAYS(-ENOSPC), SAYS(-EINVAL), SAYS(0), SAYS(BYTES + 1) };
	const uint64_t features[] = { WRITE_BACK, WRITE_THROUGH };

	(void)state;
	for (unsigned int i = 0; i < 2 * sizeof failures / sizeof failures[0]; i++) {
		const int64_t failure = failures[i / 2];
		const int64_t later[] = { AT_MOST(300), failure };

		kernel_open(features[i % 2], 1);
		/*
		 * A read with the result 0 is at the end of the file. Then uring.c calls the back
		 * end, because the file may end within a sector.
		 */
		kernel_disk.call_outcome = failure == SAYS(0) ? failure : WHOLE;
		tell(&failure, 1);
		serve(0, IN, VIRTIO_BLK_S_IOERR, 0);
		tell(&failure, 1);
		serve(0, OUT, VIRTIO_BLK_S_IOERR, 1);
		assert_int_equal(kernel_kernel.pieces, 1);
		tell(later, 2);
		serve(1, IN, VIRTIO_BLK_S_IOERR, 300);
		tell(later, 2);
		serve(1, OUT, VIRTIO_BLK_S_IOERR, 1);
		assert_int_equal(kernel_kernel.pieces, 2);
		/* No request needed a flush. */
		assert_int_equal(kernel_disk.syncs, 0);
		serve(1, OUT, VIRTIO_BLK_S_OK, 1);
		kernel_close();
	}
}

static void uring_repeats_interrupted_pieces_by_calls(void **state)
{
	const int interruptions[] = { EINTR, EAGAIN };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		const int64_t outcomes[] = { AT_MOST(600), SAYS(-interruptions[i]) };
		const uint32_t types[] = { OUT, IN };

		kernel_open(WRITE_THROUGH, 1);
		for (unsigned int t = 0; t < 2; t++) {
			const uint32_t length = types[t] == IN ? BYTES + 1 : 1;

			tell(outcomes, 2);
			kernel_disk.calls = 0;
			serve(5, types[t], VIRTIO_BLK_S_OK, length);
			assert_int_equal(kernel_disk.calls, 1);
			/* A call may be short. io_uring then carries out the rest of the piece. */
			tell(&outcomes[1], 1);
			kernel_disk.call_outcome = AT_MOST(10);
			serve(6, types[t], VIRTIO_BLK_S_OK, length);
			assert_int_equal(kernel_kernel.pieces, 2);
			/* A call may fail. */
			tell(&outcomes[1], 1);
			kernel_disk.call_outcome = SAYS(-EIO);
			serve(6, types[t], VIRTIO_BLK_S_IOERR, types[t] == IN ? 0 : 1);
			kernel_disk.call_outcome = WHOLE;
		}
		kernel_close();
	}
}

/*
 * A stop waits for the requests in flight. To limit this wait, no request begins while 64 MiB are
 * in flight.
 */
static void uring_has_a_bounded_number_of_bytes_in_flight(void **state)
{
	const int64_t failures[] = { SAYS(-EIO), SAYS(-EIO) };
	const unsigned int sectors[] = { LARGE_SECTORS, LARGE_SECTORS - 1, 1, 1 };

	(void)state;
	kernel_open(WRITE_BACK, 1);
	tell(failures, 2);
	for (unsigned int n = 0; n < 4; n++)
		kernel_send(0, n, IN, sectors[n]);
	/* The first two pieces leave room for one sector, which the third piece uses. */
	assert_int_equal(kernel_process(0), 1);
	assert_int_equal(kernel_kernel.pieces, 3);
	assert_int_equal(kernel_process(0), 1);
	assert_int_equal(kernel_kernel.pieces, 3);
	kernel_end_one(0);
	assert_int_equal(kernel_process(0), 0);
	assert_int_equal(kernel_kernel.pieces, 4);
	kernel_run(0);
	for (unsigned int n = 0; n < 4; n++)
		expect(0, n, n < 2 ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK, n < 2 ? 0 : 513);
	kernel_close();
}

/*
 * Stable writes. The fake kernel checks two rules in every test. Before a write under write-through
 * succeeds, its data must be stable. Before a flush succeeds, all writes that were reported before
 * the flush was sent must be stable.
 */

static void uring_writes_are_stable_before_they_are_reported_under_write_through(void **state)
{
	const int64_t outcome = AT_MOST(512);

	(void)state;
	kernel_open(WRITE_THROUGH, 1);
	kernel_disk.hold = true;
	tell(&outcome, 1);
	kernel_send(0, 1, OUT, REQUEST_SECTORS);
	/* Each turn moves half of the request. */
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(kernel_process(0), 0);
		assert_int_equal(kernel_disk.syncs, 0);
		kernel_end_moves(0);
	}
	assert_int_equal(kernel_process(0), 0);
	kernel_await_syncs(1);
	assert_int_equal(kernel_process(0), 0);
	assert_int_equal(kernel_status(0, 1), STATUS_NONE);
	kernel_release();
	kernel_run(0);
	expect(0, 1, VIRTIO_BLK_S_OK, 1);
	assert_int_equal(kernel_disk.syncs, 1);
	kernel_close();
}

static void uring_flush_is_reported_when_all_before_it_is_stable(void **state)
{
	(void)state;
	kernel_open(WRITE_BACK, 1);
	for (unsigned int n = 0; n < 8; n++)
		serve(n, OUT, VIRTIO_BLK_S_OK, 1);
	assert_int_equal(kernel_disk.syncs, 0);
	kernel_disk.hold = true;
	kernel_send(0, 8, FLUSH, 0);
	assert_int_equal(kernel_process(0), 0);
	kernel_await_syncs(1);
	/* Reads and writes do not wait for the flush. */
	kernel_send(0, 9, IN, 1);
	kernel_send(0, 10, OUT, 1);
	assert_int_equal(kernel_process(0), 0);
	kernel_end_moves(0);
	assert_int_equal(kernel_process(0), 0);
	expect(0, 9, VIRTIO_BLK_S_OK, 513);
	expect(0, 10, VIRTIO_BLK_S_OK, 1);
	assert_int_equal(kernel_status(0, 8), STATUS_NONE);
	kernel_release();
	kernel_run(0);
	expect(0, 8, VIRTIO_BLK_S_OK, 1);
	assert_int_equal(kernel_disk.syncs, 1);
	kernel_close();
}

/*
 * A sync does not cover writes that arrive after the sync has begun. Such writes need another sync.
 */
static void uring_writes_during_a_flush_need_another_flush(void **state)
{
	const uint64_t features[] = { WRITE_THROUGH, WRITE_BACK };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		kernel_open(features[i], 1);
		kernel_disk.hold = true;
		kernel_send(0, 0, i ? FLUSH : OUT, i ? 0 : 1);
		assert_int_equal(kernel_process(0), 0);
		kernel_end_moves(0);
		assert_int_equal(kernel_process(0), 0);
		kernel_await_syncs(1);
		kernel_send(0, 1, OUT, 1);
		assert_int_equal(kernel_process(0), 0);
		kernel_end_moves(0);
		assert_int_equal(kernel_process(0), 0);
		kernel_send(0, 2, i ? FLUSH : OUT, i ? 0 : 1);
		assert_int_equal(kernel_process(0), 0);
		kernel_end_moves(0);
		assert_int_equal(kernel_process(0), 0);
		kernel_release();
		kernel_run(0);
		for (unsigned int n = 0; n < 3; n++)
			expect(0, n, VIRTIO_BLK_S_OK, 1);
		assert_int_equal(kernel_disk.syncs, 2);
		kernel_close();
	}
}

static void send_writes(unsigned int queue, unsigned int count)
{
	for (unsigned int n = 0; n < count; n++)
		kernel_send(queue, n, OUT, 1);
}

static void uring_writes_that_end_together_share_a_flush(void **state)
{
	(void)state;
	kernel_open(WRITE_THROUGH, 1);
	send_writes(0, 16);
	assert_int_equal(kernel_process(0), 0);
	kernel_end_moves(0);
	kernel_run(0);
	for (unsigned int n = 0; n < 16; n++)
		expect(0, n, VIRTIO_BLK_S_OK, 1);
	assert_int_equal(kernel_disk.syncs, 1);
	kernel_close();
}

/* The kernel reports only once that it has lost data. Later syncs succeed. */
static void uring_failed_flush_fails_all_that_relied_on_it(void **state)
{
	(void)state;
	/* In round 0 the writes end together, in round 1 one after another. */
	for (unsigned int i = 0; i < 2; i++) {
		kernel_open(WRITE_THROUGH, 1);
		kernel_disk.fail_sync = 1;
		kernel_disk.fail_with = ENOSPC;
		send_writes(0, 16);
		assert_int_equal(kernel_process(0), 0);
		if (i == 0)
			kernel_end_moves(0);
		kernel_run(0);
		for (unsigned int n = 0; n < 16; n++)
			expect(0, n, VIRTIO_BLK_S_IOERR, 1);
		assert_non_null(strstr(kernel_log, strerror(ENOSPC)));
		kernel_close();
	}
}

static void uring_failed_flush_is_not_forgotten(void **state)
{
	(void)state;
	kernel_open(WRITE_BACK, 1);
	serve(0, OUT, VIRTIO_BLK_S_OK, 1);
	kernel_disk.fail_sync = 1;
	kernel_disk.fail_with = EDQUOT;
	for (unsigned int i = 0; i < 3; i++)
		serve(1, FLUSH, VIRTIO_BLK_S_IOERR, 1);
	assert_non_null(strstr(kernel_log, strerror(EDQUOT)));
	/* Requests that do not promise stable data still succeed. */
	serve(2, OUT, VIRTIO_BLK_S_OK, 1);
	serve(2, IN, VIRTIO_BLK_S_OK, BYTES + 1);
	kernel_close();
}

/* Both queues have written, and then one sync fails. The requests of both queues must fail. */
static void uring_failed_flush_is_known_to_all_queues(void **state)
{
	(void)state;
	kernel_open(WRITE_THROUGH, 2);
	kernel_disk.fail_sync = 1;
	kernel_disk.fail_with = ENOSPC;
	kernel_disk.hold = true;
	for (unsigned int queue = 0; queue < 2; queue++) {
		send_writes(queue, 4);
		assert_int_equal(kernel_process(queue), 0);
		kernel_end_moves(queue);
	}
	/* Both queues flush at the same time. */
	for (unsigned int queue = 0; queue < 2; queue++)
		assert_int_equal(kernel_process(queue), 0);
	kernel_await_syncs(1);
	kernel_release();
	for (unsigned int queue = 0; queue < 2; queue++) {
		kernel_log[0] = '\0';
		kernel_run(queue);
		for (unsigned int n = 0; n < 4; n++)
			expect(queue, n, VIRTIO_BLK_S_IOERR, 1);
		assert_non_null(strstr(kernel_log, strerror(ENOSPC)));
	}
	kernel_close();
}

/* The flusher */

/* A disk without flushes needs no thread. */
static void uring_starts_a_thread_with_the_first_flush(void **state)
{
	(void)state;
	kernel_open(WRITE_BACK, 1);
	serve(0, OUT, VIRTIO_BLK_S_OK, 1);
	serve(0, IN, VIRTIO_BLK_S_OK, BYTES + 1);
	assert_int_equal(kernel_kernel.threads, 0);
	for (unsigned int i = 0; i < 2; i++) {
		serve(1, FLUSH, VIRTIO_BLK_S_OK, 1);
		assert_int_equal(kernel_kernel.threads, 1);
	}
	kernel_close();
}

/* If no thread can be started, the queue's thread flushes. The next flush tries to start one. */
static void uring_flushes_without_a_thread_where_none_can_be_started(void **state)
{
	(void)state;
	for (unsigned int fail = 0; fail < 2; fail++) {
		const uint8_t status = fail ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;

		kernel_open(WRITE_THROUGH, 1);
		kernel_kernel.no_threads = true;
		kernel_disk.fail_sync = fail;
		kernel_disk.fail_with = ENOSPC;
		for (unsigned int i = 0; i < 2; i++)
			serve(i, OUT, status, 1);
		assert_int_equal(kernel_kernel.threads, 0);
		assert_int_equal(strstr(kernel_log, strerror(ENOSPC)) != NULL, fail);
		kernel_kernel.no_threads = false;
		serve(2, OUT, status, 1);
		assert_int_equal(kernel_kernel.threads, 1);
		assert_int_equal(kernel_disk.syncs, fail ? 1 : 3);
		kernel_close();
	}
}

/* Returns the number of open descriptors, and sets *next to the lowest unused number. */
static unsigned int open_descriptors(int *next)
{
	unsigned int count = 0;

	*next = -1;
	for (int fd = 0; fd < 1024; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			count++;
		else if (*next < 0)
			*next = fd;
	}
	return count;
}

static void uring_without_descriptors_keeps_none(void **state)
{
	struct rlimit before, low;
	int next;
	const unsigned int none = open_descriptors(&next);
	unsigned int some;

	(void)state;
	kernel_open(WRITE_THROUGH, 1);
	some = open_descriptors(&next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (unsigned int given = 0; given < 2; given++) {
		const struct blk_queue *queue;
		int error;

		low = (struct rlimit){ .rlim_cur = (rlim_t)next + given, .rlim_max = before.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
		queue = kernel_queue();
		error = errno;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		assert_null(queue);
		assert_int_equal(error, EMFILE);
		assert_int_equal(open_descriptors(&next), some);
		assert_int_equal(kernel_kernel.rings, 1);
	}
	kernel_close();
	assert_int_equal(open_descriptors(&next), none);
}

/*
 * Flushes with the result *context: 0 is success, and any other value is an error. Sets errno to
 * *context unless *context is negative.
 */
static int flush_as_told(void *context)
{
	const int *error = context;

	if (*error >= 0)
		errno = *error;
	return *error ? VIRTIO_EIO : 0;
}

/*
 * A back end need not set errno. So the flusher's answer must not be the errno of an earlier
 * failure.
 */
static void flusher_tells_why_this_flush_failed(void **state)
{
	const struct virtio_blk_backend_ops ops = { .flush = flush_as_told };
	const int told[] = { 0, ENOSPC, -1, EDQUOT, 0 }, answers[] = { 0, ENOSPC, EIO, EDQUOT, 0 };
	int error;
	const struct virtio_blk_backend backend = { .ops = &ops, .context = &error };
	struct flusher flusher;

	(void)state;
	for (unsigned int threads = 0; threads < 2; threads++) {
		kernel_kernel.no_threads = threads == 0;
		assert_int_equal(flusher_open(&flusher, &backend), 0);
		for (unsigned int i = 0; i < sizeof told / sizeof told[0]; i++) {
			error = told[i];
			flusher_begin(&flusher);
			assert_int_equal(flusher_wait(&flusher), answers[i]);
		}
		flusher_close(&flusher);
	}
}

/* Random operations at random times */

static int64_t any_outcome(void)
{
	switch (kernel_random(8)) {
	case 0:
		return SAYS(-EINTR);
	case 1:
		return SAYS(-EAGAIN);
	case 2:
	case 3:
		return AT_MOST(1 + kernel_random(BYTES));
	default:
		return WHOLE;
	}
}

static void do_anything(unsigned int queues)
{
	const unsigned int queue = kernel_random(queues), n = kernel_random(REQUESTS);
	const uint32_t types[] = { OUT, OUT, OUT, IN, FLUSH };
	const uint32_t type = types[kernel_random(5)];

	switch (kernel_random(4)) {
	case 0:
		if (kernel_status(queue, n) == STATUS_NONE)
			break;
		kernel_send(queue, n, type, type == FLUSH ? 0 : 1 + kernel_random(REQUEST_SECTORS));
		break;
	case 1:
		if (kernel_kernel.ring[queue]->taken_count > 0)
			kernel_end_one(queue);
		break;
	case 2:
		if (kernel_random(50) == 0)
			kernel_drain(queue);
		break;
	default:
		assert_true(kernel_process(queue) >= 0);
		break;
	}
}

/* In some runs one sync may fail. Requests may fail only in such a run. */
static void uring_keeps_its_promises_whatever_happens(void **state)
{
	(void)state;
	for (unsigned int run = 0; run < 60; run++) {
		const unsigned int queues = 1 + run % 2;

		kernel_open(run / 2 % 2 ? WRITE_BACK : WRITE_THROUGH, queues);
		kernel_seed(run);
		kernel_disk.call_outcome = AT_MOST(700);
		kernel_disk.fail_sync = run / 4 % 2 ? 1 + kernel_random(20) : 0;
		kernel_disk.fail_with = EIO;
		kernel_kernel.outcome = any_outcome;
		kernel_kernel.random = true;
		kernel_kernel.take = kernel_random(4);
		for (unsigned int i = 0; i < 1500; i++)
			do_anything(queues);
		for (unsigned int queue = 0; queue < queues; queue++)
			kernel_drain(queue);
		/* Serve the requests that are still available. */
		for (unsigned int queue = 0; queue < queues; queue++)
			kernel_run(queue);
		if (!kernel_disk.fail_sync)
			assert_int_equal(kernel_failures(), 0);
		kernel_close();
	}
}

/* A kernel that refuses */

static void uring_retries_when_the_kernel_is_busy(void **state)
{
	/*
	 * The device retries after EINTR any number of times. After the other errors, the device
	 * retries only a limited number of times in a row.
	 */
	const struct {
		int error;
		unsigned int count;
	} refusals[] = { { EAGAIN, 60 }, { EBUSY, 60 }, { EINTR, 1000 } };

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		kernel_open(WRITE_THROUGH, 1);
		kernel_kernel.refusal = refusals[i].error;
		kernel_kernel.refusals = refusals[i].count;
		kernel_kernel.take = 3;
		send_writes(0, 8);
		assert_int_equal(kernel_process(0), 0);
		assert_int_equal(kernel_kernel.refusals, 0);
		kernel_kernel.refusals = refusals[i].count;
		kernel_drain(0);
		for (unsigned int n = 0; n < 8; n++)
			expect(0, n, VIRTIO_BLK_S_OK, 1);
		assert_int_equal(kernel_disk.calls, 0);
		kernel_close();
	}
}

/*
 * After a permanent refusal, ordinary calls carry out the remaining pieces. Pieces that were
 * already submitted end as usual.
 */
static void uring_uses_calls_after_a_permanent_refusal(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		kernel_open(WRITE_THROUGH, 1);
		kernel_disk.call_outcome = AT_MOST(400);
		send_writes(0, 4);
		assert_int_equal(kernel_process(0), 0);
		kernel_kernel.refusal = EPERM;
		kernel_kernel.refusals = UINT32_MAX;
		/* The kernel refuses only after it has accepted two more submits. */
		kernel_kernel.accepts = 2;
		kernel_kernel.take = 3;
		for (unsigned int n = 4; n < REQUESTS; n++)
			kernel_send(0, n, n % 4 ? OUT : IN, REQUEST_SECTORS);
		/* The turn must end, although no submitted piece has ended. */
		assert_true(kernel_process(0) >= 0);
		kernel_end_moves(0);
		if (i == 0)
			kernel_drain(0);
		kernel_run(0);
		for (unsigned int n = 0; n < REQUESTS; n++)
			assert_int_equal(kernel_status(0, n), VIRTIO_BLK_S_OK);
		assert_true(kernel_disk.calls > REQUESTS - 10);
		/* From now on nothing is submitted. */
		kernel_kernel.enters = 0;
		serve(0, OUT, VIRTIO_BLK_S_OK, 1);
		serve(0, IN, VIRTIO_BLK_S_OK, BYTES + 1);
		serve(1, FLUSH, VIRTIO_BLK_S_UNSUPP, 1);
		assert_int_equal(kernel_kernel.enters, 0);
		kernel_close();
	}
}

/*
 * The queue's thread notices a stop only between two turns, so a long request must need several
 * turns.
 */
static void uring_without_a_kernel_serves_long_requests_in_turns(void **state)
{
	const unsigned int pieces = 32;

	(void)state;
	kernel_open(WRITE_BACK, 1);
	kernel_kernel.refusal = EPERM;
	kernel_kernel.refusals = UINT32_MAX;
	kernel_disk.call_outcome = SAYS(LARGE_SECTORS * 512 / pieces);
	kernel_send(0, 0, IN, LARGE_SECTORS);
	/*
	 * The kernel's refusals use up the time of the first turn, so this turn makes only one
	 * call.
	 */
	for (unsigned int turn = 1; turn < 4; turn++) {
		assert_int_equal(kernel_turn(0), DEVICE_TURN_AGAIN);
		assert_in_range(kernel_disk.calls, turn, turn == 1 ? 1 : pieces - 1);
		assert_int_equal(kernel_status(0, 0), STATUS_NONE);
		kernel_disk.call_us = 6000;
	}
	kernel_disk.call_outcome = SAYS(-EIO);
	kernel_drain(0);
	assert_int_equal(kernel_status(0, 0), VIRTIO_BLK_S_IOERR);
	kernel_close();
}

/* The read of the flusher's answer may fail, and so may the submit that waits for the answer. */
static void uring_gets_the_flushers_answer_in_any_way(void **state)
{
	const int errors[] = { EAGAIN, EINTR, EINVAL, ECANCELED };

	(void)state;
	for (unsigned int i = 0; i < 2 * sizeof errors / sizeof errors[0]; i++) {
		kernel_open(WRITE_BACK, 1);
		serve(0, OUT, VIRTIO_BLK_S_OK, 1);
		kernel_kernel.answer_error = errors[i / 2];
		serve(1, FLUSH, VIRTIO_BLK_S_OK, 1);
		kernel_disk.fail_sync = 2;
		kernel_disk.fail_with = EIO;
		if (i % 2) {
			kernel_kernel.refusal = ENOSYS;
			kernel_kernel.refusals = UINT32_MAX;
		}
		serve(1, FLUSH, VIRTIO_BLK_S_IOERR, 1);
		assert_int_equal(kernel_disk.syncs, 2);
		kernel_close();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uring_goes_on_after_short_pieces),
		cmocka_unit_test(uring_reads_need_no_flush),
		cmocka_unit_test(uring_fails_requests_whose_pieces_fail),
		cmocka_unit_test(uring_repeats_interrupted_pieces_by_calls),
		cmocka_unit_test(uring_has_a_bounded_number_of_bytes_in_flight),
		cmocka_unit_test(uring_writes_are_stable_before_they_are_reported_under_write_through),
		cmocka_unit_test(uring_flush_is_reported_when_all_before_it_is_stable),
		cmocka_unit_test(uring_writes_during_a_flush_need_another_flush),
		cmocka_unit_test(uring_writes_that_end_together_share_a_flush),
		cmocka_unit_test(uring_failed_flush_fails_all_that_relied_on_it),
		cmocka_unit_test(uring_failed_flush_is_not_forgotten),
		cmocka_unit_test(uring_failed_flush_is_known_to_all_queues),
		cmocka_unit_test(uring_starts_a_thread_with_the_first_flush),
		cmocka_unit_test(uring_flushes_without_a_thread_where_none_can_be_started),
		cmocka_unit_test(uring_without_descriptors_keeps_none),
		cmocka_unit_test(flusher_tells_why_this_flush_failed),
		cmocka_unit_test(uring_keeps_its_promises_whatever_happens),
		cmocka_unit_test(uring_retries_when_the_kernel_is_busy),
		cmocka_unit_test(uring_uses_calls_after_a_permanent_refusal),
		cmocka_unit_test(uring_without_a_kernel_serves_long_requests_in_turns),
		cmocka_unit_test(uring_gets_the_flushers_answer_in_any_way),
	};

	return watchdog_start(NULL, NULL) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
