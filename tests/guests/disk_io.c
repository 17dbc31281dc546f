/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A program for guests: uses a disk in ways that ordinary programs do not. It is copied into the
 * guest's initramfs.
 *
 *   io_uring
 *     For the host: succeeds if this system lets us use io_uring, and otherwise prints why not.
 *   exercise DISK FIRST COUNT WORKERS COPY
 *     WORKERS processes write and read with O_DIRECT in COUNT sectors from FIRST. A request has 1
 *     to 1023 sectors and begins at any sector. The request's memory is in one piece or many, and a
 *     piece begins at any multiple of 512 bytes. Each read must return what was written. At the end
 *     the expected content of the sectors is written to the file COPY.
 *   number DISK STREAM WORKERS PAUSE
 *     WORKERS processes write numbered records with O_DIRECT and O_DSYNC until the disk is gone.
 *     The first process writes stream STREAM, the second process stream STREAM + 1, and so on. The
 *     streams lie one after the other from the start of the disk. A stream has room for 64 records,
 *     and the 65th overwrites the first. Each process prints "GUEST: acknowledged STREAM NUMBER"
 *     after a record was written, then pauses for PAUSE milliseconds.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECTOR 512u
#define PAGE 4096u
#define MAX_SECTORS 1023u
#define ROUNDS 48u
#define MAX_WORKERS 8u

/*
 * A record has an odd number of sectors, so most neighbouring records share a page. The two numbers
 * below must agree with uml-kill.sh.
 */
#define RECORD_SECTORS 9u
#define STREAM_RECORDS 64u

/* The work of one worker, in sectors of its own. */
struct job {
	int disk;
	uint8_t *expected; /* the bytes that the sectors must have */
	uint64_t first;
	uint64_t count;
	uint64_t random; /* state of next_random(); never 0, because then all numbers would be 0 */
};

static bool fail(const char *what, uint64_t sector, uint64_t sectors)
{
	fprintf(stderr, "GUEST: %s: %llu sectors at %llu: %s\n", what, (unsigned long long)sectors,
		(unsigned long long)sector, strerror(errno));
	return false;
}

/* Returns a pseudo-random number (xorshift64*). The sequence never changes, so failures repeat. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

static uint64_t below(uint64_t *state, uint64_t limit)
{
	return (next_random(state) >> 32) % limit;
}

/*
 * Allocates this many bytes and one page more, from the start of a page. So a request of this many
 * bytes may begin at any sector of the first page.
 */
static uint8_t *page_memory(uint64_t bytes)
{
	void *memory = mmap(NULL, (size_t)bytes + PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/*
 * The memory of a request, in pieces. Each piece lies before the previous piece in memory, so Linux
 * does not merge the pieces.
 */
struct buffer {
	uint8_t *memory; /* room for MAX_SECTORS sectors, and a page more */
	struct iovec pieces[MAX_SECTORS];
	int count;
};

/*
 * Cuts memory of this many sectors into pieces of at most `longest` sectors. A piece may end at any
 * multiple of 512 bytes in a page.
 */
static void cut(struct job *job, struct buffer *buffer, uint64_t sectors, uint64_t longest)
{
	uint8_t *end = buffer->memory + (MAX_SECTORS + below(&job->random, PAGE / SECTOR)) * SECTOR;

	buffer->count = 0;
	while (sectors > 0) {
		uint64_t part = 1 + below(&job->random, longest);

		if (part > sectors || longest == MAX_SECTORS)
			part = sectors;
		end -= part * SECTOR;
		buffer->pieces[buffer->count++] = (struct iovec){ end, (size_t)(part * SECTOR) };
		sectors -= part;
	}
}

static bool write_some(struct job *job, struct buffer *buffer, uint64_t at, uint64_t sectors)
{
	const off_t offset = (off_t)((job->first + at) * SECTOR);
	uint8_t *expected = job->expected + at * SECTOR;

	for (size_t i = 0; i < sectors * SECTOR; i += sizeof(uint64_t)) {
		const uint64_t value = next_random(&job->random);

		memcpy(expected + i, &value, sizeof value);
	}
	for (int i = 0; i < buffer->count; i++) {
		memcpy(buffer->pieces[i].iov_base, expected, buffer->pieces[i].iov_len);
		expected += buffer->pieces[i].iov_len;
	}
	if (pwritev(job->disk, buffer->pieces, buffer->count, offset) != (ssize_t)(sectors * SECTOR))
		return fail("cannot write", job->first + at, sectors);
	return true;
}

static bool read_some(struct job *job, struct buffer *buffer, uint64_t at, uint64_t sectors)
{
	const off_t offset = (off_t)((job->first + at) * SECTOR);
	const uint8_t *expected = job->expected + at * SECTOR;

	/* Fills the memory with garbage, which the read must overwrite. */
	for (int i = 0; i < buffer->count; i++)
		memset(buffer->pieces[i].iov_base, 0xa5, buffer->pieces[i].iov_len);
	if (preadv(job->disk, buffer->pieces, buffer->count, offset) != (ssize_t)(sectors * SECTOR))
		return fail("cannot read", job->first + at, sectors);
	errno = 0;
	for (int i = 0; i < buffer->count; i++) {
		if (memcmp(buffer->pieces[i].iov_base, expected, buffer->pieces[i].iov_len))
			return fail("read something else than was written", job->first + at, sectors);
		expected += buffer->pieces[i].iov_len;
	}
	return true;
}

/* Chooses the sizes at the limits and around a page first, then random sizes. */
static uint64_t choose_sectors(struct job *job, unsigned int round)
{
	static const unsigned int special[] = { 1, MAX_SECTORS, 7, 9, 8, MAX_SECTORS - 1 };
	const uint64_t max = job->count < MAX_SECTORS ? job->count : MAX_SECTORS;
	const uint64_t wanted =
		round < 2 * sizeof special / sizeof special[0] ? special[round / 2] : 1 + below(&job->random, max);

	return wanted < max ? wanted : max;
}

/* Writes from memory in one piece (`longest` is MAX_SECTORS), in few pieces, or in many. */
static bool write_round(struct job *job, struct buffer *buffer, unsigned int round, uint64_t *at, uint64_t *sectors)
{
	static const unsigned int longest[] = { 9, MAX_SECTORS, 1, 64 };

	*sectors = choose_sectors(job, round);
	*at = below(&job->random, job->count - *sectors + 1);
	cut(job, buffer, *sectors, longest[round / 2 % 4]);
	return write_some(job, buffer, *at, *sectors);
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Reads the sectors just written and up to 8 on each side, but at most MAX_SECTORS in all. */
static bool read_round(struct job *job, struct buffer *buffer, uint64_t at, uint64_t sectors)
{
	const uint64_t most_before = lesser(8, lesser(at, MAX_SECTORS - sectors));
	const uint64_t start = at - below(&job->random, most_before + 1);
	uint64_t length = at + sectors - start + below(&job->random, 9);

	length = lesser(length, lesser(job->count - start, MAX_SECTORS));
	cut(job, buffer, length, 9);
	return read_some(job, buffer, start, length);
}

static bool exercise(struct job *job)
{
	struct buffer buffer = { .memory = page_memory(MAX_SECTORS * SECTOR) };
	uint64_t at, sectors;

	if (!buffer.memory)
		return fail("no memory", 0, 0);
	for (unsigned int round = 0; round < ROUNDS; round += 2)
		if (!write_round(job, &buffer, round, &at, &sectors) || !read_round(job, &buffer, at, sectors))
			return false;
	return true;
}

/* Reads everything, into pieces of memory. Most pieces begin and end inside pages. */
static bool read_all(struct job *job)
{
	struct buffer buffer = { .memory = page_memory(MAX_SECTORS * SECTOR) };

	if (!buffer.memory)
		return fail("no memory", 0, 0);
	for (uint64_t at = 0; at < job->count; at += MAX_SECTORS) {
		const uint64_t rest = job->count - at;
		const uint64_t sectors = rest < MAX_SECTORS ? rest : MAX_SECTORS;

		cut(job, &buffer, sectors, 9);
		if (!read_some(job, &buffer, at, sectors))
			return false;
	}
	return true;
}

/* Reads the initial content of the sectors. A sector that is not written must keep its content. */
static bool learn(struct job *job)
{
	for (uint64_t at = 0; at < job->count; at += MAX_SECTORS) {
		const uint64_t rest = job->count - at;
		const size_t bytes = (size_t)((rest < MAX_SECTORS ? rest : MAX_SECTORS) * SECTOR);

		if (pread(job->disk, job->expected + at * SECTOR, bytes, (off_t)((job->first + at) * SECTOR)) !=
		    (ssize_t)bytes)
			return fail("cannot read", job->first + at, bytes / SECTOR);
	}
	return true;
}

/*
 * Starts worker processes. Returns the worker's number in each worker, and -1 in the parent after
 * all workers have succeeded. Exits if a worker fails.
 */
static int start_workers(unsigned int workers)
{
	bool good = true;
	int status;

	for (unsigned int i = 0; i < workers; i++) {
		const pid_t pid = fork();

		if (pid == 0)
			return (int)i;
		if (pid < 0)
			good = false;
	}
	while (wait(&status) > 0)
		good = good && status == 0;
	if (!good)
		_exit(EXIT_FAILURE);
	return -1;
}

static bool run_exercise(struct job *whole, unsigned int workers, const char *copy)
{
	const uint64_t share = whole->count / workers;
	int file, worker;

	whole->expected = page_memory(whole->count * SECTOR);
	if (!whole->expected || share == 0 || !learn(whole))
		return fail("cannot start", whole->first, whole->count);
	worker = start_workers(workers);
	if (worker >= 0) {
		struct job part = *whole;

		part.first += share * (unsigned int)worker;
		part.count = share;
		part.expected += share * (unsigned int)worker * SECTOR;
		part.random = whole->first * MAX_WORKERS + (unsigned int)worker + 1;
		_exit(exercise(&part) ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	whole->random = whole->first + 1;
	if (!read_all(whole))
		return false;
	file = open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0 ||
	    write(file, whole->expected, (size_t)(whole->count * SECTOR)) != (ssize_t)(whole->count * SECTOR))
		return fail("cannot write the copy", 0, whole->count);
	return close(file) == 0;
}

/* Fills a record with lines of 16 bytes. Each line has the record's stream and number. */
static void fill_record(uint8_t *record, unsigned int stream, unsigned int number)
{
	char line[32];

	(void)snprintf(line, sizeof line, "%02u %012u\n", stream % 100, number);
	for (size_t i = 0; i < RECORD_SECTORS * SECTOR; i += 16)
		memcpy(record + i, line, 16);
}

/* Returns only after a failure. */
static bool write_numbers(int disk, unsigned int worker, unsigned int stream, unsigned int pause_ms)
{
	const struct timespec pause = { .tv_sec = pause_ms / 1000, .tv_nsec = (long)(pause_ms % 1000) * 1000000 };
	const size_t bytes = RECORD_SECTORS * SECTOR;
	uint8_t *record = page_memory(bytes);
	char line[64];

	if (!record)
		return fail("no memory", 0, 0);
	for (unsigned int number = 1;; number++) {
		const unsigned int place = worker * STREAM_RECORDS + (number - 1) % STREAM_RECORDS;
		const uint64_t sector = (uint64_t)place * RECORD_SECTORS;

		fill_record(record, stream, number);
		if (pwrite(disk, record, bytes, (off_t)(sector * SECTOR)) != (ssize_t)bytes)
			return fail("cannot write", sector, RECORD_SECTORS);
		/* Uses one write(), because other processes write lines too. */
		(void)snprintf(line, sizeof line, "GUEST: acknowledged %u %u\n", stream, number);
		if (write(STDOUT_FILENO, line, strlen(line)) < 0)
			return false;
		if (pause_ms)
			(void)nanosleep(&pause, NULL);
	}
}

static bool run_numbers(int disk, char **argv)
{
	const unsigned int stream = (unsigned int)strtoul(argv[3], NULL, 10);
	const unsigned int pause_ms = (unsigned int)strtoul(argv[5], NULL, 10);
	const int worker = start_workers((unsigned int)strtoul(argv[4], NULL, 10));

	return worker < 0 || write_numbers(disk, (unsigned int)worker, stream + (unsigned int)worker, pause_ms);
}

/* Works without liburing, which may be missing. */
static bool has_io_uring(void)
{
	struct io_uring_params params = { 0 };

	if (syscall(SYS_io_uring_setup, 1, &params) >= 0)
		return true;
	printf("io_uring is not possible here: %s\n", strerror(errno));
	return false;
}

int main(int argc, char **argv)
{
	const bool numbers = argc == 6 && strcmp(argv[1], "number") == 0;
	struct job whole = { .disk = -1 };
	unsigned long workers;
	bool good;

	if (argc == 2 && strcmp(argv[1], "io_uring") == 0)
		return has_io_uring() ? EXIT_SUCCESS : EXIT_FAILURE;
	if (!numbers && (argc != 7 || strcmp(argv[1], "exercise") != 0)) {
		fputs("usage: disk_io exercise DISK FIRST COUNT WORKERS COPY | number DISK STREAM WORKERS PAUSE | "
		      "io_uring\n",
		      stderr);
		return EXIT_FAILURE;
	}
	whole.first = strtoull(argv[3], NULL, 10);
	whole.count = strtoull(argv[4], NULL, 10);
	workers = strtoul(argv[numbers ? 4 : 5], NULL, 10);
	whole.disk = open(argv[2], O_RDWR | O_DIRECT | O_CLOEXEC | (numbers ? O_DSYNC : 0));
	if (whole.disk < 0 || workers < 1 || workers > MAX_WORKERS) {
		fail(argv[2], whole.first, 0);
		return EXIT_FAILURE;
	}
	if (numbers)
		good = run_numbers(whole.disk, argv);
	else
		good = run_exercise(&whole, (unsigned int)workers, argv[6]);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
