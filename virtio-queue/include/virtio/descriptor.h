/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Descriptors and used elements of a split ring as values: made from the host's byte order, and
 * read into it.
 *
 * The structures are little-endian, as in guest memory. The functions work on the caller's own
 * copies, for drivers in tests and tools that look at a dump. A device reads the descriptors of a
 * chain by <virtio/chain.h>.
 *
 * What the guest can do: nothing here. Every value read from a descriptor is the guest's.
 *
 * Threads: all functions are thread-safe. Nothing fails.
 *
 * virtio 1.4, 2.7.5 (descriptors) and 2.7.8 (used elements)
 */
#ifndef VIRTIO_DESCRIPTOR_H
#define VIRTIO_DESCRIPTOR_H

#include <stdint.h>
#include <virtio/bindings/virtio_ring.h>
#include <virtio/compiler.h>

VIRTIO_BEGIN_DECLS

/*
 * Makes a descriptor.
 *
 * @addr   guest address of the buffer
 * @len    bytes of the buffer
 * @flags  VRING_DESC_F_... bits
 * @next   index of the next descriptor; used under VRING_DESC_F_NEXT
 */
VIRTIO_INLINE struct vring_desc virtio_split_desc(uint64_t addr, uint32_t len, uint16_t flags, uint16_t next);

VIRTIO_INLINE uint64_t virtio_split_desc_addr(const struct vring_desc *d);
VIRTIO_INLINE uint32_t virtio_split_desc_len(const struct vring_desc *d);
VIRTIO_INLINE uint16_t virtio_split_desc_flags(const struct vring_desc *d);
VIRTIO_INLINE uint16_t virtio_split_desc_next(const struct vring_desc *d);

/*
 * Makes a used element.
 *
 * @id   head of the chain
 * @len  bytes written to its writable buffers
 */
VIRTIO_INLINE struct vring_used_elem virtio_used_elem(uint32_t id, uint32_t len);

VIRTIO_INLINE uint32_t virtio_used_elem_id(const struct vring_used_elem *e);
VIRTIO_INLINE uint32_t virtio_used_elem_len(const struct vring_used_elem *e);

VIRTIO_END_DECLS

#include <virtio/inline/descriptor.h>

#endif
