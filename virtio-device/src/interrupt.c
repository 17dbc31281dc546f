/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Interrupts: events set bits, acknowledgements clear bits, and the line follows the bits.
 *
 * No lock orders the calls of interrupt() on several threads. Instead, each thread reads the
 * interrupt status again after each call, and calls again if the level is wrong. A thread that
 * changes the level after this check makes a call of its own. So the call that takes effect last
 * has the right level. Until that call takes effect, the line may flicker.
 */
#include "device_internal.h"

/* Returns whether the line must be high: a cause is not acknowledged, and DRIVER_OK is set. */
static bool is_pending(uint32_t live)
{
	return (live & LIVE_INTERRUPT) != 0 && (live & VIRTIO_CONFIG_S_DRIVER_OK) != 0;
}

/*
 * Returns the cause to pass to interrupt() when the line must become high. If several causes are
 * pending, any of these causes is correct, because each event also makes its own call.
 */
static enum virtio_interrupt a_cause(uint32_t live)
{
	const uint32_t causes = (live & LIVE_INTERRUPT) >> LIVE_INTERRUPT_SHIFT;

	return causes & VIRTIO_INTERRUPT_CONFIG ? VIRTIO_INTERRUPT_CONFIG : VIRTIO_INTERRUPT_USED;
}

/*
 * Calls interrupt() until the level of the last call agrees with the interrupt status. The caller
 * has just called interrupt() with the parameter `level`.
 */
static void settle(struct virtio_device *device, bool level)
{
	for (;;) {
		const uint32_t live = live_load(device);

		if (is_pending(live) == level)
			return;
		level = !level;
		device->ops->interrupt(device, level ? a_cause(live) : VIRTIO_INTERRUPT_NONE, VIRTIO_DEVICE_NO_QUEUE,
				       level);
	}
}

bool virtio_device_mark_interrupt(struct virtio_device *device, uint32_t cause)
{
	uint32_t live = live_load(device);

	do {
		/*
		 * Before DRIVER_OK, and after a reset has begun, the driver must not be interrupted
		 * (virtio 1.4, 2.1.2, 2.4.1).
		 */
		if ((live & VIRTIO_CONFIG_S_DRIVER_OK) == 0 || (live & LIVE_RESETTING) != 0)
			return false;
	} while (!live_replace(device, &live, live | (cause << LIVE_INTERRUPT_SHIFT & LIVE_INTERRUPT)));
	return true;
}

void virtio_impl_device_raise(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue)
{
	if (!virtio_device_mark_interrupt(device, cause))
		return;
	device->ops->interrupt(device, cause, queue, true);
	settle(device, true);
}

void virtio_device_interrupt_used(struct virtio_device *device, uint16_t queue)
{
	virtio_impl_device_raise(device, VIRTIO_INTERRUPT_USED, queue);
}

void virtio_device_config_changed(struct virtio_device *device)
{
	uint32_t live = live_load(device);

	device->generation++;
	if ((live & VIRTIO_CONFIG_S_DRIVER_OK) != 0) {
		virtio_impl_device_raise(device, VIRTIO_INTERRUPT_CONFIG, VIRTIO_DEVICE_NO_QUEUE);
		return;
	}
	/*
	 * A driver that is still probing may have read the old values. The event is recorded now,
	 * and signalled at DRIVER_OK.
	 */
	if ((live & LIVE_STATUS) != 0 && (live & LIVE_RESETTING) == 0)
		live_set(device, (uint32_t)VIRTIO_INTERRUPT_CONFIG << LIVE_INTERRUPT_SHIFT);
}

void virtio_device_set_needs_reset(struct virtio_device *device)
{
	uint32_t live = live_load(device);

	do {
		if ((live & LIVE_STATUS) == 0 || (live & (VIRTIO_CONFIG_S_NEEDS_RESET | LIVE_RESETTING)) != 0)
			return;
	} while (!live_replace(device, &live, live | VIRTIO_CONFIG_S_NEEDS_RESET));
	/*
	 * Before DRIVER_OK the driver must not be interrupted. The thread that sets DRIVER_OK finds
	 * DEVICE_NEEDS_RESET, and interrupts the driver once.
	 */
	if (live & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_impl_device_raise(device, VIRTIO_INTERRUPT_CONFIG, VIRTIO_DEVICE_NO_QUEUE);
}

uint32_t virtio_impl_device_clear_interrupt(struct virtio_device *device, uint32_t bits)
{
	const uint32_t before = live_clear(device, bits);

	if (is_pending(before) && !is_pending(before & ~bits)) {
		device->ops->interrupt(device, VIRTIO_INTERRUPT_NONE, VIRTIO_DEVICE_NO_QUEUE, false);
		settle(device, false);
	}
	return before;
}

/*
 * Clears only the named causes, so an event that the driver has not seen stays (virtio 1.4,
 * 4.2.2.1).
 */
void virtio_device_ack_interrupt(struct virtio_device *device, uint32_t causes)
{
	virtio_impl_device_clear_interrupt(device, causes << LIVE_INTERRUPT_SHIFT & LIVE_INTERRUPT);
}

uint32_t virtio_device_take_interrupt(struct virtio_device *device)
{
	return (virtio_impl_device_clear_interrupt(device, LIVE_INTERRUPT) & LIVE_INTERRUPT) >> LIVE_INTERRUPT_SHIFT;
}
