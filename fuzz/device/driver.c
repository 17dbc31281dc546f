/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The guest. Its driver initializes the device, rightly or wrongly. Any access is possible, too. */
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ring.h>

#include "driver.h"
#include "registers.h"
#include "steps.h"

/* The most translations in one access. This number suffices to check and start all queues. */
#define MOST_LOOK_UPS 100u

/* Accesses, each with a buffer of exactly the right size */

static void guest_write(struct device_harness *h, uint64_t offset, const void *bytes, uint32_t len)
{
	uint8_t *data = fuzz_alloc(len);
	uint64_t calls = h->maps[0]->calls + h->maps[1]->calls;
	int expected, got;

	memcpy(data, bytes, len);
	device_model_begin(&h->model, true);
	expected = device_model_write(&h->model, offset, data, len);
	got = virtio_mmio_write(h->device, offset, data, len);
	FUZZ_CHECK(got == expected, "a write to %#llx returns %d", (unsigned long long)offset, got);
	FUZZ_CHECK(memcmp(data, bytes, len) == 0, "a write changed its data");
	calls = h->maps[0]->calls + h->maps[1]->calls - calls;
	FUZZ_CHECK(calls <= MOST_LOOK_UPS, "an access made %llu translations", (unsigned long long)calls);
	free(data);
	device_harness_agree(h);
}

static void guest_read(struct device_harness *h, uint64_t offset, uint32_t len)
{
	uint8_t *data = fuzz_alloc(len), expected[DEVICE_ACCESS];

	memset(data, DEVICE_NO_ARGUMENT, len);
	device_model_begin(&h->model, true);
	device_model_read(&h->model, offset, expected, len);
	virtio_mmio_read(h->device, offset, data, len);
	for (uint32_t i = 0; i < len; i++)
		FUZZ_CHECK(data[i] == expected[i], "byte %u of %u at %#llx reads %#x, the model says %#x", i, len,
			   (unsigned long long)offset, data[i], expected[i]);
	free(data);
	device_harness_agree(h);
}

static void write32(struct device_harness *h, uint32_t offset, uint32_t value)
{
	const uint8_t data[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
				  (uint8_t)(value >> 24) };

	guest_write(h, offset, data, sizeof data);
}

/* A driver's initialization */

static void start_driver(struct device_harness *h, uint32_t index)
{
	const struct virtio_queue_config *config = &h->model.queues[index].config;
	struct device_run *r = &h->runs[index];

	r->mock_works = virtio_mock_init(&r->mock, &h->driver->map, h->base + (uint64_t)index * DEVICE_QUEUE_BYTES,
					 config->size, r->slots, DEVICE_QUEUE_SIZE) == 0;
	for (int area = 0; area < 3 && r->mock_works; area++)
		virtio_mock_place(&r->mock, (enum virtio_queue_area)area, config->addr[area]);
	r->mock_works = r->mock_works && virtio_mock_reset(&r->mock) == 0;
	r->mock.event_idx = device_model_has(&h->model, VIRTIO_RING_F_EVENT_IDX);
	r->mock.indirect = device_model_has(&h->model, VIRTIO_RING_F_INDIRECT_DESC);
	r->mock.in_order = device_model_has(&h->model, VIRTIO_F_IN_ORDER);
	shadow_accept(h->shadow);
}

/*
 * Sets up a queue (virtio 1.4, 4.2.3.2). @twist can choose a smaller size, write any value to one
 * address register, or leave out QueueReady.
 */
static void set_up_queue(struct device_harness *h, uint32_t index, uint8_t twist)
{
	static const uint32_t places[] = { 0, 0x100, 0x140 };
	const uint32_t max = index < DEVICE_QUEUES ? h->model.max_size[index] : 0;
	const uint64_t base = h->base + (uint64_t)index * DEVICE_QUEUE_BYTES;

	write32(h, 0x030, index);
	write32(h, 0x038, max >> (twist & 3) ? max >> (twist & 3) : 1);
	for (uint32_t area = 0; area < 3; area++) {
		const uint64_t addr = base + places[area];

		write32(h, 0x080 + 16 * area, (uint32_t)addr);
		write32(h, 0x084 + 16 * area, (uint32_t)(addr >> 32));
	}
	if (twist & 0x80)
		write32(h, 0x080 + 16u * ((twist >> 2 & 3) % 3) + (twist & 0x10 ? 4u : 0),
			(uint32_t)fuzz_number(&h->in));
	if (device_model_queue(&h->model, index) && !h->model.queues[index].config.ready)
		start_driver(h, index);
	if (!(twist & 0x40))
		write32(h, 0x044, 1);
}

static void negotiate(struct device_harness *h, uint8_t mask)
{
	for (uint32_t i = 0; i < VIRTIO_FEATURE_WORDS; i++) {
		uint32_t bits = h->model.options.features[i];

		/* Bits 0 to 2 of the mask leave out one feature each. */
		if (mask & 1)
			bits &= i == 1 ? ~(1u << VIRTIO_F_RING_RESET % 32) : bits;
		if (mask & 2)
			bits &= i == 0 ? ~(1u << VIRTIO_RING_F_EVENT_IDX) : bits;
		if (mask & 4)
			bits &= i == 1 ? ~(1u << VIRTIO_F_NOTIFICATION_DATA % 32) : bits;
		write32(h, 0x024, i);
		write32(h, 0x020, bits);
	}
	write32(h, 0x070, h->model.status | VIRTIO_CONFIG_S_FEATURES_OK);
}

/* Takes the next step of the driver's initialization (virtio 1.4, 3.1.1). */
static void advance(struct device_harness *h, uint8_t how)
{
	const uint32_t status = h->model.status;
	bool ready = true;

	for (uint32_t i = 0; i < h->model.options.num_queues; i++)
		ready = ready && (!h->model.max_size[i] || h->model.queues[i].config.ready);
	if (status & (VIRTIO_CONFIG_S_FAILED | VIRTIO_CONFIG_S_NEEDS_RESET)) {
		write32(h, 0x070, 0);
	} else if (!(status & VIRTIO_CONFIG_S_DRIVER)) {
		/*
		 * Some firmware sets ACKNOWLEDGE and DRIVER at once. Other drivers set one bit at a
		 * time.
		 */
		write32(h, 0x070, how & 0x80 ? 3 : status << 1 | 1);
	} else if (!(status & VIRTIO_CONFIG_S_FEATURES_OK)) {
		negotiate(h, how);
	} else if (!ready && !(status & VIRTIO_CONFIG_S_DRIVER_OK)) {
		for (uint32_t i = 0; i < h->model.options.num_queues; i++)
			if (h->model.max_size[i])
				set_up_queue(h, i, 0);
	} else if (!(status & VIRTIO_CONFIG_S_DRIVER_OK)) {
		write32(h, 0x070, status | VIRTIO_CONFIG_S_DRIVER_OK);
	}
}

static void guest_boot(struct device_harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);
	const uint32_t stages = how & 0x40 ? 1 + (how >> 3 & 3) : 6;

	for (uint32_t i = 0; i < stages; i++)
		advance(h, how);
}

static void guest_advance(struct device_harness *h)
{
	advance(h, fuzz_u8(&h->in));
}

static void guest_queue(struct device_harness *h)
{
	const uint8_t index = fuzz_u8(&h->in);

	set_up_queue(h, index % (h->model.options.num_queues + 1), fuzz_u8(&h->in));
}

/* Any accesses */

static const uint16_t registers[] = { 0x014, 0x020, 0x024, 0x030, 0x038, 0x044, 0x050, 0x064, 0x070, 0x080, 0x084,
				      0x090, 0x094, 0x0a0, 0x0a4, 0x0ac, 0x0c0, 0x000, 0x004, 0x008, 0x00c, 0x010,
				      0x034, 0x060, 0x0b0, 0x0b4, 0x0b8, 0x0bc, 0x0fc, 0x028, 0x03c, 0x040 };

static void guest_status(struct device_harness *h)
{
	const uint8_t value = fuzz_u8(&h->in);

	/* With bit 5 set, the other bits are added to the present status. */
	write32(h, 0x070, value & 0x20 ? h->model.status | (value & 0xdf) : value);
}

static void guest_register(struct device_harness *h)
{
	const uint8_t which = fuzz_u8(&h->in);

	write32(h, registers[which % (sizeof registers / sizeof registers[0])], (uint32_t)fuzz_number(&h->in));
}

static void guest_access(struct device_harness *h)
{
	static const uint8_t lens[8] = { 4, 4, 1, 2, 8, 3, 0, 16 };
	const uint8_t how = fuzz_u8(&h->in);
	const uint64_t offset = how & 0x40 ? 0x100 + fuzz_number(&h->in) : fuzz_number(&h->in);
	uint8_t data[DEVICE_ACCESS];

	if (how & 0x80) {
		guest_read(h, offset, lens[how & 7]);
		return;
	}
	for (uint32_t i = 0; i < lens[how & 7]; i++)
		data[i] = fuzz_u8(&h->in);
	guest_write(h, offset, data, lens[how & 7]);
}

static void guest_read_all(struct device_harness *h)
{
	for (uint32_t offset = 0; offset < 0x100; offset += 4)
		guest_read(h, offset, 4);
}

static void guest_read_one(struct device_harness *h)
{
	guest_read(h, registers[fuzz_u8(&h->in) % (sizeof registers / sizeof registers[0])], 4);
}

static void guest_features(struct device_harness *h)
{
	const uint8_t select = fuzz_u8(&h->in);

	write32(h, 0x024, select % 6);
	write32(h, 0x014, select % 6);
	guest_read(h, 0x010, 4);
	/* Accepts the offered features with some bits changed, or any features. */
	if (select % 6 < 4 && (select & 0x80))
		write32(h, 0x020, h->model.options.features[select % 6] ^ (uint32_t)fuzz_number(&h->in));
	else
		write32(h, 0x020, (uint32_t)fuzz_number(&h->in));
}

static void guest_ready(struct device_harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);

	write32(h, 0x030, how % 8);
	write32(h, 0x044, how >> 4 & 3);
	guest_read(h, 0x044, 4);
}

static void guest_ring_reset(struct device_harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);

	write32(h, 0x030, how % 8);
	write32(h, 0x0c0, how >> 4 ? how >> 4 & 3 : 1);
	guest_read(h, 0x0c0, 4);
	guest_read(h, 0x044, 4);
}

/* Accesses the configuration space with widths that other transports may use. */
static void guest_config(struct device_harness *h)
{
	const uint8_t how = fuzz_u8(&h->in), offset = fuzz_u8(&h->in);
	const uint32_t len = how & 15;
	uint8_t *data = fuzz_alloc(len), expected[DEVICE_ACCESS] = { 0 };

	device_model_begin(&h->model, true);
	if (how & 0x80) {
		memset(data, DEVICE_NO_ARGUMENT, len);
		device_model_read_config(&h->model, offset, expected, len);
		virtio_device_read_config(h->device, offset, data, len);
		FUZZ_CHECK(memcmp(data, expected, len) == 0, "%u bytes of the configuration space at %u are wrong", len,
			   offset);
	} else {
		for (uint32_t i = 0; i < len; i++)
			data[i] = fuzz_u8(&h->in);
		device_model_write_config(&h->model, offset, data, len);
		virtio_device_write_config(h->device, offset, data, len);
	}
	free(data);
}

static void guest_take_interrupt(struct device_harness *h)
{
	uint32_t expected, got;

	device_model_begin(&h->model, true);
	expected = device_model_take_interrupt(&h->model);
	got = virtio_device_take_interrupt(h->device);
	FUZZ_CHECK(got == expected, "take_interrupt says %u, the model %u", got, expected);
}

static void guest_ack(struct device_harness *h)
{
	const uint8_t causes = fuzz_u8(&h->in);

	write32(h, 0x064, causes & 0x80 ? (uint32_t)causes << 24 | (causes & 3) : causes);
}

/* Rings */

static void notify(struct device_harness *h, uint32_t index, uint16_t next)
{
	write32(h, 0x050,
		device_model_has(&h->model, VIRTIO_F_NOTIFICATION_DATA) ? index | (uint32_t)next << 16 : index);
}

static void guest_notify(struct device_harness *h)
{
	const uint8_t index = fuzz_u8(&h->in);

	if (index & 0x80)
		write32(h, 0x050, (index & 3) | (uint32_t)(index & 0x7c) << 14);
	else
		notify(h, index % 6, index);
}

static void guest_add(struct device_harness *h)
{
	const uint8_t how = fuzz_u8(&h->in);
	const uint32_t index = (how & 3) % h->model.options.num_queues;
	const uint64_t data = h->base + (uint64_t)index * DEVICE_QUEUE_BYTES + DEVICE_QUEUE_DATA;
	const struct virtio_mock_buffer buffers[2] = { { data, 16, 0 }, { data + 32, 16, VRING_DESC_F_WRITE } };
	struct device_run *r = &h->runs[index];

	if (!r->mock_works)
		return;
	(void)virtio_mock_add(&r->mock, buffers, how & 4 ? 1 : 2);
	shadow_accept(h->shadow);
	if (how & 8 || virtio_mock_should_kick(&r->mock) > 0)
		notify(h, index, r->mock.avail_idx & 0xffff);
}

/* Does the work of an interrupt handler. */
static void guest_handle(struct device_harness *h)
{
	const uint32_t causes = h->model.interrupt_status;
	struct vring_used_elem element;

	guest_read(h, 0x060, 4);
	if (causes)
		write32(h, 0x064, causes);
	if (causes & VIRTIO_INTERRUPT_CONFIG) {
		guest_read(h, 0x0fc, 4);
		guest_read(h, 0x100, 4);
	}
	for (uint32_t i = 0; i < h->model.options.num_queues; i++)
		for (uint32_t n = 0; n < DEVICE_QUEUE_SIZE && h->runs[i].mock_works; n++)
			if (virtio_mock_pop_used(&h->runs[i].mock, &element) != 1)
				break;
}

static void guest_ring(struct device_harness *h)
{
	const uint8_t where = fuzz_u8(&h->in), offset = fuzz_u8(&h->in), value = fuzz_u8(&h->in);
	const uint64_t queue = h->base + (uint64_t)(where & 3) * DEVICE_QUEUE_BYTES;

	/* Changes the available ring or its used_event, or any bytes before the data. */
	if (where & 0x80)
		shadow_poke16(h->driver, queue + 0x100 + (offset & 0x3f), value);
	else
		shadow_poke16(h->driver, queue + offset * 2u, (uint16_t)(value << 8 | value));
}

void device_guest_step(struct device_harness *h, uint8_t op)
{
	static void (*const steps[GUEST_STEPS])(struct device_harness *) = {
		[GUEST_BOOT] = guest_boot,
		[GUEST_ADVANCE] = guest_advance,
		[GUEST_QUEUE] = guest_queue,
		[GUEST_STATUS] = guest_status,
		[GUEST_REGISTER] = guest_register,
		[GUEST_ACCESS] = guest_access,
		[GUEST_READ_ALL] = guest_read_all,
		[GUEST_READ] = guest_read_one,
		[GUEST_ADD] = guest_add,
		[GUEST_HANDLE] = guest_handle,
		[GUEST_NOTIFY] = guest_notify,
		[GUEST_ACK] = guest_ack,
		[GUEST_READY] = guest_ready,
		[GUEST_RING_RESET] = guest_ring_reset,
		[GUEST_FEATURES] = guest_features,
		[GUEST_CONFIG] = guest_config,
		[GUEST_TAKE] = guest_take_interrupt,
		[GUEST_RING] = guest_ring,
	};

	steps[op % GUEST_STEPS](h);
	device_harness_agree(h);
}
