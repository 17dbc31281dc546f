/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Receives and answers vhost-user messages. */
#include "message.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *header_error(const struct vhost_user_header *header)
{
	if ((header->flags & VHOST_USER_FLAG_VERSION_MASK) != VHOST_USER_FLAG_VERSION)
		return "message of another version of the protocol";
	if (header->flags & ~(VHOST_USER_FLAG_VERSION_MASK | VHOST_USER_FLAG_NEED_REPLY))
		return "message with unknown flags";
	if (header->size > sizeof(union vhost_user_payload))
		return "message too long";
	return NULL;
}

/*
 * Returns whether a descriptor is the front end's side of a connection to our own socket. If the
 * daemon kept this descriptor, it would never see the connection close, and no other front end
 * could connect. A socket without a name can't be recognised: all such sockets have the same name.
 */
static bool is_other_end(int socket, int fd)
{
	struct sockaddr_un ours = { .sun_family = AF_UNSPEC }, peers = { .sun_family = AF_UNSPEC };
	socklen_t ours_len = sizeof ours, peers_len = sizeof peers;

	return getsockname(socket, (struct sockaddr *)&ours, &ours_len) == 0 &&
	       ours_len > offsetof(struct sockaddr_un, sun_path) &&
	       getpeername(fd, (struct sockaddr *)&peers, &peers_len) == 0 && ours_len == peers_len &&
	       memcmp(&ours, &peers, ours_len) == 0;
}

/*
 * Checks whether the daemon may hold the descriptors of a complete message. Returns 1, or -1 with
 * *reason set.
 */
static int check_fds(int socket, const struct message *message, const char **reason)
{
	for (unsigned int i = 0; i < message->in.fd_count; i++)
		if (is_other_end(socket, message->in.fds[i])) {
			*reason = "a file descriptor that is the front end's own end of the connection";
			return -1;
		}
	return 1;
}

int message_receive(int socket, struct message *message, const char **reason)
{
	for (;;) {
		const size_t had = message->in.received;
		const size_t header = sizeof message->header;
		int got;

		if (had < header) {
			got = incoming_receive(socket, &message->in, (char *)&message->header + had, header - had,
					       reason);
		} else {
			const size_t payload = had - header;

			if (payload == message->header.size)
				return check_fds(socket, message, reason);
			got = incoming_receive(socket, &message->in, message->payload.bytes + payload,
					       message->header.size - payload, reason);
		}
		if (got <= 0)
			return got;
		if (had < header && message->in.received == header) {
			*reason = header_error(&message->header);
			if (*reason)
				return -1;
		}
	}
}

void message_clear(struct message *message)
{
	incoming_clear(&message->in);
	memset(message, 0, sizeof *message);
}

int message_reply(int socket, struct message *message, uint32_t size)
{
	struct vhost_user_header header = {
		.request = message->header.request,
		.flags = VHOST_USER_FLAG_VERSION | VHOST_USER_FLAG_REPLY,
		.size = size,
	};
	struct iovec iov[2] = {
		{ .iov_base = &header, .iov_len = sizeof header },
		{ .iov_base = &message->payload, .iov_len = size },
	};
	const struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	/*
	 * A reply is much shorter than a socket's buffer. If a reply does not fit, the front end
	 * does not read its replies.
	 */
	return sendmsg(socket, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)(sizeof header + size) ? 0 : -1;
}

int message_send(int socket, uint32_t request)
{
	const struct vhost_user_header header = { .request = request, .flags = VHOST_USER_FLAG_VERSION };

	return send(socket, &header, sizeof header, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof header ? 0 : -1;
}
