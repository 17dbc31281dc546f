/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Receiving and answering messages of QEMU's. */
#include "proxy_protocol.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static_assert(sizeof(struct proxy_header) == 16 && offsetof(struct proxy_header, size) == 8, "as QEMU has it");
static_assert(sizeof(struct proxy_memory) == 192, "as QEMU has it");
static_assert(sizeof(struct proxy_config_access) == 12, "as QEMU has it");
static_assert(sizeof(struct proxy_bar_access) == 24, "as QEMU has it");

/*
 * Keeps what descriptors came along. The kernel has put each of them into our table already, so also those that
 * are too many must be found, to be closed.
 */
static int keep_fds(struct proxy_message *message, struct msghdr *from)
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
			if (message->fd_count < PROXY_MAX_FDS) {
				message->fds[message->fd_count++] = fd;
			} else {
				close(fd);
				result = -1;
			}
		}
	}
	return result;
}

/* One recvmsg(), not beyond the `want` bytes, so that the next message stays in the socket. As proxy_receive(). */
static int receive_some(int socket, struct proxy_message *message, void *to, size_t want, const char **reason)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof message->fds)];
	} control;
	struct iovec iov = { .iov_base = to, .iov_len = want };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space
	};
	const ssize_t got = recvmsg(socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

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

/* Whether the header can be one, so that the payload fits where it is received. */
static const char *header_error(const struct proxy_header *header)
{
	static const size_t sizes[] = {
		[PROXY_SET_MEMORY] = sizeof(struct proxy_memory),
		[PROXY_CONFIG_WRITE] = sizeof(struct proxy_config_access),
		[PROXY_CONFIG_READ] = sizeof(struct proxy_config_access),
		[PROXY_BAR_WRITE] = sizeof(struct proxy_bar_access),
		[PROXY_BAR_READ] = sizeof(struct proxy_bar_access),
		[PROXY_SET_IRQ] = 0,
		[PROXY_RESET] = 0,
	};

	if (header->command < 0 || header->command > PROXY_RESET || header->command == PROXY_REPLY)
		return "unknown command";
	if (header->size != sizes[header->command])
		return "message of a size that its command doesn't have";
	return NULL;
}

static const char *fds_error(const struct proxy_message *message)
{
	switch (message->header.command) {
	case PROXY_SET_MEMORY:
		return NULL;
	case PROXY_SET_IRQ:
		return message->fd_count == 2 ? NULL : "not two file descriptors for interrupts";
	default:
		return message->fd_count == 0 ? NULL : "file descriptors with a message that has none";
	}
}

int proxy_receive(int socket, struct proxy_message *message, const char **reason)
{
	const size_t header = sizeof message->header;

	for (;;) {
		const size_t had = message->received;
		int got;

		if (had < header)
			got = receive_some(socket, message, (char *)&message->header + had, header - had, reason);
		else if (had - header < message->header.size)
			got = receive_some(socket, message, message->payload.bytes + (had - header),
					   message->header.size - (had - header), reason);
		else
			break;
		if (got <= 0)
			return got;
		if (had < header && message->received == header) {
			*reason = header_error(&message->header);
			if (*reason)
				return -1;
		}
	}
	*reason = fds_error(message);
	return *reason ? -1 : 1;
}

void proxy_clear(struct proxy_message *message)
{
	for (unsigned int i = 0; i < message->fd_count; i++)
		close(message->fds[i]);
	memset(message, 0, sizeof *message);
}

int proxy_reply(int socket, uint64_t value)
{
	struct {
		struct proxy_header header;
		uint64_t value;
	} reply = { { .command = PROXY_REPLY, .size = sizeof value }, value };

	/* A few bytes for one who waits for them: if they don't fit, nobody reads. */
	return send(socket, &reply, sizeof reply, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof reply ? 0 : -1;
}
