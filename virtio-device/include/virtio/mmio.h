/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The registers of virtio-mmio, for any device of <virtio/device.h>.
 *
 * A VMM reserves VIRTIO_MMIO_WINDOW bytes of guest-physical addresses, or more for a larger
 * configuration space. The VMM traps each access there, and calls virtio_mmio_read() or
 * virtio_mmio_write().
 *
 * An ioeventfd that matches a queue's index may handle writes to QueueNotify. The core does not see
 * such a kick, which can arrive in any state. The device must ignore a kick for a queue that does
 * not run. Under VIRTIO_F_NOTIFICATION_DATA no ioeventfd can match, because the value varies.
 *
 * What the guest can do: any access. An access is invalid if its width or direction is wrong, or if
 * the offset is misaligned or has no register. An invalid read returns 0, and an invalid write does
 * nothing. The configuration space may be accessed at any byte.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     another register access of the same device, see
 *                                        <virtio/device.h>
 *
 * virtio 1.4, 4.2
 */
#ifndef VIRTIO_MMIO_H
#define VIRTIO_MMIO_H

#include <virtio/device.h>

VIRTIO_BEGIN_DECLS

#define VIRTIO_MMIO_WINDOW 0x200 /* bytes; enough for a configuration space of 256 bytes */

/*
 * Handles a read of the guest.
 *
 * @offset  in bytes from the start of the window
 * @data    the caller's, len bytes; all are set, in little-endian order
 * @len     width of the access: 4 for registers; 1, 2, 4 or 8 in the configuration space
 */
void virtio_mmio_read(struct virtio_device *device, uint64_t offset, void *data, uint32_t len);

/*
 * Handles a write of the guest. The parameters are as for virtio_mmio_read(); `data` is only read.
 *
 * Returns 0 if the guest may go on. Returns VIRTIO_DEVICE_IN_PROGRESS if a reset of the device ends
 * later, or if the stop, reset or enabling (virtio_device_queue_mapped()) of a queue ends later.
 * Then the VMM holds the vCPU until virtio_device_waiting() is false, and must not repeat the
 * write.
 */
VIRTIO_MUST_CHECK
int virtio_mmio_write(struct virtio_device *device, uint64_t offset, const void *data, uint32_t len);

VIRTIO_END_DECLS

#endif
