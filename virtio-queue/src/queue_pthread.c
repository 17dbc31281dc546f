/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A POSIX mutex as the lock of a queue. Hosted builds only. */
#include <virtio/queue_pthread.h>

/* Neither call fails if the mutex is initialised, and each thread alternates lock and unlock. */
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
