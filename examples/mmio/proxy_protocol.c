/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Receives messages of QEMU, and sends replies. */
#include "proxy_protocol.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static_assert(sizeof(struct proxy_header) == 16 && offsetof(struct proxy_header, size) == 8,
	      "the layout must be QEMU's");
static_assert(sizeof(struct proxy_memory) == 192, "the layout must be QEMU's");
static_assert(sizeof(struct proxy_config_access) == 12, "the layout must be QEMU's");
static_assert(sizeof(struct proxy_bar_access) == 24, "the layout must be QEMU's");

/*
 * Checks the command and the size of the payload, so that the payload fits the buffer. Returns what
 * is wrong, or NULL.
 */
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
		return "message size is wrong for its command";
	return NULL;
}

static const char *fds_error(const struct proxy_message *message)
{
	if (message->in.lost || message->in.fd_count > PROXY_MAX_FDS)
		return "too many file descriptors with one message";
	switch (message->header.command) {
	case PROXY_SET_MEMORY:
		return NULL;
	case PROXY_SET_IRQ:
		return message->in.fd_count == 2 ? NULL : "expected two file descriptors for interrupts";
	default:
		return message->in.fd_count == 0 ? NULL : "unexpected file descriptors with a message";
	}
}

int proxy_receive(int socket, struct proxy_message *message, const char **reason)
{
	const size_t header = sizeof message->header;

	for (;;) {
		const size_t had = message->in.received;
		int got;

		if (had < header)
			got = incoming_receive(socket, &message->in, (char *)&message->header + had, header - had,
					       reason);
		else if (had - header < message->header.size)
			got = incoming_receive(socket, &message->in, message->payload.bytes + (had - header),
					       message->header.size - (had - header), reason);
		else
			break;
		if (got <= 0)
			return got;
		if (had < header && message->in.received == header) {
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
	incoming_clear(&message->in);
	memset(message, 0, sizeof *message);
}

int proxy_reply(int socket, uint64_t value)
{
	struct {
		struct proxy_header header;
		uint64_t value;
	} reply = { { .command = PROXY_REPLY, .size = sizeof value }, value };

	/*
	 * Do not wait for room in the socket. The socket lacks room for the few bytes of a reply
	 * only if QEMU does not read replies.
	 */
	return send(socket, &reply, sizeof reply, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof reply ? 0 : -1;
}
