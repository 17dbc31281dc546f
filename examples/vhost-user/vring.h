/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * One ring of a session: the front end's settings, and how a thread serves the ring while it runs.
 *
 * A ring starts when it is enabled, and its features, size, addresses, memory and kick descriptor
 * are known. The order of the messages does not matter, and the ring starts without a kick. While
 * the ring runs, a message about it has this effect:
 *   SET_VRING_ENABLE 0, GET_VRING_BASE   the ring stops
 *   the same value again                 nothing changes
 *   another descriptor, or none          replaces the old descriptor, and the ring continues
 *   another size, address or index       the guest has a new driver: the ring stops, and waits for
 *                                        SET_VRING_KICK or SET_VRING_ENABLE 1. Every front end
 *                                        ends its set-up with one of these two messages
 *
 * Threads:
 *   functions of this file               control thread only
 *   ring that is stopped or paused       control thread
 *   ring that runs                       the worker that serves it (worker.h): the ring's own
 *                                        worker, started with the ring, or the device's worker,
 *                                        which serves all rings of the device
 * To access a running ring the control thread calls functions on the worker, or pauses the worker.
 * A paused worker has nothing in flight. So only one thread at a time uses a queue. The control
 * thread waits at most for the requests in flight, never for requests that the guest adds.
 *
 * Descriptors: the front end shares them, and can change their flags. So the daemon does not rely
 * on their O_NONBLOCK flag, and does not set it:
 *   - A kick descriptor is never read. Epoll reports new kicks, even if the descriptor was
 *     readable before (EPOLLET).
 *   - Sockets and pipes are written to without waiting.
 *   - An eventfd is written to after poll() has reported that it is writable. A front end that
 *     fills it between poll() and write() blocks only its own device's thread. A call, stop or
 *     pause of that thread ends the wait.
 *   - Other kinds of file are refused. Otherwise the front end could use this process to write to
 *     files for which it has no permission. (User Mode Linux sends sockets where other front
 *     ends send eventfds.)
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
	/*
	 * Number of pauses that are not resumed yet, of rings and of the device. Used by the
	 * control thread only.
	 */
	unsigned int pauses;
	/*
	 * List of the served rings. Used by the worker, like the last members of struct
	 * vhost_vring.
	 */
	struct vhost_vring *rings;
};

enum vring_enable {
	/*
	 * No SET_VRING_ENABLE yet. Such a ring is enabled if VHOST_USER_F_PROTOCOL_FEATURES isn't
	 * negotiated.
	 */
	VRING_ENABLE_UNSAID,
	VRING_ENABLE_OFF,
	VRING_ENABLE_ON,
};

/* The front end's settings of a ring, and its position. Plain data, without descriptors. */
struct vring_setup {
	uint64_t addr[3]; /* the front end's addresses, indexed by enum virtio_queue_area */
	uint16_t size;    /* 0 if not known */
	/*
	 * Available index of the next request. While the ring runs: the index at which it has
	 * started.
	 */
	uint16_t base;
	enum vring_enable enable;
	bool addressed; /* addr is known */
	bool held;      /* stopped until the set-up of a new driver has ended */
};

/*
 * A ring's state without its descriptors, for a process that continues with the ring. Plain data.
 */
struct vring_state {
	struct vring_setup setup;
	bool running;
	bool broken;
	bool polled;                     /* a timer replaces the kick descriptor */
	struct virtio_queue_state queue; /* valid if the ring runs */
};

struct vhost_vring {
	/* Set by the control thread only. The worker reads `device`, `kick_fd` and `damaged_fd` */
	struct device *device;
	struct vring_setup setup;
	int kick_fd;                      /* -1 for none */
	bool running;                     /* started and not stopped; may have broken since */
	bool paused;                      /* counted in the thread's pauses */
	struct virtio_inflight *inflight; /* array of the queue; NULL before the first start */
	/* The session's eventfd, signalled when guest memory is lost. */
	int damaged_fd;
	struct vring_state restored; /* state from another process; used until the ring continues */

	/* Used by the control thread and by the worker */
	struct vring_thread *thread; /* serves the ring: own_thread, or the device's thread */
	struct vring_thread own_thread;
	/*
	 * The worker has stopped serving the ring, because the ring broke or guest memory was lost.
	 * Cleared by vring_stop() and vring_set_kick().
	 */
	atomic_bool broken;

	/* Used by the worker while the ring runs and isn't paused */
	/* The device has the queue, and the ring is in the thread's list. */
	bool served;
	struct vhost_vring *next; /* next ring in the thread's list */
	struct event_source kick;
	bool polled;              /* the source `kick` is a timer of this process */
	bool stale_kick;          /* the first kick may be an earlier driver's */
	struct event_task again;  /* runs a turn without a kick */
	struct vring_signal call; /* signals that requests were completed */
	struct vring_signal err;  /* signals that the ring broke */
	bool call_is_new;         /* signal the new `call` in the next turn */
	const struct shared_memory *memory;
	struct device_queue queue;
};

/*
 * Starts a thread that serves rings. Its name is the first 15 characters of `name`. Returns 0, or
 * -1 with errno and nothing to close.
 */
int vring_thread_open(struct vring_thread *thread, const char *name);

/* Ends the thread, which must not serve a ring. */
void vring_thread_close(struct vring_thread *thread);

/*
 * Prepares a ring that doesn't run.
 *
 * @thread      the device's thread, which will serve the ring; NULL if the ring gets its own thread
 *              when it starts
 * @damaged_fd  a non-blocking eventfd, signalled after the ring has met lost guest memory
 *
 * vring_close() undoes this.
 */
void vring_open(struct vhost_vring *vring, struct device *device, uint16_t index, struct vring_thread *thread,
		int damaged_fd);

/* Stops the ring and closes its descriptors. */
void vring_close(struct vhost_vring *vring);

/* Returns whether the ring runs. Stops a ring that has broken. */
bool vring_runs(struct vhost_vring *vring);

/*
 * Each function sets one value. A new value stops a running ring, see the top of this file. A
 * refused value changes nothing.
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

/* Enables or disables the ring. Enabling does not start the ring; disabling stops it. */
void vring_set_enable(struct vhost_vring *vring, bool on);

/*
 * Sets the kick descriptor, which the ring owns from now on, or removes it (-1). Without a kick
 * descriptor the ring is polled every few milliseconds. A running ring continues with the new
 * descriptor. A broken ring may start again. On failure the descriptor is closed, and nothing has
 * changed.
 *
 * Returns 0, or:
 *   VIRTIO_EINVAL  fd is no eventfd, or no timer can be made for polling
 *   VIRTIO_EIO     the worker can't wait for the descriptor
 */
int vring_set_kick(struct vhost_vring *vring, int fd);

/*
 * Set a descriptor, which the ring owns from now on, or remove it (-1). A running ring signals a
 * new call descriptor in its next turn. Return 0; or VIRTIO_EINVAL from vring_signal_accept(),
 * which has then closed the descriptor.
 */
int vring_set_call(struct vhost_vring *vring, int fd);
int vring_set_err(struct vhost_vring *vring, int fd);

/*
 * Returns whether vring_start() may be called. The ring must be stopped, not broken, and its set-up
 * complete.
 *
 * @memory    the front end's, or NULL for none
 * @features  the negotiated features. They decide whether a ring is enabled without a
 *            SET_VRING_ENABLE
 */
bool vring_can_start(const struct vhost_vring *vring, const struct shared_memory *memory, uint64_t features);

/*
 * Starts a ring for which vring_can_start() is true, with these features.
 *
 * Returns one of
 *   0              started
 *   VIRTIO_EFAULT  the addresses don't lie in the memory
 *   VIRTIO_EIO     the system has no room for a thread or for the ring
 *   others         errors of vring_resolve(), virtio_queue_start() or the device's queue_start()
 */
int vring_start(struct vhost_vring *vring, const struct shared_memory *memory, uint64_t features);

/*
 * Stops the ring, and stores its position in setup.base. A broken ring may start again afterwards.
 */
void vring_stop(struct vhost_vring *vring);

/* Stops the ring until there is a new kick descriptor. This is the effect of GET_VRING_BASE. */
void vring_disconnect(struct vhost_vring *vring);

/*
 * Pauses a running ring together with all rings of its thread. Until vring_resume() nothing is in
 * flight, and no request begins. Stops a broken ring. vring_pause() and vring_resume() don't affect
 * a ring that doesn't run.
 */
void vring_pause(struct vhost_vring *vring);
void vring_resume(struct vhost_vring *vring);

/*
 * Does the same as vring_pause() if the thread settles in time: see worker_try_pause(). Returns
 * false if the thread does not settle.
 */
bool vring_try_pause(struct vhost_vring *vring, const struct timespec *end);

/*
 * Moves a paused ring into other memory. Returns 0, also for a ring that doesn't run; or an error
 * of virtio_queue_set_memory(). An error changes nothing. After success the ring doesn't use the
 * old memory.
 */
int vring_switch_memory(struct vhost_vring *vring, const struct shared_memory *memory);

/*
 * Returns how often guests have broken the ring, without the faults that are already in
 * device->ring_faults. The ring must be paused, or must not run.
 */
uint64_t vring_faults(const struct vhost_vring *vring);

/*
 * Saves a ring that is paused, or doesn't run. The ring doesn't change. Returns 0, or an error of
 * virtio_queue_save().
 */
int vring_save(const struct vhost_vring *vring, struct vring_state *out);

/*
 * Restores a ring that was just opened. The ring doesn't run yet.
 *
 * @kick, @call, @err  the ring's descriptors, or -1; the ring owns them, also on failure
 *
 * Returns 0, or VIRTIO_EIO if the system has no room for a timer.
 */
int vring_restore(struct vhost_vring *vring, const struct vring_state *state, int kick, int call, int err);

/*
 * Fills in the configuration of the ring, with the addresses of the set-up translated into guest
 * addresses. Returns 0; VIRTIO_EFAULT if the addresses don't lie in the memory; or another error if
 * the set-up is not valid.
 */
int vring_resolve(const struct vhost_vring *vring, const struct shared_memory *memory, uint64_t features,
		  struct virtio_queue_config *config);

/*
 * Starts a ring at its saved position. vring_start() instead uses setup.base and the index in the
 * used ring.
 *
 * @state  the queue's state from vring_save()
 *
 * Returns the same values as vring_start(), or an error of virtio_queue_restore().
 */
int vring_continue(struct vhost_vring *vring, const struct virtio_queue_state *state,
		   const struct shared_memory *memory);

#endif
