/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The external copies of the inline functions of <virtio/blk.h>: see virtio-queue/src/inline.c.
 * libvirtio-queue has those of the headers below it; a second copy here would not link.
 */
#include <virtio/request.h>

#undef VIRTIO_INLINE
#define VIRTIO_INLINE extern inline
#include <virtio/blk.h>
