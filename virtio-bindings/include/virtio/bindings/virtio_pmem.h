/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The persistent memory device's wire format, under the names of Linux's <linux/virtio_pmem.h>. A
 * translation unit may include both headers, in either order. The first header provides the
 * structures. Feature constants are bit numbers.
 *
 * virtio 1.4, 5.19 (persistent memory device)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_PMEM_H
#define VIRTIO_BINDINGS_VIRTIO_PMEM_H

#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ids.h>
#include <virtio/bindings/virtio_types.h>
#include <virtio/compiler.h>

#ifndef _LINUX_VIRTIO_PMEM_H
#define _LINUX_VIRTIO_PMEM_H

struct virtio_pmem_config {
	__le64 start; /* guest physical address */
	__le64 size;  /* bytes */
};

#define VIRTIO_PMEM_REQ_TYPE_FLUSH 0

/* The device's part of a request. */
struct virtio_pmem_resp {
	__le32 ret; /* 0, or another value if the flush has failed */
};

/* The driver's part of a request. */
struct virtio_pmem_req {
	__le32 type; /* VIRTIO_PMEM_REQ_TYPE_FLUSH */
};

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_pmem_config) == 16, "size of struct virtio_pmem_config");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_pmem_resp) == 4, "size of struct virtio_pmem_resp");
VIRTIO_STATIC_ASSERT(sizeof(struct virtio_pmem_req) == 4, "size of struct virtio_pmem_req");

#endif /* _LINUX_VIRTIO_PMEM_H */

/* Linux 6.1 lacks these names. */
#ifndef VIRTIO_PMEM_F_SHMEM_REGION
#define VIRTIO_PMEM_F_SHMEM_REGION 0  /* feature bit number: the range is a shared memory region */
#define VIRTIO_PMEM_SHMEM_REGION_ID 0 /* the id of this region */
#endif

#endif
