/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A thread that flushes a disk for a queue. The queue is served meanwhile. The syncs of io_uring
 * are not safe here, because the kernel reports lost data to one sync only. Other syncs at the same
 * time succeed. So all queues of a disk flush through its back end. The back end runs one sync at a
 * time, and remembers lost data.
 */
#ifndef FLUSHER_H
#define FLUSHER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <virtio/blk.h>

struct flusher {
	const struct virtio_blk_backend *backend;
	pthread_t thread; /* started by the first flush, because many disks are only read */
	bool started;
	int wanted; /* the eventfd that the thread reads */
	int answer; /* the eventfd that the thread writes; see flusher_error() */
};

/*
 * The back end must have a flush operation, and must outlive the flusher. Returns 0, or -1 with
 * errno and nothing to close.
 */
int flusher_open(struct flusher *flusher, const struct virtio_blk_backend *backend);

/* Ends the thread, if any. No flush may be running. */
void flusher_close(struct flusher *flusher);

/*
 * Begins a flush. The answer to the earlier flush must have been read. The answer to this flush, a
 * uint64_t, can be read from `answer` later. If no thread can be started, flusher_begin()
 * itself flushes before it returns. This is slower, but has the same result.
 */
void flusher_begin(struct flusher *flusher);

/* Returns the meaning of an answer: 0, or the errno of a failed flush. */
int flusher_error(uint64_t answer);

/* Waits for the answer, and returns its meaning. Returns EIO if the answer can't be read. */
int flusher_wait(struct flusher *flusher);

#endif
