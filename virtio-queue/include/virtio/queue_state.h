/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Saving a queue's state and restoring it, for snapshots and live migration.
 *
 * The state is a plain struct of values. It holds no host address, nothing about notifications (the
 * first check after a restore says yes, which is once too often at worst) and no request in flight:
 * a queue is saved when it is quiesced, or together with the list of heads in flight, which the new
 * owner replays.
 *
 * What the guest can do: nothing. What a state from elsewhere can do: anything, so every value is
 * checked as if the guest had written it.
 *
 * Threads: serialised with the other calls on the queue.
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
	uint16_t next_used;  /* index of the next used element; next_avail less the requests in flight */
};

/*
 * Saves a queue with nothing in flight.
 *
 * @queue  goes on as before. One that is not started gives a state of zeroes, so that a VMM saves
 *         all queues alike.
 * @out    the state; untouched on failure
 *
 * Returns 0; VIRTIO_EBROKEN; VIRTIO_EBUSY if a request is in flight, or one is still to be
 * replayed; VIRTIO_EINVAL if the indices, as the caller set them, leave room for requests in flight
 * that there are not.
 */
VIRTIO_MUST_CHECK
int virtio_queue_save(const struct virtio_queue *queue, struct virtio_queue_state *out);

/*
 * Saves a queue together with the requests in flight.
 *
 * @queue     goes on as before, and must not complete any of them afterwards; one that is not
 *            started gives a state of zeroes and no heads
 * @out       the state; untouched on failure
 * @heads     the caller's array: the heads in flight, in the order in which they were popped
 * @capacity  its entries
 * @count     set to how many there are; untouched on failure
 *
 * Returns 0; VIRTIO_EBROKEN; VIRTIO_EINVAL as above; VIRTIO_ENOBUFS if the array is too small;
 * VIRTIO_EBUSY if a request is still to be replayed, or under IN_ORDER a completion waits for an
 * earlier request.
 */
VIRTIO_MUST_CHECK
int virtio_queue_save_in_flight(const struct virtio_queue *queue, struct virtio_queue_state *out, uint16_t *heads,
				uint32_t capacity, uint32_t *count);

/*
 * Starts a queue from a saved state. The state of a queue that was not started leaves this one not
 * started.
 *
 * @queue  prepared by virtio_queue_init(), and not started, or reset since its last start
 * @state  from virtio_queue_save() or virtio_queue_save_in_flight(), perhaps by way of a file
 * @map    the guest's memory, as for virtio_queue_start()
 *
 * Returns 0; an error of virtio_queue_start(); VIRTIO_EINVAL if next_avail is more than the queue
 * size ahead of next_used, or if a bool of the configuration is neither 0 nor 1. On failure the
 * queue is as before. Afterwards the device looks at the queue once, whether it is kicked or not,
 * and asks virtio_queue_needs_interrupt() once, whether it has completed anything or not.
 */
VIRTIO_MUST_CHECK
int virtio_queue_restore(struct virtio_queue *queue, const struct virtio_queue_state *state,
			 const struct virtio_memory_map *map);

/*
 * Puts a request in flight again that was in flight when the state was saved.
 *
 * @queue  restored; to be called for every saved head, in the saved order. Until then pops return
 *         VIRTIO_EBUSY, and nothing may be completed.
 * @head   of the request
 * @chain  filled in as by virtio_queue_pop()
 *
 * Returns 1; VIRTIO_ENOTREADY; VIRTIO_EBROKEN; VIRTIO_EINVAL if the head is not below the queue
 * size, was replayed already, or no more requests were in flight. A failure changes nothing.
 * virtio_queue_unpop() takes it back, to be replayed again.
 */
VIRTIO_MUST_CHECK
int virtio_queue_replay(struct virtio_queue *queue, uint16_t head, struct virtio_chain *chain);

/*
 * Pauses a queue that has nothing in flight: saves it and resets it, so that the ring is not
 * touched until virtio_queue_restore() lets it go on where it was, perhaps with another map.
 *
 * @queue  started
 * @out    the state; untouched on failure
 *
 * Returns 0; VIRTIO_ENOTREADY if not started; or an error of virtio_queue_save(), and the queue
 * goes on as before.
 */
VIRTIO_MUST_CHECK
int virtio_queue_pause(struct virtio_queue *queue, struct virtio_queue_state *out);

VIRTIO_END_DECLS

#endif
