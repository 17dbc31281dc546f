/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests of a whole device over virtio-mmio, with real queues and a driver at its registers. The
 * tests check the negotiation, resets, interrupts, and the times at which the device may use a
 * queue.
 */
#include "../common/fixture.h"
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_mmio.h>
#include <virtio/mmio.h>

#define QUEUES 2u
#define SIZE 8u
#define RAM_BYTES 0x6000u
/* Room for the rings of one queue. setup() puts the rings of queue i at (i + 1) * RING_BYTES. */
#define RING_BYTES 0x1000u
#define DATA 0x5000u
#define CONFIG_BYTES 12u

#define QUEUE_RESET 0x0c0 /* register of virtio 1.4, 4.2.2 */
#define SUSPEND 16u       /* status bit of virtio 1.4, 2.1 */
#define PROBED (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER)
#define RUNNING (PROBED | VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK)

struct guest {
	uint8_t ram[RAM_BYTES];
	uint8_t before[RAM_BYTES];
	struct virtio_region region;
	struct virtio_memory_map map;
	struct virtio_mock mock[QUEUES];
	struct virtio_mock_slot slots[QUEUES][SIZE];

	struct virtio_device device;
	struct virtio_queue_registers registers[QUEUES];
	struct virtio_queue queues[QUEUES];
	struct virtio_inflight inflight[QUEUES][SIZE];
	uint8_t config[CONFIG_BYTES];
	bool slow; /* whether resets and stops need a report to end */
	/*
	 * Number of calls of start() and of notify(). The calls of start() by activate() are
	 * included. Between watch() and expect_silence() neither function may be called.
	 */
	uint32_t calls;
	uint32_t events; /* interrupts that were raised */
};

static const struct virtio_mock_buffer one[] = { WRITABLE(DATA, 16) };

/* The device completes every buffer at once */

static int start(struct virtio_device *device, uint16_t queue)
{
	struct guest *g = device->context;

	g->calls++;
	return virtio_queue_start(&g->queues[queue], virtio_device_queue_config(device, queue), device->memory);
}

static int activate(struct virtio_device *device)
{
	for (uint16_t i = 0; i < QUEUES; i++)
		if (virtio_device_queue_config(device, i)->ready)
			assert_int_equal(start(device, i), 0);
	return 0;
}

static int stop(struct virtio_device *device, uint16_t queue)
{
	struct guest *g = device->context;

	virtio_queue_reset(&g->queues[queue]);
	return g->slow ? VIRTIO_DEVICE_IN_PROGRESS : 0;
}

static int reset(struct virtio_device *device)
{
	int result = 0;

	for (uint16_t i = 0; i < QUEUES; i++)
		result = stop(device, i);
	return result;
}

static void notify(struct virtio_device *device, uint16_t queue, uint16_t next)
{
	struct guest *g = device->context;
	struct virtio_chain chain = { 0 };
	int got;

	(void)next;
	g->calls++;
	while ((got = virtio_queue_pop(&g->queues[queue], &chain)) == 1)
		assert_int_equal(virtio_queue_complete(&g->queues[queue], chain.token, 0), 0);
	if (got < 0)
		virtio_device_set_needs_reset(device);
	if (virtio_queue_needs_interrupt(&g->queues[queue]))
		virtio_device_interrupt_used(device, queue);
}

static void config_read(struct virtio_device *device, uint32_t offset, void *data, uint32_t len)
{
	const struct guest *g = device->context;

	memcpy(data, g->config + offset, len);
}

static void interrupt(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	struct guest *g = device->context;

	(void)cause;
	(void)queue;
	g->events += level;
}

static const struct virtio_device_ops ops = {
	.activate = activate,
	.reset = reset,
	.queue_notify = notify,
	.queue_stop = stop,
	.queue_start = start,
	.config_read = config_read,
	.interrupt = interrupt,
};

static const uint32_t offered[VIRTIO_FEATURE_WORDS] = {
	1u << 0 | 1u << 5 | 1u << VIRTIO_RING_F_INDIRECT_DESC | 1u << VIRTIO_RING_F_EVENT_IDX,
	1u << (VIRTIO_F_ACCESS_PLATFORM - 32) | 1u << (VIRTIO_F_IN_ORDER - 32) | 1u << (VIRTIO_F_ORDER_PLATFORM - 32) |
		1u << (VIRTIO_F_NOTIFICATION_DATA - 32) | 1u << (VIRTIO_F_RING_RESET - 32),
	1u << 3,
	1u << 31,
};

static void setup(struct guest *g)
{
	const struct virtio_device_options options = {
		.ops = &ops,
		.context = g,
		.type = 42,
		.features = { offered[0], offered[1], offered[2], offered[3] },
		.queues = g->registers,
		.num_queues = QUEUES,
		.config_size = CONFIG_BYTES,
		.memory = &g->map,
	};

	memset(g, 0, sizeof *g);
	memset(g->ram, 0xa5, sizeof g->ram);
	g->region = (struct virtio_region){ .addr = 0, .len = RAM_BYTES, .host = g->ram };
	assert_int_equal(virtio_memory_map_init(&g->map, &g->region, 1), 0);
	for (uint32_t i = 0; i < QUEUES; i++) {
		g->registers[i].config.max_size = SIZE;
		assert_int_equal(virtio_queue_init(&g->queues[i], g->inflight[i], SIZE), 0);
		assert_int_equal(virtio_mock_init(&g->mock[i], &g->map, (i + 1) * RING_BYTES, SIZE, g->slots[i], SIZE),
				 0);
	}
	for (uint32_t i = 0; i < CONFIG_BYTES; i++)
		g->config[i] = (uint8_t)(0xc0 + i);
	assert_int_equal(virtio_device_init(&g->device, &options), 0);
}

/* The driver's registers */

static uint32_t get(struct guest *g, uint64_t offset)
{
	uint8_t raw[4];

	virtio_mmio_read(&g->device, offset, raw, sizeof raw);
	return virtio_get_le32(raw);
}

static int write_slowly(struct guest *g, uint64_t offset, uint32_t value)
{
	uint8_t raw[4];

	virtio_put_le32(raw, value);
	return virtio_mmio_write(&g->device, offset, raw, sizeof raw);
}

static void set(struct guest *g, uint64_t offset, uint32_t value)
{
	assert_int_equal(write_slowly(g, offset, value), 0);
}

static void set_status(struct guest *g, uint32_t status)
{
	set(g, VIRTIO_MMIO_STATUS, status);
	assert_int_equal(get(g, VIRTIO_MMIO_STATUS), status);
}

static void accept_features(struct guest *g, const uint32_t features[VIRTIO_FEATURE_WORDS])
{
	for (uint32_t i = 0; i < VIRTIO_FEATURE_WORDS; i++) {
		set(g, VIRTIO_MMIO_DRIVER_FEATURES_SEL, i);
		set(g, VIRTIO_MMIO_DRIVER_FEATURES, features[i]);
	}
}

static void enable_queue(struct guest *g, uint32_t queue)
{
	const struct virtio_mock *mock = &g->mock[queue];

	set(g, VIRTIO_MMIO_QUEUE_SEL, queue);
	set(g, VIRTIO_MMIO_QUEUE_NUM, mock->size);
	set(g, VIRTIO_MMIO_QUEUE_DESC_LOW, (uint32_t)mock->addr[VIRTIO_QUEUE_DESC]);
	set(g, VIRTIO_MMIO_QUEUE_AVAIL_LOW, (uint32_t)mock->addr[VIRTIO_QUEUE_AVAIL]);
	set(g, VIRTIO_MMIO_QUEUE_USED_LOW, (uint32_t)mock->addr[VIRTIO_QUEUE_USED]);
	set(g, VIRTIO_MMIO_QUEUE_READY, 1);
	assert_int_equal(get(g, VIRTIO_MMIO_QUEUE_READY), 1);
}

/* Takes the steps to FEATURES_OK, with RING_RESET and VERSION_1 only. */
static void negotiate(struct guest *g)
{
	static const uint32_t features[VIRTIO_FEATURE_WORDS] = { 0, 1u | 1u << (VIRTIO_F_RING_RESET - 32) };

	set_status(g, PROBED);
	accept_features(g, features);
	set_status(g, PROBED | VIRTIO_CONFIG_S_FEATURES_OK);
}

/* Takes all steps to DRIVER_OK, with both queues. */
static void run(struct guest *g)
{
	negotiate(g);
	enable_queue(g, 0);
	enable_queue(g, 1);
	set_status(g, RUNNING);
}

static void add(struct guest *g, uint32_t queue)
{
	assert_true(virtio_mock_add(&g->mock[queue], one, 1) >= 0);
}

static bool is_served(struct guest *g, uint32_t queue)
{
	struct vring_used_elem used;

	return virtio_mock_pop_used(&g->mock[queue], &used) == 1;
}

static void serve_some(struct guest *g, uint32_t queue, uint32_t count)
{
	while (count-- > 0) {
		add(g, queue);
		set(g, VIRTIO_MMIO_QUEUE_NOTIFY, queue);
		assert_true(is_served(g, queue));
	}
}

/* Starts to watch the device. Until expect_silence(), the device must do nothing. */
static void watch(struct guest *g)
{
	memcpy(g->before, g->ram, sizeof g->ram);
	g->calls = 0;
	g->events = 0;
}

/* Kicks the queue. Checks that the device has done nothing since watch(), and does nothing now. */
static void expect_silence(struct guest *g, uint32_t queue)
{
	set(g, VIRTIO_MMIO_QUEUE_NOTIFY, queue);
	assert_memory_equal(g->ram, g->before, sizeof g->ram);
	assert_int_equal(g->calls, 0);
	assert_int_equal(g->events, 0);
}

/* Before DRIVER_OK */

/*
 * virtio 1.4, 2.1.2: before DRIVER_OK the device uses no buffer and raises no interrupt.
 */
static void conformance_device_uses_no_buffer_before_driver_ok(void **state)
{
	struct guest g;

	(void)state;
	setup(&g);
	add(&g, 0);
	watch(&g);
	expect_silence(&g, 0);
	set_status(&g, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	expect_silence(&g, 0);
	negotiate(&g);
	expect_silence(&g, 0);
	enable_queue(&g, 0);
	expect_silence(&g, 0);
	virtio_device_interrupt_used(&g.device, 0);
	assert_false(virtio_device_mark_interrupt(&g.device, VIRTIO_INTERRUPT_USED));
	expect_silence(&g, 0);
	assert_int_equal(get(&g, VIRTIO_MMIO_INTERRUPT_STATUS), 0);
	/* At DRIVER_OK the buffers are used, without another kick. */
	set_status(&g, RUNNING);
	assert_true(is_served(&g, 0));
	assert_int_equal(g.events, 1);
	assert_int_equal(get(&g, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_VRING);
}

/* Features */

/*
 * virtio 1.4, 2.2.2: VERSION_1 with any subset of the offered bits is accepted, also after a reset.
 * A bit that is not offered is never accepted.
 */
static void conformance_device_accepts_every_subset_of_features(void **state)
{
	uint32_t bits[32 * VIRTIO_FEATURE_WORDS], count = 0;
	struct guest g;

	(void)state;
	setup(&g);
	for (uint32_t bit = 0; bit < 32 * VIRTIO_FEATURE_WORDS; bit++)
		if (offered[bit / 32] >> bit % 32 & 1)
			bits[count++] = bit;
	assert_int_equal(count, 11);
	for (uint32_t i = 0; i < 1u << (count + 1); i++) {
		/* The loop tries each subset twice. */
		uint32_t features[VIRTIO_FEATURE_WORDS] = { 0, 1 };

		for (uint32_t b = 0; b < count; b++)
			if (i >> (b + 1) & 1)
				features[bits[b] / 32] |= 1u << bits[b] % 32;
		set_status(&g, PROBED);
		accept_features(&g, features);
		set_status(&g, PROBED | VIRTIO_CONFIG_S_FEATURES_OK);
		for (uint32_t bit = 0; bit < 32 * VIRTIO_FEATURE_WORDS; bit++)
			assert_int_equal(virtio_device_has_feature(&g.device, bit), features[bit / 32] >> bit % 32 & 1);
		set_status(&g, 0);
	}
	for (uint32_t bit = 0; bit < 32 * VIRTIO_FEATURE_WORDS; bit++) {
		uint32_t features[VIRTIO_FEATURE_WORDS] = { 0, 1 };

		if (bit == VIRTIO_F_VERSION_1 || (offered[bit / 32] >> bit % 32 & 1))
			continue;
		features[bit / 32] |= 1u << bit % 32;
		set_status(&g, PROBED);
		accept_features(&g, features);
		set(&g, VIRTIO_MMIO_STATUS, PROBED | VIRTIO_CONFIG_S_FEATURES_OK);
		assert_int_equal(get(&g, VIRTIO_MMIO_STATUS), PROBED);
		set_status(&g, 0);
	}
}

static void expect_config(struct guest *g)
{
	for (uint32_t width = 1; width <= 4; width *= 2)
		for (uint32_t at = 0; at + width <= CONFIG_BYTES; at += width) {
			uint8_t data[4] = { 0 };

			virtio_mmio_read(&g->device, VIRTIO_MMIO_CONFIG + at, data, width);
			assert_memory_equal(data, g->config + at, width);
		}
}

/*
 * virtio 1.4, 2.5.2: the whole configuration space can be read at any time, also before a feature
 * is accepted.
 */
static void conformance_config_is_readable_in_every_state(void **state)
{
	struct guest g;

	(void)state;
	setup(&g);
	expect_config(&g);
	set_status(&g, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	expect_config(&g);
	set_status(&g, PROBED);
	expect_config(&g);
	run(&g);
	expect_config(&g);
	virtio_device_set_needs_reset(&g.device);
	expect_config(&g);
	set_status(&g, RUNNING | VIRTIO_CONFIG_S_NEEDS_RESET | VIRTIO_CONFIG_S_FAILED);
	expect_config(&g);
}

/*
 * virtio 1.4, 3.4.2: the device cannot be suspended, so the bit SUSPEND has no effect in any state.
 */
static void conformance_suspend_is_ignored_in_every_state(void **state)
{
	static const uint32_t states[] = { 0, VIRTIO_CONFIG_S_ACKNOWLEDGE, PROBED, PROBED | VIRTIO_CONFIG_S_FEATURES_OK,
					   RUNNING };
	struct guest g;

	(void)state;
	for (uint32_t i = 0; i < COUNT(states); i++) {
		setup(&g);
		if (states[i] == RUNNING)
			run(&g);
		else if (states[i] & VIRTIO_CONFIG_S_FEATURES_OK)
			negotiate(&g);
		else
			set_status(&g, states[i]);
		add(&g, 0);
		watch(&g);
		set(&g, VIRTIO_MMIO_STATUS, states[i] | SUSPEND);
		set(&g, VIRTIO_MMIO_STATUS, (states[i] | SUSPEND) & ~(uint32_t)VIRTIO_CONFIG_S_DRIVER_OK);
		assert_int_equal(get(&g, VIRTIO_MMIO_STATUS), states[i]);
		assert_int_equal(g.calls, 0);
		assert_memory_equal(g.ram, g.before, sizeof g.ram);
		/* A running device keeps running. */
		set(&g, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
		assert_int_equal(is_served(&g, 0), states[i] == RUNNING);
	}
}

/* After a reset */

/*
 * Checks that the status, the interrupt status, QueueReady and QueueReset are 0, and that the
 * device does nothing (virtio 1.4, 2.4.1 and 4.2.2.1).
 */
static void expect_reset(struct guest *g)
{
	assert_int_equal(get(g, VIRTIO_MMIO_STATUS), 0);
	assert_int_equal(get(g, VIRTIO_MMIO_INTERRUPT_STATUS), 0);
	for (uint32_t i = 0; i < QUEUES; i++) {
		set(g, VIRTIO_MMIO_QUEUE_SEL, i);
		assert_int_equal(get(g, VIRTIO_MMIO_QUEUE_READY), 0);
		assert_int_equal(get(g, QUEUE_RESET), 0);
		expect_silence(g, i);
	}
	virtio_device_interrupt_used(&g->device, 0);
	virtio_device_config_changed(&g->device);
	virtio_device_set_needs_reset(&g->device);
	assert_false(virtio_device_mark_interrupt(&g->device, VIRTIO_INTERRUPT_USED | VIRTIO_INTERRUPT_CONFIG));
	expect_silence(g, 0);
	assert_int_equal(get(g, VIRTIO_MMIO_STATUS), 0);
	assert_int_equal(get(g, VIRTIO_MMIO_INTERRUPT_STATUS), 0);
}

/*
 * At each reset both queues are enabled, both causes of interrupts are pending, and each queue has
 * an available buffer.
 */
static void conformance_reset_device_is_silent_until_initialized(void **state)
{
	struct guest g;

	(void)state;
	for (int slow = 0; slow <= 1; slow++) {
		setup(&g);
		run(&g);
		add(&g, 0);
		set(&g, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
		virtio_device_config_changed(&g.device);
		assert_int_equal(get(&g, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG);
		add(&g, 0);
		add(&g, 1);
		watch(&g);
		g.slow = slow != 0;
		if (slow) {
			/*
			 * Begins a queue reset, which is still in progress when the device is
			 * reset.
			 */
			set(&g, VIRTIO_MMIO_QUEUE_SEL, 1);
			assert_int_equal(write_slowly(&g, QUEUE_RESET, 1), VIRTIO_DEVICE_IN_PROGRESS);
			assert_int_equal(get(&g, QUEUE_RESET), 1);
		}
		assert_int_equal(write_slowly(&g, VIRTIO_MMIO_STATUS, 0), slow ? VIRTIO_DEVICE_IN_PROGRESS : 0);
		if (slow) {
			assert_int_equal(get(&g, VIRTIO_MMIO_STATUS), RUNNING);
			expect_silence(&g, 0);
			assert_int_equal(virtio_device_reset_done(&g.device, 0), 0);
		}
		expect_reset(&g);
		/* After another initialisation the device works again. */
		g.slow = false;
		assert_int_equal(virtio_mock_reset(&g.mock[0]), 0);
		assert_int_equal(virtio_mock_reset(&g.mock[1]), 0);
		run(&g);
		add(&g, 1);
		set(&g, VIRTIO_MMIO_QUEUE_NOTIFY, 1);
		assert_true(is_served(&g, 1));
	}
}

/* Interrupts */

static void expect_interrupts(struct guest *g, uint32_t causes)
{
	assert_int_equal(get(g, VIRTIO_MMIO_INTERRUPT_STATUS), causes);
	/* Reading the status changes nothing. */
	assert_int_equal(get(g, VIRTIO_MMIO_INTERRUPT_STATUS), causes);
}

/*
 * virtio 1.4, 4.2.2.1: an event sets its own bit only, and the bit stays set until the driver
 * acknowledges it.
 */
static void conformance_interrupt_status_shows_events_until_acknowledged(void **state)
{
	struct guest g;

	(void)state;
	setup(&g);
	run(&g);
	expect_interrupts(&g, 0);
	set(&g, VIRTIO_MMIO_INTERRUPT_ACK, UINT32_MAX);
	expect_interrupts(&g, 0);
	add(&g, 0);
	expect_interrupts(&g, 0);
	set(&g, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	expect_interrupts(&g, VIRTIO_MMIO_INT_VRING);
	set(&g, VIRTIO_MMIO_INTERRUPT_ACK, ~(uint32_t)VIRTIO_MMIO_INT_VRING);
	expect_interrupts(&g, VIRTIO_MMIO_INT_VRING);
	virtio_device_config_changed(&g.device);
	expect_interrupts(&g, VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG);
	set(&g, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
	expect_interrupts(&g, VIRTIO_MMIO_INT_CONFIG);
	/* The used-buffer bit is set again while the configuration bit is still set. */
	add(&g, 1);
	set(&g, VIRTIO_MMIO_QUEUE_NOTIFY, 1);
	expect_interrupts(&g, VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG);
	set(&g, VIRTIO_MMIO_INTERRUPT_ACK, 0);
	expect_interrupts(&g, VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG);
	set(&g, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG);
	expect_interrupts(&g, 0);
}

/* Queues */

/* virtio 1.4, 4.2.2.1: a queue is not touched before it is enabled, or after it was disabled. */
static void conformance_queue_is_not_touched_unless_ready(void **state)
{
	struct guest g;

	(void)state;
	setup(&g);
	negotiate(&g);
	enable_queue(&g, 0);
	set_status(&g, RUNNING);
	add(&g, 1);
	watch(&g);
	expect_silence(&g, 1);
	set(&g, VIRTIO_MMIO_QUEUE_SEL, 0);
	set(&g, VIRTIO_MMIO_QUEUE_READY, 0);
	assert_int_equal(get(&g, VIRTIO_MMIO_QUEUE_READY), 0);
	add(&g, 0);
	watch(&g);
	expect_silence(&g, 0);
}

/* Sets up the mock driver of queue 1 with this size, and with rings that begin at `base`. */
static void use_rings(struct guest *g, uint64_t base, uint32_t size)
{
	assert_int_equal(virtio_mock_init(&g->mock[1], &g->map, base, size, g->slots[1], SIZE), 0);
}

static void expect_default(struct guest *g)
{
	const struct virtio_queue_config *config = virtio_device_queue_config(&g->device, 1);
	struct virtio_queue_config fresh;

	assert_int_equal(virtio_queue_config_init(&fresh, SIZE), 0);
	assert_int_equal(config->size, fresh.size);
	assert_memory_equal(config->addr, fresh.addr, sizeof fresh.addr);
	assert_false(config->ready);
}

/*
 * virtio 1.4, 2.6.1: a queue that was reset uses no buffers. Then the queue runs with a new set-up:
 * twice the size, other addresses, and ring indices that begin at 0. The other queue runs all the
 * time.
 */
static void conformance_queue_reset_forgets_everything_about_the_queue(void **state)
{
	struct guest g;

	(void)state;
	for (int slow = 0; slow <= 1; slow++) {
		setup(&g);
		use_rings(&g, 2 * RING_BYTES, SIZE / 2);
		run(&g);
		serve_some(&g, 1, 3);
		add(&g, 1);
		watch(&g);
		set(&g, VIRTIO_MMIO_QUEUE_SEL, 1);
		g.slow = slow != 0;
		assert_int_equal(write_slowly(&g, QUEUE_RESET, 1), slow ? VIRTIO_DEVICE_IN_PROGRESS : 0);
		assert_int_equal(get(&g, QUEUE_RESET), slow);
		expect_silence(&g, 1);
		if (slow)
			assert_int_equal(virtio_device_queue_stopped(&g.device, 1, 0), 0);
		assert_int_equal(get(&g, QUEUE_RESET), 0);
		assert_int_equal(get(&g, VIRTIO_MMIO_QUEUE_READY), 0);
		expect_silence(&g, 1);
		add(&g, 0);
		set(&g, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
		assert_true(is_served(&g, 0));

		expect_default(&g);
		use_rings(&g, 3 * RING_BYTES, SIZE);
		add(&g, 1);
		watch(&g);
		enable_queue(&g, 1);
		assert_int_equal(get(&g, QUEUE_RESET), 0);
		/* Buffers that are available already are used at once. */
		assert_true(is_served(&g, 1));
		serve_some(&g, 1, SIZE);
		/* No byte of the old rings has changed. */
		assert_memory_equal(g.ram + 2 * RING_BYTES, g.before + 2 * RING_BYTES, RING_BYTES);
	}
}

/*
 * virtio 1.4, 2.1.2: if the device finds an incoherent ring, it sets DEVICE_NEEDS_RESET and
 * interrupts the driver.
 */
static void conformance_device_that_needs_reset_tells_the_driver(void **state)
{
	struct guest g;

	(void)state;
	setup(&g);
	run(&g);
	assert_int_equal(virtio_mock_set(&g.mock[0], VIRTIO_MOCK_AVAIL_IDX, SIZE + 1), 0);
	assert_int_equal(g.events, 0);
	set(&g, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	assert_int_equal(get(&g, VIRTIO_MMIO_STATUS), RUNNING | VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_int_equal(get(&g, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_CONFIG);
	assert_int_equal(g.events, 1);
}

/* virtio 1.4, 2.1.2: an error before DRIVER_OK is reported at DRIVER_OK. No buffer is used. */
static void conformance_device_that_needs_reset_early_tells_at_driver_ok(void **state)
{
	struct guest g;

	(void)state;
	setup(&g);
	negotiate(&g);
	enable_queue(&g, 0);
	add(&g, 0);
	virtio_device_set_needs_reset(&g.device);
	watch(&g);
	expect_silence(&g, 0);
	/* The driver has not read the status since the error. */
	set(&g, VIRTIO_MMIO_STATUS, RUNNING);
	assert_int_equal(get(&g, VIRTIO_MMIO_STATUS), RUNNING | VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_int_equal(get(&g, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_CONFIG);
	assert_int_equal(g.events, 1);
	g.events = 0;
	expect_silence(&g, 0);
	assert_false(is_served(&g, 0));
}

/* virtio 1.4, 2.7.10.2: the device tolerates kicks without buffers, for any queue. */
static void conformance_spurious_notifications_do_nothing(void **state)
{
	struct guest g;

	(void)state;
	setup(&g);
	run(&g);
	watch(&g);
	for (uint32_t i = 0; i < 100; i++)
		set(&g, VIRTIO_MMIO_QUEUE_NOTIFY, i % 4);
	assert_memory_equal(g.ram, g.before, sizeof g.ram);
	assert_int_equal(g.events, 0);
	assert_int_equal(get(&g, VIRTIO_MMIO_STATUS), RUNNING);
	add(&g, 1);
	set(&g, VIRTIO_MMIO_QUEUE_NOTIFY, 1);
	assert_true(is_served(&g, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance_device_uses_no_buffer_before_driver_ok),
		cmocka_unit_test(conformance_device_accepts_every_subset_of_features),
		cmocka_unit_test(conformance_config_is_readable_in_every_state),
		cmocka_unit_test(conformance_suspend_is_ignored_in_every_state),
		cmocka_unit_test(conformance_reset_device_is_silent_until_initialized),
		cmocka_unit_test(conformance_interrupt_status_shows_events_until_acknowledged),
		cmocka_unit_test(conformance_queue_is_not_touched_unless_ready),
		cmocka_unit_test(conformance_queue_reset_forgets_everything_about_the_queue),
		cmocka_unit_test(conformance_device_that_needs_reset_tells_the_driver),
		cmocka_unit_test(conformance_device_that_needs_reset_early_tells_at_driver_ok),
		cmocka_unit_test(conformance_spurious_notifications_do_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
