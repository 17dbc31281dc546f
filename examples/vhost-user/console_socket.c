/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A socket that clients connect to, one at a time. */
#include "console_link.h"
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUSY "The console has another client.\r\n"

static void drop_client(struct console_link *link)
{
	console_link_detach(link);
	link->events->connected(link, false);
}

/*
 * Returns whether the client has closed its end. A client that has only shut down its output has
 * not.
 */
static bool has_left(const struct console_link *link)
{
	struct pollfd client = { .fd = link->in.fd };

	return poll(&client, 1, 0) == 1;
}

/*
 * A client that has ended its output may still wait for the guest's answer. When it hangs up, that
 * is another event.
 */
static void ended(struct console_link *link)
{
	if (has_left(link)) {
		drop_client(link);
		return;
	}
	link->input_ended = true;
	(void)event_loop_want(link->loop, &link->in, EVENT_EDGE);
}

/* While the port has no room the client isn't looked at, and may have left. */
static void greet(struct console_link *link, int fd)
{
	if (link->in.fd >= 0 && has_left(link))
		drop_client(link);
	if (link->in.fd >= 0) {
		(void)!send(fd, BUSY, strlen(BUSY), MSG_NOSIGNAL | MSG_DONTWAIT);
		close(fd);
	} else if (console_link_attach(link, fd)) {
		log_line("%s: %s: can't serve a client: %s", link->name, link->options.path, strerror(errno));
		close(fd);
	} else {
		link->events->connected(link, true);
		console_link_flush(link);
	}
}

/*
 * Without descriptors or memory a client stays in the backlog, and the next client wakes the loop.
 */
static void on_client(struct event_source *source)
{
	struct console_link *link = CONTAINER_OF(source, struct console_link, listener);
	int fd;

	while ((fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		greet(link, fd);
	if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		log_line("%s: %s: can't accept a client: %s", link->name, link->options.path, strerror(errno));
}

static int listen_here(struct console_link *link)
{
	if (!link->taken_over)
		return unix_listener_open(link->options.path, &link->options.access, &link->socket);
	unix_listener_adopt(link->options.path, &link->socket);
	return console_link_take(link, "listener");
}

/* The client of the old process, if it had one. */
static int go_on(struct console_link *link)
{
	const int client = link->taken_over ? console_link_take(link, "in") : -1;

	if (client < 0)
		return 0;
	if (console_link_attach(link, client)) {
		close(client);
		return -1;
	}
	link->events->connected(link, true);
	return 0;
}

static int open_socket(struct console_link *link)
{
	const int fd = listen_here(link);

	if (fd < 0)
		return -1;
	link->listener = (struct event_source){ .fd = fd, .ready = on_client };
	if (event_loop_want(link->loop, &link->listener, EVENT_READABLE | EVENT_EDGE) == 0 && go_on(link) == 0)
		return 0;
	fprintf(stderr, "%s: %s: %s\n", link->name, link->options.path, strerror(errno));
	unix_listener_close(fd, link->options.path, &link->socket);
	link->listener.fd = -1;
	return -1;
}

static void close_socket(struct console_link *link)
{
	(void)event_loop_want(link->loop, &link->listener, 0);
	unix_listener_close(link->listener.fd, link->options.path, &link->socket);
	link->listener.fd = -1;
}

const struct console_link_ops console_socket_ops = { .open = open_socket, .close = close_socket, .ended = ended };
