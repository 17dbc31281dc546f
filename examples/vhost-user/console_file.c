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

/* Regular files only: opening a pipe would wait for its reader, and writing to one could block. */
static int open_path(const char *path)
{
	const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	if (fd >= 0) {
		close(fd);
		errno = EINVAL;
	}
	return -1;
}

static int open_file(struct console_link *link)
{
	link->out.fd = link->taken_over ? console_link_take(link, "out") : open_path(link->options.path);
	if (link->out.fd < 0) {
		fprintf(stderr, "%s: %s: %s\n", link->name, link->options.path,
			errno == EINVAL ? "not a regular file" : strerror(errno));
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
		log_line("%s: %s: %s", link->name, link->options.path, strerror(errno));
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
