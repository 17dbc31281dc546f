/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Carries out the block requests of one queue: one after the other with ordinary system calls
 * (blk_queue.c), or many at once through io_uring (uring.c).
 *
 * Threads: a struct blk_queue belongs to the thread that serves the queue. The thread of a flusher
 * (flusher.h) does not use the struct blk_queue.
 */
#ifndef BLK_QUEUE_H
#define BLK_QUEUE_H

#include "vhost_user.h"

#include <stdbool.h>
#include <virtio/blk.h>
#include <virtio/blk_steps.h>
#include <virtio/queue.h>

#define BLK_QUEUE_CHAINS 1024 /* the most chains that are popped together */

/*
 * BLK_QUEUE_SEGMENTS is enough for most requests: each of 1024 buffers may cross a border between
 * regions of guest memory. BLK_QUEUE_MOST_SEGMENTS is enough for 65536 such buffers. A request that
 * needs more segments is refused.
 */
#define BLK_QUEUE_SEGMENTS (2 * 1024 + VHOST_USER_MAX_REGIONS)
#define BLK_QUEUE_MOST_SEGMENTS (2 * 65536 + VHOST_USER_MAX_REGIONS)

#define BLK_QUEUE_RANGES 16 /* the most ranges of a discard request */

/*
 * The most bytes that one step of a long request moves. Between two steps the request can be
 * unpopped, for example because the queue stops.
 */
#define BLK_QUEUE_STEP_BYTES (UINT32_C(1) << 20)

/* Arrays for the parts of a request in flight. */
struct blk_queue_storage {
	struct virtio_segment segments[BLK_QUEUE_SEGMENTS];
	struct virtio_blk_range ranges[BLK_QUEUE_RANGES];
};

/* Arrays for a request with many segments. Pages that no request has used occupy no memory. */
struct blk_queue_large_storage {
	struct virtio_segment segments[BLK_QUEUE_MOST_SEGMENTS];
	struct virtio_blk_range ranges[BLK_QUEUE_RANGES];
};

/* Chains that are popped and not begun yet. */
struct blk_queue_popped {
	struct virtio_chain chains[BLK_QUEUE_CHAINS];
	unsigned int next, end; /* chains[next] to chains[end - 1] remain */
};

struct blk_queue {
	const struct blk_queue_ops *ops;
	const struct virtio_blk *blk;
	int fd;           /* the image's descriptor */
	const char *name; /* the device's name, for messages */
	struct virtio_blk_stats stats;
	int logged_error; /* the back end's error that was logged last, and its errno */
	int logged_errno;
	uint32_t logged_refusals; /* bit n: the enum virtio_blk_refusal with value n was logged */
};

/* process() and drain() do the work of queue_notify() and queue_drain() (struct device_ops). */
struct blk_queue_ops {
	int (*process)(struct blk_queue *queue, struct virtio_queue *virtq, unsigned int budget);
	void (*drain)(struct blk_queue *queue, struct virtio_queue *virtq);
	int (*completion_fd)(const struct blk_queue *queue);
	void (*destroy)(struct blk_queue *queue); /* frees the queue; nothing may be in flight */
};

/*
 * Both functions return a queue, or NULL with errno. `blk` and `name` must live as long as the
 * queue.
 */
struct blk_queue *blk_queue_create(const struct virtio_blk *blk, int fd, const char *name);
struct blk_queue *blk_queue_create_uring(const struct virtio_blk *blk, int fd, const char *name);

/* Returns whether this program was built with io_uring. */
bool blk_queue_has_uring(void);

/* For both implementations */

/*
 * The first function returns the time at which a turn that begins now must end. The second function
 * returns whether such a time has passed.
 */
int64_t blk_queue_turn(void);
bool blk_queue_turn_is_over(int64_t end);

/* Both functions prepare a request with the arrays of `storage`. */
void blk_queue_init_request(struct virtio_blk_request *request, struct blk_queue_storage *storage);
void blk_queue_init_large_request(struct virtio_blk_request *request, struct blk_queue_large_storage *storage);

/*
 * Pops up to `budget` chains into `popped`, at most BLK_QUEUE_CHAINS. Does nothing if `popped` has
 * chains. All these chains are in flight together, so the ring breaks if two have the same head.
 *
 * Returns 0, or the error that broke the queue. Chains that were popped before the error are in
 * `popped`.
 */
int blk_queue_pop(struct blk_queue_popped *popped, struct virtio_queue *virtq, unsigned int budget);

/* Returns whether `popped` has chains. */
bool blk_queue_has_popped(const struct blk_queue_popped *popped);

/*
 * Unpops the chains in `popped`, last first. A broken ring refuses an unpop, and then the remaining
 * chains stay in `popped`.
 */
void blk_queue_unpop(struct blk_queue_popped *popped, struct virtio_queue *virtq);

/*
 * Unpops an unfinished request. Call blk_queue_unpop() first, because the chains in `popped` were
 * popped after this request. The request is later carried out from its beginning. In a broken ring
 * the request fails instead, because the stop of the queue waits for the request's completion.
 */
void blk_queue_give_up(struct blk_queue *queue, struct virtio_queue *virtq, const struct virtio_blk_request *request);

/*
 * Fails the chains whose unpop a broken ring has refused. These chains are not carried out.
 *
 * @request  must be prepared, and not in flight. The chains are parsed into @request
 */
void blk_queue_refuse(struct blk_queue *queue, struct blk_queue_popped *popped, struct virtio_queue *virtq,
		      struct virtio_blk_request *request);

/*
 * Carries out a part of a request with ordinary system calls. Returns 1 if there is more to do, or
 * 0 with *result set. Prints a failure or a refusal as the two functions below do.
 */
int blk_queue_step(struct blk_queue *queue, struct virtio_blk_steps *steps, const struct virtio_blk_request *request,
		   struct virtio_blk_result *result);

/*
 * Prints a back end's failure if it differs from the failure that was printed last, because a
 * broken disk fails often.
 */
void blk_queue_log_failure(struct blk_queue *queue, int error, int system_error);

/*
 * Prints why a driver's request was refused. Prints each reason once for a queue, because drivers
 * repeat requests.
 */
void blk_queue_log_refusal(struct blk_queue *queue, const struct virtio_blk_result *result);

#endif
