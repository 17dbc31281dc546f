/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The saved state of a device core, for snapshots and migration.
 *
 * A plain structure, and the configurations of the queues beside it. The device's own state isn't
 * part of it: the device saves and restores that, its queues included. The VMM holds up the vCPUs
 * and the device's threads during both.
 *
 * The parts of a whole device, in the order of a restore:
 *
 *   Part           What is saved                      Calls: to save; to restore
 *                  By
 *   core           status, features, selectors,       virtio_device_save();
 *                  VMM
 *                  interrupts, generation, and        virtio_device_init(), virtio_device_restore()
 *                  each queue's configuration
 *   running queue  next indices                       virtio_queue_save();
 *                  device
 *                                                     virtio_queue_init(), virtio_queue_restore()
 *   - in flight    also the heads in flight           virtio_queue_save_in_flight(); the same,
 *     device
 *                                                     and virtio_queue_replay() for each head
 *   - with a lock  as without                         the same under virtio_queue_sync_lock(), and
 *     device
 *                                                     virtio_queue_sync_replay()
 *   block          negotiated features, writeback,    virtio_blk_save();
 *                  device
 *                  capacity                           virtio_blk_init(), virtio_blk_restore()
 *   entropy        nothing
 *   another type   what its driver can set in it      its own
 *                  device
 *   whole device   nothing                            virtio_device_resume()
 *                  VMM
 *
 * A queue runs while the device is active and the queue is ready. The device restores such a queue
 * in place of starting it, because activate() isn't called. A block device may also be restored
 * before the core.
 *
 * Nobody saves options, memory maps, statistics and back ends. A file back end forgets on another
 * host that a flush has failed: the VMM must not migrate such a disk as a good one.
 *
 * The order of a save: the device completes no more requests, then saves its queues, then
 * virtio_device_save(). The dirty log is resolved last. A completion after a save would set an
 * interrupt and log a page that nobody saves.
 *
 * What the guest can do: nothing here reads guest memory but the areas of enabled queues, which
 * must be there. A state from elsewhere is checked as if a guest had made it.
 *
 * Threads: register accesses, see <virtio/device.h>.
 */
#ifndef VIRTIO_DEVICE_STATE_H
#define VIRTIO_DEVICE_STATE_H

#include <virtio/device.h>

VIRTIO_BEGIN_DECLS

/* What the driver has set up. Members are as those of struct virtio_device. */
struct virtio_device_state {
	uint32_t type;
	uint32_t status;
	uint32_t interrupt_status;
	uint32_t generation;
	uint32_t accepted[VIRTIO_FEATURE_WORDS];
	uint32_t device_features_sel;
	uint32_t driver_features_sel;
	uint32_t queue_sel;
	uint32_t shm_sel;
	uint32_t num_queues;
	bool accepted_beyond;
	bool active;
};

/* What the driver has set up in one queue. */
struct virtio_queue_registers_state {
	uint64_t addr[3];
	uint16_t max_size; /* 0: absent, and then the rest is 0 too */
	uint16_t size;
	bool ready;
	bool may_reenable;
	uint8_t given; /* members as those of struct virtio_queue_registers */
	uint8_t refused;
};

/*
 * Saves.
 *
 * @state   filled in
 * @queues  filled in: one entry for each of the device's num_queues
 * @entries of queues
 *
 * Returns 0; VIRTIO_EBUSY while a reset, or the stop or the enabling of a queue, is in progress, or
 * after a queue couldn't be reset; VIRTIO_ENOBUFS if there are fewer entries than queues. A failure
 * changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_device_save(const struct virtio_device *device, struct virtio_device_state *state,
		       struct virtio_queue_registers_state *queues, uint32_t entries);

/*
 * Restores, into a device that is as virtio_device_init() made it: of the same type, with the same
 * queues, and with memory if a queue is ready.
 *
 * Of the operations check_features() is called, if the state has FEATURES_OK, and no other: when
 * everything else is in order, so that features which it accepts are restored. Returns 0, or an
 * error that changes nothing:
 *   VIRTIO_EBUSY   the device is in use: its status isn't 0, or a reset is in progress
 *   VIRTIO_EINVAL  another type, or other queues; entries is not num_queues; a bool that is neither
 *                  0 nor 1; a status that no driver can reach;
 *                  DRIVER_OK and active disagree; features that were not offered behind
 *                  FEATURES_OK, or selected before DRIVER; interrupts in an impossible state; a
 *                  queue that is ready too early, that is absent but not empty, or may_reenable
 *                  where it can't be; bits of given and refused that there are not, or an area in
 *                  both; a queue that is ready with an area that was not given or a value that was
 *                  refused; the low half of an address that was never given
 *   VIRTIO_ENOTSUP the operation check_features() refuses the features
 *   VIRTIO_ESIZE, VIRTIO_EALIGN, VIRTIO_EFAULT, VIRTIO_EPERM, VIRTIO_ENOTMAPPED   a queue, as
 *   virtio_queue_config_check() says. After VIRTIO_ENOTMAPPED the caller may try again once the
 *   areas are mapped.
 */
VIRTIO_MUST_CHECK
int virtio_device_restore(struct virtio_device *device, const struct virtio_device_state *state,
			  const struct virtio_queue_registers_state *queues, uint32_t entries);

/*
 * Sets a device going that was just restored, and no other, once its queues are started and
 * restored, and before the first access of the guest: a driver may have notified, or the device may
 * have used buffers, just before the state was saved. So, while the device is active and neither
 * needs a reset nor has FAILED, each running queue is notified once, and the driver interrupted
 * once for each. Whatever else was pending is signalled again in every state.
 */
void virtio_device_resume(struct virtio_device *device);

VIRTIO_END_DECLS

#endif
