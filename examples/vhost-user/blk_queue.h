/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * How the block requests of one queue are carried out: one after the other with ordinary system
 * calls (blk_queue.c), or many at once through io_uring (uring.c). Each queue has one of these,
 * which belongs to the thread that serves the queue. Nothing in it is shared but, with io_uring,
 * a flusher: what the other thread reads of it doesn't change.
 */
#ifndef BLK_QUEUE_H
#define BLK_QUEUE_H

#include "vhost_user.h"

#include <stdbool.h>
#include <virtio/blk.h>
#include <virtio/blk_steps.h>
#include <virtio/queue.h>

#define BLK_QUEUE_CHAINS 1024 /* that are taken from the ring at once */

/*
 * What most requests need: each of 1024 buffers may cross from one region of guest memory to the
 * next. And what any request needs: no chain has more buffers.
 */
#define BLK_QUEUE_SEGMENTS (2 * 1024 + VHOST_USER_MAX_REGIONS)
#define BLK_QUEUE_MOST_SEGMENTS (2 * 65536 + VHOST_USER_MAX_REGIONS)

#define BLK_QUEUE_RANGES 16 /* of a discard */

/*
 * Data of a request that is carried out between two looks at whether the queue is to be stopped,
 * where the request as a whole may take long.
 */
#define BLK_QUEUE_STEP_BYTES (UINT32_C(1) << 20)

/* Where a request's parts go while it is in flight. */
struct blk_queue_storage {
	struct virtio_segment segments[BLK_QUEUE_SEGMENTS];
	struct virtio_blk_range ranges[BLK_QUEUE_RANGES];
};

/* The same for any request. Pages of it that no request has needed take no memory. */
struct blk_queue_large_storage {
	struct virtio_segment segments[BLK_QUEUE_MOST_SEGMENTS];
	struct virtio_blk_range ranges[BLK_QUEUE_RANGES];
};

/* Chains that are popped, and not begun yet. */
struct blk_queue_taken {
	struct virtio_chain chains[BLK_QUEUE_CHAINS];
	unsigned int next, end; /* which of them */
};

struct blk_queue {
	const struct blk_queue_ops *ops;
	const struct virtio_blk *blk;
	int fd;           /* of the image */
	const char *name; /* of the device, for messages */
	struct virtio_blk_stats stats;
	int logged_error; /* of the back end, and its errno: the last that was logged */
	int logged_errno;
	uint32_t logged_refusals; /* a bit for each enum virtio_blk_refusal that was logged */
};

/* See struct device_ops for the first two. */
struct blk_queue_ops {
	int (*process)(struct blk_queue *queue, struct virtio_queue *virtq, unsigned int budget);
	void (*drain)(struct blk_queue *queue, struct virtio_queue *virtq);
	int (*completion_fd)(const struct blk_queue *queue);
	void (*destroy)(struct blk_queue *queue); /* frees it; nothing is in flight */
};

/* Return a queue, or NULL with errno. blk and name must live as long as it does. */
struct blk_queue *blk_queue_create(const struct virtio_blk *blk, int fd, const char *name);
struct blk_queue *blk_queue_create_uring(const struct virtio_blk *blk, int fd, const char *name);

/* Whether this program was built with io_uring. */
bool blk_queue_has_uring(void);

/* For both kinds. */

/* When a turn that begins now ends, and whether it has. */
int64_t blk_queue_turn(void);
bool blk_queue_turn_is_over(int64_t end);

/* Prepare a request with these arrays. */
void blk_queue_init_request(struct virtio_blk_request *request, struct blk_queue_storage *storage);
void blk_queue_init_large_request(struct virtio_blk_request *request, struct blk_queue_large_storage *storage);

/*
 * Pops all that is there, if nothing is taken. So a head that the driver makes available again
 * before it got it back breaks the ring, however the requests are carried out.
 *
 * Returns 0, or why the queue broke; what was popped before is taken all the same.
 */
int blk_queue_take(struct blk_queue_taken *taken, struct virtio_queue *virtq, unsigned int budget);

/* Whether something is taken. */
bool blk_queue_has_taken(const struct blk_queue_taken *taken);

/*
 * Puts what is taken back into the ring, last first. A broken ring takes nothing back: then the
 * rest stays taken.
 */
void blk_queue_put_back(struct blk_queue_taken *taken, struct virtio_queue *virtq);

/*
 * Puts back the request that was popped before all that was taken. It was not carried out, or in
 * part: then it is carried out again from its beginning. In a broken ring it fails, because
 * whoever stops the queue waits.
 */
void blk_queue_give_up(struct blk_queue *queue, struct virtio_queue *virtq, const struct virtio_blk_request *request);

/*
 * Lets what a broken ring hasn't taken back fail. It is not carried out.
 *
 * @request  prepared, and not in flight
 */
void blk_queue_refuse(struct blk_queue *queue, struct blk_queue_taken *taken, struct virtio_queue *virtq,
		      struct virtio_blk_request *request);

/*
 * Carries a part of a request out with ordinary system calls. Returns as virtio_blk_step(): 1 if
 * there is more to do.
 */
int blk_queue_step(struct blk_queue *queue, struct virtio_blk_steps *steps, const struct virtio_blk_request *request,
		   struct virtio_blk_result *result);

/*
 * Tells the operator of a back end's failure: once for each kind of error, as a disk that fails
 * fails often.
 */
void blk_queue_log_failure(struct blk_queue *queue, int error, int system_error);

/*
 * Tells the operator why a driver's request was refused: once for each reason and queue, as
 * drivers repeat themselves.
 */
void blk_queue_log_refusal(struct blk_queue *queue, const struct virtio_blk_result *result);

#endif
