/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What a transport calls: the meaning of the registers that all transports share. Authors of
 * devices do not need this header.
 *
 * <virtio/mmio.h> consists of these calls. A PCI transport has other offsets and widths for the
 * same values.
 *
 * What the guest can do: pass any value to any function, in any order. A wrong value, or a value at
 * the wrong time, changes nothing, and the device counts it in the member ignored. Values are as
 * wide as the widest register, so no bit is lost before the check.
 *
 * What a transport uses of struct virtio_device:
 *   sets and reads      device_features_sel, driver_features_sel, queue_sel, shm_sel
 *   reads               type, vendor, num_queues, config_size, generation
 *   resets              when it has changed, the transport forgets its own state, such as the
 *                       vectors of PCI
 * A queue's size and addresses read back as virtio_device_queue_config() has them.
 *
 * With MSI-X, interrupt() sends a message for each call with a cause and @level true. The exception
 * is VIRTIO_INTERRUPT_USED with VIRTIO_DEVICE_NO_QUEUE, which only level-triggered lines need.
 *
 * Threads: all functions are register accesses: see <virtio/device.h>.
 *
 * A function that returns VIRTIO_DEVICE_IN_PROGRESS must not let the driver's write complete yet.
 * The VMM holds the vCPU while virtio_device_waiting() is true; other vCPUs may go on. Otherwise
 * these functions return 0.
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
 *   value                 effect
 *   0                     resets the device
 *   with FAILED           sets FAILED; other bits are ignored
 *   any other             must have every bit that is already set, no unknown bit, and no bit whose
 *                         predecessor is missing (ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK)
 *   DEVICE_NEEDS_RESET    belongs to the device, and is left out of the comparison
 *
 * - While a reset is in progress every value except 0 is ignored, also one with FAILED: the reset
 *   clears FAILED.
 * - FEATURES_OK is set only if the features are acceptable. If not, DRIVER_OK is not set either;
 *   ACKNOWLEDGE and DRIVER are.
 * - After FAILED nothing but a reset has an effect.
 * - After DEVICE_NEEDS_RESET only DRIVER_OK has an effect, alone and after FEATURES_OK. The device
 *   is not activated, and the configuration interrupt follows (virtio 1.4, 2.1.2).
 */
VIRTIO_MUST_CHECK
int virtio_device_write_status(struct virtio_device *device, uint32_t value);

/*
 * Feature bits 32 * select to 32 * select + 31: those offered, and those accepted by the driver so
 * far.
 *
 * @select  any number; words above 3 have no bits
 */
uint32_t virtio_device_offered_features(const struct virtio_device *device, uint32_t select);
uint32_t virtio_device_accepted_features(const struct virtio_device *device, uint32_t select);

/*
 * The driver accepts feature bits. Has an effect between DRIVER and FEATURES_OK.
 *
 * @select  which word
 * @value   its bits. A bit that was not offered makes FEATURES_OK fail later; a bit above word 3
 *          does so until the next reset.
 */
void virtio_device_accept_features(struct virtio_device *device, uint32_t select, uint32_t value);

/*
 * The driver sets up queue number queue_sel: before DRIVER_OK, or later after the queue was reset.
 * Ignored while the queue is enabled, and if there is no such queue.
 *
 * @size  in descriptors
 * @area  which of the three
 * @value one half of the address
 *
 * - A bad value is refused as virtio_queue_config_set_size() and virtio_queue_config_set_addr()
 *   say. The old value can still be read. The queue cannot be enabled until a good value is written
 *   in the same place, or the queue or the device is reset.
 * - Writing the low half sets an area. The high half is 0 until it is written, so a 32-bit driver
 *   may leave it out. The high half alone does not set the area. Address 0 is legal if it is
 *   written.
 * - The size need not be written. Until then it is the largest.
 */
void virtio_device_set_queue_size(struct virtio_device *device, uint32_t size);
void virtio_device_set_queue_addr_low(struct virtio_device *device, enum virtio_queue_area area, uint32_t value);
void virtio_device_set_queue_addr_high(struct virtio_device *device, enum virtio_queue_area area, uint32_t value);

/*
 * The driver enables (1) or stops (0) queue number queue_sel. Other values are ignored.
 *
 * Enabling has an effect after FEATURES_OK; while the device is active only for a queue that was
 * reset. The driver must have set all three areas, no refused value may be left, and the areas must
 * lie in the guest's memory. While the translation of an area is not known yet, enabling is in
 * progress: see virtio_device_queue_mapped(). Otherwise the queue stays disabled, and first_error
 * of the device keeps the error:
 *   VIRTIO_ESIZE      the last size was refused
 *   VIRTIO_EALIGN     the last low half of an area's address was refused
 *   VIRTIO_ENOTREADY  an area was not set
 *   others            of virtio_queue_config_check(), and of the operation queue_start()
 *
 * Stopping a running queue may be in progress for a while. While a reset of the device is in
 * progress, so is the stop of an enabled queue. The queue then ends with the reset, or stays
 * enabled if the reset fails.
 */
VIRTIO_MUST_CHECK
int virtio_device_enable_queue(struct virtio_device *device, uint32_t value);

/*
 * The driver resets queue number queue_sel (1; other values are ignored), if VIRTIO_F_RING_RESET is
 * negotiated. Stops the queue, which may be in progress as above, and returns its configuration to
 * the defaults (virtio 1.4, 2.6.1).
 */
VIRTIO_MUST_CHECK
int virtio_device_reset_queue(struct virtio_device *device, uint32_t value);

/*
 * Whether queue number queue_sel is enabled; whether its reset is in progress; and its largest
 * size, 0 if there is no such queue.
 */
bool virtio_device_queue_enabled(const struct virtio_device *device);
bool virtio_device_queue_resetting(const struct virtio_device *device);
uint16_t virtio_device_queue_max_size(const struct virtio_device *device);

/*
 * The driver kicks the device (an available buffer notification).
 *
 * @value  a queue's index. Under VIRTIO_F_NOTIFICATION_DATA the index in bits 0 to 15, and the
 *         available index in bits 16 to 31 (virtio 1.4, 2.9).
 *
 * Ignored for a queue that does not run.
 */
void virtio_device_notify(struct virtio_device *device, uint32_t value);

/*
 * The driver acknowledges causes of interrupts.
 *
 * @causes  bits of enum virtio_interrupt; others have no meaning
 */
void virtio_device_ack_interrupt(struct virtio_device *device, uint32_t causes);

/*
 * Reads the interrupt status and acknowledges what it returns, as the ISR of PCI does (virtio 1.4,
 * 4.1.4.5).
 */
uint32_t virtio_device_take_interrupt(struct virtio_device *device);

/*
 * The driver reads or writes the configuration space.
 *
 * @offset  in bytes; any value
 * @data    host memory of len bytes, in the guest's order
 *
 * Bytes beyond the end read as 0. A write that is not wholly inside is ignored.
 */
void virtio_device_read_config(struct virtio_device *device, uint64_t offset, void *data, uint32_t len);
void virtio_device_write_config(struct virtio_device *device, uint64_t offset, const void *data, uint32_t len);

/*
 * Finds the shared memory region with this id. NULL if there is none.
 *
 * @id  as wide as a register; the ids of regions have 8 bits
 */
const struct virtio_shm_region *virtio_device_shm(const struct virtio_device *device, uint32_t id);

VIRTIO_END_DECLS

#endif
