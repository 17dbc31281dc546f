/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The block device: an image file, a struct virtio_blk, and the glue between queue and library. */
#include "blk_device.h"

#include "event_loop.h"
#include "log.h"
#include "vhost_user.h"

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

#define QUEUE_SIZE 1024 /* the largest that a front end may choose */

/* Each buffer of a request may cross from one region of guest memory to the next. */
#define SEGMENTS (2 * VIRTIO_BLK_SEGMENTS(QUEUE_SIZE) + VHOST_USER_MAX_REGIONS)

/*
 * Linux puts one segment into a request if it is told nothing. This many, with header and status, make a
 * chain of 128 descriptors, which fits the queues that front ends usually set up.
 */
#define SEG_MAX 126

/*
 * While one request is carried out all other guests wait, so none may be arbitrarily long; a chain can describe
 * 4 GiB. What a driver sends that heeds SEG_MAX and SIZE_MAX is within this, and a longer one is an I/O error.
 */
#define MAX_REQUEST_BYTES (UINT64_C(64) << 20)
#define SIZE_MAX_BYTES (UINT32_C(512) << 10)

static_assert(SEG_MAX * (uint64_t)SIZE_MAX_BYTES <= MAX_REQUEST_BYTES, "what we invite we carry out");

/* When either is used up the others have their turn. */
#define TURN_BYTES (UINT64_C(8) << 20)
#define TURN_NS INT64_C(5000000)

struct blk_device {
	struct device device;
	int fd;
	struct virtio_blk_file file;
	struct virtio_blk blk;
	struct virtio_blk_stats stats;
	int logged_error; /* of the back end, and its errno: the last that was logged */
	int logged_errno;
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

/* Once for each kind of error: a disk that fails fails often. */
static void log_failure(struct blk_device *blk, int error, int system_error)
{
	if (error == blk->logged_error && system_error == blk->logged_errno)
		return;
	blk->logged_error = error;
	blk->logged_errno = system_error;
	log_line("%s: a request failed: %s%s%s", blk->device.name, virtio_strerror(error), system_error ? ": " : "",
		 system_error ? strerror(system_error) : "");
}

static void execute(struct blk_device *blk, const struct virtio_blk_request *request, struct virtio_blk_result *result)
{
	errno = 0;
	virtio_blk_execute(&blk->blk, request, result);
	if (result->error && !request->error)
		log_failure(blk, result->error, errno);
}

/*
 * What virtio_blk_process() does, and a count of bytes. Memory that isn't mapped at the moment
 * doesn't occur here. Returns 0, or an error by which the queue broke; adds to *bytes what the request was about.
 */
static int serve_chain(struct blk_device *blk, struct virtio_queue *queue, struct virtio_chain *chain, uint64_t *bytes)
{
	const struct virtio_blk_storage storage = { .segments = blk->segments, .segment_capacity = SEGMENTS };
	struct virtio_blk_request request;
	struct virtio_blk_result result;

	if (virtio_blk_parse(chain, &storage, &request)) {
		blk->stats.malformed++;
		return virtio_queue_complete(queue, chain->token, 0);
	}
	execute(blk, &request, &result);
	*bytes += request.in.bytes + request.out.bytes;
	return virtio_queue_complete(queue, request.token, virtio_blk_finish(&request, &result, &blk->stats));
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int process(struct device *device, uint16_t index, struct virtio_queue *queue, unsigned int budget)
{
	struct blk_device *blk = from_device(device);
	const int64_t begin = now_ns();
	struct virtio_chain chain;
	uint64_t bytes = 0;
	int got;

	(void)index;
	do {
		got = virtio_queue_pop(queue, &chain);
		if (got <= 0)
			return got;
		got = serve_chain(blk, queue, &chain, &bytes);
		if (got < 0)
			return got;
	} while (--budget > 0 && bytes < TURN_BYTES && now_ns() - begin < TURN_NS);
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

static int fail(const struct blk_device_options *options, const char *why)
{
	fprintf(stderr, "%s: %s\n", options->path, why);
	return -1;
}

/*
 * Opens the image without waiting, as a pipe would make us do, and then takes what is a file or block device and
 * in nobody else's hands. The lock belongs to the open file, so it holds between two disks of this process too.
 * Where a file system knows no locks there is none.
 */
static int open_image(struct blk_device *blk, const struct blk_device_options *options, uint64_t *bytes)
{
	struct flock lock = { .l_type = options->read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET };

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
	if (fcntl(blk->fd, F_OFD_SETLK, &lock) && (errno == EAGAIN || errno == EACCES))
		return fail(options, "in use by another process");
	return 0;
}

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
		.size_max = SIZE_MAX_BYTES,
		.max_request_bytes = MAX_REQUEST_BYTES,
	};
	const size_t serial = strlen(options->serial);
	uint64_t bytes;

	if (open_image(blk, options, &bytes))
		return -1;
	memcpy(disk.id, options->serial, serial < sizeof disk.id ? serial : sizeof disk.id);
	disk.capacity = bytes >> VIRTIO_BLK_SECTOR_SHIFT;
	if (virtio_blk_file_backend(&blk->file, blk->fd, &disk.backend) || virtio_blk_init(&blk->blk, &disk))
		return fail(options, "can't be a disk");
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
