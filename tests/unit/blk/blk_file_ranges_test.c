/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The back end on a file: discard, write zeroes, secure erase. This program replaces the C
 * library's system calls with its own functions. These functions interrupt or shorten calls, make
 * calls fail, or carry calls out. The files are in the current folder and on a tmpfs. In tests of
 * block devices, fstat() reports a file as a block device.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "blk_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <virtio/blk_file.h>

#define FILE_BYTES (256u << 10)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PUNCH (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
#define ZERO FALLOC_FL_ZERO_RANGE

static struct {
	int interrupts;            /* number of further calls that fail with EINTR */
	int punch_error;           /* errno of the calls of fallocate() that punch a hole */
	int zero_error;            /* errno of fallocate() that zeroes a range */
	int put_interrupts;        /* number of pwrite() calls of which half fail with EINTR */
	int put_error;             /* errno of pwrite() */
	int put_calls;             /* pwrite() calls that succeed before one fails with put_error */
	int control_error;         /* errno of ioctl() */
	size_t most;               /* limit of bytes that one pwrite() writes; 0 for no limit */
	bool put_nothing;          /* whether pwrite() returns 0 */
	bool is_device;            /* whether fstat() reports a block device */
	int punches, zeroes, puts; /* calls that fault() permitted */
	int controls;
	unsigned long command; /* command of the last ioctl() */
	uint64_t range[2];
} faults;

/*
 * Returns 0 if a replaced system call may be carried out, or -1 with errno set if the system call
 * must fail.
 */
static int fault(int error)
{
	if (faults.interrupts > 0) {
		faults.interrupts--;
		errno = EINTR;
		return -1;
	}
	errno = error;
	return error ? -1 : 0;
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	const bool punch = (mode & FALLOC_FL_PUNCH_HOLE) != 0;

	assert_true(mode == PUNCH || (mode & ~FALLOC_FL_KEEP_SIZE) == ZERO);
	if (fault(punch ? faults.punch_error : faults.zero_error))
		return -1;
	*(punch ? &faults.punches : &faults.zeroes) += 1;
#if LONG_MAX > INT32_MAX
	return (int)syscall(SYS_fallocate, fd, mode, offset, len);
#else
	(void)fd, (void)offset, (void)len;
	errno = ENOSYS;
	return -1;
#endif
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	union {
		const void *in;
		void *out;
	} base = { .in = bytes };
	const struct iovec iov = { base.out, faults.most && faults.most < len ? faults.most : len };

	if (faults.put_interrupts > 0 && faults.put_interrupts-- % 2) {
		errno = EINTR;
		return -1;
	}
	if (fault(faults.puts >= faults.put_calls ? faults.put_error : 0))
		return -1;
	faults.puts++;
	return faults.put_nothing ? 0 : pwritev(fd, &iov, 1, offset);
}

int ioctl(int fd, unsigned long command, ...)
{
	va_list arguments;

	(void)fd;
	if (command != BLKDISCARD && command != BLKSECDISCARD) {
		errno = ENOTTY;
		return -1;
	}
	if (fault(faults.control_error))
		return -1;
	faults.controls++;
	faults.command = command;
	va_start(arguments, command);
	memcpy(faults.range, va_arg(arguments, const uint64_t *), sizeof faults.range);
	va_end(arguments);
	return 0;
}

int fstat(int fd, struct stat *st)
{
	const int result = fstatat(fd, "", st, AT_EMPTY_PATH);

	if (!result && faults.is_device)
		st->st_mode = (st->st_mode & ~(mode_t)S_IFMT) | S_IFBLK;
	return result;
}

/* A file without a name, full of bytes that are not zero, and its model. */
struct ranges_fixture {
	int fd;
	struct virtio_blk_file file;
	struct virtio_blk_backend backend;
	uint8_t model[FILE_BYTES];
	uint8_t got[FILE_BYTES + 1];
};

static char here[] = ".", tmpfs[] = "/dev/shm";

static bool setup(struct ranges_fixture *w, const char *folder)
{
	const struct iovec iov = { w->model, FILE_BYTES };
	char path[64];

	memset(&faults, 0, sizeof faults);
	snprintf(path, sizeof path, "%s/virtio-blk-XXXXXX", folder);
	w->fd = mkstemp(path);
	if (w->fd < 0)
		return false;
	unlink(path);
	for (uint32_t i = 0; i < FILE_BYTES; i++)
		w->model[i] = (uint8_t)(i * 5 % 251 + 1);
	assert_int_equal(pwritev(w->fd, &iov, 1, 0), FILE_BYTES);
	assert_int_equal(fsync(w->fd), 0);
	assert_int_equal(virtio_blk_file_backend(&w->file, w->fd, &w->backend), 0);
	return true;
}

/* Sets up the test, or skips it if no file can be created in the folder. */
static void begin(struct ranges_fixture *w, void **state)
{
	const char *folder = *state;

	if (setup(w, folder))
		return;
	print_message("cannot make files in %s\n", folder);
	skip();
}

static int write_zeroes(const struct ranges_fixture *w, uint64_t offset, uint64_t bytes, bool unmap)
{
	return w->backend.ops->write_zeroes(w->backend.context, offset, bytes, unmap);
}

static int discard(const struct ranges_fixture *w, uint64_t offset, uint64_t bytes)
{
	return w->backend.ops->discard(w->backend.context, offset, bytes);
}

/* Checks that the file has the model's content and its old length. */
static void check(struct ranges_fixture *w)
{
	assert_int_equal(pread(w->fd, w->got, sizeof w->got, 0), FILE_BYTES);
	assert_memory_equal(w->got, w->model, FILE_BYTES);
}

/*
 * Ranges: whole blocks, parts of a block, parts of several blocks, more than an internal buffer,
 * the whole file, and the last sector.
 */
static const struct {
	uint32_t offset, bytes;
} places[] = {
	{ 0, 4096 },
	{ 4096, 8192 },
	{ 512, 512 },
	{ 4096 - 512, 1024 },
	{ 8192 + 512, 12288 },
	{ 512, 65536 },
	{ 1024, 3 * 65536 + 512 },
	{ FILE_BYTES - 512, 512 },
	{ 0, FILE_BYTES },
};

static const int unsupported[] = { EOPNOTSUPP, ENOSYS, EINVAL, ENODEV, ENOTTY };
static const int serious[] = { EIO, ENOSPC, EPERM, EBADF, EFBIG };

/* Hostile 126: zeroed ranges read as zeroes on any storage, with and without unmap. */
static void file_zeroes_are_read_back_whatever_is_supported(void **state)
{
	static struct ranges_fixture w;

	/*
	 * Bits 0 to 2 of `i`: use unmap, let punching fail, let zeroing fail. The other bits select
	 * the error.
	 */
	for (size_t i = 0; i < 8 * COUNT(unsupported); i++) {
		const int error = unsupported[i / 8];
		const bool unmap = i & 1;

		begin(&w, state);
		faults.punch_error = i & 2 ? error : 0;
		faults.zero_error = i & 4 ? error : 0;
		for (size_t k = 0; k < COUNT(places); k++) {
			faults.punches = faults.zeroes = faults.puts = 0;
			faults.interrupts = k % 3 ? 0 : 2;
			memset(w.model + places[k].offset, 0, places[k].bytes);
			assert_int_equal(write_zeroes(&w, places[k].offset, places[k].bytes, unmap), 0);
			check(&w);
			/* Storage may be deallocated only with unmap. */
			assert_int_equal(faults.punches, unmap && !(i & 2));
			if (unmap && !(i & 2))
				continue;
			assert_int_equal(faults.zeroes, !(i & 4));
			if (i & 4)
				assert_int_equal(faults.puts, (places[k].bytes + 65535) / 65536);
		}
		close(w.fd);
	}
}

static void file_zeroes_fail_with_the_storage(void **state)
{
	static struct ranges_fixture w;

	for (size_t i = 0; i < 2 * COUNT(serious); i++) {
		const bool unmap = i % 2;

		begin(&w, state);
		*(unmap ? &faults.punch_error : &faults.zero_error) = serious[i / 2];
		assert_int_equal(write_zeroes(&w, 4096, 4096, unmap), VIRTIO_EIO);
		/*
		 * No call succeeded, because after a serious error the back end tries no other
		 * call.
		 */
		assert_int_equal(faults.punches + faults.zeroes + faults.puts, 0);
		check(&w);
		close(w.fd);
	}
}

/* Hostile 134: writing zeroes continues after short and interrupted calls. */
static void file_zeroes_written_by_hand_survive_short_writes(void **state)
{
	static const size_t most[] = { 1, 511, 512, 4095, 65535 };
	static struct ranges_fixture w;

	for (size_t i = 0; i < COUNT(most); i++) {
		const uint32_t bytes = most[i] < 512 ? 1024 : 131072 + 512;

		begin(&w, state);
		faults.zero_error = EOPNOTSUPP;
		faults.most = most[i];
		faults.interrupts = 3;
		faults.put_interrupts = 4;
		memset(w.model + 512, 0, bytes);
		assert_int_equal(write_zeroes(&w, 512, bytes, false), 0);
		check(&w);
		close(w.fd);
	}
}

static void file_zeroes_written_by_hand_fail_with_the_storage(void **state)
{
	static struct ranges_fixture w;

	for (size_t i = 0; i <= 2 * COUNT(serious); i++) {
		begin(&w, state);
		faults.zero_error = EOPNOTSUPP;
		faults.put_error = i ? serious[(i - 1) / 2] : 0;
		faults.put_calls = i % 2;
		faults.put_nothing = i == 0;
		assert_int_equal(write_zeroes(&w, 0, FILE_BYTES, false), VIRTIO_EIO);
		if (i > 0)
			assert_int_equal(errno, faults.put_error);
		if (i % 2)
			memset(w.model, 0, 65536);
		check(&w);
		assert_int_equal(faults.puts, i == 0 ? 1 : i % 2);
		close(w.fd);
	}
}

/* A back end can be made on a descriptor that isn't open. All operations of this back end fail. */
static void file_backend_on_a_closed_descriptor_fails_everything(void **state)
{
	static struct ranges_fixture w;

	begin(&w, state);
	close(w.fd);
	assert_int_equal(virtio_blk_file_backend(&w.file, w.fd, &w.backend), 0);
	assert_null(w.backend.ops->secure_erase);
	assert_int_equal(w.backend.ops->flush(w.backend.context), VIRTIO_EIO);
	assert_int_equal(write_zeroes(&w, 0, 4096, true), VIRTIO_EIO);
	assert_int_equal(write_zeroes(&w, 0, 4096, false), VIRTIO_EIO);
	assert_int_equal(discard(&w, 0, 4096), VIRTIO_EIO);
	assert_int_equal(faults.puts, 0);
}

/* Holes */

static uint64_t allocated(const struct ranges_fixture *w)
{
	struct stat st;

	assert_int_equal(fsync(w->fd), 0);
	assert_int_equal(fstat(w->fd, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

/*
 * Sets up a file, and zeroes its first 4096 bytes by a hole or, if `zero_range` is true, by
 * FALLOC_FL_ZERO_RANGE. Skips the test if the zeroing fails, or if `st_blocks` does not show the
 * file's storage.
 */
static void begin_with_holes(struct ranges_fixture *w, void **state, bool zero_range)
{
	int error = 0;

	begin(w, state);
#if LONG_MAX > INT32_MAX
	if (syscall(SYS_fallocate, w->fd, zero_range ? ZERO | FALLOC_FL_KEEP_SIZE : PUNCH, (off_t)0, (off_t)4096))
		error = errno;
	memset(w->model, 0, 4096);
#else
	error = ENOSYS;
#endif
	if (!error && allocated(w) >= FILE_BYTES - 4096 && allocated(w) <= FILE_BYTES + 65536)
		return;
	print_message("%s: %s\n", (const char *)*state,
		      error ? strerror(error) : "st_blocks does not show the storage");
	close(w->fd);
	skip();
}

static void file_zeroes_give_storage_back_under_unmap(void **state)
{
	static struct ranges_fixture w;
	uint64_t before;

	begin_with_holes(&w, state, false);
	before = allocated(&w);
	memset(w.model + 65536, 0, 131072);
	assert_int_equal(write_zeroes(&w, 65536, 131072, true), 0);
	assert_true(allocated(&w) + 131072 <= before);
	assert_int_equal(lseek(w.fd, 65536 - 4096, SEEK_HOLE), 65536);
	assert_int_equal(lseek(w.fd, 65536, SEEK_DATA), 65536 + 131072);
	check(&w);
	/* Zeroing a part of a block changes neither the rest of the block nor its storage. */
	before = allocated(&w);
	memset(w.model + 32768 + 512, 0, 1024);
	assert_int_equal(write_zeroes(&w, 32768 + 512, 1024, true), 0);
	assert_int_equal(allocated(&w), before);
	check(&w);
	close(w.fd);
}

static void file_zeroes_keep_storage_without_unmap(void **state)
{
	static struct ranges_fixture w;
	uint64_t before;

	begin_with_holes(&w, state, true);
	before = allocated(&w);
	memset(w.model + 65536, 0, 131072);
	assert_int_equal(write_zeroes(&w, 65536, 131072, false), 0);
	assert_true(allocated(&w) >= before);
	check(&w);
	close(w.fd);
}

/*
 * Zeroing without unmap keeps the range's storage, even if the system has no call that zeroes a
 * range.
 */
static void file_zeroes_keep_storage_without_unmap_when_written_by_hand(void **state)
{
	static struct ranges_fixture w;
	uint64_t before;

	begin_with_holes(&w, state, false);
	before = allocated(&w);
	faults.zero_error = EOPNOTSUPP;
	memset(w.model + 65536, 0, 131072);
	assert_int_equal(write_zeroes(&w, 65536, 131072, false), 0);
	assert_true(allocated(&w) >= before);
	check(&w);
	close(w.fd);
}

/* virtio_blk_file_may_unmap() returns the right value and changes neither content nor size. */
static void file_says_whether_zeroes_may_unmap(void **state)
{
	const uint64_t sizes[] = { FILE_BYTES, FILE_BYTES - 1, FILE_BYTES - 65536 };
	static struct ranges_fixture w;
	struct stat st;

	begin_with_holes(&w, state, false);
	faults.interrupts = 3;
	assert_true(virtio_blk_file_may_unmap(w.fd));
	assert_int_equal(faults.punches, 1);
	check(&w);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		const uint64_t before = allocated(&w);

		assert_int_equal(ftruncate(w.fd, (off_t)sizes[i]), 0);
		assert_true(virtio_blk_file_may_unmap(w.fd));
		assert_int_equal(fstat(w.fd, &st), 0);
		assert_int_equal(st.st_size, sizes[i]);
		assert_true(i == 2 || allocated(&w) == before);
		assert_int_equal(pread(w.fd, w.got, FILE_BYTES, 0), sizes[i]);
		assert_memory_equal(w.got, w.model, sizes[i]);
	}
	for (size_t i = 0; i < COUNT(unsupported); i++) {
		faults.punch_error = unsupported[i];
		assert_false(virtio_blk_file_may_unmap(w.fd));
	}
	close(w.fd);
	assert_false(virtio_blk_file_may_unmap(w.fd));
}

static void file_that_is_none_may_not_unmap(void **state)
{
	int ends[2];

	(void)state;
	memset(&faults, 0, sizeof faults);
	assert_int_equal(pipe(ends), 0);
	assert_false(virtio_blk_file_may_unmap(ends[0]));
	assert_false(virtio_blk_file_may_unmap(ends[1]));
	close(ends[0]);
	close(ends[1]);
}

static void file_zeroes_in_a_hole_are_zeroes(void **state)
{
	static struct ranges_fixture w;

	for (int i = 0; i < 4; i++) {
		begin(&w, state);
		assert_int_equal(ftruncate(w.fd, 0), 0);
		assert_int_equal(ftruncate(w.fd, FILE_BYTES), 0);
		memset(w.model, 0, sizeof w.model);
		faults.zero_error = i & 2 ? EOPNOTSUPP : 0;
		assert_int_equal(write_zeroes(&w, 512, 70000 / 512 * 512, i & 1), 0);
		check(&w);
		close(w.fd);
	}
}

/*
 * The file has become shorter than the disk. Writing zeroes must fail, or the whole range must read
 * as zeroes afterwards.
 */
static void file_zeroes_past_a_shrunk_end_are_read_back(void **state)
{
	static const uint32_t ends[] = { 0, 4096, 8192 + 100, 65536, 131072 - 512 };
	static struct ranges_fixture w;

	for (size_t i = 0; i < 4 * 2 * COUNT(ends); i++) {
		const uint32_t offset = i / 4 % 2 ? 131072 : 4096;
		struct virtio_iovec iov = { w.got, 65536 };
		int error;

		begin(&w, state);
		faults.punch_error = i & 2 ? EOPNOTSUPP : 0;
		faults.zero_error = i & 2 ? EOPNOTSUPP : 0;
		assert_int_equal(ftruncate(w.fd, ends[i / 8]), 0);
		memset(w.got, 0xff, sizeof w.got);
		error = write_zeroes(&w, offset, 65536, i & 1);
		if (!error) {
			assert_int_equal(w.backend.ops->readv(w.backend.context, &iov, 1, offset), 65536);
			for (uint32_t k = 0; k < 65536; k++)
				assert_int_equal(w.got[k], 0);
		}
		/* The bytes before the range have not changed. */
		memset(w.got, 0xff, sizeof w.got);
		assert_true(pread(w.fd, w.got, offset, 0) >= (offset < ends[i / 8] ? offset : ends[i / 8]));
		assert_memory_equal(w.got, w.model, offset < ends[i / 8] ? offset : ends[i / 8]);
		close(w.fd);
	}
}

/* Discard */

static void file_discard_gives_storage_back(void **state)
{
	static struct ranges_fixture w;
	uint64_t before;

	begin_with_holes(&w, state, false);
	before = allocated(&w);
	memset(w.model + 65536, 0, 131072);
	faults.interrupts = 2;
	assert_int_equal(discard(&w, 65536, 131072), 0);
	assert_true(allocated(&w) + 131072 <= before);
	assert_int_equal(lseek(w.fd, 65536 - 4096, SEEK_HOLE), 65536);
	assert_int_equal(faults.punches, 1);
	assert_int_equal(faults.zeroes + faults.puts, 0);
	check(&w);
	close(w.fd);
}

static void file_discard_changes_nothing_outside_its_range(void **state)
{
	static struct ranges_fixture w;

	for (size_t k = 0; k < COUNT(places); k++) {
		begin(&w, state);
		assert_int_equal(discard(&w, places[k].offset, places[k].bytes), 0);
		assert_int_equal(pread(w.fd, w.got, sizeof w.got, 0), FILE_BYTES);
		/* A discarded range may have any content. The model copies the content. */
		memcpy(w.model + places[k].offset, w.got + places[k].offset, places[k].bytes);
		check(&w);
		close(w.fd);
	}
}

/*
 * If the storage does not support a discard, the discard succeeds and does nothing. Other errors of
 * the storage are reported.
 */
static void file_discard_needs_no_support(void **state)
{
	static struct ranges_fixture w;

	begin(&w, state);
	for (size_t i = 0; i < COUNT(unsupported); i++) {
		faults.punch_error = unsupported[i];
		faults.interrupts = 1;
		assert_int_equal(discard(&w, 0, 8192), 0);
		check(&w);
	}
	for (size_t i = 0; i < COUNT(serious); i++) {
		faults.punch_error = serious[i];
		assert_int_equal(discard(&w, 0, 8192), VIRTIO_EIO);
		assert_int_equal(errno, serious[i]);
		check(&w);
	}
	assert_int_equal(faults.punches + faults.zeroes + faults.puts + faults.controls, 0);
	close(w.fd);
}

static void file_discard_past_a_shrunk_end_does_not_grow_the_file(void **state)
{
	static struct ranges_fixture w;

	begin(&w, state);
	assert_int_equal(ftruncate(w.fd, 5000), 0);
	assert_int_equal(discard(&w, 8192, 8192), 0);
	assert_int_equal(discard(&w, 0, 65536), 0);
	assert_int_equal(lseek(w.fd, 0, SEEK_END), 5000);
	close(w.fd);
}

/*
 * On a regular file, the back end has neither secure_erase() nor lifetime(). So virtio_blk_init()
 * fails if the options have limits for secure erase.
 */
static void file_has_no_secure_erase(void **state)
{
	struct virtio_blk_options options = { .capacity = 8, .max_secure_erase_sectors = 1, .max_secure_erase_seg = 1 };
	static struct ranges_fixture w;
	struct virtio_blk blk;

	begin(&w, state);
	options.backend = w.backend;
	assert_null(w.backend.ops->secure_erase);
	assert_null(w.backend.ops->lifetime);
	assert_int_equal(virtio_blk_init(&blk, &options), VIRTIO_ENOOP);
	close(w.fd);
}

/* A driver's requests */

static void file_serves_commands_of_a_driver(void **state)
{
	static const struct virtio_blk_range ranges[] = { { 1, 3, 1 }, { 9, 1, 0 }, { 24, 8, 1 } };
	const uint8_t done = VIRTIO_BLK_S_OK;
	static struct blk_fixture f;
	static struct ranges_fixture w;
	uint8_t bytes[48];
	struct blk_ask ask = { .type = VIRTIO_BLK_T_WRITE_ZEROES, .out = bytes, .readable_piece = 5, .gap = 3 };

	begin(&w, state);
	ask.out_bytes = blk_put_ranges(bytes, ranges, 3);
	blk_setup(&f, 1);
	f.options.backend = w.backend;
	f.options.capacity = FILE_BYTES / 512;
	f.options.max_write_zeroes_sectors = f.options.max_discard_sectors = 8;
	f.options.max_write_zeroes_seg = f.options.max_discard_seg = 3;
	f.options.write_zeroes_may_unmap = true;
	blk_restart(&f, BLK_F_ZEROES | BLK_F_DISCARD);
	blk_send(&f, &ask);
	assert_int_equal(blk_serve(&f), 1);
	for (uint32_t i = 0; i < 3; i++)
		memset(w.model + ranges[i].sector * 512, 0, (size_t)ranges[i].sectors * 512);
	blk_expect(&f, &ask, NULL, 0, done);
	blk_check_memory(&f);
	check(&w);
	assert_int_equal(faults.punches, 2);
	ask.type = VIRTIO_BLK_T_DISCARD;
	bytes[12] = bytes[44] = 0;
	blk_send(&f, &ask);
	assert_int_equal(blk_serve(&f), 1);
	blk_expect(&f, &ask, NULL, 0, done);
	blk_check_memory(&f);
	check(&w);
	faults.punch_error = EIO;
	blk_send(&f, &ask);
	assert_int_equal(blk_serve(&f), 1);
	blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_IOERR);
	blk_check_memory(&f);
	check(&w);
	close(w.fd);
}

/* Devices */

static void begin_device(struct ranges_fixture *w, void **state)
{
	begin(w, state);
	faults.is_device = true;
	assert_int_equal(virtio_blk_file_backend(&w->file, w->fd, &w->backend), 0);
	assert_non_null(w->backend.ops->secure_erase);
	assert_null(w->backend.ops->lifetime);
}

static int erase(const struct ranges_fixture *w, uint64_t offset, uint64_t bytes)
{
	return w->backend.ops->secure_erase(w->backend.context, offset, bytes);
}

static void device_is_discarded_and_erased_by_its_own_commands(void **state)
{
	static struct ranges_fixture w;

	begin_device(&w, state);
	faults.interrupts = 3;
	assert_int_equal(discard(&w, 512, UINT64_C(5) << 30), 0);
	assert_int_equal(faults.command, BLKDISCARD);
	assert_int_equal(faults.range[0], 512);
	assert_int_equal(faults.range[1], UINT64_C(5) << 30);
	faults.interrupts = 3;
	assert_int_equal(erase(&w, UINT64_C(6) << 30, 1024), 0);
	assert_int_equal(faults.command, BLKSECDISCARD);
	assert_int_equal(faults.range[0], UINT64_C(6) << 30);
	assert_int_equal(faults.range[1], 1024);
	assert_int_equal(faults.controls, 2);
	assert_int_equal(faults.punches + faults.zeroes + faults.puts, 0);
	check(&w);
	close(w.fd);
}

/*
 * If the device lacks the command, a discard succeeds without effect, and a secure erase fails.
 */
static void device_without_a_command_ignores_discard_and_fails_erase(void **state)
{
	static struct ranges_fixture w;

	begin_device(&w, state);
	for (size_t i = 0; i < COUNT(unsupported); i++) {
		faults.control_error = unsupported[i];
		assert_int_equal(discard(&w, 0, 4096), 0);
		assert_int_equal(erase(&w, 0, 4096), VIRTIO_EIO);
		assert_int_equal(errno, unsupported[i]);
	}
	for (size_t i = 0; i < COUNT(serious); i++) {
		faults.control_error = serious[i];
		assert_int_equal(discard(&w, 0, 4096), VIRTIO_EIO);
		assert_int_equal(errno, serious[i]);
		errno = 0;
		assert_int_equal(erase(&w, 0, 4096), VIRTIO_EIO);
		assert_int_equal(errno, serious[i]);
	}
	assert_int_equal(faults.controls + faults.punches + faults.zeroes + faults.puts, 0);
	check(&w);
	close(w.fd);
}

static void device_zeroes_are_read_back(void **state)
{
	static struct ranges_fixture w;

	for (int i = 0; i < 8; i++) {
		begin_device(&w, state);
		faults.punch_error = i & 2 ? EOPNOTSUPP : 0;
		faults.zero_error = i & 4 ? EOPNOTSUPP : 0;
		memset(w.model + 512, 0, 65536);
		assert_int_equal(write_zeroes(&w, 512, 65536, i & 1), 0);
		assert_int_equal(faults.punches, (i & 3) == 1);
		check(&w);
		close(w.fd);
	}
}

static void device_may_unmap_without_being_asked(void **state)
{
	static struct ranges_fixture w;

	begin_device(&w, state);
	assert_true(virtio_blk_file_may_unmap(w.fd));
	assert_int_equal(faults.controls + faults.punches + faults.zeroes + faults.puts, 0);
	check(&w);
	close(w.fd);
}

static void device_size_is_its_end(void **state)
{
	uint64_t bytes = 77;
	static struct ranges_fixture w;
	int ends[2];

	begin_device(&w, state);
	assert_int_equal(virtio_blk_file_size(w.fd, &bytes), 0);
	assert_int_equal(bytes, FILE_BYTES);
	close(w.fd);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(virtio_blk_file_size(ends[0], &bytes), VIRTIO_EIO);
	assert_int_equal(bytes, FILE_BYTES);
	close(ends[0]);
	close(ends[1]);
}

#define ON(test, folder)                                                                                               \
	{                                                                                                              \
#test "_" #folder, test, NULL, NULL, folder                                                            \
	}
#define ON_BOTH(test) ON(test, here), ON(test, tmpfs)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(file_zeroes_are_read_back_whatever_is_supported),
		ON(file_zeroes_fail_with_the_storage, here),
		ON(file_backend_on_a_closed_descriptor_fails_everything, here),
		ON(file_zeroes_written_by_hand_survive_short_writes, here),
		ON(file_zeroes_written_by_hand_fail_with_the_storage, here),
		ON_BOTH(file_zeroes_give_storage_back_under_unmap),
		ON_BOTH(file_zeroes_keep_storage_without_unmap),
		ON_BOTH(file_zeroes_keep_storage_without_unmap_when_written_by_hand),
		ON_BOTH(file_says_whether_zeroes_may_unmap),
		cmocka_unit_test(file_that_is_none_may_not_unmap),
		ON_BOTH(file_zeroes_in_a_hole_are_zeroes),
		ON_BOTH(file_zeroes_past_a_shrunk_end_are_read_back),
		ON_BOTH(file_discard_gives_storage_back),
		ON_BOTH(file_discard_changes_nothing_outside_its_range),
		ON(file_discard_needs_no_support, here),
		ON_BOTH(file_discard_past_a_shrunk_end_does_not_grow_the_file),
		ON(file_has_no_secure_erase, here),
		ON_BOTH(file_serves_commands_of_a_driver),
		ON(device_is_discarded_and_erased_by_its_own_commands, here),
		ON(device_without_a_command_ignores_discard_and_fails_erase, here),
		ON_BOTH(device_zeroes_are_read_back),
		ON(device_may_unmap_without_being_asked, here),
		ON(device_size_is_its_end, here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
