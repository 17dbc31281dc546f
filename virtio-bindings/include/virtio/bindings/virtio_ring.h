/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The rings' wire format: constants and structures under the names of Linux's <linux/virtio_ring.h>.
 * Fields are little-endian. The two headers may meet in one translation unit, in either order: the
 * first one provides the structures.
 *
 * virtio 1.4, 2.7 (split virtqueues), 2.8 (packed virtqueues), 6 (reserved feature bits)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_RING_H
#define VIRTIO_BINDINGS_VIRTIO_RING_H

#include <stdint.h>
#include <virtio/compiler.h>

#ifndef _LINUX_VIRTIO_RING_H
#define _LINUX_VIRTIO_RING_H

/* Flags of a split descriptor. */
#define VRING_DESC_F_NEXT 1     /* the chain goes on at next */
#define VRING_DESC_F_WRITE 2    /* the device writes; otherwise it reads */
#define VRING_DESC_F_INDIRECT 4 /* the buffer is a table of descriptors */

/* Flags of a packed descriptor: bit numbers. */
#define VRING_PACKED_DESC_F_AVAIL 7
#define VRING_PACKED_DESC_F_USED 15

#define VRING_USED_F_NO_NOTIFY 1     /* in the used ring: no need to kick */
#define VRING_AVAIL_F_NO_INTERRUPT 1 /* in the available ring: no need to interrupt */

/* A packed ring's event suppression structure: its flags, and the wrap counter's bit number. */
#define VRING_PACKED_EVENT_FLAG_ENABLE 0x0
#define VRING_PACKED_EVENT_FLAG_DISABLE 0x1
#define VRING_PACKED_EVENT_FLAG_DESC 0x2
#define VRING_PACKED_EVENT_F_WRAP_CTR 15

/* Feature bit numbers. */
#define VIRTIO_RING_F_INDIRECT_DESC 28
#define VIRTIO_RING_F_EVENT_IDX 29

/* Alignment of the three areas, in bytes. */
#define VRING_AVAIL_ALIGN_SIZE 2
#define VRING_USED_ALIGN_SIZE 4
#define VRING_DESC_ALIGN_SIZE 16

struct vring_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

/* C++ has flexible array members only as an extension. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
struct vring_avail {
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[]; /* then: uint16_t used_event */
};

struct vring_used_elem {
	uint32_t id; /* head of the chain */
	uint32_t len;
};

typedef struct vring_used_elem __attribute__((aligned(VRING_USED_ALIGN_SIZE))) vring_used_elem_t;

struct vring_used {
	uint16_t flags;
	uint16_t idx;
	vring_used_elem_t ring[]; /* then: uint16_t avail_event */
};
#pragma GCC diagnostic pop

struct vring_packed_desc_event {
	uint16_t off_wrap;
	uint16_t flags;
};

struct vring_packed_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t id;
	uint16_t flags;
};

#endif /* _LINUX_VIRTIO_RING_H */

VIRTIO_STATIC_ASSERT(sizeof(struct vring_desc) == 16, "a descriptor is 16 bytes");
VIRTIO_STATIC_ASSERT(sizeof(struct vring_used_elem) == 8, "a used element is 8 bytes");
VIRTIO_STATIC_ASSERT(sizeof(struct vring_packed_desc) == 16, "a packed descriptor is 16 bytes");
VIRTIO_STATIC_ASSERT(sizeof(struct vring_packed_desc_event) == 4, "an event structure is 4 bytes");

#endif
