/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The rings' wire format, and a driver's view of a split ring in its own memory, under the names of
 * Linux's <linux/virtio_ring.h>. A translation unit may include both headers, in either order. The
 * first header provides the structures and functions. The functions are for drivers: a device
 * reaches a ring through <virtio/queue.h>.
 *
 * virtio 1.4, 2.7 (split virtqueues), 2.8 (packed virtqueues), 6 (reserved feature bits)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_RING_H
#define VIRTIO_BINDINGS_VIRTIO_RING_H

#include <stddef.h>
#include <stdint.h>
#include <virtio/bindings/virtio_types.h>
#include <virtio/compiler.h>

#ifndef _LINUX_VIRTIO_RING_H
#define _LINUX_VIRTIO_RING_H

/* Flags of a split descriptor. */
#define VRING_DESC_F_NEXT 1     /* the chain continues at `next` */
#define VRING_DESC_F_WRITE 2    /* the device writes; without this flag, the device reads */
#define VRING_DESC_F_INDIRECT 4 /* the buffer is a table of descriptors */

/* More flags of a packed descriptor: bit numbers. */
#define VRING_PACKED_DESC_F_AVAIL 7
#define VRING_PACKED_DESC_F_USED 15

#define VRING_USED_F_NO_NOTIFY 1     /* in the used ring: the driver need not kick */
#define VRING_AVAIL_F_NO_INTERRUPT 1 /* in the available ring: the device need not interrupt */

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
	__le64 addr;
	__le32 len;
	__le16 flags;
	__le16 next;
};

/* C++ has flexible array members only as an extension. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
struct vring_avail {
	__le16 flags;
	__le16 idx;
	__le16 ring[]; /* followed by __le16 used_event */
};

struct vring_used_elem {
	__le32 id; /* head of the chain */
	__le32 len;
};

typedef struct vring_used_elem __attribute__((aligned(VRING_USED_ALIGN_SIZE))) vring_used_elem_t;

struct vring_used {
	__le16 flags;
	__le16 idx;
	vring_used_elem_t ring[]; /* followed by __le16 avail_event */
};
#pragma GCC diagnostic pop

/*
 * The types of the three areas. These types need only the alignment of the areas, even where the
 * compiler aligns the structures more strictly.
 */
typedef struct vring_desc __attribute__((aligned(VRING_DESC_ALIGN_SIZE))) vring_desc_t;
typedef struct vring_avail __attribute__((aligned(VRING_AVAIL_ALIGN_SIZE))) vring_avail_t;
typedef struct vring_used __attribute__((aligned(VRING_USED_ALIGN_SIZE))) vring_used_t;

/* The addresses of a split ring's areas. */
struct vring {
	unsigned int num; /* size of the queue */
	vring_desc_t *desc;
	vring_avail_t *avail;
	vring_used_t *used;
};

#ifndef VIRTIO_RING_NO_LEGACY
/* The fields after the ring in the available area and in the used area. */
#define vring_used_event(vr) ((vr)->avail->ring[(vr)->num])
#define vring_avail_event(vr) (*(__virtio16 *)(void *)&(vr)->used->ring[(vr)->num])

/*
 * Lays out a ring of `num` entries at `p`. The used area starts at a multiple of `align`. `align`
 * must be a power of two. If `p` is a multiple of `align`, too, the ring has
 * vring_size(num, align) bytes. No byte at `p` is accessed. Calls on one `vr` are not thread-safe.
 */
static __inline__ void vring_init(struct vring *vr, unsigned int num, void *p, unsigned long align)
{
	uintptr_t avail = (uintptr_t)p + num * sizeof(struct vring_desc);
	uintptr_t used_event = avail + offsetof(struct vring_avail, ring) + num * sizeof(__virtio16);

	vr->num = num;
	vr->desc = (vring_desc_t *)p;
	vr->avail = (vring_avail_t *)avail;
	vr->used = (vring_used_t *)((used_event + sizeof(__virtio16) + align - 1) & ~((uintptr_t)align - 1));
}

/* Returns the number of bytes that vring_init() lays out at a multiple of `align`. */
static __inline__ unsigned vring_size(unsigned int num, unsigned long align)
{
	unsigned long size = num * sizeof(struct vring_desc) + sizeof(__virtio16) * (3 + (unsigned long)num);

	size = (size + align - 1) & ~(align - 1);
	return (unsigned)(size + sizeof(__virtio16) * 3 + num * sizeof(struct vring_used_elem));
}
#endif

/*
 * Returns whether moving an index from `old` to `new_idx` has passed `event_idx`. If so, the other
 * side wants a notification.
 */
static __inline__ int vring_need_event(__u16 event_idx, __u16 new_idx, __u16 old)
{
	return (__u16)(new_idx - event_idx - 1) < (__u16)(new_idx - old);
}

struct vring_packed_desc_event {
	__le16 off_wrap;
	__le16 flags;
};

struct vring_packed_desc {
	__le64 addr;
	__le32 len;
	__le16 id;
	__le16 flags;
};

#endif /* _LINUX_VIRTIO_RING_H */

VIRTIO_STATIC_ASSERT(sizeof(struct vring_desc) == 16, "a descriptor is 16 bytes");
VIRTIO_STATIC_ASSERT(sizeof(struct vring_used_elem) == 8, "a used element is 8 bytes");
VIRTIO_STATIC_ASSERT(sizeof(struct vring_packed_desc) == 16, "a packed descriptor is 16 bytes");
VIRTIO_STATIC_ASSERT(sizeof(struct vring_packed_desc_event) == 4, "an event structure is 4 bytes");

#endif
