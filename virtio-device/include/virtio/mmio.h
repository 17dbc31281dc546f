/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The registers of virtio-mmio, for any device of <virtio/device.h>.
 *
 * A VMM maps VIRTIO_MMIO_WINDOW bytes, or more if the configuration space is larger, at an address
 * of the guest and passes each access that it traps to these two functions. A write to QueueNotify
 * may be taken directly by an ioeventfd that matches the value of the queue's index; then the
 * device is told without the core, in any state, and ignores it for a queue that doesn't run. Under
 * VIRTIO_F_NOTIFICATION_DATA there is no such value.
 *
 * What the guest can do: any access. One of a wrong width, misaligned for a register, to an offset
 * without one, or in the wrong direction reads 0 or does nothing. The configuration space has byte
 * alignment.
 *
 * Threads: both are register accesses, see <virtio/device.h>.
 *
 * virtio 1.4, 4.2
 */
#ifndef VIRTIO_MMIO_H
#define VIRTIO_MMIO_H

#include <virtio/device.h>

VIRTIO_BEGIN_DECLS

#define VIRTIO_MMIO_WINDOW 0x200 /* bytes that a guest expects, as long as its configuration space has 256 or fewer */

/*
 * The guest reads.
 *
 * @offset  in bytes from the start of the window
 * @data    @len bytes of the caller's, all of which are set, in the order in which the guest sees
 *          them
 * @len     width of the access: 4 for registers, 1, 2, 4 or 8 in the configuration space
 */
void virtio_mmio_read(struct virtio_device *device, uint64_t offset, void *data, uint32_t len);

/*
 * The guest writes. As for reads; @data is only read.
 *
 * Returns 0: the guest goes on; VIRTIO_DEVICE_IN_PROGRESS: the device resets, stops a queue, or
 * waits to enable one (virtio_device_queue_mapped()), and the VMM holds the vCPU that wrote as long
 * as virtio_device_waiting() says. It need not be written again.
 */
VIRTIO_MUST_CHECK
int virtio_mmio_write(struct virtio_device *device, uint64_t offset, const void *data, uint32_t len);

VIRTIO_END_DECLS

#endif
