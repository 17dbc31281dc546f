/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The console device's wire format, under the names of Linux's <linux/virtio_console.h>. A
 * translation unit may include both headers, in either order. The first header provides the
 * structures. Feature constants are bit numbers.
 *
 * virtio 1.4, 5.3 (console device)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_CONSOLE_H
#define VIRTIO_BINDINGS_VIRTIO_CONSOLE_H

#include <stddef.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ids.h>
#include <virtio/bindings/virtio_types.h>
#include <virtio/compiler.h>

#ifndef _LINUX_VIRTIO_CONSOLE_H
#define _LINUX_VIRTIO_CONSOLE_H

/* Feature bit numbers. */
#define VIRTIO_CONSOLE_F_SIZE 0        /* cols and rows are valid */
#define VIRTIO_CONSOLE_F_MULTIPORT 1   /* several ports, and the control queues */
#define VIRTIO_CONSOLE_F_EMERG_WRITE 2 /* emerg_wr is valid */

#define VIRTIO_CONSOLE_BAD_ID (~(__u32)0) /* an id that no port has */

struct virtio_console_config {
	__le16 cols; /* characters */
	__le16 rows; /* characters */
	__le32 max_nr_ports;
	__le32 emerg_wr; /* written by the driver: one character to print */
} __attribute__((packed));

/* A message of the control queues. */
struct virtio_console_control {
	__le32 id;    /* port number */
	__le16 event; /* VIRTIO_CONSOLE_DEVICE_READY, ... */
	__le16 value; /* depends on the event */
};

/* Control events. The comments name the sender. */
#define VIRTIO_CONSOLE_DEVICE_READY 0 /* driver */
#define VIRTIO_CONSOLE_PORT_ADD 1     /* device */
#define VIRTIO_CONSOLE_PORT_REMOVE 2  /* device */
#define VIRTIO_CONSOLE_PORT_READY 3   /* driver */
#define VIRTIO_CONSOLE_CONSOLE_PORT 4 /* device: the port is a console */
#define VIRTIO_CONSOLE_RESIZE 5       /* device: columns and rows follow the message */
#define VIRTIO_CONSOLE_PORT_OPEN 6    /* both sides: `value` is 1 for open, 0 for closed */
#define VIRTIO_CONSOLE_PORT_NAME 7    /* device: the name follows the message */

#endif /* _LINUX_VIRTIO_CONSOLE_H */

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_console_config) == 12, "configuration space is 12 bytes");
VIRTIO_STATIC_ASSERT(offsetof(struct virtio_console_config, max_nr_ports) == 4, "offset of max_nr_ports");
VIRTIO_STATIC_ASSERT(offsetof(struct virtio_console_config, emerg_wr) == 8, "offset of emerg_wr");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_console_control) == 8, "a control message is 8 bytes");
VIRTIO_STATIC_ASSERT(offsetof(struct virtio_console_control, value) == 6, "offset of value");

#endif
