/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What a driver sees of a console's ports through the control queues, and what it must see. */
#ifndef VIRTIO_FUZZ_CONSOLE_VIEW_H
#define VIRTIO_FUZZ_CONSOLE_VIEW_H

#include "model.h"

/* The host's side of a port, and the driver's knowledge of it. */
struct port_view {
	/* The truth. */
	bool present, console, named, connected;
	uint16_t cols, rows;
	/* What the driver has said. */
	bool ready;      /* PORT_READY 1 */
	bool guest_open; /* PORT_OPEN, not 0 */
	/* What the driver was told. */
	bool exists;
	bool open;
	uint16_t told_cols, told_rows;
	/* Messages that the driver must still get. */
	bool announced; /* ADD, unless the port exists */
	/* REMOVE: the driver knows an earlier port of this number. */
	bool gone;
	/* The driver knew another port of this number, so its messages may be about that port. */
	bool awaits_ready;
	/* PORT_READY has not been answered in full. */
	bool wants_answer;
	bool had_console, had_name, had_open, had_size; /* received since PORT_READY */
	/* OPEN with 0: the client that the driver knows is gone. */
	bool client_left;
};

struct view {
	struct port_view ports[PORTS];
	bool multiport;
	bool driver_ready;
	bool excused; /* a chain was too short: a name may be lost */
	uint64_t sent, taken, ignored;
	/* The event that the last message is to cause. */
	bool event_due;
	uint32_t event_id;
	uint16_t event, event_value;
};

#define PORT_NAME "fuzz.port"

/* The host's side. */
void view_add(struct view *v, uint32_t id, bool console, bool named, uint16_t cols, uint16_t rows);
void view_remove(struct view *v, uint32_t id);
void view_connect(struct view *v, uint32_t id);
void view_disconnect(struct view *v, uint32_t id);
void view_resize(struct view *v, uint32_t id, uint16_t cols, uint16_t rows);
void view_reset(struct view *v);

/* The driver has sent a message of len bytes, which begins with these. */
void view_say(struct view *v, const uint8_t *message, uint32_t len);

/* Records a message to the driver. Traps if the device must not send it. */
void view_told(struct view *v, const uint8_t *message, uint32_t len);

/* Nothing is pending. Traps if the driver does not know everything. */
void view_settled(const struct view *v);

#endif
