/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A disk with requests in flight: a pool of threads carries requests out, and they complete in any
 * order. Begin here if your back end is slow.
 *
 * One lock serialises everything except the I/O: the VMM's lock, under which it handles exits. A
 * thread of the pool takes the lock to pop a request and to complete a request, and releases the
 * lock in between. A reset, and the reset of a queue, wait for the last completion. Meanwhile the
 * VMM holds the vCPU that asked.
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
/* A buffer may cross from one region of guest memory to the next. */
#define ASYNC_SEGMENTS (2 * ASYNC_QUEUE_SIZE)
#define ASYNC_THREADS 4u
#define ASYNC_RANGES 4u           /* of one discard, or one write of zeroes */
#define ASYNC_RANGE_SECTORS 8192u /* of one range, which bounds the time of a request */

/* Callbacks into the VMM. Both are called with the lock held. */
struct async_host {
	pthread_mutex_t *lock;
	/* As the operation of the same name in struct virtio_device_ops. */
	void (*interrupt)(void *context, enum virtio_interrupt cause, uint16_t queue, bool level);
	/*
	 * Called when a stop or a reset may have ended. A vCPU that the VMM holds goes on if
	 * virtio_device_waiting() is false.
	 */
	void (*stopped)(void *context);
	void *context;
};

/* A request in flight. Its index in async_disk's array is the head of its chain. */
struct async_request {
	struct virtio_blk_request request;
	struct virtio_segment segments[ASYNC_SEGMENTS];
	struct virtio_blk_range ranges[ASYNC_RANGES];
	struct virtio_blk_result result;
	struct async_request *next; /* in the list of requests that no thread has begun */
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
	struct async_request *first, **last; /* the list, oldest first */
	struct async_request *stuck;         /* carried out, but the used ring is not mapped */
	uint32_t num_stuck[ASYNC_QUEUES];    /* of each queue */
	pthread_cond_t work;                 /* the list isn't empty, or the threads are to end */
	pthread_t threads[ASYNC_THREADS];
	uint32_t num_threads;
	bool ending;
};

/*
 * Makes a device and starts its threads.
 *
 * @disk      the caller's, who neither moves nor copies it
 * @backend   of the disk; copied. Several threads call it at once. If it can discard, or write
 *            zeroes, the disk offers that.
 * @capacity  512-byte sectors
 * @host      copied
 * @memory    the guest's. virtio_device_queues_set_memory() switches to another map.
 *
 * Returns 0, or an error of enum virtio_error: VIRTIO_EIO if the system starts no thread.
 */
VIRTIO_MUST_CHECK
int async_disk_init(struct async_disk *disk, const struct virtio_blk_backend *backend, uint64_t capacity,
		    const struct async_host *host, const struct virtio_memory_map *memory);

/*
 * Retries what has waited for a translation: to enable a queue, to take requests, and to complete
 * requests. Called with the lock held, whenever the translation hook of the guest's memory may
 * answer otherwise. Afterwards a held vCPU goes on if virtio_device_waiting() is false.
 */
void async_disk_mapped(struct async_disk *disk);

/*
 * Carries out the requests in flight and ends the threads. Call it without the lock, after the last
 * register access.
 */
void async_disk_close(struct async_disk *disk);

#endif
