/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Little-endian values on any host (virtio 1.4, clause 1.4: le16, le32 and le64).
 *
 * The conversions work on values. The get and put functions work on bytes at any alignment, in the
 * caller's own memory. For memory that the guest can change, use <virtio/guest_memory.h>.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     a change of the same bytes
 */
#ifndef VIRTIO_ENDIAN_H
#define VIRTIO_ENDIAN_H

#include <stdint.h>
#include <virtio/compiler.h>

VIRTIO_BEGIN_DECLS

/* Constant expressions, for initialisers. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define VIRTIO_LE16(v) ((uint16_t)(v))
#define VIRTIO_LE32(v) ((uint32_t)(v))
#define VIRTIO_LE64(v) ((uint64_t)(v))
#else
#define VIRTIO_LE16(v) __builtin_bswap16((uint16_t)(v))
#define VIRTIO_LE32(v) __builtin_bswap32((uint32_t)(v))
#define VIRTIO_LE64(v) __builtin_bswap64((uint64_t)(v))
#endif

/* Converts a value from or to little-endian. Both directions are the same operation. */
VIRTIO_INLINE uint16_t virtio_le16(uint16_t v);
VIRTIO_INLINE uint32_t virtio_le32(uint32_t v);
VIRTIO_INLINE uint64_t virtio_le64(uint64_t v);

/* Returns the little-endian value in the 2, 4 or 8 bytes at p, at any alignment. */
VIRTIO_INLINE uint16_t virtio_get_le16(const void *p);
VIRTIO_INLINE uint32_t virtio_get_le32(const void *p);
VIRTIO_INLINE uint64_t virtio_get_le64(const void *p);

/* Stores v as little-endian into the 2, 4 or 8 bytes at p, at any alignment. */
VIRTIO_INLINE void virtio_put_le16(void *p, uint16_t v);
VIRTIO_INLINE void virtio_put_le32(void *p, uint32_t v);
VIRTIO_INLINE void virtio_put_le64(void *p, uint64_t v);

VIRTIO_END_DECLS

#include <virtio/inline/endian.h>

#endif
