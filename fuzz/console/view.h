/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The driver's view of a console's ports, and the checks of the messages that change this view. */
#ifndef VIRTIO_FUZZ_CONSOLE_VIEW_H
#define VIRTIO_FUZZ_CONSOLE_VIEW_H

#include "model.h"

/* The host's side of a port, and what the driver knows about the port. */
struct port_view {
	/* The host's side. */
	bool present, console, named, connected;
	uint16_t cols, rows;
	/* Messages that the driver has sent. */
	bool ready;      /* PORT_READY with value 1 */
	bool guest_open; /* PORT_OPEN with a value other than 0 */
	/* The driver's knowledge. */
	bool exists;
	bool open;
	uint16_t told_cols, told_rows;
	/* Messages that the driver must still get. */
	bool announced; /* ADD, unless `exists` is true */
	/* REMOVE, because the driver knows an earlier port with this number. */
	bool gone;
	/* Until PORT_READY the driver's messages may be about an earlier port with this number. */
	bool awaits_ready;
	/* PORT_READY with value 1 was sent, so the messages that it requires must follow. */
	bool wants_answer;
	bool had_console, had_name, had_open, had_size; /* received since PORT_READY */
	/* OPEN with value 0: the client has left since the driver got OPEN with value 1. */
	bool client_left;
};

/* An event of struct virtio_console_options: a message of the driver that the device understood. */
struct view_event {
	uint32_t id;
	uint16_t event, value;
};

struct view {
	struct port_view ports[PORTS];
	bool multiport;
	bool driver_ready;
	bool excused; /* a chain was too short, so a name may be lost */
	uint64_t sent, taken, ignored;
	bool event_due; /* the driver's last message must cause `due` */
	struct view_event due;
};

#define PORT_NAME "fuzz.port"

/* The host's side. */
void view_add(struct view *v, uint32_t id, bool console, bool named, uint16_t cols, uint16_t rows);
void view_remove(struct view *v, uint32_t id);
void view_connect(struct view *v, uint32_t id);
void view_disconnect(struct view *v, uint32_t id);
void view_resize(struct view *v, uint32_t id, uint16_t cols, uint16_t rows);
void view_reset(struct view *v);

/* Records a message of the driver. Reads at most the first 8 of the message's len bytes. */
void view_say(struct view *v, const uint8_t *message, uint32_t len);

/* Records a message to the driver. Traps if the device must not send it. */
void view_told(struct view *v, const uint8_t *message, uint32_t len);

/* Call this when no message is pending. Traps unless the driver knows the state of each port. */
void view_settled(const struct view *v);

#endif
