/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The memory device's wire format, under the names of Linux's <linux/virtio_mem.h>. A translation
 * unit may include both headers, in either order. The first header provides the structures. Feature
 * constants are bit numbers.
 *
 * virtio 1.4, 5.15 (memory device)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_MEM_H
#define VIRTIO_BINDINGS_VIRTIO_MEM_H

#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ids.h>
#include <virtio/bindings/virtio_types.h>
#include <virtio/compiler.h>

#ifndef _LINUX_VIRTIO_MEM_H
#define _LINUX_VIRTIO_MEM_H

/* Feature bit numbers. */
#define VIRTIO_MEM_F_ACPI_PXM 0               /* node_id is valid */
#define VIRTIO_MEM_F_UNPLUGGED_INACCESSIBLE 1 /* the driver must not access unplugged memory */

/* Types of request. */
#define VIRTIO_MEM_REQ_PLUG 0
#define VIRTIO_MEM_REQ_UNPLUG 1
#define VIRTIO_MEM_REQ_UNPLUG_ALL 2
#define VIRTIO_MEM_REQ_STATE 3

/*
 * The data of each request, except UNPLUG_ALL: the address of the first block, and the number of
 * blocks. A block has block_size bytes (struct virtio_mem_config).
 */
struct virtio_mem_req_plug {
	__le64 addr;
	__le16 nb_blocks;
	__le16 padding[3];
};

struct virtio_mem_req_unplug {
	__le64 addr;
	__le16 nb_blocks;
	__le16 padding[3];
};

struct virtio_mem_req_state {
	__le64 addr;
	__le16 nb_blocks;
	__le16 padding[3];
};

struct virtio_mem_req {
	__le16 type; /* VIRTIO_MEM_REQ_... */
	__le16 padding[3];
	union {
		struct virtio_mem_req_plug plug;
		struct virtio_mem_req_unplug unplug;
		struct virtio_mem_req_state state;
	} u;
};

/* Types of response. */
#define VIRTIO_MEM_RESP_ACK 0
#define VIRTIO_MEM_RESP_NACK 1
#define VIRTIO_MEM_RESP_BUSY 2
#define VIRTIO_MEM_RESP_ERROR 3

/* The state of a range of blocks. */
#define VIRTIO_MEM_STATE_PLUGGED 0
#define VIRTIO_MEM_STATE_UNPLUGGED 1
#define VIRTIO_MEM_STATE_MIXED 2 /* some plugged, some not */

struct virtio_mem_resp_state {
	__le16 state; /* VIRTIO_MEM_STATE_... */
};

struct virtio_mem_resp {
	__le16 type; /* VIRTIO_MEM_RESP_... */
	__le16 padding[3];
	union {
		struct virtio_mem_resp_state state;
	} u;
};

/* Sizes are in bytes, and are multiples of block_size. */
struct virtio_mem_config {
	__le64 block_size; /* a power of two */
	__le16 node_id;    /* valid with VIRTIO_MEM_F_ACPI_PXM */
	__u8 padding[6];
	__le64 addr;               /* start of the region */
	__le64 region_size;        /* size of the region */
	__le64 usable_region_size; /* length of the pluggable range, which starts at addr */
	__le64 plugged_size;
	__le64 requested_size; /* plugged_size that the device wants */
};

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_mem_req_plug) == 16, "size of struct virtio_mem_req_plug");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_mem_req_unplug) == 16, "size of struct virtio_mem_req_unplug");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_mem_req_state) == 16, "size of struct virtio_mem_req_state");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_mem_req) == 24, "size of struct virtio_mem_req");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_mem_resp_state) == 2, "size of struct virtio_mem_resp_state");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_mem_resp) == 10, "size of struct virtio_mem_resp");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_mem_config) == 56, "size of struct virtio_mem_config");

#endif /* _LINUX_VIRTIO_MEM_H */

/* Linux 6.1 lacks this name. */
#ifndef VIRTIO_MEM_F_PERSISTENT_SUSPEND
#define VIRTIO_MEM_F_PERSISTENT_SUSPEND 2 /* plugged memory survives suspending */
#endif

#endif
