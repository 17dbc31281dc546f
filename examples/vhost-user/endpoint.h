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
	const char *path;       /* value of socket=, or `name` for a descriptor; set by create() */
	int fd;                 /* inherited socket, connected or listening; -1 for none */
	bool client;            /* the daemon connects, and does not listen */
	unsigned int reconnect; /* seconds between attempts; 0 for a single attempt */
	bool reconnect_given;
	struct unix_listener_access access;
	char name[128]; /* "fd:N" for an inherited descriptor; used in messages */
};

/*
 * Takes the pairs server, reconnect, fd, socket-mode and socket-group out of a device's argument.
 * The names mode and group are short forms of the last two. The pair socket= stays for the device.
 * A device without socket= and fd= gets the next descriptor of LISTEN_FDS, if any.
 *
 * @argument    as given
 * @own_access  true if mode and group are options of the device, and stay in the argument
 * @endpoint    set up by this call. With an inherited descriptor its spec has a pair socket=, whose
 *              value names the endpoint in messages
 *
 * Returns 0, or -1 after printing what is wrong. endpoint_free() follows in both cases.
 */
int endpoint_take(const char *argument, bool own_access, struct endpoint *endpoint);

void endpoint_free(struct endpoint *endpoint);

/* Prints the part of --help about these options on stdout. */
void endpoint_print_help(void);

#endif
