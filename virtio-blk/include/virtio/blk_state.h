/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The saved state of a disk, for snapshots and migration. That of its queues and of the device core
 * is theirs.
 *
 * Threads: see <virtio/blk.h>.
 *
 * virtio 1.4, 5.2
 */
#ifndef VIRTIO_BLK_STATE_H
#define VIRTIO_BLK_STATE_H

#include <virtio/blk.h>

VIRTIO_BEGIN_DECLS

/*
 * What driver and operator have changed of a disk, for snapshots and migration. Plain data. The
 * options aren't part of the state: the owner of the disk has them.
 */
struct virtio_blk_state {
	uint64_t features; /* negotiated: a mask of bits 0 to 23 */
	uint64_t capacity; /* 512-byte sectors */
	uint8_t writeback; /* the configuration field: 0 write-through, 1 write-back */
};

/*
 * Saves. The disk goes on as before.
 *
 * @out  filled in
 */
void virtio_blk_save(const struct virtio_blk *blk, struct virtio_blk_state *out);

/*
 * Restores the features and the cache mode.
 *
 * @blk    as virtio_blk_init() or virtio_blk_reset() left it, or with the features of the state
 *         negotiated since. Its capacity is what the storage has here.
 * @state  from virtio_blk_save(), perhaps by way of a file; checked as if a guest had made it
 *
 * A device core's restore negotiates the same features, before or after this call. Neither order
 * changes the result.
 *
 * The disk keeps its own capacity, which is never less than the driver has seen. The caller of a
 * disk that was resized gives it the new capacity before the restore.
 *
 * Returns 0; 1 if the disk is larger than the state says: then the caller sends a configuration
 * change notification, as for virtio_blk_set_capacity(). Otherwise VIRTIO_EINVAL, and then changes
 * nothing:
 *   features   a bit that isn't offered, or bits other than the driver has negotiated already
 *   capacity   more sectors than the disk has
 *   writeback  a value that the driver can't have reached: above 1, 1 without FLUSH, 0 with FLUSH
 *              but not CONFIG_WCE
 */
VIRTIO_MUST_CHECK
int virtio_blk_restore(struct virtio_blk *blk, const struct virtio_blk_state *state);

VIRTIO_END_DECLS

#endif
