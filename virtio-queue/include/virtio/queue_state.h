/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Saving a queue's state and restoring it, for snapshots and live migration.
 *
 * A state has two parts: a plain struct of values, and a record of the requests in flight. Neither
 * part contains a host address, or says whether an interrupt is pending. So the first
 * virtio_queue_needs_interrupt() after a restore may cause one extra interrupt. A queue can be
 * saved even if it is not started, is broken, or has requests in flight. <virtio/queue_ser.h>
 * converts the state into bytes.
 *
 * The record names each request in flight by its head, and stores no descriptors. The new owner
 * replays the request, and walks its chain again in guest memory. If the guest has changed the
 * chain meanwhile, the changed chain is checked like any other chain. Indices come from the state,
 * never from the ring.
 *
 * What the guest can do: prevent a restore, but only while the translation of an area is not known
 * yet (VIRTIO_ENOTMAPPED). An incoherent ring breaks the queue when the device reads the ring. A
 * state may come from anywhere, so every value is checked as if the guest had written it.
 *
 * Threads:
 *   functions                    who may call   what must not run beside
 *   virtio_queue_check_state()   any thread     nothing
 *   other functions              any thread     another call on the same queue
 *
 * virtio 1.4, 2.6
 */
#ifndef VIRTIO_QUEUE_STATE_H
#define VIRTIO_QUEUE_STATE_H

#include <virtio/queue.h>
#include <virtio/section.h>

VIRTIO_BEGIN_DECLS

struct virtio_queue_state {
	struct virtio_queue_config config;
	uint16_t next_avail; /* available index of the next pop */
	uint16_t next_used;  /* index of the next used element: next_avail - length of the record */
	int broken;          /* 0, or the error that broke the queue */
};

/* A request that was popped and is not in the used ring. */
struct virtio_queue_flight {
	uint16_t head;
	bool completed;   /* under IN_ORDER: its completion waits for an earlier request */
	uint32_t written; /* used length of that completion; 0 if not completed */
};

/*
 * Saves a queue that has nothing in flight.
 *
 * @queue  continues as before. The state of a queue that is not started is all zeroes, so a VMM can
 *         save all queues alike.
 * @out    the state; untouched on failure
 *
 * Returns 0, or:
 *   VIRTIO_EBUSY   a request is in flight, waits under IN_ORDER, or must still be replayed
 *   VIRTIO_EINVAL  the caller has set next_avail and next_used to different values
 */
VIRTIO_MUST_CHECK
int virtio_queue_save(const struct virtio_queue *queue, struct virtio_queue_state *out);

/*
 * Saves a queue together with the requests in flight.
 *
 * @queue     continues, but do not complete any of the saved requests afterwards. For a queue that
 *            is not started, the state is all zeroes and the record is empty.
 * @out       the state; untouched on failure
 * @record    the caller's array, filled with the requests in flight, in the order of their pops
 * @capacity  number of entries in record: the queue size is enough
 * @count     set to the number of requests; untouched on failure
 *
 * Returns 0, or:
 *   VIRTIO_EINVAL   next_avail - next_used is not the number of requests: see virtio_queue_save()
 *   VIRTIO_ENOBUFS  the array is too small
 *   VIRTIO_EBUSY    requests of a restored record must still be replayed. First replay them, but do
 *                   not carry them out. A replay changes no guest memory. The next save then
 *                   records these requests again.
 */
VIRTIO_MUST_CHECK
int virtio_queue_save_in_flight(const struct virtio_queue *queue, struct virtio_queue_state *out,
				struct virtio_queue_flight *record, uint32_t capacity, uint32_t *count);

/*
 * Checks a state and its record. Makes the checks of virtio_queue_restore() and
 * virtio_queue_replay(), but needs no queue.
 *
 * @record   an array of `count` entries. NULL skips the checks of the entries and of `count`. But
 *           for a state of all zeroes `count` is always checked, and must be 0.
 * @map      the guest's memory; NULL skips the check whether the areas are in memory
 * @refusal  names the refused value on failure; otherwise untouched. Values have the names of the
 *           section "queue" (virtio-queue-ser/README.md); the name of the record is in_flight.
 *
 * Returns 0 or an error of virtio_queue_restore(). VIRTIO_EINVAL also means a fault in the record:
 * - `count` is not next_avail - next_used
 * - a head is not below the queue size, or occurs twice
 * - `completed` or `written` has an impossible value
 */
VIRTIO_MUST_CHECK
int virtio_queue_check_state(const struct virtio_queue_state *state, const struct virtio_queue_flight *record,
			     uint32_t count, const struct virtio_memory_map *map, struct virtio_refusal *refusal);

/*
 * Starts a queue from a saved state. The state of a queue that was not started leaves this queue
 * not started.
 *
 * @queue  prepared by virtio_queue_init(); not started, or reset since its last start
 * @state  from virtio_queue_save() or virtio_queue_save_in_flight(), perhaps by way of a file
 * @map    the guest's memory, as for virtio_queue_start()
 *
 * A queue that was broken at the save is broken again, even if its areas lie outside guest memory.
 * The queue also breaks if a translation no longer maps its areas (VIRTIO_EFAULT, VIRTIO_EPERM),
 * because the guest must not be able to stop a restore. The next pop then returns VIRTIO_EBROKEN.
 *
 * Returns 0, or an error that leaves the queue as before:
 *   VIRTIO_EBUSY       the queue is started
 *   VIRTIO_EINVAL      - next_avail is more than the queue size ahead of next_used
 *                      - a bool of the configuration is neither 0 nor 1
 *                      - `broken` is neither 0 nor a fault of a ring
 *                      - the storage for requests in flight is smaller than the queue
 *   VIRTIO_ENOTREADY, VIRTIO_ESIZE, VIRTIO_EALIGN, VIRTIO_EFAULT, VIRTIO_EPERM
 *                      as virtio_queue_start(), but VIRTIO_EFAULT and VIRTIO_EPERM only without a
 *                      translation
 *   VIRTIO_ENOTMAPPED  a translation is not known yet: the caller may try again
 * After a success the device must serve the queue once, even without a kick. It must also call
 * virtio_queue_needs_interrupt() once, even without a completion.
 */
VIRTIO_MUST_CHECK
int virtio_queue_restore(struct virtio_queue *queue, const struct virtio_queue_state *state,
			 const struct virtio_memory_map *map);

/*
 * Puts a request of the record in flight again. Call this for every entry of the record, in order.
 * Until the last of these calls, pops return VIRTIO_EBUSY, and no request may be completed.
 *
 * @queue    restored
 * @request  the entry
 * @chain    filled in as by virtio_queue_pop(), if 1 is returned
 *
 * Returns 1 if the device must carry out the request again, and 0 if the request was completed and
 * only waits for an earlier request. Otherwise returns an error that changes nothing:
 *   VIRTIO_ENOTREADY  the queue is not started
 *   VIRTIO_EINVAL     - the head is not below the queue size, or was replayed already
 *                     - all requests have been replayed
 *                     - the request was completed in a queue without IN_ORDER
 *
 * virtio_queue_unpop() undoes the last replay if that replay returned 1 and the queue is not
 * broken. After the unpop the request must be replayed again.
 */
VIRTIO_MUST_CHECK
int virtio_queue_replay(struct virtio_queue *queue, const struct virtio_queue_flight *request,
			struct virtio_chain *chain);

/*
 * Pauses a queue that has nothing in flight: saves the queue and resets it. The library does not
 * touch the ring until virtio_queue_restore() continues the queue, perhaps with another map.
 *
 * @queue  started
 * @out    the state; untouched on failure
 *
 * Returns 0; VIRTIO_ENOTREADY if not started; or an error of virtio_queue_save(). After an error
 * the queue continues as before.
 */
VIRTIO_MUST_CHECK
int virtio_queue_pause(struct virtio_queue *queue, struct virtio_queue_state *out);

VIRTIO_END_DECLS

#endif
