/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The options of an endpoint. */
#include "endpoint.h"

#include "handover.h"
#include "options.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_LISTEN_FD 3 /* first of the descriptors that a service manager passes */

static int take_fd(struct endpoint *endpoint, const char *value)
{
	uint64_t number;

	if (option_number(value, FIRST_LISTEN_FD, INT32_MAX, &number))
		return option_error(value, "fd is the number of an inherited descriptor, from 3 on");
	endpoint->fd = (int)number;
	return 1;
}

static int take_reconnect(struct endpoint *endpoint, const char *value)
{
	uint64_t number;

	if (option_number(value, 0, 86400, &number))
		return option_error(value, "reconnect is a number of seconds from 0 to 86400");
	endpoint->reconnect = (unsigned int)number;
	endpoint->reconnect_given = true;
	return 1;
}

static int take_server(struct endpoint *endpoint, const char *value)
{
	bool on;

	if (option_switch("server", value, &on))
		return -1;
	endpoint->client = !on;
	return 1;
}

static bool is(const char *name, const char *what)
{
	return strcmp(name, what) == 0;
}

/*
 * Handles a pair. Returns 1 if the pair belongs to the endpoint, 0 if the pair belongs to the
 * device, -1 after printing what is wrong.
 */
static int take_pair(struct endpoint *endpoint, bool own_access, const char *name, const char *value)
{
	if (is(name, "server"))
		return take_server(endpoint, value);
	if (is(name, "reconnect"))
		return take_reconnect(endpoint, value);
	if (is(name, "fd"))
		return take_fd(endpoint, value);
	if (is(name, "socket-mode") || (is(name, "mode") && !own_access))
		return unix_listener_mode(value, &endpoint->access) ? -1 : 1;
	if (is(name, "socket-group") || (is(name, "group") && !own_access))
		return unix_listener_group(value, &endpoint->access) ? -1 : 1;
	return 0;
}

/*
 * Splits a piece of the argument into name and value, and handles the pair. Returns the same values
 * as take_pair().
 */
static int take_piece(struct endpoint *endpoint, bool own_access, const char *piece, size_t len)
{
	char *const copy = strndup(piece, len);
	char *value;
	int taken = 0;

	if (!copy)
		return option_error("virtio-vhost-user", "out of memory");
	value = strchr(copy, '=');
	if (value) {
		*value++ = '\0';
		if (is(copy, "socket"))
			endpoint->path = "";
		taken = take_pair(endpoint, own_access, copy, value);
	}
	free(copy);
	return taken;
}

/* Returns the next descriptor that a service manager has passed to this process, or -1. */
static int next_listen_fd(void)
{
	static unsigned int used;
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t number, count;

	if (!pid || !fds || option_number(pid, 1, INT32_MAX, &number) || number != (uint64_t)getpid() ||
	    option_number(fds, 0, 1024, &count) || used >= count)
		return -1;
	return FIRST_LISTEN_FD + (int)used++;
}

/* Checks an inherited descriptor. Returns 0, or -1 after printing why no front end can use it. */
static int adopt_fd(struct endpoint *endpoint)
{
	int domain = 0, type = 0, flags = fcntl(endpoint->fd, F_GETFL);
	socklen_t len = sizeof domain;

	snprintf(endpoint->name, sizeof endpoint->name, "fd:%d", endpoint->fd);
	/*
	 * After an update the socket may have another number. The program that ran before the first
	 * update has checked the socket.
	 */
	if (inherited.count > 0)
		return 0;
	if (flags < 0 || getsockopt(endpoint->fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) ||
	    getsockopt(endpoint->fd, SOL_SOCKET, SO_TYPE, &type, &len) || domain != AF_UNIX || type != SOCK_STREAM)
		return option_error(endpoint->name, "not an inherited Unix stream socket");
	(void)fcntl(endpoint->fd, F_SETFL, flags | O_NONBLOCK);
	(void)fcntl(endpoint->fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

/*
 * Checks the options against each other. If socket= and a descriptor are both missing, the device
 * prints the message about the missing socket=.
 */
static int check(struct endpoint *endpoint, bool has_socket)
{
	if (!has_socket && endpoint->fd < 0)
		endpoint->fd = next_listen_fd();
	if (has_socket && endpoint->fd >= 0)
		return option_error("fd", "socket= and fd= exclude each other");
	if (endpoint->fd >= 0 && (endpoint->client || endpoint->access.has_mode || endpoint->access.has_group))
		return option_error("fd", "an inherited descriptor has neither server= nor a mode or group");
	if (endpoint->reconnect_given && !endpoint->client)
		return option_error("reconnect", "only with server=off");
	if (endpoint->client && (endpoint->access.has_mode || endpoint->access.has_group))
		return option_error("server", "with server=off the socket file is the front end's");
	return endpoint->fd < 0 ? 0 : adopt_fd(endpoint);
}

int endpoint_take(const char *argument, bool own_access, struct endpoint *endpoint)
{
	const size_t room = strlen(argument) + sizeof ",socket=" + sizeof endpoint->name;
	const char *piece = argument;
	size_t used = 0;

	*endpoint = (struct endpoint){ .spec = calloc(1, room), .fd = -1 };
	if (!endpoint->spec)
		return option_error("virtio-vhost-user", "out of memory");
	while (piece) {
		const char *comma = strchr(piece, ',');
		const size_t len = comma ? (size_t)(comma - piece) : strlen(piece);
		const int taken = take_piece(endpoint, own_access, piece, len);

		if (taken < 0)
			return -1;
		if (taken == 0) {
			if (used > 0 || piece != argument)
				endpoint->spec[used++] = ',';
			memcpy(endpoint->spec + used, piece, len);
			used += len;
		}
		piece = comma ? comma + 1 : NULL;
	}
	if (check(endpoint, endpoint->path))
		return -1;
	endpoint->path = NULL;
	if (endpoint->fd >= 0)
		snprintf(endpoint->spec + used, room - used, "%ssocket=%s", used ? "," : "", endpoint->name);
	return 0;
}

void endpoint_free(struct endpoint *endpoint)
{
	free(endpoint->spec);
	endpoint->spec = NULL;
}

void endpoint_print_help(void)
{
	fputs("How front ends reach a device, for all types of devices:\n"
	      "      socket=PATH        listen there; a socket file that nobody uses is replaced\n"
	      "      socket-mode=OCTAL  permissions of the socket file, set before a client can connect\n"
	      "      socket-group=NAME  group of the socket file, by name or number. If no mode is\n"
	      "                         given, the group may connect. --blk and --rng also accept\n"
	      "                         the short names mode= and group=\n"
	      "      server=off         connect to the socket file instead: the front end listens\n"
	      "      reconnect=SECONDS  with server=off: seconds between attempts to connect\n"
	      "      fd=N               use an inherited socket instead of socket=. The socket must\n"
	      "                         listen or be connected. Devices without socket= and fd=\n"
	      "                         take the descriptors of LISTEN_FDS in order\n"
	      "\n",
	      stdout);
}
