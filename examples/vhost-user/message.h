/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Receives and sends vhost-user messages, and never waits for the rest of a message.
 *
 * What the front end can do: send any bytes in pieces of any size, attach descriptors where none
 * belong, and leave in the middle of a message. A message is passed on when it is complete and its
 * header was checked. The session checks the payload.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "incoming.h"
#include "vhost_user.h"

/* The message being received. An empty message is all zeros. */
struct message {
	struct vhost_user_header header;
	union vhost_user_payload payload;
	struct incoming in; /* bytes received so far, header included, and descriptors */
};

/*
 * Receives more of a message.
 *
 * @socket   a stream socket
 * @message  empty, or as the last call left the message
 * @reason   set when -1 is returned: why the session must end; NULL if the front end has left
 *           between two messages
 *
 * Returns 1 when the message is whole, 0 if the rest has not arrived yet, -1 if the session must
 * end.
 */
int message_receive(int socket, struct message *message, const char **reason);

/* Empties a message, and closes the descriptors that are left in the message. */
void message_clear(struct message *message);

/*
 * Sends `size` bytes of the message's payload as the reply. Returns 0, or -1 if the front end does
 * not read its replies or has left.
 */
int message_reply(int socket, struct message *message, uint32_t size);

/*
 * Sends a request from the daemon, without a payload. No reply is wanted. Returns 0, or -1 with
 * errno, for example if the front end doesn't read.
 */
int message_send(int socket, uint32_t request);

#endif
