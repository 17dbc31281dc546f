/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The entropy device: random bytes for the guest, from the kernel or from a file. A small example
 * for a new device: one thread, and input that arrives at any time.
 *
 * What the guest can do: make requests for any number of bytes, without end. One request gets at
 * most REQUEST_BYTES, and one turn serves at most TURN requests. A request gets the bytes that the
 * source has at that time, at least one byte. A request for which there is no byte stays in the
 * ring. So nothing is in flight between two turns, and queue_drain() has nothing to do.
 *
 * virtio 1.4, 5.4
 */
#include "device.h"
#include "log.h"
#include "options.h"
#include "vhost_user.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <virtio/reader.h>
#include <virtio/serve.h>

#define SEGMENTS 512
#define REQUEST_BYTES 65536u /* most bytes per request; the rest of its buffers stays unchanged */
#define TURN 16

struct rng_counts {
	uint64_t requests, given, malformed;
};

struct rng_device {
	struct device device;
	const char *source_path;      /* NULL for the kernel's bytes */
	struct event_source source;   /* fd is -1 without source_path */
	bool source_ended;            /* the end of the source was reported; cleared by SIGHUP */
	struct event_loop *loop;      /* valid between open() and close() */
	struct device_queue *running; /* NULL while the queue is stopped */
	uint8_t bytes[4096];          /* random bytes not used yet: from `first` to `end` */
	size_t first, end;
	struct virtio_segment segments[SEGMENTS];
	struct rng_counts counts;
	char name[];
};

static struct rng_device *from_device(struct device *device)
{
	return CONTAINER_OF(device, struct rng_device, device);
}

/* The source */

static void on_readable(struct event_source *source)
{
	struct rng_device *rng = CONTAINER_OF(source, struct rng_device, source);

	(void)event_loop_want(rng->loop, source, 0);
	if (rng->running)
		device_queue_wake(rng->running);
}

static void end_source(struct rng_device *rng, const char *why)
{
	log_line("%s: %s: %s", rng->device.name, rng->source_path, why);
	rng->source_ended = true;
}

/* A read that a signal has interrupted is tried again when the source is readable. */
static ssize_t read_source(struct rng_device *rng)
{
	ssize_t got;

	if (rng->source_ended)
		return 0;
	got = read(rng->source.fd, rng->bytes, sizeof rng->bytes);
	if (got == 0) {
		end_source(rng, "has ended");
	} else if (got < 0) {
		if (errno != EAGAIN && errno != EINTR)
			end_source(rng, strerror(errno));
		else if (event_loop_want(rng->loop, &rng->source, EVENT_READABLE))
			end_source(rng, strerror(errno));
	}
	return got;
}

/*
 * Reads the kernel's generator, which does not wait once it is initialised. A signal may interrupt
 * a call for more than 256 bytes, so the call is repeated.
 */
static ssize_t read_kernel(struct rng_device *rng)
{
	ssize_t got;

	do
		got = getrandom(rng->bytes, sizeof rng->bytes, 0);
	while (got < 0 && errno == EINTR);
	return got;
}

/*
 * Returns whether there is a byte, after reading the source if necessary. If the source may have
 * bytes later, the queue is woken when bytes arrive.
 */
static bool has_bytes(struct rng_device *rng)
{
	ssize_t got;

	if (rng->first < rng->end)
		return true;
	got = rng->source_path ? read_source(rng) : read_kernel(rng);
	rng->first = 0;
	rng->end = got > 0 ? (size_t)got : 0;
	return rng->end > 0;
}

static void refresh(struct device *device)
{
	struct rng_device *rng = from_device(device);

	rng->source_ended = false;
	if (rng->running)
		device_queue_wake(rng->running);
}

/* Requests */

/*
 * Fills the buffers of one request with the bytes that the source has now, at least one byte. See
 * <virtio/serve.h>. If a buffer is outside of guest memory, only the buffers before it are filled.
 * If the chain has more than SEGMENTS segments, only the buffers that fit are filled (virtio 1.4,
 * 5.4.6). In a malformed chain no buffer is filled, and the chain is completed with length 0.
 */
static int serve_one(void *context, struct virtio_chain *chain, uint32_t *written)
{
	struct rng_device *rng = context;
	struct virtio_chain_segments buffers = { .segments = rng->segments, .capacity = SEGMENTS };
	struct virtio_writer writer;
	uint64_t left;

	if (!has_bytes(rng))
		return VIRTIO_SERVE_LATER;
	(void)!virtio_chain_resolve(chain, &buffers);
	virtio_writer_init(&writer, &buffers);
	left = buffers.writable_bytes < REQUEST_BYTES ? buffers.writable_bytes : REQUEST_BYTES;
	rng->counts.malformed += left == 0;
	while (left > 0 && has_bytes(rng)) {
		const size_t have = rng->end - rng->first;
		const size_t put =
			virtio_writer_write(&writer, rng->bytes + rng->first, have < left ? have : (size_t)left);

		rng->first += put;
		left -= put;
	}
	rng->counts.requests++;
	rng->counts.given += virtio_writer_used(&writer);
	*written = virtio_writer_used(&writer);
	return 0;
}

static int queue_notify(struct device *device, struct device_queue *queue, unsigned int budget)
{
	const int got = virtio_queue_serve(&queue->virtq, budget < TURN ? budget : TURN, serve_one, from_device(device),
					   &queue->signal);

	if (got == VIRTIO_SERVE_LATER)
		return DEVICE_TURN_WAIT;
	return got == 1 ? DEVICE_TURN_AGAIN : got < 0 ? got : DEVICE_TURN_DONE;
}

static int queue_start(struct device *device, struct device_queue *queue)
{
	from_device(device)->running = queue;
	return 0;
}

static void queue_stop(struct device *device, struct device_queue *queue)
{
	struct rng_device *rng = from_device(device);

	(void)queue;
	rng->running = NULL;
	if (rng->source.fd >= 0)
		(void)event_loop_want(rng->loop, &rng->source, 0);
}

/* Life cycle */

static int open_loop(struct device *device, struct event_loop *loop)
{
	from_device(device)->loop = loop;
	return 0;
}

static void print_summary(const struct device *device)
{
	const struct rng_device *rng = (const struct rng_device *)(const void *)device;

	printf("%s: %" PRIu64 " requests, %" PRIu64 " bytes, %" PRIu64 " faults\n", device->name, rng->counts.requests,
	       rng->counts.given, rng->counts.malformed + device->ring_faults);
}

static void destroy(struct device *device)
{
	struct rng_device *rng = from_device(device);

	if (rng->source.fd >= 0)
		close(rng->source.fd);
	free(rng);
}

static const struct virtio_section_field count_fields[] = {
	VIRTIO_SECTION_VALUE(struct rng_counts, requests),
	VIRTIO_SECTION_VALUE(struct rng_counts, given),
	VIRTIO_SECTION_VALUE(struct rng_counts, malformed),
};

static const struct virtio_section_layout counts_layout = {
	.name = "vu-rng.counts",
	.version = 1,
	.skippable = true,
	.fields = count_fields,
	.field_count = sizeof count_fields / sizeof *count_fields,
};

/*
 * Nothing is in flight, and the new process reads other bytes from the source. So only statistics
 * are saved.
 */
static int save(struct device *device, struct virtio_section_writer *writer, uint32_t number, struct handover *handover)
{
	(void)handover;
	virtio_section_write(writer, &counts_layout, number, 0, &from_device(device)->counts, NULL, 0);
	return 0;
}

static int restore(struct device *device, struct virtio_section_reader *reader, uint32_t number, bool anew)
{
	struct rng_counts counts = { 0 };
	int error = 0;

	if (virtio_section_is_next(reader, &counts_layout, number, 0))
		error = virtio_section_read(reader, &counts_layout, number, 0, &counts, NULL, 0, NULL, NULL);
	if (!error && !anew)
		from_device(device)->counts = counts;
	return error;
}

static const struct device_ops ops = {
	.open = open_loop,
	.refresh = refresh,
	.queue_start = queue_start,
	.queue_notify = queue_notify,
	.queue_stop = queue_stop,
	.save = save,
	.restore = restore,
	.print_summary = print_summary,
	.destroy = destroy,
};

struct rng_options {
	const char *source, *socket;
};

static int fail(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	return -1;
}

/*
 * A pipe is opened for writing, too. Otherwise the source would end when the pipe's writer leaves.
 */
static int open_source(struct rng_device *rng)
{
	const char *path = rng->source_path;
	struct stat st;

	if (stat(path, &st))
		return fail(path, strerror(errno));
	if (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
		return fail(path, "neither a pipe nor a character device");
	rng->source.fd = open(path, (S_ISFIFO(st.st_mode) ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return rng->source.fd < 0 ? fail(path, strerror(errno)) : 0;
}

static struct device *make_device(const struct rng_options *options)
{
	static const char prefix[] = "rng ";
	struct rng_device *rng = calloc(1, sizeof *rng + sizeof prefix + strlen(options->socket));

	if (!rng) {
		(void)fail("--rng", "out of memory");
		return NULL;
	}
	sprintf(rng->name, "%s%s", prefix, options->socket);
	rng->source = (struct event_source){ .fd = -1, .ready = on_readable };
	rng->source_path = options->source;
	rng->device = (struct device){
		.ops = &ops,
		.name = rng->name,
		.queue_count = 1,
		.max_queue_size = VIRTIO_QUEUE_MAX_SIZE,
		.threads = DEVICE_ONE_THREAD,
	};
	if (!rng->source_path || open_source(rng) == 0)
		return &rng->device;
	destroy(&rng->device);
	return NULL;
}

static int take_option(void *context, const char *name, char *value)
{
	struct rng_options *options = context;

	if (strcmp(name, "socket") == 0)
		options->socket = value;
	else if (strcmp(name, "source") == 0)
		options->source = value;
	else
		return option_error(name, "unknown option of --rng");
	return 0;
}

static struct device *create(char *spec, const char **socket)
{
	struct rng_options options = { .source = NULL };

	if (options_parse_pairs(spec, take_option, &options))
		return NULL;
	if (!options.socket || !*options.socket) {
		(void)option_error("--rng", "no socket=PATH");
		return NULL;
	}
	*socket = options.socket;
	return make_device(&options);
}

static void print_help(void)
{
	fputs("  --rng ...        a source of random bytes\n"
	      "      socket=PATH    as above\n"
	      "      source=PATH    a character device or named pipe to take the bytes from. By\n"
	      "                     default they come from the kernel. A source that has ended is\n"
	      "                     read again after SIGHUP\n",
	      stdout);
}

const struct device_type rng_device_type = {
	.option = "rng",
	.synopsis = "socket=PATH[,source=PATH]",
	.print_help = print_help,
	.create = create,
};
