/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The disk. The vCPU's thread puts requests into a list, and a pool of threads carries out the
 * requests.
 */
#include "async_disk.h"

#include <string.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ids.h>
#include <virtio/bindings/virtio_ring.h>

/* Requests */

/* The context of start(). */
struct start_context {
	struct async_disk *disk;
	uint16_t queue;
};

/*
 * Parses a chain into its slot, requests[queue][head], and appends the request to the list. The
 * slot is unused, because no two requests in flight have the same head.
 */
static int start(void *context, struct virtio_chain *chain, uint32_t *written)
{
	const struct start_context *to = context;
	struct async_disk *disk = to->disk;
	struct async_request *request = &disk->requests[to->queue][virtio_token_head(chain->token)];
	const int error = virtio_blk_parse(chain, &request->request);

	(void)written;
	if (error)
		return error;
	request->queue = to->queue;
	request->next = NULL;
	*disk->last = request;
	disk->last = &request->next;
	pthread_cond_signal(&disk->work);
	return VIRTIO_SERVE_KEEP;
}

/*
 * Pops the available requests. start() keeps every request, and this thread holds the lock, so no
 * request completes during the loop. Therefore the loop pops at most as many requests as the queue
 * has entries. After VIRTIO_ENOTMAPPED, async_disk_mapped() pops the remaining requests.
 */
static void pop_all(struct async_disk *disk, uint16_t queue)
{
	struct start_context to = { disk, queue };
	int got;

	do
		got = virtio_device_queues_serve(&disk->device, queue, ASYNC_QUEUE_SIZE, start, &to);
	while (got == 1);
}

static void queue_notify(struct virtio_device *device, uint16_t queue, uint16_t next)
{
	(void)next;
	pop_all(device->context, queue);
}

/*
 * Completes a request. Returns false if the used ring can't be written. The request then stays in
 * flight.
 */
static bool complete(struct async_disk *disk, const struct async_request *request)
{
	const uint16_t queue = request->queue;
	const int error = virtio_blk_complete(&disk->queue[queue], &request->request, &request->result, &disk->stats);

	if (error && error != VIRTIO_ENOTMAPPED)
		virtio_device_set_needs_reset(&disk->device);
	if (virtio_queue_needs_interrupt(&disk->queue[queue]))
		virtio_device_interrupt_used(&disk->device, queue);
	return !error;
}

/*
 * A request whose used ring is not mapped stays in flight, and is completed later. If only such
 * requests are in flight, a stop or a reset discards them. This is safe, because the device no
 * longer uses the memory of these requests, and the driver no longer waits for their completion.
 */
static void give_up_stuck(struct async_disk *disk, uint16_t queue)
{
	struct async_request **at = &disk->stuck;

	if (disk->num_stuck[queue] == 0 || disk->num_stuck[queue] < virtio_queue_in_flight(&disk->queue[queue]))
		return;
	while (*at) {
		if ((*at)->queue == queue)
			*at = (*at)->next;
		else
			at = &(*at)->next;
	}
	disk->num_stuck[queue] = 0;
	virtio_queue_reset(&disk->queue[queue]);
}

/*
 * If a stop or a reset waits for the queue, and no request is in flight, reports to the core that
 * the queue is quiesced.
 */
static void report(struct async_disk *disk, uint16_t queue)
{
	if (virtio_device_stop_number(&disk->device, queue))
		give_up_stuck(disk, queue);
	if (virtio_device_queues_report(&disk->device, queue))
		disk->host.stopped(disk->host.context);
}

/*
 * Called with the lock held. Afterwards the caller must not use `request`. The driver may reuse the
 * head, and the next request with this head overwrites the slot.
 */
static void finish(struct async_disk *disk, struct async_request *request)
{
	const uint16_t queue = request->queue;

	if (!complete(disk, request)) {
		request->next = disk->stuck;
		disk->stuck = request;
		disk->num_stuck[queue]++;
	}
	report(disk, queue);
}

void async_disk_mapped(struct async_disk *disk)
{
	struct async_request *request = disk->stuck;

	disk->stuck = NULL;
	memset(disk->num_stuck, 0, sizeof disk->num_stuck);
	while (request) {
		struct async_request *next = request->next;

		finish(disk, request);
		request = next;
	}
	for (uint16_t i = 0; i < ASYNC_QUEUES; i++) {
		(void)virtio_device_queue_mapped(&disk->device, i);
		pop_all(disk, i);
	}
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
		finish(disk, request);
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

/*
 * While a reset waits for requests in flight, the core calls this function again after each report
 * of a quiesced queue.
 */
static int reset(struct virtio_device *device)
{
	struct async_disk *disk = device->context;
	int result;

	for (uint16_t i = 0; i < ASYNC_QUEUES; i++)
		give_up_stuck(disk, i);
	result = virtio_device_queues_reset(device);
	if (result == 0)
		virtio_blk_reset(&disk->blk);
	return result;
}

static int queue_stop(struct virtio_device *device, uint16_t queue)
{
	give_up_stuck(device->context, queue);
	return virtio_device_queues_stop(device, queue);
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
	.queue_stop = queue_stop,
	.queue_start = virtio_device_queues_start,
	.config_read = config_read,
	.interrupt = interrupt,
};

/* Life cycle */

static int init_requests(struct async_disk *disk)
{
	for (uint32_t i = 0; i < ASYNC_QUEUES * ASYNC_QUEUE_SIZE; i++) {
		struct async_request *request = &disk->requests[i / ASYNC_QUEUE_SIZE][i % ASYNC_QUEUE_SIZE];
		const struct virtio_blk_storage storage = { request->segments, ASYNC_SEGMENTS, request->ranges,
							    ASYNC_RANGES };
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
	struct virtio_blk_options options = { .backend = *backend, .capacity = capacity, .num_queues = ASYNC_QUEUES };
	int error;

	if (backend->ops->discard) {
		options.max_discard_sectors = ASYNC_RANGE_SECTORS;
		options.max_discard_seg = ASYNC_RANGES;
	}
	if (backend->ops->write_zeroes) {
		options.max_write_zeroes_sectors = ASYNC_RANGE_SECTORS;
		options.max_write_zeroes_seg = ASYNC_RANGES;
	}
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
