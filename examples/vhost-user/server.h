/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Connects one device with its front ends: listens, connects, or uses an inherited descriptor. One
 * front end at a time is served. A second front end is refused, unless the first has hung up.
 */
#ifndef SERVER_H
#define SERVER_H

#include "device_host.h"
#include "endpoint.h"
#include "event_sources.h"
#include "handover.h"
#include "session.h"
#include "unix_listener.h"

struct server {
	struct event_source listener;
	struct event_timer retry; /* expires when it is time to listen or to connect again */
	struct event_loop *loop;
	struct device_host host;
	const struct endpoint *endpoint;
	const char *path; /* the socket's path; for an inherited descriptor a name for messages */
	struct unix_listener_file file;
	struct session *session; /* NULL without a front end */
	bool once;               /* stop the loop when the first front end has left */
	bool told;               /* a second front end, or a failure to connect, was logged */
};

/*
 * Opens the device, and begins to listen or to connect. Replaces a socket file on which no process
 * listens.
 *
 * @endpoint  with its path set; must live until server_close()
 *
 * Returns 0, or -1 after printing why not, with nothing to close.
 */
int server_open(struct server *server, struct event_loop *loop, struct device *device, const struct endpoint *endpoint,
		bool once);

/*
 * Opens the device, and restores it from the state of a process that has ended (--restore). No
 * front end is accepted before server_meet(), and no front end is served before server_begin().
 *
 * Returns 0, or -1 after printing why not, with nothing to close.
 */
int server_open_restored(struct server *server, struct event_loop *loop, struct device *device,
			 const struct endpoint *endpoint, bool once, struct virtio_section_reader *reader,
			 uint32_t number);

/*
 * Begins to listen or to connect. Returns 0, or -1 after printing why not. The server stays open.
 */
int server_meet(struct server *server);
/* Lets the device run. Front ends are served from now on. */
void server_begin(struct server *server);

/*
 * Drops the front end, if any, and pauses the device for server_save(). Afterwards only these
 * functions may be called: server_save(), server_keep() if the state could not be saved, and
 * finally server_close().
 */
void server_end(struct server *server);
void server_keep(struct server *server);

/*
 * Continues for the old process (handover.h). Opens the device, restores it and its front end, and
 * listens with the old process's descriptor. No ring runs, and no front end is accepted, before
 * server_continue().
 *
 * Returns 0, or -1 after printing why not. After -1 an open device stays open. Closing the device
 * would write waiting output, which the old process will write, too.
 */
int server_take_over(struct server *server, struct event_loop *loop, struct device *device,
		     const struct endpoint *endpoint, bool once, struct virtio_section_reader *reader, uint32_t number,
		     struct handover *handover);
void server_continue(struct server *server);

/*
 * Pauses the device's threads if they settle in time: see worker_try_pause(). Returns whether all
 * threads are paused, with nothing in flight. If a thread doesn't settle, all threads continue.
 */
bool server_try_pause(struct server *server, const struct timespec *end);
void server_resume(struct server *server);

/* Saves a paused device, its front end and its listener. Returns 0, or -1 after printing why. */
int server_save(struct server *server, struct virtio_section_writer *writer, uint32_t number,
		struct handover *handover);

/*
 * Called on SIGHUP. The device examines its files again, and its front end is told if the
 * configuration space has changed.
 */
void server_refresh(struct server *server);

/* Drops the front end, if any, stops listening, removes the socket file and closes the device. */
void server_close(struct server *server);

#endif
