/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Receiving and answering vhost-user messages. */
#include "message.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * Keeps what descriptors came along. The kernel has installed each of them in our table already, so
 * also those that are too many must be found, to be closed.
 */
static int keep_fds(struct message *message, struct msghdr *from)
{
	int result = from->msg_flags & MSG_CTRUNC ? -1 : 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(from); c; c = CMSG_NXTHDR(from, c)) {
		size_t count;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (message->fd_count < VHOST_USER_MAX_FDS) {
				message->fds[message->fd_count++] = fd;
			} else {
				close(fd);
				result = -1;
			}
		}
	}
	return result;
}

/* One recvmsg(): never reads past the `want` bytes, so that what follows stays in the socket. */
static int receive_some(int socket, struct message *message, void *to, size_t want, const char **reason)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof message->fds)];
	} control;
	struct iovec iov = { .iov_base = to, .iov_len = want };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space
	};
	ssize_t got = recvmsg(socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (got < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return 0;
		*reason = strerror(errno);
		return -1;
	}
	if (keep_fds(message, &msg)) {
		*reason = "too many file descriptors with one message";
		return -1;
	}
	if (got == 0) {
		*reason = message->received ? "disconnected in the middle of a message" : NULL;
		return -1;
	}
	message->received += (size_t)got;
	return 1;
}

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
 * Whether a descriptor is the other end of a connection to the path that this one came by. If we held it, its
 * closing would never be seen: the connection would last for ever, and no one else could connect.
 */
static bool is_other_end(int socket, int fd)
{
	struct sockaddr_un ours = { .sun_family = AF_UNSPEC }, peers = { .sun_family = AF_UNSPEC };
	socklen_t ours_len = sizeof ours, peers_len = sizeof peers;

	return getsockname(socket, (struct sockaddr *)&ours, &ours_len) == 0 &&
	       getpeername(fd, (struct sockaddr *)&peers, &peers_len) == 0 && ours_len == peers_len &&
	       memcmp(&ours, &peers, ours_len) == 0;
}

/* The whole message is here: are its descriptors ones that we may hold? */
static int check_fds(int socket, const struct message *message, const char **reason)
{
	for (unsigned int i = 0; i < message->fd_count; i++)
		if (is_other_end(socket, message->fds[i])) {
			*reason = "the front end's own end of a connection as a file descriptor";
			return -1;
		}
	return 1;
}

int message_receive(int socket, struct message *message, const char **reason)
{
	for (;;) {
		const size_t had = message->received;
		const size_t header = sizeof message->header;
		int got;

		if (had < header) {
			got = receive_some(socket, message, (char *)&message->header + had, header - had, reason);
		} else {
			const size_t payload = had - header;

			if (payload == message->header.size)
				return check_fds(socket, message, reason);
			got = receive_some(socket, message, message->payload.bytes + payload,
					   message->header.size - payload, reason);
		}
		if (got <= 0)
			return got;
		if (had < header && message->received == header) {
			*reason = header_error(&message->header);
			if (*reason)
				return -1;
		}
	}
}

int message_take_fd(struct message *message, unsigned int index)
{
	int fd = message->fds[index];

	message->fds[index] = -1;
	return fd;
}

void message_clear(struct message *message)
{
	for (unsigned int i = 0; i < message->fd_count; i++)
		if (message->fds[i] >= 0)
			close(message->fds[i]);
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

	/* A few bytes to a socket that is nearly always empty: if they don't fit, nobody reads. */
	return sendmsg(socket, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)(sizeof header + size) ? 0 : -1;
}

int message_send(int socket, uint32_t request)
{
	const struct vhost_user_header header = { .request = request, .flags = VHOST_USER_FLAG_VERSION };

	return send(socket, &header, sizeof header, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof header ? 0 : -1;
}
