/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The block device. */
#include "blk_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ids.h>
#include <virtio/bindings/virtio_ring.h>

/* Register accesses wait for the end of a turn, so the work of each step and turn is bounded. */
#define STEP_BYTES (UINT64_C(256) << 10)
#define TURN_STEPS 16
#define MAX_RANGE_SECTORS 8192 /* limit for each range of a discard or a write of zeroes */

/* Requests */

/*
 * Carries out the next step of the current request, or the first step of the next request. Returns
 * 1; 0 if there is no request; or an error after which the queue can't continue.
 */
static int serve_step(void *context)
{
	struct blk_device *blk = context;
	struct virtio_blk_result result;
	int got;

	if (!blk->serving) {
		got = virtio_blk_pop(&blk->queue, &blk->request);
		if (got != 1)
			return got;
		virtio_blk_steps_begin(&blk->steps, &blk->blk, &blk->request);
		blk->serving = true;
	}
	if (virtio_blk_step(&blk->steps, &blk->blk, &blk->request, STEP_BYTES, &result) == 1)
		return 1;
	blk->serving = false;
	got = virtio_blk_complete(&blk->queue, &blk->request, &result, &blk->stats);
	return got ? got : 1;
}

void blk_run(struct blk_device *blk)
{
	/*
	 * No error needs handling here. VIRTIO_ENOTMAPPED can't occur without a translation, and
	 * after any other error only a reset starts the queue again.
	 */
	if (virtio_device_queues_serve_requests(&blk->device, 0, TURN_STEPS, serve_step, blk) > 0)
		blk->host.again(blk->host.context);
}

/* Operations */

/*
 * The disk learns the features here and not in activate(). The driver may write to the
 * configuration space before activate(), and the features decide which fields are writable.
 */
static int check_features(struct virtio_device *device, const uint32_t features[VIRTIO_FEATURE_WORDS])
{
	struct blk_device *blk = device->context;

	return virtio_blk_negotiate(&blk->blk, virtio_features_to_u64(features));
}

static void queue_notify(struct virtio_device *device, uint16_t queue, uint16_t next)
{
	(void)queue;
	(void)next;
	blk_run(device->context);
}

static int reset(struct virtio_device *device)
{
	struct blk_device *blk = device->context;

	blk->serving = false;
	virtio_blk_reset(&blk->blk);
	return virtio_device_queues_reset(device);
}

static int queue_stop(struct virtio_device *device, uint16_t queue)
{
	struct blk_device *blk = device->context;

	blk->serving = false;
	return virtio_device_queues_stop(device, queue);
}

static void config_read(struct virtio_device *device, uint32_t offset, void *data, uint32_t len)
{
	const struct blk_device *blk = device->context;

	virtio_blk_config_read(&blk->blk, offset, data, len);
}

static void config_write(struct virtio_device *device, uint32_t offset, const void *data, uint32_t len)
{
	struct blk_device *blk = device->context;

	(void)virtio_blk_config_write(&blk->blk, offset, data, len);
}

static void interrupt(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	const struct blk_device *blk = device->context;

	blk->host.interrupt(blk->host.context, cause, queue, level);
}

static const struct virtio_device_ops ops = {
	.check_features = check_features,
	.activate = virtio_device_queues_activate,
	.reset = reset,
	.queue_notify = queue_notify,
	.queue_stop = queue_stop,
	.queue_start = virtio_device_queues_start,
	.config_read = config_read,
	.config_write = config_write,
	.interrupt = interrupt,
};

/* Life cycle */

static int make_device(struct blk_device *blk)
{
	struct virtio_device_options options = {
		.ops = &ops,
		.context = blk,
		.type = VIRTIO_ID_BLOCK,
		.device_queues = &blk->queues,
		.config_size = VIRTIO_BLK_CONFIG_BYTES,
	};
	const struct virtio_blk_storage storage = { blk->segments, BLK_SEGMENTS, blk->ranges, BLK_RANGES };
	const struct virtio_device_queues_storage queues = {
		.registers = blk->registers,
		.queues = &blk->queue,
		.num_queues = 1,
		.inflight = blk->inflight,
		.inflight_entries = BLK_QUEUE_SIZE,
	};

	virtio_features_from_u64(options.features, virtio_blk_offered(&blk->blk));
	virtio_feature_set(options.features, VIRTIO_RING_F_INDIRECT_DESC);
	virtio_feature_set(options.features, VIRTIO_RING_F_EVENT_IDX);
	virtio_feature_set(options.features, VIRTIO_F_RING_RESET);
	blk->registers[0].config.max_size = BLK_QUEUE_SIZE;
	/*
	 * Drivers limit indirect tables only by seg_max, so a table may have more entries than the
	 * ring.
	 */
	blk->registers[0].config.allow_long_indirect = true;
	if (virtio_blk_request_init(&blk->request, &storage))
		return -1;
	if (virtio_device_queues_init(&blk->queues, &queues))
		return -1;
	return virtio_device_init(&blk->device, &options) ? -1 : 0;
}

int blk_open(struct blk_device *blk, const struct disk_options *disk, const struct blk_host *host)
{
	struct virtio_blk_options options = {
		.config_wce = true,
		.max_discard_sectors = MAX_RANGE_SECTORS,
		.max_discard_seg = BLK_RANGES,
		.max_write_zeroes_sectors = MAX_RANGE_SECTORS,
		.max_write_zeroes_seg = 1,
	};

	*blk = (struct blk_device){ .host = *host, .fd = -1 };
	blk->segments = calloc(BLK_SEGMENTS, sizeof *blk->segments);
	if (!blk->segments) {
		fprintf(stderr, "%s: out of memory\n", disk->path);
		return -1;
	}
	blk->fd = disk_open(disk, &blk->file, &options);
	if (blk->fd < 0) {
		blk_close(blk);
		return -1;
	}
	if (virtio_blk_init(&blk->blk, &options) == 0 && make_device(blk) == 0)
		return 0;
	fprintf(stderr, "%s: can't be a disk\n", disk->path);
	blk_close(blk);
	return -1;
}

void blk_close(struct blk_device *blk)
{
	if (blk->fd >= 0)
		close(blk->fd);
	blk->fd = -1;
	free(blk->segments);
	blk->segments = NULL;
}

void blk_set_memory(struct blk_device *blk, const struct virtio_memory_map *memory)
{
	/*
	 * Unpop the current request, so that nothing uses the old map. The request begins again
	 * later.
	 */
	if (blk->serving)
		(void)!virtio_queue_unpop(&blk->queue, blk->request.base.token);
	blk->serving = false;
	(void)!virtio_device_queues_set_memory(&blk->device, memory);
}

int blk_resize(struct blk_device *blk)
{
	uint64_t bytes, sectors;

	if (virtio_blk_file_size(blk->fd, &bytes))
		return -1;
	sectors = disk_sectors(bytes, &blk->blk.options);
	if (sectors == virtio_blk_capacity(&blk->blk))
		return 0;
	if (virtio_blk_set_capacity(&blk->blk, sectors))
		return -1;
	virtio_device_config_changed(&blk->device);
	return 0;
}
