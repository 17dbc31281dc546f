/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The disk: a list of requests that the vCPU's thread fills and a pool of threads empties. */
#include "async_disk.h"

#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ids.h>
#include <virtio/bindings/virtio_ring.h>

/* Requests */

/*
 * Pops one request from a queue into the list. Returns 1; 0 if there is none; or why the queue
 * cannot go on.
 */
static int take(struct async_disk *disk, uint16_t queue)
{
	struct async_request *request;
	struct virtio_chain chain;
	int got = virtio_queue_pop(&disk->queue[queue], &chain);

	if (got != 1)
		return got;
	/* No two requests in flight have the same head, so the place is free. */
	request = &disk->requests[queue][virtio_token_head(chain.token)];
	got = virtio_blk_parse(&chain, &request->request);
	if (got) {
		/*
		 * The only error is VIRTIO_ENOTMAPPED, which needs a vIOMMU. With one, the device
		 * would retry later.
		 */
		(void)!virtio_queue_unpop(&disk->queue[queue], chain.token);
		return got;
	}
	request->queue = queue;
	request->next = NULL;
	*disk->last = request;
	disk->last = &request->next;
	pthread_cond_signal(&disk->work);
	return 1;
}

/*
 * This loop ends: nothing completes while the lock is held, so it pops at most all entries of the
 * queue.
 */
static void queue_notify(struct virtio_device *device, uint16_t queue, uint16_t next)
{
	struct async_disk *disk = device->context;
	int got = 1;

	(void)next;
	while (got == 1 && virtio_device_queues_running(device, queue)) {
		got = take(disk, queue);
		if (got == 0)
			got = virtio_queue_enable_kicks(&disk->queue[queue]);
	}
	if (got < 0)
		virtio_device_set_needs_reset(device);
}

/*
 * Called with the lock held. After the completion, the driver may reuse the head, and so the
 * request's slot.
 */
static void complete(struct async_disk *disk, const struct async_request *request)
{
	const uint16_t queue = request->queue;

	if (virtio_blk_complete(&disk->queue[queue], &request->request, &request->result, &disk->stats))
		virtio_device_set_needs_reset(&disk->device);
	if (virtio_queue_needs_interrupt(&disk->queue[queue]))
		virtio_device_interrupt_used(&disk->device, queue);
	/* Set if this was the last request that a stop or a reset waits for. */
	if (virtio_device_queues_report(&disk->device, queue))
		disk->host.stopped(disk->host.context);
}

static void *run(void *context)
{
	struct async_disk *disk = context;

	pthread_mutex_lock(disk->host.lock);
	for (;;) {
		struct async_request *request = disk->first;

		if (!request && disk->ending)
			break;
		if (!request) {
			pthread_cond_wait(&disk->work, disk->host.lock);
			continue;
		}
		disk->first = request->next;
		if (!disk->first)
			disk->last = &disk->first;
		pthread_mutex_unlock(disk->host.lock);
		virtio_blk_execute(&disk->blk, &request->request, &request->result);
		pthread_mutex_lock(disk->host.lock);
		complete(disk, request);
	}
	pthread_mutex_unlock(disk->host.lock);
	return NULL;
}

/* Operations */

static int check_features(struct virtio_device *device, const uint32_t features[VIRTIO_FEATURE_WORDS])
{
	struct async_disk *disk = device->context;

	return virtio_blk_negotiate(&disk->blk, virtio_features_to_u64(features));
}

/* Called again after each completion, until no thread uses the disk any more. */
static int reset(struct virtio_device *device)
{
	struct async_disk *disk = device->context;
	const int result = virtio_device_queues_reset(device);

	if (result == 0)
		virtio_blk_reset(&disk->blk);
	return result;
}

static void config_read(struct virtio_device *device, uint32_t offset, void *data, uint32_t len)
{
	const struct async_disk *disk = device->context;

	virtio_blk_config_read(&disk->blk, offset, data, len);
}

static void interrupt(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	const struct async_disk *disk = device->context;

	disk->host.interrupt(disk->host.context, cause, queue, level);
}

static const struct virtio_device_ops ops = {
	.check_features = check_features,
	.activate = virtio_device_queues_activate,
	.reset = reset,
	.queue_notify = queue_notify,
	.queue_stop = virtio_device_queues_stop,
	.queue_start = virtio_device_queues_start,
	.config_read = config_read,
	.interrupt = interrupt,
};

/* Life cycle */

static int init_requests(struct async_disk *disk)
{
	for (uint32_t i = 0; i < ASYNC_QUEUES * ASYNC_QUEUE_SIZE; i++) {
		struct async_request *request = &disk->requests[i / ASYNC_QUEUE_SIZE][i % ASYNC_QUEUE_SIZE];
		const struct virtio_blk_storage storage = { .segments = request->segments,
							    .segment_capacity = ASYNC_SEGMENTS };
		const int error = virtio_blk_request_init(&request->request, &storage);

		if (error)
			return error;
	}
	return 0;
}

static int init_device(struct async_disk *disk, const struct virtio_memory_map *memory)
{
	const struct virtio_device_queues_storage storage = {
		.registers = disk->registers,
		.queues = disk->queue,
		.num_queues = ASYNC_QUEUES,
		.inflight = disk->inflight,
		.inflight_entries = ASYNC_QUEUES * ASYNC_QUEUE_SIZE,
		.asynchronous = true,
	};
	struct virtio_device_options options = {
		.ops = &ops,
		.context = disk,
		.type = VIRTIO_ID_BLOCK,
		.device_queues = &disk->queues,
		.config_size = VIRTIO_BLK_CONFIG_BYTES,
		.memory = memory,
	};
	int error;

	virtio_features_from_u64(options.features, virtio_blk_offered(&disk->blk));
	virtio_feature_set(options.features, VIRTIO_RING_F_INDIRECT_DESC);
	virtio_feature_set(options.features, VIRTIO_RING_F_EVENT_IDX);
	virtio_feature_set(options.features, VIRTIO_F_RING_RESET);
	for (uint32_t i = 0; i < ASYNC_QUEUES; i++)
		disk->registers[i].config.max_size = ASYNC_QUEUE_SIZE;
	error = virtio_device_queues_init(&disk->queues, &storage);
	return error ? error : virtio_device_init(&disk->device, &options);
}

int async_disk_init(struct async_disk *disk, const struct virtio_blk_backend *backend, uint64_t capacity,
		    const struct async_host *host, const struct virtio_memory_map *memory)
{
	const struct virtio_blk_options options = { .backend = *backend,
						    .capacity = capacity,
						    .num_queues = ASYNC_QUEUES };
	int error;

	*disk = (struct async_disk){ .host = *host, .last = &disk->first };
	error = virtio_blk_init(&disk->blk, &options);
	if (!error)
		error = init_requests(disk);
	if (!error)
		error = init_device(disk, memory);
	if (error)
		return error;
	if (pthread_cond_init(&disk->work, NULL))
		return VIRTIO_EIO;
	while (disk->num_threads < ASYNC_THREADS) {
		if (pthread_create(&disk->threads[disk->num_threads], NULL, run, disk)) {
			async_disk_close(disk);
			return VIRTIO_EIO;
		}
		disk->num_threads++;
	}
	return 0;
}

void async_disk_close(struct async_disk *disk)
{
	pthread_mutex_lock(disk->host.lock);
	disk->ending = true;
	pthread_cond_broadcast(&disk->work);
	pthread_mutex_unlock(disk->host.lock);
	for (uint32_t i = 0; i < disk->num_threads; i++)
		pthread_join(disk->threads[i], NULL);
	pthread_cond_destroy(&disk->work);
}
