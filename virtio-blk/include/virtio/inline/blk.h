/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Inline bodies of <virtio/blk.h>, which includes this file. Do not include it directly. */
#ifndef VIRTIO_INLINE_BLK_H
#define VIRTIO_INLINE_BLK_H

#include <virtio/blk.h>

VIRTIO_BEGIN_DECLS

/* Fills in a request that has an error, or a type above GET_LIFETIME such as DISCARD. */
void virtio_impl_blk_fill_slow(struct virtio_blk_request *request);

VIRTIO_INLINE struct virtio_blk_data virtio_blk_out(const struct virtio_blk_request *request)
{
	const struct virtio_chain_segments *data = &request->base.data;
	const struct virtio_blk_data out = { data->segments, data->readable, data->readable_bytes };

	return out;
}

VIRTIO_INLINE struct virtio_blk_data virtio_blk_in(const struct virtio_blk_request *request)
{
	const struct virtio_chain_segments *data = &request->base.data;
	const struct virtio_blk_data in = { data->segments + data->readable, data->writable, data->writable_bytes };

	return in;
}

/* Fills in a request from its parsed chain. `plain` is true only if the request has no error. */
VIRTIO_INLINE VIRTIO_HOT void virtio_impl_blk_fill(struct virtio_blk_request *request, bool plain)
{
	request->type = virtio_get_le32(request->header);
	request->sector = virtio_get_le64(request->header + 8);
	request->range_count = 0;
	if ((!plain && VIRTIO_UNLIKELY(request->base.error != 0)) ||
	    VIRTIO_UNLIKELY(request->type > VIRTIO_BLK_T_GET_LIFETIME))
		virtio_impl_blk_fill_slow(request);
}

VIRTIO_INLINE VIRTIO_HOT int virtio_blk_pop(struct virtio_queue *queue, struct virtio_blk_request *request)
{
	bool plain;
	const int got =
		virtio_impl_request_pop_to(queue, &request->base, request->header, sizeof request->header, &plain);

	if (got == 1)
		virtio_impl_blk_fill(request, plain);
	return got;
}

VIRTIO_END_DECLS

#endif
