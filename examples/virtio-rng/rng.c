/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The entropy device: one queue, no features and no configuration space of its own. */
#include "rng.h"

#include <sys/random.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ids.h>
#include <virtio/bindings/virtio_ring.h>
#include <virtio/reader.h>

#define BIT(feature) ((uint32_t)1 << (feature) % 32)

/*
 * One buffer, from pop to completion. It is filled, or its beginning is: the driver learns how much from the used
 * length (virtio 1.4, 5.4.6). Returns 1; 0 if there is no buffer; VIRTIO_ENOTMAPPED, and the buffer is where it was; or
 * an error with which the device can't go on.
 */
static int serve_one(struct rng *rng)
{
	struct virtio_chain_segments buffers = { .segments = rng->segments, .capacity = RNG_SEGMENTS };
	struct virtio_writer writer;
	struct virtio_chain chain;
	uint64_t left, len;
	uint8_t random[4096];
	int got = virtio_queue_pop(&rng->queue, &chain);

	if (got <= 0)
		return got;
	got = virtio_chain_resolve(&chain, &buffers);
	if (got == VIRTIO_ENOTMAPPED) {
		(void)!virtio_queue_unpop(&rng->queue, chain.token); /* the last one can be */
		return got;
	}
	/*
	 * After another error there are the buffers before the bad one, or those that fit the array: these are
	 * filled (virtio 1.4, 5.4.6). Of a malformed chain there are none, and it goes back empty.
	 */
	virtio_writer_init(&writer, &buffers);
	len = left = buffers.writable_bytes < RNG_REQUEST_BYTES ? buffers.writable_bytes : RNG_REQUEST_BYTES;
	while (left > 0) {
		const ssize_t bytes = getrandom(random, left < sizeof random ? (size_t)left : sizeof random, 0);

		/* Not even a signal stops it before 256 bytes. */
		if (bytes <= 0)
			return VIRTIO_EIO;
		left -= virtio_writer_write(&writer, random, (size_t)bytes);
	}
	rng->bytes += len;
	got = virtio_queue_complete(&rng->queue, chain.token, (uint32_t)len);
	return got < 0 ? got : 1;
}

void rng_run(struct rng *rng)
{
	int got = 1;

	if (!virtio_device_queues_running(&rng->device, 0))
		return;
	(void)virtio_queue_disable_notification(&rng->queue); /* a hint; what may be wrong the next pop says too */
	for (int turn = 0; got > 0 && turn < RNG_TURN; turn++)
		got = serve_one(rng);
	/* Also after an error: what was completed before it is to be heard of. */
	if (virtio_queue_needs_notification(&rng->queue))
		virtio_device_interrupt_used(&rng->device, 0);
	/* Between the last pop and this the driver may have added a buffer without a notification. */
	if (got == 0)
		got = virtio_queue_enable_notification(&rng->queue);
	if (got > 0 || got == VIRTIO_ENOTMAPPED)
		rng->host.again(rng->host.context);
	else if (got < 0)
		virtio_device_set_needs_reset(&rng->device);
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
	const struct virtio_device_options options = {
		.ops = &ops,
		.context = rng,
		.type = VIRTIO_ID_RNG,
		.features = { BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX),
			      BIT(VIRTIO_F_RING_RESET) },
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

	*rng = (struct rng){ .host = *host, .registers[0].config.max_size = RNG_QUEUE_SIZE };
	error = virtio_device_queues_init(&rng->queues, &storage);
	return error ? error : virtio_device_init(&rng->device, &options);
}

void rng_set_memory(struct rng *rng, const struct virtio_memory_map *memory)
{
	/* Nothing is in flight between two calls, so nothing is left in the old map. */
	(void)virtio_device_queues_set_memory(&rng->device, memory);
}
