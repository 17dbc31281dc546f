/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "console_control.h"

#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_BYTES 1024
#define BUSY "error: another client is connected\n"

static void drop_client(struct console_control *control)
{
	if (control->client.fd < 0)
		return;
	event_loop_remove(control->loop, &control->client);
	close(control->client.fd);
	control->client.fd = -1;
}

void console_control_say(struct console_control *control, const char *format, ...)
{
	char text[ANSWER_BYTES];
	va_list args;
	ssize_t sent;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof text - 1, format, args);
	va_end(args);
	if (len > (int)sizeof text - 2)
		len = (int)sizeof text - 2;
	text[len++] = '\n';
	if (control->client.fd < 0)
		return;
	sent = send(control->client.fd, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
	/*
	 * A client that has closed its end gets no answers, but its other commands are carried out.
	 */
	if (sent < 0 ? errno == EAGAIN : sent < len)
		drop_client(control);
}

static void obey(struct console_control *control, char *line)
{
	const char *error = control->command(control, line);

	if (error)
		console_control_say(control, "error: %s", error);
	else
		console_control_say(control, "ok");
}

/* Carries out the commands in all complete lines. */
static void take_lines(struct console_control *control)
{
	char *start = control->line, *end;
	size_t left = control->used;

	while (control->client.fd >= 0 && (end = memchr(start, '\n', left))) {
		*end = '\0';
		left -= (size_t)(end + 1 - start);
		obey(control, start);
		start = end + 1;
	}
	memmove(control->line, start, left);
	control->used = left;
	if (left < sizeof control->line)
		return;
	console_control_say(control, "error: a line of more than %zu bytes", sizeof control->line);
	drop_client(control);
}

static void on_line(struct event_source *source)
{
	struct console_control *control = CONTAINER_OF(source, struct console_control, client);
	const ssize_t got = read(source->fd, control->line + control->used, sizeof control->line - control->used);

	if (got > 0) {
		control->used += (size_t)got;
		take_lines(control);
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		drop_client(control);
	}
}

/*
 * Ends the present client if it has closed its end, or has ended its output. All commands that the
 * client has sent are carried out first.
 */
static void finish_client(struct console_control *control)
{
	struct pollfd client = { .fd = control->client.fd, .events = POLLRDHUP };

	if (client.fd < 0 || poll(&client, 1, 0) != 1)
		return;
	while (control->client.fd >= 0)
		on_line(&control->client);
}

static void greet(struct console_control *control, int fd)
{
	finish_client(control);
	if (control->client.fd >= 0) {
		(void)!send(fd, BUSY, strlen(BUSY), MSG_NOSIGNAL | MSG_DONTWAIT);
		close(fd);
		return;
	}
	control->used = 0;
	control->client = (struct event_source){ .fd = fd, .ready = on_line };
	if (event_loop_add(control->loop, &control->client, EVENT_WHILE_READABLE) == 0)
		return;
	log_line("%s: %s: can't serve a client: %s", control->name, control->path, strerror(errno));
	close(fd);
	control->client.fd = -1;
}

/*
 * If descriptors or memory run out, a client stays in the backlog until the next client wakes the
 * loop.
 */
static void on_client(struct event_source *source)
{
	struct console_control *control = CONTAINER_OF(source, struct console_control, listener);
	int fd;

	while ((fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		greet(control, fd);
	if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		log_line("%s: %s: can't accept a client: %s", control->name, control->path, strerror(errno));
}

int console_control_open(struct console_control *control, struct event_loop *loop)
{
	const int fd = unix_listener_open(control->path, &control->access, &control->file);

	if (fd < 0)
		return -1;
	control->loop = loop;
	control->client.fd = -1;
	control->listener = (struct event_source){ .fd = fd, .ready = on_client };
	if (event_loop_want(loop, &control->listener, EVENT_READABLE | EVENT_EDGE) == 0)
		return 0;
	fprintf(stderr, "%s: %s: %s\n", control->name, control->path, strerror(errno));
	unix_listener_close(fd, control->path, &control->file);
	return -1;
}

void console_control_close(struct console_control *control)
{
	drop_client(control);
	event_loop_remove(control->loop, &control->listener);
	unix_listener_close(control->listener.fd, control->path, &control->file);
}
