/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Listening on the path of a Unix socket. */
#ifndef UNIX_LISTENER_H
#define UNIX_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

struct handover;

/* Identifies the socket file, because another process may replace it. */
struct unix_listener_file {
	dev_t dev;
	ino_t ino;
};

/*
 * Who may connect. If all members are zero, the umask of the process decides. If only a group is
 * given, the mode is 660.
 */
struct unix_listener_access {
	bool has_mode, has_group;
	mode_t mode; /* permission bits */
	gid_t group;
};

/*
 * Parse an octal mode, and the name or number of a group. Return 0, or -1 after printing what is
 * wrong.
 */
int unix_listener_mode(const char *value, struct unix_listener_access *access);
int unix_listener_group(const char *value, struct unix_listener_access *access);

/* Returns whether a path fits a socket's address. */
bool unix_listener_fits(const char *path);

/*
 * Listens at a path. Replaces a socket file on which no process listens any longer, and no other
 * file. If several processes do this for one path, only one process succeeds. This is not certain
 * if the path's folder can't be locked, for example because it can't be read.
 *
 * @access  takes effect before a client can connect
 * @file    set to the socket file
 *
 * Returns a descriptor that does not block, or -1 after printing why.
 */
int unix_listener_open(const char *path, const struct unix_listener_access *access, struct unix_listener_file *file);

/*
 * Does the same for any type of socket and any backlog. unix_listener_open() makes a SOCK_STREAM
 * with a short backlog.
 */
int unix_listener_open_type(const char *path, int type, int backlog, const struct unix_listener_access *access,
			    struct unix_listener_file *file);

/*
 * Hands a listener over to the next program, with the identity of its socket file, because another
 * process may have replaced the file. Does nothing for -1. Returns 0, or -1 with errno.
 *
 * @name  name of the descriptor, up to 250 bytes. The identity has this name with " file" appended
 */
__attribute__((format(printf, 4, 5))) int unix_listener_hand_over(struct handover *handover, int fd,
								  const struct unix_listener_file *file,
								  const char *name, ...);

/*
 * Takes a listener over from the old process (handover.h).
 *
 * @file  set to the listener's socket file, or to zeros if the listener has no file
 *
 * Returns the descriptor; or -1 if no descriptor has this name, and then *file is unchanged.
 */
__attribute__((format(printf, 3, 4))) int unix_listener_take(struct handover *handover, struct unix_listener_file *file,
							     const char *name, ...);

/*
 * Closes the descriptor. Removes the socket file, unless another file has its name now, or the old
 * process may still need the file.
 */
void unix_listener_close(int fd, const char *path, const struct unix_listener_file *file);

#endif
