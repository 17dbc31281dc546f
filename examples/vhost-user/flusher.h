/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A thread that flushes a disk for a queue, which goes on meanwhile.
 *
 * io_uring has syncs of its own, which are of no use here: the kernel tells one sync alone what it has lost, and others
 * at the same time that all is well. So all of a disk's queues flush through its back end, which sees to that, and waits.
 */
#ifndef FLUSHER_H
#define FLUSHER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <virtio/blk.h>

struct flusher {
	const struct virtio_blk_backend *backend;
	pthread_t thread; /* from the first flush on: a disk that is only read needs none */
	bool started;
	int wanted; /* eventfds: the thread reads from this one, ... */
	int answer; /* ... and what it writes to this one is for flusher_error() */
};

/* The back end has a flush, and lives as long. Returns 0, or -1 with errno and nothing to close. */
int flusher_open(struct flusher *flusher, const struct virtio_blk_backend *backend);

/* Ends the thread, if there is one. No flush is under way. */
void flusher_close(struct flusher *flusher);

/*
 * Begins a flush; the one before it has been answered. Its answer, a uint64_t, can then be read. Where no thread can be
 * started the flush is over on return: it is slower, but nothing else.
 */
void flusher_begin(struct flusher *flusher);

/* What an answer means: 0, or the errno for which the flush failed. */
int flusher_error(uint64_t answer);

/* Waits for the answer. Returns what it means. */
int flusher_wait(struct flusher *flusher);

#endif
