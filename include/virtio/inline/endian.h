/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Inline bodies of <virtio/endian.h>, which includes this file. Do not include it directly. */
#ifndef VIRTIO_INLINE_ENDIAN_H
#define VIRTIO_INLINE_ENDIAN_H

#include <string.h>
#include <virtio/endian.h>

VIRTIO_BEGIN_DECLS

VIRTIO_INLINE uint16_t virtio_le16(uint16_t v)
{
	return VIRTIO_LE16(v);
}

VIRTIO_INLINE uint32_t virtio_le32(uint32_t v)
{
	return VIRTIO_LE32(v);
}

VIRTIO_INLINE uint64_t virtio_le64(uint64_t v)
{
	return VIRTIO_LE64(v);
}

VIRTIO_INLINE uint16_t virtio_get_le16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return virtio_le16(v);
}

VIRTIO_INLINE uint32_t virtio_get_le32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return virtio_le32(v);
}

VIRTIO_INLINE uint64_t virtio_get_le64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return virtio_le64(v);
}

VIRTIO_INLINE void virtio_put_le16(void *p, uint16_t v)
{
	v = virtio_le16(v);
	memcpy(p, &v, sizeof v);
}

VIRTIO_INLINE void virtio_put_le32(void *p, uint32_t v)
{
	v = virtio_le32(v);
	memcpy(p, &v, sizeof v);
}

VIRTIO_INLINE void virtio_put_le64(void *p, uint64_t v)
{
	v = virtio_le64(v);
	memcpy(p, &v, sizeof v);
}

VIRTIO_END_DECLS

#endif
