/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The block device: an image file, a struct virtio_blk, and for each queue a blk_queue and a
 * thread.
 */
#include "blk_queue.h"
#include "device.h"
#include "disk.h"
#include "handover.h"
#include "log.h"
#include "options.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <virtio/blk.h>
#include <virtio/blk_file.h>
#include <virtio/blk_state.h>
#include <virtio/features.h>
#include <virtio/queue.h>

/*
 * Default limits of commands on ranges. The device reports the limits to the driver. Writing zeros
 * may take as long as a write of data, and a stop of the queue waits until the range is written.
 * Discarding only changes tables of the file system, so its limit is higher.
 */
#define MAX_WRITE_ZEROES_BYTES (UINT64_C(64) << 20)
#define MAX_DISCARD_BYTES (UINT64_C(512) << 20) /* for each of 16 ranges; 8 GiB in all */

#define MAX_QUEUES DEVICE_MAX_QUEUES

/*
 * QEMU demands a queue for each of the guest's processors, unless num-queues= of QEMU's device is
 * set.
 */
#define DEFAULT_QUEUES 16

struct blk_device_options {
	struct disk_options disk;
	const char *socket;
	bool io_uring; /* use io_uring if the system permits it */
	uint16_t queue_count;
};

/*
 * A queue of the device. `queue` lives as long as the device. queue_start() sets the other members.
 */
struct blk_slot {
	struct blk_queue *queue;
	/* Readable while io_uring has completions. fd is -1 without io_uring. */
	struct event_source completion;
	struct device_queue *running; /* used by the queue's thread */
};

struct blk_device {
	struct device device;
	int fd;
	const char *path;
	struct virtio_blk_file file;
	struct virtio_blk blk;
	struct blk_slot slots[MAX_QUEUES];
	struct virtio_blk_stats before; /* the counts of earlier processes */
	atomic_bool told_of_ring;       /* a small ring was reported in this session */
	char name[];
};

static struct blk_device *from_device(struct device *device)
{
	return CONTAINER_OF(device, struct blk_device, device);
}

static void reset(struct device *device)
{
	atomic_store(&from_device(device)->told_of_ring, false);
	virtio_blk_reset(&from_device(device)->blk);
}

static int check_features(struct device *device, uint64_t features)
{
	return virtio_blk_negotiate(&from_device(device)->blk, features);
}

static void config_read(struct device *device, uint32_t offset, void *data, uint32_t len)
{
	virtio_blk_config_read(&from_device(device)->blk, offset, data, len);
}

static int config_write(struct device *device, uint32_t offset, const void *data, uint32_t len)
{
	return virtio_blk_config_write(&from_device(device)->blk, offset, data, len) ? 0 : -1;
}

/* If the disk's size can't be read, the device stays unchanged. */
static void refresh(struct device *device)
{
	struct blk_device *blk = from_device(device);
	uint64_t bytes, sectors;

	if (virtio_blk_file_size(blk->fd, &bytes)) {
		log_line("%s: can't read its size", device->name);
		return;
	}
	sectors = disk_sectors(bytes, &blk->blk.options);
	if (sectors == virtio_blk_capacity(&blk->blk) || virtio_blk_set_capacity(&blk->blk, sectors))
		return;
	log_line("%s: %" PRIu64 " sectors now", device->name, sectors);
	device_config_changed(device);
}

static struct blk_slot *find_slot(struct device *device, const struct device_queue *queue)
{
	return &from_device(device)->slots[queue->index];
}

static void on_completion(struct event_source *source)
{
	device_queue_wake(CONTAINER_OF(source, struct blk_slot, completion)->running);
}

/*
 * Prints a message if the driver's requests may need more descriptors than the ring has. This is
 * possible if the driver has no indirect descriptors, and relies on SEG_MAX.
 */
static void check_ring(struct blk_device *blk, const struct device_queue *queue)
{
	const uint32_t size = queue->virtq.size, segments = blk->blk.options.seg_max;

	if (queue->virtq.config.indirect || !(blk->blk.negotiated & virtio_feature_mask(VIRTIO_BLK_F_SEG_MAX)) ||
	    size >= segments + 2 || atomic_exchange(&blk->told_of_ring, true))
		return;
	log_line("%s: queue %u: a ring of %u entries is smaller than the requests that the guest may send "
		 "(set seg-max=%u)",
		 blk->device.name, queue->index, size, size > 2 ? size - 2 : 1);
}

static int queue_start(struct device *device, struct device_queue *queue)
{
	struct blk_slot *slot = find_slot(device, queue);

	check_ring(from_device(device), queue);
	slot->running = queue;
	slot->completion = (struct event_source){
		.fd = slot->queue->ops->completion_fd(slot->queue),
		.ready = on_completion,
	};
	if (slot->completion.fd < 0 || event_loop_add(queue->loop, &slot->completion, EVENT_WHILE_READABLE) == 0)
		return 0;
	log_line("%s: queue %u: %s", device->name, queue->index, strerror(errno));
	return VIRTIO_EIO;
}

static int queue_notify(struct device *device, struct device_queue *queue, unsigned int budget)
{
	struct blk_queue *blk_queue = find_slot(device, queue)->queue;

	return blk_queue->ops->process(blk_queue, &queue->virtq, budget);
}

static void queue_drain(struct device *device, struct device_queue *queue)
{
	struct blk_queue *blk_queue = find_slot(device, queue)->queue;

	blk_queue->ops->drain(blk_queue, &queue->virtq);
}

static void queue_stop(struct device *device, struct device_queue *queue)
{
	struct blk_slot *slot = find_slot(device, queue);

	if (slot->completion.fd >= 0)
		event_loop_remove(queue->loop, &slot->completion);
}

/* The section with the statistics. A program that doesn't know the section skips it. */

#define COUNT(member) VIRTIO_SECTION_VALUE(struct virtio_blk_stats, member)

static const struct virtio_section_field count_fields[] = {
	COUNT(reads),  COUNT(writes),     COUNT(flushes),       COUNT(ids),    COUNT(discards),  COUNT(write_zeroes),
	COUNT(others), COUNT(read_bytes), COUNT(written_bytes), COUNT(failed), COUNT(malformed),
};

static const struct virtio_section_layout counts_layout = {
	.name = "vu-blk.counts",
	.version = 1,
	.skippable = true,
	.fields = count_fields,
	.field_count = sizeof count_fields / sizeof *count_fields,
};

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

/* Returns the statistics of all queues, including the counts of the old processes. */
static struct virtio_blk_stats sum_stats(const struct blk_device *blk)
{
	struct virtio_blk_stats sum = blk->before;

	for (uint16_t i = 0; i < blk->device.queue_count; i++)
		add_stats(&sum, &blk->slots[i].queue->stats);
	return sum;
}

/*
 * Returns whether a flush has failed. The kernel reports lost data to one flush only. Later flushes
 * fail because the back end remembers the loss. The next process would not know of the loss, so the
 * device can't be handed over.
 */
static bool flush_has_failed(struct virtio_blk_file *file)
{
	bool failed;

	(void)pthread_mutex_lock(&file->syncing);
	failed = file->failed;
	(void)pthread_mutex_unlock(&file->syncing);
	return failed;
}

static int save(struct device *device, struct virtio_section_writer *writer, uint32_t number, struct handover *handover)
{
	struct blk_device *blk = from_device(device);
	struct virtio_blk_stats counts;
	struct virtio_blk_state state;

	if (flush_has_failed(&blk->file)) {
		log_line("%s: can't be handed over: a flush of the image has failed, and data may be lost: stop the "
			 "guest and start this program again",
			 device->name);
		return -1;
	}
	virtio_blk_save(&blk->blk, &state);
	virtio_blk_write_state(writer, number, &state);
	counts = sum_stats(blk);
	virtio_section_write(writer, &counts_layout, number, 0, &counts, NULL, 0);
	handover_add(handover, blk->fd, "image %s", blk->path);
	return 0;
}

/*
 * The guest keeps the saved capacity until the next SIGHUP, when the device reads the image's size.
 * After an update the image is the same open file. After a restart the image must have at least as
 * many sectors as the saved capacity.
 */
static int restore(struct device *device, struct virtio_section_reader *reader, uint32_t number, bool anew)
{
	struct blk_device *blk = from_device(device);
	const struct virtio_section_layout *layout = virtio_blk_layout();
	struct virtio_section where;
	struct virtio_blk_stats counts = { 0 };
	struct virtio_blk_state state;
	struct virtio_refusal refusal = { .field = "capacity", .entry = VIRTIO_SECTION_NO_ENTRY };
	int error = virtio_section_read(reader, layout, number, 0, &state, NULL, 0, NULL, &where);

	if (error)
		return error;
	if (anew && state.capacity > virtio_blk_capacity(&blk->blk))
		error = VIRTIO_EINVAL;
	if (!error)
		error = virtio_blk_set_capacity(&blk->blk, state.capacity);
	if (!error)
		error = virtio_blk_check_state(&blk->blk, &state, &refusal);
	if (error)
		return virtio_section_refuse(reader, layout, &where, &refusal, error);
	error = virtio_blk_restore(&blk->blk, &state);
	if (!error && virtio_section_is_next(reader, &counts_layout, number, 0))
		error = virtio_section_read(reader, &counts_layout, number, 0, &counts, NULL, 0, NULL, NULL);
	if (!error && !anew)
		blk->before = counts;
	return error;
}

static void print_summary(const struct device *device)
{
	const struct blk_device *blk = (const struct blk_device *)(const void *)device;
	const struct virtio_blk_stats s = sum_stats(blk);

	printf("%s: %" PRIu64 " requests (in %" PRIu64 ", out %" PRIu64 ", flush %" PRIu64 ", get-id %" PRIu64
	       ", discard %" PRIu64 ", write-zeroes %" PRIu64 ", other %" PRIu64 ", failed %" PRIu64 "), %" PRIu64
	       " bytes read, %" PRIu64 " bytes written, %" PRIu64 " faults\n",
	       device->name, s.reads + s.writes + s.flushes + s.ids + s.discards + s.write_zeroes + s.others, s.reads,
	       s.writes, s.flushes, s.ids, s.discards, s.write_zeroes, s.others, s.failed, s.read_bytes,
	       s.written_bytes, s.malformed + device->ring_faults);
}

static void close_queues(struct blk_device *blk)
{
	for (uint16_t i = 0; i < MAX_QUEUES; i++) {
		struct blk_queue *queue = blk->slots[i].queue;

		if (queue)
			queue->ops->destroy(queue);
		blk->slots[i].queue = NULL;
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
	.reset = reset,
	.check_features = check_features,
	.config_read = config_read,
	.config_write = config_write,
	.refresh = refresh,
	.queue_start = queue_start,
	.queue_notify = queue_notify,
	.queue_drain = queue_drain,
	.queue_stop = queue_stop,
	.save = save,
	.restore = restore,
	.print_summary = print_summary,
	.destroy = destroy,
};

static int fail(const struct blk_device_options *options, const char *why)
{
	fprintf(stderr, "%s: %s\n", options->disk.path, why);
	return -1;
}

/*
 * VIRTIO_BLK_F_CONFIG_WCE is not offered. Front ends read the configuration space only once, before
 * features are negotiated. They would show the guest a cache mode that was not chosen yet. Secure
 * erase is not offered either, because only an attempt shows whether the disk supports it.
 */
static int open_disk(struct blk_device *blk, const struct blk_device_options *options)
{
	struct virtio_blk_options disk = {
		.num_queues = options->queue_count > 1 ? options->queue_count : 0,
		.max_discard_sectors = MAX_DISCARD_BYTES >> VIRTIO_BLK_SECTOR_SHIFT,
		.max_discard_seg = BLK_QUEUE_RANGES,
		.max_write_zeroes_sectors = MAX_WRITE_ZEROES_BYTES >> VIRTIO_BLK_SECTOR_SHIFT,
		.max_write_zeroes_seg = 1,
	};

	struct disk_options image = options->disk;

	image.fd = handover_take(&inherited, "image %s", image.path);
	image.has_fd = image.fd >= 0;
	if (!image.has_fd && inherited.count > 0)
		return fail(options, "can't be taken over: the image was not handed over");
	blk->fd = disk_open(&image, &blk->file, &disk);
	if (blk->fd < 0)
		return -1;
	return virtio_blk_init(&blk->blk, &disk) ? fail(options, "can't be a disk") : 0;
}

static int open_queues(struct blk_device *blk, uint16_t count, bool io_uring)
{
	for (uint16_t i = 0; i < count; i++) {
		blk->slots[i].queue = io_uring ? blk_queue_create_uring(&blk->blk, blk->fd, blk->name)
					       : blk_queue_create(&blk->blk, blk->fd, blk->name);
		if (!blk->slots[i].queue)
			return -1;
	}
	return 0;
}

/* The system may lack io_uring, or forbid it, as containers often do. */
static int choose_queues(struct blk_device *blk, const struct blk_device_options *options)
{
	if (options->io_uring) {
		if (open_queues(blk, options->queue_count, true) == 0)
			return 0;
		fprintf(stderr, "%s: no io_uring (%s): using ordinary system calls\n", options->disk.path,
			strerror(errno));
		close_queues(blk);
	}
	return open_queues(blk, options->queue_count, false) ? fail(options, strerror(errno)) : 0;
}

static struct device *make_device(const struct blk_device_options *options)
{
	static const char prefix[] = "blk ";
	struct blk_device *blk = calloc(1, sizeof *blk + sizeof prefix + strlen(options->disk.path));

	if (!blk) {
		(void)fail(options, "out of memory");
		return NULL;
	}
	sprintf(blk->name, "%s%s", prefix, options->disk.path);
	blk->fd = -1;
	blk->path = options->disk.path;
	if (open_disk(blk, options) || choose_queues(blk, options)) {
		destroy(&blk->device);
		return NULL;
	}
	blk->device = (struct device){
		.ops = &ops,
		.name = blk->name,
		.features = virtio_blk_offered(&blk->blk),
		.config_size = VIRTIO_BLK_CONFIG_BYTES,
		.queue_count = options->queue_count,
		.max_queue_size = VIRTIO_QUEUE_MAX_SIZE,
		.threads = DEVICE_THREAD_PER_QUEUE,
	};
	return &blk->device;
}

/* Command line */

static int parse_aio(const char *how, bool *io_uring)
{
	*io_uring = strcmp(how, "io_uring") == 0;
	if (!*io_uring && strcmp(how, "sync") != 0)
		return option_error(how, "aio is sync or io_uring");
	if (*io_uring && !blk_queue_has_uring())
		return option_error(how, "this program was built without liburing");
	return 0;
}

static int take_option(void *context, const char *name, char *value)
{
	struct blk_device_options *options = context;
	const int taken = disk_option(&options->disk, name, value);
	uint64_t count;

	if (taken)
		return taken < 0 ? -1 : 0;
	if (strcmp(name, "aio") == 0)
		return parse_aio(value, &options->io_uring);
	if (strcmp(name, "queues") == 0) {
		if (option_number(value, 1, MAX_QUEUES, &count))
			return option_error(value, "not a number from 1 to 256");
		options->queue_count = (uint16_t)count;
		return 0;
	}
	if (strcmp(name, "socket") != 0)
		return option_error(name, "unknown option of --blk");
	options->socket = value;
	return 0;
}

static struct device *create(char *spec, const char **socket)
{
	struct blk_device_options options = { .disk.path = spec, .queue_count = DEFAULT_QUEUES };

	if (options_parse(spec, take_option, &options))
		return NULL;
	if (!*spec)
		(void)option_error("--blk", "no image");
	else if (!options.socket || !*options.socket)
		(void)option_error(spec, "no socket=PATH");
	else {
		*socket = options.socket;
		return make_device(&options);
	}
	return NULL;
}

static void print_help(void)
{
	printf("  --blk IMAGE,...  a disk; IMAGE is a file or block device without a comma in its name.\n"
	       "                   The daemon locks IMAGE while it is in use\n"
	       "      socket=PATH    as above\n");
	disk_print_help();
	printf("      queues=N       number of queues, 1 to 256, each with a thread while it runs;\n"
	       "                     by default 16\n"
	       "      aio=HOW        sync, the default: a queue serves one request after the other;\n"
	       "                     io_uring: many at once, and flushes on another thread%s\n",
	       blk_queue_has_uring() ? "" : " (this program was built without it)");
}

const struct device_type blk_device_type = {
	.option = "blk",
	.synopsis = "IMAGE,socket=PATH[,OPTION...]",
	.print_help = print_help,
	.create = create,
};
