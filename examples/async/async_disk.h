/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A disk that carries out several requests at a time: a pool of threads serves the requests, which
 * complete in any order. Begin here if your back end is slow.
 *
 * The lock under which the VMM handles exits serialises everything except the I/O. A thread of the
 * pool holds this lock while it takes a request to carry out, and while it completes the request.
 * A reset of the device or of a queue waits until the threads have carried out all requests of the
 * device or the queue. Meanwhile the VMM holds the vCPU that asked for the reset.
 *
 * What the guest can do: keep ASYNC_QUEUE_SIZE requests of each queue in flight, and no more.
 *
 * virtio 1.4, 5.2
 */
#ifndef ASYNC_DISK_H
#define ASYNC_DISK_H

#include <pthread.h>
#include <virtio/blk.h>
#include <virtio/device_queues.h>

#define ASYNC_QUEUES 2u
#define ASYNC_QUEUE_SIZE 32u
/* A buffer may cross from one region of guest memory to the next, and then has two segments. */
#define ASYNC_SEGMENTS (2 * ASYNC_QUEUE_SIZE)
#define ASYNC_THREADS 4u
#define ASYNC_RANGES 4u           /* limit on ranges per discard or write of zeroes */
#define ASYNC_RANGE_SECTORS 8192u /* limit on sectors per range; bounds a request's duration */

/* The VMM's lock, and callbacks into the VMM. Both callbacks are called with the lock held. */
struct async_host {
	pthread_mutex_t *lock;
	/* Does what interrupt() of struct virtio_device_ops does. */
	void (*interrupt)(void *context, enum virtio_interrupt cause, uint16_t queue, bool level);
	/*
	 * Called when a stop or a reset may have ended. The VMM must let a held vCPU continue if
	 * virtio_device_waiting() is false.
	 */
	void (*stopped)(void *context);
	void *context;
};

/*
 * A request in flight: requests[queue][head] of struct async_disk, where head is the head of the
 * request's chain.
 */
struct async_request {
	struct virtio_blk_request request;
	struct virtio_segment segments[ASYNC_SEGMENTS];
	struct virtio_blk_range ranges[ASYNC_RANGES];
	struct virtio_blk_result result;
	struct async_request *next; /* in the list `first` or `stuck` */
	uint16_t queue;
};

struct async_disk {
	struct virtio_device device;
	struct virtio_device_queues queues;
	struct virtio_queue_registers registers[ASYNC_QUEUES];
	struct virtio_queue queue[ASYNC_QUEUES];
	struct virtio_inflight inflight[ASYNC_QUEUES * ASYNC_QUEUE_SIZE];
	struct async_request requests[ASYNC_QUEUES][ASYNC_QUEUE_SIZE];
	struct virtio_blk blk;
	struct virtio_blk_stats stats;
	struct async_host host;
	struct async_request *first, **last; /* requests that no thread has begun, oldest first */
	struct async_request *stuck;         /* requests carried out, whose completion has failed */
	uint32_t num_stuck[ASYNC_QUEUES];    /* requests of each queue in the list `stuck` */
	pthread_cond_t work;                 /* signalled on a new request, or if `ending` is set */
	pthread_t threads[ASYNC_THREADS];
	uint32_t num_threads;
	bool ending;
};

/*
 * Makes a device and starts its threads.
 *
 * @disk      the caller's. It must not be moved or copied.
 * @backend   of the disk; copied. Several threads call its operations at once. The disk offers
 *            discard and write zeroes if the back end has these operations.
 * @capacity  512-byte sectors
 * @host      copied
 * @memory    the guest's. virtio_device_queues_set_memory() switches to another map.
 *
 * Returns 0, or an error of enum virtio_error. VIRTIO_EIO means that the system lacked resources
 * for the threads.
 */
VIRTIO_MUST_CHECK
int async_disk_init(struct async_disk *disk, const struct virtio_blk_backend *backend, uint64_t capacity,
		    const struct async_host *host, const struct virtio_memory_map *memory);

/*
 * Retries everything that waits for an address translation: enabling a queue, popping requests and
 * completing requests. Call this with the lock held, whenever the results of the map's translation
 * may have changed. Afterwards let a held vCPU continue if virtio_device_waiting() is false.
 */
void async_disk_mapped(struct async_disk *disk);

/*
 * Carries out the requests in flight and ends the threads. Call this without the lock, after the
 * last register access.
 */
void async_disk_close(struct async_disk *disk);

#endif
