/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A file that output is appended to. It is opened again on SIGHUP, because a log may have been
 * moved away.
 */
#include "console_link.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Returns whether another process, or a disk of this process, has locked the file. Output to a
 * locked image would destroy the disk of a guest.
 */
static bool is_locked(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/*
 * Opens a regular file, and refuses every other kind. Uses O_NONBLOCK, because opening a pipe must
 * not wait for a reader.
 */
static int open_path(const char *path)
{
	const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0)
		return -1;
	errno = EINVAL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		if (!is_locked(fd))
			return fd;
		errno = EBUSY;
	}
	close(fd);
	return -1;
}

static const char *reason(void)
{
	switch (errno) {
	case EINVAL:
		return "not a regular file";
	case EBUSY:
		return "in use by another process, or by a disk";
	default:
		return strerror(errno);
	}
}

static int open_file(struct console_link *link)
{
	link->out.fd = link->taken_over ? console_link_take(link, "out") : open_path(link->options.path);
	if (link->out.fd < 0) {
		fprintf(stderr, "%s: %s: %s\n", link->name, link->options.path, reason());
		return -1;
	}
	link->events->connected(link, true);
	return 0;
}

/* Output that is not written yet goes to the new file. */
static void open_again(struct console_link *link)
{
	const int fd = open_path(link->options.path);

	if (fd < 0) {
		log_line("%s: %s: %s", link->name, link->options.path, reason());
		return;
	}
	if (link->out.fd >= 0)
		close(link->out.fd);
	link->out.fd = fd;
	console_link_write_again(link);
}

static void close_file(struct console_link *link)
{
	(void)link;
}

const struct console_link_ops console_file_ops = { .open = open_file, .close = close_file, .refresh = open_again };
