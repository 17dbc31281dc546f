/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* An image file as a disk: the options on the command line, and opening the image. */
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <virtio/blk.h>
#include <virtio/blk_file.h>

/* The numbers that the command line can set. The table in disk.c has their names and ranges. */
enum disk_number_name {
	DISK_BLOCK_SIZE,
	DISK_PHYSICAL_BLOCK_SIZE,
	DISK_ALIGNMENT_OFFSET,
	DISK_MIN_IO_SIZE,
	DISK_OPT_IO_SIZE,
	DISK_DISCARD_GRANULARITY,
	DISK_MAX_DISCARD,
	DISK_MAX_DISCARD_RANGES,
	DISK_MAX_WRITE_ZEROES,
	DISK_SEG_MAX,
	DISK_SIZE_MAX,
	DISK_MAX_REQUEST,
	DISK_NUMBERS,
};

struct disk_number {
	uint64_t value;
	bool given;
};

struct disk_options {
	const char *path; /* the image's path */
	/* the disk's serial number; if NULL, the image's name is used */
	const char *serial;
	bool read_only;
	struct disk_number numbers[DISK_NUMBERS];
	/* set if `fd` is the opened image. disk_open() closes `fd` on failure */
	bool has_fd;
	int fd;
};

/*
 * Handles one option NAME=VALUE of a disk: readonly, serial or one of the numbers.
 *
 * Returns 1 if the name is known, 0 if not, -1 after printing what is wrong.
 */
int disk_option(struct disk_options *options, const char *name, char *value);

/* Prints the part of --help about these options on stdout. */
void disk_print_help(void);

/*
 * Opens an image, which is a file or a block device. Refuses an image that is still in use after
 * half a second. Does not wait for the other end if the path names a pipe. Locks the image until it
 * is closed. The lock excludes other programs that lock, such as QEMU and these examples, so an
 * image has one writer. A file system without locks gives no such protection.
 *
 * A disk on a block device takes block sizes, alignments and I/O sizes from the device, unless the
 * command line sets them. The device's values are printed as options. With these options the guest
 * sees the same disk on another host. The size of an image is rounded up to whole blocks, with a
 * message to the operator.
 *
 * @options  from the command line
 * @file     for the back end; must live as long as the disk
 * @blk      on entry the program's defaults: limits of discards and writes of zeroes, and all
 *           values for which there is no option. The other members are set here. A read-only disk
 *           offers no discard and no write zeroes.
 *
 * Returns a descriptor, which the caller closes after the last use of the disk; or -1 after
 * printing what is wrong.
 */
int disk_open(const struct disk_options *options, struct virtio_blk_file *file, struct virtio_blk_options *blk);

/*
 * Returns the capacity in sectors of an image with `bytes` bytes, rounded up to the disk's blocks.
 */
uint64_t disk_sectors(uint64_t bytes, const struct virtio_blk_options *blk);

#endif
