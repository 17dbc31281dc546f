/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Replaces uring.c where liburing is missing. */
#include "blk_queue.h"

#include <errno.h>

bool blk_queue_has_uring(void)
{
	return false;
}

struct blk_queue *blk_queue_create_uring(const struct virtio_blk *blk, int fd, const char *name)
{
	(void)blk;
	(void)fd;
	(void)name;
	errno = ENOSYS;
	return NULL;
}
