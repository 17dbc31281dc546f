/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * One incoming message of a Unix socket: bytes, which may arrive in pieces, and file descriptors.
 * The sender can't block this process, and can't make this process leak a descriptor.
 */
#ifndef INCOMING_H
#define INCOMING_H

#include <stdbool.h>
#include <stddef.h>

#define INCOMING_MAX_FDS 32

/* A message that is being received, or was received. It must be all zero at first. */
struct incoming {
	size_t received;           /* bytes received so far */
	int fds[INCOMING_MAX_FDS]; /* closed by incoming_clear(); -1 after incoming_take_fd() */
	unsigned int fd_count;     /* descriptors in `fds`, including removed descriptors */
	/*
	 * More than INCOMING_MAX_FDS descriptors came, or the kernel could not install all of them.
	 * No lost descriptor stays open.
	 */
	bool lost;
};

/*
 * Calls recvmsg() once.
 *
 * @socket  a stream socket
 * @to      gets the bytes
 * @want    the most bytes to receive: 1 to the number that this message still lacks. So the next
 *          message stays in the socket.
 * @reason  set when -1 is returned: why the connection is over, or NULL if the sender closed it
 *          between two messages
 *
 * Returns 1 if bytes arrived, 0 if no bytes are available now, -1 if the connection is over.
 */
int incoming_receive(int socket, struct incoming *in, void *to, size_t want, const char **reason);

/* Removes a descriptor from a message and returns it. The caller closes it. */
int incoming_take_fd(struct incoming *in, unsigned int index);

/* Closes the descriptors that are left in a message, and empties the message. */
void incoming_clear(struct incoming *in);

#endif
