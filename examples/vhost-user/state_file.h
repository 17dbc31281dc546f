/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Files with the state of all devices.
 *
 * Threads: the control thread only.
 */
#ifndef STATE_FILE_H
#define STATE_FILE_H

#include <stddef.h>
#include <stdint.h>

/* A state with this many bytes or more is neither written nor read. */
#define STATE_FILE_LIMIT (UINT32_C(1) << 30)

/*
 * Writes a file that only its owner can read. The file gets its name when it is complete and on
 * disk. The file then replaces an earlier file of this name. After a failure the earlier file
 * stays, unless only the sync of the folder has failed.
 *
 * Returns 0, or -1 with errno. EFBIG: see STATE_FILE_LIMIT. EEXIST: a device, pipe or socket has
 * this name, and stays.
 */
int state_file_write(const char *path, const uint8_t *bytes, size_t length);

/* Writes the bytes into an open file. Returns 0, or -1 with errno. EFBIG: see STATE_FILE_LIMIT. */
int state_file_put(int fd, const uint8_t *bytes, size_t length);

/*
 * Reads an open file from its start.
 *
 * @length  set to the number of bytes
 *
 * Returns an allocation that the caller frees; or NULL with errno. EFBIG: see STATE_FILE_LIMIT.
 */
uint8_t *state_file_get(int fd, size_t *length);

/*
 * Writes the folder of a file to disk, so that a change of the file's name lasts. Returns 0, or -1
 * with errno.
 */
int state_file_sync_folder(const char *path);

#endif
