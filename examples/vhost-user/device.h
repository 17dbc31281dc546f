/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What the vhost-user side needs to know of a device: all that a new type of device has to provide.
 *
 * To add a type:
 *   1. Write one file, NAME_device.c, with a `const struct device_type NAME_device_type`. Its create() makes a structure
 *      that has a struct device as a member, and fills in features, queues, threads and operations.
 *   2. Name the type in the table of main.c, declare it at the end of this header, and list the file in
 *      examples/meson.build. Nothing else changes.
 * rng_device.c is a small type with one thread for all of its queues and input from elsewhere
 * than a ring. blk_device.c is a type with a thread for each queue.
 *
 * The operations have the names of struct virtio_device_ops (<virtio/device.h>) where their
 * meaning is the same. The front end does what a transport's registers do there. An operation may
 * be NULL unless its comment says otherwise.
 *
 * A device lives as long as the daemon, and serves one front end after the other:
 *   create()                          in the order of the command line
 *   open()                            when signals are watched; the device's thread runs
 *     reset(), attached()             a front end has connected, and sent a message
 *       check_features()              it has negotiated features
 *         queue_start()               for each queue that it starts
 *           queue_notify() ...
 *           queue_drain()             before memory changes, and before each queue_stop()
 *         queue_stop()                the queue is stopped, or its ring broke
 *     detached()                      after all queues have stopped
 *   close()                           after SIGINT or SIGTERM, and when the start of another device fails
 *   destroy()
 *
 * Threads: create(), destroy() and print_summary() are called on the control thread, before and
 * after everything else.
 *   DEVICE_ONE_THREAD        every other operation is called on the device's thread, and so are the handlers of what the
 *                            device adds to its loop. So the device needs no lock.
 *   DEVICE_THREAD_PER_QUEUE  the operations of a queue are called on that queue's thread, which lives while the queue
 *                            runs. All others are called on the control thread, at the same time.
 * The control thread waits for each operation to end. An operation, and a handler, returns after
 * a few milliseconds and does not block. A system call that waits all the same is interrupted by
 * a signal; EINTR ends it for good.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include "event_loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <virtio/queue.h>
#include <virtio/section.h>

struct device;
struct handover;

/* A queue that runs, as its device sees it: from queue_start() until queue_stop() returns. */
struct device_queue {
	uint16_t index;
	struct virtio_queue virtq; /* started; pop, resolve and complete at any time on the queue's thread */
	struct event_loop *loop;   /* of that thread: the device may add sources, timers and tasks */
	/*
	 * The device sets it when a library has called virtio_queue_needs_interrupt() and got
	 * true: the driver is notified at the end of the turn, for the function answers true only
	 * once.
	 */
	bool signal;
};

/* What a turn of a queue has left. */
enum device_turn {
	DEVICE_TURN_DONE, /* the device takes the next buffer as soon as the driver makes one available */
	/*
	 * The device takes no buffer before it calls device_queue_wake(): a request in flight has
	 * to finish, or input has to come.
	 */
	DEVICE_TURN_WAIT,
	DEVICE_TURN_AGAIN, /* the turn's time wasn't enough: call again */
};

struct device_ops {
	/*
	 * The thread of the device runs now, and for DEVICE_THREAD_PER_QUEUE the control thread
	 * does.
	 *
	 * @loop  of that thread, until close() returns: for sources that don't depend on a front
	 *        end
	 *
	 * Returns 0, or -1 after printing why the device can't work; then close() isn't called.
	 */
	int (*open)(struct device *device, struct event_loop *loop);

	/* Undoes open(): takes the device's sources out of the loop. No front end is attached. */
	void (*close)(struct device *device);

	/*
	 * A new front end begins with a device as it was created: no features, nothing set by a
	 * driver.
	 */
	void (*reset)(struct device *device);

	/* A front end uses the device now, or has left. */
	void (*attached)(struct device *device);
	void (*detached)(struct device *device);

	/*
	 * The features that front end and driver have agreed on, a subset of those that are
	 * offered. Called while no queue runs. Returns 0, or an error, and the front end keeps
	 * the features that it had.
	 */
	int (*check_features)(struct device *device, uint64_t features);

	/*
	 * Access the configuration space; @offset and @len lie within config_size. config_read()
	 * must exist if config_size isn't 0. config_write() returns 0, or -1 if the bytes can't
	 * be written, and the front end is told.
	 */
	void (*config_read)(struct device *device, uint32_t offset, void *data, uint32_t len);
	int (*config_write)(struct device *device, uint32_t offset, const void *data, uint32_t len);

	/*
	 * SIGHUP: the device looks at its files again, because an image has grown or a log was
	 * moved. A device whose configuration space is another now calls device_config_changed().
	 * Queues are served meanwhile.
	 */
	void (*refresh)(struct device *device);

	/*
	 * A queue starts. Its indices tell a new driver (virtio_queue_next_avail() is 0) from a
	 * pause of the guest. A turn follows. Returns 0, or an error: the queue doesn't start,
	 * and the front end is told.
	 */
	int (*queue_start)(struct device *device, struct device_queue *queue);

	/*
	 * A turn: the driver may have made buffers available, or device_queue_wake() was called.
	 * Must exist.
	 *
	 * @budget  chains that were available at the turn's beginning. The device pops no more in
	 *          this turn, so that a driver that adds buffers without end doesn't keep others
	 *          waiting
	 *
	 * The caller notifies the driver afterwards, and asks it for kicks when DEVICE_TURN_DONE
	 * is returned. Returns an enum device_turn, or the error by which the queue broke:
	 * queue_drain() and queue_stop() follow.
	 */
	int (*queue_notify)(struct device *device, struct device_queue *queue, unsigned int budget);

	/*
	 * Ends what is in flight: completes each chain, or unpops it. Guest memory, the ring
	 * included, may be another one afterwards, until the next turn. A device that has popped
	 * part of a chain's bytes remembers how many.
	 */
	void (*queue_drain)(struct device *device, struct device_queue *queue);

	/*
	 * The queue runs no longer, and the driver isn't notified. Sources that belong to the
	 * queue leave its loop.
	 */
	void (*queue_stop)(struct device *device, struct device_queue *queue);

	/*
	 * SIGUSR1: another process goes on with the device. No queue is in flight, and the threads are held up. A device
	 * without these two can't be handed over, and the process says so.
	 *
	 * save()     writes sections about what the driver has set and the guest hasn't got yet, and adds descriptors of
	 *            what the device has open (handover.h). Nothing changes. Returns 0, or -1 after printing why it
	 *            can't be handed over now.
	 * restore()  follows reset(), attached() and check_features(), as they were called for the front end, in a device
	 *            that open() has opened anew. No queue runs yet. Returns 0, or an error of the reader.
	 */
	int (*save)(struct device *device, struct virtio_section_writer *writer, uint32_t number,
		    struct handover *handover);
	int (*restore)(struct device *device, struct virtio_section_reader *reader, uint32_t number);

	/* Prints one line about all that the device has done, on stdout. Must exist. */
	void (*print_summary)(const struct device *device);

	/* Must exist. Also called when the start of the daemon fails, and then without open(). */
	void (*destroy)(struct device *device);
};

enum device_threads {
	DEVICE_THREAD_PER_QUEUE, /* each queue is served by a thread of its own */
	DEVICE_ONE_THREAD,       /* all queues and the device's own sources are served by one thread */
};

/*
 * The part of a device that all types have in common: filled in by create(), but for the last two
 * members.
 */
struct device {
	const struct device_ops *ops;
	const char *name;     /* for messages: "blk disk.img". Its first 15 bytes name the device's thread */
	uint64_t features;    /* of the device type. VERSION_1, EVENT_IDX and INDIRECT_DESC are offered by all types */
	uint32_t config_size; /* of the configuration space, at most VHOST_USER_CONFIG_BASE. With 0 the front end is not
				 offered the protocol features CONFIG and BACKEND_REQ */
	uint16_t queue_count; /* at most DEVICE_MAX_QUEUES */
	uint16_t max_queue_size; /* a power of two */
	enum device_threads threads;
	struct device_host *host; /* the vhost-user side's */
	uint64_t ring_faults;     /* rings broken by guests; counted when a front end leaves */
};

#define DEVICE_MAX_QUEUES 256 /* a message that hands over a descriptor has 8 bits for the queue */

/* A type of device, as main.c knows it. */
struct device_type {
	const char *option;       /* "blk" makes the command line's --blk */
	const char *synopsis;     /* of its argument: "IMAGE,socket=PATH[,OPTION...]" */
	void (*print_help)(void); /* what the argument means, on stdout, as part of --help */
	bool own_access;          /* mode= and group= are of the type, not of the socket file: endpoint.h */

	/*
	 * Makes a device.
	 *
	 * @spec    the argument without the pairs of endpoint.h, but with socket=. It may be cut
	 *          into pieces (options.h) and stays in use
	 * @socket  set on success, to the value of socket=
	 *
	 * Returns a device, or NULL after printing what is wrong. No thread runs yet, and a
	 * signal ends the process: what has to be undone then is done in open(), or later.
	 */
	struct device *(*create)(char *spec, const char **socket);
};

/* The rest is for devices to call. */

/* Asks for a turn of the queue, soon and once, after what waits already. On the queue's thread. */
void device_queue_wake(struct device_queue *queue);

/*
 * Notifies the driver of chains that were completed outside of queue_notify(), if it wants to
 * know. On the queue's thread. An error of a queue's function outside of queue_notify() is not to
 * be reported: the next turn meets it again.
 */
void device_queue_signal(struct device_queue *queue);

/*
 * The configuration space has changed: the front end is told, if it has said that it wants to
 * know. Any thread may call this between open() and close(). The front end hears of it before it
 * can read what has changed.
 */
void device_config_changed(struct device *device);

/* The types, by their files. */
extern const struct device_type blk_device_type;
extern const struct device_type console_device_type;
extern const struct device_type rng_device_type;
extern const struct device_type vsock_device_type;

#endif
