/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Block requests through io_uring: many in flight at once, completed in the order in which they
 * finish.
 *
 *   slots      Each queue has an io_uring of its own and a fixed number of slots. A slot holds one
 *              request from its beginning to its completion.
 *   pieces     Reads and writes are submitted in pieces, one piece of a request at a time: the next
 *              piece begins where the last piece ended.
 *   flushes    A flusher (flusher.h) carries out one flush at a time, and the io_uring waits for
 *              the flusher's answer. The flush serves all requests that wait for a flush when this
 *              flush begins: FLUSH requests, and with write-through also writes whose data is
 *              written. A flush is no barrier. It covers only the writes that ended before the
 *              flush began (virtio 1.4, 5.2.6.2).
 *   the rest   GET_ID and refusals are done at once. Discarding and writing zeros use ordinary
 *              system calls, because the kernel has no asynchronous implementation, and would only
 *              block another thread.
 */
#include "blk_queue.h"

#include "device.h"
#include "event_loop.h"
#include "flusher.h"
#include "log.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <virtio/blk_transfer.h>
#include <virtio/sys_iovec.h>

/*
 * The most requests in flight. Each request has at most one submitted piece, so the io_uring needs
 * no more entries.
 */
#define SLOTS 64
#define IOVECS 64 /* entries in the I/O vector of a piece */

/*
 * With this many bytes in flight, no further request begins. The limit keeps a stop of the queue
 * short, because the stop waits until the requests in flight have ended.
 */
#define MAX_BYTES_IN_FLIGHT (UINT64_C(64) << 20)

/*
 * An unpop undoes the last pop only. So no other request begins while a request longer than this is
 * in flight. The long request can then be unpopped between two of its pieces.
 */
#define LONG_BYTES (UINT64_C(32) << 20)

/*
 * After this many refused submissions in a row, with a pause between them, the queue stops using
 * io_uring.
 */
#define MAX_REFUSALS 100
#define MOMENT_NS 1000000

static_assert(sizeof(struct iovec) == sizeof(struct virtio_iovec), "virtio_iovec has the layout of iovec");
static_assert(offsetof(struct iovec, iov_base) == offsetof(struct virtio_iovec, base), "offset of base");
static_assert(offsetof(struct iovec, iov_len) == offsetof(struct virtio_iovec, len), "offset of len");

struct slot {
	struct slot *next; /* in the list of unused slots, or of slots that wait for a flush */
	struct virtio_blk_request request;
	struct virtio_blk_transfer transfer;
	struct virtio_iovec iov[IOVECS];
	struct blk_queue_storage storage;
};

struct uring_queue {
	struct blk_queue queue;
	struct io_uring ring;
	struct blk_queue_popped popped; /* chains that have no slot yet */
	struct slot *free;
	unsigned int in_flight; /* slots in use */
	uint64_t bytes;         /* bytes of data of all requests in slots */
	/*
	 * A long request in flight, or NULL. No other request begins before the long request ends.
	 */
	struct slot *last;
	bool stopping; /* the queue pauses or stops, and the long request is unpopped */
	/* Arrays for a request with many segments. Such a request is treated as a long request. */
	struct blk_queue_large_storage *large;

	/*
	 * Pieces that are not submitted yet, oldest first. NULL stands for the read of the
	 * flusher's answer.
	 */
	struct slot *unsent[SLOTS];
	unsigned int unsent_count;
	unsigned int refusals; /* refused submissions in a row */
	bool broken;           /* nothing is submitted any more */

	struct flusher flusher;
	struct slot *unflushed; /* slots that wait for a flush that hasn't begun */
	struct slot *flushing;  /* slots that wait for the present flush */
	uint64_t answer;        /* the present flush's answer, read by the io_uring */
	struct iovec answer_iov;
	struct slot slots[SLOTS];
};

static struct uring_queue *from_queue(struct blk_queue *queue)
{
	return CONTAINER_OF(queue, struct uring_queue, queue);
}

/* Slots */

static uint64_t data_bytes(const struct virtio_blk_request *request)
{
	return virtio_blk_in(request).bytes + virtio_blk_out(request).bytes;
}

static void free_slot(struct uring_queue *uring, struct slot *slot)
{
	if (slot == uring->last) {
		uring->last = NULL;
		blk_queue_init_request(&slot->request, &slot->storage);
	}
	slot->next = uring->free;
	uring->free = slot;
	uring->in_flight--;
}

static bool is_full(const struct uring_queue *uring)
{
	return !uring->free || uring->last || uring->bytes >= MAX_BYTES_IN_FLIGHT;
}

/* Pieces */

/*
 * Gets an entry of the io_uring for the next piece of `slot`. If `slot` is NULL, the entry is for
 * the read of the flusher's answer. There is always an unused entry. The io_uring has an entry for
 * each slot, and a slot has at most one piece at a time. Slots that wait for the answer have no
 * piece. Returns NULL if the io_uring is broken, and nothing is submitted any more.
 */
static struct io_uring_sqe *new_piece(struct uring_queue *uring, struct slot *slot)
{
	struct io_uring_sqe *sqe;

	assert(uring->unsent_count < SLOTS);
	uring->unsent[uring->unsent_count++] = slot;
	if (uring->broken)
		return NULL;
	sqe = io_uring_get_sqe(&uring->ring);
	assert(sqe);
	return sqe;
}

static void begin_move(struct uring_queue *uring, struct slot *slot)
{
	const struct iovec *iov = virtio_sys_iovec(slot->iov);
	const uint32_t count = virtio_blk_transfer_iovec(&slot->transfer, slot->iov, IOVECS);
	struct io_uring_sqe *sqe = new_piece(uring, slot);

	if (!sqe)
		return;
	if (slot->request.type == VIRTIO_BLK_T_IN)
		io_uring_prep_readv(sqe, uring->queue.fd, iov, count, slot->transfer.offset);
	else
		io_uring_prep_writev(sqe, uring->queue.fd, iov, count, slot->transfer.offset);
	io_uring_sqe_set_data(sqe, slot);
}

/*
 * Carries out a piece that io_uring has not done, with an ordinary system call. Returns bytes, or a
 * negative errno, as a completion does.
 */
static int move_now(const struct uring_queue *uring, struct slot *slot)
{
	const struct iovec *iov = virtio_sys_iovec(slot->iov);
	const int count = (int)virtio_blk_transfer_iovec(&slot->transfer, slot->iov, IOVECS);
	const off_t offset = (off_t)slot->transfer.offset;
	ssize_t moved;

	do
		moved = slot->request.type == VIRTIO_BLK_T_IN ? preadv(uring->queue.fd, iov, count, offset)
							      : pwritev(uring->queue.fd, iov, count, offset);
	while (moved < 0 && errno == EINTR);
	/* The cast is safe: a vector has at most 2^30 bytes, so `moved` fits an int. */
	return moved < 0 ? -errno : (int)moved;
}

/*
 * Called when a piece has moved no bytes. A read is then at the end of the file. The back end
 * repeats the read, because only the back end handles a partial last sector.
 */
static int read_end(const struct uring_queue *uring, struct slot *slot)
{
	const struct virtio_blk_backend *backend = &uring->queue.blk->options.backend;
	const uint32_t count = virtio_blk_transfer_iovec(&slot->transfer, slot->iov, IOVECS);
	int64_t moved = 0;

	if (slot->request.type == VIRTIO_BLK_T_IN && count > 0)
		moved = backend->ops->readv(backend->context, slot->iov, count, slot->transfer.offset);
	return moved < 0 ? -EIO : (int)moved;
}

/* Requests */

static int finish(struct uring_queue *uring, struct virtio_queue *virtq, struct slot *slot,
		  const struct virtio_blk_result *result)
{
	const int error = virtio_blk_complete(virtq, &slot->request, result, &uring->queue.stats);

	uring->bytes -= data_bytes(&slot->request);
	free_slot(uring, slot);
	return error;
}

/* The request is carried out again from its beginning when the queue continues. */
static int unpop(struct uring_queue *uring, struct virtio_queue *virtq, struct slot *slot)
{
	blk_queue_give_up(&uring->queue, virtq, &slot->request);
	uring->bytes -= data_bytes(&slot->request);
	free_slot(uring, slot);
	return 0;
}

static int finish_io(struct uring_queue *uring, struct virtio_queue *virtq, struct slot *slot, int error)
{
	struct virtio_blk_result result;

	virtio_blk_transfer_result(&slot->request, &slot->transfer, error, &result);
	blk_queue_log_refusal(&uring->queue, &result);
	return finish(uring, virtq, slot, &result);
}

/* Flushes */

static void await_flush(struct uring_queue *uring, struct slot *slot)
{
	slot->next = uring->unflushed;
	uring->unflushed = slot;
}

/*
 * Begins a flush for all slots that wait for a flush. A flush that already runs began too early for
 * these slots, so they wait until it has ended.
 */
static void begin_flush(struct uring_queue *uring)
{
	struct io_uring_sqe *sqe;

	if (!uring->unflushed || uring->flushing)
		return;
	uring->flushing = uring->unflushed;
	uring->unflushed = NULL;
	flusher_begin(&uring->flusher);
	sqe = new_piece(uring, NULL);
	if (!sqe)
		return;
	uring->answer_iov = (struct iovec){ .iov_base = &uring->answer, .iov_len = sizeof uring->answer };
	io_uring_prep_readv(sqe, uring->flusher.answer, &uring->answer_iov, 1, 0);
	io_uring_sqe_set_data(sqe, NULL);
}

/* Called after the read of the answer. `res` is negative if the read has failed. */
static int end_flush(struct uring_queue *uring, struct virtio_queue *virtq, int res)
{
	const int failure = res == sizeof uring->answer ? flusher_error(uring->answer) : flusher_wait(&uring->flusher);
	struct slot *slot = uring->flushing;
	int result = 0;

	if (failure)
		blk_queue_log_failure(&uring->queue, VIRTIO_EIO, failure);
	uring->flushing = NULL;
	while (slot) {
		struct slot *next = slot->next;
		const int error = finish_io(uring, virtq, slot, failure ? VIRTIO_EIO : 0);

		if (!result)
			result = error;
		slot = next;
	}
	return result;
}

/*
 * Continues after a piece has ended with `res`, which is a number of bytes or a negative errno.
 * After -EAGAIN and -EINTR an ordinary system call carries out the piece. Returns 0, or the error
 * that broke the queue.
 */
static int go_on(struct uring_queue *uring, struct virtio_queue *virtq, struct slot *slot, int res)
{
	int left;

	if (!slot)
		return end_flush(uring, virtq, res);
	if (res == -EINTR || res == -EAGAIN)
		res = move_now(uring, slot);
	if (res == 0)
		res = read_end(uring, slot);
	if (res < 0)
		blk_queue_log_failure(&uring->queue, VIRTIO_EIO, -res);
	left = virtio_blk_transfer_advance(&slot->transfer, res < 0 ? VIRTIO_EIO : res);
	if (left < 0 && res >= 0)
		blk_queue_log_failure(&uring->queue, left, 0);
	if (left == 1 && uring->stopping && slot == uring->last)
		return unpop(uring, virtq, slot);
	if (left == 1)
		begin_move(uring, slot);
	else if (left == 0 && slot->request.type == VIRTIO_BLK_T_OUT && virtio_blk_write_through(uring->queue.blk))
		await_flush(uring, slot);
	else
		return finish_io(uring, virtq, slot, left);
	return 0;
}

/*
 * Carries out a request that io_uring doesn't do. The request has few steps, because its ranges are
 * limited.
 */
static int do_at_once(struct uring_queue *uring, struct virtio_queue *virtq, struct slot *slot)
{
	struct virtio_blk_steps steps;
	struct virtio_blk_result result;

	virtio_blk_steps_begin(&steps, uring->queue.blk, &slot->request);
	while (blk_queue_step(&uring->queue, &steps, &slot->request, &result) == 1)
		;
	return finish(uring, virtq, slot, &result);
}

/* Begins the request in a slot, or carries it out at once. */
static int begin(struct uring_queue *uring, struct virtio_queue *virtq, struct slot *slot)
{
	const struct virtio_blk_request *request = &slot->request;
	const bool is_io = request->type == VIRTIO_BLK_T_IN || request->type == VIRTIO_BLK_T_OUT ||
			   request->type == VIRTIO_BLK_T_FLUSH;

	uring->bytes += data_bytes(request);
	if (!is_io)
		return do_at_once(uring, virtq, slot);
	/* Refused requests, and reads and writes without data, don't wait. */
	if (virtio_blk_transfer_begin(&slot->transfer, uring->queue.blk, request) != VIRTIO_BLK_S_OK ||
	    (request->type != VIRTIO_BLK_T_FLUSH && data_bytes(request) == 0))
		return finish_io(uring, virtq, slot, 0);
	if (request->type != VIRTIO_BLK_T_FLUSH && data_bytes(request) > LONG_BYTES)
		uring->last = slot;
	if (slot == uring->last)
		slot->transfer.max_bytes = BLK_QUEUE_STEP_BYTES;
	if (request->type == VIRTIO_BLK_T_FLUSH)
		await_flush(uring, slot);
	else
		begin_move(uring, slot);
	return 0;
}

/* The ring */

static void rest_a_moment(void)
{
	const struct timespec moment = { .tv_nsec = MOMENT_NS };

	(void)nanosleep(&moment, NULL);
}

/*
 * Handles a refused submission. EAGAIN and EBUSY are temporary, for example because the kernel
 * lacks memory. Other errors, such as the error of a seccomp filter, are permanent, so the number
 * of attempts is limited.
 */
static void refuse(struct uring_queue *uring, int error)
{
	if (++uring->refusals < MAX_REFUSALS) {
		rest_a_moment();
		return;
	}
	log_line("%s: io_uring fails (%s): using ordinary system calls", uring->queue.name, strerror(error));
	uring->broken = true;
}

/*
 * Submits the pieces, and waits until `wait` pieces, 0 or 1, have ended. A signal can prevent the
 * submission and the wait.
 */
static void submit(struct uring_queue *uring, unsigned int wait)
{
	const int got = io_uring_submit_and_wait(&uring->ring, wait);
	const unsigned int left = io_uring_sq_ready(&uring->ring);
	const unsigned int sent = uring->unsent_count - left;

	/* The kernel accepts pieces in their order. */
	memmove(uring->unsent, uring->unsent + sent, left * sizeof uring->unsent[0]);
	uring->unsent_count = left;
	if (got < 0 && got != -EINTR && sent == 0)
		refuse(uring, -got);
	else
		uring->refusals = 0;
}

/*
 * Carries out unsent pieces by ordinary system calls: at least one piece, and more until the turn
 * is over. A piece may be followed by another piece, or by a flush, whose answer is a piece too.
 */
static int do_unsent(struct uring_queue *uring, struct virtio_queue *virtq, int64_t end)
{
	int result = 0;

	while (uring->unsent_count > 0) {
		const int error = go_on(uring, virtq, uring->unsent[--uring->unsent_count], -EAGAIN);

		if (!result)
			result = error;
		begin_flush(uring);
		if (blk_queue_turn_is_over(end))
			break;
	}
	return result;
}

/*
 * Submits all pieces. After io_uring has failed, carries out pieces by system calls instead, and
 * some pieces may remain. Returns 0, or an error of the queue.
 */
static int set_going(struct uring_queue *uring, struct virtio_queue *virtq, int64_t end)
{
	begin_flush(uring);
	while (uring->unsent_count > 0 && !uring->broken)
		submit(uring, 0);
	return do_unsent(uring, virtq, end);
}

/*
 * Handles pieces that have ended. Their number is at most the number of requests in flight at the
 * start. Returns 0, or an error of the queue.
 */
static int reap(struct uring_queue *uring, struct virtio_queue *virtq)
{
	struct io_uring_cqe *cqe;
	int result = 0;

	for (unsigned int n = uring->in_flight; n > 0 && io_uring_peek_cqe(&uring->ring, &cqe) == 0; n--) {
		struct slot *slot = io_uring_cqe_get_data(cqe);
		const int res = cqe->res;
		int error;

		io_uring_cqe_seen(&uring->ring, cqe);
		error = go_on(uring, virtq, slot, res);
		if (!result)
			result = error;
	}
	return result;
}

/*
 * Fills a slot with the next request in `popped`. A request with many segments gets the large
 * arrays. This process has mapped all guest memory, so VIRTIO_ENOTMAPPED can't occur. Returns 0, or
 * the error that broke the queue.
 */
static int fill(struct uring_queue *uring, struct slot *slot)
{
	struct virtio_chain *popped = &uring->popped.chains[uring->popped.next++];
	struct virtio_chain again = *popped;
	int error = virtio_blk_parse(popped, &slot->request);

	if (error || slot->request.base.error != VIRTIO_ENOBUFS)
		return error;
	blk_queue_init_large_request(&slot->request, uring->large);
	error = virtio_blk_parse(&again, &slot->request);
	if (error)
		blk_queue_init_request(&slot->request, &slot->storage);
	else
		uring->last = slot;
	return error;
}

/* Begins the next request in `popped`. A slot must be unused. Returns the same values as fill(). */
static int begin_next(struct uring_queue *uring, struct virtio_queue *virtq)
{
	struct slot *slot = uring->free;
	const int error = fill(uring, slot);

	if (error)
		return error;
	uring->free = slot->next;
	uring->in_flight++;
	return begin(uring, virtq, slot);
}

static int uring_process(struct blk_queue *queue, struct virtio_queue *virtq, unsigned int budget)
{
	struct uring_queue *uring = from_queue(queue);
	const int64_t end = blk_queue_turn();
	int error = reap(uring, virtq), broken = 0, going;

	if (!error)
		broken = blk_queue_pop(&uring->popped, virtq, budget);
	/* If the queue broke, this turn still begins chains that were popped before the error. */
	while (!error && blk_queue_has_popped(&uring->popped) && !is_full(uring)) {
		error = begin_next(uring, virtq);
		if (blk_queue_turn_is_over(end))
			break;
	}
	going = set_going(uring, virtq, end);
	if (!error)
		error = broken ? broken : going;
	if (error)
		return error;
	if (uring->unsent_count > 0)
		return DEVICE_TURN_AGAIN;
	if (is_full(uring))
		return DEVICE_TURN_WAIT;
	return blk_queue_has_popped(&uring->popped) ? DEVICE_TURN_AGAIN : DEVICE_TURN_DONE;
}

/*
 * Waits for the requests in flight, which have a limited number of remaining pieces. A long request
 * is unpopped after its present piece.
 */
static void uring_drain(struct blk_queue *queue, struct virtio_queue *virtq)
{
	struct uring_queue *uring = from_queue(queue);

	blk_queue_unpop(&uring->popped, virtq);
	uring->stopping = true;
	/*
	 * Ignore errors here and below, because the next turn, if there is one, finds the error
	 * again.
	 */
	(void)set_going(uring, virtq, blk_queue_turn());
	while (uring->in_flight > 0) {
		/* Submitted pieces end even if waiting for them fails. */
		if (uring->broken)
			rest_a_moment();
		else
			submit(uring, 1);
		(void)reap(uring, virtq);
		(void)set_going(uring, virtq, blk_queue_turn());
	}
	uring->stopping = false;
	/* All slots are unused now. */
	blk_queue_refuse(queue, &uring->popped, virtq, &uring->slots[0].request);
}

static int uring_completion_fd(const struct blk_queue *queue)
{
	const struct uring_queue *uring = (const struct uring_queue *)(const void *)queue;

	return uring->ring.ring_fd;
}

static void uring_destroy(struct blk_queue *queue)
{
	struct uring_queue *uring = from_queue(queue);

	flusher_close(&uring->flusher);
	io_uring_queue_exit(&uring->ring);
	free(uring->large);
	free(uring);
}

static const struct blk_queue_ops uring_ops = {
	.process = uring_process,
	.drain = uring_drain,
	.completion_fd = uring_completion_fd,
	.destroy = uring_destroy,
};

bool blk_queue_has_uring(void)
{
	return true;
}

struct blk_queue *blk_queue_create_uring(const struct virtio_blk *blk, int fd, const char *name)
{
	struct uring_queue *uring = calloc(1, sizeof *uring);
	int error;

	if (!uring)
		return NULL;
	uring->large = calloc(1, sizeof *uring->large);
	if (!uring->large) {
		free(uring);
		return NULL;
	}
	uring->queue = (struct blk_queue){ .ops = &uring_ops, .blk = blk, .fd = fd, .name = name };
	error = io_uring_queue_init(SLOTS, &uring->ring, 0);
	if (!error && flusher_open(&uring->flusher, &blk->options.backend)) {
		error = -errno;
		io_uring_queue_exit(&uring->ring);
	}
	if (error) {
		free(uring->large);
		free(uring);
		errno = -error;
		return NULL;
	}
	for (unsigned int i = 0; i < SLOTS; i++) {
		blk_queue_init_request(&uring->slots[i].request, &uring->slots[i].storage);
		uring->slots[i].next = uring->free;
		uring->free = &uring->slots[i];
	}
	return &uring->queue;
}
