/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A listening socket for one device. One front end at a time is served; others wait in the socket's
 * backlog until it is gone.
 */
#ifndef SERVER_H
#define SERVER_H

#include "device_host.h"
#include "event_sources.h"
#include "session.h"
#include "unix_listener.h"

struct server {
	struct event_source listener;
	struct event_timer retry; /* when to listen again after a connection found no room */
	struct event_loop *loop;
	struct device_host host;
	const char *path;
	struct unix_listener_file file;
	struct session *session; /* NULL without a front end */
	bool once;               /* stop the loop when the first front end has left */
};

/*
 * Opens the device, and listens on a path. Replaces a socket file there on which nobody listens.
 * Returns 0, or -1 after printing why.
 */
int server_open(struct server *server, struct event_loop *loop, struct device *device, const char *path, bool once);

/*
 * SIGHUP: the device looks at its files again, and its front end is told if the configuration space
 * has changed.
 */
void server_refresh(struct server *server);

/*
 * Drops the front end if there is one, stops listening, removes the socket file and closes the
 * device.
 */
void server_close(struct server *server);

#endif
