/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * One incoming message of a Unix socket: bytes, in pieces as they arrive, and file descriptors
 * beside them. The other side can neither block us, nor leave us a descriptor that nobody closes.
 */
#ifndef INCOMING_H
#define INCOMING_H

#include <stdbool.h>
#include <stddef.h>

#define INCOMING_MAX_FDS 32

/* A message that is being received, or was received. All zero at first. */
struct incoming {
	size_t received;           /* bytes so far */
	int fds[INCOMING_MAX_FDS]; /* ours to close; -1 for a descriptor that was taken */
	unsigned int fd_count;     /* received, whether taken or not */
	bool lost;                 /* there were more descriptors: they are closed, or never came */
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

/* Takes a descriptor out of a message. The caller closes it. */
int incoming_take_fd(struct incoming *in, unsigned int index);

/* Closes the descriptors that nobody has taken, and empties the message. */
void incoming_clear(struct incoming *in);

#endif
