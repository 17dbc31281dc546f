/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The descriptors of a ring. The front end shares the descriptors, and can change their flags, see
 * vring.h.
 *
 * Threads: any thread, one at a time for each descriptor.
 */
#ifndef VRING_FDS_H
#define VRING_FDS_H

#include <stdbool.h>

/* A descriptor by which the daemon signals the front end. */
struct vring_signal {
	int fd; /* -1 if there is no descriptor */
	bool is_socket;
};

/* Returns whether a descriptor can be a kick descriptor. */
bool vring_is_eventfd(int fd);

/* Returns a timer that replaces a kick descriptor, or -1 with errno. */
int vring_poll_timer(void);

/*
 * Accepts a descriptor of the front end, or none (-1). After success the caller owns signal->fd,
 * which may replace fd. Returns 0; or VIRTIO_EINVAL for the wrong kind of file or for a pipe that
 * can't be reopened. After VIRTIO_EINVAL fd is closed.
 */
int vring_signal_accept(int fd, struct vring_signal *signal);

/* Returns the signal for a descriptor that the old process has accepted, or for none (-1). */
struct vring_signal vring_signal_restore(int fd);

/* Signals the front end. Can block only in the case that vring.h describes. */
void vring_signal_send(const struct vring_signal *signal);

/* Replaces the descriptor, and closes the old descriptor. */
void vring_signal_replace(struct vring_signal *signal, const struct vring_signal *fresh);

#endif
