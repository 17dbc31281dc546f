/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The back end on a file. This program replaces the C library's system calls with its own
 * functions. These functions interrupt or shorten calls, make calls fail, or carry calls out.
 */
#define _DEFAULT_SOURCE
#define _FILE_OFFSET_BITS 64
#include "blk_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>
#include <virtio/blk_file.h>
#include <watchdog.h>

static struct {
	int interrupts; /* number of further calls that fail with EINTR */
	int error;      /* errno of all later calls; 0 if these calls succeed */
	size_t most;    /* largest number of bytes that a call moves; 0 for no limit */
	int calls, syncs;
	int max_count; /* longest vector seen */

	/* Members for syncs. Several threads may flush at once. */
	/* The errno of the first sync only, because the kernel reports lost data once. */
	int sync_error;
	void (*during_first)(void);   /* called in the first sync */
	atomic_int syncing, together; /* number of syncs that run now, and its maximum */
	volatile sig_atomic_t nudges; /* signals that were handled */
} faults;

/*
 * Returns 0 if a replaced system call may be carried out, or -1 with errno set if the system call
 * must fail.
 */
static int fault(void)
{
	if (faults.interrupts > 0) {
		faults.interrupts--;
		errno = EINTR;
		return -1;
	}
	if (faults.error) {
		errno = faults.error;
		return -1;
	}
	return 0;
}

static ssize_t move(int fd, const struct iovec *iov, int count, off_t offset, bool out)
{
	size_t done = 0;

	faults.calls++;
	faults.max_count = count > faults.max_count ? count : faults.max_count;
	if (fault())
		return -1;
	for (int i = 0; i < count; i++) {
		size_t len = iov[i].iov_len;
		ssize_t got;

		if (faults.most && len > faults.most - done)
			len = faults.most - done;
		got = out ? pwrite(fd, iov[i].iov_base, len, offset + (off_t)done)
			  : pread(fd, iov[i].iov_base, len, offset + (off_t)done);
		if (got < 0)
			return -1;
		done += (size_t)got;
		if ((size_t)got < iov[i].iov_len)
			break;
	}
	return (ssize_t)done;
}

ssize_t preadv(int fd, const struct iovec *iov, int count, off_t offset)
{
	return move(fd, iov, count, offset, false);
}

ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t offset)
{
	return move(fd, iov, count, offset, true);
}

int fdatasync(int fd)
{
	const int now = atomic_fetch_add(&faults.syncing, 1) + 1;
	const bool first = ++faults.syncs == 1;
	int result;

	if (now > atomic_load(&faults.together))
		atomic_store(&faults.together, now);
	if (first && faults.during_first)
		faults.during_first();
	result = fault() ? -1 : fsync(fd);
	if (first && faults.sync_error) {
		errno = faults.sync_error;
		result = -1;
	}
	atomic_fetch_sub(&faults.syncing, 1);
	return result;
}

/* The fixture of the other tests, with an unlinked file as its disk. */
struct file_fixture {
	struct blk_fixture blk;
	struct virtio_blk_file file;
	FILE *stream;
};

static int descriptor(const struct file_fixture *f)
{
	return fileno(f->stream);
}

static void setup(struct file_fixture *f)
{
	watchdog_step();
	memset(&faults, 0, sizeof faults);
	blk_setup(&f->blk, BLK_RAM);
	f->stream = tmpfile();
	assert_non_null(f->stream);
	assert_int_equal(pwrite(descriptor(f), f->blk.disk_model, BLK_DISK, 0), BLK_DISK);
	assert_int_equal(virtio_blk_file_backend(&f->file, descriptor(f), &f->blk.options.backend), 0);
	blk_restart(&f->blk, BLK_FLUSH);
}

/* Checks that the file has the model's content and its old length. */
static void check_file(const struct file_fixture *f)
{
	uint8_t got[BLK_DISK + 1];

	assert_int_equal(pread(descriptor(f), got, sizeof got, 0), BLK_DISK);
	assert_memory_equal(got, f->blk.disk_model, BLK_DISK);
}

static void teardown(struct file_fixture *f)
{
	fclose(f->stream);
}

/* Requests for the last sectors of the disk, in pieces. */
static const struct blk_ask read_ask = {
	.type = VIRTIO_BLK_T_IN, .sector = BLK_SECTORS - 4, .in_bytes = 2048, .writable_piece = 300, .gap = 1
};

static struct blk_ask write_ask(void)
{
	static uint8_t data[1024];

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 3 + 1);
	return (struct blk_ask){ .type = VIRTIO_BLK_T_OUT,
				 .sector = BLK_SECTORS - 2,
				 .out = data,
				 .out_bytes = sizeof data,
				 .readable_piece = 100,
				 .gap = 1 };
}

static const struct blk_ask flush_ask = { .type = VIRTIO_BLK_T_FLUSH };

static void serve_ok(struct file_fixture *f, const struct blk_ask *ask)
{
	blk_send(&f->blk, ask);
	assert_int_equal(blk_serve(&f->blk), ask->in_bytes + 1);
	blk_expect(&f->blk, ask, f->blk.disk_model + ask->sector * 512, ask->in_bytes, VIRTIO_BLK_S_OK);
	if (ask->out_bytes)
		memcpy(f->blk.disk_model + ask->sector * 512, ask->out, ask->out_bytes);
	blk_check_memory(&f->blk);
	check_file(f);
}

static void serve_fails(struct file_fixture *f, const struct blk_ask *ask)
{
	blk_send(&f->blk, ask);
	assert_int_equal(blk_serve(&f->blk), ask->in_bytes ? 0 : 1);
	blk_expect(&f->blk, ask, NULL, 0, VIRTIO_BLK_S_IOERR);
	blk_check_memory(&f->blk);
	check_file(f);
	assert_int_equal(f->blk.stats.first_error, VIRTIO_EIO);
}

static void file_backend_refuses_negative_descriptor(void **state)
{
	struct virtio_blk_backend backend = { .max_iovecs = 77 };
	struct virtio_blk_file file = { .fd = 88 };

	(void)state;
	assert_int_equal(virtio_blk_file_backend(&file, -1, &backend), VIRTIO_EINVAL);
	assert_int_equal(file.fd, 88);
	assert_int_equal(backend.max_iovecs, 77);
	assert_null(backend.ops);
}

static void file_size_refuses_what_is_no_disk(void **state)
{
	uint64_t bytes = 77;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(virtio_blk_file_size(ends[0], &bytes), VIRTIO_EINVAL);
	assert_int_equal(virtio_blk_file_size(-1, &bytes), VIRTIO_EIO);
	assert_int_equal(bytes, 77);
	close(ends[0]);
	close(ends[1]);
}

static void file_size_is_that_of_the_file(void **state)
{
	struct file_fixture f;
	uint64_t bytes = 77;

	(void)state;
	setup(&f);
	assert_int_equal(virtio_blk_file_size(descriptor(&f), &bytes), 0);
	assert_int_equal(bytes, BLK_DISK);
	/* The size needs more than 32 bits and ends inside a sector. */
	assert_int_equal(ftruncate(descriptor(&f), (off_t)5 << 30 | 7), 0);
	assert_int_equal(virtio_blk_file_size(descriptor(&f), &bytes), 0);
	assert_int_equal(bytes, UINT64_C(5) << 30 | 7);
	teardown(&f);
}

/*
 * If the file ends inside a block, a read returns zeroes for the rest of this block. A read after
 * this block returns no bytes.
 */
static void file_reads_zeroes_behind_its_end_in_the_last_block(void **state)
{
	const off_t sizes[] = { 1, 511, 513, 1000, 1535 };
	const uint32_t blocks[] = { 512, 4096 };
	struct virtio_blk_backend backend;
	struct virtio_blk_file file;
	struct file_fixture f;
	uint8_t data[16384];

	(void)state;
	setup(&f);
	assert_int_equal(virtio_blk_file_backend(&file, descriptor(&f), &backend), 0);
	assert_int_equal(virtio_blk_file_set_block(&file, 0), VIRTIO_EINVAL);
	assert_int_equal(virtio_blk_file_set_block(&file, 256), VIRTIO_EINVAL);
	assert_int_equal(virtio_blk_file_set_block(&file, 1536), VIRTIO_EINVAL);
	assert_int_equal(file.block, 512);
	for (unsigned int i = 0; i < 5 * 2; i++) {
		const size_t size = (size_t)sizes[i / 2], block = blocks[i % 2];
		const size_t whole = (size + block - 1) / block * block;
		const struct virtio_iovec iov[2] = { { data, 100 }, { data + 100, sizeof data - 100 } };

		assert_int_equal(virtio_blk_file_set_block(&file, (uint32_t)block), 0);
		memset(data, 0x77, sizeof data);
		assert_int_equal(ftruncate(descriptor(&f), 0), 0);
		assert_int_equal(pwrite(descriptor(&f), data, size, 0), size);
		memset(data, 0xee, sizeof data);
		assert_int_equal(backend.ops->readv(&file, iov, 2, 0), whole);
		for (size_t b = 0; b < sizeof data; b++)
			assert_int_equal(data[b], b < size ? 0x77 : b < whole ? 0 : 0xee);
		assert_int_equal(backend.ops->readv(&file, iov, 2, whole - 1), 1);
		assert_int_equal(backend.ops->readv(&file, iov, 2, whole), 0);
		/* No more bytes are read than requested, and the file keeps its size. */
		assert_int_equal(backend.ops->readv(&file, iov, 1, size), whole - size < 100 ? whole - size : 100);
		assert_int_equal(lseek(descriptor(&f), 0, SEEK_END), size);
	}
	teardown(&f);
}

static void file_moves_data_both_ways(void **state)
{
	const struct blk_ask write = write_ask();
	struct file_fixture f;

	(void)state;
	setup(&f);
	serve_ok(&f, &read_ask);
	serve_ok(&f, &write);
	serve_ok(&f, &read_ask);
	assert_int_equal(faults.syncs, 0);
	serve_ok(&f, &flush_ask);
	assert_int_equal(faults.syncs, 1);
	assert_int_equal(faults.calls, 3);
	teardown(&f);
}

static void file_reaches_offsets_beyond_32_bits(void **state)
{
	uint8_t data[512], got[512];
	const struct blk_ask write = {
		.type = VIRTIO_BLK_T_OUT, .sector = UINT64_C(5) << 21, .out = data, .out_bytes = sizeof data
	};
	struct file_fixture f;

	(void)state;
	setup(&f);
	memset(data, 0x3c, sizeof data);
	assert_int_equal(ftruncate(descriptor(&f), (off_t)6 << 30), 0);
	f.blk.options.capacity = UINT64_C(6) << 21;
	blk_restart(&f.blk, BLK_FLUSH);
	blk_send(&f.blk, &write);
	assert_int_equal(blk_serve(&f.blk), 1);
	assert_int_equal(f.blk.ram[BLK_WRITABLE], VIRTIO_BLK_S_OK);
	assert_int_equal(pread(descriptor(&f), got, 512, (off_t)5 << 30), 512);
	assert_memory_equal(got, data, 512);
	teardown(&f);
}

static void file_repeats_interrupted_calls(void **state)
{
	const struct blk_ask write = write_ask();
	struct file_fixture f;

	(void)state;
	setup(&f);
	faults.interrupts = 3;
	serve_ok(&f, &read_ask);
	assert_int_equal(faults.calls, 4);
	faults.interrupts = 3;
	serve_ok(&f, &write);
	assert_int_equal(faults.calls, 8);
	teardown(&f);
}

static bool takes_nudges(void)
{
	sigset_t blocked;

	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &blocked), 0);
	return !sigismember(&blocked, SIGUSR1);
}

static void count_nudge(int number)
{
	assert_int_equal(number, SIGUSR1);
	faults.nudges++;
}

static void nudge(void)
{
	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(faults.nudges, 0);
}

/*
 * An interrupted sync may have consumed the kernel's report of lost data. Another sync would then
 * succeed.
 */
static void file_sync_is_not_interrupted_nor_repeated(void **state)
{
	const struct sigaction action = { .sa_handler = count_nudge };
	struct sigaction before;
	struct file_fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
	faults.during_first = nudge;
	serve_ok(&f, &flush_ask);
	assert_int_equal(faults.nudges, 1);
	assert_true(takes_nudges());
	faults.interrupts = 1;
	serve_fails(&f, &flush_ask);
	assert_true(takes_nudges());
	serve_fails(&f, &flush_ask);
	assert_int_equal(faults.syncs, 2);
	assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
	teardown(&f);
}

/* Hostile 134: the system reads or writes fewer bytes than requested. */
static void file_continues_short_calls(void **state)
{
	const struct blk_ask write = write_ask();
	struct file_fixture f;

	(void)state;
	for (size_t most = 1; most < 1100; most += 99) {
		setup(&f);
		faults.most = most;
		serve_ok(&f, &read_ask);
		serve_ok(&f, &write);
		serve_ok(&f, &read_ask);
		teardown(&f);
	}
}

static void file_errors_fail_the_request(void **state)
{
	const struct blk_ask write = write_ask();
	const struct blk_ask *const asks[] = { &read_ask, &write, &flush_ask };
	static const int errors[] = { EIO, ENOSPC, EINVAL };
	struct file_fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		setup(&f);
		faults.error = errors[i];
		for (size_t n = 0; n < sizeof asks / sizeof asks[0]; n++) {
			errno = 0;
			serve_fails(&f, asks[n]);
			assert_int_equal(errno, errors[i]);
		}
		assert_int_equal(faults.syncs, 1);
		assert_int_equal(faults.calls, 2);
		teardown(&f);
	}
}

/*
 * A read that reaches beyond the last sector of a shortened file fails. The read must not succeed
 * with zeroes.
 */
static void file_end_inside_the_disk_fails_reads(void **state)
{
	struct file_fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(ftruncate(descriptor(&f), (BLK_SECTORS - 4) * 512 + 700), 0);
	memset(f.blk.disk_model + (BLK_SECTORS - 4) * 512 + 700, 0, 1024 - 700);
	blk_send(&f.blk, &read_ask);
	assert_int_equal(blk_serve(&f.blk), 1024);
	blk_expect(&f.blk, &read_ask, f.blk.disk_model + read_ask.sector * 512, 1024, VIRTIO_BLK_S_IOERR);
	blk_check_memory(&f.blk);
	teardown(&f);
}

static void file_descriptor_without_write_permission_fails_writes(void **state)
{
	const struct blk_ask write = write_ask();
	struct file_fixture f;
	char path[64];
	int fd;

	(void)state;
	setup(&f);
	snprintf(path, sizeof path, "/dev/fd/%d", descriptor(&f));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		teardown(&f);
		print_message("/dev/fd does not open files here\n");
		skip();
	}
	f.file.fd = fd;
	serve_fails(&f, &write);
	serve_ok(&f, &read_ask);
	close(fd);
	teardown(&f);
}

static void file_write_is_synced_before_it_is_reported_under_write_through(void **state)
{
	const struct blk_ask write = write_ask();
	struct file_fixture f;

	(void)state;
	setup(&f);
	blk_restart(&f.blk, 0);
	serve_ok(&f, &write);
	assert_int_equal(faults.syncs, 1);
	assert_int_equal(faults.calls, 1);
	teardown(&f);
}

/*
 * The kernel reports lost data once. Afterwards, every request that promises stability fails until
 * a new back end is made.
 */
static void file_flush_that_failed_fails_from_then_on(void **state)
{
	static const int errors[] = { EIO, ENOSPC, EDQUOT };
	const struct blk_ask write = write_ask();
	struct file_fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		setup(&f);
		serve_ok(&f, &write);
		faults.sync_error = errors[i];
		for (int n = 0; n < 3; n++) {
			errno = 0;
			serve_fails(&f, &flush_ask);
			assert_int_equal(errno, errors[i]);
		}
		/* The back end makes no second sync, because the kernel would report success. */
		assert_int_equal(faults.syncs, 1);
		/* Reads, and writes without a promise of stability, succeed. */
		serve_ok(&f, &write);
		serve_ok(&f, &read_ask);
		blk_restart(&f.blk, 0);
		serve_fails(&f, &write);
		serve_ok(&f, &read_ask);
		assert_int_equal(virtio_blk_file_backend(&f.file, descriptor(&f), &f.blk.options.backend), 0);
		blk_restart(&f.blk, 0);
		serve_ok(&f, &write);
		assert_int_equal(faults.syncs, 2);
		teardown(&f);
	}
}

/* Under write-through, a change of a range promises stability. So the change fails, too. */
static void file_flush_that_failed_fails_ranges_under_write_through(void **state)
{
	const uint32_t types[] = { VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES };
	const struct virtio_blk_range range = { .sector = 3, .sectors = 1 };
	struct file_fixture f;
	uint8_t wire[16];

	(void)state;
	setup(&f);
	faults.sync_error = EIO;
	serve_fails(&f, &flush_ask);
	f.blk.options.max_discard_sectors = f.blk.options.max_write_zeroes_sectors = 8;
	f.blk.options.max_discard_seg = f.blk.options.max_write_zeroes_seg = 1;
	blk_restart(&f.blk, BLK_F_DISCARD | BLK_F_ZEROES);
	for (size_t i = 0; i < 2; i++) {
		const struct blk_ask ask = { .type = types[i],
					     .out = wire,
					     .out_bytes = blk_put_ranges(wire, &range, 1) };

		blk_send(&f.blk, &ask);
		assert_int_equal(blk_serve(&f.blk), 1);
		assert_int_equal(f.blk.ram[BLK_WRITABLE], VIRTIO_BLK_S_IOERR);
	}
	assert_int_equal(faults.syncs, 1);
	teardown(&f);
}

/* Threads that flush while the first sync runs. All these threads wait for the end of that sync. */
#define FLUSHERS 4

static struct {
	const struct virtio_blk_backend *backend;
	pthread_t threads[FLUSHERS];
	int results[FLUSHERS];
	pthread_mutex_t *syncing; /* the back end's mutex `syncing`; NULL: no calls are counted */
	atomic_uint waiting;      /* threads that are about to lock that mutex */
} flushers;

/*
 * This replacement counts the threads that are about to lock the back end's mutex `syncing`. A
 * counted thread has called flush() and has not begun a sync.
 */
int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	int error;

	if (mutex == flushers.syncing)
		atomic_fetch_add(&flushers.waiting, 1);
	while ((error = pthread_mutex_trylock(mutex)) == EBUSY)
		(void)usleep(100);
	return error;
}

static void *flush_once(void *arg)
{
	int *result = arg;

	*result = flushers.backend->ops->flush(flushers.backend->context);
	return NULL;
}

static void start_flushers(void)
{
	atomic_store(&flushers.waiting, 0);
	for (int i = 0; i < FLUSHERS; i++)
		assert_int_equal(pthread_create(&flushers.threads[i], NULL, flush_once, &flushers.results[i]), 0);
	while (atomic_load(&flushers.waiting) < FLUSHERS)
		(void)usleep(100);
}

/*
 * Flushes, and starts the other flushes during this first sync. Returns the first flush's result.
 */
static int flush_with_others(struct file_fixture *f)
{
	int result;

	memset(&flushers, 0, sizeof flushers);
	flushers.backend = &f->blk.options.backend;
	flushers.syncing = &f->file.syncing;
	faults.during_first = start_flushers;
	result = flushers.backend->ops->flush(flushers.backend->context);
	for (int i = 0; i < FLUSHERS; i++)
		assert_int_equal(pthread_join(flushers.threads[i], NULL), 0);
	flushers.syncing = NULL;
	return result;
}

/*
 * The first flush gets the kernel's only report of lost data. The flushes that wait for its sync
 * must also fail.
 */
static void file_flushes_at_once_fail_together(void **state)
{
	struct file_fixture f;

	(void)state;
	setup(&f);
	faults.sync_error = ENOSPC;
	assert_int_equal(flush_with_others(&f), VIRTIO_EIO);
	for (int i = 0; i < FLUSHERS; i++)
		assert_int_equal(flushers.results[i], VIRTIO_EIO);
	assert_int_equal(faults.syncs, 1);
	teardown(&f);
}

/*
 * A running sync promises nothing to flushes that begin during the sync. One later sync serves all
 * these flushes.
 */
static void file_flushes_at_once_sync_one_at_a_time(void **state)
{
	struct file_fixture f;

	(void)state;
	setup(&f);
	assert_int_equal(flush_with_others(&f), 0);
	for (int i = 0; i < FLUSHERS; i++)
		assert_int_equal(flushers.results[i], 0);
	assert_int_equal(atomic_load(&faults.together), 1);
	assert_int_equal(faults.syncs, 2);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_backend_refuses_negative_descriptor),
		cmocka_unit_test(file_size_refuses_what_is_no_disk),
		cmocka_unit_test(file_size_is_that_of_the_file),
		cmocka_unit_test(file_reads_zeroes_behind_its_end_in_the_last_block),
		cmocka_unit_test(file_moves_data_both_ways),
		cmocka_unit_test(file_reaches_offsets_beyond_32_bits),
		cmocka_unit_test(file_repeats_interrupted_calls),
		cmocka_unit_test(file_sync_is_not_interrupted_nor_repeated),
		cmocka_unit_test(file_continues_short_calls),
		cmocka_unit_test(file_errors_fail_the_request),
		cmocka_unit_test(file_end_inside_the_disk_fails_reads),
		cmocka_unit_test(file_descriptor_without_write_permission_fails_writes),
		cmocka_unit_test(file_write_is_synced_before_it_is_reported_under_write_through),
		cmocka_unit_test(file_flush_that_failed_fails_from_then_on),
		cmocka_unit_test(file_flush_that_failed_fails_ranges_under_write_through),
		cmocka_unit_test(file_flushes_at_once_fail_together),
		cmocka_unit_test(file_flushes_at_once_sync_one_at_a_time),
	};

	return watchdog_start(NULL, NULL) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
