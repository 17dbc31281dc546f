/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * One ring of a session: the front end's settings, and how a thread serves the ring while it runs.
 *
 * A ring starts when size, addresses, memory and a kick descriptor are known and it is enabled, in
 * whatever order these arrive, kicked or not. While it runs, a message about it has this effect:
 *   something is removed                 the ring stops
 *   the same value again                 nothing changes
 *   another descriptor                   replaces the old one, the ring goes on
 *   another size, address or index       the guest has a new driver: the ring stops, and waits for
 *                                        a kick descriptor or SET_VRING_ENABLE, with which every
 *                                        front end ends its set-up
 *
 * Threads:
 *   functions of this file               control thread only
 *   ring that is stopped or paused       control thread
 *   ring that runs                       the worker that serves it (worker.h): its own, started
 *                                        with the ring, or the device's, which serves all rings of
 *                                        the device
 * To access a running ring the control thread calls functions on the worker, or pauses it. A paused
 * worker has nothing in flight. So only one thread at a time uses a queue. The control thread waits
 * at most for the requests in flight, never for requests that the guest adds.
 *
 * Descriptors: the front end keeps its side of them open, and can change their flags. So this file
 * neither expects them to be non-blocking nor makes them so:
 *   - A kick descriptor is never read; waiting until it is readable is enough.
 *   - Sockets and pipes are written to without waiting.
 *   - An eventfd is written to after poll() has said that it takes more. A front end that fills it
 *     between the two blocks only its own device's thread. A call, stop or pause of that thread
 *     ends the wait.
 *   - Other kinds of file are refused. Otherwise the front end could use this process to write to
 *     files for which it has no permission. (User Mode Linux sends sockets where others send
 *     eventfds.)
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
	/* Number of rings for which it is paused; the control thread's. */
	unsigned int pauses;
	/* List of the served rings; the worker's, like the rest of struct vhost_vring. */
	struct vhost_vring *rings;
};

enum vring_enable {
	VRING_ENABLE_UNSAID, /* enabled if VHOST_USER_F_PROTOCOL_FEATURES isn't negotiated */
	VRING_ENABLE_OFF,
	VRING_ENABLE_ON,
};

/* The front end's settings of a ring, and its position. Plain data, without descriptors. */
struct vring_setup {
	uint64_t addr[3]; /* the front end's addresses, indexed by enum virtio_queue_area */
	uint16_t size;    /* 0 for not known */
	/* Available index of the next request; while the ring runs, the index at its start. */
	uint16_t base;
	enum vring_enable enable;
	bool addressed; /* addr is known */
	bool held;      /* stopped for a new driver, whose set-up hasn't ended */
};

/* A ring's state without its descriptors, for a process that goes on with it. Plain data. */
struct vring_state {
	struct vring_setup setup;
	bool running;
	bool broken;
	bool polled;                     /* there is no kick descriptor */
	struct virtio_queue_state queue; /* if it runs */
};

struct vhost_vring {
	/* The control thread's */
	struct device *device;
	struct vring_setup setup;
	int kick_fd;                      /* -1 for none */
	bool running;                     /* the worker serves it; the queue may be broken */
	bool paused;                      /* counted in the thread's pauses */
	struct virtio_inflight *inflight; /* of the queue; NULL before the ring's first start */
	/* The session's eventfd, signalled when guest memory is lost. */
	int damaged_fd;
	struct vring_state restored; /* saved by another process; used until the ring goes on */

	/* For both threads */
	struct vring_thread *thread; /* that serves it: its own, or the device's */
	struct vring_thread own_thread;
	/*
	 * The worker has stopped serving the ring; cleared when the ring is stopped or set up anew.
	 */
	atomic_bool broken;

	/* The worker's while the ring runs and isn't paused */
	/* The device has the queue, and the ring is in the thread's list. */
	bool served;
	struct vhost_vring *next; /* next ring in the thread's list */
	struct event_source kick;
	bool polled;              /* kick is a timer of this process */
	bool stale_kick;          /* the first kick may be an old one */
	struct event_task again;  /* a turn without a kick */
	struct vring_signal call; /* requests were completed */
	struct vring_signal err;  /* the ring broke */
	bool call_is_new;         /* signal it in the next turn */
	const struct shared_memory *memory;
	struct device_queue queue;
};

/*
 * Starts a thread that serves rings. Its name is the first 15 characters of `name`. Returns 0, or
 * -1 with errno and nothing to close.
 */
int vring_thread_open(struct vring_thread *thread, const char *name);

/* Ends the thread. It serves no rings. */
void vring_thread_close(struct vring_thread *thread);

/*
 * Prepares a ring that doesn't run.
 *
 * @thread      the device's, to serve the ring; NULL for a ring that gets a thread of its own when
 *              it starts
 * @damaged_fd  a non-blocking eventfd, signalled after the ring has met lost guest memory
 *
 * To be undone by vring_close().
 */
void vring_open(struct vhost_vring *vring, struct device *device, uint16_t index, struct vring_thread *thread,
		int damaged_fd);

/* Stops the ring and closes its descriptors. */
void vring_close(struct vhost_vring *vring);

/* Returns whether the ring runs. Stops a ring that has broken. */
bool vring_runs(struct vhost_vring *vring);

/*
 * Set one value each. A new value stops a running ring, see above. Refused values change nothing.
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
 * Sets the kick descriptor, which the ring owns from now on, or removes it (-1): then the ring is
 * polled every few milliseconds. A running ring goes on with the new descriptor; a broken ring may
 * start again. On failure the descriptor is closed, and nothing has changed.
 *
 * Returns 0; VIRTIO_EINVAL if it is no eventfd; or VIRTIO_EIO if the system has no room for it.
 */
int vring_set_kick(struct vhost_vring *vring, int fd);

/*
 * Set a descriptor, which the ring owns from now on, or remove it (-1). A call descriptor is
 * signalled at once if the ring runs. Return 0, or VIRTIO_EINVAL for the wrong kind of file, which
 * is closed.
 */
int vring_set_call(struct vhost_vring *vring, int fd);
int vring_set_err(struct vhost_vring *vring, int fd);

/*
 * Returns true if the ring is stopped, not broken, and vring_start() is all that is missing.
 *
 * @memory    the front end's, or NULL for none
 * @features  negotiated: they decide whether a ring is enabled for which there was no
 *            SET_VRING_ENABLE
 */
bool vring_can_start(const struct vhost_vring *vring, const struct shared_memory *memory, uint64_t features);

/*
 * Starts a ring for which vring_can_start() is true, with these features.
 *
 * Returns one of
 *   0             started
 *   VIRTIO_EFAULT  the addresses don't lie in the memory
 *   VIRTIO_EIO     the system has no room for a thread or for the ring
 *   others        from virtio_queue_start() or the device's queue_start()
 */
int vring_start(struct vhost_vring *vring, const struct shared_memory *memory, uint64_t features);

/*
 * Stops the ring, and stores its position in setup.base. A broken ring may start again afterwards.
 */
void vring_stop(struct vhost_vring *vring);

/* Stops the ring until there is a new kick descriptor: the effect of GET_VRING_BASE. */
void vring_disconnect(struct vhost_vring *vring);

/*
 * Pauses a running ring together with all rings of its thread: until vring_resume() nothing is in
 * flight, and no request begins. Stops a broken ring. Neither function affects a ring that doesn't
 * run.
 */
void vring_pause(struct vhost_vring *vring);
void vring_resume(struct vhost_vring *vring);

/* Pauses as vring_pause() if the thread settles before the time @end. Returns whether it did. */
bool vring_try_pause(struct vhost_vring *vring, const struct timespec *end);

/*
 * Moves a paused ring into other memory. Returns 0, also for a ring that doesn't run; or an error
 * of virtio_queue_start(), and then nothing has changed. After success the ring doesn't use the old
 * memory.
 */
int vring_switch_memory(struct vhost_vring *vring, const struct shared_memory *memory);

/* Returns how often guests have broken the ring, which is paused or doesn't run. */
uint64_t vring_faults(const struct vhost_vring *vring);

/*
 * Saves a ring that is paused, or doesn't run. The ring doesn't change. Returns 0, or an error of
 * virtio_queue_save().
 */
int vring_save(const struct vhost_vring *vring, struct vring_state *out);

/*
 * Restores a ring that was just opened. It doesn't run yet.
 *
 * @kick, @call, @err  its descriptors, or -1; the ring owns them from now on, also on failure
 *
 * Returns 0, or VIRTIO_EIO if the system has no room for a timer.
 */
int vring_restore(struct vhost_vring *vring, const struct vring_state *state, int kick, int call, int err);

/*
 * Translates the addresses of the set-up into guest addresses of the ring's areas. Returns as
 * vring_start().
 */
int vring_resolve(const struct vhost_vring *vring, const struct shared_memory *memory, uint64_t features,
		  struct virtio_queue_config *config);

/*
 * Starts a ring at its saved position, instead of the position in its used ring.
 *
 * @state  of the queue, from vring_save()
 *
 * Returns as vring_start().
 */
int vring_continue(struct vhost_vring *vring, const struct virtio_queue_state *state,
		   const struct shared_memory *memory);

#endif
