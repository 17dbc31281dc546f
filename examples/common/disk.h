/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* An image file as a disk: its options on a command line, and how it is opened. */
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <virtio/blk.h>
#include <virtio/blk_file.h>

/* The numbers that the command line can set: see the table in disk.c. */
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
	const char *path; /* of the image */
	/* the guest sees it as the serial number; NULL: the image's name */
	const char *serial;
	bool read_only;
	struct disk_number numbers[DISK_NUMBERS];
	/* the image is open already; on success the descriptor belongs to the disk */
	bool has_fd;
	int fd;
};

/*
 * Handles one pair of a disk's command line: readonly, serial or one of the numbers.
 *
 * Returns 1 if the pair was one of these, 0 if not, -1 after printing what is wrong.
 */
int disk_option(struct disk_options *options, const char *name, char *value);

/* Prints the part of --help about these options on stdout. */
void disk_print_help(void);

/*
 * Opens an image, which is a file or a block device that is not in use. Never waits, as opening a
 * pipe would. The image stays locked against other processes that lock, such as QEMU and these
 * programs, until it is closed. So there is one writer. On a file system without locks there is no
 * lock.
 *
 * The properties of a block device become the disk's, and are printed as options that make the same
 * disk on another host. An image that isn't whole blocks is rounded up, and the operator is told.
 *
 * @options  as given
 * @file     for the back end; must live as long as the disk
 * @blk      on entry the program's defaults: limits of commands on ranges, and all values for which
 *           there is no option. The other members are set. A read-only disk has no commands on
 *           ranges.
 *
 * Returns a descriptor, to be closed after the disk; or -1 after printing why not.
 */
int disk_open(const struct disk_options *options, struct virtio_blk_file *file, struct virtio_blk_options *blk);

/* The capacity of an image of this many bytes, in sectors: rounded up to the disk's blocks. */
uint64_t disk_sectors(uint64_t bytes, const struct virtio_blk_options *blk);

#endif
