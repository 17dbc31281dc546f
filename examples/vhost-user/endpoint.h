/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The way in which front ends reach a device, from the command line: a socket file that the daemon
 * listens on, a socket file that it connects to, or an inherited descriptor.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include "unix_listener.h"

#include <stdbool.h>

struct endpoint {
	char *spec;             /* the rest of the argument, for the device */
	const char *path;       /* of the socket file; NULL for an inherited descriptor */
	int fd;                 /* inherited, connected or listening; -1 for none */
	bool client;            /* we connect */
	unsigned int reconnect; /* seconds between attempts; 0 for a single attempt */
	bool reconnect_given;
	struct unix_listener_access access;
	char name[128]; /* for messages */
};

/*
 * Takes the pairs socket, server, reconnect, fd, socket-mode and socket-group out of a device's
 * argument; and mode and group as short forms of the last two. A device without socket= and fd=
 * gets the next descriptor of LISTEN_FDS, if there is one.
 *
 * @argument    as given
 * @own_access  mode and group mean something else to the device
 * @endpoint    set up. Its spec has a pair socket=, whose value names the endpoint in messages
 *
 * Returns 0, or -1 after printing what is wrong. endpoint_free() follows in both cases.
 */
int endpoint_take(const char *argument, bool own_access, struct endpoint *endpoint);

void endpoint_free(struct endpoint *endpoint);

/* The part of --help, on stdout. */
void endpoint_print_help(void);

#endif
