/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Fuzzes the console device. The input describes guest memory and a device with one or three
 * ports, and then a list of steps of driver, device, clients and terminal. Each byte that a port
 * receives or transmits must arrive exactly once and in order, unless the model drops the byte.
 * Memory, used rings and control messages must agree with the model.
 */
#include "harness.h"
#include "steps.h"

#define MOST_STEPS 150u

static uint64_t place_of(uint8_t code)
{
	/* Codes from 0xf0 on are addresses outside of guest memory. */
	return code < 0xf0 ? GUEST_DATA + code * (uint64_t)16 : 0 - (uint64_t)(code & 15) * 0x100000;
}

static void step_add(struct console_harness *h)
{
	const uint32_t queue = fuzz_u8(&h->in) % QUEUES;
	const uint8_t how = fuzz_u8(&h->in);
	struct chain_spec spec = { .count = 1 + (how & 7) % MOST_DESCS };

	for (uint32_t i = 0; i < spec.count; i++) {
		struct virtio_mock_buffer *b = &spec.descs[i];
		uint8_t len;

		b->addr = place_of(fuzz_u8(&h->in));
		len = fuzz_u8(&h->in);
		b->len = len < 0xf0 ? len : len == 0xff ? UINT32_MAX - i : (len & 15u) * 0x100;
		b->flags = (fuzz_u8(&h->in) & 1) ? VRING_DESC_F_WRITE : 0;
	}
	guest_add(&h->guest, queue, &spec, (how & 8) != 0, how >> 4 & 3);
}

/* The driver writes a message to a fixed address, and sends it. */
static void step_say(struct console_harness *h)
{
	struct chain_spec spec = { .count = 1 };
	uint8_t bytes[12] = { 0 };
	uint32_t len;

	bytes[0] = fuzz_u8(&h->in);
	/* The first byte is the number of the port. From 0xf0 on the number is 2^32 - 1. */
	if (bytes[0] >= 0xf0)
		memset(bytes, 0xff, 4);
	bytes[4] = fuzz_u8(&h->in);
	bytes[6] = fuzz_u8(&h->in);
	if (bytes[6] > 1)
		bytes[7] = bytes[6];
	len = fuzz_u8(&h->in) % 13;
	for (uint32_t i = 0; i < sizeof bytes; i++)
		guest_driver_put(&h->guest, GUEST_DATA + 0x700 + i, bytes[i]);
	spec.descs[0].addr = GUEST_DATA + 0x700;
	spec.descs[0].len = len;
	guest_add(&h->guest, CONTROL_TX, &spec, false, 0);
}

static void step_hear(struct console_harness *h)
{
	const uint8_t len = fuzz_u8(&h->in);
	struct chain_spec spec = { .count = 1 };

	spec.descs[0] =
		(struct virtio_mock_buffer){ GUEST_DATA + 0x780, len == 255 ? 64u : len % 80u, VRING_DESC_F_WRITE };
	if (len != 255) {
		guest_add(&h->guest, CONTROL_RX, &spec, false, 0);
		harness_hear(h);
		return;
	}
	/*
	 * harness_hear() returns false after the chain has been completed. Then guest_add() can use
	 * the chain's slot in the queue again.
	 */
	for (uint32_t calls = 0; virtio_console_control_pending(&h->console) && calls < 64; calls++) {
		guest_add(&h->guest, CONTROL_RX, &spec, false, 0);
		if (harness_hear(h))
			return;
	}
	FUZZ_CHECK(!virtio_console_control_pending(&h->console), "the device does not stop sending messages");
	view_settled(&h->view);
}

static void step_config(struct console_harness *h)
{
	const uint64_t offset = fuzz_number(&h->in);
	const uint8_t how = fuzz_u8(&h->in), byte = fuzz_u8(&h->in);

	harness_config(h, offset, how & 0x1f, (how & 0x80) != 0, byte);
}

static void step_forge(struct console_harness *h)
{
	struct virtio_console_port_state state = { .id = fuzz_u8(&h->in) % (PORTS + 1) };

	state.flags = fuzz_u8(&h->in);
	state.pending = fuzz_u8(&h->in);
	state.in_flight = fuzz_u8(&h->in) % 3;
	state.head = (uint16_t)fuzz_number(&h->in);
	state.taken = fuzz_number(&h->in);
	harness_forge(h, &state);
}

static void step_port(struct console_harness *h, enum console_step step)
{
	const uint8_t how = fuzz_u8(&h->in);
	const uint32_t id = (how & 3) % PORTS;

	switch (step) {
	case CONSOLE_TYPE:
		harness_type(h, id, fuzz_u8(&h->in) % 80u);
		break;
	case CONSOLE_RECEIVE:
		harness_receive(h, id);
		break;
	case CONSOLE_TRANSMIT:
		harness_transmit(h, id, fuzz_u8(&h->in) * 4u);
		break;
	case CONSOLE_PLUG:
		harness_plug(h, id, (how & 4) != 0, (how & 8) != 0, how >> 4, how >> 5);
		break;
	case CONSOLE_UNPLUG:
		harness_unplug(h, id);
		break;
	case CONSOLE_CLIENT:
		harness_client(h, id);
		break;
	case CONSOLE_RESIZE:
		harness_resize(h, id, fuzz_u8(&h->in), how >> 4);
		break;
	default:
		harness_clear(h, id);
	}
}

static void step(struct console_harness *h)
{
	const enum console_step what = fuzz_u8(&h->in) % CONSOLE_STEPS;
	uint64_t at;
	uint8_t page;

	switch (what) {
	case CONSOLE_ADD:
		step_add(h);
		break;
	case CONSOLE_SAY:
		step_say(h);
		break;
	case CONSOLE_HEAR:
		step_hear(h);
		break;
	case CONSOLE_TAKE:
		harness_transmit_control(h);
		break;
	case CONSOLE_POKE:
		at = place_of(fuzz_u8(&h->in));
		guest_driver_put(&h->guest, at, fuzz_u8(&h->in));
		break;
	case CONSOLE_MAP:
		page = fuzz_u8(&h->in);
		h->guest.mapped[page % (GUEST_DATA_BYTES / GUEST_PAGE)] = true;
		break;
	case CONSOLE_MOVE:
		harness_move(h);
		break;
	case CONSOLE_RESET:
		harness_reset(h, fuzz_u8(&h->in));
		break;
	case CONSOLE_CONFIG:
		step_config(h);
		break;
	case CONSOLE_FORGE:
		step_forge(h);
		break;
	default:
		step_port(h, what);
	}
	guest_compare(&h->guest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct console_harness *h = fuzz_alloc(sizeof *h);

	h->in = (struct fuzz_input){ data, size };
	harness_open(h);
	for (uint32_t i = 0; i < MOST_STEPS && h->in.left > 0; i++)
		step(h);
	harness_close(h);
	free(h);
	return 0;
}
