/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Makes a POSIX mutex the lock of a queue. Only hosted builds contain this file. */
#include <virtio/queue_pthread.h>

/* lock() and unlock() cannot fail if the mutex is initialised and each thread alternates them. */
static void lock(void *context)
{
	(void)pthread_mutex_lock(context);
}

static void unlock(void *context)
{
	(void)pthread_mutex_unlock(context);
}

struct virtio_queue_lock virtio_queue_lock_pthread(pthread_mutex_t *mutex)
{
	const struct virtio_queue_lock l = { lock, unlock, mutex };

	return l;
}
