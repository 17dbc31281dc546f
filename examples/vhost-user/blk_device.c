/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The block device: an image file, a struct virtio_blk, and the glue between queue and library. */
#include "blk_device.h"

#include "event_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ring.h>
#include <virtio/blk.h>
#include <virtio/blk_file.h>

#define QUEUE_SIZE 1024 /* the largest that a front end may choose */
#define SEGMENTS (VIRTIO_BLK_SEGMENTS(QUEUE_SIZE) + 64)

/*
 * Linux puts one segment into a request if it is told nothing. This many, with header and status, make a
 * chain of 128 descriptors, which fits the queues that front ends usually set up.
 */
#define SEG_MAX 126

struct blk_device {
	struct device device;
	int fd;
	struct virtio_blk_file file;
	struct virtio_blk blk;
	struct virtio_blk_stats stats;
	struct virtio_segment segments[SEGMENTS]; /* of the request being served */
	char name[];
};

static struct blk_device *from_device(struct device *device)
{
	return CONTAINER_OF(device, struct blk_device, device);
}

static void set_features(struct device *device, uint64_t features)
{
	struct blk_device *blk = from_device(device);

	virtio_blk_reset(&blk->blk);
	/* Only offered features come here. Should one not be, the disk keeps to write-through, which is safe. */
	(void)!virtio_blk_negotiate(&blk->blk, features);
}

static void read_config(struct device *device, uint32_t offset, void *data, uint32_t len)
{
	virtio_blk_config_read(&from_device(device)->blk, offset, data, len);
}

static int write_config(struct device *device, uint32_t offset, const void *data, uint32_t len)
{
	return virtio_blk_config_write(&from_device(device)->blk, offset, data, len) ? 0 : -1;
}

static int process(struct device *device, uint16_t index, struct virtio_queue *queue, unsigned int budget)
{
	struct blk_device *blk = from_device(device);
	struct virtio_chain chain;
	int got = 0;

	(void)index;
	while (budget-- > 0) {
		got = virtio_queue_pop(queue, &chain);
		if (got <= 0)
			return got;
		got = virtio_blk_process(&blk->blk, queue, &chain, blk->segments, SEGMENTS, &blk->stats);
		if (got < 0)
			return got;
	}
	return 0;
}

static void print_summary(const struct device *device)
{
	const struct blk_device *blk = (const struct blk_device *)(const void *)device;
	const struct virtio_blk_stats *s = &blk->stats;

	printf("%s: %" PRIu64 " requests (in %" PRIu64 ", out %" PRIu64 ", flush %" PRIu64 ", get-id %" PRIu64
	       ", other %" PRIu64 ", failed %" PRIu64 "), %" PRIu64 " bytes read, %" PRIu64 " bytes written, %" PRIu64
	       " faults\n",
	       device->name, s->reads + s->writes + s->flushes + s->ids + s->others, s->reads, s->writes, s->flushes,
	       s->ids, s->others, s->failed + s->unsupported, s->read_bytes, s->written_bytes,
	       s->malformed + device->ring_faults);
}

static void destroy(struct device *device)
{
	struct blk_device *blk = from_device(device);

	close(blk->fd);
	free(blk);
}

static const struct device_ops ops = {
	.set_features = set_features,
	.read_config = read_config,
	.write_config = write_config,
	.process = process,
	.print_summary = print_summary,
	.destroy = destroy,
};

/*
 * VIRTIO_BLK_F_CONFIG_WCE is not offered: front ends ask for the configuration space once, before features
 * are negotiated, and show the guest a cache mode that was not chosen yet.
 */
static int open_disk(struct blk_device *blk, const struct blk_device_options *options)
{
	struct virtio_blk_options disk = {
		.read_only = options->read_only,
		.num_queues = options->queue_count > 1 ? options->queue_count : 0,
		.seg_max = SEG_MAX,
	};
	const size_t serial = strlen(options->serial);
	uint64_t bytes;

	blk->fd = open(options->path, (options->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (blk->fd < 0) {
		fprintf(stderr, "%s: %s\n", options->path, strerror(errno));
		return -1;
	}
	memcpy(disk.id, options->serial, serial < sizeof disk.id ? serial : sizeof disk.id);
	if (virtio_blk_file_size(blk->fd, &bytes)) {
		fprintf(stderr, "%s: not a file or block device\n", options->path);
		return -1;
	}
	disk.capacity = bytes >> VIRTIO_BLK_SECTOR_SHIFT;
	if (virtio_blk_file_backend(&blk->file, blk->fd, &disk.backend) || virtio_blk_init(&blk->blk, &disk)) {
		fprintf(stderr, "%s: can't be a disk\n", options->path);
		return -1;
	}
	return 0;
}

struct device *blk_device_create(const struct blk_device_options *options)
{
	static const char prefix[] = "blk ";
	struct blk_device *blk = calloc(1, sizeof *blk + sizeof prefix + strlen(options->path));

	if (!blk) {
		fprintf(stderr, "%s: out of memory\n", options->path);
		return NULL;
	}
	if (open_disk(blk, options)) {
		if (blk->fd >= 0)
			close(blk->fd);
		free(blk);
		return NULL;
	}
	sprintf(blk->name, "%s%s", prefix, options->path);
	blk->device = (struct device){
		.ops = &ops,
		.name = blk->name,
		.features = virtio_blk_offered(&blk->blk) | UINT64_C(1) << VIRTIO_F_VERSION_1 |
			    UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX | UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC,
		.queue_count = options->queue_count,
		.max_queue_size = QUEUE_SIZE,
	};
	return &blk->device;
}
