/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The external copies of the inline functions; see virtio-queue/src/inline.c. */
#include <virtio/blk.h>

extern void virtio_blk_set_data(struct virtio_blk_request *request, const struct virtio_segment *segment,
				bool writable);
extern int virtio_blk_parse(struct virtio_chain *chain, const struct virtio_blk_storage *storage,
			    struct virtio_blk_request *request);
