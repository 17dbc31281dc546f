/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The external copies of the inline functions of <virtio/vsock.h>. libvirtio-queue has the copies
 * for the headers that <virtio/vsock.h> includes. A second copy here would fail to link, so
 * <virtio/queue.h> is included before VIRTIO_INLINE changes.
 */
#include <virtio/queue.h>

#undef VIRTIO_INLINE
#define VIRTIO_INLINE extern inline
#include <virtio/vsock.h>
