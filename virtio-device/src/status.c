/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The status machine: negotiation of features, activation, reset (virtio 1.4, 2.1, 2.2, 2.4, 3.1).
 */
#include "device_internal.h"

/* Returns whether each bit has its predecessor, in the order of virtio 1.4, 3.1.1. */
static bool has_prerequisites(uint32_t status)
{
	if ((status & VIRTIO_CONFIG_S_DRIVER) && !(status & VIRTIO_CONFIG_S_ACKNOWLEDGE))
		return false;
	if ((status & VIRTIO_CONFIG_S_FEATURES_OK) && !(status & VIRTIO_CONFIG_S_DRIVER))
		return false;
	if ((status & VIRTIO_CONFIG_S_DRIVER_OK) && !(status & VIRTIO_CONFIG_S_FEATURES_OK))
		return false;
	return true;
}

bool virtio_impl_device_status_possible(uint32_t status)
{
	const uint32_t known = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |
			       VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_NEEDS_RESET | VIRTIO_CONFIG_S_FAILED;

	return (status & ~known) == 0 && has_prerequisites(status);
}

/*
 * Returns the driver's bits of the status, or of a value that the driver writes. DEVICE_NEEDS_RESET
 * belongs to the device.
 */
static uint32_t of_driver(uint32_t status)
{
	return status & ~(uint32_t)VIRTIO_CONFIG_S_NEEDS_RESET;
}

/* Returns whether the driver may write a value: a possible status that clears no bit. */
static bool is_legal(uint32_t status, uint32_t value)
{
	return virtio_impl_device_status_possible(value) && (status & ~value) == 0;
}

int virtio_impl_device_check_offered(const struct virtio_device *device, const uint32_t accepted[VIRTIO_FEATURE_WORDS],
				     bool accepted_beyond)
{
	if (accepted_beyond || !virtio_feature_has(accepted, VIRTIO_F_VERSION_1))
		return VIRTIO_EINVAL;
	for (int i = 0; i < VIRTIO_FEATURE_WORDS; i++) {
		if (accepted[i] & ~device->offered[i])
			return VIRTIO_EINVAL;
	}
	return 0;
}

int virtio_impl_device_ask_features(struct virtio_device *device, const uint32_t accepted[VIRTIO_FEATURE_WORDS])
{
	return device->ops->check_features && device->ops->check_features(device, accepted) ? VIRTIO_ENOTSUP : 0;
}

/* Sets bits of the status. Sets nothing and returns false if the device now needs a reset. */
static bool advance(struct virtio_device *device, uint32_t bits)
{
	uint32_t live = live_load(device);

	do {
		if (live & STATUS_STUCK)
			return false;
	} while (!live_replace(device, &live, live | bits));
	return true;
}

static void activate(struct virtio_device *device)
{
	const bool changed = virtio_device_interrupt_status(device) != 0;
	int error;

	/* The driver must enable its queues before DRIVER_OK (virtio 1.4, 3.1.1). */
	virtio_impl_device_end_enabling(device, VIRTIO_ENOTMAPPED);
	/*
	 * Sets DRIVER_OK before activate(), because the device must not use a buffer before
	 * DRIVER_OK (virtio 1.4, 2.1.2). A device that needs a reset is not activated, but must now
	 * interrupt the driver.
	 */
	if (live_set(device, VIRTIO_CONFIG_S_DRIVER_OK) & VIRTIO_CONFIG_S_NEEDS_RESET) {
		virtio_impl_device_raise(device, VIRTIO_INTERRUPT_CONFIG, VIRTIO_DEVICE_NO_QUEUE);
		return;
	}
	error = device->ops->activate(device);
	if (error) {
		virtio_impl_device_keep_error(device, error, VIRTIO_DEVICE_NO_QUEUE);
		virtio_device_set_needs_reset(device);
		return;
	}
	device->active = true;
	/* The driver need not kick again for buffers that are available already. */
	virtio_impl_device_notify_all(device);
	if (changed)
		virtio_impl_device_raise(device, VIRTIO_INTERRUPT_CONFIG, VIRTIO_DEVICE_NO_QUEUE);
}

/* Sets new bits of the status in order, and stops at the first bit that is not permitted. */
static void progress(struct virtio_device *device, uint32_t fresh)
{
	live_set(device, fresh & (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER));
	if (fresh & VIRTIO_CONFIG_S_FEATURES_OK) {
		int error = virtio_impl_device_check_offered(device, device->accepted, device->accepted_beyond);

		if (!error)
			error = virtio_impl_device_ask_features(device, device->accepted);
		if (error) {
			virtio_impl_device_keep_error(device, error, VIRTIO_DEVICE_NO_QUEUE);
			return;
		}
		if (!advance(device, VIRTIO_CONFIG_S_FEATURES_OK))
			return;
	}
	if (fresh & VIRTIO_CONFIG_S_DRIVER_OK)
		activate(device);
}

/* Sets FAILED, whatever other bits the value has: a driver that gives up may write wrong bits. */
static void fail(struct virtio_device *device, uint32_t value)
{
	const uint32_t status = live_set(device, VIRTIO_CONFIG_S_FAILED) & LIVE_STATUS;

	if ((status & VIRTIO_CONFIG_S_FAILED) && of_driver(status) != of_driver(value))
		device->ignored++;
}

/* Handles the write of a value other than 0, without FAILED, while no reset is in progress. */
static void write_bits(struct virtio_device *device, uint32_t value)
{
	const uint32_t status = virtio_device_status(device);
	const uint32_t fresh = of_driver(value) & ~status;

	/*
	 * If the device needs a reset, ignore a write that sets any new bit except DRIVER_OK.
	 * Accept DRIVER_OK, because the delayed configuration interrupt waits for it.
	 */
	if (!is_legal(of_driver(status), of_driver(value)) ||
	    ((status & VIRTIO_CONFIG_S_NEEDS_RESET) && (fresh & ~(uint32_t)VIRTIO_CONFIG_S_DRIVER_OK)))
		device->ignored++;
	else
		progress(device, fresh);
}

int virtio_device_write_status(struct virtio_device *device, uint32_t value)
{
	/* The driver learns of a failure from the status, which is then not 0. */
	if (value == 0)
		return virtio_device_reset(device) == VIRTIO_DEVICE_IN_PROGRESS ? VIRTIO_DEVICE_IN_PROGRESS : 0;
	if (virtio_device_resetting(device))
		device->ignored++;
	else if (value & VIRTIO_CONFIG_S_FAILED)
		fail(device, value);
	else
		write_bits(device, value);
	return 0;
}

static void finish_reset(struct virtio_device *device)
{
	virtio_impl_device_clear(device);
	device->resets++;
	/*
	 * Clears the status, LIVE_RESETTING and the interrupt status by one operation (virtio 1.4,
	 * 4.2.2.1). This is the last step: a driver that reads status 0 must also see all other
	 * effects of the reset.
	 */
	virtio_impl_device_clear_interrupt(device, ~0u);
}

static void fail_reset(struct virtio_device *device, int error)
{
	device->reset_pending = false;
	device->reset_number = 0;
	/* Set this even if the status was 0, so no driver can set up a device that did not stop. */
	live_set(device, VIRTIO_CONFIG_S_NEEDS_RESET);
	live_clear(device, LIVE_RESETTING);
	virtio_impl_device_keep_error(device, error, VIRTIO_DEVICE_NO_QUEUE);
	virtio_impl_device_raise(device, VIRTIO_INTERRUPT_CONFIG, VIRTIO_DEVICE_NO_QUEUE);
}

int virtio_impl_device_ask_reset(struct virtio_device *device)
{
	int result;

	/* The operation reset() must return before the device may report the end of the reset. */
	device->reset_pending = false;
	result = device->ops->reset(device);
	if (result == 0)
		finish_reset(device);
	else if (result == VIRTIO_DEVICE_IN_PROGRESS)
		device->reset_pending = true;
	else
		fail_reset(device, result);
	return result;
}

int virtio_device_reset(struct virtio_device *device)
{
	/* From here on the core sends no interrupt: drivers expect no interrupt during a reset. */
	if (live_set(device, LIVE_RESETTING) & LIVE_RESETTING)
		return VIRTIO_DEVICE_IN_PROGRESS;
	virtio_impl_device_end_enabling(device, 0);
	device->reset_number = virtio_impl_device_next_number(device);
	return virtio_impl_device_ask_reset(device);
}

int virtio_device_reset_done(struct virtio_device *device, int error)
{
	if (!device->reset_pending || error == VIRTIO_DEVICE_IN_PROGRESS)
		return VIRTIO_EINVAL;
	if (error)
		fail_reset(device, error);
	else
		finish_reset(device);
	return 0;
}
