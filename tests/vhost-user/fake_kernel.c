/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The fake kernel under uring.c. */
#include "fake_kernel.h"

#include "device.h"

#include "log.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <virtio/queue_mock.h>

#define RAM 0x20000u
#define ENTRIES 256u
#define HEADERS 0x4000u
#define STATUSES 0x5000u
#define DATA 0x8000u
#define DATA_BYTES (REQUEST_SECTORS * 512u)
#define SECTORS (MAX_QUEUES * REQUESTS * REQUEST_SECTORS)
#define WORDS 128u /* words in a sector */
#define LARGE 0x40000000u

struct kernel_disk kernel_disk;
struct kernel_kernel kernel_kernel;
char kernel_log[256];

/* `now` is the content that reads return. `stable` is the content after a power failure. */
static struct {
	uint32_t now[SECTORS][WORDS];
	uint32_t stable[SECTORS][WORDS];
	bool lost[SECTORS]; /* a failed sync has lost the sector; cleared by the next write */
	uint32_t reported[SECTORS];
	FILE *file;
	struct virtio_blk_file back_end;
	struct virtio_blk blk;
	pthread_mutex_t mutex; /* other threads call fdatasync() */
	pthread_cond_t changed;
	uint64_t random;
	uint32_t number; /* number of the last write */
} kernel = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

struct request {
	uint32_t type;
	uint32_t number;
	unsigned int sectors;
	bool sent, judged;
	int head;
	int64_t length; /* used length, or -1 if not completed */
	uint32_t promised[SECTORS];
};

static struct guest {
	uint8_t ram[RAM];
	struct virtio_region regions[2];
	struct virtio_memory_map map;
	struct virtio_mock mock;
	struct virtio_mock_slot slots[ENTRIES];
	struct virtio_inflight inflight[ENTRIES];
	struct virtio_queue virtq;
	struct blk_queue *queue;
	struct request requests[REQUESTS];
} guests[MAX_QUEUES];

/* Large reads store their data here. */
static uint8_t large[LARGE_SECTORS * 512];

unsigned int kernel_random(unsigned int limit)
{
	kernel.random ^= kernel.random >> 12;
	kernel.random ^= kernel.random << 25;
	kernel.random ^= kernel.random >> 27;
	return (unsigned int)((kernel.random * UINT64_C(2685821657736338717)) >> 33) % limit;
}

void kernel_seed(uint64_t seed)
{
	kernel.random = seed * 2 + 1;
}

static unsigned int sector_of(unsigned int queue, unsigned int n)
{
	return (queue * REQUESTS + n) * REQUEST_SECTORS;
}

/* Promises */

static bool is_stable(unsigned int sector, uint32_t number)
{
	for (unsigned int i = 0; i < WORDS; i++)
		if (kernel.stable[sector][i] < number)
			return false;
	return true;
}

/*
 * When a request's status appears for the first time, checks that the promised data is stable.
 * Returns false if the data is not stable.
 */
static bool judge(unsigned int queue, unsigned int n)
{
	struct request *request = &guests[queue].requests[n];
	const unsigned int first = sector_of(queue, n);
	bool good = true;

	if (!request->sent || request->judged || kernel_status(queue, n) == STATUS_NONE)
		return true;
	request->judged = true;
	if (kernel_status(queue, n) != VIRTIO_BLK_S_OK)
		return true;
	for (unsigned int i = 0; i < SECTORS && request->type == VIRTIO_BLK_T_FLUSH; i++)
		good = good && is_stable(i, request->promised[i]);
	for (unsigned int i = 0; i < request->sectors && request->type == VIRTIO_BLK_T_OUT; i++) {
		kernel.reported[first + i] = request->number;
		if (virtio_blk_write_through(&kernel.blk))
			good = good && is_stable(first + i, request->number);
	}
	return good;
}

/* The caller holds the mutex. */
static void judge_all(void)
{
	for (unsigned int queue = 0; queue < MAX_QUEUES; queue++)
		for (unsigned int n = 0; n < REQUESTS; n++)
			kernel_disk.early += !judge(queue, n);
}

static void check(void)
{
	unsigned int early;

	pthread_mutex_lock(&kernel.mutex);
	judge_all();
	early = kernel_disk.early;
	pthread_mutex_unlock(&kernel.mutex);
	assert_int_equal(early, 0);
}

/* The disk */

/* Moves at most `most` bytes. Returns the number of moved bytes. */
static int move(bool is_write, const struct iovec *iov, unsigned int count, uint64_t offset, uint64_t most)
{
	uint8_t *bytes = (uint8_t *)kernel.now;
	uint64_t done = 0;

	pthread_mutex_lock(&kernel.mutex);
	judge_all();
	for (unsigned int i = 0; i < count && done < most; i++) {
		const uint64_t part = iov[i].iov_len < most - done ? iov[i].iov_len : most - done;

		if (offset + done + part > sizeof kernel.now)
			break;
		if (is_write)
			memcpy(bytes + offset + done, iov[i].iov_base, (size_t)part);
		else
			memcpy(iov[i].iov_base, bytes + offset + done, (size_t)part);
		done += part;
	}
	for (uint64_t at = offset; is_write && at < offset + done; at++)
		kernel.lost[at / 512] = false;
	pthread_mutex_unlock(&kernel.mutex);
	return (int)done;
}

/*
 * Carries out a read or write, of a piece or of a call, with this outcome. Returns the number of
 * moved bytes, or the argument of SAYS().
 */
static int apply(int64_t outcome, bool is_write, const struct iovec *iov, unsigned int count, uint64_t offset)
{
	if (outcome < 0)
		return (int)(outcome - INT64_MIN / 2);
	return move(is_write, iov, count, offset, (uint64_t)outcome);
}

static ssize_t call(bool is_write, int fd, const struct iovec *iov, int count, off_t offset)
{
	int got;

	if (fd != kernel_disk.fd || count < 0) {
		errno = EBADF;
		return -1;
	}
	kernel_disk.calls++;
	usleep(kernel_disk.call_us);
	got = apply(kernel_disk.call_outcome, is_write, iov, (unsigned int)count, (uint64_t)offset);
	if (got < 0)
		errno = -got;
	return got < 0 ? -1 : got;
}

ssize_t preadv(int fd, const struct iovec *iov, int count, off_t offset)
{
	return call(false, fd, iov, count, offset);
}

ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t offset)
{
	return call(true, fd, iov, count, offset);
}

int fdatasync(int fd)
{
	uint32_t before[SECTORS][WORDS];
	int error = fd == kernel_disk.fd ? 0 : EBADF;

	pthread_mutex_lock(&kernel.mutex);
	judge_all();
	memcpy(before, kernel.now, sizeof before);
	if (++kernel_disk.syncs == kernel_disk.fail_sync)
		error = kernel_disk.fail_with;
	pthread_cond_broadcast(&kernel.changed);
	while (kernel_disk.hold)
		pthread_cond_wait(&kernel.changed, &kernel.mutex);
	judge_all();
	for (unsigned int i = 0; i < SECTORS; i++) {
		kernel.lost[i] |= error && memcmp(kernel.stable[i], before[i], 512) != 0;
		if (!kernel.lost[i])
			memcpy(kernel.stable[i], before[i], 512);
	}
	pthread_mutex_unlock(&kernel.mutex);
	errno = error;
	return error ? -1 : 0;
}

void kernel_await_syncs(unsigned int count)
{
	pthread_mutex_lock(&kernel.mutex);
	while (kernel_disk.syncs < count)
		pthread_cond_wait(&kernel.changed, &kernel.mutex);
	pthread_mutex_unlock(&kernel.mutex);
}

void kernel_release(void)
{
	pthread_mutex_lock(&kernel.mutex);
	kernel_disk.hold = false;
	pthread_cond_broadcast(&kernel.changed);
	pthread_mutex_unlock(&kernel.mutex);
}

/* The kernel */

int io_uring_queue_init(unsigned int entries, struct io_uring *ring, unsigned int flags)
{
	assert_int_equal(entries, FAKE_ENTRIES);
	assert_int_equal(flags, 0);
	assert_true(kernel_kernel.rings < MAX_QUEUES);
	memset(ring, 0, sizeof *ring);
	ring->ring_fd = -1;
	kernel_kernel.ring[kernel_kernel.rings++] = ring;
	return 0;
}

void io_uring_queue_exit(struct io_uring *ring)
{
	assert_int_equal(ring->taken_count + ring->done_count, 0);
	kernel_kernel.rings--;
}

struct io_uring_sqe *io_uring_get_sqe(struct io_uring *ring)
{
	return ring->ready_count < FAKE_ENTRIES ? &ring->ready[ring->ready_count++] : NULL;
}

unsigned int io_uring_sq_ready(const struct io_uring *ring)
{
	return ring->ready_count;
}

static int64_t outcome_of_next(void)
{
	if (kernel_kernel.outcome)
		return kernel_kernel.outcome();
	return kernel_kernel.ended < kernel_kernel.outcome_count ? kernel_kernel.outcomes[kernel_kernel.ended] : WHOLE;
}

static void end_piece(struct io_uring *ring, unsigned int which)
{
	const struct io_uring_sqe sqe = ring->taken[which];
	struct io_uring_cqe *cqe = &ring->done[ring->done_count++];

	assert_in_range(ring->done_count, 1, FAKE_ENTRIES);
	memmove(&ring->taken[which], &ring->taken[which + 1], (--ring->taken_count - which) * sizeof sqe);
	cqe->data = sqe.data;
	if (sqe.fd == kernel_disk.fd) {
		cqe->res = apply(outcome_of_next(), sqe.is_write, sqe.iov, sqe.count, sqe.offset);
		kernel_kernel.ended++;
	} else if (kernel_kernel.answer_error) {
		cqe->res = -kernel_kernel.answer_error;
	} else {
		cqe->res = (int)readv(sqe.fd, sqe.iov, (int)sqe.count);
	}
}

static void end_one(struct io_uring *ring)
{
	end_piece(ring, kernel_kernel.random ? kernel_random(ring->taken_count) : 0);
}

int io_uring_submit_and_wait(struct io_uring *ring, unsigned int wait)
{
	const unsigned int most = kernel_kernel.take ? kernel_kernel.take : FAKE_ENTRIES;
	const unsigned int count = ring->ready_count < most ? ring->ready_count : most;

	kernel_kernel.enters++;
	if (kernel_kernel.accepts > 0) {
		kernel_kernel.accepts--;
	} else if (kernel_kernel.refusals > 0) {
		kernel_kernel.refusals--;
		return -kernel_kernel.refusal;
	}
	for (unsigned int i = 0; i < count; i++)
		kernel_kernel.pieces += ring->ready[i].fd == kernel_disk.fd;
	assert_true(ring->taken_count + count <= FAKE_ENTRIES);
	memcpy(&ring->taken[ring->taken_count], ring->ready, count * sizeof ring->ready[0]);
	memmove(ring->ready, ring->ready + count, (ring->ready_count - count) * sizeof ring->ready[0]);
	ring->taken_count += count;
	ring->ready_count -= count;
	while (ring->done_count < wait) {
		/* If no piece is in flight, a real wait would never return, so the test fails. */
		assert_true(ring->taken_count > 0);
		end_one(ring);
	}
	return (int)count;
}

int io_uring_peek_cqe(struct io_uring *ring, struct io_uring_cqe **cqe)
{
	*cqe = ring->done;
	return ring->done_count ? 0 : -EAGAIN;
}

void io_uring_cqe_seen(struct io_uring *ring, struct io_uring_cqe *cqe)
{
	assert_ptr_equal(cqe, ring->done);
	memmove(ring->done, ring->done + 1, --ring->done_count * sizeof *cqe);
}

/* The system */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	if (kernel_kernel.no_threads)
		return EAGAIN;
	kernel_kernel.threads++;
	return __real_pthread_create(thread, attr, run, arg);
}

/*
 * Needs no lock, because only threads of queues log, and here one thread acts as all of these
 * threads.
 */
void log_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(kernel_log, sizeof kernel_log, format, args);
	va_end(args);
}

/* The guest */

struct blk_queue *kernel_queue(void)
{
	return blk_queue_create_uring(&kernel.blk, kernel_disk.fd, "the disk");
}

static void open_guest(struct guest *guest)
{
	memset(guest, 0, sizeof *guest);
	guest->regions[0] = (struct virtio_region){ .len = RAM, .host = guest->ram };
	guest->regions[1] = (struct virtio_region){ .addr = LARGE, .len = sizeof large, .host = large };
	assert_int_equal(virtio_memory_map_init(&guest->map, guest->regions, 2), 0);
	assert_int_equal(virtio_mock_init(&guest->mock, &guest->map, 0, ENTRIES, guest->slots, ENTRIES), 0);
	assert_true(virtio_mock_end(&guest->mock) <= HEADERS);
	assert_int_equal(virtio_mock_create_queue(&guest->mock, &guest->virtq, guest->inflight, ENTRIES, &guest->map),
			 0);
	guest->queue = kernel_queue();
	assert_non_null(guest->queue);
}

void kernel_open(uint64_t features, unsigned int queues)
{
	struct virtio_blk_options options = { .capacity = SECTORS + LARGE_SECTORS };

	watchdog_step();
	kernel.file = tmpfile();
	assert_non_null(kernel.file);
	kernel_disk = (struct kernel_disk){ .fd = fileno(kernel.file), .call_outcome = WHOLE };
	kernel_kernel = (struct kernel_kernel){ .rings = 0 };
	kernel_log[0] = '\0';
	kernel_seed(1);
	kernel.number = 0;
	memset(kernel.now, 0, sizeof kernel.now);
	memset(kernel.stable, 0, sizeof kernel.stable);
	memset(kernel.lost, 0, sizeof kernel.lost);
	memset(kernel.reported, 0, sizeof kernel.reported);
	memset(guests, 0, sizeof guests);
	assert_int_equal(virtio_blk_file_backend(&kernel.back_end, kernel_disk.fd, &options.backend), 0);
	assert_int_equal(virtio_blk_init(&kernel.blk, &options), 0);
	assert_int_equal(virtio_blk_negotiate(&kernel.blk, features), 0);
	for (unsigned int i = 0; i < queues; i++)
		open_guest(&guests[i]);
}

void kernel_close(void)
{
	for (unsigned int i = 0; i < MAX_QUEUES && guests[i].queue; i++) {
		for (unsigned int n = 0; n < REQUESTS; n++)
			if (guests[i].requests[n].sent)
				(void)kernel_length(i, n);
		assert_true(virtio_queue_quiesced(&guests[i].virtq));
		guests[i].queue->ops->destroy(guests[i].queue);
	}
	assert_int_equal(kernel_kernel.rings, 0);
	check();
	for (unsigned int i = 0; i < SECTORS; i++)
		for (unsigned int w = 0; w < WORDS; w++)
			assert_true(kernel.now[i][w] >= kernel.reported[i]);
	fclose(kernel.file);
}

uint8_t kernel_status(unsigned int queue, unsigned int n)
{
	return __atomic_load_n(&guests[queue].ram[STATUSES + n], __ATOMIC_ACQUIRE);
}

static void fill(struct guest *guest, unsigned int n, uint32_t word)
{
	for (unsigned int i = 0; i < DATA_BYTES; i += 4)
		memcpy(guest->ram + DATA + n * DATA_BYTES + i, &word, sizeof word);
}

void kernel_send(unsigned int queue, unsigned int n, uint32_t type, unsigned int sectors)
{
	struct guest *guest = &guests[queue];
	struct request *request = &guest->requests[n];
	const uint16_t flags = type == VIRTIO_BLK_T_IN ? VRING_DESC_F_WRITE : 0;
	struct virtio_mock_buffer buffers[3] = {
		{ .addr = HEADERS + 16 * n, .len = 16 },
		{ .addr = sectors > REQUEST_SECTORS ? LARGE : DATA + n * DATA_BYTES,
		  .len = sectors * 512,
		  .flags = flags },
		{ .addr = STATUSES + n, .len = 1, .flags = VRING_DESC_F_WRITE },
	};

	if (request->sent)
		(void)kernel_length(queue, n);
	pthread_mutex_lock(&kernel.mutex);
	*request = (struct request){ .type = type, .sectors = sectors, .sent = true, .length = -1 };
	if (type == VIRTIO_BLK_T_OUT)
		request->number = ++kernel.number;
	memcpy(request->promised, kernel.reported, sizeof request->promised);
	fill(guest, n, type == VIRTIO_BLK_T_OUT ? request->number : UINT32_MAX);
	virtio_put_le32(guest->ram + HEADERS + 16 * n, type);
	virtio_put_le64(guest->ram + HEADERS + 16 * n + 8, sector_of(queue, n));
	__atomic_store_n(&guest->ram[STATUSES + n], STATUS_NONE, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&kernel.mutex);
	if (sectors == 0)
		buffers[1] = buffers[2];
	request->head = virtio_mock_add(&guest->mock, buffers, sectors ? 3 : 2);
	assert_true(request->head >= 0);
}

unsigned int kernel_failures(void)
{
	unsigned int count = 0;

	for (unsigned int queue = 0; queue < MAX_QUEUES; queue++)
		for (unsigned int n = 0; n < REQUESTS; n++)
			count += guests[queue].requests[n].sent && kernel_status(queue, n) == VIRTIO_BLK_S_IOERR;
	return count;
}

/* Pops all completed requests. Compares the data of reads with the disk. */
static void pop_used(unsigned int queue)
{
	struct guest *guest = &guests[queue];
	struct vring_used_elem used;
	int got;

	while ((got = virtio_mock_pop_used(&guest->mock, &used)) == 1) {
		struct request *request = NULL;
		unsigned int n = 0;

		for (unsigned int i = 0; i < REQUESTS; i++) {
			if (guest->requests[i].sent && guest->requests[i].length < 0 &&
			    guest->requests[i].head == (int)used.id) {
				request = &guest->requests[i];
				n = i;
			}
		}
		assert_non_null(request);
		request->length = used.len;
		if (request->type == VIRTIO_BLK_T_IN && kernel_status(queue, n) == VIRTIO_BLK_S_OK)
			assert_memory_equal(guest->ram + DATA + n * DATA_BYTES, kernel.now[sector_of(queue, n)],
					    request->sectors * 512);
	}
	assert_int_equal(got, 0);
}

uint32_t kernel_length(unsigned int queue, unsigned int n)
{
	pop_used(queue);
	assert_true(guests[queue].requests[n].length >= 0);
	return (uint32_t)guests[queue].requests[n].length;
}

int kernel_turn(unsigned int queue)
{
	struct guest *guest = &guests[queue];
	const int result = guest->queue->ops->process(guest->queue, &guest->virtq, REQUESTS);

	check();
	return result;
}

int kernel_process(unsigned int queue)
{
	struct guest *guest = &guests[queue];
	int result;

	/*
	 * A turn pops nothing if it begins with requests that an earlier turn has popped. So check
	 * for requests that are left in the ring.
	 */
	do
		result = kernel_turn(queue);
	while (result == DEVICE_TURN_AGAIN ||
	       (result == DEVICE_TURN_DONE && virtio_queue_available(&guest->virtq) > 0));
	pop_used(queue);
	return result;
}

void kernel_drain(unsigned int queue)
{
	struct guest *guest = &guests[queue];

	guest->queue->ops->drain(guest->queue, &guest->virtq);
	check();
	pop_used(queue);
	assert_true(virtio_queue_quiesced(&guest->virtq));
}

void kernel_end_one(unsigned int queue)
{
	assert_true(kernel_kernel.ring[queue]->taken_count > 0);
	end_one(kernel_kernel.ring[queue]);
	check();
}

void kernel_end_moves(unsigned int queue)
{
	struct io_uring *ring = kernel_kernel.ring[queue];

	for (unsigned int i = 0; i < ring->taken_count;)
		if (ring->taken[i].fd == kernel_disk.fd)
			end_piece(ring, i);
		else
			i++;
	check();
}

void kernel_run(unsigned int queue)
{
	int result = kernel_process(queue);

	while (kernel_kernel.ring[queue]->taken_count > 0 || result == 1) {
		if (kernel_kernel.ring[queue]->taken_count > 0)
			kernel_end_one(queue);
		result = kernel_process(queue);
	}
	assert_int_equal(result, 0);
}
