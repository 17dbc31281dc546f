/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Inline bodies of <virtio/vsock.h>, which includes this file. Do not include it directly. */
#ifndef VIRTIO_INLINE_VSOCK_H
#define VIRTIO_INLINE_VSOCK_H

#include <virtio/vsock.h>

VIRTIO_BEGIN_DECLS

VIRTIO_INLINE void virtio_vsock_header_from_raw(struct virtio_vsock_hdr *header, const void *raw)
{
	memcpy(header, raw, sizeof *header);
}

VIRTIO_INLINE void virtio_vsock_header_to_raw(const struct virtio_vsock_hdr *header, void *raw)
{
	memcpy(raw, header, sizeof *header);
}

VIRTIO_INLINE uint64_t virtio_vsock_src_cid(const struct virtio_vsock_hdr *header)
{
	return virtio_le64(header->src_cid);
}

VIRTIO_INLINE uint64_t virtio_vsock_dst_cid(const struct virtio_vsock_hdr *header)
{
	return virtio_le64(header->dst_cid);
}

VIRTIO_INLINE uint32_t virtio_vsock_src_port(const struct virtio_vsock_hdr *header)
{
	return virtio_le32(header->src_port);
}

VIRTIO_INLINE uint32_t virtio_vsock_dst_port(const struct virtio_vsock_hdr *header)
{
	return virtio_le32(header->dst_port);
}

VIRTIO_INLINE uint32_t virtio_vsock_len(const struct virtio_vsock_hdr *header)
{
	return virtio_le32(header->len);
}

VIRTIO_INLINE uint16_t virtio_vsock_type(const struct virtio_vsock_hdr *header)
{
	return virtio_le16(header->type);
}

VIRTIO_INLINE uint16_t virtio_vsock_op(const struct virtio_vsock_hdr *header)
{
	return virtio_le16(header->op);
}

VIRTIO_INLINE uint32_t virtio_vsock_flags(const struct virtio_vsock_hdr *header)
{
	return virtio_le32(header->flags);
}

VIRTIO_INLINE uint32_t virtio_vsock_buf_alloc(const struct virtio_vsock_hdr *header)
{
	return virtio_le32(header->buf_alloc);
}

VIRTIO_INLINE uint32_t virtio_vsock_fwd_cnt(const struct virtio_vsock_hdr *header)
{
	return virtio_le32(header->fwd_cnt);
}

VIRTIO_INLINE void virtio_vsock_set_src_cid(struct virtio_vsock_hdr *header, uint64_t src_cid)
{
	header->src_cid = virtio_le64(src_cid);
}

VIRTIO_INLINE void virtio_vsock_set_dst_cid(struct virtio_vsock_hdr *header, uint64_t dst_cid)
{
	header->dst_cid = virtio_le64(dst_cid);
}

VIRTIO_INLINE void virtio_vsock_set_src_port(struct virtio_vsock_hdr *header, uint32_t src_port)
{
	header->src_port = virtio_le32(src_port);
}

VIRTIO_INLINE void virtio_vsock_set_dst_port(struct virtio_vsock_hdr *header, uint32_t dst_port)
{
	header->dst_port = virtio_le32(dst_port);
}

VIRTIO_INLINE void virtio_vsock_set_len(struct virtio_vsock_hdr *header, uint32_t len)
{
	header->len = virtio_le32(len);
}

VIRTIO_INLINE void virtio_vsock_set_type(struct virtio_vsock_hdr *header, uint16_t type)
{
	header->type = virtio_le16(type);
}

VIRTIO_INLINE void virtio_vsock_set_op(struct virtio_vsock_hdr *header, uint16_t op)
{
	header->op = virtio_le16(op);
}

VIRTIO_INLINE void virtio_vsock_set_flags(struct virtio_vsock_hdr *header, uint32_t flags)
{
	header->flags = virtio_le32(flags);
}

VIRTIO_INLINE void virtio_vsock_set_buf_alloc(struct virtio_vsock_hdr *header, uint32_t buf_alloc)
{
	header->buf_alloc = virtio_le32(buf_alloc);
}

VIRTIO_INLINE void virtio_vsock_set_fwd_cnt(struct virtio_vsock_hdr *header, uint32_t fwd_cnt)
{
	header->fwd_cnt = virtio_le32(fwd_cnt);
}

VIRTIO_INLINE bool virtio_vsock_shuts_receive(const struct virtio_vsock_hdr *header)
{
	return virtio_vsock_op(header) == VIRTIO_VSOCK_OP_SHUTDOWN &&
	       (virtio_vsock_flags(header) & VIRTIO_VSOCK_SHUTDOWN_RCV) != 0;
}

VIRTIO_INLINE bool virtio_vsock_shuts_send(const struct virtio_vsock_hdr *header)
{
	return virtio_vsock_op(header) == VIRTIO_VSOCK_OP_SHUTDOWN &&
	       (virtio_vsock_flags(header) & VIRTIO_VSOCK_SHUTDOWN_SEND) != 0;
}

VIRTIO_INLINE bool virtio_vsock_ends_message(const struct virtio_vsock_hdr *header)
{
	return virtio_vsock_op(header) == VIRTIO_VSOCK_OP_RW &&
	       (virtio_vsock_flags(header) & VIRTIO_VSOCK_SEQ_EOM) != 0;
}

VIRTIO_INLINE bool virtio_vsock_ends_record(const struct virtio_vsock_hdr *header)
{
	return virtio_vsock_op(header) == VIRTIO_VSOCK_OP_RW &&
	       (virtio_vsock_flags(header) & VIRTIO_VSOCK_SEQ_EOR) != 0;
}

VIRTIO_INLINE int virtio_vsock_complete(struct virtio_queue *queue, const struct virtio_vsock_packet *packet)
{
	return virtio_queue_complete(queue, packet->token, 0);
}

VIRTIO_END_DECLS

#endif
