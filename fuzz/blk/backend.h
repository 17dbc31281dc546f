/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The back end of the block harness. */
#ifndef VIRTIO_FUZZ_BLK_BACKEND_H
#define VIRTIO_FUZZ_BLK_BACKEND_H

#include "harness.h"

/* The operations that the library calls. The harness's own transfers call the functions below. */
extern const struct virtio_blk_backend_ops blk_backend_ops;
int64_t blk_backend_move(struct blk_harness *h, const struct virtio_iovec *iov, uint32_t count, uint64_t offset,
			 bool to_disk);
int blk_backend_flush(void *context);

#endif
