/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Transfers that the caller carries out. A model knows where each byte belongs. In one test another
 * thread carries out the transfers.
 */
#include "blk_fixture.h"

#include <pthread.h>
#include <virtio/blk_transfer.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MOST_IOVECS 70u

static uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

/* A request in progress, and the state that the model expects. */
struct job {
	struct blk_ask ask;
	struct virtio_blk_request request; /* keeps its address while it is in flight */
	struct virtio_blk_transfer transfer;
	bool read;
	uint32_t bytes; /* bytes of data */
	uint32_t done;  /* bytes that the model has moved */
};

/* Returns the host address at which the model expects byte i of the data. */
static const uint8_t *place_of(const struct blk_fixture *f, const struct job *job, uint32_t i)
{
	const struct blk_ask *ask = &job->ask;

	return f->ram + (job->read ? blk_place(BLK_WRITABLE, i, ask->writable_piece, ask->gap)
				   : blk_place(BLK_READABLE, 16 + i, ask->readable_piece, ask->gap));
}

static void start(struct blk_fixture *f, struct job *job, uint32_t bytes, uint32_t piece, bool read)
{
	job->read = read;
	job->bytes = bytes;
	job->done = 0;
	job->ask = (struct blk_ask){ .type = read ? VIRTIO_BLK_T_IN : VIRTIO_BLK_T_OUT,
				     .sector = bytes / 512,
				     .out = read ? NULL : blk_pattern,
				     .out_bytes = read ? 0 : bytes,
				     .in_bytes = read ? bytes : 0,
				     .readable_piece = piece,
				     .writable_piece = piece,
				     .gap = piece % 3 };
	blk_send(f, &job->ask);
	assert_int_equal(virtio_blk_request_init(&job->request, &f->storage), 0);
	assert_int_equal(virtio_blk_pop(&f->queue, &job->request), 1);
	memset(&job->transfer, 0x5a, sizeof job->transfer);
	assert_int_equal(virtio_blk_transfer_begin(&job->transfer, &f->blk, &job->request), VIRTIO_BLK_S_OK);
	memset(f->bitmap, 0, sizeof f->bitmap);
}

/*
 * Checks that the position is in an unfinished segment, or after the last segment. Otherwise the
 * next vector would walk finished segments again.
 */
static void check_place(const struct virtio_blk_transfer *t)
{
	assert_true(t->at.left ? t->at.offset < t->at.segments->len : t->at.offset == 0);
}

/*
 * Gets the next vector, and checks that it has the addresses of the next bytes. Returns its length
 * in bytes.
 */
static uint32_t next_vector(struct blk_fixture *f, struct job *job, struct virtio_iovec *iov, uint32_t capacity)
{
	const struct virtio_iovec untouched = { f, 77 };
	uint32_t count, bytes = 0;

	for (uint32_t i = 0; i <= capacity; i++)
		iov[i] = untouched;
	count = virtio_blk_transfer_iovec(&job->transfer, iov, capacity);
	assert_in_range(count, 1, capacity);
	for (uint32_t i = 0; i < count; i++) {
		assert_true(iov[i].len > 0);
		for (size_t k = 0; k < iov[i].len; k++)
			assert_ptr_equal((const uint8_t *)iov[i].base + k, place_of(f, job, job->done + bytes++));
	}
	assert_true(iov[count].len == 77 && iov[count].base == f);
	/* If the remaining bytes fit, the vector has all of them. Otherwise the vector is full. */
	assert_true(bytes == job->bytes - job->done || (count == capacity && bytes < job->bytes - job->done));
	assert_int_equal(job->transfer.offset, job->ask.sector * 512 + job->done);
	return bytes;
}

/* Moves the first bytes of a vector, as preadv() and pwritev() would. */
static void move(struct blk_fixture *f, const struct job *job, const struct virtio_iovec *iov, uint32_t bytes)
{
	uint8_t *disk = f->backend.disk + job->transfer.offset;

	for (uint32_t moved = 0; moved < bytes; iov++) {
		const uint32_t part = iov->len < bytes - moved ? (uint32_t)iov->len : bytes - moved;

		if (job->read)
			memcpy(iov->base, disk + moved, part);
		else
			memcpy(disk + moved, iov->base, part);
		moved += part;
	}
}

/* Completes the request. Result, used length, memory, disk and dirty log must be the model's. */
static void finish(struct blk_fixture *f, struct job *job, int error)
{
	const uint8_t status = error ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
	const uint32_t in = job->read ? job->done : 0;
	struct virtio_blk_result result;

	memset(&result, 0x5a, sizeof result);
	virtio_blk_transfer_result(&job->request, &job->transfer, error, &result);
	assert_int_equal(result.status, status);
	assert_int_equal(result.error, error);
	assert_int_equal(result.written, in);
	assert_int_equal(result.touched, job->read && error ? job->bytes : in);
	assert_int_equal(virtio_blk_complete(&f->queue, &job->request, &result, &f->stats), 0);
	assert_int_equal(blk_pop_used(f), in + (in == job->ask.in_bytes));
	blk_expect(f, &job->ask, f->disk_model + job->ask.sector * 512, in, status);
	if (!job->read)
		memcpy(f->disk_model + job->ask.sector * 512, blk_pattern, job->done);
	blk_check_memory(f);
	blk_check_disk(f);
	blk_check_dirty(f, &job->ask, error ? job->ask.in_bytes : in);
}

/* Hostile 134: makes transfers of random lengths until all bytes are moved or a transfer fails. */
static void run(struct blk_fixture *f, struct job *job, uint32_t *x)
{
	static const int64_t failures[] = { VIRTIO_EIO, VIRTIO_ENOTSUP, -1, INT32_MIN, 0, INT64_MAX, INT64_MIN };
	struct virtio_iovec iov[MOST_IOVECS + 1];
	int more = job->bytes > 0;

	while (more == 1) {
		const uint32_t bytes = next_vector(f, job, iov, 1 + next_random(x) % MOST_IOVECS);
		const uint32_t part = next_random(x) % 2 ? bytes : 1 + next_random(x) % bytes;

		switch (next_random(x) % 32) {
		case 0: /* the transfer failed */
			more = virtio_blk_transfer_advance(&job->transfer, failures[next_random(x) % 7]);
			assert_true(more < 0);
			break;
		case 1: /* the caller reports more bytes than the vector has */
			more = virtio_blk_transfer_advance(&job->transfer, (int64_t)bytes + 1);
			assert_int_equal(more, VIRTIO_EIO);
			break;
		case 2:
		case 3: /* the call was interrupted: the next vector begins at the same byte */
			break;
		default:
			move(f, job, iov, part);
			job->done += part;
			more = virtio_blk_transfer_advance(&job->transfer, part);
			assert_int_equal(more, job->done < job->bytes);
			check_place(&job->transfer);
		}
	}
	if (more == 0) {
		assert_int_equal(virtio_blk_transfer_iovec(&job->transfer, iov, MOST_IOVECS), 0);
		assert_int_equal(virtio_blk_transfer_advance(&job->transfer, 0), 0);
	}
	finish(f, job, more);
}

static void blk_transfer_agrees_with_a_model_of_bytes(void **state)
{
	uint32_t x = 0x9e3779b9, failed = 0;

	(void)state;
	blk_fill_pattern();
	for (size_t r = 0; r < BLK_MEMORIES; r++) {
		static struct blk_fixture f;

		blk_setup(&f, blk_memories[r]);
		for (int i = 0; i < 400; i++) {
			const uint32_t bytes = next_random(&x) % 8 * 512;
			const uint32_t piece = next_random(&x) % 4 ? 20 + next_random(&x) % 600 : 0;
			struct job job;

			start(&f, &job, bytes, piece, next_random(&x) % 2);
			run(&f, &job, &x);
		}
		failed += (uint32_t)f.stats.failed;
		assert_int_equal(f.stats.reads + f.stats.writes, 400);
	}
	assert_in_range(failed, 100, 1000);
}

static void blk_transfer_errors_are_passed_on(void **state)
{
	static const struct {
		int64_t moved;
		int error;
	} cases[] = {
		{ VIRTIO_EIO, VIRTIO_EIO },
		{ VIRTIO_ENOTMAPPED, VIRTIO_ENOTMAPPED },
		{ -1, -1 },
		{ INT32_MIN, INT32_MIN },
		{ 0, VIRTIO_EIO },
		{ 1025, VIRTIO_EIO },
		{ INT64_MAX, VIRTIO_EIO },
		{ INT64_MIN, VIRTIO_EIO },
		{ -(1LL << 32), VIRTIO_EIO },
		{ (int64_t)INT32_MIN - 1, VIRTIO_EIO },
	};
	struct virtio_iovec iov[MOST_IOVECS + 1];

	(void)state;
	blk_fill_pattern();
	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		static struct blk_fixture f;
		struct job job;

		blk_setup(&f, BLK_RAM);
		start(&f, &job, 1024, 0, i % 2);
		assert_int_equal(next_vector(&f, &job, iov, 1), 1024);
		assert_int_equal(virtio_blk_transfer_advance(&job.transfer, cases[i / 2].moved), cases[i / 2].error);
		finish(&f, &job, cases[i / 2].error);
	}
}

/* A report before the first vector is refused, even a report of 0 bytes. */
static void blk_transfer_advance_needs_a_vector(void **state)
{
	struct virtio_iovec iov[MOST_IOVECS + 1];
	static struct blk_fixture f;
	struct job job;

	(void)state;
	blk_setup(&f, BLK_RAM);
	start(&f, &job, 1024, 0, true);
	assert_int_equal(virtio_blk_transfer_advance(&job.transfer, 1), VIRTIO_EIO);
	assert_int_equal(virtio_blk_transfer_advance(&job.transfer, 0), VIRTIO_EIO);
	assert_int_equal(next_vector(&f, &job, iov, 1), 1024);
	move(&f, &job, iov, 1000);
	job.done = 1000;
	assert_int_equal(virtio_blk_transfer_advance(&job.transfer, 1000), 1);
	/* A second report for the same vector is refused. The 24 bytes left need a new vector. */
	assert_int_equal(virtio_blk_transfer_advance(&job.transfer, 24), VIRTIO_EIO);
	finish(&f, &job, VIRTIO_EIO);
}

/* If a step after the transfer fails, the result has the error of this step. */
static void blk_transfer_result_reports_the_error_of_a_later_part(void **state)
{
	struct virtio_iovec iov[MOST_IOVECS + 1];
	static struct blk_fixture f;
	struct job job;

	(void)state;
	blk_fill_pattern();
	blk_setup(&f, BLK_RAM);
	start(&f, &job, 512, 0, false);
	assert_int_equal(next_vector(&f, &job, iov, 1), 512);
	move(&f, &job, iov, 512);
	job.done = 512;
	assert_int_equal(virtio_blk_transfer_advance(&job.transfer, 512), 0);
	finish(&f, &job, VIRTIO_EIO);
	assert_int_equal(f.stats.failed, 1);
	assert_int_equal(f.stats.written_bytes, 0);
}

/*
 * The data has 9 GiB and 512 bytes, and no byte is accessed. A vector has at most 2^30 bytes, and
 * sums have 64 bits.
 */
static void blk_transfer_vectors_have_at_most_a_gibibyte(void **state)
{
	static uint8_t ram;
	const uint64_t gib = UINT64_C(1) << 30;
	struct virtio_segment segments[] = {
		{ .len = 3 * gib + 512, .host = &ram }, { .len = 1, .host = &ram },   { .len = gib - 1, .host = &ram },
		{ .len = 4 * gib, .host = &ram },       { .len = gib, .host = &ram },
	};
	const struct virtio_blk_request request = {
		.type = VIRTIO_BLK_T_OUT,
		.sector = UINT64_C(1) << 40,
		.base.data = { .segments = segments, .readable = COUNT(segments), .readable_bytes = 9 * gib + 512 },
	};
	struct virtio_blk_transfer transfer;
	struct virtio_blk_result result;
	static struct blk_fixture f;
	uint64_t done = 0;
	int more;

	(void)state;
	if (sizeof(size_t) < 8) {
		print_message("addresses of this host are too short for data of 9 GiB\n");
		skip();
	}
	blk_setup(&f, BLK_RAM);
	assert_int_equal(virtio_blk_set_capacity(&f.blk, VIRTIO_BLK_MAX_CAPACITY), 0);
	assert_int_equal(virtio_blk_transfer_begin(&transfer, &f.blk, &request), VIRTIO_BLK_S_OK);
	do {
		struct virtio_iovec iov[3];
		const uint32_t count = virtio_blk_transfer_iovec(&transfer, iov, 3);
		uint64_t bytes = 0;

		for (uint32_t i = 0; i < count; i++)
			bytes += iov[i].len;
		assert_in_range(bytes, 1, gib);
		assert_true(bytes == gib || count == 3 || done + bytes == 9 * gib + 512);
		assert_int_equal(transfer.offset, (UINT64_C(1) << 49) + done);
		assert_int_equal(transfer.at.done, done);
		done += bytes;
		more = virtio_blk_transfer_advance(&transfer, (int64_t)bytes);
	} while (more == 1);
	assert_int_equal(more, 0);
	assert_int_equal(done, 9 * gib + 512);
	virtio_blk_transfer_result(&request, &transfer, 0, &result);
	assert_int_equal(result.status, VIRTIO_BLK_S_OK);
	assert_int_equal(result.written, 0);
}

/* Requests that are not moved */

/*
 * If a request is refused, there is nothing to move, and the result has the reason.
 */
static void blk_transfer_begin_refuses_and_leaves_nothing_to_move(void **state)
{
	static const struct {
		struct blk_ask ask;
		enum virtio_blk_refusal refusal;
		int error;
	} cases[] = {
		{ { .type = VIRTIO_BLK_T_IN, .sector = BLK_SECTORS, .in_bytes = 512 }, VIRTIO_BLK_REFUSAL_PAST_END, 0 },
		{ { .type = VIRTIO_BLK_T_IN, .in_bytes = 511 }, VIRTIO_BLK_REFUSAL_NOT_SECTORS, 0 },
		{ { .type = VIRTIO_BLK_T_OUT, .out = blk_pattern, .out_bytes = 512, .in_bytes = 9 },
		  VIRTIO_BLK_REFUSAL_WRONG_DIRECTION,
		  0 },
		{ { .type = VIRTIO_BLK_T_OUT, .out = blk_pattern, .out_bytes = 512, .sector = UINT64_MAX },
		  VIRTIO_BLK_REFUSAL_PAST_END,
		  0 },
		{ { .type = VIRTIO_BLK_T_DISCARD, .out = blk_pattern, .out_bytes = 16 },
		  VIRTIO_BLK_REFUSAL_NOT_NEGOTIATED,
		  0 },
		{ { .type = 99, .out = blk_pattern, .out_bytes = 512 }, VIRTIO_BLK_REFUSAL_UNKNOWN_TYPE, 0 },
		{ { .type = VIRTIO_BLK_T_IN, .in_bytes = 512, .header_bytes = 4 },
		  VIRTIO_BLK_REFUSAL_BAD_CHAIN,
		  VIRTIO_ESHORT },
	};
	const struct virtio_iovec untouched = { NULL, 77 };

	(void)state;
	/* Each case runs with and without an error that the caller reports. */
	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		const enum virtio_blk_refusal refusal = cases[i / 2].refusal;
		const struct blk_ask *ask = &cases[i / 2].ask;
		struct virtio_blk_transfer transfer;
		struct virtio_iovec iov = untouched;
		struct virtio_blk_result result;
		static struct blk_fixture f;

		blk_setup(&f, BLK_RAM);
		blk_send(&f, ask);
		assert_int_equal(virtio_blk_pop(&f.queue, &f.request), 1);
		memset(&transfer, 0x5a, sizeof transfer);
		memset(&result, 0x5a, sizeof result);
		assert_int_equal(virtio_blk_transfer_begin(&transfer, &f.blk, &f.request),
				 virtio_blk_refusal_status(refusal));
		assert_int_equal(virtio_blk_transfer_iovec(&transfer, &iov, 1), 0);
		assert_memory_equal(&iov, &untouched, sizeof iov);
		assert_int_equal(virtio_blk_transfer_advance(&transfer, 1), VIRTIO_EIO);
		assert_int_equal(virtio_blk_transfer_advance(&transfer, 0), 0);
		virtio_blk_transfer_result(&f.request, &transfer, i % 2 ? VIRTIO_EIO : 0, &result);
		assert_int_equal(result.status, virtio_blk_refusal_status(refusal));
		assert_int_equal(result.refusal, refusal);
		assert_int_equal(result.error, cases[i / 2].error);
		assert_int_equal(result.written, 0);
		assert_int_equal(result.touched, 0);
		assert_int_equal(virtio_blk_complete(&f.queue, &f.request, &result, &f.stats), 0);
		blk_pop_used(&f);
		blk_expect(&f, ask, NULL, 0, result.status);
		blk_check_memory(&f);
		blk_check_disk(&f);
		assert_int_equal(f.stats.first_refusal, refusal);
		assert_int_equal(f.backend.logged, 0);
	}
}

/* Requests of all types but reads and writes have no sectors to move, whatever data they have. */
static void blk_transfer_begin_has_nothing_to_move_of_other_types(void **state)
{
	const struct virtio_blk_range range = { 0, 8, 0 };
	const struct blk_ask cases[] = {
		{ .type = VIRTIO_BLK_T_FLUSH,
		  .sector = UINT64_MAX,
		  .out = blk_pattern,
		  .out_bytes = 512,
		  .in_bytes = 9 },
		{ .type = VIRTIO_BLK_T_DISCARD, .out = blk_pattern, .out_bytes = 16 },
		{ .type = VIRTIO_BLK_T_GET_ID, .in_bytes = 20 },
		{ .type = VIRTIO_BLK_T_GET_LIFETIME, .in_bytes = 6 },
	};

	(void)state;
	blk_put_ranges(blk_pattern, &range, 1);
	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		const int error = i % 2 ? VIRTIO_EIO : 0;
		struct virtio_blk_transfer transfer;
		struct virtio_blk_result result;
		static struct blk_fixture f;
		struct virtio_iovec iov;

		blk_setup_commands(&f, BLK_RAM);
		blk_send(&f, &cases[i / 2]);
		assert_int_equal(virtio_blk_pop(&f.queue, &f.request), 1);
		memset(&transfer, 0x5a, sizeof transfer);
		assert_int_equal(virtio_blk_transfer_begin(&transfer, &f.blk, &f.request), VIRTIO_BLK_S_OK);
		assert_int_equal(virtio_blk_transfer_iovec(&transfer, &iov, 1), 0);
		assert_int_equal(virtio_blk_transfer_advance(&transfer, 0), 0);
		memset(&result, 0x5a, sizeof result);
		virtio_blk_transfer_result(&f.request, &transfer, error, &result);
		assert_int_equal(result.status, error ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK);
		assert_int_equal(result.error, error);
		assert_int_equal(result.refusal, VIRTIO_BLK_REFUSAL_NONE);
		assert_int_equal(result.written, 0);
		assert_int_equal(result.touched, 0);
		assert_int_equal(f.backend.logged, 0);
	}
}

/* Another thread */

#define REQUESTS 8u

/*
 * A device with an I/O thread, which carries out the last request first. The lock serialises all
 * use of the queue.
 */
struct device {
	struct blk_fixture f;
	struct virtio_blk_request requests[REQUESTS];
	struct virtio_segment segments[REQUESTS][16];
	struct virtio_segment copies[REQUESTS][16]; /* copy of the segments after the parse */
	pthread_mutex_t lock;
	pthread_cond_t completed;
	uint32_t errors;
};

static uint64_t base_of(uint32_t i)
{
	return BLK_RINGS_END + i * 0x600u;
}

/* Sends and pops request i. Even requests read, odd requests write one sector in two pieces. */
static void send(struct device *d, uint32_t i)
{
	const uint16_t flags = i % 2 ? 0 : VRING_DESC_F_WRITE;
	const struct virtio_mock_buffer buffers[] = { { base_of(i), 16, 0 },
						      { base_of(i) + 0x40, 200, flags },
						      { base_of(i) + 0x200, 312, flags },
						      { base_of(i) + 0x500, 1, VRING_DESC_F_WRITE } };
	const struct virtio_blk_storage storage = { .segments = d->segments[i], .segment_capacity = 16 };

	for (uint64_t k = 0; k < 16; k++)
		blk_poke(&d->f, base_of(i) + k, 0);
	blk_poke(&d->f, base_of(i), i % 2);
	blk_poke(&d->f, base_of(i) + 8, (uint8_t)i);
	for (uint32_t k = 0; k < 512; k++)
		blk_poke(&d->f, base_of(i) + (k < 200 ? 0x40 + k : 0x200 + k - 200), (uint8_t)(i * 16 + k % 13));
	assert_true(virtio_mock_add(&d->f.mock, buffers, 4) >= 0);
	assert_int_equal(virtio_blk_request_init(&d->requests[i], &storage), 0);
	assert_int_equal(virtio_blk_pop(&d->f.queue, &d->requests[i]), 1);
}

/*
 * Moves the data part by part, like slow storage. Has no assertions, because a cmocka assertion
 * works only on the main thread.
 */
static int transfer_slowly(struct device *d, const struct virtio_blk_request *request,
			   struct virtio_blk_transfer *transfer)
{
	int more;

	if (virtio_blk_transfer_begin(transfer, &d->f.blk, request) != VIRTIO_BLK_S_OK)
		return VIRTIO_EINVAL;
	do {
		struct virtio_iovec iov[2];
		const uint32_t count = virtio_blk_transfer_iovec(transfer, iov, 2);
		uint8_t *disk = d->f.backend.disk + transfer->offset;
		const size_t part = count && iov[0].len > 37 ? 37 : count ? iov[0].len : 0;

		if (request->type == VIRTIO_BLK_T_IN)
			memcpy(iov[0].base, disk, part);
		else
			memcpy(disk, iov[0].base, part);
		more = virtio_blk_transfer_advance(transfer, (int64_t)part);
	} while (more == 1);
	return more;
}

static void *serve_all(void *context)
{
	struct device *d = context;

	for (uint32_t i = REQUESTS; i-- > 0;) {
		const struct virtio_blk_request *request = &d->requests[i];
		struct virtio_blk_transfer transfer;
		struct virtio_blk_result result;

		virtio_blk_transfer_result(request, &transfer, transfer_slowly(d, request, &transfer), &result);
		pthread_mutex_lock(&d->lock);
		d->errors += virtio_blk_complete(&d->f.queue, request, &result, &d->f.stats) != 0;
		pthread_cond_signal(&d->completed);
		pthread_mutex_unlock(&d->lock);
	}
	return NULL;
}

/* Overwrites tables and headers. After the parse such changes must have no effect. */
static void spoil_tables_and_headers(struct device *d)
{
	memcpy(d->copies, d->segments, sizeof d->segments);
	for (uint32_t i = 0; i < 4 * REQUESTS; i++)
		memset(d->f.ram + virtio_mock_desc_addr(&d->f.mock, i), 0xff, 16);
	for (uint32_t i = 0; i < REQUESTS * 16; i++)
		blk_poke(&d->f, base_of(i / 16) + i % 16, 0xff);
}

static void expect_all(struct device *d)
{
	for (uint32_t i = 0; i < REQUESTS; i++) {
		uint8_t *model = d->f.model + base_of(i), *disk = d->f.disk_model + (size_t)i * 512;

		model[0x500] = VIRTIO_BLK_S_OK;
		for (uint32_t k = 0; k < 512; k++) {
			uint8_t *byte = model + (k < 200 ? 0x40 + k : 0x200 + k - 200);

			if (i % 2)
				disk[k] = *byte;
			else
				*byte = disk[k];
		}
	}
}

static void blk_transfers_complete_from_another_thread_before_a_reset(void **state)
{
	static struct device d;
	const struct virtio_blk_result late = { .status = VIRTIO_BLK_S_IOERR, .written = 7, .touched = 512 };
	struct vring_used_elem element;
	pthread_t thread;

	(void)state;
	memset(&d, 0, sizeof d);
	blk_setup(&d.f, 64);
	d.f.backend.status = NULL;
	assert_int_equal(pthread_mutex_init(&d.lock, NULL), 0);
	assert_int_equal(pthread_cond_init(&d.completed, NULL), 0);
	for (uint32_t i = 0; i < REQUESTS; i++)
		send(&d, i);
	spoil_tables_and_headers(&d);
	assert_false(virtio_queue_quiesced(&d.f.queue));
	assert_int_equal(pthread_create(&thread, NULL, serve_all, &d), 0);

	/* A reset waits for requests in flight. */
	pthread_mutex_lock(&d.lock);
	while (!virtio_queue_quiesced(&d.f.queue))
		pthread_cond_wait(&d.completed, &d.lock);
	for (uint32_t i = REQUESTS; i-- > 0;) {
		assert_int_equal(virtio_mock_pop_used(&d.f.mock, &element), 1);
		assert_int_equal(element.id, virtio_token_head(d.requests[i].base.token));
		assert_int_equal(element.len, i % 2 ? 1 : 513);
	}
	virtio_queue_reset(&d.f.queue);
	virtio_blk_reset(&d.f.blk);
	pthread_mutex_unlock(&d.lock);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(d.errors, 0);
	assert_memory_equal(d.segments, d.copies, sizeof d.segments);
	expect_all(&d);
	blk_check_memory(&d.f);
	blk_check_disk(&d.f);
	assert_int_equal(d.f.stats.reads, REQUESTS / 2);
	assert_int_equal(d.f.stats.writes, REQUESTS / 2);
	/* A completion that comes too late has no effect. */
	for (uint32_t i = 0; i < REQUESTS; i++)
		assert_int_equal(virtio_blk_complete(&d.f.queue, &d.requests[i], &late, &d.f.stats), VIRTIO_ESTALE);
	blk_check_memory(&d.f);
	assert_int_equal(d.f.stats.failed, 0);
	pthread_cond_destroy(&d.completed);
	pthread_mutex_destroy(&d.lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blk_transfer_agrees_with_a_model_of_bytes),
		cmocka_unit_test(blk_transfer_errors_are_passed_on),
		cmocka_unit_test(blk_transfer_advance_needs_a_vector),
		cmocka_unit_test(blk_transfer_result_reports_the_error_of_a_later_part),
		cmocka_unit_test(blk_transfer_vectors_have_at_most_a_gibibyte),
		cmocka_unit_test(blk_transfer_begin_refuses_and_leaves_nothing_to_move),
		cmocka_unit_test(blk_transfer_begin_has_nothing_to_move_of_other_types),
		cmocka_unit_test(blk_transfers_complete_from_another_thread_before_a_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
