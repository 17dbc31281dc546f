/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A listening socket for one device. One front end at a time is served; others wait in the socket's
 * backlog until it is gone.
 */
#ifndef SERVER_H
#define SERVER_H

#include "device.h"
#include "event_loop.h"
#include "session.h"

#include <sys/types.h>

struct server {
	struct event_source listener;
	struct event_source retry; /* a timer: when to listen again after there was no room for a connection */
	struct event_loop *loop;
	struct device *device;
	const char *path;
	dev_t socket_dev; /* which file the socket is, so that no other is ever removed */
	ino_t socket_ino;
	struct session *session; /* NULL while there is no front end */
	bool once;               /* stop the loop when the first front end has left */
};

/*
 * Listens on a path. A socket file there that nobody listens on is replaced.
 *
 * Returns 0, or -1 after printing why not.
 */
int server_open(struct server *server, struct event_loop *loop, struct device *device, const char *path, bool once);

/* Lets the device look whether it is another now, and its front end know if so. */
void server_refresh(struct server *server);

/* Drops the front end if there is one, stops listening and removes the socket file. */
void server_close(struct server *server);

#endif
