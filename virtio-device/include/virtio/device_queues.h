/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Optional: the storage of a device's queues, the operations that start, stop and reset them, and
 * calls that serve a queue.
 *
 * The author provides the arrays of struct virtio_device_queues_storage, and names the operations
 * in struct virtio_device_ops. The author need not record whether a queue runs.
 *
 *	static const struct virtio_device_ops ops = {
 *		.activate = virtio_device_queues_activate,
 *		.reset = virtio_device_queues_reset,
 *		.queue_start = virtio_device_queues_start,
 *		.queue_stop = virtio_device_queues_stop,
 *		...
 *	};
 *	error = virtio_device_queues_init(&queues, &storage);
 *	options.device_queues = &queues;
 *	if (!error)
 *		error = virtio_device_init(&device, &options);
 *
 * - A device calls virtio_device_queues_serve() when the driver has kicked. A device with a loop of
 *   its own calls virtio_device_queues_running() before it pops.
 * - If requests stay in flight after virtio_device_queues_serve() has returned, the device must set
 *   `asynchronous` in its storage. It then calls virtio_device_queues_report() after completions.
 * - An operation that the author writes may call the matching operation of this header.
 *
 * A request of an asynchronous device is in flight until virtio_queue_complete() or
 * virtio_queue_unpop() has succeeded. If guest memory has a translation, a completion can fail. The
 * device must then retry: no stop and no reset ends until the completion has succeeded.
 *
 * What the guest can do: see <virtio/device.h> and <virtio/queue.h>.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     another register access of the same device, see
 *                                        <virtio/device.h>
 * Calls on the queues need the same serialisation as the register accesses.
 *
 * Freestanding. Allocates nothing.
 *
 * virtio 1.4, 2.4, 2.6, 3.1
 */
#ifndef VIRTIO_DEVICE_QUEUES_H
#define VIRTIO_DEVICE_QUEUES_H

#include <virtio/device.h>
#include <virtio/queue_state.h>
#include <virtio/serve.h>

VIRTIO_BEGIN_DECLS

/* The caller's arrays. They must live as long as the device. */
struct virtio_device_queues_storage {
	struct virtio_queue_registers *registers; /* see struct virtio_queue_registers */
	struct virtio_queue *queues;              /* zeroed by the caller before the first use */
	uint32_t num_queues;                      /* entries of registers and of queues */
	struct virtio_inflight *inflight;         /* max_size entries for each queue, in order */
	uint32_t inflight_entries;                /* entries of inflight */
	/*
	 * If true, requests may stay in flight between calls, and a stop or a reset waits for them.
	 * If false, a stop or a reset forgets the requests in flight.
	 */
	bool asynchronous;
};

/* The queues of one device. The caller allocates this, and changes it by functions only. */
struct virtio_device_queues {
	struct virtio_queue_registers *registers;
	struct virtio_queue *queues;
	uint32_t num_queues;
	bool asynchronous;
};

/*
 * Prepares the queues, once in the device's life, before virtio_device_init().
 *
 * @queues   set up by this call; pass it in the options of the device
 * @storage  copied; the arrays are used in place
 *
 * Returns 0, or an error that changes nothing:
 *   VIRTIO_EINVAL   no queue, more than VIRTIO_DEVICE_MAX_QUEUES, or an array that is NULL
 *   VIRTIO_ESIZE    an illegal max_size
 *   VIRTIO_ENOBUFS  fewer entries of inflight than the sum of all max_size
 */
VIRTIO_MUST_CHECK
int virtio_device_queues_init(struct virtio_device_queues *queues, const struct virtio_device_queues_storage *storage);

/*
 * Operations for struct virtio_device_ops. An operation fails with VIRTIO_EINVAL for a device
 * without device_queues in its options.
 *
 *   operation  effect
 *   activate   starts each ready queue. After an error no queue is started.
 *   start      starts one queue
 *   stop       resets the queue. If the device is asynchronous and the queue has requests in
 *              flight, returns VIRTIO_DEVICE_IN_PROGRESS instead.
 *   reset      resets all queues. If the device is asynchronous and any queue has requests in
 *              flight, resets no queue, and returns VIRTIO_DEVICE_IN_PROGRESS.
 */
int virtio_device_queues_activate(struct virtio_device *device);
int virtio_device_queues_start(struct virtio_device *device, uint16_t queue);
int virtio_device_queues_stop(struct virtio_device *device, uint16_t queue);
int virtio_device_queues_reset(struct virtio_device *device);

/*
 * Restores a queue of a device that virtio_device_restore() has just restored. Call this in place
 * of virtio_queue_restore(), for each queue, running or not.
 *
 * @queue   index
 * @state   from virtio_queue_save_in_flight(), perhaps by way of a file. After this call, call
 *          virtio_queue_replay() for each entry of the record of that save.
 *
 * Returns 0, or an error that changes nothing:
 *   VIRTIO_EINVAL      - no queue has this index
 *                      - the saved queue runs, but the core's queue does not
 *                      - the state has another configuration of the queue than the core
 *   VIRTIO_ENOTMAPPED  a translation is not known yet: the caller may try again
 *   others             as virtio_queue_restore()
 *
 * Calls virtio_device_set_needs_reset() if the queue cannot go on: it was broken, it was not
 * started although it should run, or a translation no longer maps its areas.
 */
VIRTIO_MUST_CHECK
int virtio_device_queues_restore(struct virtio_device *device, uint16_t queue, const struct virtio_queue_state *state);

/*
 * Returns true if the device may pop from a queue. The device is then active and the queue is
 * ready. FAILED and DEVICE_NEEDS_RESET are clear. No stop of the queue and no reset is in progress.
 *
 * @queue  index; false if there is no such queue
 *
 * When a queue has broken, a device must call virtio_device_set_needs_reset().
 * virtio_device_queues_running() then returns false.
 */
bool virtio_device_queues_running(const struct virtio_device *device, uint16_t queue);

/*
 * If virtio_device_queues_running() is true, calls virtio_queue_serve() or
 * virtio_queue_serve_requests() once. Then interrupts the driver if the driver wants an interrupt.
 * Sets DEVICE_NEEDS_RESET after any error except VIRTIO_ENOTMAPPED.
 *
 * @queue                      index
 * @budget, @serve, @context   as for the function that is called
 *
 * Returns 0 if the queue does not run: there is nothing to do. Otherwise returns:
 *   1                   there may be more requests: call again without waiting for a kick
 *   0                   no request is left: wait for a kick
 *   VIRTIO_SERVE_LATER  call again when the device can accept requests. No kick will come.
 *   VIRTIO_ENOTMAPPED   call again when the memory or the ring is mapped. No kick will come.
 *   other errors        DEVICE_NEEDS_RESET is set: there is nothing to do until the reset
 *
 * After the result 1, release the lock that serialises register accesses before the next call,
 * unless every request stays in flight. Otherwise a driver that makes completed requests available
 * again could keep the lock held for ever.
 */
VIRTIO_MUST_CHECK
int virtio_device_queues_serve(struct virtio_device *device, uint16_t queue, uint32_t budget, virtio_serve_fn *serve,
			       void *context);
VIRTIO_MUST_CHECK
int virtio_device_queues_serve_requests(struct virtio_device *device, uint16_t queue, uint32_t budget,
					virtio_serve_request_fn *serve, void *context);

/*
 * Resets a queue, and reports to the core that the queue is quiesced. Acts only if a stop or a
 * reset waits for the queue, and if no request of the queue is in flight. Call this after
 * completions, before you release the lock that serialises register accesses. Without
 * device_queues, returns false.
 *
 * @queue  index
 *
 * Returns whether there was a report. After a report the VMM calls virtio_device_waiting() to learn
 * whether a held vCPU may go on.
 */
bool virtio_device_queues_report(struct virtio_device *device, uint16_t queue);

/*
 * Switches the device and all started queues to another map of the guest's memory.
 *
 * @map  as for virtio_device_set_memory()
 *
 * If an area of a started queue is not accessible in the new map, or not translated yet, this call
 * sets DEVICE_NEEDS_RESET. The call then also resets the queue. But if requests of an asynchronous
 * device are in flight in the queue, the queue is not reset, and keeps the old map.
 *
 * Returns:
 *   0                          nothing uses an earlier map any more
 *   VIRTIO_DEVICE_IN_PROGRESS  requests in flight use an earlier map. The earlier maps must live
 *                              until virtio_device_queues_old_maps_unused() is true.
 *   VIRTIO_EINVAL              the device has no device_queues; nothing is changed
 */
VIRTIO_MUST_CHECK
int virtio_device_queues_set_memory(struct virtio_device *device, const struct virtio_memory_map *map);

/*
 * Returns false if a request in flight was popped under an earlier map, otherwise true: see
 * virtio_device_queues_set_memory().
 */
bool virtio_device_queues_old_maps_unused(const struct virtio_device *device);

VIRTIO_END_DECLS

#endif
