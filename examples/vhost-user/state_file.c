/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int state_file_put(int fd, const uint8_t *bytes, size_t length)
{
	if (length >= STATE_FILE_LIMIT) {
		errno = EFBIG;
		return -1;
	}
	while (length > 0) {
		const ssize_t put = write(fd, bytes, length);

		if (put < 0 && errno != EINTR)
			return -1;
		if (put > 0) {
			bytes += put;
			length -= (size_t)put;
		}
	}
	return 0;
}

int state_file_sync_folder(const char *path)
{
	char *copy = strdup(path);
	const int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	const int result = fd < 0 ? -1 : fsync(fd);
	const int error = errno;

	free(copy);
	if (fd >= 0)
		close(fd);
	errno = error;
	return result;
}

/* Returns whether the path is a device, a pipe or a socket. A state must not replace these. */
static bool is_no_file(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 &&
	       (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) || S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

int state_file_write(const char *path, const uint8_t *bytes, size_t length)
{
	char *temporary = NULL;
	int fd, error;

	if (is_no_file(path)) {
		errno = EEXIST;
		return -1;
	}
	if (asprintf(&temporary, "%s.%ld", path, (long)getpid()) < 0)
		return -1;
	(void)unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	error = fd < 0 || state_file_put(fd, bytes, length) || fsync(fd) ? errno : 0;
	if (fd >= 0 && close(fd) && !error)
		error = errno;
	if (!error && (rename(temporary, path) || state_file_sync_folder(path)))
		error = errno;
	if (error && fd >= 0)
		(void)unlink(temporary);
	free(temporary);
	errno = error;
	return error ? -1 : 0;
}

uint8_t *state_file_get(int fd, size_t *length)
{
	uint8_t *bytes;
	struct stat st;
	size_t count, have = 0;
	ssize_t got = 1;

	if (fstat(fd, &st))
		return NULL;
	if (st.st_size < 0 || st.st_size >= STATE_FILE_LIMIT) {
		errno = EFBIG;
		return NULL;
	}
	count = (size_t)st.st_size;
	bytes = malloc(count + 1);
	while (bytes && have < count && got > 0) {
		got = pread(fd, bytes + have, count - have, (off_t)have);
		if (got > 0)
			have += (size_t)got;
	}
	if (!bytes || have == count) {
		*length = count;
		return bytes;
	}
	errno = got < 0 ? errno : EIO;
	free(bytes);
	return NULL;
}
