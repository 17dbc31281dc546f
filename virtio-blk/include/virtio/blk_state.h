/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The saved state of a disk, for snapshots and migration. The disk's queues and the device core
 * have states of their own.
 *
 * Threads:
 *   functions               who may call   what must not run beside
 *   virtio_blk_restore()    any thread     every other call on the same disk
 *   other functions         any thread     functions of the last row of <virtio/blk.h>'s table, and
 *                                          another call on the same writer or reader
 *
 * virtio 1.4, 5.2
 */
#ifndef VIRTIO_BLK_STATE_H
#define VIRTIO_BLK_STATE_H

#include <virtio/blk.h>
#include <virtio/section.h>

VIRTIO_BEGIN_DECLS

/* Returns the layout of a disk's section: the values of struct virtio_blk_state. */
const struct virtio_section_layout *virtio_blk_layout(void);

/*
 * The values that a driver or an operator can change. Plain data. The options are not part of the
 * state: the target's disk must have been set up with the options of the source.
 */
struct virtio_blk_state {
	uint64_t features; /* negotiated: a mask of bits 0 to 23 */
	uint64_t capacity; /* 512-byte sectors */
	uint8_t writeback; /* the configuration field: 0 write-through, 1 write-back */
};

/*
 * Saves the state. The disk does not change.
 *
 * @out  filled in
 */
void virtio_blk_save(const struct virtio_blk *blk, struct virtio_blk_state *out);

/*
 * Restores the features and the cache mode.
 *
 * @blk    as virtio_blk_init() or virtio_blk_reset() left it. Since then the state's features may
 *         have been negotiated. The disk's capacity must be the capacity of the target's storage.
 * @state  from virtio_blk_save(), perhaps through a file; checked as if a guest had written it
 *
 * virtio_device_restore() calls the operation check_features(), in which the caller's device calls
 * virtio_blk_negotiate(). virtio_device_restore() may run before or after virtio_blk_restore().
 *
 * The disk keeps its own capacity, which must not be less than the state's capacity. The owner of a
 * disk that was resized sets the new capacity before the restore.
 *
 * Returns 0; or 1 if the disk's capacity is larger than the state's. After the result 1 the caller
 * sends a configuration change notification, as for virtio_blk_set_capacity(). Returns
 * VIRTIO_EINVAL and changes nothing if a value is wrong:
 *   features   a bit that is not offered, or a difference from features that are already negotiated
 *   capacity   more sectors than the disk has
 *   writeback  a value above 1, the value 1 without FLUSH, or the value 0 with FLUSH but without
 *              CONFIG_WCE
 */
VIRTIO_MUST_CHECK
int virtio_blk_restore(struct virtio_blk *blk, const struct virtio_blk_state *state);

/*
 * Checks a state as virtio_blk_restore() does. Changes nothing in the disk.
 *
 * @refusal  set on failure: the refused value, named as in virtio_blk_layout()
 *
 * Returns 0 or VIRTIO_EINVAL.
 */
VIRTIO_MUST_CHECK
int virtio_blk_check_state(const struct virtio_blk *blk, const struct virtio_blk_state *state,
			   struct virtio_refusal *refusal);

/*
 * Writes the section of a disk.
 *
 * @number  number of the device in the file of saved state, chosen by the caller
 * @state   from virtio_blk_save()
 */
void virtio_blk_write_state(struct virtio_section_writer *writer, uint32_t number,
			    const struct virtio_blk_state *state);

/*
 * Reads and checks the section of a disk.
 *
 * @number    the number given to virtio_blk_write_state()
 * @blk       the target of the restore
 * @features  from virtio_device_saved_features() for the same file: the state must have the same
 *            bits 0 to 23. NULL accepts all offered features.
 * @state     for virtio_blk_restore(); untouched on failure
 *
 * Returns 0; or an error of virtio_section_read() or virtio_blk_check_state(). After an error
 * reader->fault has the section and the offset in the file, and names the value if one is wrong.
 */
VIRTIO_MUST_CHECK
int virtio_blk_read_state(struct virtio_section_reader *reader, uint32_t number, const struct virtio_blk *blk,
			  const uint64_t *features, struct virtio_blk_state *state);

VIRTIO_END_DECLS

#endif
