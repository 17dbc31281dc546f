/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Converts the suite's I/O vectors to the operating system's type, for readv(), writev(), io_uring
 * and the like. Hosted builds only: a freestanding build has no <sys/uio.h>.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     nothing: thread-safe
 */
#ifndef VIRTIO_SYS_IOVEC_H
#define VIRTIO_SYS_IOVEC_H

#include <sys/uio.h>
#include <virtio/guest_memory.h>

VIRTIO_BEGIN_DECLS

VIRTIO_STATIC_ASSERT(sizeof(struct iovec) == sizeof(struct virtio_iovec) &&
			     offsetof(struct iovec, iov_base) == offsetof(struct virtio_iovec, base) &&
			     offsetof(struct iovec, iov_len) == offsetof(struct virtio_iovec, len),
		     "struct virtio_iovec has the layout of struct iovec");

/* Returns the same entries under the operating system's type. */
static inline const struct iovec *virtio_sys_iovec(const struct virtio_iovec *iov);

VIRTIO_END_DECLS

#include <virtio/inline/sys_iovec.h>

#endif
