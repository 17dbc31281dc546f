/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The devices, and the parts of a VMM that the devices need: register accesses, memory, an
 * interrupt line, and tasks that run the devices' turns.
 *
 * Threads: everything runs on the event loop's thread, so the calls are serialised as
 * <virtio/device.h> demands.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include "../virtio-rng/rng.h"
#include "blk_device.h"
#include "event_loop.h"
#include "irq_line.h"

/*
 * Each device has a window of VIRTIO_MMIO_WINDOW bytes: first the block device, then the entropy
 * device.
 */
#define MACHINE_DEVICES 2

/* A device of the machine, and the context of the device's callbacks. */
struct machine_slot {
	struct machine *machine;
	struct virtio_device *device;
	struct event_task turn;
};

struct machine {
	struct event_loop *loop;
	struct irq_line irq;
	struct blk_device blk;
	struct rng rng;
	struct machine_slot slots[MACHINE_DEVICES];
};

/* Makes the devices. Returns 0, or -1 after printing why not. */
int machine_open(struct machine *machine, struct event_loop *loop, const struct disk_options *disk);

void machine_close(struct machine *machine);

/*
 * Accesses the registers of the devices for the guest.
 *
 * @offset  from the start of the first window
 * @data    @len bytes, 1 to 8, in the order in which the guest sees them
 *
 * If an access does not lie in exactly one window, a read returns all ones, and a write does
 * nothing.
 */
void machine_read(struct machine *machine, uint32_t offset, void *data, uint32_t len);
void machine_write(struct machine *machine, uint32_t offset, const void *data, uint32_t len);

/* Resets all devices. */
void machine_reset(struct machine *machine);

/*
 * Replaces the guest's memory. NULL means that the guest has no memory. When this returns, no
 * device uses the old memory.
 */
void machine_set_memory(struct machine *machine, const struct virtio_memory_map *memory);

/* Prints the devices' statistics on stdout. */
void machine_print(const struct machine *machine);

#endif
