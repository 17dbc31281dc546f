/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A queue that several threads share: a lock around <virtio/queue.h>.
 *
 * After virtio_queue_sync_lock() the queue belongs to the calling thread until
 * virtio_queue_sync_unlock(). Between these two calls the thread may call any function of
 * <virtio/queue.h> and <virtio/queue_state.h>:
 *
 *	error = virtio_queue_complete(virtio_queue_sync_lock(&sync), token, len);
 *	virtio_queue_sync_unlock(&sync);
 *
 * virtio_queue_sync_pop(), virtio_queue_sync_replay(), virtio_request_sync_pop() and
 * virtio_request_sync_complete() take the lock themselves. The first three also resolve the
 * request's chain, because a chain must be walked under its queue's lock. The segments may be used
 * without the lock.
 *
 * The lock consists of two callbacks, so a hypervisor can use a spinlock. <virtio/queue_pthread.h>
 * has the callbacks for a POSIX mutex.
 *
 * Threads:
 *   functions                   who may call   what must not run beside
 *   virtio_queue_sync_init()    one thread     any other call
 *   all other functions         thread-safe
 *
 * While the library holds the lock, it calls no function of the caller except the lock's callbacks
 * and a map's translation.
 *
 * virtio 1.4, 2.6 and 2.7
 */
#ifndef VIRTIO_QUEUE_SYNC_H
#define VIRTIO_QUEUE_SYNC_H

#include <virtio/queue_state.h>
#include <virtio/request.h>

VIRTIO_BEGIN_DECLS

/* The caller's lock. It need not be recursive. */
struct virtio_queue_lock {
	void (*lock)(void *context);
	void (*unlock)(void *context);
	void *context;
};

struct virtio_queue_sync {
	struct virtio_queue queue;
	struct virtio_queue_lock lock;
};

/*
 * Prepares the queue, before other threads use it.
 *
 * @sync      the caller's, filled with zeroes before the first call
 * @lock      copied; its context must live as long as the queue
 * @inflight, entries  as for virtio_queue_init()
 *
 * Returns as virtio_queue_init(), or VIRTIO_ENOOP if virtio_queue_lock_missing_op() names a missing
 * callback. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_queue_sync_init(struct virtio_queue_sync *sync, const struct virtio_queue_lock *lock,
			   struct virtio_inflight *inflight, uint32_t entries);

/* Returns the name of the first missing callback, "lock" or "unlock"; NULL if none is missing. */
const char *virtio_queue_lock_missing_op(const struct virtio_queue_lock *lock);

/*
 * Takes the lock and returns the queue. Once the lock is released, another thread may pop and
 * complete. A result such as the number from virtio_queue_available() may then be out of date, and
 * virtio_queue_unpop() may return VIRTIO_ENOTLAST.
 */
struct virtio_queue *virtio_queue_sync_lock(struct virtio_queue_sync *sync);
void virtio_queue_sync_unlock(struct virtio_queue_sync *sync);

/*
 * Pops a chain and resolves it.
 *
 * @token        set if 1 is returned; otherwise untouched
 * @resolved     as for virtio_chain_resolve()
 * @chain_error  if 1 is returned, set to the result of virtio_chain_resolve(): 0, or an error. That
 *               function documents the content of `resolved` after an error. Even after an error
 *               the caller completes the chain, usually with length 0.
 *
 * Returns as virtio_queue_pop(). After VIRTIO_ENOTMAPPED for memory of the chain, the chain has
 * been unpopped.
 */
VIRTIO_MUST_CHECK
int virtio_queue_sync_pop(struct virtio_queue_sync *sync, struct virtio_token *token,
			  struct virtio_chain_segments *resolved, int *chain_error);

/*
 * Call virtio_request_pop() and virtio_request_complete() under the lock, and return their result.
 * Between the two calls the request may be used without the lock.
 */
VIRTIO_MUST_CHECK
int virtio_request_sync_pop(struct virtio_queue_sync *sync, struct virtio_request *request);
VIRTIO_MUST_CHECK
int virtio_request_sync_complete(struct virtio_queue_sync *sync, const struct virtio_request *request, uint8_t status,
				 uint64_t written);

/*
 * Replays a request and resolves its chain, under the lock. The other parameters are as for
 * virtio_queue_sync_pop().
 *
 * @request  the request's entry in the saved record (<virtio/queue_state.h>)
 *
 * Returns as virtio_queue_replay(), or VIRTIO_ENOTMAPPED as virtio_queue_sync_pop(). If the queue
 * is broken, VIRTIO_EBROKEN replaces VIRTIO_ENOTMAPPED, and the request stays in flight.
 */
VIRTIO_MUST_CHECK
int virtio_queue_sync_replay(struct virtio_queue_sync *sync, const struct virtio_queue_flight *request,
			     struct virtio_token *token, struct virtio_chain_segments *resolved, int *chain_error);

VIRTIO_END_DECLS

#endif
