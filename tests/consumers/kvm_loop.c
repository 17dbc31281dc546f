/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A user of the suite: a VMM in the style of KVM. Guest memory is a few slots with dirty bitmaps.
 * The device's thread sleeps on an eventfd, and an interrupt is a write to another eventfd.
 */
#include <virtio/queue.h>
#include <virtio/reader.h>

#include "consumers.h"

#define QUEUE_SIZE 256
#define SEGMENTS 128

struct kvm_slot {
	uint64_t gpa;
	uint64_t size;
	void *userspace_addr;
	struct virtio_dirty_log log;
};

struct vmm {
	struct virtio_region regions[8];
	struct virtio_memory_map memory;
};

struct echo_device {
	struct virtio_queue queue;
	struct virtio_inflight inflight[QUEUE_SIZE];
	struct virtio_segment segments[SEGMENTS];
	void (*interrupt)(void *vm);
	void *vm;
};

/* The map points to the dirty logs of the slots, so the slots must live as long as the map. */
int vmm_set_memory(struct vmm *vmm, const struct kvm_slot *slots, uint32_t count)
{
	if (count > sizeof vmm->regions / sizeof vmm->regions[0])
		return VIRTIO_ENOBUFS;
	for (uint32_t i = 0; i < count; i++) {
		vmm->regions[i].addr = slots[i].gpa;
		vmm->regions[i].len = slots[i].size;
		vmm->regions[i].host = slots[i].userspace_addr;
		vmm->regions[i].flags = 0;
		vmm->regions[i].dirty = slots[i].log.bitmap ? &slots[i].log : NULL;
	}
	return virtio_memory_map_init(&vmm->memory, vmm->regions, count);
}

/* Called once, when the machine is made. */
int echo_init(struct echo_device *dev, void (*interrupt)(void *vm), void *vm)
{
	dev->interrupt = interrupt;
	dev->vm = vm;
	return virtio_queue_init(&dev->queue, dev->inflight, sizeof dev->inflight / sizeof dev->inflight[0]);
}

/* The transport has filled config from the driver's register writes. */
int echo_activate(struct echo_device *dev, const struct vmm *vmm, const struct virtio_queue_config *config)
{
	return virtio_queue_start(&dev->queue, config, &vmm->memory);
}

/*
 * Called when the driver has written 0 to the status. The device's thread sleeps, so nothing is in
 * flight.
 */
void echo_reset(struct echo_device *dev)
{
	virtio_queue_reset(&dev->queue);
}

/* Copies readable bytes until no readable byte or no writable byte is left. */
static uint32_t echo(struct echo_device *dev, struct virtio_chain *chain)
{
	struct virtio_chain_segments c = { .segments = dev->segments, .capacity = SEGMENTS };
	struct virtio_reader in;
	struct virtio_writer out;
	uint8_t bounce[512];
	size_t n;

	if (virtio_chain_resolve(chain, &c) != 0)
		return 0;
	virtio_reader_init(&in, &c);
	virtio_writer_init(&out, &c);
	while (virtio_writer_left(&out) > 0 && (n = virtio_reader_read(&in, bounce, sizeof bounce)) > 0)
		virtio_writer_write(&out, bounce, n);
	return virtio_writer_used(&out);
}

/*
 * Runs on the device's thread each time the driver has kicked. Returns one of
 *   0      the thread may sleep
 *   1      more requests are available: check whether the thread must stop, then call again
 *   error  the device needs a reset
 */
int echo_kicked(struct echo_device *dev)
{
	struct virtio_chain chain;
	int got = virtio_queue_available(&dev->queue);

	for (int left = got; left > 0 && (got = virtio_queue_pop(&dev->queue, &chain)) == 1; left--) {
		uint32_t written = echo(dev, &chain);

		/* The token was just popped, so this can't fail. */
		(void)virtio_queue_complete(&dev->queue, chain.token, written);
	}
	if (virtio_queue_needs_interrupt(&dev->queue))
		dev->interrupt(dev->vm);
	return got < 0 ? got : virtio_queue_enable_kicks(&dev->queue);
}
