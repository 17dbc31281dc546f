/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The console device, for its own files: console_device.c, console_commands.c and console_state.c.
 */
#ifndef CONSOLE_DEVICE_H
#define CONSOLE_DEVICE_H

#include "console_control.h"
#include "console_options.h"
#include "device.h"
#include "event_sources.h"
#include "handover.h"
#include "vhost_user.h"

#include <virtio/console.h>

#define BUFFERS 256 /* buffers per chain; known drivers use no more */
/* A buffer that crosses from one region to the next needs two segments. */
#define SEGMENTS (2 * BUFFERS + VHOST_USER_MAX_REGIONS)
#define MAX_QUEUES (2 * CONSOLE_MAX_PORTS + 2)

struct port {
	struct console_device *console;
	uint32_t id;
	const char *name; /* NULL for port 0, the console */
	bool opened;
	/*
	 * While queue_drain() ends the chain in flight, this is the chain's token, and output of
	 * other chains waits. At other times its value is 0.
	 */
	struct virtio_token finishing;
	struct console_link link;
	struct virtio_console_input input;
	uint8_t input_bytes[VIRTIO_CONSOLE_INPUT_DEFAULT];
	struct virtio_segment receive[SEGMENTS], transmit[SEGMENTS];
};

/*
 * Counts of all ports and of the control queues. Bytes that a link has dropped are not included:
 * the link counts these bytes.
 */
struct console_counts {
	uint64_t in, out; /* bytes */
	uint64_t input_dropped;
	uint64_t faults;
};

struct console_device {
	struct device device;
	struct virtio_console console;
	struct virtio_console_port table[CONSOLE_MAX_PORTS];
	struct virtio_segment control[SEGMENTS];
	struct device_queue *running[MAX_QUEUES];
	uint64_t features;       /* accepted by the driver */
	struct event_loop *loop; /* the loop of the device's thread */
	bool is_open, is_attached;
	bool takes_input;                /* the console's driver is ready, see await_driver() */
	struct event_timer until_then;   /* expires when the driver is assumed to be ready */
	bool timed;                      /* the timer was set for this driver */
	struct console_control commands; /* `path` is NULL without control= */
	struct console_counts before;    /* the counts of earlier processes */
	uint32_t port_count;
	struct port *ports[CONSOLE_MAX_PORTS];
	char name[];
};

static inline struct console_device *console_from_device(struct device *device)
{
	return CONTAINER_OF(device, struct console_device, device);
}

/* save() and restore() of struct device_ops, in console_state.c. */
int console_save(struct device *device, struct virtio_section_writer *writer, uint32_t number,
		 struct handover *handover);
int console_restore(struct device *device, struct virtio_section_reader *reader, uint32_t number, bool anew);

/* Asks for a turn of the queue that carries control messages to the driver. */
void console_wake_control(struct console_device *console);

/*
 * Completes the transmit chains of a removed port unread. Called when the port is removed. Called
 * again before the device handles messages of the driver, because a message may be PORT_READY.
 * Chains after the PORT_READY are output of the new port with this number.
 */
void console_take_old_output(struct console_device *console, uint32_t id);

/* Called when the size of a port's terminal has changed. */
void console_size_changed(struct console_link *link, uint16_t cols, uint16_t rows);

/* Returns the options of a port for the library. */
struct virtio_console_port_options console_port_options(struct port *port);

/* Returns the statistics, including the counts of the old processes. */
struct console_counts console_count(const struct console_device *console);

/* Returns the number of the guest's chains that were malformed or misdirected. */
uint64_t console_port_faults(const struct virtio_console_port_stats *stats);

/*
 * Removes a port from the guest, and closes the port's back end. Output that is not written yet is
 * lost, and counted.
 */
void console_remove(struct console_device *console, struct port *port);

/* Prints the statistics of all ports, see struct device_ops. */
void console_print_summary(const struct device *device);

/* Carries out a command, see console_control.h. */
const char *console_obey(struct console_control *control, char *line);

#endif
