/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* An image file as a disk: its options on a command line, and how it is opened. */
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <virtio/blk.h>
#include <virtio/blk_file.h>

struct disk_options {
	const char *path; /* of the image */
	/* the guest sees it as the serial number; NULL: the image's name */
	const char *serial;
	bool read_only;
};

/*
 * Handles one pair of a disk's command line: readonly or serial.
 *
 * Returns 1 if the pair was one of these, 0 if not, -1 after printing what is wrong.
 */
int disk_option(struct disk_options *options, const char *name, char *value);

/*
 * Opens an image without waiting (opening a pipe would wait), and accepts a file or block device
 * that is not in use. The image stays locked against other processes that lock, such as QEMU and
 * these programs, until it is closed. So there is one writer. On a file system without locks there
 * is no lock.
 *
 * @options  as given
 * @file     for the back end; must live as long as the disk
 * @blk      read_only, capacity, id, backend and write_zeroes_may_unmap are set; the caller sets
 *           the rest
 *
 * Returns a descriptor, to be closed after the disk; or -1 after printing why not.
 */
int disk_open(const struct disk_options *options, struct virtio_blk_file *file, struct virtio_blk_options *blk);

#endif
