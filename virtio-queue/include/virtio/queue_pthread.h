/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A POSIX mutex as the lock of <virtio/queue_sync.h>. Not part of a freestanding build.
 *
 * Threads:
 *   functions             who may call   what must not run beside
 *   all of this header    any thread     nothing: thread-safe
 */
#ifndef VIRTIO_QUEUE_PTHREAD_H
#define VIRTIO_QUEUE_PTHREAD_H

#include <pthread.h>
#include <virtio/queue_sync.h>

VIRTIO_BEGIN_DECLS

/*
 * Returns a lock that is a mutex, for virtio_queue_sync_init().
 *
 * @mutex  initialised by the caller, of any type; must live as long as the lock is used
 */
struct virtio_queue_lock virtio_queue_lock_pthread(pthread_mutex_t *mutex);

VIRTIO_END_DECLS

#endif
