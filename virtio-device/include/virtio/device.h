/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The core of a virtio device: the part that all device types and all transports share.
 *
 * - The author of a device fills in a table of operations, and calls virtio_device_init().
 * - A transport (<virtio/mmio.h>) turns the guest's register accesses into calls of the core
 *   (<virtio/device_transport.h>). The core calls the operations.
 * - The core keeps the status, the features, the configurations of the queues, the interrupt
 *   status, and the generation of the configuration space.
 * - The device owns its queues, and starts them from their configurations in activate(). A queue
 *   may run in another thread or process, or in the kernel. The core never touches a running queue.
 *
 * What the guest can do: access any register at any time, in any order and width. An operation is
 * called only in the states that its comment names.
 *
 * Threads:
 *   functions                                who may call        what must not run beside
 *   virtio_device_interrupt_used(),          thread-safe, from virtio_device_init() to the end
 *   virtio_device_mark_interrupt(),          of the device's life
 *   virtio_device_set_needs_reset(),
 *   virtio_device_status(),
 *   virtio_device_interrupt_status(),
 *   virtio_device_resetting()
 *   all others: "register accesses"          any thread          another register access of this
 *                                            device
 *
 * The VMM serialises register accesses, for example by the lock that it holds while it handles an
 * exit. The core holds no lock. No function blocks or allocates.
 *
 * Without the lock a queue's thread may read the negotiated features and its queue's configuration.
 * These values are fixed until one of these events: queue_stop() for the queue returns 0, reset()
 * returns 0, or the device calls virtio_device_queue_quiesced(), virtio_device_queue_stopped() or
 * virtio_device_reset_done().
 *
 * An operation may call:
 *   operation                                     calls
 *   interrupt(), outside a register access        the thread-safe functions; the queries of
 *                                                 features and of configurations of running queues
 *   interrupt(), within a register access         as in the row above, and all queries at the end
 *                                                 of this header
 *   all other operations                          as in the row above, and
 *                                                 virtio_device_config_changed()
 *
 * virtio 1.4, 2.1 to 2.6, 2.10, 3.1
 */
#ifndef VIRTIO_DEVICE_H
#define VIRTIO_DEVICE_H

#include <virtio/features.h>
#include <virtio/guest_memory.h>
#include <virtio/queue_config.h>

VIRTIO_BEGIN_DECLS

#define VIRTIO_DEVICE_MAX_QUEUES 0xffff /* the index 0xffff means no queue */
#define VIRTIO_DEVICE_NO_QUEUE 0xffff   /* no queue in particular */
#define VIRTIO_DEVICE_IN_PROGRESS 1     /* the operation or the driver's write ends later */

/* Causes of an interrupt, as bits of the interrupt status (virtio 1.4, 4.2.2 and 4.1.4.5). */
enum virtio_interrupt {
	VIRTIO_INTERRUPT_NONE = 0,
	VIRTIO_INTERRUPT_USED = 1,   /* a queue has used buffers */
	VIRTIO_INTERRUPT_CONFIG = 2, /* the configuration changed, or a reset is needed */
};

struct virtio_device;
struct virtio_device_queues;

/*
 * The operations of a device. `context` of @device belongs to the author. Every operation
 * runs on the thread of a register access. interrupt() runs on other threads, too.
 */
struct virtio_device_ops {
	/*
	 * Optional. Tests whether the device can work with the features that the driver chose, all
	 * of which were offered. Called when the driver sets FEATURES_OK, and as the last check of
	 * virtio_device_restore() if the state has FEATURES_OK. Store the features here, because
	 * the driver may use the configuration space next.
	 *
	 * Accept a set of features again if it was accepted before (virtio 1.4, 2.2.2). Returns 0,
	 * or an error that leaves FEATURES_OK clear.
	 */
	int (*check_features)(struct virtio_device *device, const uint32_t features[VIRTIO_FEATURE_WORDS]);

	/*
	 * Starts every queue whose configuration is ready. Called at most once between two resets,
	 * when the driver sets DRIVER_OK. The status shows DRIVER_OK already. Not called if
	 * DEVICE_NEEDS_RESET is set.
	 *
	 * Guest memory may have changed since a queue was enabled, so virtio_queue_start() checks
	 * the queue's areas (enum virtio_queue_area) again. In activate() VIRTIO_ENOTMAPPED is an
	 * error like any other. The areas were mapped when the queue was enabled, and must stay
	 * mapped.
	 *
	 * Returns 0, or an error. On failure activate() must leave no queue running, and the core
	 * sets DEVICE_NEEDS_RESET. After success queue_notify() follows for each ready queue,
	 * because the driver may have made buffers available already.
	 */
	int (*activate)(struct virtio_device *device);

	/*
	 * Stops everything and returns to the state after virtio_device_init(). Called for every
	 * reset, in every state, also when nothing is active. After success the device touches
	 * neither queues nor guest memory, and raises no interrupt.
	 *
	 * While a reset is in progress the driver cannot begin another reset. Meanwhile the core
	 * calls reset() again for each report that virtio_device_queue_quiesced() accepts. reset()
	 * returns VIRTIO_DEVICE_IN_PROGRESS again if other requests are in flight. If a device
	 * reports only by virtio_device_reset_done(), the core calls reset() once for each reset.
	 *
	 * Returns:
	 *   0                          the device is stopped, and the driver sees the reset
	 *   VIRTIO_DEVICE_IN_PROGRESS  requests still use guest memory. The driver sees the reset
	 *                              after a report.
	 *   an error                   the device cannot be reset. The core sets
	 *                              DEVICE_NEEDS_RESET, even if the status was 0. So no driver
	 *                              can use the device before a reset succeeds. The next reset
	 *                              calls reset() again. Until then the driver may stop queues.
	 */
	int (*reset)(struct virtio_device *device);

	/*
	 * The driver may have made buffers available in a queue. Called for ready queues while the
	 * device is active. Under VIRTIO_F_NOTIFICATION_DATA @next is the available index that the
	 * driver sends (virtio 1.4, 2.9). Otherwise, and when the core itself calls, @next is 0.
	 * @next is only a hint: serve the queue in any case.
	 */
	void (*queue_notify)(struct virtio_device *device, uint16_t queue, uint16_t next);

	/*
	 * Stops one running queue. queue_start() may follow. Called while the device is active, and
	 * again if the driver tries again after an error. A successful reset also ends a stop that
	 * is in progress.
	 *
	 * Returns:
	 *   0                          no code touches the queue, or guest memory for the queue's
	 *                              requests, and no interrupt will be raised for the queue
	 *                              (virtio 1.4, 2.6.1)
	 *   VIRTIO_DEVICE_IN_PROGRESS  the stop ends later, by virtio_device_queue_quiesced() or
	 *                              virtio_device_queue_stopped()
	 *   an error                   the core sets DEVICE_NEEDS_RESET, and the queue shows as
	 *                              enabled
	 */
	int (*queue_stop)(struct virtio_device *device, uint16_t queue);

	/*
	 * Starts one queue from its configuration, which may have changed. Called while the device
	 * is active. Needed for VIRTIO_F_RING_RESET. After success queue_notify() follows.
	 *
	 * Returns 0, or an error. On failure the queue must not run, and stays disabled. After
	 * VIRTIO_ENOTMAPPED the driver's write stays in progress, and virtio_device_queue_mapped()
	 * calls queue_start() again.
	 */
	int (*queue_start)(struct virtio_device *device, uint16_t queue);

	/*
	 * Access the configuration space, in every state. config_write() is not called while a
	 * reset is in progress.
	 *
	 * @offset, @len  bytes inside config_size. A hostile driver may use any width.
	 * @data          host memory, in little-endian order as the guest sees it
	 *
	 * Without config_read() the core reads the option config. Without config_write() writes do
	 * nothing. Ignore writes to fields that the driver must not write.
	 */
	void (*config_read)(struct virtio_device *device, uint32_t offset, void *data, uint32_t len);
	void (*config_write)(struct virtio_device *device, uint32_t offset, const void *data, uint32_t len);

	/*
	 * Signals the driver.
	 *
	 * @level true    an event has happened. @cause is its kind, and @queue is its queue or
	 *                VIRTIO_DEVICE_NO_QUEUE.
	 * @level false   no cause is pending any more. @cause is VIRTIO_INTERRUPT_NONE.
	 *
	 * A level-triggered line follows @level. An edge, a message or an eventfd is sent when
	 * @level is true. No call follows an acknowledgement that leaves another cause pending.
	 *
	 * Register accesses and other threads cause the calls. Calls may run in parallel. After
	 * each call the core reads the interrupt status again, and calls again if the level is
	 * wrong. So when all calls have returned, the call that took effect last had the right
	 * level. Setting a line must be atomic, as KVM_IRQ_LINE is.
	 */
	void (*interrupt)(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue, bool level);
};

/* The bit of the size in virtio_queue_registers.refused. The bit of an area is 1 << area. */
#define VIRTIO_DEVICE_SIZE_REFUSED 8u

/*
 * One queue as the transport sees it. The caller allocates and zeroes an array. In each entry the
 * caller sets config.max_size and, if needed, the members of config whose names begin with allow_.
 */
struct virtio_queue_registers {
	struct virtio_queue_config config; /* if max_size is 0, the queue does not exist */
	uint32_t stop_number;              /* number of the stop in progress, or 0 */
	bool stopping;                     /* a stop is in progress */
	bool resetting;                    /* a reset of the queue is in progress, or has failed */
	bool enabling;                     /* QueueReady = 1 waits for a translation of the areas */
	bool may_reenable;                 /* reset while active, and not enabled again yet */
	uint8_t given;                     /* areas whose last written low half was accepted */
	uint8_t refused;                   /* areas and size whose last written value was refused */
};

/*
 * A shared memory region. Do not use it to control the device or to stream data (virtio 1.4, 2.10).
 */
struct virtio_shm_region {
	uint64_t base; /* guest-physical address, chosen by the VMM */
	uint64_t len;  /* bytes */
	uint8_t id;    /* as the device type defines it */
};

/*
 * The options of a device. All objects that the options point to must live as long as the device.
 *
 * The core knows the features that are reserved for queues and transports. Bits 0 to 23, 41, 42 and
 * 50 to 127 belong to the device type, but the core refuses bit 41, VIRTIO_F_ADMIN_VQ. Offer only
 * features that the type defines and the device implements. With a feature, also offer all features
 * that it requires (virtio 1.4, 2.2.2).
 */
struct virtio_device_options {
	const struct virtio_device_ops *ops;
	void *context; /* belongs to the author */
	uint32_t type; /* VIRTIO_ID_... of <virtio/bindings/virtio_ids.h>; with 0 no driver binds */
	uint32_t vendor;
	uint32_t features[VIRTIO_FEATURE_WORDS]; /* offered; the core adds VERSION_1 */
	struct virtio_queue_registers *queues;
	uint32_t num_queues;
	/* From virtio_device_queues_init(), or NULL. If set, replaces `queues` and `num_queues`. */
	struct virtio_device_queues *device_queues;
	uint32_t config_size;                   /* of the configuration space, in bytes */
	const void *config;                     /* content of that space if config_read is NULL */
	const struct virtio_shm_region *shm;    /* or NULL */
	uint32_t num_shm;                       /* entries of shm */
	const struct virtio_memory_map *memory; /* or NULL; see virtio_device_set_memory() */
};

/*
 * A device. The caller allocates it, and changes it by functions only. The transport also sets the
 * four members ..._sel. To reach a structure of your own, embed the device in it, or point
 * `context` to it.
 */
struct virtio_device {
	const struct virtio_device_ops *ops;
	void *context;
	const struct virtio_memory_map *memory;
	struct virtio_queue_registers *queues;
	struct virtio_device_queues *device_queues; /* or NULL; for <virtio/device_queues.h> */
	const struct virtio_shm_region *shm;
	const void *config;
	uint32_t num_queues;
	uint32_t num_shm;
	uint32_t type;
	uint32_t vendor;
	uint32_t config_size;
	uint32_t offered[VIRTIO_FEATURE_WORDS];
	uint32_t accepted[VIRTIO_FEATURE_WORDS]; /* negotiated once FEATURES_OK is set */
	bool accepted_beyond;                    /* the driver accepted a bit above 127 */
	bool active;                             /* activated, and not reset since */
	bool reset_pending;                      /* reset() returned VIRTIO_DEVICE_IN_PROGRESS */
	uint32_t device_features_sel;
	uint32_t driver_features_sel;
	uint32_t queue_sel;
	uint32_t shm_sel;
	uint32_t generation;   /* of the configuration space; kept by a reset */
	uint32_t resets;       /* number of resets that have succeeded */
	uint32_t reset_number; /* number of the reset in progress, or 0 */
	uint32_t last_number;  /* number of the last stop or reset */
	uint32_t live;         /* status, interrupt status, reset in progress; atomic */

	/* For the operator. */
	uint64_t ignored;     /* number of accesses without effect */
	int first_error;      /* first error of features, queues, activation or reset */
	uint16_t first_queue; /* the queue of first_error, or VIRTIO_DEVICE_NO_QUEUE */
};

/* Life cycle */

/*
 * Initialises a device, in the state after a reset. Calls no operation.
 *
 * @device   the caller's; every member is set
 * @options  copied, except what it points to
 *
 * Returns 0, or:
 *   VIRTIO_ENOTSUP  a feature that the core cannot honour: VIRTIO_F_RING_PACKED, VIRTIO_F_SR_IOV,
 *                   VIRTIO_F_NOTIF_CONFIG_DATA, VIRTIO_F_ADMIN_VQ, VIRTIO_F_SUSPEND (bit 43), and
 *                   reserved or legacy bits among 24 to 49
 *   VIRTIO_ESIZE    a queue with an illegal max_size
 *   VIRTIO_EINVAL   a missing array, more than VIRTIO_DEVICE_MAX_QUEUES queues, or two shared
 *                   memory regions with the same id
 *   VIRTIO_ENOOP    a missing operation, if nothing else is wrong (virtio_device_missing_op())
 *
 * A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_device_init(struct virtio_device *device, const struct virtio_device_options *options);

/*
 * Names the first operation that the options need and options->ops lacks, such as "queue_stop", for
 * an error message. The check follows the order of struct virtio_device_ops.
 *
 *   Operations                     Needed
 *   activate, reset, interrupt     always
 *   queue_notify, queue_stop       with queues
 *   queue_start                    with VIRTIO_F_RING_RESET
 *   config_read, or option config  with a configuration space
 *
 * Returns static text, or NULL if no operation is missing. If ops is NULL, all are missing.
 */
const char *virtio_device_missing_op(const struct virtio_device_options *options);

/*
 * Gives the device another map of the guest's memory, for queues that are enabled or started from
 * now on. The owner of a running queue switches the queue by virtio_queue_set_memory().
 *
 * @map  must live until the next call, and longer if a queue still uses it; NULL for none
 */
void virtio_device_set_memory(struct virtio_device *device, const struct virtio_memory_map *map);

/*
 * Resets the device, as a driver's write of 0 to the status does. Call this for a machine reset.
 *
 * Returns 0; VIRTIO_DEVICE_IN_PROGRESS (see virtio_device_queue_quiesced()); or the error of the
 * operation reset(). After an error DEVICE_NEEDS_RESET is set, no queue waits for a translation any
 * more, and the driver's settings are unchanged.
 */
VIRTIO_MUST_CHECK
int virtio_device_reset(struct virtio_device *device);

/*
 * Reports that no request of a queue is in flight any more. Ends the stop or the reset that waits
 * for the report. A register access: a thread of the device takes the VMM's lock, or leaves the
 * call to the waiting vCPU's thread. Afterwards the VMM calls virtio_device_waiting().
 *
 * @queue   index. From now on the device must not touch the queue, touch guest memory for its
 *          requests, or raise an interrupt for it.
 * @number  from virtio_device_stop_number() for this queue, now or earlier
 *
 * What the report ends:
 *   a stop of this queue    the queue shows as disabled; after QueueReset, it also shows as reset
 *   a reset of the device   the core calls the operation reset() again. The result 0 ends the
 *                           reset. VIRTIO_DEVICE_IN_PROGRESS means that another queue has requests
 *                           in flight. An error fails the reset.
 *
 * The number must name a stop of this queue, or a reset, that is in progress. If a stop and a
 * reset are in progress, a report with either number ends the stop, and reset() is called again.
 * A late report has the number of a stop that has ended, so the report cannot end a later stop.
 *
 * Returns 0; VIRTIO_EINVAL for any other number, or if queue_stop() or reset() for this number has
 * not returned. A failure changes nothing. The next two functions need no number, and can report
 * errors.
 */
int virtio_device_queue_quiesced(struct virtio_device *device, uint16_t queue, uint32_t number);

/*
 * Ends a reset that is in progress, for a device that counts its requests itself. If error is 0,
 * the status and the driver's settings return to their defaults. A register access.
 *
 * @error  0, or an error if the device cannot be reset, for example because its back end is gone.
 *         The effect is the same as if reset() had returned the error: see
 *         virtio_device_reset(). Interrupts since the reset began are lost.
 *
 * Returns 0; VIRTIO_EINVAL if no reset is in progress, if reset() has not returned, or if error is
 * VIRTIO_DEVICE_IN_PROGRESS. A failure changes nothing.
 */
int virtio_device_reset_done(struct virtio_device *device, int error);

/*
 * Ends a stop that is in progress, for a device that counts its requests itself. If error is 0, the
 * queue shows as disabled; after QueueReset, it also shows as reset. A register access, allowed
 * also while a reset of the device is in progress.
 *
 * @queue  index
 * @error  0, or an error if the queue cannot be stopped. The effect is the same as if
 *         queue_stop() had returned the error.
 *
 * Do not report after the stop has ended. A late report would end the next stop. A stop ends
 * - by this call or by virtio_device_queue_quiesced(),
 * - when queue_stop() returns anything except VIRTIO_DEVICE_IN_PROGRESS,
 * - by a reset that has succeeded.
 *
 * Returns 0; VIRTIO_EINVAL if no stop of this queue is in progress, if queue_stop() has not
 * returned, or if error is VIRTIO_DEVICE_IN_PROGRESS. A failure changes nothing.
 */
int virtio_device_queue_stopped(struct virtio_device *device, uint16_t queue, int error);

/*
 * Tries again to enable a queue that waits for a translation.
 *
 * A queue waits if the check of its areas, or the operation queue_start(), returns
 * VIRTIO_ENOTMAPPED when the driver writes QueueReady = 1. That write then returns
 * VIRTIO_DEVICE_IN_PROGRESS, QueueReady reads 0, and virtio_device_waiting() is true. Call this
 * after virtio_device_set_memory(), and whenever the translation of the queue's areas may have
 * changed, also if the translation now forbids the device's access.
 *
 * @queue  index
 *
 * A register access. Returns:
 *   0                          the wait is over; the configuration's member `ready` tells whether
 *                              the queue is enabled
 *   VIRTIO_DEVICE_IN_PROGRESS  a translation is still not known
 *   VIRTIO_EINVAL              this queue is not waiting, or the call is within queue_start();
 *                              nothing changes
 *
 * If the check or queue_start() fails with another error, the wait ends, the queue stays disabled,
 * and first_error keeps the error. If the device needs a reset or has FAILED, the wait ends without
 * a check, and the queue stays disabled.
 *
 * While a queue waits:
 *   write of size or address     is ignored
 *   QueueReady = 1               tries again, as this function does
 *   QueueReady = 0               ends the wait; the queue is disabled
 *   QueueReset = 1               ends the wait and resets the queue
 *   a reset of the device        ends the wait when the reset begins, even if the reset fails later
 *   DRIVER_OK                    ends the wait with VIRTIO_ENOTMAPPED in first_error. The device is
 *                                activated without the queue, because the driver must enable its
 *                                queues before DRIVER_OK (virtio 1.4, 3.1.1).
 *   virtio_device_save()         saves the wait: after a restore the queue waits again
 */
int virtio_device_queue_mapped(struct virtio_device *device, uint16_t queue);

/* Events */

/*
 * Tells the driver that a queue has used buffers: sets the interrupt status, then calls
 * interrupt(). Thread-safe. Call this when virtio_queue_needs_interrupt() has returned true.
 *
 * @queue  index
 *
 * Does nothing if DRIVER_OK is not set, or if a reset is in progress (virtio 1.4, 2.1.2 and 2.4.1).
 */
void virtio_device_interrupt_used(struct virtio_device *device, uint16_t queue);

/*
 * Sets the interrupt status without calling interrupt(), for a device that signals by itself, for
 * example by an irqfd. Thread-safe.
 *
 * @cause  VIRTIO_INTERRUPT_USED, VIRTIO_INTERRUPT_CONFIG or both
 *
 * Returns whether the device must signal: false if virtio_device_interrupt_used() would do nothing.
 * Signal after this call, never before.
 */
VIRTIO_MUST_CHECK
bool virtio_device_mark_interrupt(struct virtio_device *device, uint32_t cause);

/*
 * Announces that the configuration space has changed: changes its generation, and interrupts the
 * driver. A register access. Before this call, change what config_read() returns, or the bytes that
 * the option config points to. No other register access may come between the start of the change
 * and the end of this call. Otherwise a guest could read old and new bytes under one generation.
 *
 * Before DRIVER_OK the interrupt is delayed until DRIVER_OK. While the status is 0 or a reset is in
 * progress, no interrupt follows.
 */
void virtio_device_config_changed(struct virtio_device *device);

/*
 * Call this when the device cannot go on. Sets DEVICE_NEEDS_RESET, and interrupts the driver if
 * DRIVER_OK is set (virtio 1.4, 2.1.2). Otherwise the interrupt waits for DRIVER_OK, which then
 * does not activate the device. Thread-safe.
 *
 * Until a reset the core passes no kick to the device. Does nothing while the status is 0 or a
 * reset is in progress. To fail a reset in progress, call virtio_device_reset_done() with an error.
 */
void virtio_device_set_needs_reset(struct virtio_device *device);

/* Queries */

/* Returns the status: VIRTIO_CONFIG_S_... bits. Thread-safe. */
uint32_t virtio_device_status(const struct virtio_device *device);

/* Returns the causes that are not acknowledged: bits of enum virtio_interrupt. Thread-safe. */
uint32_t virtio_device_interrupt_status(const struct virtio_device *device);

/*
 * Returns whether a feature is negotiated: offered and accepted, with FEATURES_OK set.
 *
 * @bit  any number; the result is false above 127
 */
bool virtio_device_has_feature(const struct virtio_device *device, uint32_t bit);

/* Returns the configuration from which to start a queue; NULL if there is no such queue. */
const struct virtio_queue_config *virtio_device_queue_config(const struct virtio_device *device, uint32_t queue);

/* Returns whether a reset is in progress. Thread-safe. */
bool virtio_device_resetting(const struct virtio_device *device);

/*
 * Returns the number to pass to virtio_device_queue_quiesced(): the number of the stop or reset
 * that waits for a queue's requests in flight. Returns 0 if no stop or reset waits, or there is no
 * such queue.
 *
 * @queue  index
 *
 * While the device is being reset, the result is the number of the reset. Otherwise it is the
 * number of this queue's stop. Both numbers are set before reset() and queue_stop() are called.
 *
 * Each stop and each reset gets a number when its operation is first called: 1, 2 and so on, in one
 * sequence for the whole device. The number after UINT32_MAX is 1.
 *
 * Rules, under the serialisation of register accesses:
 * - A device must not pop from a queue whose number is not 0.
 * - A thread of the device takes the VMM's lock to complete a request. Before it releases the lock,
 *   it calls this function. The thread reports if both hold: the result is not 0, and the queue has
 *   no request in flight any more.
 * - A thread that reports later must keep the number. A report that is too late is refused.
 */
uint32_t virtio_device_stop_number(const struct virtio_device *device, uint16_t queue);

/*
 * Returns whether a reset, or the stop or the enabling of a queue, is in progress. If so, the VMM
 * must still hold a vCPU whose write returned VIRTIO_DEVICE_IN_PROGRESS.
 *
 * Call this after
 * - virtio_device_queue_quiesced(), virtio_device_reset_done(), virtio_device_queue_stopped() and
 *   virtio_device_queue_mapped(),
 * - each write by a vCPU and each virtio_device_reset() of the VMM, because the write of one vCPU
 *   can end the wait of another vCPU.
 *
 * The result concerns the whole device. A vCPU that waits for one queue may also be held until the
 * wait of another queue has ended. A device must end every wait, with an error if necessary.
 */
bool virtio_device_waiting(const struct virtio_device *device);

VIRTIO_END_DECLS

#endif
