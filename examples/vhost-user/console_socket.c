/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A socket that clients connect to, one at a time. */
#include "console_link.h"
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <virtio/console.h>

#define CLIENTS_AT_ONCE 16
/*
 * The most reads in deliver_rest(). These reads empty a socket if each read fills the port's
 * buffer.
 */
#define READS_AT_END 128
#define ACCEPT_AGAIN_NS UINT64_C(1000000000)
/* The next client waits at most this time while the guest takes the input of a client that left. */
#define GRACE_NS UINT64_C(1000000000)
#define AT_ONCE_NS 1
#define BUSY "The console has another client.\r\n"

/* Returns the number of bytes from the client that are still in the socket. */
static size_t unread(const struct console_link *link)
{
	int bytes = 0;

	return ioctl(link->in.fd, FIONREAD, &bytes) == 0 ? (size_t)bytes : 0;
}

/*
 * Gives the guest the remaining input of a client that has left, as far as the guest has buffers.
 * The number of reads is limited, so a guest that takes single bytes doesn't keep the thread busy.
 * Returns the number of bytes that remain in the port's buffer.
 */
static size_t deliver_rest(struct console_link *link)
{
	uint8_t bytes[VIRTIO_CONSOLE_INPUT_DEFAULT];
	size_t waiting = link->events->deliver(link);
	ssize_t got = 1;

	for (int i = 0; i < READS_AT_END && got > 0; i++) {
		const size_t room = link->events->input_room(link);

		got = room > 0 ? read(link->in.fd, bytes, room < sizeof bytes ? room : sizeof bytes) : 0;
		if (got > 0) {
			link->events->input(link, bytes, (size_t)got);
			waiting = link->events->deliver(link);
		}
	}
	return waiting;
}

/* The port drops and counts the bytes in its buffer. Bytes in the socket are dropped here. */
static void drop_client(struct console_link *link)
{
	const size_t waiting = deliver_rest(link), left = unread(link);

	if (waiting + left > 0)
		log_line("%s: %s: a client has left, and %zu bytes of its input are dropped", link->name,
			 link->options.path, waiting + left);
	link->input_dropped += left;
	console_link_detach(link);
	link->events->connected(link, false);
	if (link->next_waits)
		event_timer_set(&link->later, AT_ONCE_NS);
	link->next_waits = false;
}

/*
 * Returns whether the client has closed its end. A client that has only shut down one direction has
 * not closed its end.
 */
static bool has_left(const struct console_link *link)
{
	struct pollfd client = { .fd = link->in.fd };

	return poll(&client, 1, 0) == 1;
}

/*
 * A guest that takes input gets all that the client has sent, unless another client has waited for
 * GRACE_NS. console_link_room() leads to the next call when the guest has buffers again, or takes
 * no input any more.
 */
static void client_left(struct console_link *link)
{
	console_link_stop_input(link);
	if (link->events->takes_input(link) && deliver_rest(link) + unread(link) > 0)
		return;
	drop_client(link);
}

/*
 * A client that has ended its output may still wait for the guest's answer. A later hang-up causes
 * another event.
 */
static void input_ended(struct console_link *link)
{
	if (has_left(link)) {
		client_left(link);
		return;
	}
	link->input_ended = true;
	(void)event_loop_want(link->loop, &link->in, EVENT_EDGE);
}

/* The port has no room, so nothing is read. Only a hang-up shows that the client has left. */
static void input_blocked(struct console_link *link)
{
	if (has_left(link))
		client_left(link);
	else
		(void)event_loop_want(link->loop, &link->in, EVENT_EDGE);
}

/*
 * Returns whether the next client can be accepted. If the guest takes input, the guest first gets
 * some time for the last client's input.
 */
static bool make_way(struct console_link *link)
{
	if (link->in.fd < 0 || !has_left(link))
		return true;
	client_left(link);
	if (link->in.fd < 0)
		return true;
	if (!link->next_waits)
		event_timer_set(&link->later, GRACE_NS);
	link->next_waits = true;
	return false;
}

static void greet(struct console_link *link, int fd)
{
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
 * If descriptors or memory run out, a client stays in the backlog. In this case sets a timer for
 * another attempt, and returns false. The caller must not re-arm the listener, because the event
 * loop would call on_client() again at once.
 */
static bool accept_one(struct console_link *link)
{
	const int fd = accept4(link->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		greet(link, fd);
	} else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		log_line("%s: %s: can't accept a client: %s", link->name, link->options.path, strerror(errno));
		event_timer_set(&link->later, ACCEPT_AGAIN_NS);
		return false;
	}
	return true;
}

/*
 * Accepts a limited number of clients, so that they don't keep the guest waiting. The event loop
 * calls again for further clients.
 */
static void on_client(struct event_source *source)
{
	struct console_link *link = CONTAINER_OF(source, struct console_link, listener);
	struct pollfd listener = { .fd = source->fd, .events = POLLIN };

	for (int i = 0; i < CLIENTS_AT_ONCE; i++) {
		if (poll(&listener, 1, 0) != 1 || !make_way(link) || !accept_one(link))
			return;
	}
	(void)event_loop_want(link->loop, source, EVENT_READABLE | EVENT_EDGE);
}

/*
 * Called when the guest's time to read the last client's input is over, or when accepting may be
 * tried again. In both cases the next client may be waiting.
 */
static void on_later(struct event_timer *timer)
{
	struct console_link *link = CONTAINER_OF(timer, struct console_link, later);

	if (link->next_waits && link->in.fd >= 0 && has_left(link))
		drop_client(link);
	link->next_waits = false;
	on_client(&link->listener);
}

static int listen_here(struct console_link *link)
{
	if (!link->taken_over)
		return unix_listener_open(link->options.path, &link->options.access, &link->socket);
	return unix_listener_take(&inherited, &link->socket, "%s listener", link->handle);
}

/* Continues with the client of the old process, if any. */
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
	if (event_timer_open(&link->later, link->loop, on_later) == 0 &&
	    event_loop_want(link->loop, &link->listener, EVENT_READABLE | EVENT_EDGE) == 0 && go_on(link) == 0)
		return 0;
	fprintf(stderr, "%s: %s: %s\n", link->name, link->options.path, strerror(errno));
	event_timer_close(&link->later);
	unix_listener_close(fd, link->options.path, &link->socket);
	link->listener.fd = -1;
	return -1;
}

static void close_socket(struct console_link *link)
{
	event_timer_close(&link->later);
	(void)event_loop_want(link->loop, &link->listener, 0);
	unix_listener_close(link->listener.fd, link->options.path, &link->socket);
	link->listener.fd = -1;
}

/*
 * A client that has shut down its reading direction may still send, so reader_left() ends only the
 * output. Output then waits for the next client.
 */
const struct console_link_ops console_socket_ops = {
	.open = open_socket,
	.close = close_socket,
	.detached = console_link_room,
	.input_ended = input_ended,
	.input_blocked = input_blocked,
	.reader_left = console_link_end_output,
};
