/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The fixture of the tests of device core and virtio-mmio, in one struct on the test's stack. Its
 * device records each call of an operation, returns what the test sets, and can serve real queues.
 * Its driver accesses registers through virtio_mmio_read() and virtio_mmio_write(), as a VMM does
 * for a guest. Guest memory has a hole, a read-only part, and memory at both ends of the address
 * space.
 */
#ifndef VIRTIO_TESTS_DEVICE_FIXTURE_H
#define VIRTIO_TESTS_DEVICE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <virtio/device.h>
#include <virtio/device_state.h>
#include <virtio/device_transport.h>
#include <virtio/mmio.h>
#include <virtio/queue_mock.h>
#include <virtio/reader.h>

/* Registers, by the names and offsets of virtio 1.4, 4.2.2. */
enum {
	REG_MAGIC = 0x000,
	REG_VERSION = 0x004,
	REG_DEVICE_ID = 0x008,
	REG_VENDOR_ID = 0x00c,
	REG_DEVICE_FEATURES = 0x010,
	REG_DEVICE_FEATURES_SEL = 0x014,
	REG_DRIVER_FEATURES = 0x020,
	REG_DRIVER_FEATURES_SEL = 0x024,
	REG_QUEUE_SEL = 0x030,
	REG_QUEUE_SIZE_MAX = 0x034,
	REG_QUEUE_SIZE = 0x038,
	REG_QUEUE_READY = 0x044,
	REG_QUEUE_NOTIFY = 0x050,
	REG_INTERRUPT_STATUS = 0x060,
	REG_INTERRUPT_ACK = 0x064,
	REG_STATUS = 0x070,
	REG_QUEUE_DESC = 0x080, /* the low half; the high half is 4 bytes further */
	REG_QUEUE_DRIVER = 0x090,
	REG_QUEUE_DEVICE = 0x0a0,
	REG_SHM_SEL = 0x0ac,
	REG_SHM_LEN = 0x0b0,
	REG_SHM_BASE = 0x0b8,
	REG_QUEUE_RESET = 0x0c0,
	REG_CONFIG_GENERATION = 0x0fc,
	REG_CONFIG = 0x100,
};

/* Status bits (virtio 1.4, 2.1), and the values of the status during a driver's set-up. */
enum {
	ST_ACK = 1,
	ST_DRIVER = 3,
	ST_FEATURES = 0xb,
	ST_OK = 0xf,
	ST_NEEDS_RESET = 0x40,
	ST_FAILED = 0x80,
};

#define FEATURE(bit) ((uint64_t)1 << (bit))
#define F_DEVICE FEATURE(0) /* a feature of this device type */
#define F_INDIRECT FEATURE(28)
#define F_EVENT_IDX FEATURE(29)
#define F_VERSION_1 FEATURE(32)
#define F_IN_ORDER FEATURE(35)
#define F_NOTIFICATION_DATA FEATURE(38)
#define F_RING_RESET FEATURE(40)
/* The features offered in words 2 and 3. */
#define WORD2 0x00000010u
#define WORD3 0x80000000u

/* Memory. */
#define LOW_START 0x0u
#define LOW_BYTES 0x1000u
#define RAM_START 0x10000u
#define RAM_BYTES 0x10000u
#define RAM_END (RAM_START + RAM_BYTES)
#define ROM_START 0x30000u
#define ROM_BYTES 0x1000u
#define TOP_START 0xfffffffffffff000u
#define TOP_BYTES 0x1000u
#define DATA_START (RAM_START + 0x8000u) /* for buffers */

/* Queues. */
#define DEVICE_QUEUES 4u
#define DEVICE_ABSENT 2u /* no queue has this index */
#define DEVICE_MAX_SIZE 32u

enum device_op {
	OP_CHECK,
	OP_ACTIVATE,
	OP_RESET,
	OP_NOTIFY,
	OP_STOP,
	OP_START,
	OP_READ,
	OP_WRITE,
	OP_INTERRUPT,
	OP_COUNT,
};

/* A recorded call of an operation. */
struct device_event {
	enum device_op op;
	uint32_t a; /* queue, offset, cause, or features 0 to 31 */
	uint32_t b; /* available index, length, queue of an interrupt, or features 32 to 63 */
	bool level;
	uint32_t status; /* the device's status during the call */
};

#define DEVICE_EVENTS 64u

struct device_fixture {
	struct virtio_device device;
	struct virtio_queue_registers queues[DEVICE_QUEUES];
	struct virtio_device_options options; /* for virtio_device_init() */
	struct virtio_device_ops ops;
	struct virtio_shm_region shm[2];
	struct virtio_memory_map map;
	struct virtio_region regions[4];

	/* The results of the operations, and a function that each operation calls. */
	int answer[OP_COUNT];
	void (*hook)(struct device_fixture *f, enum device_op op, uint32_t a);
	/*
	 * Whether the device runs real queues. The device copies each request's readable bytes to
	 * the writable bytes.
	 */
	bool serves;
	bool holds; /* only if `serves` is true: whether popped requests stay in flight */

	/* Records of what the device did. */
	struct device_event events[DEVICE_EVENTS];
	uint32_t event_count;
	uint32_t calls[OP_COUNT];
	uint32_t raised, lowered; /* calls of interrupt(), by the level of the line */
	bool line;
	int hook_result;
	uint8_t config[8]; /* the configuration space */

	/* The queues that the device runs. */
	struct virtio_queue served[DEVICE_QUEUES];
	struct virtio_inflight inflight[DEVICE_QUEUES][DEVICE_MAX_SIZE];
	bool running[DEVICE_QUEUES];
	struct virtio_token held[DEVICE_MAX_SIZE];
	uint16_t held_queue[DEVICE_MAX_SIZE];
	uint32_t held_count;

	/* The driver's side. */
	struct virtio_mock mock[DEVICE_QUEUES];
	struct virtio_mock_slot slots[DEVICE_QUEUES][DEVICE_MAX_SIZE];

	/* The copies that device_keep() makes. */
	struct virtio_device kept;
	struct virtio_queue_registers kept_queues[DEVICE_QUEUES];
	uint32_t kept_calls[OP_COUNT];

	_Alignas(16) uint8_t low[LOW_BYTES];
	_Alignas(16) uint8_t ram[RAM_BYTES];
	_Alignas(16) uint8_t rom[ROM_BYTES];
	_Alignas(16) uint8_t top[TOP_BYTES];
};

/*
 * Fills in f->options: every operation, queues 0, 1 and 3, and two shared memory regions. The
 * features are the bits of WORD2 and WORD3, and all F_... of this file except F_VERSION_1.
 */
void device_prepare(struct device_fixture *f);

/* Calls virtio_device_init() with f->options. */
void device_make(struct device_fixture *f);

/* Calls device_prepare() and device_make(). */
void device_setup(struct device_fixture *f);

/* Access registers. reg_write() returns the result of the write; reg_set() asserts that it is 0. */
uint32_t reg_get(struct device_fixture *f, uint64_t offset);
void reg_set(struct device_fixture *f, uint64_t offset, uint32_t value);
int reg_write(struct device_fixture *f, uint64_t offset, uint32_t value);
void reg_set64(struct device_fixture *f, uint64_t offset, uint64_t value);

/* The driver's steps. driver_negotiate() and driver_start() begin at status 0. */
void driver_probe(struct device_fixture *f);                     /* sets DRIVER */
void driver_accept(struct device_fixture *f, uint64_t features); /* writes words 0 and 1 */
/* Takes all steps to FEATURES_OK. The device must accept the features. */
void driver_negotiate(struct device_fixture *f, uint64_t features);
/* Sets the size and the default addresses. */
void driver_place(struct device_fixture *f, uint32_t queue, uint32_t size);
/* Writes QueueReady = 1. Returns whether the queue is enabled. */
bool driver_enable(struct device_fixture *f, uint32_t queue);
/* Calls driver_place() and driver_enable(). Asserts that the queue is enabled. */
void driver_queue(struct device_fixture *f, uint32_t queue, uint32_t size);
/* Takes all steps to DRIVER_OK, with three queues. */
void driver_start(struct device_fixture *f, uint64_t features);

/* Returns the address at which driver_place() puts an area. */
uint64_t driver_area(uint32_t queue, enum virtio_queue_area area);

/*
 * driver_mock() initializes the mock driver of a queue, with the addresses of driver_place().
 * driver_add() adds a request with 8 readable and 8 writable bytes.
 */
void driver_mock(struct device_fixture *f, uint32_t queue, uint32_t size);
uint16_t driver_add(struct device_fixture *f, uint32_t queue, uint8_t byte);
/*
 * Pops a used element. Checks that the request at `head` was served, and that each writable byte
 * of the request is `byte`.
 */
void driver_expect(struct device_fixture *f, uint32_t queue, uint16_t head, uint8_t byte);
void driver_expect_none(struct device_fixture *f, uint32_t queue);

/*
 * device_start_queue() starts a real queue with the driver's configuration. device_stop_queue()
 * resets the queue, so requests in flight become stale.
 */
int device_start_queue(struct device_fixture *f, uint32_t queue);
void device_stop_queue(struct device_fixture *f, uint32_t queue);

/*
 * Completes all held requests, with interrupts. Returns the number of stale completions.
 */
uint32_t device_release(struct device_fixture *f);

/* Clears the records of events and calls. */
void device_forget(struct device_fixture *f);

/* Checks that event number n exists and has this kind and these arguments. */
void expect_event(const struct device_fixture *f, uint32_t n, enum device_op op, uint32_t a, uint32_t b);

/*
 * Returns whether two devices have the same set-up and state. Ignores counters and the first error.
 */
bool device_same(const struct virtio_device *a, const struct virtio_queue_registers *a_queues,
		 const struct virtio_device *b, const struct virtio_queue_registers *b_queues);

/*
 * device_keep() keeps a copy of the device. device_unchanged() returns whether the device is still
 * the same, and no operation was called since.
 */
void device_keep(struct device_fixture *f);
bool device_unchanged(const struct device_fixture *f);

/*
 * Returns whether the device equals a new device. Ignores the generation, counters and the first
 * error.
 */
bool device_is_fresh(const struct device_fixture *f);

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

#endif
