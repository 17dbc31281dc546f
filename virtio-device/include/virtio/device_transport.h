/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What a transport asks of the device core: the meaning of the registers that all transports share.
 *
 * <virtio/mmio.h> is made of these calls; one for PCI has other offsets and widths for the same
 * values. A device author needs none of this.
 *
 * What the guest can do: pass any value to any of them, in any order. What is wrong at the time, or
 * always, changes nothing and is counted in the member ignored of the device. Values come as wide
 * as the widest register, and no bit is lost before it is checked.
 *
 * What a transport keeps for its driver are the selectors, members of struct virtio_device that it
 * sets and reads: device_features_sel, driver_features_sel, queue_sel and shm_sel. It also reads
 * type, vendor, num_queues, config_size and generation; the size and the addresses of a queue read
 * back as virtio_device_queue_config() has them. What a transport has besides, as PCI has vectors,
 * it forgets whenever the member resets has changed. With MSI-X, interrupt() sends a message for
 * each call with a cause and @level true, but for VIRTIO_INTERRUPT_USED of VIRTIO_DEVICE_NO_QUEUE,
 * which only level-triggered lines need.
 *
 * Threads: all are register accesses, see <virtio/device.h>. Functions that return
 * VIRTIO_DEVICE_IN_PROGRESS mean that the driver must not see its write completed yet: the VMM
 * holds the vCPU as long as virtio_device_waiting() says; other vCPUs may go on. They return 0 in
 * every other case.
 *
 * virtio 1.4, 2.1 to 2.6, 3.1, 4.1.4, 4.2.2
 */
#ifndef VIRTIO_DEVICE_TRANSPORT_H
#define VIRTIO_DEVICE_TRANSPORT_H

#include <virtio/device.h>

VIRTIO_BEGIN_DECLS

/*
 * The driver writes the status.
 *
 * 0 resets the device. While a reset is in progress any other value is ignored, FAILED too: the
 * reset clears it. FAILED takes in any value that has it. The other bits of such a value are
 * ignored, whatever they are. Any other value must have every bit that is set already. It must have
 * no unknown bit, and none whose predecessor in ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK is
 * missing. DEVICE_NEEDS_RESET is the device's: it counts neither in the value nor in the status
 * that the value is compared with. FEATURES_OK takes only if the features are acceptable. Without
 * it DRIVER_OK doesn't take either; ACKNOWLEDGE and DRIVER do.
 * After FAILED there is no progress. After DEVICE_NEEDS_RESET only DRIVER_OK takes, after
 * FEATURES_OK and alone: the device is not activated, and the configuration interrupt follows
 * (virtio 1.4, 2.1.2).
 */
int virtio_device_write_status(struct virtio_device *device, uint32_t value);

/*
 * Feature bits 32 * select to 32 * select + 31: those offered, and those accepted by the driver as
 * far as it has said.
 *
 * @select  any number; words above 3 have no bits
 */
uint32_t virtio_device_offered_features(const struct virtio_device *device, uint32_t select);
uint32_t virtio_device_accepted_features(const struct virtio_device *device, uint32_t select);

/*
 * The driver accepts feature bits: takes effect between DRIVER and FEATURES_OK.
 *
 * @select  which word
 * @value   its bits. One that was not offered makes FEATURES_OK fail later; above word 3 it does so
 *          until the next reset.
 */
void virtio_device_accept_features(struct virtio_device *device, uint32_t select, uint32_t value);

/*
 * The driver sets up queue number queue_sel of the device: before DRIVER_OK, or after it once the
 * queue was reset. Ignored while the queue is enabled, and for a queue that doesn't exist.
 *
 * A bad value is refused as virtio_queue_config_set_size() and virtio_queue_config_set_addr() say:
 * the old value stays to be read, but the queue can't be enabled with it. That ends with a good
 * value in the same place, or with a reset of the queue or of the device.
 *
 * A driver gives an area by its low half. The high half is 0 until it is written, so a 32-bit
 * driver may leave it out. The high half alone doesn't give the area. Address 0 is an address like
 * any other, if it is written. The size need not be written: it is the largest until then.
 *
 * @size  in descriptors
 * @area  which of the three
 * @value one half of the address
 */
void virtio_device_set_queue_size(struct virtio_device *device, uint32_t size);
void virtio_device_set_queue_addr_low(struct virtio_device *device, enum virtio_queue_area area, uint32_t value);
void virtio_device_set_queue_addr_high(struct virtio_device *device, enum virtio_queue_area area, uint32_t value);

/*
 * The driver enables (1) or stops (0) queue number queue_sel; other values are ignored.
 *
 * Enabling takes effect after FEATURES_OK, with the features negotiated; while the device is active
 * only for a queue that was reset. The driver must have given all three areas, no value may stand
 * refused, and the areas must lie in the guest's memory. Enabling is in progress while a
 * translation of an area is not known yet: see virtio_device_queue_mapped(). Otherwise the queue
 * stays disabled, and the error is kept in first_error of the device:
 *   VIRTIO_ESIZE      the last size was refused
 *   VIRTIO_EALIGN     the last low half of an area's address was refused
 *   VIRTIO_ENOTREADY  an area was not given
 *   others            of virtio_queue_config_check(), and of the operation queue_start()
 *
 * Stopping a running queue may be in progress for a while. So is stopping an enabled queue while a
 * reset of the device is: the queue ends with it, or, if that fails, stays enabled.
 */
int virtio_device_enable_queue(struct virtio_device *device, uint32_t value);

/*
 * The driver resets queue number queue_sel (1; other values are ignored), if VIRTIO_F_RING_RESET
 * was negotiated: stops it, which may be in progress as above, and returns its configuration to the
 * defaults (virtio 1.4, 2.6.1).
 */
int virtio_device_reset_queue(struct virtio_device *device, uint32_t value);

/*
 * Whether queue number queue_sel is enabled, and whether its reset is in progress; its largest
 * size, 0 if there is no such queue.
 */
bool virtio_device_queue_enabled(const struct virtio_device *device);
bool virtio_device_queue_resetting(const struct virtio_device *device);
uint16_t virtio_device_queue_max_size(const struct virtio_device *device);

/*
 * The driver notifies the device of available buffers.
 *
 * @value  a queue's index; under VIRTIO_F_NOTIFICATION_DATA the index in bits 0 to 15 and the
 *         available index in 16 to 31 (virtio 1.4, 2.9)
 *
 * Ignored for a queue that doesn't run.
 */
void virtio_device_notify(struct virtio_device *device, uint32_t value);

/*
 * The driver acknowledges causes of interrupts.
 *
 * @causes  bits of enum virtio_interrupt; others have no meaning
 */
void virtio_device_ack_interrupt(struct virtio_device *device, uint32_t causes);

/*
 * Reads the interrupt status and acknowledges what it shows, as the ISR of PCI does (virtio 1.4,
 * 4.1.4.5).
 */
uint32_t virtio_device_take_interrupt(struct virtio_device *device);

/*
 * The driver reads or writes the configuration space.
 *
 * @offset  in bytes, anything
 * @data    host memory of @len bytes, in the order in which the guest sees them
 *
 * What is read beyond the end is 0; a write that isn't wholly inside is ignored.
 */
void virtio_device_read_config(struct virtio_device *device, uint64_t offset, void *data, uint32_t len);
void virtio_device_write_config(struct virtio_device *device, uint64_t offset, const void *data, uint32_t len);

/*
 * The shared memory region of this id.
 *
 * @id  as wide as a register; the ids of regions have 8 bits
 *
 * NULL if there is none.
 */
const struct virtio_shm_region *virtio_device_shm(const struct virtio_device *device, uint32_t id);

VIRTIO_END_DECLS

#endif
