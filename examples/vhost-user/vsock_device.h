/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Declarations that the parts of the socket device share. The parts:
 *   vsock_device   command line, life cycle, features, starts and stops of queues. A driver is new,
 *                  or continues after a pause
 *   vsock_queues   turns of the three queues: packets and their connections
 *   vsock_stream   the host's end of one connection: a socket, and the data that waits for it
 *   vsock_output   bytes that wait for a socket
 *   vsock_clients  the listening sockets, and clients before their connection is open
 *   vsock_state    saves and restores connections, for another process
 *   vsock_group    the guests of this process that reach each other
 *
 * Only the device's own thread uses an open device, except the inbox of vsock_group.
 */
#ifndef VSOCK_DEVICE_H
#define VSOCK_DEVICE_H

#include "device.h"
#include "event_sources.h"
#include "unix_listener.h"
#include "vsock_stream.h"

#include <virtio/vsock_connection.h>

#define VSOCK_QUEUES 3
/* The most segments of a packet. A packet with more segments resets its connection. */
#define VSOCK_SEGMENTS 512
#define VSOCK_MAX_PAYLOAD 65536u
#define VSOCK_MAX_LINES 256u /* the most clients that have not sent their line */

#define VSOCK_SECOND UINT64_C(1000000000) /* times are in nanoseconds */
#define VSOCK_LINE_TIME (10 * VSOCK_SECOND)
#define VSOCK_DRIVER_TIME (10 * VSOCK_SECOND)
#define VSOCK_CONNECT_TIME (10 * VSOCK_SECOND)
#define VSOCK_CLOSE_TIME (60 * VSOCK_SECOND)
#define VSOCK_LINGER_TIME (60 * VSOCK_SECOND)
#define VSOCK_HOLD_TIME VSOCK_SECOND
/* Time between attempts while a listener's backlog is full, or no descriptors are left. */
#define VSOCK_RETRY_TIME (VSOCK_SECOND / 100)

struct vsock_group;

/* A listening socket: for streams, or for records. */
struct vsock_listener {
	struct event_source source;
	struct vsock_device *vsock;
	uint16_t type; /* enum virtio_vsock_type */
	char path[128];
	struct unix_listener_file file;
	bool paused; /* accepting has failed, and is tried again later */
};

/* Counts since the daemon's start. After an update the counts continue. */
struct vsock_counts {
	uint64_t from_guest, to_guest; /* connections that were established */
	uint64_t refused;              /* requests of either side that were not accepted */
	uint64_t bytes_from_guest, bytes_to_guest;
	uint64_t records; /* connections reset for a record that can't be carried */
	uint64_t faults;  /* chains that could not be used */
};

struct vsock_device {
	struct device device;
	struct virtio_vsock vsock;
	struct virtio_vsock_table table;
	struct virtio_vsock_events events;
	struct virtio_vsock_packet tx, rx;
	struct virtio_segment tx_segments[VSOCK_SEGMENTS], rx_segments[VSOCK_SEGMENTS], event_segments[VSOCK_SEGMENTS];
	struct virtio_vsock_table_storage storage;
	uint32_t buffer, max_connections;
	const char *path; /* first part of the paths of the host's sockets */
	struct event_loop *loop;
	struct device_queue *running[VSOCK_QUEUES];
	struct event_timer timer;
	uint64_t armed;      /* when the timer expires; UINT64_MAX if the timer isn't set */
	uint64_t hold_until; /* when held REQUESTs are sent anyway; UINT64_MAX if not limited */
	bool new_front_end;  /* set until it is known whether the driver is new */
	/* A driver continues with a new front end, and must get a transport reset. */
	bool resumed;
	bool opened;
	bool tx_waits; /* the transmit queue waits until the guest has received a packet */
	struct vsock_listener listeners[2];
	struct vsock_streams lists[VSOCK_STAGES];
	uint32_t counts_of[VSOCK_STAGES];
	uint32_t stream_count;
	struct vsock_streams ready; /* streams that may have data for the guest */
	struct vsock_group *group;  /* NULL if the guest is in no group */
	struct vsock_counts counts;
	char name[];
};

static inline struct vsock_device *vsock_from_device(struct device *device)
{
	return CONTAINER_OF(device, struct vsock_device, device);
}

/* Returns the present time. */
uint64_t vsock_now(void);

/* Sets the timer for the earliest deadline. Call this after every change of a deadline. */
void vsock_arm(struct vsock_device *vsock);

/* Asks for a turn of a queue, if the queue runs. */
void vsock_wake(struct vsock_device *vsock, enum virtio_vsock_queue queue);

/* Asks for a turn of the receive queue if the table has a packet for the guest. */
void vsock_pay(struct vsock_device *vsock);

/* Returns whether a driver receives and sends packets. */
bool vsock_is_up(const struct vsock_device *vsock);

/* In vsock_state.c. Save and restore the device for another process, see struct device_ops. */
int vsock_save(struct device *device, struct virtio_section_writer *writer, uint32_t number, struct handover *handover);
int vsock_restore(struct device *device, struct virtio_section_reader *reader, uint32_t number, bool anew);

/*
 * Ends all connections, because the front end or the host's sockets are gone. A driver that
 * continues with another front end gets an RST for each connection.
 */
void vsock_end_connections(struct vsock_device *vsock);

/* vsock_queues.c */

int vsock_queue_notify(struct device *device, struct device_queue *queue, unsigned int budget);

/*
 * Begins a connection of the host or of another guest. Returns 0, or -1 on failure. After -1 the
 * caller must end the stream.
 */
int vsock_request(struct vsock_device *vsock, struct vsock_stream *stream, const struct virtio_vsock_address *from);

/* vsock_clients.c */

/* Returns 0, or -1 after printing why, with nothing to close. */
int vsock_clients_open(struct vsock_device *vsock);
void vsock_clients_close(struct vsock_device *vsock);

/* Accepts clients again after descriptors have run out. */
void vsock_clients_resume(struct vsock_device *vsock);

/* Called when a client's socket is ready, in VSOCK_STAGE_LINE. */
void vsock_clients_read(struct vsock_stream *client);

/* Called when the driver is ready. Connects the waiting clients. */
void vsock_clients_connect(struct vsock_device *vsock);

/*
 * Connects to the host's listener for a guest's connection. If the listener's backlog is full, the
 * stream waits in VSOCK_STAGE_DIALLING. Returns 0, or -1 after ending the stream.
 */
int vsock_clients_dial(struct vsock_stream *stream);

/* Makes the socket for a guest's request. Returns NULL on failure. */
struct vsock_stream *vsock_clients_answer(struct vsock_device *vsock, struct virtio_vsock_connection *connection);

#endif
