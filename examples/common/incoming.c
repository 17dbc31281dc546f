/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* See incoming.h. */
#include "incoming.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Stores the received descriptors, and closes the descriptors for which there is no room. The
 * kernel has opened all descriptors in this process, so an ignored descriptor would stay open.
 */
static void keep_fds(struct incoming *in, struct msghdr *from)
{
	if (from->msg_flags & MSG_CTRUNC)
		in->lost = true;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(from); c; c = CMSG_NXTHDR(from, c)) {
		size_t count;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (in->fd_count < INCOMING_MAX_FDS) {
				in->fds[in->fd_count++] = fd;
			} else {
				close(fd);
				in->lost = true;
			}
		}
	}
}

int incoming_receive(int socket, struct incoming *in, void *to, size_t want, const char **reason)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof in->fds)];
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
	keep_fds(in, &msg);
	if (got == 0) {
		*reason = in->received ? "disconnected in the middle of a message" : NULL;
		return -1;
	}
	in->received += (size_t)got;
	return 1;
}

int incoming_take_fd(struct incoming *in, unsigned int index)
{
	const int fd = in->fds[index];

	in->fds[index] = -1;
	return fd;
}

void incoming_clear(struct incoming *in)
{
	for (unsigned int i = 0; i < in->fd_count; i++)
		if (in->fds[i] >= 0)
			close(in->fds[i]);
	*in = (struct incoming){ 0 };
}
