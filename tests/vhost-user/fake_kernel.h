/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A disk, a kernel with an io_uring, and a guest with its driver, for tests of requests that are
 * carried out through io_uring. The kernel does what it is told: which piece ends next, with which
 * result, and which sync fails.
 *
 * Request n is about the sectors from 2n on. Each write has a number, and every word of its data is
 * that number, so that a sector says how new it is. Whenever anything happens, the kernel checks
 * the statuses. A flush, or a write under write-through, must not have the status OK before its
 * data is stable. kernel_check() reports a violation.
 *
 * The data of a failed sync is lost: later syncs succeed, and the data does not reach the disk.
 * System calls that uring.c makes itself, and the file back end's fdatasync(), come here too: the
 * program is linked before the C library. So do threads that are started, by the linker's option
 * --wrap, and lines for the log.
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include "blk_queue.h"

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>
#include <virtio/blk_file.h>

#define REQUESTS 80u /* more requests than are ever in flight */
#define REQUEST_SECTORS 2u
#define LARGE_SECTORS ((32u << 20) / 512)
#define MAX_QUEUES 2u

#define STATUS_NONE 0xa5
#define WRITE_THROUGH UINT64_C(0) /* features of a driver that cannot flush */
#define WRITE_BACK (UINT64_C(1) << VIRTIO_BLK_F_FLUSH)

/*
 * The outcome of a piece: all of it is moved, at most this number of bytes is moved, or nothing is
 * moved and this is the result.
 */
#define WHOLE INT64_MAX
#define AT_MOST(bytes) ((int64_t)(bytes))
#define SAYS(result) (INT64_MIN / 2 + (result))

struct kernel_disk {
	int fd;                 /* a file whose content does not matter */
	unsigned int syncs;     /* begun */
	unsigned int fail_sync; /* the piece, from 1 on, that fails; 0: none */
	int fail_with;          /* its errno */
	/* Syncs wait for kernel_release(), and cover what was written before they began. */
	bool hold;
	unsigned int calls;   /* of preadv() and pwritev() */
	int64_t call_outcome; /* of each of them */
	unsigned int call_us; /* how long each call takes, in microseconds */
	unsigned int early;   /* statuses that came before their data was stable */
};

struct kernel_kernel {
	struct io_uring *ring[MAX_QUEUES]; /* in the order in which they were made */
	unsigned int rings;                /* number of io_urings */
	int64_t outcomes[16];              /* of the first pieces that end; later pieces: WHOLE */
	unsigned int outcome_count, ended;
	int64_t (*outcome)(void); /* if set, gives the outcomes in place of the array */
	unsigned int pieces;      /* pieces of the disk so far */
	/* If not 0: the flusher's answer is not read, and this errno is the result. */
	int answer_error;
	unsigned int take;     /* pieces that it accepts at once; 0: all */
	int refusal;           /* the errno with which it refuses */
	unsigned int refusals; /* number of refusals */
	unsigned int accepts;  /* number of calls that it accepts before it refuses */
	unsigned int enters;
	bool random;          /* pieces end in any order, and not the oldest first */
	bool no_threads;      /* no thread can be started */
	unsigned int threads; /* number of threads that were started */
};

extern struct kernel_disk kernel_disk;
extern struct kernel_kernel kernel_kernel;
extern char kernel_log[256]; /* the last line */

/* Makes another queue on the disk. Returns NULL with errno on failure. */
struct blk_queue *kernel_queue(void);

/* Sets up everything, with a queue on the disk that has these features, or with two. */
void kernel_open(uint64_t features, unsigned int queues);

/*
 * Ends the test. Checks that every request was completed, and that the disk has everything that was
 * reported as written.
 */
void kernel_close(void);

/*
 * As the driver: makes request n of a queue available, with this number of sectors of data. Each
 * write has a number of its own in its data. A read of LARGE_SECTORS reads beyond the end of the
 * disk, so it can't succeed.
 */
void kernel_send(unsigned int queue, unsigned int n, uint32_t type, unsigned int sectors);
uint8_t kernel_status(unsigned int queue, unsigned int n);

/* Returns how many of the last requests were answered with an I/O error. */
unsigned int kernel_failures(void);

/* The used length of its completion. Fails if there was none, or more than one. */
uint32_t kernel_length(unsigned int queue, unsigned int n);

/* One call of the device, after which everything is checked. Returns as the device does. */
int kernel_turn(unsigned int queue);

/* Calls the device as long as it has more to do at once. */
int kernel_process(unsigned int queue);
void kernel_drain(unsigned int queue);

/* Ends a submitted piece as planned. Waits for the flusher if the piece is its answer. */
void kernel_end_one(unsigned int queue);

/* Ends all submitted pieces except the flusher's answer. */
void kernel_end_moves(unsigned int queue);

/* Ends all pieces, and those that follow, until nothing is in flight. */
void kernel_run(unsigned int queue);

/* Waits until so many syncs have been begun. */
void kernel_await_syncs(unsigned int count);

/* Lets syncs go on that are held. */
void kernel_release(void);

/* Returns a number below the limit. The sequence is the same each time. */
unsigned int kernel_random(unsigned int limit);
void kernel_seed(uint64_t seed);

#endif
