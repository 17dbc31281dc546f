/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The functions that a transport calls. They implement the registers that all transports share.
 * Authors of devices do not need this header.
 *
 * <virtio/mmio.h> maps its registers to these calls. A PCI transport has other offsets and widths
 * for the same values.
 *
 * What the guest can do: pass any value to any function, in any order. Unless a function says
 * otherwise, a wrong value, or a value at the wrong time, only increments the device's member
 * `ignored`. Values are as wide as the widest register, so no bit is lost before the check.
 *
 * What a transport uses of struct virtio_device:
 *   sets and reads      device_features_sel, driver_features_sel, queue_sel, shm_sel, ignored
 *   reads               type, vendor, num_queues, config_size, generation, resets
 * When `resets` has changed, the transport must forget its own state, such as the vectors of PCI.
 * For the driver's reads, virtio_device_queue_config() returns the size and addresses of a queue.
 *
 * With MSI-X, the device's operation interrupt() sends a message for each call with a cause and
 * @level true. The exception is a call with VIRTIO_INTERRUPT_USED and VIRTIO_DEVICE_NO_QUEUE, which
 * only a level-triggered line needs.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     another register access of the same device, see
 *                                        <virtio/device.h>
 *
 * A function that returns an int returns 0 or VIRTIO_DEVICE_IN_PROGRESS. After
 * VIRTIO_DEVICE_IN_PROGRESS the driver's write must not complete yet. The VMM holds the vCPU while
 * virtio_device_waiting() is true. Other vCPUs may go on.
 *
 * virtio 1.4, 2.1 to 2.6, 3.1, 4.1.4, 4.2.2
 */
#ifndef VIRTIO_DEVICE_TRANSPORT_H
#define VIRTIO_DEVICE_TRANSPORT_H

#include <virtio/device.h>

VIRTIO_BEGIN_DECLS

/*
 * Handles the driver's write of the status.
 *
 *   value                 effect
 *   0                     resets the device
 *   with FAILED           sets FAILED; other bits are ignored
 *   any other             sets the new bits. The value must have every bit that is already set, no
 *                         unknown bit, and no bit without its predecessor. The order of the bits is
 *                         ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK.
 *   DEVICE_NEEDS_RESET    is ignored in the written value: the bit belongs to the device
 *
 * - While a reset is in progress every value except 0 is ignored, also a value with FAILED: the
 *   reset clears FAILED.
 * - FEATURES_OK is set only if the features are acceptable. Otherwise only ACKNOWLEDGE and DRIVER
 *   of the value are set.
 * - After FAILED only a reset has an effect.
 * - After DEVICE_NEEDS_RESET only a reset, FAILED, and a value whose only new bit is DRIVER_OK have
 *   an effect. DRIVER_OK then does not activate the device, but the configuration interrupt follows
 *   (virtio 1.4, 2.1.2).
 */
VIRTIO_MUST_CHECK
int virtio_device_write_status(struct virtio_device *device, uint32_t value);

/*
 * Return feature bits 32 * select to 32 * select + 31: the offered bits, and the bits that the
 * driver has accepted so far.
 *
 * @select  any number; above 3 the result is 0
 */
uint32_t virtio_device_offered_features(const struct virtio_device *device, uint32_t select);
uint32_t virtio_device_accepted_features(const struct virtio_device *device, uint32_t select);

/*
 * Accepts feature bits for the driver. Has an effect only between DRIVER and FEATURES_OK.
 *
 * @select  which word
 * @value   the bits of that word. A bit that was not offered makes FEATURES_OK fail later. A bit
 *          of a word above 3 makes FEATURES_OK fail until the next reset.
 */
void virtio_device_accept_features(struct virtio_device *device, uint32_t select, uint32_t value);

/*
 * Set the size or an address of queue number queue_sel for the driver: before DRIVER_OK, or later
 * if the queue was reset. Ignored if the queue does not exist, is enabled, or waits to be enabled.
 *
 * @size  in descriptors
 * @area  the area whose address is set
 * @value one half of the address
 *
 * - virtio_queue_config_set_size() and virtio_queue_config_set_addr() say which values are refused.
 *   After a refusal the old value can still be read, but the queue cannot be enabled. The refusal
 *   ends when a good value is written to the same register, or when the queue or the device is
 *   reset.
 * - Writing the low half sets an area. The high half is 0 until it is written, so a 32-bit driver
 *   may leave it out. The high half alone does not set the area. Address 0 is legal if it is
 *   written.
 * - The driver need not write the size. The default is the largest size.
 */
void virtio_device_set_queue_size(struct virtio_device *device, uint32_t size);
void virtio_device_set_queue_addr_low(struct virtio_device *device, enum virtio_queue_area area, uint32_t value);
void virtio_device_set_queue_addr_high(struct virtio_device *device, enum virtio_queue_area area, uint32_t value);

/*
 * Enables (1) or stops (0) queue number queue_sel for the driver. Other values are ignored.
 *
 * Enabling has an effect only after FEATURES_OK. While the device is active, the queue must have
 * been reset. The driver must have set all three areas, no refused value may be left, and the areas
 * must lie in guest memory. While the translation of an area is not known yet, enabling is in
 * progress: see virtio_device_queue_mapped(). After an error the queue stays disabled, and
 * first_error of the device keeps the error:
 *   VIRTIO_ESIZE      the size last written was refused
 *   VIRTIO_EALIGN     the low half last written to an area's address was refused
 *   VIRTIO_ENOTREADY  an area was not set
 *   others            errors of virtio_queue_config_check() and of the operation queue_start()
 *
 * The stop of a running queue may take time. The result is then VIRTIO_DEVICE_IN_PROGRESS. While a
 * reset of the device is in progress, a stop has the same result: the reset will stop the queue. If
 * the reset fails, the queue stays enabled.
 */
VIRTIO_MUST_CHECK
int virtio_device_enable_queue(struct virtio_device *device, uint32_t value);

/*
 * Resets queue number queue_sel for the driver, if value is 1 and VIRTIO_F_RING_RESET is
 * negotiated. Other values are ignored. Stops the queue as virtio_device_enable_queue() does, and
 * then returns its configuration to the defaults (virtio 1.4, 2.6.1).
 */
VIRTIO_MUST_CHECK
int virtio_device_reset_queue(struct virtio_device *device, uint32_t value);

/*
 * Return whether queue number queue_sel is enabled, whether its reset is in progress or has failed,
 * and its largest size. Without such a queue the results are false and 0.
 */
bool virtio_device_queue_enabled(const struct virtio_device *device);
bool virtio_device_queue_resetting(const struct virtio_device *device);
uint16_t virtio_device_queue_max_size(const struct virtio_device *device);

/*
 * Handles a kick of the driver (an available buffer notification).
 *
 * @value  a queue's index. Under VIRTIO_F_NOTIFICATION_DATA the queue's index in bits 0 to 15, and
 *         the available index in bits 16 to 31 (virtio 1.4, 2.9).
 *
 * The kick is ignored if the queue does not run.
 */
void virtio_device_notify(struct virtio_device *device, uint32_t value);

/*
 * Acknowledges causes of interrupts for the driver.
 *
 * @causes  bits of enum virtio_interrupt; other bits are ignored
 */
void virtio_device_ack_interrupt(struct virtio_device *device, uint32_t causes);

/*
 * Returns the interrupt status, and acknowledges the causes in it, as a read of PCI's ISR does
 * (virtio 1.4, 4.1.4.5).
 */
uint32_t virtio_device_take_interrupt(struct virtio_device *device);

/*
 * Read or write the configuration space for the driver.
 *
 * @offset  in bytes; any value
 * @data    host memory of len bytes, in little-endian order
 *
 * Bytes beyond the end read as 0. A write that extends beyond the end is ignored.
 */
void virtio_device_read_config(struct virtio_device *device, uint64_t offset, void *data, uint32_t len);
void virtio_device_write_config(struct virtio_device *device, uint64_t offset, const void *data, uint32_t len);

/*
 * Returns the shared memory region with this id, or NULL.
 *
 * @id  as wide as a register; the ids of regions have 8 bits
 */
const struct virtio_shm_region *virtio_device_shm(const struct virtio_device *device, uint32_t id);

VIRTIO_END_DECLS

#endif
