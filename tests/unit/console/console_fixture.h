/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A console device with ports, clients and a driver, for the tests of the console. Each queue has
 * its own small guest memory (fixture.h). For the device, this is the same as one memory for all
 * queues.
 */
#ifndef CONSOLE_FIXTURE_H
#define CONSOLE_FIXTURE_H

#include "../common/fixture.h"
#include <virtio/console.h>
#include <virtio/queue_state.h>

#define CONSOLE_QUEUE 8u
#define CONSOLE_PORTS 4u
#define CONSOLE_INPUT 64u     /* bytes of an input buffer */
#define CONSOLE_SEGMENTS 600u /* enough for chains in which each byte is a region */
#define CONSOLE_OUTPUT 8192u
#define CONSOLE_EVENTS 32u
#define MULTIPORT (UINT64_C(1) << VIRTIO_CONSOLE_F_MULTIPORT)

/* The bytes that the sink of a port has accepted, and its limit. */
struct console_sink {
	uint8_t bytes[CONSOLE_OUTPUT];
	uint32_t count;
	uint32_t limit; /* total number of bytes that the sink accepts */
	uint32_t calls;
	uint32_t longest; /* longest piece offered */
};

struct console_event {
	uint32_t id;
	uint16_t event, value;
};

struct console_fixture {
	struct virtio_console console;
	struct virtio_console_port ports[CONSOLE_PORTS];
	struct virtio_console_input input[CONSOLE_PORTS];
	uint8_t input_bytes[CONSOLE_PORTS][CONSOLE_INPUT];
	struct console_sink sinks[CONSOLE_PORTS];
	struct virtio_segment receive_segments[CONSOLE_SEGMENTS];
	struct virtio_segment transmit_segments[CONSOLE_SEGMENTS];
	struct virtio_segment control_segments[CONSOLE_SEGMENTS];
	struct console_event events[CONSOLE_EVENTS];
	uint32_t event_count;
	uint8_t emergency[8];
	uint32_t emergency_count;
	struct virtio_console_progress progress; /* progress of the last call */
	struct fixture rx, tx;                   /* queues of one port, chosen by the test */
	struct fixture control_rx, control_tx;
};

static inline size_t console_take(void *context, const void *bytes, size_t len)
{
	struct console_sink *sink = context;
	const uint32_t room = sink->limit - sink->count;
	const uint32_t n = len < room ? (uint32_t)len : room;

	assert_true(len >= 1 && len <= VIRTIO_CONSOLE_PIECE_BYTES);
	sink->calls++;
	if (len > sink->longest)
		sink->longest = (uint32_t)len;
	memcpy(sink->bytes + sink->count, bytes, n);
	sink->count += n;
	return n;
}

static inline void console_record(void *context, uint32_t id, uint16_t event, uint16_t value)
{
	struct console_fixture *f = context;

	assert_true(f->event_count < CONSOLE_EVENTS);
	f->events[f->event_count++] = (struct console_event){ id, event, value };
}

static inline void console_emergency(void *context, uint8_t byte)
{
	struct console_fixture *f = context;

	assert_true(f->emergency_count < sizeof f->emergency);
	f->emergency[f->emergency_count++] = byte;
}

static inline struct virtio_console_options console_options(struct console_fixture *f, bool multiport)
{
	return (struct virtio_console_options){
		.ports = f->ports,
		.port_count = multiport ? CONSOLE_PORTS : 1,
		.size = true,
		.multiport = multiport,
		.event = console_record,
		.emergency = console_emergency,
		.context = f,
		.control_segments = f->control_segments,
		.control_capacity = CONSOLE_SEGMENTS,
	};
}

static inline struct virtio_console_port_options console_port_options(struct console_fixture *f, uint32_t id,
								      bool console)
{
	return (struct virtio_console_port_options){
		.console = console,
		.input = &f->input[id],
		.sink = console_take,
		.sink_context = &f->sinks[id],
		.receive_segments = f->receive_segments,
		.receive_capacity = CONSOLE_SEGMENTS,
		.transmit_segments = f->transmit_segments,
		.transmit_capacity = CONSOLE_SEGMENTS,
	};
}

/* Adds a port with an empty input buffer and a sink that accepts CONSOLE_OUTPUT bytes. */
static inline void console_add(struct console_fixture *f, uint32_t id, bool console)
{
	const struct virtio_console_port_options options = console_port_options(f, id, console);

	assert_int_equal(virtio_console_input_init(&f->input[id], f->input_bytes[id], CONSOLE_INPUT), 0);
	f->sinks[id] = (struct console_sink){ .limit = CONSOLE_OUTPUT };
	assert_int_equal(virtio_console_add_port(&f->console, id, &options), 0);
}

/*
 * Sets up a device with all offered features negotiated, a console at port 0, and started queues.
 */
static inline void console_setup(struct console_fixture *f, enum fixture_memory kind, bool multiport)
{
	struct virtio_console_options options;

	memset(f, 0, sizeof *f);
	options = console_options(f, multiport);
	assert_int_equal(virtio_console_init(&f->console, &options), 0);
	assert_int_equal(virtio_console_negotiate(&f->console, virtio_console_offered(&f->console)), 0);
	console_add(f, 0, true);
	fixture_init(&f->rx, kind, CONSOLE_QUEUE);
	fixture_init(&f->tx, kind, CONSOLE_QUEUE);
	f->rx.config.indirect = f->tx.config.indirect = true;
	fixture_start(&f->rx);
	fixture_start(&f->tx);
	if (!multiport)
		return;
	fixture_setup(&f->control_rx, kind, CONSOLE_QUEUE);
	fixture_setup(&f->control_tx, kind, CONSOLE_QUEUE);
}

/* Call the device with the fixture's queues. */
static inline int console_receive(struct console_fixture *f, uint32_t id)
{
	return virtio_console_receive(&f->console, id, &f->rx.queue, &f->progress);
}

static inline int console_transmit(struct console_fixture *f, uint32_t id)
{
	return virtio_console_transmit(&f->console, id, &f->tx.queue, &f->progress);
}

/* Enqueues all of a text for a port. Returns whether the consumer must be woken. */
static inline bool console_type(struct console_fixture *f, uint32_t id, const char *text)
{
	bool wake = false;

	assert_int_equal(virtio_console_input_enqueue(&f->input[id], text, strlen(text), &wake), strlen(text));
	return wake;
}

/* A dirty log for the memory of a queue, with a bit for each 64 bytes. */
#define CONSOLE_LOG_SHIFT 6
struct console_log {
	uint8_t bits[FIXTURE_BYTES >> CONSOLE_LOG_SHIFT >> 3];
	struct virtio_dirty_log log;
	struct virtio_region regions[2]; /* the rings, and the buffers */
	struct virtio_memory_map map;
};

/*
 * Gives the queue a map with a dirty log, and with `translate` as the map's translation unless
 * `translate` is NULL. If `rings` is false, the region of the rings is not logged. The queue's
 * memory must be FIXTURE_FLAT.
 */
static inline void console_log_on(struct console_log *l, struct fixture *q, bool rings, virtio_translate_fn *translate)
{
	const struct virtio_region *flat = q->device_map.regions;
	const uint64_t split = FIXTURE_DATA - FIXTURE_BASE;

	memset(l, 0, sizeof *l);
	l->log = (struct virtio_dirty_log){ .bitmap = l->bits,
					    .size = sizeof l->bits,
					    .base = FIXTURE_BASE,
					    .page_shift = CONSOLE_LOG_SHIFT,
					    .unit = 1 };
	l->regions[0] = (struct virtio_region){
		.addr = FIXTURE_BASE, .len = split, .host = flat->host, .dirty = rings ? &l->log : NULL
	};
	l->regions[1] = (struct virtio_region){ .addr = FIXTURE_DATA,
						.len = FIXTURE_BYTES - split,
						.host = (uint8_t *)flat->host + split,
						.dirty = &l->log };
	assert_int_equal(virtio_memory_map_init(&l->map, l->regions, 2), 0);
	virtio_memory_map_set_translation(&l->map, translate, NULL);
	assert_int_equal(virtio_queue_set_memory(&q->queue, &l->map), 0);
	memset(l->bits, 0, sizeof l->bits);
}

static inline bool console_logged(const struct console_log *l, uint64_t addr)
{
	const uint64_t page = (addr - FIXTURE_BASE) >> CONSOLE_LOG_SHIFT;

	return (l->bits[page / 8] & 1u << page % 8) != 0;
}

/* Pops the next used element of a queue and returns its length. */
static inline uint32_t console_used(struct fixture *q)
{
	struct vring_used_elem used;

	assert_int_equal(virtio_mock_pop_used(&q->mock, &used), 1);
	return used.len;
}

static inline bool console_none_used(struct fixture *q)
{
	struct vring_used_elem used;

	return virtio_mock_pop_used(&q->mock, &used) == 0;
}

static inline void console_expect_bytes(struct fixture *q, uint64_t addr, const char *text)
{
	char bytes[256];

	fixture_read(q, addr, bytes, strlen(text));
	assert_memory_equal(bytes, text, strlen(text));
}

static inline void console_expect_output(const struct console_fixture *f, uint32_t id, const char *text)
{
	assert_int_equal(f->sinks[id].count, strlen(text));
	assert_memory_equal(f->sinks[id].bytes, text, strlen(text));
}

/* Writes a text into guest memory and sends it in one buffer. */
static inline void console_send(struct console_fixture *f, uint64_t addr, const char *text)
{
	const struct virtio_mock_buffer buffer = READABLE(addr, (uint32_t)strlen(text));

	fixture_write(&f->tx, addr, text, strlen(text));
	(void)fixture_add(&f->tx, &buffer, 1);
}

/* Sends a control message of len bytes, which the device handles. */
static inline void console_say_bytes(struct console_fixture *f, const void *message, uint32_t len)
{
	const struct virtio_mock_buffer buffer = READABLE(FIXTURE_DATA, len);

	fixture_write(&f->control_tx, FIXTURE_DATA, message, len);
	(void)fixture_add(&f->control_tx, &buffer, 1);
	assert_int_equal(virtio_console_control_transmit(&f->console, &f->control_tx.queue, &f->progress), 0);
	assert_int_equal(console_used(&f->control_tx), 0);
}

static inline void console_say(struct console_fixture *f, uint32_t id, uint16_t event, uint16_t value)
{
	const struct virtio_console_control message = { virtio_le32(id), virtio_le16(event), virtio_le16(value) };

	console_say_bytes(f, &message, sizeof message);
}

/*
 * Offers one control receive buffer. Checks that the buffer gets this message, followed by the
 * bytes of `tail`.
 */
static inline void console_expect_message(struct console_fixture *f, uint32_t id, uint16_t event, uint16_t value,
					  const void *tail, uint32_t tail_bytes)
{
	const struct virtio_mock_buffer buffer = WRITABLE(FIXTURE_DATA, 64);
	struct virtio_console_control message;
	uint8_t bytes[64];

	(void)fixture_add(&f->control_rx, &buffer, 1);
	assert_int_equal(virtio_console_control_receive(&f->console, &f->control_rx.queue, &f->progress), 0);
	assert_int_equal(console_used(&f->control_rx), sizeof message + tail_bytes);
	fixture_read(&f->control_rx, FIXTURE_DATA, &message, sizeof message);
	assert_int_equal(virtio_le32(message.id), id);
	assert_int_equal(virtio_le16(message.event), event);
	assert_int_equal(virtio_le16(message.value), value);
	fixture_read(&f->control_rx, FIXTURE_DATA + sizeof message, bytes, tail_bytes);
	if (tail_bytes != 0)
		assert_memory_equal(bytes, tail, tail_bytes);
}

static inline void console_expect(struct console_fixture *f, uint32_t id, uint16_t event, uint16_t value)
{
	console_expect_message(f, id, event, value, NULL, 0);
}

static inline void console_expect_nothing(struct console_fixture *f)
{
	assert_false(virtio_console_control_pending(&f->console));
	assert_int_equal(virtio_console_control_receive(&f->console, &f->control_rx.queue, &f->progress), 0);
	assert_int_equal(f->progress.chains, 0);
}

#endif
