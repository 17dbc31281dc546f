/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The socket device's wire format, under the names of Linux's <linux/virtio_vsock.h>. A translation
 * unit may include both headers, in either order. The first header provides the structures. Feature
 * constants are bit numbers.
 *
 * virtio 1.4, 5.10 (socket device)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_VSOCK_H
#define VIRTIO_BINDINGS_VIRTIO_VSOCK_H

#include <stddef.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ids.h>
#include <virtio/bindings/virtio_types.h>
#include <virtio/compiler.h>

#ifndef _LINUX_VIRTIO_VSOCK_H
#define _LINUX_VIRTIO_VSOCK_H

/* Feature bit number. */
#define VIRTIO_VSOCK_F_SEQPACKET 1 /* SOCK_SEQPACKET sockets */

struct virtio_vsock_config {
	__le64 guest_cid; /* the upper 32 bits are 0 */
} __attribute__((packed));

/* Values of `id` in an event. */
enum virtio_vsock_event_id {
	VIRTIO_VSOCK_EVENT_TRANSPORT_RESET = 0,
};

/* A message of the event queue. */
struct virtio_vsock_event {
	__le32 id; /* enum virtio_vsock_event_id */
} __attribute__((packed));

/* The header of a packet. */
struct virtio_vsock_hdr {
	__le64 src_cid;
	__le64 dst_cid;
	__le32 src_port;
	__le32 dst_port;
	__le32 len;       /* bytes of payload after the header */
	__le16 type;      /* enum virtio_vsock_type */
	__le16 op;        /* enum virtio_vsock_op */
	__le32 flags;     /* flags of SHUTDOWN and RW */
	__le32 buf_alloc; /* bytes of the sender's receive buffer */
	__le32 fwd_cnt;   /* bytes that the sender has read from its receive buffer, modulo 2^32 */
} __attribute__((packed));

/* Socket types. */
enum virtio_vsock_type {
	VIRTIO_VSOCK_TYPE_STREAM = 1,
	VIRTIO_VSOCK_TYPE_SEQPACKET = 2,
};

/* Operations. */
enum virtio_vsock_op {
	VIRTIO_VSOCK_OP_INVALID = 0,
	VIRTIO_VSOCK_OP_REQUEST = 1,
	VIRTIO_VSOCK_OP_RESPONSE = 2,
	VIRTIO_VSOCK_OP_RST = 3,
	VIRTIO_VSOCK_OP_SHUTDOWN = 4,
	VIRTIO_VSOCK_OP_RW = 5,
	VIRTIO_VSOCK_OP_CREDIT_UPDATE = 6,
	VIRTIO_VSOCK_OP_CREDIT_REQUEST = 7,
};

/* Flags of SHUTDOWN: what the sender will no longer do. */
enum virtio_vsock_shutdown {
	VIRTIO_VSOCK_SHUTDOWN_RCV = 1,
	VIRTIO_VSOCK_SHUTDOWN_SEND = 2,
};

/* Flags of RW, for SOCK_SEQPACKET. */
enum virtio_vsock_rw {
	VIRTIO_VSOCK_SEQ_EOM = 1, /* the last packet of a message */
	VIRTIO_VSOCK_SEQ_EOR = 2, /* the last packet of a record */
};

#endif /* _LINUX_VIRTIO_VSOCK_H */

/* Only the specification has these names (virtio 1.4, 5.10.3). */
#ifndef VIRTIO_VSOCK_F_STREAM
#define VIRTIO_VSOCK_F_STREAM 0 /* SOCK_STREAM sockets */
#endif
#ifndef VIRTIO_VSOCK_F_NO_IMPLIED_STREAM
#define VIRTIO_VSOCK_F_NO_IMPLIED_STREAM 2 /* SOCK_STREAM needs VIRTIO_VSOCK_F_STREAM */
#endif

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_vsock_config) == 8, "configuration space is 8 bytes");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_vsock_event) == 4, "an event is 4 bytes");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_vsock_hdr) == 44, "a packet's header is 44 bytes");
VIRTIO_STATIC_ASSERT(offsetof(struct virtio_vsock_hdr, src_port) == 16, "offset of src_port");
VIRTIO_STATIC_ASSERT(offsetof(struct virtio_vsock_hdr, len) == 24, "offset of len");
VIRTIO_STATIC_ASSERT(offsetof(struct virtio_vsock_hdr, type) == 28, "offset of type");
VIRTIO_STATIC_ASSERT(offsetof(struct virtio_vsock_hdr, flags) == 32, "offset of flags");
VIRTIO_STATIC_ASSERT(offsetof(struct virtio_vsock_hdr, fwd_cnt) == 40, "offset of fwd_cnt");

#endif
