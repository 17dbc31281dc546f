/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Saving a queue's state and restoring it, for snapshots and live migration.
 *
 * The state is a plain struct of values. It holds no host address, no request in flight, and
 * nothing about notifications: the first check after a restore may say yes once too often. A queue
 * is saved when it is quiesced, or together with the heads in flight, which the new owner replays.
 *
 * What the guest can do: nothing. A state from elsewhere can hold anything, so every value is
 * checked as if the guest had written it.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     another call on the same queue
 *
 * virtio 1.4, 2.6
 */
#ifndef VIRTIO_QUEUE_STATE_H
#define VIRTIO_QUEUE_STATE_H

#include <virtio/queue.h>

VIRTIO_BEGIN_DECLS

struct virtio_queue_state {
	struct virtio_queue_config config;
	uint16_t next_avail; /* available index of the next pop */
	uint16_t next_used;  /* index of the next used element: next_avail - requests in flight */
};

/*
 * Saves a queue with nothing in flight.
 *
 * @queue  goes on as before. A queue that is not started gives a state of zeroes, so a VMM can save
 *         all queues alike.
 * @out    the state; untouched on failure
 *
 * Returns 0, or:
 *   VIRTIO_EBROKEN  the queue is broken
 *   VIRTIO_EBUSY    a request is in flight, or still to be replayed
 *   VIRTIO_EINVAL   the indices that the caller set imply requests in flight, and there are none
 */
VIRTIO_MUST_CHECK
int virtio_queue_save(const struct virtio_queue *queue, struct virtio_queue_state *out);

/*
 * Saves a queue together with its requests in flight.
 *
 * @queue     goes on as before, but must not complete any of these requests. A queue that is not
 *            started gives a state of zeroes and no heads.
 * @out       the state; untouched on failure
 * @heads     the caller's array: the heads in flight, in the order of their pops
 * @capacity  its entries
 * @count     set to the number of heads; untouched on failure
 *
 * Returns 0, or:
 *   VIRTIO_EBROKEN  the queue is broken
 *   VIRTIO_EINVAL   as virtio_queue_save()
 *   VIRTIO_ENOBUFS  the array is too small
 *   VIRTIO_EBUSY    a request is still to be replayed; or under IN_ORDER a completion waits for an
 *                   earlier request
 */
VIRTIO_MUST_CHECK
int virtio_queue_save_in_flight(const struct virtio_queue *queue, struct virtio_queue_state *out, uint16_t *heads,
				uint32_t capacity, uint32_t *count);

/*
 * Starts a queue from a saved state. If the saved queue was not started, this one is not either.
 *
 * @queue  prepared by virtio_queue_init(); not started, or reset since its last start
 * @state  from virtio_queue_save() or virtio_queue_save_in_flight(), perhaps through a file
 * @map    the guest's memory, as for virtio_queue_start()
 *
 * Afterwards the device looks at the queue once without a kick, and asks
 * virtio_queue_needs_interrupt() once even without a completion.
 *
 * Returns 0; an error of virtio_queue_start(); VIRTIO_EINVAL if next_avail is more than the queue
 * size ahead of next_used, or if a bool of the configuration is neither 0 nor 1. On failure the
 * queue is as before.
 */
VIRTIO_MUST_CHECK
int virtio_queue_restore(struct virtio_queue *queue, const struct virtio_queue_state *state,
			 const struct virtio_memory_map *map);

/*
 * Puts a request in flight again that was in flight when the state was saved.
 *
 * @queue  restored. Call this for every saved head, in the saved order. Before that, pops return
 *         VIRTIO_EBUSY, and nothing may be completed.
 * @head   of the request
 * @chain  filled in as by virtio_queue_pop()
 *
 * Returns 1; VIRTIO_ENOTREADY; VIRTIO_EBROKEN; VIRTIO_EINVAL if the head is not below the queue
 * size, was replayed already, or no more requests were in flight. A failure changes nothing.
 * virtio_queue_unpop() undoes the call, and the head can be replayed again.
 */
VIRTIO_MUST_CHECK
int virtio_queue_replay(struct virtio_queue *queue, uint16_t head, struct virtio_chain *chain);

/*
 * Pauses a queue with nothing in flight: saves it and resets it. The ring is not touched until
 * virtio_queue_restore() continues the queue, perhaps with another map.
 *
 * @queue  started
 * @out    the state; untouched on failure
 *
 * Returns 0; VIRTIO_ENOTREADY if not started; or an error of virtio_queue_save(), after which the
 * queue goes on as before.
 */
VIRTIO_MUST_CHECK
int virtio_queue_pause(struct virtio_queue *queue, struct virtio_queue_state *out);

VIRTIO_END_DECLS

#endif
