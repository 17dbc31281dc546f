/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The core of a virtio device: what every device is, whatever its type and its transport.
 *
 * A device author fills in a table of operations and calls virtio_device_init(); a transport
 * (<virtio/mmio.h>) turns the guest's register accesses into calls of the core
 * (<virtio/device_transport.h>), and the core calls the operations. The core keeps the status, the
 * features, the queues' configurations, the interrupt status and the generation of the
 * configuration space. The queues themselves belong to the device, which starts each from its
 * configuration in activate(): they may live in another thread, another process or the kernel. The
 * core never touches a running queue.
 *
 * What the guest can do: access any register at any time in any order and width, and no more than
 * that: an operation is called only in the states that its comment names.
 *
 * Threads. "Register access" means every call on one device that isn't said to be free. The VMM
 * serialises them for each device, by the lock that it holds while it handles an exit, say. Free,
 * on any thread at any time between virtio_device_init() and the end of the device's life:
 * virtio_device_interrupt_used(), virtio_device_mark_interrupt(), virtio_device_set_needs_reset(),
 * virtio_device_status(), virtio_device_interrupt_status() and virtio_device_resetting(). While the
 * device is active, features and configurations of queues that run don't change, so that the
 * threads that serve these may read them: that of a queue until queue_stop() returns 0, or
 * virtio_device_queue_quiesced() or virtio_device_queue_stopped() is called.
 *
 * The core holds no lock, so an operation runs under nothing but what its caller holds. An
 * operation may ask the questions at the end of this header, call what is free, and
 * virtio_device_config_changed(). interrupt() may only ask; and where it runs on the thread of an
 * event, not of a register access, only what every thread may: what is free, the features, and the
 * configurations of queues that run. Nothing here blocks or allocates.
 *
 * virtio 1.4, 2.1 to 2.6, 2.10, 3.1
 */
#ifndef VIRTIO_DEVICE_H
#define VIRTIO_DEVICE_H

#include <virtio/guest_memory.h>
#include <virtio/queue_config.h>

VIRTIO_BEGIN_DECLS

#define VIRTIO_FEATURE_WORDS 4          /* 32 feature bits each: 128 in all (virtio 1.4, 2.2) */
#define VIRTIO_DEVICE_MAX_QUEUES 0xffff /* a queue's index has 16 bits, and one value means none: */
#define VIRTIO_DEVICE_NO_QUEUE 0xffff   /* no queue in particular */
#define VIRTIO_DEVICE_IN_PROGRESS 1     /* the answer of an operation, or of a write, that ends later */

/* What an interrupt is about; the bits of the interrupt status (virtio 1.4, 4.2.2 and 4.1.4.5). */
enum virtio_interrupt {
	VIRTIO_INTERRUPT_NONE = 0,
	VIRTIO_INTERRUPT_USED = 1,   /* a queue has used buffers */
	VIRTIO_INTERRUPT_CONFIG = 2, /* the configuration has changed, or the device needs a reset */
};

struct virtio_device;
struct virtio_device_queues;

/*
 * What a device does. @device is the one concerned; its member context is the author's. Every
 * operation is called on the thread of a register access, interrupt() also on others.
 */
struct virtio_device_ops {
	/*
	 * Whether the device can work with the features that the driver chose, all of which were
	 * offered. Optional. Called when the driver sets FEATURES_OK, and last by
	 * virtio_device_restore(). The place for a device to take the features over, for the driver
	 * may use the configuration space next. A set that was accepted once should be accepted
	 * again (virtio 1.4, 2.2.2). Returns 0, or an error, which leaves FEATURES_OK clear.
	 */
	int (*check_features)(struct virtio_device *device, const uint32_t features[VIRTIO_FEATURE_WORDS]);

	/*
	 * Start the device: every queue whose configuration is ready. Called once between two
	 * resets, when the driver sets DRIVER_OK, which the status shows already; not called if the
	 * device needs a reset by then. Memory may have changed, or gone, since a queue was
	 * enabled: its start tells. VIRTIO_ENOTMAPPED is an error as any other here. The areas were
	 * mapped when the queue was enabled, so the driver has unmapped them since. On success
	 * queue_notify() follows for each queue that is ready, because the driver may have made
	 * buffers available before. Returns 0, or an error, which leaves nothing started: the core
	 * then sets DEVICE_NEEDS_RESET.
	 */
	int (*activate)(struct virtio_device *device);

	/*
	 * Stop everything and return to the state after virtio_device_init(). Called for every
	 * reset, in every state, also when nothing is active. From its success on the device
	 * touches neither queues nor guest memory, and raises no interrupt.
	 *
	 * While a reset is in progress the driver can't begin another. The core calls this again
	 * for each report that virtio_device_queue_quiesced() takes: the answer then says whether
	 * anything else is in flight. A device that reports by virtio_device_reset_done() alone is
	 * called once for each reset.
	 *
	 * Returns:
	 *   0                          the device is stopped; the driver sees the reset
	 *   VIRTIO_DEVICE_IN_PROGRESS  requests still point into guest memory. The driver sees no
	 *                              reset before a report.
	 *   an error                   the device can't be reset. It gets DEVICE_NEEDS_RESET, in
	 *                              every state, so that no driver sets it up again before a
	 *                              reset has succeeded. The next reset calls this again, and
	 *                              until then the driver may stop queues.
	 */
	int (*reset)(struct virtio_device *device);

	/*
	 * The driver has made buffers available in a queue, or may have. Called for queues that are
	 * ready, while the device is active. @next is under VIRTIO_F_NOTIFICATION_DATA what the
	 * driver says is its available index (virtio 1.4, 2.9), and 0 without it and where the core
	 * itself has the queue looked at: a hint, and no reason not to look.
	 */
	void (*queue_notify)(struct virtio_device *device, uint16_t queue, uint16_t next);

	/*
	 * Stop one running queue, for good or until queue_start(). Called while the device is
	 * active. Returns 0 when the queue is no longer touched, nor guest memory by its requests,
	 * and no interrupt will be raised for it (virtio 1.4, 2.6.1); VIRTIO_DEVICE_IN_PROGRESS if
	 * that takes longer: virtio_device_queue_quiesced() follows; an error: DEVICE_NEEDS_RESET,
	 * and the queue shows as enabled. A driver that asks again after an error has this called
	 * again, and a success then counts. A reset may come before the end, and its success stands
	 * for it.
	 */
	int (*queue_stop)(struct virtio_device *device, uint16_t queue);

	/*
	 * Start one queue from its configuration, which may be another than before, while the
	 * device is active: needed for VIRTIO_F_RING_RESET. On success queue_notify() follows.
	 * Returns 0, or an error, which starts nothing and leaves the queue disabled. After
	 * VIRTIO_ENOTMAPPED the driver's write stays in progress: virtio_device_queue_mapped()
	 * calls this again.
	 */
	int (*queue_start)(struct virtio_device *device, uint16_t queue);

	/*
	 * Access the configuration space, in every state; no writes while a reset is in progress.
	 * @offset and
	 * @len, in bytes, lie within config_size;
	 * @data is host memory, in little-endian order as the guest sees it. A driver uses the
	 * width of the field, a hostile one anything. Without config_read() the bytes are those of
	 * the option config. Without config_write(), or for a field that isn't the driver's, a
	 * write does nothing.
	 */
	void (*config_read)(struct virtio_device *device, uint32_t offset, void *data, uint32_t len);
	void (*config_write)(struct virtio_device *device, uint32_t offset, const void *data, uint32_t len);

	/*
	 * Signal the driver. With @level true an event has happened: @cause says of which kind,
	 * @queue in which queue, if that is known. With @level false every cause has been
	 * acknowledged; @cause is VIRTIO_INTERRUPT_NONE.
	 *   A level-triggered line follows @level. An edge, a message or an eventfd is sent when
	 *   @level is true. An acknowledgement that leaves another cause pending makes no call.
	 * Called on the thread of a register access or of an event, so that calls may overlap. Each
	 * is followed by another look at the interrupt status, and by another call if that
	 * disagrees: once all calls have returned, the last one to take effect was right. Setting a
	 * line must be atomic, as KVM_IRQ_LINE is.
	 */
	void (*interrupt)(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue, bool level);
};

/*
 * A size that was refused, in the member refused of a queue; areas are the bits 1 << enum
 * virtio_queue_area.
 */
#define VIRTIO_DEVICE_SIZE_REFUSED 8u

/*
 * One queue as the transport sees it. The caller allocates an array of them, zeroes it, and sets
 * config.max_size and perhaps the two allowances.
 */
struct virtio_queue_registers {
	struct virtio_queue_config config; /* max_size 0: there is no queue of this index */
	uint32_t stop_number;              /* of the stop that queue_stop() began, until that has ended; or 0 */
	bool stopping;                     /* queue_stop() has said that it is in progress */
	bool resetting;                    /* the driver reset the queue; that has not ended */
	bool enabling;                     /* QueueReady = 1 waits for a translation of the areas */
	bool may_reenable;                 /* reset while the device is active: may be set up and enabled again */
	uint8_t given;                     /* areas whose address the driver has given, since the last reset */
	uint8_t refused;                   /* areas, and the size, of which the last value was refused */
};

/*
 * A shared memory region. Not for control of the device, nor for streaming data (virtio 1.4, 2.10).
 */
struct virtio_shm_region {
	uint64_t base; /* guest-physical address, chosen by the VMM */
	uint64_t len;  /* bytes */
	uint8_t id;    /* as the device type defines it */
};

/*
 * What a device is made of. Pointers must stay valid as long as the device does; the rest is
 * copied.
 *
 * Of the features the core knows those that are reserved for queues and transports. Bits 0 to 23,
 * 42 and from 50 on belong to the device type, which it doesn't know: a device offers those that
 * its type defines and that it can do (virtio 1.4, 2.2.2), and with each bit those that it
 * requires.
 */
struct virtio_device_options {
	const struct virtio_device_ops *ops;
	void *context; /* the author's */
	uint32_t type; /* VIRTIO_ID_... of <virtio/bindings/virtio_ids.h>; 0 for a placeholder */
	uint32_t vendor;
	uint32_t features[VIRTIO_FEATURE_WORDS]; /* offered, see above; VERSION_1 is added */
	struct virtio_queue_registers *queues;
	uint32_t num_queues;
	/*
	 * From virtio_device_queues_init(), or NULL. With it the core takes queues and num_queues
	 * from there.
	 */
	struct virtio_device_queues *device_queues;
	uint32_t config_size;                   /* of the configuration space, in bytes */
	const void *config;                     /* those bytes, for a device without config_read(); or NULL */
	const struct virtio_shm_region *shm;    /* or NULL */
	uint32_t num_shm;                       /* entries of shm */
	const struct virtio_memory_map *memory; /* or NULL until virtio_device_set_memory() */
};

/*
 * A device. The caller allocates it, and changes it through functions alone; the four selectors are
 * the transport's to set. It may be a member of a larger structure, or point to one by its context.
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
	uint32_t accepted[VIRTIO_FEATURE_WORDS]; /* by the driver; negotiated once FEATURES_OK is set */
	bool accepted_beyond;                    /* the driver accepted a bit above those; until reset */
	bool active;                             /* activate() has succeeded, and no reset since */
	bool reset_pending;                      /* reset() has said that it is in progress */
	uint32_t device_features_sel;
	uint32_t driver_features_sel;
	uint32_t queue_sel;
	uint32_t shm_sel;
	uint32_t generation;   /* of the configuration space; a reset doesn't change it */
	uint32_t resets;       /* resets that have ended */
	uint32_t reset_number; /* of the reset that reset() began, until that has ended; or 0 */
	uint32_t last_number;  /* the last that a stop or a reset has got */
	uint32_t live;         /* status, interrupt status and "resetting": changed by any thread, atomically */

	/* For the operator. */
	uint64_t ignored; /* accesses without effect: malformed, undefined, or wrong at the time */
	int first_error; /* the first refusal since virtio_device_init(): of features, a queue, an activation, a reset */
	uint16_t first_queue; /* the queue concerned, or VIRTIO_DEVICE_NO_QUEUE */
};

/* Life cycle */

/*
 * Makes a device, as it is after a reset.
 *
 * @device   the caller's; every member is set
 * @options  see there; copied
 *
 * Returns 0; VIRTIO_ENOTSUP for a feature that the core can't honour: VIRTIO_F_RING_PACKED,
 * VIRTIO_F_SR_IOV, VIRTIO_F_NOTIF_CONFIG_DATA, VIRTIO_F_ADMIN_VQ, VIRTIO_F_SUSPEND (bit 43), and
 * bits 24 to 49 that are reserved or legacy; VIRTIO_ESIZE for a queue's max_size; VIRTIO_EINVAL for
 * a missing operation (activate, reset, interrupt; with queues queue_notify and queue_stop; with
 * VIRTIO_F_RING_RESET queue_start; with a configuration space config_read, or its bytes) or array,
 * for more than VIRTIO_DEVICE_MAX_QUEUES queues and for a shared memory region twice. A failure
 * changes nothing. No operation is called.
 */
VIRTIO_MUST_CHECK
int virtio_device_init(struct virtio_device *device, const struct virtio_device_options *options);

/*
 * Gives the device another map of the guest's memory, for queues that will be enabled from now on;
 * running ones switch where they run (virtio_queue_set_memory()).
 *
 * @map  must live until the next call, or as long as the device; or NULL for none
 */
void virtio_device_set_memory(struct virtio_device *device, const struct virtio_memory_map *map);

/*
 * Resets the device, as the driver does by writing 0 to the status: for a reset of the machine.
 *
 * Returns 0; VIRTIO_DEVICE_IN_PROGRESS, see virtio_device_queue_quiesced(); or the error of the
 * operation reset(), and then the device is as before but for DEVICE_NEEDS_RESET.
 */
int virtio_device_reset(struct virtio_device *device);

/*
 * The report of a device with requests in flight: nothing of a queue is in flight any more. Ends
 * what waits for that.
 *
 * @queue   index. The device doesn't touch it any more, nor guest memory by its requests, and
 *          raises no interrupt for it.
 * @number  what virtio_device_stop_number() said of this queue, now or earlier
 *
 * What the report ends:
 *   a stop of this queue    the queue shows as disabled, and reset if the driver asked for that
 *   a reset of the device   the core calls the operation reset() again. 0 ends the reset.
 *                           VIRTIO_DEVICE_IN_PROGRESS means that another queue has requests in
 *                           flight. An error fails the reset.
 *
 * The number is that of either, and the report ends both: a queue that has been quiet since its
 * stop is quiet for a reset that came later. A report of a stop that has ended carries an old
 * number, so it can't end a later stop.
 *
 * A register access: the device's thread takes the VMM's lock, or hands over to the vCPU that
 * waits. The VMM asks virtio_device_waiting() afterwards. Returns 0; VIRTIO_EINVAL, and does
 * nothing, for any other number, and within reset() and queue_stop() themselves. The two calls
 * below report without a number, and report errors.
 */
int virtio_device_queue_quiesced(struct virtio_device *device, uint16_t queue, uint32_t number);

/*
 * The end of a reset that was in progress, reported by a device that keeps its own books:
 * everything that the driver can see returns to its default.
 *
 * @error  0; or why the device can't be reset after all, because its back end is gone, say. Then
 *         the device is as before the reset but for DEVICE_NEEDS_RESET, as if the operation reset()
 *         had returned the error. Events of the time between are lost.
 *
 * A register access: the device's thread that finds itself quiesced takes the VMM's lock, or hands
 * over to the vCPU that waits. Returns 0; VIRTIO_EINVAL, and does nothing, if no reset is in
 * progress, also within reset() itself, and for VIRTIO_DEVICE_IN_PROGRESS, which is no end.
 */
int virtio_device_reset_done(struct virtio_device *device, int error);

/*
 * The end of queue_stop() where it was in progress, reported by a device that keeps its own books:
 * the queue shows as disabled, and reset if that was asked for.
 *
 * @queue  index
 * @error  0; or why the queue can't be stopped after all. Then it is as if queue_stop() had
 *         returned the error.
 *
 * A register access, also while a reset of the device is in progress. Returns 0; VIRTIO_EINVAL, and
 * does nothing, if no stop of this queue is in progress, also within queue_stop() itself, and for
 * VIRTIO_DEVICE_IN_PROGRESS.
 *
 * Do not report after the stop has ended, for a late report would end the next stop. A stop ends by
 * this call, by virtio_device_queue_quiesced(), by queue_stop() returning anything but
 * VIRTIO_DEVICE_IN_PROGRESS, and by a reset that has succeeded.
 */
int virtio_device_queue_stopped(struct virtio_device *device, uint16_t queue, int error);

/*
 * A translation that QueueReady = 1 waits for may be known now: tries again to enable the queue.
 *
 * Enabling a queue waits when the check of its areas, or the operation queue_start(), answers
 * VIRTIO_ENOTMAPPED. The driver's write is then answered VIRTIO_DEVICE_IN_PROGRESS, QueueReady
 * reads 0 and virtio_device_waiting() is true. Call this whenever the translation may answer
 * otherwise, also when the access turns out to be forbidden, or after virtio_device_set_memory().
 *
 * @queue  index
 *
 * A register access. Returns:
 *   0                          the wait is over; the configuration's member ready tells whether the
 *                              queue is enabled
 *   VIRTIO_DEVICE_IN_PROGRESS  a translation is still not known
 *   VIRTIO_EINVAL              this queue isn't waiting, also within queue_start() itself; nothing
 *                              changes
 *
 * An error other than VIRTIO_ENOTMAPPED ends the wait with the queue disabled, and is kept in
 * first_error. A device that needs a reset by then, or has FAILED, enables no queue: the wait ends
 * without another look.
 *
 * While a queue waits:
 *   its size and addresses       writes are ignored
 *   QueueReady = 1               tries again, as this call does
 *   QueueReady = 0               ends the wait with the queue disabled
 *   QueueReset = 1               ends the wait and resets the queue
 *   a reset of the device        ends the wait when the reset begins, also if the reset then fails
 *   DRIVER_OK                    ends the wait, with VIRTIO_ENOTMAPPED in first_error. The device
 *                                is activated without the queue: a driver enables its queues first
 *                                (virtio 1.4, 3.1.1), and its write has not been completed
 *   virtio_device_save()         VIRTIO_EBUSY
 */
int virtio_device_queue_mapped(struct virtio_device *device, uint16_t queue);

/* Events */

/*
 * Tells the driver that a queue has used buffers: sets the interrupt status, then calls
 * interrupt().
 *
 * @queue  index
 *
 * After virtio_queue_needs_interrupt() said yes. Free. Does nothing unless the status has
 * DRIVER_OK, nor while a reset is in progress (virtio 1.4, 2.1.2 and 2.4.1).
 */
void virtio_device_interrupt_used(struct virtio_device *device, uint16_t queue);

/*
 * Sets the interrupt status without calling interrupt(), for a device that signals by itself, by an
 * irqfd say.
 *
 * @cause  VIRTIO_INTERRUPT_USED, VIRTIO_INTERRUPT_CONFIG or both
 *
 * Free. Returns whether to signal: false as virtio_device_interrupt_used() does nothing. Signal
 * after this, never before.
 */
VIRTIO_MUST_CHECK
bool virtio_device_mark_interrupt(struct virtio_device *device, uint32_t cause);

/*
 * The configuration space has changed: gives it another generation, and notifies the driver.
 *
 * A register access, like the change itself, which comes first, that of the option config too: so
 * no guest reads half of it under one generation. Before DRIVER_OK the interrupt waits for it;
 * while the status is 0 or a reset is in progress there is no one to tell.
 */
void virtio_device_config_changed(struct virtio_device *device);

/*
 * The device can't go on: sets DEVICE_NEEDS_RESET, and notifies the driver if DRIVER_OK is set
 * (virtio 1.4, 2.1.2). Otherwise the notification waits for DRIVER_OK, which then does not activate
 * the device.
 *
 * Free. Until a reset no notification reaches the device any more. Does nothing while the status is
 * 0 or a reset is in progress: that one ends in an error by virtio_device_reset_done().
 */
void virtio_device_set_needs_reset(struct virtio_device *device);

/* Questions */

/* The status: VIRTIO_CONFIG_S_... Free. */
uint32_t virtio_device_status(const struct virtio_device *device);

/* The causes that the driver has not acknowledged: bits of enum virtio_interrupt. Free. */
uint32_t virtio_device_interrupt_status(const struct virtio_device *device);

/*
 * Whether a feature was negotiated: offered, accepted by the driver, and FEATURES_OK is set.
 *
 * @bit  any number; above 127 the answer is no
 */
bool virtio_device_has_feature(const struct virtio_device *device, uint32_t bit);

/* The configuration of a queue, to start it from; NULL if there is no queue of this index. */
const struct virtio_queue_config *virtio_device_queue_config(const struct virtio_device *device, uint32_t queue);

/* Whether a reset is in progress. Free. */
bool virtio_device_resetting(const struct virtio_device *device);

/*
 * Whether a stop waits for a queue's requests in flight, and which: the number for
 * virtio_device_queue_quiesced().
 *
 * @queue  index
 *
 * Returns 0 if nothing waits for the queue, or there is none of this index. While the device is
 * being reset, the number of that reset; otherwise the number of the stop of this queue. Within
 * reset() and queue_stop() the number of what they begin, so that they can hand it on.
 *
 * Each stop and each reset gets a number when its operation is called first: 1, 2 and so on, for
 * all queues of a device together. After UINT32_MAX comes 1 again.
 *
 * A device pops nothing from a queue for which the answer isn't 0. Asked under the serialisation of
 * register accesses: a thread of the device takes the VMM's lock to complete a request, and asks
 * and reports before it lets go of the lock. A thread that reports under the lock of another time
 * keeps the number, and a report that has come too late is refused.
 */
uint32_t virtio_device_stop_number(const struct virtio_device *device, uint16_t queue);

/*
 * Whether a vCPU that wrote, and was answered VIRTIO_DEVICE_IN_PROGRESS, must still be held: a
 * reset, or the stop or the enabling of a queue, is in progress. To be asked after
 * virtio_device_queue_quiesced(), virtio_device_reset_done(), virtio_device_queue_stopped() and
 * virtio_device_queue_mapped(), and after each write and each virtio_device_reset() of the VMM's
 * own, for a write by one vCPU can end what another waits for. The answer is for the device: a vCPU
 * that waits for one queue may be held until another has ended its wait too. A device ends every
 * wait in the end, by an error if need be.
 */
bool virtio_device_waiting(const struct virtio_device *device);

VIRTIO_END_DECLS

#endif
