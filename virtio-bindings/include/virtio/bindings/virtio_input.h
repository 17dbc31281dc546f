/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The input device's wire format, under the names of Linux's <linux/virtio_input.h>. A translation
 * unit may include both headers, in either order. The first header provides the structures.
 *
 * virtio 1.4, 5.8 (input device)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_INPUT_H
#define VIRTIO_BINDINGS_VIRTIO_INPUT_H

#include <virtio/bindings/virtio_types.h>
#include <virtio/compiler.h>

#ifndef _LINUX_VIRTIO_INPUT_H
#define _LINUX_VIRTIO_INPUT_H

/* Values of `select` in the configuration space. The comments name the content of `u`. */
enum virtio_input_config_select {
	VIRTIO_INPUT_CFG_UNSET = 0x00,
	VIRTIO_INPUT_CFG_ID_NAME = 0x01,   /* string */
	VIRTIO_INPUT_CFG_ID_SERIAL = 0x02, /* string */
	VIRTIO_INPUT_CFG_ID_DEVIDS = 0x03, /* ids */
	VIRTIO_INPUT_CFG_PROP_BITS = 0x10, /* bitmap of INPUT_PROP_... */
	VIRTIO_INPUT_CFG_EV_BITS = 0x11,   /* bitmap of the codes of the event type in subsel */
	VIRTIO_INPUT_CFG_ABS_INFO = 0x12,  /* abs, for the axis in subsel */
};

struct virtio_input_absinfo {
	__le32 min;
	__le32 max;
	__le32 fuzz;
	__le32 flat;
	__le32 res; /* resolution */
};

struct virtio_input_devids {
	__le16 bustype;
	__le16 vendor;
	__le16 product;
	__le16 version;
};

struct virtio_input_config {
	__u8 select; /* written by the driver: enum virtio_input_config_select */
	__u8 subsel; /* written by the driver: event type or axis */
	__u8 size;   /* number of valid bytes in `u`; 0 if `u` is empty for `select` and `subsel` */
	__u8 reserved[5];
	union {
		char string[128]; /* without a terminator */
		__u8 bitmap[128];
		struct virtio_input_absinfo abs;
		struct virtio_input_devids ids;
	} u;
};

/* An event, in either direction. */
struct virtio_input_event {
	__le16 type; /* EV_... of the Linux input layer */
	__le16 code; /* KEY_..., REL_..., ... */
	__le32 value;
};

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_input_absinfo) == 20, "size of struct virtio_input_absinfo");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_input_devids) == 8, "size of struct virtio_input_devids");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_input_event) == 8, "size of struct virtio_input_event");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_input_config) == 136, "size of struct virtio_input_config");

#endif /* _LINUX_VIRTIO_INPUT_H */

#endif
