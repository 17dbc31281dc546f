/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Inline body of <virtio/sys_iovec.h>, which includes this file. The function is static, because no
 * library has an external copy of it: a freestanding build has no <sys/uio.h>.
 */
#ifndef VIRTIO_INLINE_SYS_IOVEC_H
#define VIRTIO_INLINE_SYS_IOVEC_H

#include <virtio/sys_iovec.h>

VIRTIO_BEGIN_DECLS

static inline const struct iovec *virtio_sys_iovec(const struct virtio_iovec *iov)
{
	return (const struct iovec *)(const void *)iov;
}

VIRTIO_END_DECLS

#endif
