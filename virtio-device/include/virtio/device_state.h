/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The saved state of a device core, for snapshots and migration.
 *
 * A plain structure, and the configurations of the queues beside it. The device saves and restores
 * its own state and its queues. The VMM stops the vCPUs and the device's threads for both.
 *
 * The parts of a whole device, in the order of a restore:
 *
 *   part            by      what is saved
 *   core            VMM     status, features, selectors, interrupts, generation, and each queue's
 *                   configuration
 *   running queue   device  the next indices
 *   - in flight     device  also the heads in flight
 *   block           device  negotiated features, writeback, capacity
 *   entropy         -       nothing
 *   another type    device  what its driver can set in it
 *   whole device    VMM     nothing
 *
 *   part            saved by                         restored by
 *   core            virtio_device_save()             virtio_device_init(), virtio_device_restore()
 *   running queue   virtio_queue_save()              virtio_queue_init(), virtio_queue_restore()
 *   - in flight     virtio_queue_save_in_flight()    the same, and virtio_queue_replay() per head
 *   - with a lock   the same under                   the same, and virtio_queue_sync_replay()
 *                   virtio_queue_sync_lock()
 *   block           virtio_blk_save()                virtio_blk_init(), virtio_blk_restore()
 *   whole device                                     virtio_device_resume()
 *
 * A queue runs while the device is active and the queue is ready. The device restores such a queue
 * instead of starting it, because activate() is not called. A block device may also be restored
 * before the core.
 *
 * Options, memory maps, statistics and back ends are not saved. On another host a file back end
 * does not know that a flush has failed. The VMM must not migrate such a disk as a good one.
 *
 * The order of a save:
 * 1. The device completes no more requests, and saves its queues.
 * 2. virtio_device_save()
 * 3. The VMM reads the dirty log last. A completion after the save would set an interrupt and mark
 *    a page that nobody saves.
 *
 * What the guest can do: nothing here reads guest memory, except that the areas of enabled queues
 * must be there. A state from elsewhere is checked as if a guest had made it.
 *
 * Threads: all functions are register accesses: see <virtio/device.h>.
 */
#ifndef VIRTIO_DEVICE_STATE_H
#define VIRTIO_DEVICE_STATE_H

#include <virtio/device.h>

VIRTIO_BEGIN_DECLS

/* What the driver has set up. Members as in struct virtio_device. */
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
	uint16_t max_size; /* 0: absent, and all other members are 0 */
	uint16_t size;
	bool ready;
	bool may_reenable;
	uint8_t given; /* as in struct virtio_queue_registers */
	uint8_t refused;
};

/*
 * Saves the state.
 *
 * @state   filled in
 * @queues  filled in: one entry for each of the device's num_queues
 * @entries of queues
 *
 * Returns 0, or:
 *   VIRTIO_EBUSY    a reset, or the stop or the enabling of a queue, is in progress; or the reset
 *                   of a queue has failed
 *   VIRTIO_ENOBUFS  fewer entries than queues
 *
 * A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_device_save(const struct virtio_device *device, struct virtio_device_state *state,
		       struct virtio_queue_registers_state *queues, uint32_t entries);

/*
 * Restores a state into a device as virtio_device_init() made it: of the same type, with the same
 * queues, and with memory if a queue is ready.
 *
 * The only operation called is check_features(), if the state has FEATURES_OK. It is called last,
 * so accepted features are restored. Returns 0, or an error that changes nothing:
 *   VIRTIO_EBUSY   the device is in use: its status is not 0, or a reset is in progress
 *   VIRTIO_EINVAL  the state is impossible, see below
 *   VIRTIO_ENOTSUP the operation check_features() refuses the features
 *   other errors   of a queue, as virtio_queue_config_check(). After VIRTIO_ENOTMAPPED the caller
 *                  may retry when the areas are mapped.
 *
 * Impossible states:
 * - another type, other queues, or entries that is not num_queues
 * - a bool that is neither 0 nor 1
 * - a status that no driver can reach; DRIVER_OK and active that disagree
 * - features after FEATURES_OK that were not offered, or features selected before DRIVER
 * - impossible interrupts
 * - a queue that is ready too early, absent but not empty, or may_reenable where it cannot be
 * - unknown bits of given or refused, or an area in both
 * - a ready queue with an area that was not set, or with a refused value
 * - the low half of an address that was never set
 */
VIRTIO_MUST_CHECK
int virtio_device_restore(struct virtio_device *device, const struct virtio_device_state *state,
			  const struct virtio_queue_registers_state *queues, uint32_t entries);

/*
 * Starts a device that was just restored, after its queues are restored and before the guest's
 * first access. No other device needs this. Just before the save a driver may have kicked, or the
 * device may have used buffers.
 *
 * So, while the device is active and neither needs a reset nor has FAILED, each running queue is
 * notified once, and the driver is interrupted once for each. Whatever else was pending is
 * signalled again in every state.
 */
void virtio_device_resume(struct virtio_device *device);

VIRTIO_END_DECLS

#endif
