/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The device and the driver of the device tests. */
#include "device_fixture.h"

static struct device_fixture *fixture_of(const struct virtio_device *device)
{
	return device->context;
}

/* Records a call, calls the test's hook, and returns the planned result. */
static int record(struct virtio_device *device, enum device_op op, uint32_t a, uint32_t b, bool level)
{
	struct device_fixture *f = fixture_of(device);

	if (f->event_count < DEVICE_EVENTS) {
		f->events[f->event_count++] = (struct device_event){ op, a, b, level, virtio_device_status(device) };
	}
	f->calls[op]++;
	if (f->hook)
		f->hook(f, op, a);
	return f->answer[op];
}

/* Served queues */

int device_start_queue(struct device_fixture *f, uint32_t queue)
{
	const struct virtio_queue_config *config = virtio_device_queue_config(&f->device, queue);
	int error = virtio_queue_init(&f->served[queue], f->inflight[queue], DEVICE_MAX_SIZE);

	if (!error)
		error = virtio_queue_start(&f->served[queue], config, f->device.memory);
	f->running[queue] = !error;
	return error;
}

void device_stop_queue(struct device_fixture *f, uint32_t queue)
{
	if (f->running[queue])
		virtio_queue_reset(&f->served[queue]);
	f->running[queue] = false;
}

static uint32_t echo(struct virtio_chain *chain)
{
	struct virtio_segment segments[8];
	struct virtio_chain_segments resolved = { .segments = segments, .capacity = 8 };
	uint8_t bytes[64];
	struct virtio_reader reader;
	struct virtio_writer writer;

	if (virtio_chain_resolve(chain, &resolved))
		return 0;
	virtio_reader_init(&reader, &resolved);
	virtio_writer_init(&writer, &resolved);
	(void)virtio_writer_write(&writer, bytes, virtio_reader_read(&reader, bytes, sizeof bytes));
	return (uint32_t)virtio_writer_done(&writer);
}

static void serve(struct device_fixture *f, uint16_t queue)
{
	struct virtio_chain chain = { 0 };
	int got;

	assert_true(f->running[queue]);
	do {
		while ((got = virtio_queue_pop(&f->served[queue], &chain)) == 1) {
			if (f->holds) {
				f->held_queue[f->held_count] = queue;
				f->held[f->held_count++] = chain.token;
			} else {
				assert_int_equal(virtio_queue_complete(&f->served[queue], chain.token, echo(&chain)),
						 0);
			}
		}
	} while (got == 0 && virtio_queue_enable_kicks(&f->served[queue]) == 1);
	if (virtio_queue_needs_interrupt(&f->served[queue]))
		virtio_device_interrupt_used(&f->device, queue);
	if (got < 0)
		virtio_device_set_needs_reset(&f->device);
}

uint32_t device_release(struct device_fixture *f)
{
	uint32_t stale = 0;

	for (uint32_t i = 0; i < f->held_count; i++) {
		const uint16_t queue = f->held_queue[i];

		if (virtio_queue_complete(&f->served[queue], f->held[i], 0) != 0)
			stale++;
		virtio_device_interrupt_used(&f->device, queue);
	}
	f->held_count = 0;
	return stale;
}

/* Operations */

static int op_check(struct virtio_device *device, const uint32_t features[VIRTIO_FEATURE_WORDS])
{
	return record(device, OP_CHECK, features[0], features[1], false);
}

static int op_activate(struct virtio_device *device)
{
	struct device_fixture *f = fixture_of(device);
	int error = record(device, OP_ACTIVATE, 0, 0, false);

	for (uint32_t i = 0; i < DEVICE_QUEUES && f->serves && !error; i++) {
		if (f->queues[i].config.ready)
			error = device_start_queue(f, i);
		/*
		 * The configuration was checked when the queue was enabled. So the start can fail
		 * only if the memory no longer exists.
		 */
		assert_true(!error || !device->memory);
	}
	return error;
}

static int op_reset(struct virtio_device *device)
{
	struct device_fixture *f = fixture_of(device);
	const int result = record(device, OP_RESET, 0, 0, false);

	if (f->held_count != 0)
		return VIRTIO_DEVICE_IN_PROGRESS;
	for (uint32_t i = 0; i < DEVICE_QUEUES && result == 0; i++)
		device_stop_queue(f, i);
	return result;
}

static void op_notify(struct virtio_device *device, uint16_t queue, uint16_t next)
{
	struct device_fixture *f = fixture_of(device);

	(void)record(device, OP_NOTIFY, queue, next, false);
	if (f->serves)
		serve(f, queue);
}

static int op_stop(struct virtio_device *device, uint16_t queue)
{
	struct device_fixture *f = fixture_of(device);
	const int result = record(device, OP_STOP, queue, 0, false);

	if (f->held_count != 0)
		return VIRTIO_DEVICE_IN_PROGRESS;
	if (result == 0)
		device_stop_queue(f, queue);
	return result;
}

static int op_start(struct virtio_device *device, uint16_t queue)
{
	struct device_fixture *f = fixture_of(device);
	const int error = record(device, OP_START, queue, 0, false);

	return f->serves && !error ? device_start_queue(f, queue) : error;
}

static void op_read(struct virtio_device *device, uint32_t offset, void *data, uint32_t len)
{
	struct device_fixture *f = fixture_of(device);

	(void)record(device, OP_READ, offset, len, false);
	assert_true(len != 0 && offset <= sizeof f->config && len <= sizeof f->config - offset);
	memcpy(data, f->config + offset, len);
}

/* The last two bytes are read-only. */
static void op_write(struct virtio_device *device, uint32_t offset, const void *data, uint32_t len)
{
	struct device_fixture *f = fixture_of(device);
	const uint8_t *bytes = data;

	(void)record(device, OP_WRITE, offset, len, false);
	assert_true(len != 0 && offset <= sizeof f->config && len <= sizeof f->config - offset);
	for (uint32_t i = 0; i < len && offset + i < 6; i++)
		f->config[offset + i] = bytes[i];
}

static void op_interrupt(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	struct device_fixture *f = fixture_of(device);

	f->line = level;
	if (level)
		f->raised++;
	else
		f->lowered++;
	(void)record(device, OP_INTERRUPT, (uint32_t)cause, queue, level);
}

/* Making the device */

static void make_memory(struct device_fixture *f)
{
	const struct virtio_region regions[] = {
		{ .addr = LOW_START, .len = LOW_BYTES, .host = f->low },
		{ .addr = RAM_START, .len = RAM_BYTES, .host = f->ram },
		{ .addr = ROM_START, .len = ROM_BYTES, .host = f->rom, .flags = VIRTIO_REGION_READ_ONLY },
		{ .addr = TOP_START, .len = TOP_BYTES, .host = f->top },
	};

	memcpy(f->regions, regions, sizeof regions);
	assert_int_equal(virtio_memory_map_init(&f->map, f->regions, COUNT(f->regions)), 0);
}

void device_prepare(struct device_fixture *f)
{
	const uint64_t features = F_DEVICE | F_INDIRECT | F_EVENT_IDX | F_IN_ORDER | F_NOTIFICATION_DATA | F_RING_RESET;

	memset(f, 0, sizeof *f);
	make_memory(f);
	f->ops = (struct virtio_device_ops){ op_check, op_activate, op_reset, op_notify,   op_stop,
					     op_start, op_read,     op_write, op_interrupt };
	f->shm[0] = (struct virtio_shm_region){ 0x1122334455667788, 0x99aabbccddeeff00, 0 };
	f->shm[1] = (struct virtio_shm_region){ 0x100000, 0x4000, 255 };
	f->queues[0].config.max_size = 16;
	f->queues[1].config.max_size = 8;
	f->queues[3].config.max_size = DEVICE_MAX_SIZE;
	f->options = (struct virtio_device_options){
		.ops = &f->ops,
		.context = f,
		.type = 4,
		.vendor = 0x12345678,
		.features = { (uint32_t)features, (uint32_t)(features >> 32), WORD2, WORD3 },
		.queues = f->queues,
		.num_queues = DEVICE_QUEUES,
		.config_size = sizeof f->config,
		.shm = f->shm,
		.num_shm = COUNT(f->shm),
		.memory = &f->map,
	};
	for (uint8_t i = 0; i < sizeof f->config; i++)
		f->config[i] = (uint8_t)(0xa0 + i);
}

void device_make(struct device_fixture *f)
{
	assert_int_equal(virtio_device_init(&f->device, &f->options), 0);
}

void device_setup(struct device_fixture *f)
{
	device_prepare(f);
	device_make(f);
}

/* Registers */

uint32_t reg_get(struct device_fixture *f, uint64_t offset)
{
	uint8_t bytes[4];

	virtio_mmio_read(&f->device, offset, bytes, sizeof bytes);
	return virtio_get_le32(bytes);
}

int reg_write(struct device_fixture *f, uint64_t offset, uint32_t value)
{
	uint8_t bytes[4];

	virtio_put_le32(bytes, value);
	return virtio_mmio_write(&f->device, offset, bytes, sizeof bytes);
}

void reg_set(struct device_fixture *f, uint64_t offset, uint32_t value)
{
	assert_int_equal(reg_write(f, offset, value), 0);
}

void reg_set64(struct device_fixture *f, uint64_t offset, uint64_t value)
{
	reg_set(f, offset, (uint32_t)value);
	reg_set(f, offset + 4, (uint32_t)(value >> 32));
}

/* The driver */

void driver_probe(struct device_fixture *f)
{
	reg_set(f, REG_STATUS, ST_ACK);
	reg_set(f, REG_STATUS, ST_DRIVER);
	assert_int_equal(reg_get(f, REG_STATUS), ST_DRIVER);
}

void driver_accept(struct device_fixture *f, uint64_t features)
{
	reg_set(f, REG_DRIVER_FEATURES_SEL, 0);
	reg_set(f, REG_DRIVER_FEATURES, (uint32_t)features);
	reg_set(f, REG_DRIVER_FEATURES_SEL, 1);
	reg_set(f, REG_DRIVER_FEATURES, (uint32_t)(features >> 32));
}

void driver_negotiate(struct device_fixture *f, uint64_t features)
{
	driver_probe(f);
	driver_accept(f, features | F_VERSION_1);
	reg_set(f, REG_STATUS, ST_FEATURES);
	assert_int_equal(reg_get(f, REG_STATUS), ST_FEATURES);
}

uint64_t driver_area(uint32_t queue, enum virtio_queue_area area)
{
	return RAM_START + 0x1000 * (uint64_t)queue + 0x400 * (uint64_t)area;
}

void driver_place(struct device_fixture *f, uint32_t queue, uint32_t size)
{
	reg_set(f, REG_QUEUE_SEL, queue);
	reg_set(f, REG_QUEUE_SIZE, size);
	reg_set64(f, REG_QUEUE_DESC, driver_area(queue, VIRTIO_QUEUE_DESC));
	reg_set64(f, REG_QUEUE_DRIVER, driver_area(queue, VIRTIO_QUEUE_AVAIL));
	reg_set64(f, REG_QUEUE_DEVICE, driver_area(queue, VIRTIO_QUEUE_USED));
}

bool driver_enable(struct device_fixture *f, uint32_t queue)
{
	reg_set(f, REG_QUEUE_SEL, queue);
	reg_set(f, REG_QUEUE_READY, 1);
	return reg_get(f, REG_QUEUE_READY) == 1;
}

void driver_queue(struct device_fixture *f, uint32_t queue, uint32_t size)
{
	driver_place(f, queue, size);
	assert_true(driver_enable(f, queue));
}

void driver_start(struct device_fixture *f, uint64_t features)
{
	driver_negotiate(f, features);
	driver_queue(f, 0, 16);
	driver_queue(f, 1, 8);
	driver_queue(f, 3, DEVICE_MAX_SIZE);
	reg_set(f, REG_STATUS, ST_OK);
	assert_int_equal(reg_get(f, REG_STATUS), ST_OK);
}

void driver_mock(struct device_fixture *f, uint32_t queue, uint32_t size)
{
	struct virtio_mock *mock = &f->mock[queue];

	assert_int_equal(
		virtio_mock_init(mock, &f->map, driver_area(queue, VIRTIO_QUEUE_DESC), size, f->slots[queue], size), 0);
	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++) {
		const enum virtio_queue_area area = (enum virtio_queue_area)i;

		assert_int_equal(virtio_mock_place(mock, area, driver_area(queue, area)), 0);
	}
	assert_int_equal(virtio_mock_reset(mock), 0);
}

/* Returns the address of a request's 8 readable bytes. Its 8 writable bytes follow. */
static uint64_t data_of(uint32_t queue, uint32_t number)
{
	return DATA_START + 0x1000 * (uint64_t)queue + 16 * (uint64_t)number;
}

uint16_t driver_add(struct device_fixture *f, uint32_t queue, uint8_t byte)
{
	const uint64_t data = data_of(queue, byte);
	const struct virtio_mock_buffer buffers[] = { { data, 8, 0 }, { data + 8, 8, VRING_DESC_F_WRITE } };
	uint8_t bytes[16] = { 0 };
	int head;

	memset(bytes, byte, 8);
	assert_int_equal(virtio_memory_write(&f->mock[queue].memory, data, bytes, sizeof bytes), 0);
	head = virtio_mock_add(&f->mock[queue], buffers, 2);
	assert_true(head >= 0);
	return (uint16_t)head;
}

void driver_expect(struct device_fixture *f, uint32_t queue, uint16_t head, uint8_t byte)
{
	struct vring_used_elem used = { 0, 0 };
	uint8_t bytes[8], wanted[8];

	assert_int_equal(virtio_mock_pop_used(&f->mock[queue], &used), 1);
	assert_int_equal(used.id, head);
	assert_int_equal(used.len, 8);
	memset(wanted, byte, sizeof wanted);
	assert_int_equal(virtio_memory_read(&f->mock[queue].memory, data_of(queue, byte) + 8, bytes, sizeof bytes), 0);
	assert_memory_equal(bytes, wanted, sizeof wanted);
}

void driver_expect_none(struct device_fixture *f, uint32_t queue)
{
	struct vring_used_elem used;

	assert_int_equal(virtio_mock_pop_used(&f->mock[queue], &used), 0);
}

/* Records */

void device_forget(struct device_fixture *f)
{
	f->event_count = 0;
	memset(f->calls, 0, sizeof f->calls);
	f->raised = 0;
	f->lowered = 0;
}

void expect_event(const struct device_fixture *f, uint32_t n, enum device_op op, uint32_t a, uint32_t b)
{
	assert_true(n < f->event_count);
	assert_int_equal(f->events[n].op, op);
	assert_int_equal(f->events[n].a, a);
	assert_int_equal(f->events[n].b, b);
}

static bool same_queue(const struct virtio_queue_registers *a, const struct virtio_queue_registers *b)
{
	const struct virtio_queue_config *x = &a->config, *y = &b->config;

	return memcmp(x->addr, y->addr, sizeof x->addr) == 0 && x->max_size == y->max_size && x->size == y->size &&
	       x->ready == y->ready && x->event_idx == y->event_idx && x->indirect == y->indirect &&
	       x->in_order == y->in_order && x->allow_unnegotiated_indirect == y->allow_unnegotiated_indirect &&
	       x->allow_long_indirect == y->allow_long_indirect && a->stopping == b->stopping &&
	       a->resetting == b->resetting && a->may_reenable == b->may_reenable && a->enabling == b->enabling &&
	       a->given == b->given && a->refused == b->refused && a->stop_number == b->stop_number;
}

/* Compares the members that virtio_device_init() copies from options, except `device_queues`. */
static bool same_making(const struct virtio_device *a, const struct virtio_device *b)
{
	return a->ops == b->ops && a->context == b->context && a->memory == b->memory && a->queues == b->queues &&
	       a->shm == b->shm && a->num_queues == b->num_queues && a->num_shm == b->num_shm && a->type == b->type &&
	       a->vendor == b->vendor && a->config_size == b->config_size && a->config == b->config &&
	       memcmp(a->offered, b->offered, sizeof a->offered) == 0;
}

/* Compares the queues, and the members of the device that a reset clears. */
static bool same_state(const struct virtio_device *a, const struct virtio_queue_registers *a_queues,
		       const struct virtio_device *b, const struct virtio_queue_registers *b_queues)
{
	for (uint32_t i = 0; i < DEVICE_QUEUES; i++) {
		if (!same_queue(&a_queues[i], &b_queues[i]))
			return false;
	}
	return memcmp(a->accepted, b->accepted, sizeof a->accepted) == 0 && a->accepted_beyond == b->accepted_beyond &&
	       a->active == b->active && a->reset_pending == b->reset_pending && a->reset_number == b->reset_number &&
	       a->device_features_sel == b->device_features_sel && a->driver_features_sel == b->driver_features_sel &&
	       a->queue_sel == b->queue_sel && a->shm_sel == b->shm_sel && a->live == b->live;
}

bool device_same(const struct virtio_device *a, const struct virtio_queue_registers *a_queues,
		 const struct virtio_device *b, const struct virtio_queue_registers *b_queues)
{
	return same_making(a, b) && same_state(a, a_queues, b, b_queues) && a->generation == b->generation;
}

void device_keep(struct device_fixture *f)
{
	f->kept = f->device;
	memcpy(f->kept_queues, f->queues, sizeof f->queues);
	memcpy(f->kept_calls, f->calls, sizeof f->calls);
}

bool device_unchanged(const struct device_fixture *f)
{
	return device_same(&f->device, f->queues, &f->kept, f->kept_queues) &&
	       memcmp(f->calls, f->kept_calls, sizeof f->calls) == 0;
}

bool device_is_fresh(const struct device_fixture *f)
{
	struct virtio_device fresh;
	struct virtio_queue_registers queues[DEVICE_QUEUES];
	struct virtio_device_options options = f->options;

	memset(queues, 0, sizeof queues);
	for (uint32_t i = 0; i < DEVICE_QUEUES; i++)
		queues[i].config.max_size = f->queues[i].config.max_size;
	options.queues = queues;
	assert_int_equal(virtio_device_init(&fresh, &options), 0);
	fresh.queues = f->device.queues;
	return same_making(&f->device, &fresh) && same_state(&f->device, f->queues, &fresh, queues);
}
