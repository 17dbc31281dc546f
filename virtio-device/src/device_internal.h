/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Shared by the source files of virtio-device: the word `live`, which any thread may change, and
 * helper functions.
 *
 * The word holds the status, the interrupt status, and whether a reset is in progress. So one
 * atomic operation checks the state and records an event, whatever the driver does meanwhile.
 */
#ifndef VIRTIO_DEVICE_INTERNAL_H
#define VIRTIO_DEVICE_INTERNAL_H

#include <virtio/bindings/virtio_config.h>
#include <virtio/device.h>
#include <virtio/device_transport.h>

/* The bits of all three areas, in a queue's members `given` and `refused`. */
#define ALL_AREAS (1u << VIRTIO_QUEUE_DESC | 1u << VIRTIO_QUEUE_AVAIL | 1u << VIRTIO_QUEUE_USED)

#define LIVE_STATUS 0xffu
#define LIVE_INTERRUPT_SHIFT 8
#define LIVE_INTERRUPT ((uint32_t)(VIRTIO_INTERRUPT_USED | VIRTIO_INTERRUPT_CONFIG) << LIVE_INTERRUPT_SHIFT)
#define LIVE_RESETTING (1u << 16)

/* With one of these status bits set, the device works again only after a reset. */
#define STATUS_STUCK (VIRTIO_CONFIG_S_FAILED | VIRTIO_CONFIG_S_NEEDS_RESET)

static inline uint32_t live_load(const struct virtio_device *device)
{
	return __atomic_load_n(&device->live, __ATOMIC_SEQ_CST);
}

/*
 * If `live` equals *seen, sets `live` to `next` and returns true. Otherwise sets *seen to `live`
 * and returns false.
 */
static inline bool live_replace(struct virtio_device *device, uint32_t *seen, uint32_t next)
{
	return __atomic_compare_exchange_n(&device->live, seen, next, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* live_set() and live_clear() return the value of `live` before the change. */
static inline uint32_t live_set(struct virtio_device *device, uint32_t bits)
{
	return __atomic_fetch_or(&device->live, bits, __ATOMIC_SEQ_CST);
}

static inline uint32_t live_clear(struct virtio_device *device, uint32_t bits)
{
	return __atomic_fetch_and(&device->live, ~bits, __ATOMIC_SEQ_CST);
}

#pragma GCC visibility push(hidden)

/* Raises an event: sets the interrupt status and calls interrupt(), if the state permits. */
void virtio_impl_device_raise(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue);

/* Clears bits of `live`, and lowers the line if no cause is left. Returns the old `live`. */
uint32_t virtio_impl_device_clear_interrupt(struct virtio_device *device, uint32_t bits);

/* Keeps an error for the operator, if no error is kept yet. */
void virtio_impl_device_keep_error(struct virtio_device *device, int error, uint16_t queue);

/* Clears the driver's settings and all stops and resets in progress. Does not change `live`. */
void virtio_impl_device_clear(struct virtio_device *device);

/* Returns a new number for a stop or a reset; never 0. */
uint32_t virtio_impl_device_next_number(struct virtio_device *device);

/*
 * Calls the operation reset(), and ends the reset unless the result is VIRTIO_DEVICE_IN_PROGRESS.
 * Returns the result.
 */
int virtio_impl_device_ask_reset(struct virtio_device *device);

/* Resets all of the driver's settings of a queue to the defaults. */
void virtio_impl_device_clear_queue(struct virtio_queue_registers *queue);

/* Returns whether a status is possible: only known bits, each with its prerequisites. */
bool virtio_impl_device_status_possible(uint32_t status);

/*
 * Return 0 if the accepted features may be negotiated, or an error. The first function applies the
 * rules of the core, and the second calls the operation check_features().
 */
int virtio_impl_device_check_offered(const struct virtio_device *device, const uint32_t accepted[VIRTIO_FEATURE_WORDS],
				     bool accepted_beyond);
int virtio_impl_device_ask_features(struct virtio_device *device, const uint32_t accepted[VIRTIO_FEATURE_WORDS]);

/*
 * Returns the configuration with which a queue runs: ready, with the driver's values and the
 * accepted features that concern queues.
 */
struct virtio_queue_config virtio_impl_device_ready_config(const struct virtio_queue_config *config,
							   const uint32_t accepted[VIRTIO_FEATURE_WORDS]);

/* Ends every queue's wait for a translation. If `error` is not 0, the waits fail with it. */
void virtio_impl_device_end_enabling(struct virtio_device *device, int error);

/*
 * Calls queue_notify() for every ready queue, unless the device needs a reset or has FAILED. Call
 * this only while the device is active.
 */
void virtio_impl_device_notify_all(struct virtio_device *device);

#pragma GCC visibility pop

#endif
