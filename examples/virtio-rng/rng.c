/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The entropy device: one queue, no features and no configuration space of its own. */
#include "rng.h"

#include <errno.h>
#include <sys/random.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ids.h>
#include <virtio/bindings/virtio_ring.h>
#include <virtio/reader.h>

/*
 * Fills the buffers of a chain, with at most RNG_REQUEST_BYTES. The used length tells the driver
 * how many bytes are random (virtio 1.4, 5.4.6).
 */
static int serve(void *context, struct virtio_chain *chain, uint32_t *written)
{
	struct rng *rng = context;
	struct virtio_chain_segments buffers = { .segments = rng->segments, .capacity = RNG_SEGMENTS };
	struct virtio_writer writer;
	uint8_t random[4096];
	uint64_t left, len;

	if (virtio_chain_resolve(chain, &buffers) == VIRTIO_ENOTMAPPED)
		return VIRTIO_ENOTMAPPED;
	/*
	 * After any other error, fill the buffers before the bad buffer, or the buffers that fit
	 * the array. In a malformed chain no buffer is filled.
	 */
	virtio_writer_init(&writer, &buffers);
	len = left = buffers.writable_bytes < RNG_REQUEST_BYTES ? buffers.writable_bytes : RNG_REQUEST_BYTES;
	while (left > 0) {
		const ssize_t bytes = getrandom(random, left < sizeof random ? (size_t)left : sizeof random, 0);

		/* A signal may interrupt a call for more than 256 bytes. */
		if (bytes < 0 && errno == EINTR)
			continue;
		if (bytes <= 0) {
			virtio_device_set_needs_reset(&rng->device);
			break;
		}
		left -= virtio_writer_write(&writer, random, (size_t)bytes);
	}
	*written = (uint32_t)(len - left);
	rng->bytes += *written;
	return 0;
}

void rng_run(struct rng *rng)
{
	const int got = virtio_device_queues_serve(&rng->device, 0, RNG_TURN, serve, rng);

	if (got > 0 || got == VIRTIO_ENOTMAPPED)
		rng->host.again(rng->host.context);
}

static void queue_notify(struct virtio_device *device, uint16_t queue, uint16_t next)
{
	(void)queue;
	(void)next;
	rng_run(device->context);
}

static void interrupt(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	const struct rng *rng = device->context;

	rng->host.interrupt(rng->host.context, cause, queue, level);
}

int rng_init(struct rng *rng, const struct rng_host *host, const struct virtio_memory_map *memory)
{
	static const struct virtio_device_ops ops = {
		.activate = virtio_device_queues_activate,
		.reset = virtio_device_queues_reset,
		.queue_notify = queue_notify,
		.queue_stop = virtio_device_queues_stop,
		.queue_start = virtio_device_queues_start,
		.interrupt = interrupt,
	};
	struct virtio_device_options options = {
		.ops = &ops,
		.context = rng,
		.type = VIRTIO_ID_RNG,
		.device_queues = &rng->queues,
		.memory = memory,
	};
	const struct virtio_device_queues_storage storage = {
		.registers = rng->registers,
		.queues = &rng->queue,
		.num_queues = 1,
		.inflight = rng->inflight,
		.inflight_entries = RNG_QUEUE_SIZE,
	};
	int error;

	virtio_feature_set(options.features, VIRTIO_RING_F_INDIRECT_DESC);
	virtio_feature_set(options.features, VIRTIO_RING_F_EVENT_IDX);
	virtio_feature_set(options.features, VIRTIO_F_RING_RESET);
	*rng = (struct rng){ .host = *host, .registers[0].config.max_size = RNG_QUEUE_SIZE };
	error = virtio_device_queues_init(&rng->queues, &storage);
	return error ? error : virtio_device_init(&rng->device, &options);
}

void rng_set_memory(struct rng *rng, const struct virtio_memory_map *memory)
{
	/*
	 * Ignore the result. Nothing is in flight between two calls, so nothing uses the old map.
	 */
	(void)!virtio_device_queues_set_memory(&rng->device, memory);
}
