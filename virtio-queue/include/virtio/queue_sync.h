/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A queue that several threads share: the operations of <virtio/queue.h> behind a lock.
 *
 * Each call below takes the lock, does what the function of the same name does, and releases it. For
 * several in a row, virtio_queue_sync_lock() hands out the queue itself until virtio_queue_sync_unlock().
 * The lock is the caller's: two callbacks, so that a hypervisor can bring a spinlock;
 * <virtio/queue_pthread.h> has them for a POSIX mutex.
 *
 * A chain is walked under its queue's serialisation, so here a pop resolves it at once; the segments
 * may be used without the lock.
 *
 * Threads: any. No callback but the lock's is called while it is held, except a map's translation.
 *
 * virtio 1.4, 2.6 and 2.7
 */
#ifndef VIRTIO_QUEUE_SYNC_H
#define VIRTIO_QUEUE_SYNC_H

#include <virtio/queue_state.h>
#include <virtio/request.h>

VIRTIO_BEGIN_DECLS

/* A lock of the caller's that does not nest. */
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
 * Prepares the queue, before other threads know of it.
 *
 * @sync      the caller's, filled with zeroes before the first call
 * @lock      copied; what its context points to must live as long as the queue
 * @inflight, entries  as for virtio_queue_init()
 *
 * Returns as virtio_queue_init(), and VIRTIO_EINVAL if a callback is missing.
 */
VIRTIO_MUST_CHECK
int virtio_queue_sync_init(struct virtio_queue_sync *sync, const struct virtio_queue_lock *lock,
			   struct virtio_inflight *inflight, uint32_t entries);

/* Takes the lock and hands out the queue, for any call of <virtio/queue.h>, until it is unlocked. */
struct virtio_queue *virtio_queue_sync_lock(struct virtio_queue_sync *sync);
void virtio_queue_sync_unlock(struct virtio_queue_sync *sync);

/*
 * Pops a chain and resolves it.
 *
 * @token      set to the request's, if 1 is returned; otherwise untouched
 * @resolved  as for virtio_chain_resolve()
 * @chain_error  set likewise: to 0, or to the error of virtio_chain_resolve() when the chain was popped but has a bad
 *             buffer, did not fit or is malformed. resolved then has the front of the chain and the byte for a status. A
 *             malformed chain is completed with length 0.
 *
 * Returns as virtio_queue_pop(). A chain that is not mapped yet (VIRTIO_ENOTMAPPED) has been unpopped.
 */
VIRTIO_MUST_CHECK
int virtio_queue_sync_pop(struct virtio_queue_sync *sync, struct virtio_token *token,
			  struct virtio_chain_segments *resolved, int *chain_error);

/* As virtio_request_pop() and virtio_request_complete(): between the two, the request is used without the lock. */
VIRTIO_MUST_CHECK
int virtio_request_sync_pop(struct virtio_queue_sync *sync, struct virtio_request *request);
VIRTIO_MUST_CHECK
int virtio_request_sync_complete(struct virtio_queue_sync *sync, const struct virtio_request *request, uint8_t status,
				 uint64_t written);

/*
 * As virtio_queue_sync_pop(), of a request that was in flight when the state was saved.
 *
 * @head  of the request
 *
 * Returns as virtio_queue_replay(); VIRTIO_ENOTMAPPED as virtio_queue_sync_pop().
 */
VIRTIO_MUST_CHECK
int virtio_queue_sync_replay(struct virtio_queue_sync *sync, uint16_t head, struct virtio_token *token,
			     struct virtio_chain_segments *resolved, int *chain_error);

/*
 * As the functions of <virtio/queue.h> and <virtio/queue_state.h> without "sync" in their names. An answer is about the
 * moment at which the lock was held: another thread may have popped since, and then its request is the last one, and
 * virtio_queue_sync_unpop() returns VIRTIO_EINVAL for any other.
 */
VIRTIO_MUST_CHECK
int virtio_queue_sync_start(struct virtio_queue_sync *sync, const struct virtio_queue_config *config,
			    const struct virtio_memory_map *map);
void virtio_queue_sync_reset(struct virtio_queue_sync *sync);
VIRTIO_MUST_CHECK
int virtio_queue_sync_set_memory(struct virtio_queue_sync *sync, const struct virtio_memory_map *map);
int virtio_queue_sync_available(struct virtio_queue_sync *sync);
int virtio_queue_sync_unpop(struct virtio_queue_sync *sync, struct virtio_token token);
int virtio_queue_sync_complete(struct virtio_queue_sync *sync, struct virtio_token token, uint32_t len);
int virtio_queue_sync_complete_batch(struct virtio_queue_sync *sync, const struct virtio_completion *completions,
				     uint32_t count);
bool virtio_queue_sync_needs_notification(struct virtio_queue_sync *sync);
int virtio_queue_sync_enable_notification(struct virtio_queue_sync *sync);
int virtio_queue_sync_disable_notification(struct virtio_queue_sync *sync);
uint32_t virtio_queue_sync_in_flight(struct virtio_queue_sync *sync);
bool virtio_queue_sync_quiesced(struct virtio_queue_sync *sync);
bool virtio_queue_sync_old_maps_unused(struct virtio_queue_sync *sync);
void virtio_queue_sync_get_stats(struct virtio_queue_sync *sync, struct virtio_queue_stats *out);
uint16_t virtio_queue_sync_next_avail(struct virtio_queue_sync *sync);
uint16_t virtio_queue_sync_next_used(struct virtio_queue_sync *sync);
int virtio_queue_sync_set_next_avail(struct virtio_queue_sync *sync, uint16_t index);
int virtio_queue_sync_set_next_used(struct virtio_queue_sync *sync, uint16_t index);
int virtio_queue_sync_read_avail_idx(struct virtio_queue_sync *sync, uint16_t *out);
int virtio_queue_sync_read_used_idx(struct virtio_queue_sync *sync, uint16_t *out);
VIRTIO_MUST_CHECK
int virtio_queue_sync_save(struct virtio_queue_sync *sync, struct virtio_queue_state *out);
VIRTIO_MUST_CHECK
int virtio_queue_sync_save_in_flight(struct virtio_queue_sync *sync, struct virtio_queue_state *out, uint16_t *heads,
				     uint32_t capacity, uint32_t *count);
VIRTIO_MUST_CHECK
int virtio_queue_sync_restore(struct virtio_queue_sync *sync, const struct virtio_queue_state *state,
			      const struct virtio_memory_map *map);

VIRTIO_END_DECLS

#endif
