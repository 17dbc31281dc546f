/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The file system device's wire format, under the names of Linux's <linux/virtio_fs.h>. A
 * translation unit may include both headers, in either order. The first header provides the
 * structures.
 *
 * virtio 1.4, 5.11 (file system device)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_FS_H
#define VIRTIO_BINDINGS_VIRTIO_FS_H

#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ids.h>
#include <virtio/bindings/virtio_types.h>
#include <virtio/compiler.h>

#ifndef _LINUX_VIRTIO_FS_H
#define _LINUX_VIRTIO_FS_H

struct virtio_fs_config {
	__u8 tag[36];              /* UTF-8, zero-padded; not terminated if 36 bytes long */
	__le32 num_request_queues; /* without the queues for high priority and notification */
} __attribute__((packed));

#define VIRTIO_FS_SHMCAP_ID_CACHE 0 /* shared memory region of the DAX window */

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_fs_config) == 40, "size of struct virtio_fs_config");

#endif /* _LINUX_VIRTIO_FS_H */

/* Only the specification has this feature bit number (virtio 1.4, 5.11.3). */
#ifndef VIRTIO_FS_F_NOTIFICATION
#define VIRTIO_FS_F_NOTIFICATION 0 /* FUSE notify messages on a separate queue */
#endif

#endif
