/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A back end of the block device in the host's own memory: for boot images and tests.
 *
 * Guests reach the back end through <virtio/blk.h>, which checks their ranges. The back end checks
 * the ranges again. Its flush() does nothing, but lets the disk offer VIRTIO_BLK_F_FLUSH.
 *
 * Threads:
 *   functions                       who may call   what must not run beside
 *   the operations                  any thread     requests on the same bytes, if their order
 *                                   matters
 *   virtio_blk_memory_backend()     any thread     use of the same struct virtio_blk_memory
 *
 * Requests of several queues on the same bytes race: a read may see a part of a write.
 *
 * Freestanding.
 */
#ifndef VIRTIO_BLK_MEMORY_H
#define VIRTIO_BLK_MEMORY_H

#include <virtio/blk.h>

VIRTIO_BEGIN_DECLS

/* The disk's bytes. Plain data, filled in by the caller. */
struct virtio_blk_memory {
	void *bytes;
	uint64_t size; /* bytes; at most SIZE_MAX */
};

/*
 * Makes a back end of memory.
 *
 * @memory   must live, with its bytes, as long as the back end is used
 * @backend  filled in, for struct virtio_blk_options
 *
 * Returns 0; VIRTIO_EINVAL if size is above SIZE_MAX, or bytes is NULL and size is not 0.
 */
VIRTIO_MUST_CHECK
int virtio_blk_memory_backend(struct virtio_blk_memory *memory, struct virtio_blk_backend *backend);

VIRTIO_END_DECLS

#endif
