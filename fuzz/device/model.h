/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The model of a device core and its registers, written from virtio 1.4 and the comments of the
 * public headers.
 *
 * The model takes each step before the library. The library must then reach the model's state. The
 * model also makes a list of the operations that the library must call, in order. An entry has the
 * arguments of the call and the device's state during the call. An entry also has the planned
 * result of the operation, and the planned event during the call.
 */
#ifndef VIRTIO_FUZZ_DEVICE_MODEL_H
#define VIRTIO_FUZZ_DEVICE_MODEL_H

#include <virtio/device_state.h>
#include <virtio/device_transport.h>

#include "../common/shadow_memory.h"

#define DEVICE_QUEUES 4u
#define DEVICE_CONFIG 80u /* largest configuration space, in bytes */
#define DEVICE_REGIONS 3u /* regions of shared memory */
#define DEVICE_ACCESS 16u /* largest access, in bytes */
#define DEVICE_CALLS 64u  /* largest number of operation calls in one step */

/* The operations. */
enum device_call {
	CALL_FEATURES,
	CALL_ACTIVATE,
	CALL_RESET,
	CALL_NOTIFY,
	CALL_STOP,
	CALL_START,
	CALL_CONFIG_READ,
	CALL_CONFIG_WRITE,
	CALL_INTERRUPT,
	CALL_KINDS,
};

/* An event while an operation runs. The operation itself or another thread causes the event. */
enum device_event {
	EVENT_NONE,
	EVENT_USED,
	EVENT_MARK,
	EVENT_NEEDS_RESET,
	EVENT_CONFIG_CHANGED, /* not within interrupt() */
	EVENT_RESET_DONE,     /* a report that arrives too early; only within reset() */
	/* Another vCPU acknowledges. Only within interrupt(), and not during a register access. */
	EVENT_ACK,
	/*
	 * Another vCPU resets the device. The limits of EVENT_ACK apply, and reset() must not
	 * succeed at once.
	 */
	EVENT_RESET,
	EVENT_KINDS,
};

/* The plan for the next call of an operation: its result, and the event during the call. */
struct device_plan {
	int answer;
	enum device_event event;
	uint16_t argument; /* the event's queue or causes */
	bool late;         /* for interrupt(): the event happens before the line changes */
};

/* A call that the library must make. */
struct device_record {
	enum device_call call;
	struct device_plan plan;
	uint16_t queue;
	uint16_t next;
	enum virtio_interrupt cause;
	bool level;
	uint32_t offset;
	uint32_t len;
	uint8_t data[DEVICE_ACCESS];
	uint32_t features[VIRTIO_FEATURE_WORDS];

	/* The device's state during the call. */
	uint32_t status;
	uint32_t interrupt_status;
	bool resetting;
	uint32_t numbers[DEVICE_QUEUES]; /* virtio_device_stop_number() of each queue */
	int event_result;
};

struct device_model_queue {
	struct virtio_queue_config config;
	uint32_t stop_number; /* valid from the call of queue_stop() until the stop has ended */
	bool stopping;
	bool resetting;
	bool enabling; /* QueueReady = 1 waits until the areas are mapped */
	bool may_reenable;
	bool given[3];   /* for each area: the last write to the address's low half was legal */
	bool refused[4]; /* for each area, then for the size: the last write was illegal */
};

struct device_model {
	/* The device's set-up. */
	struct virtio_device_options options;
	struct virtio_shm_region shm[DEVICE_REGIONS];
	uint16_t max_size[DEVICE_QUEUES];
	uint8_t config[DEVICE_CONFIG];
	struct shadow_map *map; /* NULL if the device has no memory */

	/* State that the driver sees or has set. */
	uint32_t status;
	uint32_t interrupt_status;
	uint32_t accepted[VIRTIO_FEATURE_WORDS];
	bool accepted_beyond;
	bool active;
	bool resetting;     /* the operation reset() runs, or a reset is in progress */
	bool reset_pending; /* reset() has returned VIRTIO_DEVICE_IN_PROGRESS */
	uint32_t reset_number;
	uint32_t last_number; /* last number of a stop or a reset */
	uint32_t device_features_sel;
	uint32_t driver_features_sel;
	uint32_t queue_sel;
	uint32_t shm_sel;
	uint32_t generation;
	uint32_t resets;
	struct device_model_queue queues[DEVICE_QUEUES];

	/* Counters and errors for the operator. */
	uint64_t ignored;
	uint64_t first_errors; /* the set of errors that first_error may have; 0 if no error */
	uint16_t first_queue;

	bool line; /* the interrupt line is high */
	/*
	 * After virtio_device_mark_interrupt() or a restore the line may disagree with the causes.
	 */
	bool marked;

	/* The present step. */
	struct device_plan plans[CALL_KINDS];
	struct device_record calls[DEVICE_CALLS];
	uint32_t call_count;
	uint32_t calls_seen;
	bool on_vcpu; /* the step is a register access */
};

/* Makes the model of a device in the state that virtio_device_init() sets. */
void device_model_init(struct device_model *m, const struct virtio_device_options *options, struct shadow_map *map);

/* Begins a step. on_vcpu is true if the step is a register access. */
void device_model_begin(struct device_model *m, bool on_vcpu);

bool device_model_has(const struct device_model *m, uint32_t bit);
const struct device_model_queue *device_model_queue(const struct device_model *m, uint32_t index);

/* Makes a bit mask, as in the device and its saved state, from the array `given` or `refused`. */
uint8_t device_model_bits(const bool *flags, uint32_t count);

/*
 * Returns whether the device serves this queue. A queue whose stop is in progress is still served.
 */
bool device_model_runs(const struct device_model *m, uint32_t index);

/* Returns the errors of the queue's areas in the present memory, or 0. */
uint64_t device_model_queue_errors(const struct device_model *m, const struct virtio_queue_config *config);

/* Checks the areas in order. Returns whether the first error is a page that is not mapped yet. */
bool device_model_queue_waits(const struct device_model *m, const struct virtio_queue_config *config);

/*
 * The first function returns the core's errors for the features, or 0. The second function expects
 * a call of check_features(), if the device has this operation. The second function returns the
 * bit of VIRTIO_ENOTSUP if check_features() fails, else 0.
 */
uint64_t device_model_feature_errors(const struct device_model *m, const uint32_t accepted[VIRTIO_FEATURE_WORDS],
				     bool beyond);
uint64_t device_model_veto(struct device_model *m, const uint32_t accepted[VIRTIO_FEATURE_WORDS]);

/* Returns whether the line must be high. */
bool device_model_pending(const struct device_model *m);

/*
 * Writes to registers. A function of type bool returns false if the library must count the write as
 * ignored. A function of type int returns the value that the library's write must return.
 */
bool device_model_accept_features(struct device_model *m, uint32_t value);
bool device_model_set_size(struct device_model *m, uint32_t size);
bool device_model_set_addr(struct device_model *m, int area, bool high, uint32_t value);
int device_model_write_status(struct device_model *m, uint32_t value);
int device_model_write_ready(struct device_model *m, uint32_t value);
int device_model_write_queue_reset(struct device_model *m, uint32_t value);
void device_model_notify(struct device_model *m, uint32_t value);
void device_model_ack(struct device_model *m, uint32_t causes);

/* Accesses to the configuration space, and a read that clears the interrupt status. */
void device_model_read_config(struct device_model *m, uint64_t offset, uint8_t *data, uint32_t len);
void device_model_write_config(struct device_model *m, uint64_t offset, const uint8_t *data, uint32_t len);
uint32_t device_model_take_interrupt(struct device_model *m);

/* Requests of the VMM. */
int device_model_reset(struct device_model *m);
int device_model_queue_mapped(struct device_model *m, uint16_t queue);

/*
 * Resets and stops that wait for requests in flight. device_model_ask_reset() expects a call of
 * reset(), and returns its planned result. The reset has ended unless the result is
 * VIRTIO_DEVICE_IN_PROGRESS.
 */
uint32_t device_model_stop_number(const struct device_model *m, uint32_t index);
void device_model_end_reset(struct device_model *m, int error);
void device_model_end_stop(struct device_model *m, uint16_t index, int error);
int device_model_ask_reset(struct device_model *m);

void device_model_used(struct device_model *m, uint16_t queue);
bool device_model_mark(struct device_model *m, uint32_t cause);
void device_model_needs_reset(struct device_model *m);
void device_model_config_changed(struct device_model *m);

/* Resumes the device after a restore. */
void device_model_resume(struct device_model *m);

#endif
