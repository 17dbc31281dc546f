/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The saved state of a device core, for snapshots and migration.
 *
 * The state is a plain structure and an array with the configurations of the queues. It does not
 * include the states of the device type and of its queues: the device saves and restores these. The
 * VMM stops the vCPUs and the device's threads during a save and a restore.
 *
 * The order of a save:
 *
 *   1 stop        no vCPU runs, and no thread of the device takes requests
 *   2 drain       each request in flight is completed, or is recorded and not completed later
 *   3 queues      virtio_queue_save_in_flight()
 *   4 device      its type's own state: virtio_blk_save(), virtio_console_save() and the like
 *   5 core        virtio_device_save(), with the interrupt status
 *   6 memory      guest memory and its dirty log
 *
 * A completion is lost if it happens after the save of the queue, the interrupt status or the log.
 *
 * The order of a restore:
 *
 *   1 restore guest memory, and make a device by virtio_device_init(), with the same options
 *   2 read and check every section of the file: virtio_device_read_state(), virtio_blk_read_state()
 *     and the like, virtio_queue_ser_read() for each queue, with virtio_device_saved_config()
 *   3 core        virtio_device_restore(), by which the device gets its features
 *   4 device      virtio_blk_restore() and the like, in place of activate(), which is not called
 *   5 queues      virtio_device_queues_restore() for each queue, or virtio_queue_restore() for each
 *                 queue that runs; then virtio_queue_replay() for each entry of the queue's record
 *   6 resume      virtio_device_resume()
 *
 * Step 2 changes nothing, so a file that is refused leaves the new device untouched. If step 4 or 5
 * fails, call virtio_device_set_needs_reset() before step 6. A block device may also be restored
 * before the core. A device can be saved right after its restore.
 *
 * A queue runs while the device is active and the queue is ready. The device restores a running
 * queue, and does not start it.
 *
 * Options, memory maps, statistics and back ends are not saved. The file back end of the target
 * does not know of a failed flush on the source. So do not migrate a disk whose flush has failed.
 *
 * What the guest can do: prevent a restore, but only while the translation of a queue's area is not
 * known yet. virtio_device_restore() checks that the areas of enabled queues are in guest memory,
 * but does not read the areas. A state is checked as if a guest had written it.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     another register access of the same device, see
 *                                        <virtio/device.h>
 */
#ifndef VIRTIO_DEVICE_STATE_H
#define VIRTIO_DEVICE_STATE_H

#include <virtio/device.h>
#include <virtio/section.h>

VIRTIO_BEGIN_DECLS

/* Returns the layout of a core's section: struct virtio_device_state, and a list "queues". */
const struct virtio_section_layout *virtio_device_layout(void);

/* A core's state. Members are as in struct virtio_device, or as its queries return them. */
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

/* The driver's settings of one queue. */
struct virtio_queue_registers_state {
	uint64_t addr[3];
	uint16_t max_size; /* 0 if the queue does not exist; then all members are 0 */
	uint16_t size;
	bool ready;
	bool may_reenable;
	bool enabling;  /* QueueReady = 1 waits for a translation, and the vCPU is held */
	bool resetting; /* a reset of the queue has failed, and still shows as in progress */
	uint8_t given;  /* `given` and `refused`: see struct virtio_queue_registers */
	uint8_t refused;
};

/*
 * Saves the device core.
 *
 * @state    filled in
 * @queues   filled in: one entry for each of the device's num_queues
 * @entries  number of entries of queues
 *
 * Returns 0, or an error that changes nothing:
 *   VIRTIO_EBUSY    a reset, or the stop of a queue, is in progress and waits for requests in
 *                   flight. These requests must not be replayed, but memory still lacks their
 *                   effects. Step 2 of a save ends these requests. After that a report ends the
 *                   stop or the reset: virtio_device_queues_report(), virtio_device_reset_done(),
 *                   virtio_device_queue_quiesced() or virtio_device_queue_stopped(). Then retry.
 *   VIRTIO_ENOBUFS  fewer entries than the device has queues
 */
VIRTIO_MUST_CHECK
int virtio_device_save(const struct virtio_device *device, struct virtio_device_state *state,
		       struct virtio_queue_registers_state *queues, uint32_t entries);

/*
 * Checks a state as virtio_device_restore() will, except for the operation check_features().
 * Changes nothing.
 *
 * @refusal  on failure the refused value, named as in virtio_device_layout(); otherwise untouched
 *
 * Returns 0 or an error of virtio_device_restore().
 */
VIRTIO_MUST_CHECK
int virtio_device_check_state(const struct virtio_device *device, const struct virtio_device_state *state,
			      const struct virtio_queue_registers_state *queues, uint32_t entries,
			      struct virtio_refusal *refusal);

/*
 * Restores a state into a device that is as virtio_device_init() made it. The device must have the
 * same type and the same queues, and must have memory if a queue is ready.
 *
 * Calls the operation check_features() if the state has FEATURES_OK, after all other checks. Calls
 * no other operation.
 *
 * Returns 0, or an error that changes nothing:
 *   VIRTIO_EBUSY       the device is in use: its status is not 0, or a reset is in progress
 *   VIRTIO_EINVAL      an impossible value, see below
 *   VIRTIO_ENOTSUP     the operation check_features() refuses the features
 *   VIRTIO_ESIZE, VIRTIO_EALIGN, VIRTIO_EFAULT, VIRTIO_EPERM
 *                      a bad size or address of a queue, or a bad area of a ready queue
 *   VIRTIO_ENOTMAPPED  an area of a ready queue is not mapped yet: the caller may retry
 *
 * VIRTIO_EINVAL has these causes:
 *   device      - the type, the number of queues or a queue's max_size differs from the device's
 *               - `entries` is not num_queues of the device
 *   bools       a value that is neither 0 nor 1
 *   status      - no driver can reach the status
 *               - `active` is set without DRIVER_OK
 *               - DRIVER_OK is set, but `active` and DEVICE_NEEDS_RESET are clear
 *   features    - FEATURES_OK without VERSION_1, or with a feature that is not offered
 *               - features accepted before DRIVER
 *   interrupts  an interrupt status that is impossible with this status
 *   queues      - `ready` is set without FEATURES_OK
 *               - max_size is 0, but another member is not
 *               - `may_reenable`, `enabling` or `resetting` is set in an impossible state
 *   areas       - unknown bits of `given` or `refused`, or an area in both members
 *               - `ready` or `enabling` is set, but `given` lacks an area or `refused` is not 0
 *               - an area in neither member, although the low half of its address is not 0
 *
 * If the device needs a reset, areas may be outside guest memory, because the reset forgets them.
 * If the memory has a translation, VIRTIO_EFAULT and VIRTIO_EPERM do not stop a restore, because
 * the guest controls the translation. virtio_queue_restore() then breaks a queue with such an
 * area.
 *
 * A queue that is enabling waits as before: see virtio_device_queue_mapped().
 */
VIRTIO_MUST_CHECK
int virtio_device_restore(struct virtio_device *device, const struct virtio_device_state *state,
			  const struct virtio_queue_registers_state *queues, uint32_t entries);

/*
 * Gets the configuration of a queue in a saved state, for the check of the queue's own state.
 *
 * @device          has the same options as the target of the restore
 * @state, @queues  as for virtio_device_check_state(), which has accepted them
 * @queue           index
 * @config          set; `ready` says whether the queue runs
 *
 * Returns 0; VIRTIO_EINVAL for an index that the state lacks. On failure config is untouched.
 */
VIRTIO_MUST_CHECK
int virtio_device_saved_config(const struct virtio_device *device, const struct virtio_device_state *state,
			       const struct virtio_queue_registers_state *queues, uint32_t queue,
			       struct virtio_queue_config *config);

/*
 * Gets the negotiated features of a saved state, for the check of the device type's state.
 *
 * @out  set to bits 0 to 63, if true is returned
 *
 * Returns whether features are negotiated, that is, FEATURES_OK is set.
 */
bool virtio_device_saved_features(const struct virtio_device_state *state, uint64_t *out);

/*
 * Writes the section of a core.
 *
 * @number          number of the device in the file, chosen by the caller
 * @state, @queues  from virtio_device_save()
 */
void virtio_device_write_state(struct virtio_section_writer *writer, uint32_t number,
			       const struct virtio_device_state *state,
			       const struct virtio_queue_registers_state *queues);

/*
 * Reads and checks the section of a core.
 *
 * @number   the number that was written
 * @device   the target of the restore
 * @state    for virtio_device_restore()
 * @queues   the caller's array
 * @entries  entries of queues; at least num_queues of the device
 *
 * Returns 0; or an error of virtio_section_read() or virtio_device_check_state(). After an error
 * reader->fault names the section, the value and the value's offset in the file. `state` is then
 * untouched, and the content of `queues` is undefined.
 */
VIRTIO_MUST_CHECK
int virtio_device_read_state(struct virtio_section_reader *reader, uint32_t number, const struct virtio_device *device,
			     struct virtio_device_state *state, struct virtio_queue_registers_state *queues,
			     uint32_t entries);

/*
 * Starts a device that was just restored. Do not call this for other devices. Call this after the
 * queues are restored, and before the first access of the guest. The driver may have kicked, or the
 * device may have used buffers, just before the save. Therefore:
 *   - If the device is active, without FAILED, and needs no reset: queue_notify() is called once
 *     for each running queue, and the driver is interrupted once for each running queue.
 *   - Any other interrupt that was pending at the save is signalled again, if DRIVER_OK is set.
 */
void virtio_device_resume(struct virtio_device *device);

VIRTIO_END_DECLS

#endif
