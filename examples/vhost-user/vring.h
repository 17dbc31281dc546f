/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * One ring of a session: what the front end has said about it, and how its thread serves it while
 * it runs.
 *
 * A ring starts once size, addresses, memory and a kick descriptor are known and it is enabled,
 * in whatever order they come and kicked or not. Taking any of that away stops it. What comes
 * again with the same value changes nothing, and other descriptors take the place of the old ones
 * while it runs. Another size, address or index means that the guest has a new driver: the ring
 * stops, and waits for a kick descriptor or SET_VRING_ENABLE, which end every front end's set-up.
 *
 * Threads: all functions here are the control thread's. A ring that runs is served by a worker
 * (worker.h): its own, which is started with the ring, or the device's, which serves all rings of
 * the device. From then on the queue and what else struct vhost_vring says is the worker's. The
 * control thread calls functions on the worker, or pauses it, to touch any of that. A paused
 * worker has nothing in flight. So one thread at a time uses a queue, and what the control thread
 * waits for is what is in flight, at most, and never what a guest adds.
 *
 * What the front end can do besides sending bad numbers: the descriptors that it gives are open
 * on its side too, flags and all, so they are neither expected nor made to be non-blocking. A
 * kick descriptor is never read: waiting for it to be signalled is enough. Sockets and pipes are
 * written to without waiting. An eventfd is asked first whether it takes more; a front end that
 * fills it at that very moment, on purpose, holds up its own device's thread and nobody else, and
 * that thread only until it is to be called, stopped or paused. Writing to a file that someone
 * else has opened can be a way to use our privileges, so nothing but eventfds, pipes and Unix
 * sockets is accepted (User Mode Linux has sockets in the place of eventfds that we write to).
 */
#ifndef VRING_H
#define VRING_H

#include "device.h"
#include "event_loop.h"
#include "shared_memory.h"
#include "vring_fds.h"
#include "worker.h"

#include <stdatomic.h>
#include <virtio/queue.h>
#include <virtio/queue_state.h>

struct vhost_vring;

/* A thread that serves rings. */
struct vring_thread {
	struct worker worker;
	unsigned int pauses;       /* rings for which it is paused; the control thread's */
	struct vhost_vring *rings; /* that it serves; the worker's, like the rest of struct vhost_vring */
};

enum vring_enable {
	VRING_ENABLE_UNSAID, /* enabled if VHOST_USER_F_PROTOCOL_FEATURES isn't negotiated */
	VRING_ENABLE_OFF,
	VRING_ENABLE_ON,
};

/*
 * What the front end has said about a ring, and where the ring is. Plain data, without
 * descriptors.
 */
struct vring_setup {
	uint64_t addr[3]; /* the front end's addresses, indexed by enum virtio_queue_area */
	uint16_t size;    /* 0 for not known */
	uint16_t base;    /* available index: of the next request, or, while the ring runs, at its start */
	enum vring_enable enable;
	bool addressed; /* addr is known */
	bool held;      /* stopped for a new driver, whose set-up hasn't ended */
};

/* All of a ring but its descriptors, for a process that goes on with it. Plain data. */
struct vring_state {
	struct vring_setup setup;
	bool running;
	bool broken;
	bool polled;                     /* the front end has given no kick descriptor */
	struct virtio_queue_state queue; /* if it runs */
};

struct vhost_vring {
	/* The control thread's */
	struct device *device;
	struct vring_setup setup;
	int kick_fd;                      /* -1 for none */
	bool running;                     /* the worker serves it; the queue may have broken since */
	bool paused;                      /* counted in the thread's pauses */
	struct virtio_inflight *inflight; /* of the queue; NULL before the ring's first start */
	int damaged_fd;              /* the session's eventfd, to be signalled when guest memory turns out to be gone */
	struct vring_state restored; /* what another process has left, until the ring goes on */

	/* Both threads' */
	struct vring_thread *thread; /* that serves it: its own, or the device's */
	struct vring_thread own_thread;
	atomic_bool broken; /* the worker has given up; until the front end stops the ring or sets it up anew */

	/* The worker's while it runs and isn't paused */
	bool served;              /* the device has the queue, and the ring is one of the thread's */
	struct vhost_vring *next; /* of those */
	struct event_source kick;
	bool polled;              /* kick is a timer of our own */
	bool stale_kick;          /* the first kick is of an earlier time */
	struct event_task again;  /* a turn, where none was asked for by a kick */
	struct vring_signal call; /* requests were completed */
	struct vring_signal err;  /* the ring broke */
	bool call_is_new;         /* so that it is signalled in the next turn */
	const struct shared_memory *memory;
	struct device_queue queue;
};

/*
 * Starts a thread that serves rings, under the first 15 characters of a name. Returns 0, or -1
 * with errno and nothing to close.
 */
int vring_thread_open(struct vring_thread *thread, const char *name);

/* Ends the thread. It serves no rings. */
void vring_thread_close(struct vring_thread *thread);

/*
 * Prepares a ring that doesn't run.
 *
 * @thread      the device's, to serve the ring; NULL for a ring that gets a thread of its own
 *              when it starts
 * @damaged_fd  an eventfd that doesn't block, signalled after the ring has met guest memory that
 *              was gone
 *
 * A ring that was opened is to be closed.
 */
void vring_open(struct vhost_vring *vring, struct device *device, uint16_t index, struct vring_thread *thread,
		int damaged_fd);

/* Stops the ring and closes its descriptors. */
void vring_close(struct vhost_vring *vring);

/*
 * Whether the ring runs, and hasn't broken. Settles the matter: a ring that has broken is
 * stopped.
 */
bool vring_runs(struct vhost_vring *vring);

/*
 * Set one value each. On a ring that runs another value than the present one makes the ring stop
 * for a new driver: see above. Refused values change nothing.
 *
 * @size  in descriptors
 * @addr  need not lie in the memory yet
 * @base  available index
 *
 * Return 0; VIRTIO_ESIZE; VIRTIO_EALIGN; or VIRTIO_EINVAL for a base above 65535.
 */
int vring_set_size(struct vhost_vring *vring, uint32_t size);
int vring_set_addr(struct vhost_vring *vring, const uint64_t addr[3]);
int vring_set_base(struct vhost_vring *vring, uint32_t base);

/* Enables the ring, which doesn't start it, or disables it, which stops it. */
void vring_set_enable(struct vhost_vring *vring, bool on);

/*
 * Takes a kick descriptor, or none (-1): then the ring is looked at every few milliseconds. A
 * ring that runs goes on with it; one that broke is forgiven. Returns 0; VIRTIO_EINVAL if it is
 * no eventfd; or VIRTIO_EIO if the system has no room for it. After an error it is closed, and
 * nothing has changed.
 */
int vring_set_kick(struct vhost_vring *vring, int fd);

/*
 * Take a descriptor, or none (-1). Return 0, or VIRTIO_EINVAL for the wrong kind, and then close
 * it. A call descriptor is signalled at once if the ring runs.
 */
int vring_set_call(struct vhost_vring *vring, int fd);
int vring_set_err(struct vhost_vring *vring, int fd);

/*
 * Whether the ring doesn't run, hasn't broken, and lacks nothing but vring_start().
 *
 * @memory    the front end's, or NULL for none
 * @features  negotiated: they say whether the ring is enabled if the front end hasn't said so
 *            itself
 */
bool vring_can_start(const struct vhost_vring *vring, const struct shared_memory *memory, uint64_t features);

/*
 * Starts a ring for which vring_can_start() is true, with these features.
 *
 * Returns 0; VIRTIO_EFAULT for addresses that don't lie in the memory; VIRTIO_EIO if the system
 * has no room for a thread or for the ring; another error of virtio_queue_start() or of the
 * device's queue_start().
 */
int vring_start(struct vhost_vring *vring, const struct shared_memory *memory, uint64_t features);

/* Stops the ring, remembers in setup.base where it was, and forgives it what it did. */
void vring_stop(struct vhost_vring *vring);

/* As a front end does with GET_VRING_BASE: stops the ring until there is a new kick descriptor. */
void vring_disconnect(struct vhost_vring *vring);

/*
 * Holds up a ring that runs, and all that its thread serves, for what doesn't bear its requests:
 * until vring_resume() nothing is in flight, and nothing is begun. One that has broken is
 * stopped. Neither does anything to a ring that doesn't run.
 */
void vring_pause(struct vhost_vring *vring);
void vring_resume(struct vhost_vring *vring);

/* As vring_pause(), if it takes no longer than that. Returns whether it has. */
bool vring_try_pause(struct vhost_vring *vring, unsigned int ms);

/*
 * Lets a paused ring go on in other memory. Returns 0, or the error why it can't, and then
 * changes nothing; 0 for one that doesn't run. Afterwards the ring makes no use of the memory it
 * was in.
 */
int vring_switch_memory(struct vhost_vring *vring, const struct shared_memory *memory);

/*
 * Saves a ring that is paused, or doesn't run. It stays as it is. Returns 0, or an error of
 * virtio_queue_save().
 */
int vring_save(const struct vhost_vring *vring, struct vring_state *out);

/*
 * Makes a ring that was just opened what it was, except that it doesn't run yet.
 *
 * @kick, @call, @err  its descriptors, or -1: the ring's own from now on, also on failure
 *
 * Returns 0, or VIRTIO_EIO if the system has no room for a timer.
 */
int vring_restore(struct vhost_vring *vring, const struct vring_state *state, int kick, int call, int err);

/* Where a ring's areas are in the guest's memory, by its set-up. Returns as vring_start(). */
int vring_resolve(const struct vhost_vring *vring, const struct shared_memory *memory, uint64_t features,
		  struct virtio_queue_config *config);

/*
 * Starts a ring where it was, not where its used ring says.
 *
 * @state  of the queue, from vring_save()
 *
 * Returns as vring_start().
 */
int vring_continue(struct vhost_vring *vring, const struct virtio_queue_state *state,
		   const struct shared_memory *memory);

#endif
