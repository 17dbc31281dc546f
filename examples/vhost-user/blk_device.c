/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The block device: an image file, a struct virtio_blk, and a blk_queue for each of its queues. */
#include "blk_device.h"

#include "blk_queue.h"
#include "event_loop.h"
#include "log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ring.h>
#include <virtio/blk.h>
#include <virtio/blk_file.h>
#include <virtio/queue.h>

/*
 * Linux puts one segment into a request if it is told nothing. This many, with header and status, make a
 * chain of 128 descriptors, which fits the queues that front ends usually set up.
 */
#define SEG_MAX 126

/*
 * Whoever stops a queue waits for what is in flight, so no request may be arbitrarily long; a chain can describe 4
 * GiB. What a driver sends that heeds SEG_MAX and SIZE_MAX is within this, and a longer one is an I/O error. Zeros
 * may have to be written, so as many are allowed. Discarding is a matter of the file system's tables, and of its
 * cache.
 */
#define MAX_REQUEST_BYTES (UINT64_C(64) << 20)
#define SIZE_MAX_BYTES (UINT32_C(512) << 10)
#define MAX_DISCARD_BYTES (UINT64_C(512) << 20) /* of one range; 8 GiB in all */

/* How long to try to lock an image: half a second. */
#define LOCK_TRIES 50
#define LOCK_TRY_NS 10000000

static_assert(SEG_MAX * (uint64_t)SIZE_MAX_BYTES <= MAX_REQUEST_BYTES, "what we invite we carry out");

struct blk_device {
	struct device device;
	int fd;
	struct virtio_blk_file file;
	struct virtio_blk blk;
	struct blk_queue *queues[BLK_DEVICE_MAX_QUEUES];
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

/* A disk that can't be asked stays what it is. */
static bool refresh(struct device *device)
{
	struct blk_device *blk = from_device(device);
	uint64_t bytes, sectors;

	if (virtio_blk_file_size(blk->fd, &bytes)) {
		log_line("%s: can't tell its size", device->name);
		return false;
	}
	sectors = bytes >> VIRTIO_BLK_SECTOR_SHIFT;
	if (sectors == virtio_blk_capacity(&blk->blk) || virtio_blk_set_capacity(&blk->blk, sectors))
		return false;
	log_line("%s: %" PRIu64 " sectors now", device->name, sectors);
	return true;
}

static int process(struct device *device, uint16_t index, struct virtio_queue *virtq, unsigned int budget)
{
	struct blk_queue *queue = from_device(device)->queues[index];

	return queue->ops->process(queue, virtq, budget);
}

static void drain(struct device *device, uint16_t index, struct virtio_queue *virtq)
{
	struct blk_queue *queue = from_device(device)->queues[index];

	queue->ops->drain(queue, virtq);
}

static int completion_fd(const struct device *device, uint16_t index)
{
	const struct blk_queue *queue = ((const struct blk_device *)(const void *)device)->queues[index];

	return queue->ops->completion_fd(queue);
}

static void add_stats(struct virtio_blk_stats *sum, const struct virtio_blk_stats *s)
{
	sum->reads += s->reads;
	sum->writes += s->writes;
	sum->flushes += s->flushes;
	sum->ids += s->ids;
	sum->discards += s->discards;
	sum->write_zeroes += s->write_zeroes;
	sum->others += s->others + s->secure_erases;
	sum->read_bytes += s->read_bytes;
	sum->written_bytes += s->written_bytes;
	sum->failed += s->failed + s->unsupported;
	sum->malformed += s->malformed;
}

static void print_summary(const struct device *device)
{
	const struct blk_device *blk = (const struct blk_device *)(const void *)device;
	struct virtio_blk_stats s = { 0 };

	for (uint16_t i = 0; i < device->queue_count; i++)
		add_stats(&s, &blk->queues[i]->stats);
	printf("%s: %" PRIu64 " requests (in %" PRIu64 ", out %" PRIu64 ", flush %" PRIu64 ", get-id %" PRIu64
	       ", discard %" PRIu64 ", write-zeroes %" PRIu64 ", other %" PRIu64 ", failed %" PRIu64 "), %" PRIu64
	       " bytes read, %" PRIu64 " bytes written, %" PRIu64 " faults\n",
	       device->name, s.reads + s.writes + s.flushes + s.ids + s.discards + s.write_zeroes + s.others, s.reads,
	       s.writes, s.flushes, s.ids, s.discards, s.write_zeroes, s.others, s.failed, s.read_bytes,
	       s.written_bytes, s.malformed + device->ring_faults);
}

static void close_queues(struct blk_device *blk)
{
	for (uint16_t i = 0; i < BLK_DEVICE_MAX_QUEUES; i++) {
		if (blk->queues[i])
			blk->queues[i]->ops->destroy(blk->queues[i]);
		blk->queues[i] = NULL;
	}
}

static void destroy(struct device *device)
{
	struct blk_device *blk = from_device(device);

	close_queues(blk);
	if (blk->fd >= 0)
		close(blk->fd);
	free(blk);
}

static const struct device_ops ops = {
	.set_features = set_features,
	.read_config = read_config,
	.write_config = write_config,
	.refresh = refresh,
	.process = process,
	.drain = drain,
	.completion_fd = completion_fd,
	.print_summary = print_summary,
	.destroy = destroy,
};

static int fail(const struct blk_device_options *options, const char *why)
{
	fprintf(stderr, "%s: %s\n", options->path, why);
	return -1;
}

/*
 * The lock belongs to the open file, so it holds between two disks of this process too. A daemon that was killed has
 * its files open a moment longer than it lives, until io_uring has finished with them, and this one may take its
 * place. Where a file system knows no locks there is none.
 */
static int lock_image(int fd, bool read_only)
{
	const struct timespec moment = { .tv_nsec = LOCK_TRY_NS };

	for (unsigned int tries = 0;; tries++) {
		struct flock lock = { .l_type = read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET };

		if (fcntl(fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES))
			return 0;
		if (tries == LOCK_TRIES)
			return -1;
		(void)nanosleep(&moment, NULL);
	}
}

/*
 * Opens the image without waiting, as a pipe would make us do, and then takes what is a file or block device and
 * in nobody else's hands.
 */
static int open_image(struct blk_device *blk, const struct blk_device_options *options, uint64_t *bytes)
{
	blk->fd = open(options->path, (options->read_only ? O_RDONLY : O_RDWR) | O_NONBLOCK | O_CLOEXEC);
	if (blk->fd < 0)
		return fail(options, strerror(errno));
	switch (virtio_blk_file_size(blk->fd, bytes)) {
	case 0:
		break;
	case VIRTIO_EINVAL:
		return fail(options, "not a file or block device");
	default:
		return fail(options, "can't tell its size");
	}
	if (*bytes < VIRTIO_BLK_SECTOR_BYTES)
		return fail(options, "empty: a disk has one sector of 512 bytes at least");
	if (fcntl(blk->fd, F_SETFL, 0))
		return fail(options, strerror(errno));
	if (lock_image(blk->fd, options->read_only))
		return fail(options, "in use by another process");
	return 0;
}

/*
 * VIRTIO_BLK_F_CONFIG_WCE is not offered: front ends ask for the configuration space once, before features
 * are negotiated, and show the guest a cache mode that was not chosen yet. Nor is secure erase: whether a device can do
 * it is known only when it is tried.
 */
static int open_disk(struct blk_device *blk, const struct blk_device_options *options)
{
	struct virtio_blk_options disk = {
		.read_only = options->read_only,
		.num_queues = options->queue_count > 1 ? options->queue_count : 0,
		.seg_max = SEG_MAX,
		.size_max = SIZE_MAX_BYTES,
		.max_request_bytes = MAX_REQUEST_BYTES,
	};
	const size_t serial = strlen(options->serial);
	uint64_t bytes;

	if (open_image(blk, options, &bytes))
		return -1;
	if (!options->read_only) {
		disk.max_discard_sectors = MAX_DISCARD_BYTES >> VIRTIO_BLK_SECTOR_SHIFT;
		disk.max_discard_seg = BLK_QUEUE_RANGES;
		disk.max_write_zeroes_sectors = MAX_REQUEST_BYTES >> VIRTIO_BLK_SECTOR_SHIFT;
		disk.max_write_zeroes_seg = 1;
		disk.write_zeroes_may_unmap = virtio_blk_file_may_unmap(blk->fd);
	}
	memcpy(disk.id, options->serial, serial < sizeof disk.id ? serial : sizeof disk.id);
	disk.capacity = bytes >> VIRTIO_BLK_SECTOR_SHIFT;
	if (virtio_blk_file_backend(&blk->file, blk->fd, &disk.backend) || virtio_blk_init(&blk->blk, &disk))
		return fail(options, "can't be a disk");
	return 0;
}

static int open_queues(struct blk_device *blk, uint16_t count, bool io_uring)
{
	for (uint16_t i = 0; i < count; i++) {
		blk->queues[i] = io_uring ? blk_queue_create_uring(&blk->blk, blk->fd, blk->name)
					  : blk_queue_create(&blk->blk, blk->fd, blk->name);
		if (!blk->queues[i])
			return -1;
	}
	return 0;
}

/* The system may not have io_uring, or not for us: containers often forbid it. */
static int choose_queues(struct blk_device *blk, const struct blk_device_options *options)
{
	if (options->io_uring) {
		if (open_queues(blk, options->queue_count, true) == 0)
			return 0;
		fprintf(stderr, "%s: no io_uring (%s): using ordinary system calls\n", options->path, strerror(errno));
		close_queues(blk);
	}
	return open_queues(blk, options->queue_count, false) ? fail(options, strerror(errno)) : 0;
}

struct device *blk_device_create(const struct blk_device_options *options)
{
	static const char prefix[] = "blk ";
	struct blk_device *blk = calloc(1, sizeof *blk + sizeof prefix + strlen(options->path));

	if (!blk) {
		fprintf(stderr, "%s: out of memory\n", options->path);
		return NULL;
	}
	sprintf(blk->name, "%s%s", prefix, options->path);
	if (open_disk(blk, options) || choose_queues(blk, options)) {
		destroy(&blk->device);
		return NULL;
	}
	blk->device = (struct device){
		.ops = &ops,
		.name = blk->name,
		.features = virtio_blk_offered(&blk->blk) | UINT64_C(1) << VIRTIO_F_VERSION_1 |
			    UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX | UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC,
		.queue_count = options->queue_count,
		.max_queue_size = BLK_QUEUE_SIZE,
	};
	return &blk->device;
}
