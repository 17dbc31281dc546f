/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Raw access to guest memory behind a host pointer that <virtio/guest_memory.h> has resolved.
 *
 * Everything that the suite does to guest bytes is one of these. For back ends that copy, and for
 * devices with shared structures of their own. Nothing is checked, and nothing is recorded in a
 * dirty log.
 *
 * What the guest can do: change the bytes at any time. Each function touches each byte once.
 *
 * Threads: any.
 */
#ifndef VIRTIO_GUEST_ACCESS_H
#define VIRTIO_GUEST_ACCESS_H

#include <stddef.h>
#include <stdint.h>
#include <virtio/compiler.h>

VIRTIO_BEGIN_DECLS

/*
 * Parameters of all functions:
 *
 * @guest   host address of the first guest byte: all bytes of the access are inside one region. For
 *          a ..._load_... or ..._store_... aligned to the field's size; a used element to 4 bytes,
 *          a descriptor to 8
 * @dst     the caller's own memory, len bytes
 * @src     likewise; only read
 * @len     bytes; may be 0
 * @value   in the host's byte order, as is everything that a load returns
 */

/*
 * A descriptor's 16 bytes, in the host's byte order. Neighbours differ in size, or compilers make
 * vectors of them.
 */
struct virtio_guest_desc {
	uint64_t addr;
	uint32_t flags_next; /* flags in bits 0 to 15, next in 16 to 31 */
	uint64_t len;        /* 32 bits; computed with in 64 */
};

/* Copies out of guest memory once: the compiler may not go back to the source for a second look. */
VIRTIO_INLINE void virtio_guest_copy_in(void *dst, const void *guest, size_t len);

VIRTIO_INLINE void virtio_guest_copy_out(void *guest, const void *src, size_t len);

VIRTIO_INLINE uint16_t virtio_guest_load_le16(const void *guest);

/* Pairs with the release store by which the driver publishes an index (virtio 1.4, 2.7.13.3). */
VIRTIO_INLINE uint16_t virtio_guest_load_le16_acquire(const void *guest);

VIRTIO_INLINE void virtio_guest_store_le16(void *guest, uint16_t value);

/* Pairs with the acquire load (or read barrier) by which the driver sees an index (2.7.8.2). */
VIRTIO_INLINE void virtio_guest_store_le16_release(void *guest, uint16_t value);

/*
 * A used element: 4-byte aligned, and published by the index that follows, so it may be written in
 * two.
 */
VIRTIO_INLINE void virtio_guest_store_used(void *guest, uint32_t id, uint32_t len);

/* An aligned descriptor. Each byte of it is read exactly once. */
VIRTIO_INLINE struct virtio_guest_desc virtio_guest_load_desc(const void *guest);

/*
 * Orders everything before it, stores included, before everything after it, loads included: what
 * both sides need between publishing their own index and looking at the other side's wish to be
 * notified.
 */
VIRTIO_INLINE void virtio_full_fence(void);

VIRTIO_END_DECLS

#include <virtio/inline/guest_access.h>

#endif
