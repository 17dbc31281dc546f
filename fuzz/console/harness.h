/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The device of the console harness. The functions call the library and check the results. */
#ifndef VIRTIO_FUZZ_CONSOLE_HARNESS_H
#define VIRTIO_FUZZ_CONSOLE_HARNESS_H

#include "model.h"
#include "view.h"

#define MOST_OUTPUT (SLOTS * MOST_DESCS * GUEST_DATA_BYTES)

/* The host's side of a port. */
struct host_port {
	struct virtio_console_input input;
	uint8_t *input_bytes;
	uint8_t held[MOST_INPUT]; /* input that the guest has not received yet, oldest first */
	uint32_t held_count;
	bool wants_room;
	uint64_t received, transmitted, dropped;
	uint32_t taken; /* bytes of the transmit chain in flight that the sink has taken */
	bool in_flight; /* the oldest transmit chain is in flight */
	bool orphan;    /* the chain in flight was sent to a port that has been removed */
	/* The bytes that the library may offer to the sink in one harness_transmit(). */
	uint8_t expected[MOST_OUTPUT];
	uint32_t expected_count, offered, limit;
};

struct console_harness {
	struct fuzz_input in;
	struct guest guest;
	struct view view;
	struct virtio_console console;
	struct virtio_console_options options;
	struct virtio_console_port ports[PORTS];
	struct virtio_segment *receive_segments, *transmit_segments[PORTS], *control_segments;
	uint32_t capacity, segments;
	struct host_port host[PORTS];
	uint8_t next_input;
	/* The events of one harness_transmit_control(), in order. */
	struct view_event heard[SLOTS];
	uint32_t events, emergencies;
	uint8_t emergency;
};

void harness_open(struct console_harness *h);
void harness_close(struct console_harness *h);

void harness_type(struct console_harness *h, uint32_t id, uint32_t len);
void harness_receive(struct console_harness *h, uint32_t id);
void harness_transmit(struct console_harness *h, uint32_t id, uint32_t limit);
void harness_transmit_control(struct console_harness *h);

/* Serves the control receive queue. Returns whether the caller must stop and try again later. */
bool harness_hear(struct console_harness *h);

void harness_plug(struct console_harness *h, uint32_t id, bool console, bool named, uint16_t cols, uint16_t rows);
void harness_unplug(struct console_harness *h, uint32_t id);
void harness_client(struct console_harness *h, uint32_t id);
void harness_resize(struct console_harness *h, uint32_t id, uint16_t cols, uint16_t rows);
void harness_clear(struct console_harness *h, uint32_t id);
void harness_move(struct console_harness *h);
void harness_reset(struct console_harness *h, uint8_t features);
void harness_config(struct console_harness *h, uint64_t offset, size_t len, bool write, uint8_t byte);
void harness_forge(struct console_harness *h, const struct virtio_console_port_state *state);

/* Adds a port to the device, with the properties that the view has. */
void harness_add_port(struct console_harness *h, uint32_t id);

#endif
