/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Converts descriptors and used elements of a split ring from and to the host's byte order.
 *
 * The structures are little-endian, as in guest memory. The functions work on the caller's own
 * copies. Drivers in tests need these functions, and so do tools that read a dump of memory. A
 * device reads the descriptors of a chain with <virtio/chain.h>.
 *
 * What the guest can do: nothing here. But every value read from a descriptor comes from the guest.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     a change of the same structure
 *
 * No function fails.
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
 * @next   index of the next descriptor; devices ignore it without VRING_DESC_F_NEXT
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
 * @len  bytes written to the chain's writable buffers
 */
VIRTIO_INLINE struct vring_used_elem virtio_used_elem(uint32_t id, uint32_t len);

VIRTIO_INLINE uint32_t virtio_used_elem_id(const struct vring_used_elem *e);
VIRTIO_INLINE uint32_t virtio_used_elem_len(const struct vring_used_elem *e);

VIRTIO_END_DECLS

#include <virtio/inline/descriptor.h>

#endif
