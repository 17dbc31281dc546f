/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Replaces the parts of liburing that examples/vhost-user/uring.c uses. A test controls the fake
 * kernel that serves these parts (fake_kernel.c).
 */
#ifndef FAKE_LIBURING_H
#define FAKE_LIBURING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define FAKE_ENTRIES 64

/* One operation: a piece of a request, or a read of the flusher's answer. */
struct io_uring_sqe {
	bool is_write;
	int fd;
	const struct iovec *iov;
	unsigned int count;
	uint64_t offset;
	void *data;
};

struct io_uring_cqe {
	void *data;
	int res;
};

struct io_uring {
	int ring_fd;
	struct io_uring_sqe ready[FAKE_ENTRIES]; /* not submitted yet */
	unsigned int ready_count;
	struct io_uring_sqe taken[FAKE_ENTRIES]; /* submitted, in flight */
	unsigned int taken_count;
	struct io_uring_cqe done[FAKE_ENTRIES];
	unsigned int done_count;
};

int io_uring_queue_init(unsigned int entries, struct io_uring *ring, unsigned int flags);
void io_uring_queue_exit(struct io_uring *ring);
struct io_uring_sqe *io_uring_get_sqe(struct io_uring *ring);
unsigned int io_uring_sq_ready(const struct io_uring *ring);
int io_uring_submit_and_wait(struct io_uring *ring, unsigned int wait);
int io_uring_peek_cqe(struct io_uring *ring, struct io_uring_cqe **cqe);
void io_uring_cqe_seen(struct io_uring *ring, struct io_uring_cqe *cqe);

static inline void io_uring_prep_readv(struct io_uring_sqe *sqe, int fd, const struct iovec *iov, unsigned int count,
				       uint64_t offset)
{
	*sqe = (struct io_uring_sqe){ .fd = fd, .iov = iov, .count = count, .offset = offset };
}

static inline void io_uring_prep_writev(struct io_uring_sqe *sqe, int fd, const struct iovec *iov, unsigned int count,
					uint64_t offset)
{
	io_uring_prep_readv(sqe, fd, iov, count, offset);
	sqe->is_write = true;
}

static inline void io_uring_sqe_set_data(struct io_uring_sqe *sqe, void *data)
{
	sqe->data = data;
}

static inline void *io_uring_cqe_get_data(const struct io_uring_cqe *cqe)
{
	return cqe->data;
}

#endif
