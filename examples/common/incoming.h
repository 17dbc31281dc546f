/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * One incoming message of a Unix socket: bytes, in pieces as they arrive, and file descriptors. The
 * other side can neither block this process, nor leave it a descriptor that is never closed.
 */
#ifndef INCOMING_H
#define INCOMING_H

#include <stdbool.h>
#include <stddef.h>

#define INCOMING_MAX_FDS 32

/* A message that is being received, or was received. All zero at first. */
struct incoming {
	size_t received;           /* bytes so far */
	int fds[INCOMING_MAX_FDS]; /* closed by incoming_clear(); -1 after incoming_take_fd() */
	unsigned int fd_count;     /* descriptors received, including those that were taken out */
	/*
	 * More descriptors came than are expected. The excess ones are closed, or were not
	 * received.
	 */
	bool lost;
};

/*
 * Receives once, and not beyond the `want` bytes, so that the next message stays in the socket.
 *
 * @socket  a stream socket
 * @to      where the bytes go
 * @reason  set when -1 is returned: why the connection is over; NULL if it ended between two
 *          messages
 *
 * Returns 1 if something came, 0 if nothing is there at the moment, -1 if nothing more will come.
 */
int incoming_receive(int socket, struct incoming *in, void *to, size_t want, const char **reason);

/* Removes a descriptor from a message and returns it. The caller closes it. */
int incoming_take_fd(struct incoming *in, unsigned int index);

/* Closes the descriptors that are left in a message, and empties it. */
void incoming_clear(struct incoming *in);

#endif
