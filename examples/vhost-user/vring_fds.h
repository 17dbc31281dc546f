/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The descriptors of a ring. A front end has them open too, flags and all: vring.h says what it can
 * do with them.
 *
 * Threads: any thread, one at a time for each descriptor.
 */
#ifndef VRING_FDS_H
#define VRING_FDS_H

#include <stdbool.h>

/* A descriptor by which the front end is told something. */
struct vring_signal {
	int fd; /* -1 for none */
	bool is_socket;
};

/* Whether a descriptor can be a kick descriptor. */
bool vring_is_eventfd(int fd);

/* Returns a timer that stands for a kick descriptor, or -1 with errno. */
int vring_poll_timer(void);

/*
 * Takes a descriptor that a front end gives, or none (-1). Returns 0, or VIRTIO_EINVAL for the
 * wrong kind, and then closes it.
 */
int vring_signal_accept(int fd, struct vring_signal *signal);

/* The same for one that was accepted by another process. */
struct vring_signal vring_signal_restore(int fd);

/* Tells the front end, and does not wait. */
void vring_signal_send(const struct vring_signal *signal);

/* Closes the old descriptor. */
void vring_signal_replace(struct vring_signal *signal, const struct vring_signal *fresh);

#endif
