/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The control queues from the driver's side (virtio 1.4, 5.3.6.2). */
#include "view.h"

static bool is_open(const struct port_view *p)
{
	return p->console || p->connected;
}

static bool is_sized(const struct port_view *p)
{
	return p->console && (p->cols != 0 || p->rows != 0);
}

void view_add(struct view *v, uint32_t id, bool console, bool named, uint16_t cols, uint16_t rows)
{
	struct port_view *p = &v->ports[id];

	p->present = true;
	p->console = console;
	p->named = named;
	p->cols = cols;
	p->rows = rows;
	if (v->driver_ready)
		p->announced = true;
}

void view_remove(struct view *v, uint32_t id)
{
	struct port_view *p = &v->ports[id];
	const struct port_view left = {
		.exists = p->exists,
		.gone = p->exists,
		.awaits_ready = p->exists || p->ready || p->awaits_ready,
	};

	*p = left;
}

void view_connect(struct view *v, uint32_t id)
{
	v->ports[id].connected = true;
}

void view_disconnect(struct view *v, uint32_t id)
{
	struct port_view *p = &v->ports[id];

	p->connected = false;
	if (p->open && !p->console)
		p->client_left = true;
}

void view_resize(struct view *v, uint32_t id, uint16_t cols, uint16_t rows)
{
	v->ports[id].cols = cols;
	v->ports[id].rows = rows;
}

void view_reset(struct view *v)
{
	v->driver_ready = false;
	for (uint32_t i = 0; i < PORTS; i++) {
		const struct port_view *p = &v->ports[i];

		v->ports[i] = (struct port_view){
			.present = p->present,
			.console = p->console,
			.named = p->named,
			.connected = p->connected,
			.cols = p->cols,
			.rows = p->rows,
		};
	}
}

/* Messages of the driver */

static uint32_t get(const uint8_t *at, uint32_t bytes)
{
	uint32_t value = 0;

	while (bytes-- > 0)
		value = value << 8 | at[bytes];
	return value;
}

static void say_port_ready(struct view *v, struct port_view *p, bool success)
{
	p->ready = success;
	p->guest_open = false;
	p->wants_answer = success;
	p->had_console = p->had_name = p->had_open = p->had_size = false;
	if (!success) {
		p->open = p->client_left = false;
		return;
	}
	v->driver_ready = true;
	p->awaits_ready = false;
	/* After a resume Linux knows the port, and sends PORT_READY without waiting for an ADD. */
	if (!p->announced)
		p->exists = true;
}

static bool say(struct view *v, uint32_t id, uint16_t event, uint16_t value)
{
	struct port_view *p = id < PORTS ? &v->ports[id] : NULL;

	if (event == VIRTIO_CONSOLE_DEVICE_READY) {
		if (value > 1)
			return false;
		for (uint32_t i = 0; value == 1 && i < PORTS; i++)
			v->ports[i].announced = v->ports[i].announced || v->ports[i].present;
		v->driver_ready = v->driver_ready || value == 1;
		return true;
	}
	if (!p || !p->present || p->gone)
		return false;
	if (event == VIRTIO_CONSOLE_PORT_OPEN && p->ready)
		p->guest_open = value != 0;
	else if (event == VIRTIO_CONSOLE_PORT_READY && value <= 1)
		say_port_ready(v, p, value == 1);
	else
		return false;
	return true;
}

void view_say(struct view *v, const uint8_t *message, uint32_t len)
{
	uint32_t id;
	uint16_t event, value;

	v->event_due = false;
	if (len < 8) {
		v->ignored++;
		return;
	}
	id = get(message, 4);
	event = (uint16_t)get(message + 4, 2);
	value = (uint16_t)get(message + 6, 2);
	if (!say(v, id, event, value)) {
		v->ignored++;
		return;
	}
	v->taken++;
	v->event_due = true;
	v->due = (struct view_event){ event == VIRTIO_CONSOLE_DEVICE_READY ? 0 : id, event, value != 0 };
}

/* Messages to the driver */

static void told_after_ready(struct port_view *p, uint16_t event, uint16_t value, const uint8_t *tail, uint32_t len)
{
	FUZZ_CHECK(p->ready && p->exists, "the device sends event %u before PORT_READY", event);
	switch (event) {
	case VIRTIO_CONSOLE_CONSOLE_PORT:
		FUZZ_CHECK(p->console && value == 1 && len == 0, "CONSOLE_PORT is wrong");
		FUZZ_CHECK(!p->had_name && !p->had_open && !p->had_size, "CONSOLE_PORT is sent too late");
		p->had_console = true;
		break;
	case VIRTIO_CONSOLE_PORT_NAME:
		FUZZ_CHECK(p->named && value == 0 && len == sizeof PORT_NAME - 1 && memcmp(tail, PORT_NAME, len) == 0,
			   "NAME is wrong");
		FUZZ_CHECK(!p->had_open && !p->had_size, "NAME is sent too late");
		FUZZ_CHECK(p->had_console || !p->console, "NAME is sent before CONSOLE_PORT");
		p->had_name = true;
		break;
	case VIRTIO_CONSOLE_PORT_OPEN:
		FUZZ_CHECK(len == 0 && value <= 1, "OPEN has a wrong value, or %u bytes too many", len);
		FUZZ_CHECK(value ? is_open(p) && !p->client_left : p->client_left, "OPEN with value %u is wrong now",
			   value);
		p->had_open = p->had_open || value == 1;
		p->open = value == 1;
		p->client_left = false;
		break;
	default:
		FUZZ_CHECK(event == VIRTIO_CONSOLE_RESIZE && value == 0 && len == 4 && p->console,
			   "event %u is unknown, or RESIZE is malformed", event);
		FUZZ_CHECK(get(tail, 2) == p->cols && get(tail + 2, 2) == p->rows, "RESIZE has a wrong size");
		FUZZ_CHECK(p->open, "RESIZE before OPEN");
		p->had_size = true;
		p->told_cols = p->cols;
		p->told_rows = p->rows;
	}
}

void view_told(struct view *v, const uint8_t *message, uint32_t len)
{
	const uint32_t id = get(message, 4);
	const uint16_t event = (uint16_t)get(message + 4, 2), value = (uint16_t)get(message + 6, 2);
	struct port_view *p;

	v->sent++;
	FUZZ_CHECK(v->multiport, "the device sends a message without MULTIPORT");
	FUZZ_CHECK(id < PORTS, "the device sends a message about port %u", id);
	p = &v->ports[id];
	if (event == VIRTIO_CONSOLE_PORT_REMOVE) {
		FUZZ_CHECK(p->exists && p->gone && value == 0 && len == 8, "REMOVE of port %u is wrong", id);
		p->exists = p->gone = false;
	} else if (event == VIRTIO_CONSOLE_PORT_ADD) {
		FUZZ_CHECK(p->present && p->announced && !p->exists && value == 0 && len == 8,
			   "ADD of port %u is wrong", id);
		p->exists = true;
	} else {
		FUZZ_CHECK(!p->gone, "the device sends event %u before REMOVE", event);
		told_after_ready(p, event, value, message + 8, len - 8);
	}
}

void view_settled(const struct view *v)
{
	for (uint32_t id = 0; v->multiport && id < PORTS; id++) {
		const struct port_view *p = &v->ports[id];

		FUZZ_CHECK(!p->gone, "REMOVE of port %u is missing", id);
		FUZZ_CHECK(!p->announced || p->exists, "ADD of port %u is missing", id);
		FUZZ_CHECK(!p->client_left, "OPEN 0 of port %u is missing", id);
		if (!p->ready)
			continue;
		FUZZ_CHECK(p->open == is_open(p), "OPEN of port %u is missing", id);
		FUZZ_CHECK(!p->wants_answer || !p->console || p->had_console, "CONSOLE_PORT of port %u is missing", id);
		FUZZ_CHECK(!p->wants_answer || !p->named || p->had_name || v->excused, "NAME of port %u is missing",
			   id);
		FUZZ_CHECK(!p->wants_answer || !is_open(p) || p->had_open,
			   "OPEN of port %u after PORT_READY is missing", id);
		FUZZ_CHECK(!p->wants_answer || !is_sized(p) || p->had_size,
			   "RESIZE of port %u after PORT_READY is missing", id);
		FUZZ_CHECK(!p->console || (p->told_cols == p->cols && p->told_rows == p->rows) || !p->had_size,
			   "RESIZE of port %u is missing", id);
	}
}
