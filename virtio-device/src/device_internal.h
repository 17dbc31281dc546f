/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What the source files of virtio-device share: the one word that any thread may change, and
 * helpers for state.
 *
 * The word holds the status, the interrupt status, and whether a reset is in progress. So an event
 * is recorded if and only if the device is in a state to have events, whatever the driver does
 * meanwhile.
 */
#ifndef VIRTIO_DEVICE_INTERNAL_H
#define VIRTIO_DEVICE_INTERNAL_H

#include <virtio/bindings/virtio_config.h>
#include <virtio/device.h>
#include <virtio/device_transport.h>

/*
 * In virtio 1.4, not yet in Linux: a device may be suspended (2.1, 3.4). The status bit is unknown
 * while the feature is not offered.
 */
#define VIRTIO_DEVICE_F_SUSPEND 43

/* The bits of all three areas in the members given and refused of a queue. */
#define ALL_AREAS (1u << VIRTIO_QUEUE_DESC | 1u << VIRTIO_QUEUE_AVAIL | 1u << VIRTIO_QUEUE_USED)

#define LIVE_STATUS 0xffu
#define LIVE_INTERRUPT_SHIFT 8
#define LIVE_INTERRUPT ((uint32_t)(VIRTIO_INTERRUPT_USED | VIRTIO_INTERRUPT_CONFIG) << LIVE_INTERRUPT_SHIFT)
#define LIVE_RESETTING (1u << 16)

/* With one of these bits only a reset makes progress. */
#define STATUS_STUCK (VIRTIO_CONFIG_S_FAILED | VIRTIO_CONFIG_S_NEEDS_RESET)

static inline uint32_t live_load(const struct virtio_device *device)
{
	return __atomic_load_n(&device->live, __ATOMIC_SEQ_CST);
}

/* Replaces *seen by next if the word still is *seen. Otherwise sets *seen to the word. */
static inline bool live_replace(struct virtio_device *device, uint32_t *seen, uint32_t next)
{
	return __atomic_compare_exchange_n(&device->live, seen, next, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Each function returns the word as it was before the change. */
static inline uint32_t live_set(struct virtio_device *device, uint32_t bits)
{
	return __atomic_fetch_or(&device->live, bits, __ATOMIC_SEQ_CST);
}

static inline uint32_t live_clear(struct virtio_device *device, uint32_t bits)
{
	return __atomic_fetch_and(&device->live, ~bits, __ATOMIC_SEQ_CST);
}

#pragma GCC visibility push(hidden)

/* An event: sets the interrupt status and calls interrupt(), if the state of the device permits. */
void virtio_impl_device_raise(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue);

/* Clears causes, and lowers the line if none is left. Returns the word as it was before. */
uint32_t virtio_impl_device_clear_interrupt(struct virtio_device *device, uint32_t bits);

/* Keeps an error for the operator, if it is the first. */
void virtio_impl_device_keep_error(struct virtio_device *device, int error, uint16_t queue);

/* Restores the state after virtio_device_init(), except for the word. */
void virtio_impl_device_clear(struct virtio_device *device);

/* The number of a stop or a reset that begins; never 0. */
uint32_t virtio_impl_device_next_number(struct virtio_device *device);

/* Asks the operation reset() whether the reset in progress has ended. */
int virtio_impl_device_ask_reset(struct virtio_device *device);

/* Returns everything that the driver has set in a queue to the defaults. */
void virtio_impl_device_clear_queue(struct virtio_queue_registers *queue);

/* Whether a status is possible: known bits, each with its prerequisites. */
bool virtio_impl_device_status_possible(uint32_t status);

/*
 * Whether the accepted features may be negotiated: 0, an error of the core, or an error of the
 * device.
 */
int virtio_impl_device_check_offered(const struct virtio_device *device, const uint32_t accepted[VIRTIO_FEATURE_WORDS],
				     bool accepted_beyond);
int virtio_impl_device_ask_features(struct virtio_device *device, const uint32_t accepted[VIRTIO_FEATURE_WORDS]);

/*
 * The configuration with which a queue would run: the driver's values, and the features that
 * matter.
 */
struct virtio_queue_config virtio_impl_device_ready_config(const struct virtio_queue_config *config,
							   const uint32_t accepted[VIRTIO_FEATURE_WORDS]);

/* Ends the wait of every queue that waits to be enabled; with an error if the queue was refused. */
void virtio_impl_device_end_enabling(struct virtio_device *device, int error);

/* Calls queue_notify() for every running queue. */
void virtio_impl_device_notify_all(struct virtio_device *device);

#pragma GCC visibility pop

#endif
