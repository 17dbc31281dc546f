/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A fake disk, a fake kernel with io_uring, and a guest with its driver, for tests of uring.c. A
 * piece is one operation submitted to io_uring. A test decides which piece ends next, with which
 * result, and which sync fails.
 *
 * Each request of each queue has REQUEST_SECTORS sectors of its own. Each write has a number, and
 * every word of its data is this number, so a sector's content shows which write stored it. At
 * every step the fake kernel checks the statuses. A flush must not have the status OK before all
 * writes reported before the flush are stable. Under write-through, a write must not have the
 * status OK before its data is stable. A violation fails the test.
 *
 * The data of a failed sync is lost. Later syncs succeed, but the data does not reach the disk.
 * fake_kernel.c also defines preadv(), pwritev() and fdatasync(). The program's symbols take
 * precedence over the C library's. fake_kernel.c replaces log_line() too, and the linker's option
 * --wrap replaces pthread_create().
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include "blk_queue.h"

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>
#include <virtio/blk_file.h>

#define REQUESTS 80u /* more than can be in flight */
#define REQUEST_SECTORS 2u
#define LARGE_SECTORS ((32u << 20) / 512)
#define MAX_QUEUES 2u

#define STATUS_NONE 0xa5
#define WRITE_THROUGH UINT64_C(0) /* features of a driver that cannot flush */
#define WRITE_BACK (UINT64_C(1) << VIRTIO_BLK_F_FLUSH)

/*
 * The outcome of a piece. WHOLE moves all bytes, and AT_MOST() moves at most the given number of
 * bytes. SAYS() moves nothing, and its argument is the result.
 */
#define WHOLE INT64_MAX
#define AT_MOST(bytes) ((int64_t)(bytes))
#define SAYS(result) (INT64_MIN / 2 + (result))

struct kernel_disk {
	int fd;                 /* a file whose content is not used */
	unsigned int syncs;     /* number of syncs begun */
	unsigned int fail_sync; /* which sync fails, counted from 1; 0 for no sync */
	int fail_with;          /* errno of this sync */
	/*
	 * If set, syncs wait for kernel_release(). A sync covers only data written before the sync
	 * began.
	 */
	bool hold;
	unsigned int calls;   /* how often preadv() and pwritev() were called */
	int64_t call_outcome; /* outcome of each call */
	unsigned int call_us; /* duration of each call, in microseconds */
	unsigned int early;   /* statuses that were set before their data was stable */
};

struct kernel_kernel {
	struct io_uring *ring[MAX_QUEUES]; /* in the order in which the io_urings were made */
	unsigned int rings;                /* number of io_urings */
	int64_t outcomes[16];              /* of the first disk pieces to end; WHOLE for the rest */
	unsigned int outcome_count, ended;
	int64_t (*outcome)(void); /* if set, used in place of `outcomes` */
	unsigned int pieces;      /* disk pieces submitted so far */
	/* If not 0, reads of the flusher's answer fail with this errno. */
	int answer_error;
	unsigned int take;     /* pieces that one submit accepts; 0 for all */
	int refusal;           /* errno of a refused submit */
	unsigned int refusals; /* number of submits to refuse */
	unsigned int accepts;  /* number of submits to accept before the refusals */
	unsigned int enters;   /* number of submits */
	bool random;           /* pieces end in random order, not the oldest first */
	bool no_threads;       /* no thread can be started */
	unsigned int threads;  /* number of threads that were started */
};

extern struct kernel_disk kernel_disk;
extern struct kernel_kernel kernel_kernel;
extern char kernel_log[256]; /* the last line that was logged */

/* Makes a queue on the disk. Returns NULL with errno on failure. */
struct blk_queue *kernel_queue(void);

/* Sets up everything: the disk with these features, and one or two guests with a queue each. */
void kernel_open(uint64_t features, unsigned int queues);

/*
 * Ends the test. Checks that every request was completed, and that the disk has all data that was
 * reported as written.
 */
void kernel_close(void);

/*
 * Acts as the driver: makes request n of a queue available, with `sectors` sectors of data. Each
 * write fills its data with a new number. A read of LARGE_SECTORS ends beyond the end of the fake
 * disk. SAYS() can make its pieces succeed. But the whole read must fail, because its data can't be
 * compared with the disk.
 */
void kernel_send(unsigned int queue, unsigned int n, uint32_t type, unsigned int sectors);
uint8_t kernel_status(unsigned int queue, unsigned int n);

/* Returns how many requests have the status I/O error. */
unsigned int kernel_failures(void);

/* Returns the used length of a request. Fails unless the request was completed exactly once. */
uint32_t kernel_length(unsigned int queue, unsigned int n);

/* Calls the device once, and then checks all statuses. Returns the device's result. */
int kernel_turn(unsigned int queue);

/* Calls the device until it has nothing more to do at the moment. */
int kernel_process(unsigned int queue);
void kernel_drain(unsigned int queue);

/*
 * Ends a submitted piece with its planned outcome. If the piece is a read of the flusher's answer,
 * waits for the answer.
 */
void kernel_end_one(unsigned int queue);

/* Ends all submitted pieces except reads of the flusher's answer. */
void kernel_end_moves(unsigned int queue);

/* Ends all pieces, and the pieces that follow from them, until nothing is in flight. */
void kernel_run(unsigned int queue);

/* Waits until `count` syncs have begun. */
void kernel_await_syncs(unsigned int count);

/* Lets held syncs continue. */
void kernel_release(void);

/* Returns a random number below the limit. Each run has the same sequence. */
unsigned int kernel_random(unsigned int limit);
void kernel_seed(uint64_t seed);

#endif
