/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "unix_listener.h"

#include "handover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 8

static int fail(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	return -1;
}

bool unix_listener_fits(const char *path)
{
	const struct sockaddr_un addr = { .sun_family = AF_UNIX };

	return strlen(path) < sizeof addr.sun_path;
}

/* Removes a socket file that was left behind, and nothing else. */
static int make_room(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, result;

	if (lstat(addr->sun_path, &st))
		return errno == ENOENT ? 0 : fail(addr->sun_path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return fail(addr->sun_path, "exists and is not a socket");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(addr->sun_path, strerror(errno));
	/*
	 * EAGAIN: there is a listener with a full backlog. EPROTOTYPE: there is a socket of another
	 * type.
	 */
	if (connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0 || errno == EAGAIN || errno == EPROTOTYPE)
		result = fail(addr->sun_path, "in use: somebody is listening there");
	else if (errno != ECONNREFUSED || unlink(addr->sun_path))
		result = fail(addr->sun_path, strerror(errno));
	else
		result = 0;
	close(fd);
	return result;
}

/* The file has no permissions for others, and nobody can connect before listen(). */
static int bind_to(int fd, const struct sockaddr_un *addr, const struct unix_listener_access *access)
{
	const bool any = access->has_mode || access->has_group;
	const mode_t mode = access->has_mode ? access->mode : S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP;
	int error;

	if ((any && fchmod(fd, S_IRUSR | S_IWUSR)) || bind(fd, (const struct sockaddr *)addr, sizeof *addr))
		return -1;
	if ((!access->has_group || chown(addr->sun_path, (uid_t)-1, access->group) == 0) &&
	    (!any || chmod(addr->sun_path, mode) == 0))
		return 0;
	error = errno;
	unlink(addr->sun_path);
	errno = error;
	return -1;
}

int unix_listener_open(const char *path, const struct unix_listener_access *access, struct unix_listener_file *file)
{
	return unix_listener_open_type(path, SOCK_STREAM, BACKLOG, access, file);
}

int unix_listener_open_type(const char *path, int type, int backlog, const struct unix_listener_access *access,
			    struct unix_listener_file *file)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct stat st;
	int fd;

	if (!unix_listener_fits(path))
		return fail(path, "too long for the path of a socket");
	memcpy(addr.sun_path, path, strlen(path));
	if (make_room(&addr))
		return -1;
	*file = (struct unix_listener_file){ .ino = 0 };
	fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind_to(fd, &addr, access) || stat(path, &st) || listen(fd, backlog)) {
		(void)fail(path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*file = (struct unix_listener_file){ st.st_dev, st.st_ino };
	return fd;
}

void unix_listener_adopt(const char *path, struct unix_listener_file *file)
{
	struct stat st;

	*file = (struct unix_listener_file){ .ino = 0 };
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		*file = (struct unix_listener_file){ st.st_dev, st.st_ino };
}

void unix_listener_close(int fd, const char *path, const struct unix_listener_file *file)
{
	struct stat st;

	close(fd);
	/* Until this process goes on, the process before needs the file. */
	if (inherited.count > 0)
		return;
	if (lstat(path, &st) == 0 && st.st_dev == file->dev && st.st_ino == file->ino)
		unlink(path);
}
