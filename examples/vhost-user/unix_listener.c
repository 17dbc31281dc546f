/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "unix_listener.h"

#include "handover.h"
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 8
#define NAME_BYTES 256
/*
 * The most attempts to lock a folder when a listener is opened, and when a listener is closed. The
 * attempts are a millisecond apart.
 */
#define LOCK_TRIES 2000
#define LOCK_TRIES_AT_END 100

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

/* Who may connect */

int unix_listener_mode(const char *value, struct unix_listener_access *access)
{
	char *end;
	const unsigned long mode = strtoul(value, &end, 8);

	if (*value < '0' || *value > '7' || *end || mode > 0777)
		return option_error(value, "not an octal mode up to 777");
	access->mode = (mode_t)mode;
	access->has_mode = true;
	return 0;
}

int unix_listener_group(const char *value, struct unix_listener_access *access)
{
	const struct group *group = getgrnam(value);
	uint64_t number;

	if (!group && option_number(value, 0, UINT32_MAX - 1, &number))
		return option_error(value, "no such group");
	access->group = group ? group->gr_gid : (gid_t)number;
	access->has_group = true;
	return 0;
}

/* The socket file */

/*
 * Locks the folder of a path. Without the lock, two processes could find the same file that was
 * left behind. The second process could then remove the first process's new file, which looks left
 * behind until the first process calls listen(). The lock needs no file, and the system releases it
 * when the process ends.
 *
 * @lock  set to a descriptor, or to -1 for a folder that can't be locked, for example because it
 *        can't be read. Closing the descriptor unlocks the folder
 *
 * Returns -1 if another process keeps the folder locked, otherwise 0.
 */
static int lock_folder(const char *path, int tries, int *lock)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	const char *slash = strrchr(path, '/');
	char folder[sizeof(struct sockaddr_un)];

	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash + 1 - path) : 1, slash ? path : ".");
	*lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*lock < 0)
		return 0;
	for (int i = 0; i < tries; i++) {
		if (flock(*lock, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR) {
			close(*lock);
			*lock = -1;
			return 0;
		}
		nanosleep(&pause, NULL);
	}
	close(*lock);
	*lock = -1;
	return -1;
}

static void unlock(int lock)
{
	if (lock >= 0)
		close(lock);
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

/*
 * Sets permissions and group of the socket file at a path. Fills in *st, which identifies the file.
 * Does not change a file that is no socket, or the target of a symbolic link. Returns 0, or -1 with
 * errno.
 */
static int give_access(const char *path, const struct unix_listener_access *access, struct stat *st)
{
	const mode_t mode = access->has_mode ? access->mode : S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP;
	const int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char self[32];
	int result = -1;

	if (fd < 0)
		return -1;
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	if (fstat(fd, st) == 0 && !S_ISSOCK(st->st_mode))
		errno = EEXIST;
	else if ((!access->has_group || chown(self, (uid_t)-1, access->group) == 0) &&
		 ((!access->has_mode && !access->has_group) || chmod(self, mode) == 0))
		result = 0;
	close(fd);
	return result;
}

/*
 * If a mode or a group is given, only the owner has permissions until both are set. Nobody can
 * connect before listen().
 */
static int bind_and_listen(int fd, const struct sockaddr_un *addr, int backlog,
			   const struct unix_listener_access *access, struct stat *st)
{
	int error;

	if (((access->has_mode || access->has_group) && fchmod(fd, S_IRUSR | S_IWUSR)) ||
	    bind(fd, (const struct sockaddr *)addr, sizeof *addr))
		return -1;
	if (give_access(addr->sun_path, access, st) == 0 && listen(fd, backlog) == 0)
		return 0;
	error = errno;
	unlink(addr->sun_path);
	errno = error;
	return -1;
}

/* Opens a listener. The folder must be locked. */
static int open_locked(const struct sockaddr_un *addr, int type, int backlog, const struct unix_listener_access *access,
		       struct unix_listener_file *file)
{
	struct stat st;
	int fd;

	if (make_room(addr))
		return -1;
	fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind_and_listen(fd, addr, backlog, access, &st)) {
		(void)fail(addr->sun_path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*file = (struct unix_listener_file){ st.st_dev, st.st_ino };
	return fd;
}

int unix_listener_open(const char *path, const struct unix_listener_access *access, struct unix_listener_file *file)
{
	return unix_listener_open_type(path, SOCK_STREAM, BACKLOG, access, file);
}

int unix_listener_open_type(const char *path, int type, int backlog, const struct unix_listener_access *access,
			    struct unix_listener_file *file)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, lock;

	if (!unix_listener_fits(path))
		return fail(path, "too long for the path of a socket");
	memcpy(addr.sun_path, path, strlen(path));
	if (lock_folder(path, LOCK_TRIES, &lock))
		return fail(path, "another process keeps the folder locked");
	fd = open_locked(&addr, type, backlog, access, file);
	unlock(lock);
	return fd;
}

int unix_listener_hand_over(struct handover *handover, int fd, const struct unix_listener_file *file,
			    const char *format, ...)
{
	char name[NAME_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof name, format, args);
	va_end(args);
	handover_add(handover, fd, "%s", name);
	if (fd < 0 || file->ino == 0)
		return 0;
	return handover_add_bytes(handover, file, sizeof *file, "%s file", name);
}

int unix_listener_take(struct handover *handover, struct unix_listener_file *file, const char *format, ...)
{
	char name[NAME_BYTES];
	va_list args;
	int fd;

	va_start(args, format);
	vsnprintf(name, sizeof name, format, args);
	va_end(args);
	fd = handover_take(handover, "%s", name);
	if (fd < 0)
		return -1;
	if (handover_take_bytes(handover, file, sizeof *file, "%s file", name))
		*file = (struct unix_listener_file){ .ino = 0 };
	return fd;
}

/*
 * Removes the file before closing the descriptor. After the close, another process's file could
 * have the same inode number.
 */
void unix_listener_close(int fd, const char *path, const struct unix_listener_file *file)
{
	struct stat st;
	int lock;

	/* Until this process has taken over, the old process needs the file. */
	if (inherited.count > 0 || file->ino == 0) {
		close(fd);
		return;
	}
	(void)lock_folder(path, LOCK_TRIES_AT_END, &lock);
	if (lstat(path, &st) == 0 && st.st_dev == file->dev && st.st_ino == file->ino)
		unlink(path);
	close(fd);
	unlock(lock);
}
