/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The devices, and the services that a VMM gives them. */
#include "machine.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <virtio/mmio.h>

/* Callbacks */

static void interrupt(void *context, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	struct machine_slot *slot = context;
	struct machine *machine = slot->machine;

	(void)cause;
	(void)queue;
	irq_line_set(&machine->irq, (unsigned int)(slot - machine->slots), level);
}

static void again(void *context)
{
	struct machine_slot *slot = context;

	event_loop_schedule(slot->machine->loop, &slot->turn);
}

static void run_blk(struct event_task *task)
{
	blk_run(&CONTAINER_OF(task, struct machine_slot, turn)->machine->blk);
}

static void run_rng(struct event_task *task)
{
	rng_run(&CONTAINER_OF(task, struct machine_slot, turn)->machine->rng);
}

/* Registers */

/*
 * Returns the device of an access, and stores the offset from the start of the device's window.
 * Returns NULL if the access does not lie in exactly one window.
 */
static struct virtio_device *find(struct machine *machine, uint32_t offset, uint32_t len, uint32_t *in_window)
{
	const uint32_t window = offset / VIRTIO_MMIO_WINDOW;

	*in_window = offset % VIRTIO_MMIO_WINDOW;
	if (window >= MACHINE_DEVICES || len > VIRTIO_MMIO_WINDOW - *in_window)
		return NULL;
	return machine->slots[window].device;
}

void machine_read(struct machine *machine, uint32_t offset, void *data, uint32_t len)
{
	uint32_t in_window;
	struct virtio_device *device = find(machine, offset, len, &in_window);

	if (device)
		virtio_mmio_read(device, in_window, data, len);
	else
		memset(data, 0xff, len);
}

void machine_write(struct machine *machine, uint32_t offset, const void *data, uint32_t len)
{
	uint32_t in_window;
	struct virtio_device *device = find(machine, offset, len, &in_window);

	/*
	 * Ignore the result. These devices reset and stop at once, and never wait for an address
	 * translation. For a device that returns VIRTIO_DEVICE_IN_PROGRESS, hold back the reply to
	 * QEMU as long as virtio_device_waiting() is true.
	 */
	if (device)
		(void)!virtio_mmio_write(device, in_window, data, len);
}

void machine_reset(struct machine *machine)
{
	for (unsigned int i = 0; i < MACHINE_DEVICES; i++)
		(void)!virtio_device_reset(machine->slots[i].device);
}

void machine_set_memory(struct machine *machine, const struct virtio_memory_map *memory)
{
	blk_set_memory(&machine->blk, memory);
	rng_set_memory(&machine->rng, memory);
	/* The caller unmaps the old memory next, so nothing may use that memory any more. */
	for (unsigned int i = 0; i < MACHINE_DEVICES; i++)
		assert(virtio_device_queues_old_maps_unused(machine->slots[i].device));
}

/* Life cycle */

int machine_open(struct machine *machine, struct event_loop *loop, const struct disk_options *disk)
{
	struct machine_slot *slots = machine->slots;
	const struct blk_host blk_host = { .interrupt = interrupt, .again = again, .context = &slots[0] };
	const struct rng_host rng_host = { .interrupt = interrupt, .again = again, .context = &slots[1] };
	int error;

	*machine = (struct machine){ .loop = loop, .irq = { .port.fd = -1, .timer.fd = -1 } };
	slots[0] = (struct machine_slot){ .machine = machine, .device = &machine->blk.device, .turn.run = run_blk };
	slots[1] = (struct machine_slot){ .machine = machine, .device = &machine->rng.device, .turn.run = run_rng };
	if (blk_open(&machine->blk, disk, &blk_host))
		return -1;
	error = rng_init(&machine->rng, &rng_host, NULL);
	if (!error)
		return 0;
	fprintf(stderr, "the entropy device: %s\n", virtio_strerror(error));
	blk_close(&machine->blk);
	return -1;
}

void machine_close(struct machine *machine)
{
	irq_line_close(&machine->irq);
	blk_close(&machine->blk);
}

static void print_device(const struct virtio_device *device)
{
	printf("  status 0x%02" PRIx32 ", %" PRIu64 " accesses without effect, first error: %s\n",
	       virtio_device_status(device), device->ignored, virtio_strerror(device->first_error));
}

void machine_print(const struct machine *machine)
{
	const struct virtio_blk_stats *s = &machine->blk.stats;

	printf("blk: in %" PRIu64 ", out %" PRIu64 ", flush %" PRIu64 ", get-id %" PRIu64 ", discard %" PRIu64
	       ", write-zeroes %" PRIu64 ", other %" PRIu64 ", failed %" PRIu64 ", malformed %" PRIu64
	       ", bytes read %" PRIu64 ", bytes written %" PRIu64 "\n",
	       s->reads, s->writes, s->flushes, s->ids, s->discards, s->write_zeroes, s->others,
	       s->failed + s->unsupported, s->malformed, s->read_bytes, s->written_bytes);
	print_device(&machine->blk.device);
	printf("rng: bytes %" PRIu64 "\n", machine->rng.bytes);
	print_device(&machine->rng.device);
	printf("irq: raised %" PRIu64 ", bytes sent %" PRIu64 "\n", machine->irq.raised, machine->irq.sent);
}
