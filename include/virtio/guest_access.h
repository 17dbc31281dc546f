/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Raw access to guest memory through a host pointer from <virtio/guest_memory.h>.
 *
 * Every copy of guest bytes and every access to a ring uses one of these functions, except in
 * virtio_memory_load_le32() and virtio_memory_store_le32(). Use these functions in a back end that
 * copies, or in a device with shared structures of its own. The functions check nothing, and record
 * nothing in a dirty log.
 *
 * What the guest can do: change the bytes at any time. Only a copy keeps its values.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     another use of the caller's own bytes. Guest memory may
 *                                        change at any time.
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
 * @guest   host address of the first guest byte. All bytes of the access must lie in one region. A
 *          load or a store of a field needs the field's alignment. A used element must be aligned
 *          to 4 bytes, and a descriptor to 8 bytes.
 * @dst     the caller's own memory, len bytes
 * @src     the caller's own memory, len bytes; only read
 * @len     bytes; may be 0
 * @value   in the host's byte order. A load returns its value in the same order.
 */

/*
 * The 16 bytes of a descriptor, in the host's byte order. Neighbouring members differ in size,
 * because compilers combine neighbours of equal size into vectors. Here vectors cost more than they
 * save.
 */
struct virtio_guest_desc {
	uint64_t addr;
	uint32_t flags_next; /* flags in bits 0 to 15, next in 16 to 31 */
	uint64_t len;        /* a 32-bit value, in 64 bits for arithmetic */
};

/* Copies out of guest memory. A compiler cannot turn a later read of dst into a read of guest. */
VIRTIO_INLINE void virtio_guest_copy_in(void *dst, const void *guest, size_t len);

VIRTIO_INLINE void virtio_guest_copy_out(void *guest, const void *src, size_t len);

VIRTIO_INLINE uint16_t virtio_guest_load_le16(const void *guest);

/* Pairs with the release store by which the driver publishes an index (virtio 1.4, 2.7.13.3). */
VIRTIO_INLINE uint16_t virtio_guest_load_le16_acquire(const void *guest);

VIRTIO_INLINE void virtio_guest_store_le16(void *guest, uint16_t value);

/* Pairs with the acquire load (or read barrier) by which the driver sees an index (2.7.8.2). */
VIRTIO_INLINE void virtio_guest_store_le16_release(void *guest, uint16_t value);

/*
 * Stores a used element, aligned to 4 bytes. Two 32-bit stores need not be atomic together, because
 * the driver reads an element only after the used index covers the element. The device stores that
 * index later.
 */
VIRTIO_INLINE void virtio_guest_store_used(void *guest, uint32_t id, uint32_t len);

/* Loads an aligned descriptor. Each byte is read exactly once. */
VIRTIO_INLINE struct virtio_guest_desc virtio_guest_load_desc(const void *guest);

/*
 * Orders all earlier loads and stores before all later loads and stores. Each side needs this fence
 * between publishing its index and reading whether the other side wants a notification.
 */
VIRTIO_INLINE void virtio_full_fence(void);

VIRTIO_END_DECLS

#include <virtio/inline/guest_access.h>

#endif
