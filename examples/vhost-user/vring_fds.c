/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Checks the descriptors of a ring, and writes to them. */
#include "vring_fds.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <virtio/error.h>

#define POLL_INTERVAL_NS 2000000

/*
 * Reads the name in /proc. Only this name distinguishes an eventfd from a timerfd, an epoll
 * instance or a KVM virtual machine.
 */
bool vring_is_eventfd(int fd)
{
	static const char name[] = "anon_inode:[eventfd]";
	char path[32], target[sizeof name];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return readlink(path, target, sizeof target) == sizeof name - 1 && memcmp(target, name, sizeof name - 1) == 0;
}

static bool is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

static bool is_unix_socket(int fd)
{
	socklen_t len = sizeof(int);
	int domain;

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX;
}

int vring_poll_timer(void)
{
	const struct itimerspec every = { { 0, POLL_INTERVAL_NS }, { 0, POLL_INTERVAL_NS } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd >= 0)
		(void)timerfd_settime(fd, 0, &every, NULL);
	return fd;
}

/*
 * A pipe's flags are shared with the front end, which can make the pipe blocking at any time. So
 * the pipe is opened once more, for this process alone. Returns the new descriptor, or -1.
 */
static int reopen_pipe(int fd)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

static bool can_write(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

/*
 * A full descriptor is no error, because the other side will see this signal together with earlier
 * signals.
 *
 * An eventfd can't be reopened, and Linux has no MSG_DONTWAIT for eventfds. The front end can fill
 * the eventfd between poll() and write(), see vring.h. A write that waited and was interrupted
 * isn't repeated.
 */
void vring_signal_send(const struct vring_signal *signal)
{
	const uint64_t one = 1;
	ssize_t sent;

	if (signal->fd < 0)
		return;
	if (signal->is_socket)
		sent = send(signal->fd, &one, sizeof one, MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (can_write(signal->fd))
		sent = write(signal->fd, &one, sizeof one);
	else
		return;
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		log_line("can't signal a front end: %s", strerror(errno));
}

struct vring_signal vring_signal_restore(int fd)
{
	return (struct vring_signal){ .fd = fd, .is_socket = fd >= 0 && is_unix_socket(fd) };
}

int vring_signal_accept(int fd, struct vring_signal *signal)
{
	*signal = vring_signal_restore(fd);
	if (fd >= 0 && is_pipe(fd)) {
		signal->fd = reopen_pipe(fd);
		close(fd);
		return signal->fd < 0 ? VIRTIO_EINVAL : 0;
	}
	if (fd >= 0 && !signal->is_socket && !vring_is_eventfd(fd)) {
		close(fd);
		return VIRTIO_EINVAL;
	}
	return 0;
}

void vring_signal_replace(struct vring_signal *signal, const struct vring_signal *fresh)
{
	if (signal->fd >= 0)
		close(signal->fd);
	*signal = *fresh;
}
