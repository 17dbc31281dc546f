/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Descriptors and ring elements as values: built from, and read into, the host's byte order.
 *
 * Split and packed descriptors are 16 bytes each, with the same first 12; one raw form holds either,
 * little-endian, as it stands in guest memory. These functions work on the caller's own copies: what a
 * device does with descriptors in guest memory is <virtio/chain.h>'s business. They're for drivers in
 * tests, for tools that look at a dump, and for rings that the suite doesn't know.
 *
 * What the guest can do: nothing here, but every value read from a descriptor is the guest's.
 *
 * Threads: any. Nothing fails.
 *
 * virtio 1.4, 2.7.5 (split descriptors), 2.7.8 (used elements), 2.8.13 and 2.8.14 (packed)
 */
#ifndef VIRTIO_DESCRIPTOR_H
#define VIRTIO_DESCRIPTOR_H

#include <virtio/bindings/virtio_ring.h>
#include <virtio/endian.h>

VIRTIO_BEGIN_DECLS

/* A descriptor's 16 bytes, of either kind, as in guest memory. */
struct virtio_raw_desc {
	uint8_t bytes[16];
};

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_raw_desc) == sizeof(struct vring_desc),
		     "the raw form is a split descriptor's");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_raw_desc) == sizeof(struct vring_packed_desc), "and a packed one's");

/*
 * A split descriptor.
 *
 * @addr   guest address of the buffer
 * @len    its bytes
 * @flags  VRING_DESC_F_... bits
 * @next   index of the next descriptor, which counts under VRING_DESC_F_NEXT
 */
VIRTIO_INLINE struct virtio_raw_desc virtio_split_desc(uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	struct virtio_raw_desc d;

	virtio_put_le64(d.bytes, addr);
	virtio_put_le32(d.bytes + 8, len);
	virtio_put_le16(d.bytes + 12, flags);
	virtio_put_le16(d.bytes + 14, next);
	return d;
}

/*
 * A packed descriptor.
 *
 * @addr   guest address of the buffer
 * @len    its bytes; from the device, those written
 * @id     of the buffer, chosen by the driver
 * @flags  VRING_DESC_F_... bits, and those numbered VRING_PACKED_DESC_F_AVAIL and _USED
 */
VIRTIO_INLINE struct virtio_raw_desc virtio_packed_desc(uint64_t addr, uint32_t len, uint16_t id, uint16_t flags)
{
	/* The same two last fields the other way round. */
	return virtio_split_desc(addr, len, id, flags);
}

/* Fields that both kinds have in the same place. */
VIRTIO_INLINE uint64_t virtio_raw_desc_addr(const struct virtio_raw_desc *d)
{
	return virtio_get_le64(d->bytes);
}

VIRTIO_INLINE uint32_t virtio_raw_desc_len(const struct virtio_raw_desc *d)
{
	return virtio_get_le32(d->bytes + 8);
}

/* The rest of a split descriptor. */
VIRTIO_INLINE uint16_t virtio_split_desc_flags(const struct virtio_raw_desc *d)
{
	return virtio_get_le16(d->bytes + 12);
}

VIRTIO_INLINE uint16_t virtio_split_desc_next(const struct virtio_raw_desc *d)
{
	return virtio_get_le16(d->bytes + 14);
}

/* The rest of a packed descriptor. */
VIRTIO_INLINE uint16_t virtio_packed_desc_id(const struct virtio_raw_desc *d)
{
	return virtio_get_le16(d->bytes + 12);
}

VIRTIO_INLINE uint16_t virtio_packed_desc_flags(const struct virtio_raw_desc *d)
{
	return virtio_get_le16(d->bytes + 14);
}

/*
 * A used element, little-endian as in the used ring.
 *
 * @id   head of the chain
 * @len  bytes written to its writable buffers
 */
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

/*
 * A packed ring's event suppression structure, little-endian as in guest memory.
 *
 * @offset  descriptor at which a notification is wanted, 0 to 32767; counts under
 *          VRING_PACKED_EVENT_FLAG_DESC
 * @wrap    the wrap counter to go with it
 * @flags   VRING_PACKED_EVENT_FLAG_...
 */
VIRTIO_INLINE struct vring_packed_desc_event virtio_packed_event(uint16_t offset, uint8_t wrap, uint16_t flags)
{
	struct vring_packed_desc_event e;

	e.off_wrap = virtio_le16((uint16_t)((offset & 0x7fff) | (wrap ? 1u << VRING_PACKED_EVENT_F_WRAP_CTR : 0u)));
	e.flags = virtio_le16(flags);
	return e;
}

VIRTIO_INLINE uint16_t virtio_packed_event_offset(const struct vring_packed_desc_event *e)
{
	return virtio_le16(e->off_wrap) & 0x7fff;
}

VIRTIO_INLINE uint8_t virtio_packed_event_wrap(const struct vring_packed_desc_event *e)
{
	return (uint8_t)(virtio_le16(e->off_wrap) >> VRING_PACKED_EVENT_F_WRAP_CTR);
}

VIRTIO_INLINE uint16_t virtio_packed_event_flags(const struct vring_packed_desc_event *e)
{
	return virtio_le16(e->flags);
}

VIRTIO_END_DECLS

#endif
