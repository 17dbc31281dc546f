/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The queues of a device on the core: their storage, and the operations that start, stop and reset
 * them. Optional.
 *
 * The device's author gives the arrays and names the operations in the table; no flag of the
 * author's says whether a queue runs.
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
 * A device that serves requests at once asks virtio_device_queues_running() before it pops. A
 * device with requests in flight between two calls sets asynchronous, and also calls
 * virtio_device_queues_report() after it has completed some. An operation of the author's own may
 * call the one of this header for its part.
 *
 * A request of an asynchronous device counts as in flight until virtio_queue_complete() has
 * succeeded, or virtio_queue_unpop(). With a used ring behind a translation a completion can fail.
 * Such a device tries again, for until then no stop and no reset ends.
 *
 * What the guest can do: nothing more than with the core and the queues.
 *
 * Threads: register accesses, see <virtio/device.h>. The queues are used under the same
 * serialisation.
 *
 * Freestanding, and allocates nothing.
 *
 * virtio 1.4, 2.4, 2.6, 3.1
 */
#ifndef VIRTIO_DEVICE_QUEUES_H
#define VIRTIO_DEVICE_QUEUES_H

#include <virtio/device.h>
#include <virtio/queue.h>

VIRTIO_BEGIN_DECLS

/* The caller's arrays, which must live as long as the device. */
struct virtio_device_queues_storage {
	struct virtio_queue_registers *registers; /* filled with zeroes, but for config.max_size and the allowances */
	struct virtio_queue *queues;              /* filled with zeroes before the first use */
	uint32_t num_queues;                      /* entries of both */
	struct virtio_inflight *inflight;         /* of all queues: max_size entries for each, in the queues' order */
	uint32_t inflight_entries;                /* of it */
	/*
	 * Requests stay in flight between calls, so stop and reset wait for them. Otherwise both
	 * forget them.
	 */
	bool asynchronous;
};

/* The queues of one device. The caller allocates it, and changes it through functions alone. */
struct virtio_device_queues {
	struct virtio_queue_registers *registers;
	struct virtio_queue *queues;
	uint32_t num_queues;
	bool asynchronous;
};

/*
 * Prepares the queues, once in the device's life and before virtio_device_init().
 *
 * @queues   set up; goes into the options of the device
 * @storage  copied, but for the arrays
 *
 * Returns 0, or an error, and then nothing is changed:
 *   VIRTIO_EINVAL   no queue, more than VIRTIO_DEVICE_MAX_QUEUES, or an array that is NULL
 *   VIRTIO_ESIZE    a max_size that is 0 or that no queue can have
 *   VIRTIO_ENOBUFS  fewer entries of inflight than all max_size together
 */
VIRTIO_MUST_CHECK
int virtio_device_queues_init(struct virtio_device_queues *queues, const struct virtio_device_queues_storage *storage);

/*
 * The operations of these names, for struct virtio_device_ops. Each fails with VIRTIO_EINVAL for a
 * device without device_queues in its options.
 *
 * activate   starts each queue that is ready. After an error of virtio_queue_start() none is
 *            started.
 * start      starts one queue
 * stop       resets the queue. If the device is asynchronous and the queue has requests in flight,
 *            answers VIRTIO_DEVICE_IN_PROGRESS instead.
 * reset      the same for all queues: none is reset while any has requests in flight
 */
int virtio_device_queues_activate(struct virtio_device *device);
int virtio_device_queues_start(struct virtio_device *device, uint16_t queue);
int virtio_device_queues_stop(struct virtio_device *device, uint16_t queue);
int virtio_device_queues_reset(struct virtio_device *device);

/*
 * Whether the device may pop from a queue: the device is active, the queue is ready and nothing
 * waits for its end, and the device neither needs a reset nor has FAILED.
 *
 * @queue  index; false if there is none of this index
 *
 * After a break of the queue virtio_device_set_needs_reset() is all that a device has to do: from
 * then on this is false.
 */
bool virtio_device_queues_running(const struct virtio_device *device, uint16_t queue);

/*
 * Reports to the core if something waits for a queue of which nothing is in flight any more, and
 * resets the queue first. To be called after completions, before the caller lets go of the VMM's
 * lock. A device without device_queues has nothing to report.
 *
 * @queue  index
 *
 * Returns whether there was something to report: then the VMM asks virtio_device_waiting(), for a
 * vCPU may go on.
 */
bool virtio_device_queues_report(struct virtio_device *device, uint16_t queue);

/*
 * Switches the device and all queues that are started to another map of the guest's memory.
 *
 * @map  as for virtio_device_set_memory()
 *
 * Where the rings of a started queue are not in the new map the device needs a reset: that queue is
 * reset, or, if it has to wait for requests in flight, stays in the old map.
 *
 * Returns 0 if nothing uses an earlier map any more. VIRTIO_DEVICE_IN_PROGRESS if requests in
 * flight of an asynchronous device still do: the earlier maps must live until
 * virtio_device_queues_old_maps_unused(). VIRTIO_EINVAL for a device without device_queues, and
 * then nothing is changed.
 */
int virtio_device_queues_set_memory(struct virtio_device *device, const struct virtio_memory_map *map);

/*
 * Whether nothing is in flight that was popped under a map from before
 * virtio_device_queues_set_memory().
 */
bool virtio_device_queues_old_maps_unused(const struct virtio_device *device);

VIRTIO_END_DECLS

#endif
