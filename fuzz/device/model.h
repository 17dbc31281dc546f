/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What a device core and its registers must do, written from virtio 1.4 and the comments of the
 * public headers.
 *
 * The model takes a step first. Its state is then the state that the library must have afterwards.
 * It also leaves a list of the operations that the library must call: each with its arguments, its
 * place in the order, and what can be seen meanwhile. The answer of an operation, and what other
 * threads do while it runs, are planned before and are part of the list.
 */
#ifndef VIRTIO_FUZZ_DEVICE_MODEL_H
#define VIRTIO_FUZZ_DEVICE_MODEL_H

#include <virtio/device_state.h>
#include <virtio/device_transport.h>

#include "../common/shadow_memory.h"

#define DEVICE_QUEUES 4u
#define DEVICE_CONFIG 80u /* bytes of configuration space at most */
#define DEVICE_REGIONS 3u /* of shared memory */
#define DEVICE_ACCESS 16u /* bytes of an access at most */
#define DEVICE_CALLS 64u  /* most calls of operations in one step */

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

/* What happens while an operation runs: the operation or another thread makes these calls. */
enum device_event {
	EVENT_NONE,
	EVENT_USED,
	EVENT_MARK,
	EVENT_NEEDS_RESET,
	EVENT_CONFIG_CHANGED, /* not within interrupt() */
	EVENT_RESET_DONE,     /* a report that is too early: only within reset() */
	/* By a vCPU: only within interrupt(), and not if interrupt() runs on a vCPU's thread. */
	EVENT_ACK,
	/*
	 * By a vCPU, as above. Only a reset that does not succeed at once, because the device is
	 * busy.
	 */
	EVENT_RESET,
	EVENT_KINDS,
};

/* What the next call of an operation must cause. */
struct device_plan {
	int answer;
	enum device_event event;
	uint16_t argument; /* queue, or causes */
	bool late;         /* for interrupt(): the event comes before the call takes effect */
};

/* A call that must come. */
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

	/* The device as the operation must see it. */
	uint32_t status;
	uint32_t interrupt_status;
	bool resetting;
	uint32_t numbers[DEVICE_QUEUES]; /* number of the operation that waits for each queue */
	int event_result;
};

struct device_model_queue {
	struct virtio_queue_config config;
	uint32_t stop_number; /* from the call of queue_stop() on until the stop has ended */
	bool stopping;
	bool resetting;
	bool enabling; /* will be enabled when a translation is known */
	bool may_reenable;
	bool given[3];   /* the last write to the low half of each area's address was legal */
	bool refused[4]; /* the last value was illegal; the fourth is the size */
};

struct device_model {
	/* What the device is made of. */
	struct virtio_device_options options;
	struct virtio_shm_region shm[DEVICE_REGIONS];
	uint16_t max_size[DEVICE_QUEUES];
	uint8_t config[DEVICE_CONFIG];
	struct shadow_map *map; /* or NULL */

	/* What the driver can see or has set. */
	uint32_t status;
	uint32_t interrupt_status;
	uint32_t accepted[VIRTIO_FEATURE_WORDS];
	bool accepted_beyond;
	bool active;
	bool resetting;     /* reset() runs, or is in progress */
	bool reset_pending; /* a reset is in progress */
	uint32_t reset_number;
	uint32_t last_number; /* last number of a stop or a reset */
	uint32_t device_features_sel;
	uint32_t driver_features_sel;
	uint32_t queue_sel;
	uint32_t shm_sel;
	uint32_t generation;
	uint32_t resets;
	struct device_model_queue queues[DEVICE_QUEUES];

	/* For the operator. */
	uint64_t ignored;
	uint64_t first_errors; /* a set of allowed errors; empty for none */
	uint16_t first_queue;

	/*
	 * line: whether the line is up. marked: whether the device has signalled by itself, which
	 * does not change the line.
	 */
	bool line;
	bool marked;

	/* The step. */
	struct device_plan plans[CALL_KINDS];
	struct device_record calls[DEVICE_CALLS];
	uint32_t call_count;
	uint32_t calls_seen;
	bool on_vcpu; /* the step is a register access */
};

/* A device as after virtio_device_init(). */
void device_model_init(struct device_model *m, const struct virtio_device_options *options, struct shadow_map *map);

/* Begins a step; on_vcpu if the step is a register access. */
void device_model_begin(struct device_model *m, bool on_vcpu);

bool device_model_has(const struct device_model *m, uint32_t bit);
const struct device_model_queue *device_model_queue(const struct device_model *m, uint32_t index);

/* Makes a mask of given or of refused, as a device and its saved state have them. */
uint8_t device_model_bits(const bool *flags, uint32_t count);

/* Whether the device serves this queue: it's started, and not stopped completely. */
bool device_model_runs(const struct device_model *m, uint32_t index);

/* The errors for which a queue can't be enabled with the memory as it is. */
uint64_t device_model_queue_errors(const struct device_model *m, const struct virtio_queue_config *config);

/* Whether the queue's place has no fault yet, and a part of it is not mapped. */
bool device_model_queue_waits(const struct device_model *m, const struct virtio_queue_config *config);

/*
 * The first returns the core's errors for the features, empty if there are none. The second asks
 * the device, and returns its error.
 */
uint64_t device_model_feature_errors(const struct device_model *m, const uint32_t accepted[VIRTIO_FEATURE_WORDS],
				     bool beyond);
uint64_t device_model_veto(struct device_model *m, const uint32_t accepted[VIRTIO_FEATURE_WORDS]);

/* Whether the line should be high. */
bool device_model_pending(const struct device_model *m);

/*
 * What the registers mean. A bool says whether a write had an effect; an int is what the write
 * returns.
 */
bool device_model_accept_features(struct device_model *m, uint32_t value);
bool device_model_set_size(struct device_model *m, uint32_t size);
bool device_model_set_addr(struct device_model *m, int area, bool high, uint32_t value);
int device_model_write_status(struct device_model *m, uint32_t value);
int device_model_write_ready(struct device_model *m, uint32_t value);
int device_model_write_queue_reset(struct device_model *m, uint32_t value);
void device_model_notify(struct device_model *m, uint32_t value);
void device_model_ack(struct device_model *m, uint32_t causes);

/* The configuration space, and the interrupt status that is read and cleared. */
void device_model_read_config(struct device_model *m, uint64_t offset, uint8_t *data, uint32_t len);
void device_model_write_config(struct device_model *m, uint64_t offset, const uint8_t *data, uint32_t len);
uint32_t device_model_take_interrupt(struct device_model *m);

/* Events. */
int device_model_reset(struct device_model *m);
int device_model_queue_mapped(struct device_model *m, uint16_t queue);

/*
 * The ends of a reset and of a stop that wait for requests in flight, and the question whether a
 * reset has ended.
 */
uint32_t device_model_stop_number(const struct device_model *m, uint32_t index);
void device_model_end_reset(struct device_model *m, int error);
void device_model_end_stop(struct device_model *m, uint16_t index, int error);
int device_model_ask_reset(struct device_model *m);

void device_model_used(struct device_model *m, uint16_t queue);
bool device_model_mark(struct device_model *m, uint32_t cause);
void device_model_needs_reset(struct device_model *m);
void device_model_config_changed(struct device_model *m);

/* After a restore. */
void device_model_resume(struct device_model *m);

#endif
