/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * One ring of a session: what the front end has said about it, and the thread that serves it while it runs.
 *
 * A ring runs when it is enabled, has its addresses and a kick descriptor, and is not broken. It is
 * stopped by taking any of that away. While it runs its size, addresses and indices can't be changed.
 *
 * Threads: all functions here are the control thread's. Starting a ring starts a worker (worker.h), and from then on
 * the queue and what else struct vhost_vring says is the worker's. The control thread stops it, or pauses it, before it
 * touches any of that; a worker has nothing in flight then. So one thread at a time uses a queue, and what the
 * control thread waits for is what is in flight, at most, and never what a guest adds.
 *
 * What the front end can do besides sending bad numbers: the descriptors that it gives are open on
 * its side too, flags and all, so they are neither expected nor made to be non-blocking. A kick
 * descriptor is never read: waiting for it to be signalled is enough. Sockets and pipes are written to
 * without waiting. An eventfd is asked first whether it takes more; a front end that fills it at that
 * very moment, on purpose, holds up its own ring's thread and nobody else, and that thread only until
 * it is to be stopped or paused. Writing to a file that someone else has opened can be a way to use our
 * privileges, so nothing but eventfds, pipes and Unix sockets is accepted (User Mode Linux has sockets
 * in the place of eventfds that we write to).
 */
#ifndef VRING_H
#define VRING_H

#include "device.h"
#include "event_loop.h"
#include "shared_memory.h"
#include "worker.h"

#include <stdatomic.h>
#include <virtio/queue.h>

/* A descriptor by which the front end is told something. */
struct vring_signal {
	int fd; /* -1 for none */
	bool is_socket;
};

struct vhost_vring {
	/* The control thread's */
	struct device *device;
	uint16_t index;
	int kick_fd; /* -1 for none */
	bool polled; /* kick_fd is a timer of our own */
	bool enabled;
	bool addressed;   /* addr is known */
	bool running;     /* the worker's thread runs; the queue may have broken since */
	uint16_t base;    /* available index of the next request, while the ring is stopped */
	uint64_t addr[3]; /* the front end's addresses, indexed by enum virtio_queue_area */
	struct virtio_queue_config config;
	struct virtio_inflight *inflight;
	int damaged_fd; /* the session's eventfd, to be signalled when guest memory turns out to be gone */

	/* Both threads' */
	struct worker worker;
	atomic_bool broken; /* the worker has given up; until the front end stops the ring or sets it up anew */

	/* The worker's while it runs and isn't paused */
	struct event_source kick;
	struct event_source completion; /* of the device's requests in flight */
	struct event_task again;        /* to go on with a ring that has more requests than one turn's worth */
	struct vring_signal call;       /* requests were completed */
	struct vring_signal err;        /* the ring broke */
	bool call_is_new;               /* so that it is signalled in the next turn */
	const struct shared_memory *memory;
	struct virtio_queue queue;
};

/*
 * Prepares a ring that doesn't run. `damaged_fd`, an eventfd that doesn't block, is signalled after the ring has met
 * guest memory that was gone.
 *
 * Returns 0, or -1 without memory. A ring that was opened is to be closed.
 */
int vring_open(struct vhost_vring *vring, struct device *device, uint16_t index, int damaged_fd);

/* Stops the ring and closes its descriptors. */
void vring_close(struct vhost_vring *vring);

/* Whether the ring runs, and hasn't broken. Settles the matter: a ring that has broken is stopped. */
bool vring_runs(struct vhost_vring *vring);

/* Returns 0, or an error of virtio_queue_config_set_size(). */
int vring_set_size(struct vhost_vring *vring, uint32_t size);

/*
 * Sets the addresses, which must lie in the memory, aligned, with the size and features set before.
 *
 * Returns 0; VIRTIO_EBUSY while it runs; VIRTIO_EFAULT, VIRTIO_EALIGN.
 */
int vring_set_addr(struct vhost_vring *vring, const struct shared_memory *memory, const uint64_t addr[3]);

/* Sets the available index. Returns 0; VIRTIO_EINVAL; VIRTIO_EBUSY while it runs. */
int vring_set_base(struct vhost_vring *vring, uint32_t base);

/*
 * Takes a kick descriptor, or none (-1): then the ring is looked at every few milliseconds. Stops
 * the ring if it runs. Returns 0, or VIRTIO_EINVAL if it is no eventfd; then it is closed, and the ring goes on as
 * before.
 */
int vring_set_kick(struct vhost_vring *vring, int fd);

/*
 * Take a descriptor, or none (-1). Return 0, or VIRTIO_EINVAL for the wrong kind, and then close it. A call
 * descriptor is signalled at once if the ring runs.
 */
int vring_set_call(struct vhost_vring *vring, int fd);
int vring_set_err(struct vhost_vring *vring, int fd);

/*
 * Starts the ring if everything is there. Returns 0, or the error of a start that failed; VIRTIO_EIO if the system has
 * no room for a thread.
 */
int vring_start(struct vhost_vring *vring, const struct shared_memory *memory);

/* Stops the ring, remembers in base where it was, and forgives it what it did. */
void vring_stop(struct vhost_vring *vring);

/* As a front end does with GET_VRING_BASE: stops the ring until there is a new kick descriptor. */
void vring_disconnect(struct vhost_vring *vring);

/*
 * Holds up a ring that runs, for what doesn't bear its requests: until vring_resume() nothing is in flight, and nothing
 * is begun. One that has broken is stopped. Neither does anything to a ring that doesn't run.
 */
void vring_pause(struct vhost_vring *vring);
void vring_resume(struct vhost_vring *vring);

/*
 * Lets a paused ring go on in other memory. Returns 0, or the error why it can't, and then changes nothing; 0 for one
 * that doesn't run. Afterwards the ring makes no use of the memory it was in.
 */
int vring_switch_memory(struct vhost_vring *vring, const struct shared_memory *memory);

#endif
