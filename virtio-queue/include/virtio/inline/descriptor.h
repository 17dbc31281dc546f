/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Inline bodies of <virtio/descriptor.h>, which includes this file. Do not include it directly. */
#ifndef VIRTIO_INLINE_DESCRIPTOR_H
#define VIRTIO_INLINE_DESCRIPTOR_H

#include <virtio/descriptor.h>
#include <virtio/endian.h>

VIRTIO_BEGIN_DECLS

VIRTIO_INLINE struct vring_desc virtio_split_desc(uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	struct vring_desc d;

	d.addr = virtio_le64(addr);
	d.len = virtio_le32(len);
	d.flags = virtio_le16(flags);
	d.next = virtio_le16(next);
	return d;
}

VIRTIO_INLINE uint64_t virtio_split_desc_addr(const struct vring_desc *d)
{
	return virtio_le64(d->addr);
}

VIRTIO_INLINE uint32_t virtio_split_desc_len(const struct vring_desc *d)
{
	return virtio_le32(d->len);
}

VIRTIO_INLINE uint16_t virtio_split_desc_flags(const struct vring_desc *d)
{
	return virtio_le16(d->flags);
}

VIRTIO_INLINE uint16_t virtio_split_desc_next(const struct vring_desc *d)
{
	return virtio_le16(d->next);
}

VIRTIO_INLINE struct vring_used_elem virtio_used_elem(uint32_t id, uint32_t len)
{
	struct vring_used_elem e;

	e.id = virtio_le32(id);
	e.len = virtio_le32(len);
	return e;
}

VIRTIO_INLINE uint32_t virtio_used_elem_id(const struct vring_used_elem *e)
{
	return virtio_le32(e->id);
}

VIRTIO_INLINE uint32_t virtio_used_elem_len(const struct vring_used_elem *e)
{
	return virtio_le32(e->len);
}

VIRTIO_END_DECLS

#endif
