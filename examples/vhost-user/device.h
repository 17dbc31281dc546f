/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The interface between the vhost-user side and a device: all that a new type of device has to
 * provide.
 *
 * To add a type:
 *   1. Write one file, NAME_device.c, with a `const struct device_type NAME_device_type`. Its
 *      create() makes a structure that has a struct device as a member, and fills in features,
 *      queues, threads and operations.
 *   2. Name the type in the table of main.c, declare it at the end of this header, and list the
 *      file in examples/meson.build. Nothing else changes.
 * rng_device.c is a small type: one thread serves all of its queues, and its input comes from a
 * file. blk_device.c is a type with a thread for each queue.
 *
 * An operation with a counterpart in struct virtio_device_ops (<virtio/device.h>) has the name of
 * its counterpart. A message of the front end has the effect that a register access has in another
 * transport. An operation may be NULL unless its comment says otherwise.
 *
 * A device lives as long as the daemon, and serves one front end after the other:
 *   create()                          in the order of the command line
 *   open()                            when the daemon watches for signals; the device's thread, if
 *                                     there is one, has started
 *     reset()                         a front end has connected
 *     attached()                      the front end has sent its first message
 *       check_features()              the front end has negotiated features
 *         queue_start()               for each queue that the front end starts
 *           queue_notify() ...
 *           queue_drain()             when the queue pauses, and before each queue_stop()
 *         queue_stop()                the queue is stopped, or its ring broke
 *     detached()                      after all queues have stopped
 *   close()                           when the daemon ends, or fails to start; not at an update
 *   destroy()
 *
 * Threads:
 *   operations                            with DEVICE_ONE_THREAD  with DEVICE_THREAD_PER_QUEUE
 *   create(), destroy(), print_summary()  control thread          control thread
 *   queue_*()                             device's thread         the queue's thread
 *   handlers of the device's sources      device's thread         the thread of the source's loop
 *   all others                            device's thread         control thread; queues may run
 *
 * No other operation runs during create(), destroy() and print_summary(). A device with
 * DEVICE_ONE_THREAD needs no lock.
 *
 * The control thread waits until an operation returns. So operations and handlers must return after
 * a few milliseconds, and must not block. If a system call on a device's or queue's thread waits
 * nevertheless, a signal interrupts the call. After EINTR the device must not repeat a call that
 * can wait for another process.
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

/* A running queue as its device sees it, from queue_start() until queue_stop() returns. */
struct device_queue {
	uint16_t index;
	/*
	 * The started queue. The thread of the queue may pop, resolve and complete chains at any
	 * time.
	 */
	struct virtio_queue virtq;
	/* The loop of the queue's thread, to which the device may add sources, timers and tasks. */
	struct event_loop *loop;
	/* Set after an update, because the driver is the same as in the old process. */
	bool continued;
	/*
	 * Set by the device when virtio_queue_needs_interrupt() returned true inside a library. The
	 * function returns true only once for the same completions. So the caller of queue_notify()
	 * must interrupt the driver at the end of the turn.
	 */
	bool signal;
};

/*
 * Returns whether a queue that starts has a new driver. A new driver begins with an available index
 * of 0. After a pause of the guest the index is usually another number. After an update the driver
 * is the same, whatever the index is.
 */
static inline bool device_queue_is_new(const struct device_queue *queue)
{
	return !queue->continued && virtio_queue_next_avail(&queue->virtq) == 0;
}

/* The result of a turn of a queue. */
enum device_turn {
	/* The next turn follows when the driver makes a chain available. */
	DEVICE_TURN_DONE,
	/*
	 * The device waits for a request in flight or for input, and then calls
	 * device_queue_wake(). After such a turn the daemon does not ask the driver for kicks.
	 */
	DEVICE_TURN_WAIT,
	DEVICE_TURN_AGAIN, /* the device has more work: run another turn */
};

struct device_ops {
	/*
	 * Called on the device's thread, or on the control thread with DEVICE_THREAD_PER_QUEUE.
	 *
	 * @loop  the calling thread's loop, valid until close() returns. Use it for sources that
	 *        don't depend on a front end
	 *
	 * Returns 0, or -1 after printing why the device can't work. After -1 close() isn't called.
	 */
	int (*open)(struct device *device, struct event_loop *loop);

	/*
	 * Undoes open(). Removes the device's sources from the loop. Called while no front end is
	 * attached.
	 */
	void (*close)(struct device *device);

	/*
	 * Forgets the features and everything else that an earlier driver has set. Called for a new
	 * front end, and at a start with --restore. Also called when a driver with other features
	 * comes after --restore.
	 */
	void (*reset)(struct device *device);

	/* Called when a front end has begun to use the device, and when the front end has left. */
	void (*attached)(struct device *device);
	void (*detached)(struct device *device);

	/*
	 * Receives the negotiated features, a subset of the offered features. No queue runs.
	 * Returns 0, or an error; after an error the earlier features stay in force.
	 */
	int (*check_features)(struct device *device, uint64_t features);

	/*
	 * Read and write the configuration space. @offset and @len lie within config_size.
	 * config_read() must exist if config_size isn't 0. config_write() returns 0, or -1 if the
	 * bytes can't be written. After -1 the front end's request is refused.
	 */
	void (*config_read)(struct device *device, uint32_t offset, void *data, uint32_t len);
	int (*config_write)(struct device *device, uint32_t offset, const void *data, uint32_t len);

	/*
	 * Called on SIGHUP. Examines the device's files again, because an image may have grown, or
	 * a log may have been moved. If this changes the configuration space, the device calls
	 * device_config_changed(). Queues may be running.
	 */
	void (*refresh)(struct device *device);

	/*
	 * Called when a queue starts. device_queue_is_new() tells whether the queue has a new
	 * driver. Returns 0, or an error. After 0 a turn follows. After an error the queue doesn't
	 * start, and queue_stop() isn't called.
	 */
	int (*queue_start)(struct device *device, struct device_queue *queue);

	/*
	 * Serves a turn: the driver may have made buffers available, or device_queue_wake() was
	 * called. Must exist.
	 *
	 * @budget  the number of chains that were available when the turn began. The device limits
	 *          the chains of a turn to this number, or to the ring's number of entries. Without
	 *          a limit, a driver that adds buffers all the time could keep other queues waiting
	 *
	 * The caller interrupts the driver afterwards. After DEVICE_TURN_DONE the caller also asks
	 * the driver for kicks. Returns an enum device_turn, or the error that broke the queue.
	 * After an error queue_drain() and queue_stop() follow.
	 */
	int (*queue_notify)(struct device *device, struct device_queue *queue, unsigned int budget);

	/*
	 * Completes or unpops each chain in flight. From then until the next turn, guest memory may
	 * be replaced, including the memory of the ring. A device that has consumed some bytes of
	 * an unpopped chain remembers their number, so that no byte is consumed twice.
	 */
	void (*queue_drain)(struct device *device, struct device_queue *queue);

	/*
	 * Called after queue_drain(), when the queue stops. The device removes the queue's sources
	 * from its loop, and does not use the queue any more. The caller then interrupts the driver
	 * for chains that queue_drain() has completed.
	 */
	void (*queue_stop)(struct device *device, struct device_queue *queue);

	/*
	 * save() and restore() hand the device over to another process: at once after SIGUSR1, or
	 * later with --restore. Nothing is in flight in any queue, and the threads are paused. A
	 * device without these two operations can't be handed over, and the process says so.
	 *
	 * save()     writes sections with the driver's settings, and with data that guest or host
	 *            haven't received yet. Adds the descriptors of the device's open files
	 *            (handover.h). Changes nothing that a guest or a peer can see. Returns 0, or -1
	 *            after printing why the device can't be handed over now.
	 * restore()  called in the new process after open(), after attached() if there is a front
	 *            end, and after check_features() if features were negotiated. No queue runs.
	 *            @anew  true for --restore: the descriptors of save() are gone, and a front end
	 *                   will connect. Its session begins without reset() and check_features()
	 *                   if the driver continues with the same features.
	 *            Returns 0, or an error. An error of the state is also in reader->fault.
	 */
	int (*save)(struct device *device, struct virtio_section_writer *writer, uint32_t number,
		    struct handover *handover);
	int (*restore)(struct device *device, struct virtio_section_reader *reader, uint32_t number, bool anew);

	/* Prints one line on stdout with the device's statistics. Must exist. */
	void (*print_summary)(const struct device *device);

	/*
	 * Frees the device. Must exist. When the daemon fails to start, destroy() may be called
	 * without an earlier open().
	 */
	void (*destroy)(struct device *device);
};

enum device_threads {
	DEVICE_THREAD_PER_QUEUE, /* each queue is served by a thread of its own */
	/* All queues and the device's own sources are served by one thread. */
	DEVICE_ONE_THREAD,
};

/*
 * The part that devices of all types have in common. create() fills in all but the last two
 * members.
 */
struct device {
	const struct device_ops *ops;
	/* For messages, for example "blk disk.img". Its first 15 bytes name the device's thread. */
	const char *name;
	/*
	 * Feature bits of the device type. The caller adds VERSION_1, EVENT_IDX and INDIRECT_DESC.
	 */
	uint64_t features;
	/*
	 * Bytes of the configuration space, at most VHOST_USER_CONFIG_BASE. With 0 the front end is
	 * not offered the protocol features CONFIG and BACKEND_REQ.
	 */
	uint32_t config_size;
	uint16_t queue_count;    /* at most DEVICE_MAX_QUEUES */
	uint16_t max_queue_size; /* a power of two */
	enum device_threads threads;
	struct device_host *host; /* belongs to the vhost-user side */
	/* How often guests have broken a ring. A ring's count is added before its session ends. */
	uint64_t ring_faults;
};

/* A message that carries a descriptor has 8 bits for the queue's number. */
#define DEVICE_MAX_QUEUES 256

/* A type of device, for main.c. */
struct device_type {
	const char *option;       /* the option without its dashes: "blk" for --blk */
	const char *synopsis;     /* form of the argument: "IMAGE,socket=PATH[,OPTION...]" */
	void (*print_help)(void); /* prints the type's part of --help on stdout */
	/* True if mode= and group= are options of the device itself, see endpoint.h. */
	bool own_access;

	/*
	 * Makes a device.
	 *
	 * @spec    the argument. create() may cut it into pieces (options.h), and the device may
	 *          use it until destroy()
	 * @socket  set on success, to the value of socket=
	 *
	 * Returns a device, or NULL after printing what is wrong. No thread runs yet, and a signal
	 * ends the process at once. So an action that has to be undone at the end belongs in
	 * open().
	 */
	struct device *(*create)(char *spec, const char **socket);
};

/* Functions for devices to call */

/*
 * Asks for one turn of the queue, after the tasks that are already queued. Called on the queue's
 * thread.
 */
void device_queue_wake(struct device_queue *queue);

/*
 * Interrupts the driver for chains that were completed outside of queue_notify(), unless the driver
 * wants no interrupt. Called on the queue's thread. The device need not report an error of a
 * virtio_queue_... function outside of queue_notify(): the next turn finds the same error.
 */
void device_queue_signal(struct device_queue *queue);

/*
 * Tells the front end that the configuration space has changed, if the front end has asked for such
 * messages. Any thread may call this between open() and close(). The message reaches the front end
 * before the front end can read the changed bytes.
 */
void device_config_changed(struct device *device);

/*
 * Returns whether a file has the device's state for a later process. This is true at the end with
 * --state, and with --restore until the start has succeeded. In these cases close() must not
 * deliver waiting data, because the later process delivers the data.
 */
bool device_is_in_file(const struct device *device);

/* All types, in the order of their files' names */
extern const struct device_type blk_device_type;
extern const struct device_type console_device_type;
extern const struct device_type rng_device_type;
extern const struct device_type vsock_device_type;

#endif
