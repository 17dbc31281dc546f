/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The external copies of the inline functions of <virtio/vsock.h>. Those of the headers below are in
 * libvirtio-queue, and a second copy here would not link.
 */
#include <virtio/queue.h>

#undef VIRTIO_INLINE
#define VIRTIO_INLINE extern inline
#include <virtio/vsock.h>
