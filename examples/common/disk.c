/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Images. */
#include "disk.h"

#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <virtio/bindings/virtio_blk.h>

/* How long to try to lock an image: half a second. */
#define LOCK_TRIES 50
#define LOCK_TRY_NS 10000000

int disk_option(struct disk_options *options, const char *name, char *value)
{
	if (strcmp(name, "readonly") == 0)
		return option_switch(name, value, &options->read_only) ? -1 : 1;
	if (strcmp(name, "serial") != 0)
		return 0;
	if (strlen(value) > VIRTIO_BLK_ID_BYTES)
		return option_error(value, "serial is longer than 20 bytes");
	options->serial = value;
	return 1;
}

static int fail(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	return -1;
}

/*
 * The lock belongs to the open file, so it also holds between two disks of this process. A killed
 * process keeps its files open until io_uring has finished with them. This process then waits for
 * the lock a moment.
 */
static int lock_image(int fd, bool read_only)
{
	const struct timespec moment = { .tv_nsec = LOCK_TRY_NS };

	for (unsigned int tries = 0;; tries++) {
		struct flock lock = { .l_type = read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET };

		if (fcntl(fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES))
			return 0;
		if (tries == LOCK_TRIES)
			return -1;
		(void)nanosleep(&moment, NULL);
	}
}

/* Returns 0, or -1 after printing why the file can't be an image. */
static int check_image(int fd, const struct disk_options *options, uint64_t *bytes)
{
	switch (virtio_blk_file_size(fd, bytes)) {
	case 0:
		break;
	case VIRTIO_EINVAL:
		return fail(options->path, "not a file or block device");
	default:
		return fail(options->path, "can't tell its size");
	}
	if (*bytes < VIRTIO_BLK_SECTOR_BYTES)
		return fail(options->path, "empty: a disk has one sector of 512 bytes at least");
	if (fcntl(fd, F_SETFL, 0))
		return fail(options->path, strerror(errno));
	if (lock_image(fd, options->read_only))
		return fail(options->path, "in use by another process");
	return 0;
}

static const char *serial(const struct disk_options *options)
{
	const char *slash = strrchr(options->path, '/');

	if (options->serial)
		return options->serial;
	return slash ? slash + 1 : options->path;
}

int disk_open(const struct disk_options *options, struct virtio_blk_file *file, struct virtio_blk_options *blk)
{
	const int fd = open(options->path, (options->read_only ? O_RDONLY : O_RDWR) | O_NONBLOCK | O_CLOEXEC);
	uint64_t bytes;

	if (fd < 0)
		return fail(options->path, strerror(errno));
	if (check_image(fd, options, &bytes) == 0) {
		blk->read_only = options->read_only;
		blk->capacity = bytes >> VIRTIO_BLK_SECTOR_SHIFT;
		blk->write_zeroes_may_unmap = !options->read_only && virtio_blk_file_may_unmap(fd);
		memcpy(blk->id, serial(options), strnlen(serial(options), sizeof blk->id));
		if (virtio_blk_file_backend(file, fd, &blk->backend) == 0)
			return fd;
		(void)fail(options->path, "can't be a disk");
	}
	close(fd);
	return -1;
}
