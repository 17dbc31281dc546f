/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A thread that runs flushes, so that the queue's thread does not wait for them. An eventfd in each
 * direction passes the work on, and orders the accesses to shared data.
 */
#include "flusher.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FLUSH UINT64_C(1)
#define STOP (UINT64_C(1) << 32)

/* An answer is never 0, because an eventfd with the value 0 is not readable. */
#define ANSWER(error) ((uint64_t)(error) + 1)

static int read_word(int fd, uint64_t *word)
{
	ssize_t got;

	do
		got = read(fd, word, sizeof *word);
	while (got < 0 && errno == EINTR);
	return got == sizeof *word ? 0 : -1;
}

/* Never waits, because the counters of both eventfds stay far below their limit. */
static void write_word(int fd, uint64_t word)
{
	(void)!write(fd, &word, sizeof word);
}

static void flush(const struct flusher *flusher)
{
	const struct virtio_blk_backend *backend = flusher->backend;
	int error = 0;

	errno = 0;
	if (backend->ops->flush(backend->context))
		error = errno > 0 ? errno : EIO;
	write_word(flusher->answer, ANSWER(error));
}

static void *run(void *arg)
{
	const struct flusher *flusher = arg;
	uint64_t wanted;

	while (read_word(flusher->wanted, &wanted) == 0 && wanted < STOP)
		flush(flusher);
	return NULL;
}

/*
 * Starts the thread if it doesn't run. Blocks all signals in the thread, because other threads
 * handle signals. Returns whether the thread runs.
 */
static bool has_thread(struct flusher *flusher)
{
	sigset_t all, before;

	if (flusher->started)
		return true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	flusher->started = pthread_create(&flusher->thread, NULL, run, flusher) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (flusher->started)
		(void)pthread_setname_np(flusher->thread, "flusher");
	return flusher->started;
}

int flusher_open(struct flusher *flusher, const struct virtio_blk_backend *backend)
{
	int error;

	*flusher = (struct flusher){ .backend = backend, .wanted = eventfd(0, EFD_CLOEXEC) };
	if (flusher->wanted < 0)
		return -1;
	flusher->answer = eventfd(0, EFD_CLOEXEC);
	if (flusher->answer >= 0)
		return 0;
	error = errno;
	close(flusher->wanted);
	errno = error;
	return -1;
}

void flusher_close(struct flusher *flusher)
{
	if (flusher->started) {
		write_word(flusher->wanted, STOP);
		pthread_join(flusher->thread, NULL);
	}
	close(flusher->wanted);
	close(flusher->answer);
}

void flusher_begin(struct flusher *flusher)
{
	if (has_thread(flusher))
		write_word(flusher->wanted, FLUSH);
	else
		flush(flusher);
}

int flusher_error(uint64_t answer)
{
	return (int)(answer - ANSWER(0));
}

int flusher_wait(struct flusher *flusher)
{
	uint64_t answer;

	return read_word(flusher->answer, &answer) ? EIO : flusher_error(answer);
}
