/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Moves bytes, for all kinds of host ends. */
#include "console_link.h"

#include "log.h"
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES 4096u
#define NS_PER_SECOND UINT64_C(1000000000)
#define LONGEST_RETRY 32u /* seconds */

/*
 * Other processes share the flags of an inherited socket, so the socket may be blocking, and each
 * call needs MSG_DONTWAIT. MSG_NOSIGNAL is not needed, because the process ignores SIGPIPE.
 */
static ssize_t read_now(const struct console_link *link, void *bytes, size_t len)
{
	return link->in_is_socket ? recv(link->in.fd, bytes, len, MSG_DONTWAIT) : read(link->in.fd, bytes, len);
}

static ssize_t write_now(const struct console_link *link, const void *bytes, size_t len)
{
	return link->out_is_socket ? send(link->out.fd, bytes, len, MSG_DONTWAIT) : write(link->out.fd, bytes, len);
}

/* Input */

static void read_input(struct console_link *link)
{
	const size_t room = link->events->input_room(link);
	uint8_t bytes[READ_BYTES];
	ssize_t got;

	if (link->input_ended) {
		link->options.ops->input_ended(link);
		return;
	}
	if (room == 0) {
		console_link_stop_input(link);
		if (link->options.ops->input_blocked)
			link->options.ops->input_blocked(link);
		return;
	}
	got = read_now(link, bytes, room < sizeof bytes ? room : sizeof bytes);
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
		link->options.ops->input_ended(link);
	} else if (got > 0) {
		size_t len = (size_t)got;

		if (link->options.ops->filter)
			len = link->options.ops->filter(link, bytes, len);
		if (len > 0)
			link->events->input(link, bytes, len);
		if (link->is_file)
			console_link_room(link);
	}
}

static void on_readable(struct event_source *source)
{
	read_input(CONTAINER_OF(source, struct console_link, in));
}

static void on_read_on(struct event_task *task)
{
	read_input(CONTAINER_OF(task, struct console_link, read_on));
}

void console_link_stop_input(struct console_link *link)
{
	event_loop_cancel(link->loop, &link->read_on);
	if (link->in.fd >= 0)
		(void)event_loop_want(link->loop, &link->in, 0);
}

void console_link_room(struct console_link *link)
{
	if (link->in.fd < 0 || link->holds_input)
		return;
	if (link->is_file || link->input_ended)
		event_loop_schedule(link->loop, &link->read_on);
	else
		(void)event_loop_want(link->loop, &link->in, EVENT_READABLE);
}

/* Output */

static size_t put(struct console_link *link, const void *bytes, size_t len, enum console_output_room room)
{
	const size_t n = console_output_put(&link->output, bytes, len, room);

	link->wants_room = link->wants_room || n < len;
	return n;
}

size_t console_link_put(struct console_link *link, const void *bytes, size_t len)
{
	return put(link, bytes, len, link->drops ? CONSOLE_ROOM_NEWEST : CONSOLE_ROOM_USUAL);
}

size_t console_link_put_rest(struct console_link *link, const void *bytes, size_t len)
{
	return put(link, bytes, len, CONSOLE_ROOM_RESERVE);
}

void console_link_put_last(struct console_link *link, const void *bytes, size_t len)
{
	(void)put(link, bytes, len, link->drops ? CONSOLE_ROOM_NEWEST : CONSOLE_ROOM_RESERVE_NEWEST);
}

static void on_writable(struct event_source *source)
{
	struct console_link *link = CONTAINER_OF(source, struct console_link, out);

	(void)event_loop_want(link->loop, source, 0);
	console_link_flush(link);
}

static const char *out_name(const struct console_link *link)
{
	if (link->options.path)
		return link->options.path;
	return link->options.ops == &console_tty_ops ? "stdout" : link->target;
}

/* Writes again later. Prints the first failure, and no other until all output is written. */
static void retry_later(struct console_link *link)
{
	if (link->retry_seconds == 0)
		log_line("%s: %s: output waits: %s", link->name, out_name(link), strerror(errno));
	link->retry_seconds = link->retry_seconds == 0 ? 1 : 2 * link->retry_seconds;
	if (link->retry_seconds > LONGEST_RETRY)
		link->retry_seconds = LONGEST_RETRY;
	link->retry_waits = true;
	event_timer_set(&link->retry, link->retry_seconds * NS_PER_SECOND);
}

static void on_retry(struct event_timer *timer)
{
	console_link_write_again(CONTAINER_OF(timer, struct console_link, retry));
}

void console_link_write_again(struct console_link *link)
{
	link->retry_waits = false;
	event_timer_set(&link->retry, 0);
	console_link_flush(link);
}

void console_link_flush_soon(struct console_link *link)
{
	event_timer_set(&link->retry, 1);
}

/* Returns 0, or -1 with errno after a failure. */
static int write_output(struct console_link *link)
{
	const uint8_t *bytes;
	ssize_t put = 1;
	size_t len;

	while (link->out.fd >= 0 && put > 0 && (len = console_output_peek(&link->output, &bytes)) > 0) {
		put = write_now(link, bytes, len);
		if (put > 0) {
			console_output_take(&link->output, (size_t)put);
			link->retry_seconds = link->retry_seconds > 0;
		}
	}
	return put < 0 ? -1 : 0;
}

static void write_failed(struct console_link *link)
{
	if ((errno == EAGAIN || errno == EINTR) && event_loop_want(link->loop, &link->out, EVENT_WRITABLE) == 0)
		return;
	if (link->options.ops->reader_left && (errno == EPIPE || errno == ECONNRESET))
		link->options.ops->reader_left(link);
	else
		retry_later(link);
}

void console_link_flush(struct console_link *link)
{
	if (!link->retry_waits && write_output(link))
		write_failed(link);
	if (link->retry_seconds > 0 && link->output.used == 0) {
		link->retry_seconds = 0;
		log_line("%s: %s: output is written again", link->name, out_name(link));
	}
	if (link->wants_room && link->output.used < CONSOLE_OUTPUT_KEPT) {
		link->wants_room = false;
		link->events->output_room(link);
	}
}

/* Descriptors */

int console_link_attach(struct console_link *link, int fd)
{
	/*
	 * A loop can have a descriptor only once, but each direction waits separately. So there are
	 * two descriptors.
	 */
	const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0)
		return -1;
	if (console_link_attach_two(link, fd, copy) == 0)
		return 0;
	close(copy);
	return -1;
}

static bool is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

int console_link_attach_two(struct console_link *link, int in, int out)
{
	link->in_is_socket = is_socket(in);
	link->out_is_socket = is_socket(out);
	link->in = (struct event_source){ .fd = in, .ready = on_readable };
	link->out = (struct event_source){ .fd = out, .ready = on_writable };
	link->read_on = (struct event_task){ .run = on_read_on };
	link->is_file = link->input_ended = false;
	if (event_loop_want(link->loop, &link->in, EVENT_READABLE) == 0)
		return 0;
	/* epoll refuses a file and /dev/null, which are always ready. */
	if (errno == EPERM) {
		link->is_file = true;
		event_loop_schedule(link->loop, &link->read_on);
		return 0;
	}
	link->in.fd = link->out.fd = -1;
	return -1;
}

static void close_source(struct console_link *link, struct event_source *source)
{
	if (source->fd < 0)
		return;
	(void)event_loop_want(link->loop, source, 0);
	close(source->fd);
	source->fd = -1;
}

void console_link_end_output(struct console_link *link)
{
	close_source(link, &link->out);
}

void console_link_detach(struct console_link *link)
{
	event_loop_cancel(link->loop, &link->read_on);
	close_source(link, &link->in);
	close_source(link, &link->out);
}

/* Handing over */

/*
 * Data with which the next process continues a host end. The descriptors are handed over
 * separately.
 */
struct memory {
	struct termios settings; /* the terminal's settings while it is not raw */
	bool raw, escaped;
	uint16_t cols, rows;
	uint64_t input_dropped;
};

int console_link_hand_over(struct console_link *link, struct handover *handover)
{
	const struct memory memory = {
		.settings = link->settings,
		.raw = link->raw,
		.escaped = link->escaped,
		.cols = link->cols,
		.rows = link->rows,
		.input_dropped = link->input_dropped,
	};

	/*
	 * A terminal needs no descriptors: stdin and stdout stay open, and its listener is a
	 * signalfd.
	 */
	if (link->options.ops != &console_tty_ops) {
		handover_add(handover, link->in.fd, "%s in", link->handle);
		handover_add(handover, link->in.fd < 0 ? link->out.fd : -1, "%s out", link->handle);
		handover_add(handover, link->slave.fd, "%s slave", link->handle);
		if (unix_listener_hand_over(handover, link->listener.fd, &link->socket, "%s listener", link->handle))
			return -1;
	}
	return handover_add_bytes(handover, &memory, sizeof memory, "%s memory", link->handle);
}

bool console_link_was_open(const struct console_link *link)
{
	return handover_has(&inherited, "%s memory", link->handle);
}

int console_link_take(const struct console_link *link, const char *name)
{
	return handover_take(&inherited, "%s %s", link->handle, name);
}

/*
 * Takes over the data of the old process, if there is any. Returns 0, or -1 after printing that the
 * data can't be taken over.
 */
static int remember(struct console_link *link)
{
	struct memory memory;

	link->taken_over = false;
	if (!console_link_was_open(link))
		return 0;
	if (handover_take_bytes(&inherited, &memory, sizeof memory, "%s memory", link->handle))
		return option_error(link->name, "can't be taken over");
	link->taken_over = true;
	link->settings = memory.settings;
	link->raw = memory.raw;
	link->escaped = memory.escaped;
	link->cols = memory.cols;
	link->rows = memory.rows;
	link->input_dropped = memory.input_dropped;
	return 0;
}

/* Life cycle */

int console_link_open(struct console_link *link, struct event_loop *loop)
{
	link->loop = loop;
	link->in.fd = link->out.fd = link->listener.fd = link->slave.fd = link->tty = -1;
	link->retry_seconds = 0;
	link->retry_waits = link->holds_input = link->attached = link->told = link->next_waits = false;
	link->later = (struct event_timer)EVENT_SOURCE_NONE;
	if (remember(link))
		return -1;
	if (event_timer_open(&link->retry, loop, on_retry)) {
		fprintf(stderr, "%s: %s\n", link->name, strerror(errno));
		return -1;
	}
	if (link->options.ops->open(link) == 0)
		return 0;
	event_timer_close(&link->retry);
	return -1;
}

void console_link_close(struct console_link *link)
{
	console_link_write_again(link);
	if (link->retry_waits) {
		log_line("%s: %s: %zu bytes of output are lost", link->name, out_name(link), link->output.used);
		console_link_drop_output(link);
	}
	link->options.ops->close(link);
	console_link_detach(link);
	event_timer_close(&link->retry);
}

void console_link_refresh(struct console_link *link)
{
	if (link->options.ops->refresh)
		link->options.ops->refresh(link);
}

void console_link_resize(struct console_link *link, uint16_t cols, uint16_t rows)
{
	if (link->options.ops->resize)
		link->options.ops->resize(link, cols, rows);
}

void console_link_drop_output(struct console_link *link)
{
	link->output.dropped += link->output.used;
	console_output_take(&link->output, link->output.used);
}

void console_link_attached(struct console_link *link, bool is)
{
	void (*const tell)(struct console_link *) = is ? link->options.ops->attached : link->options.ops->detached;

	if (tell)
		tell(link);
}

int console_link_parse(const char *spec, struct console_link_options *options)
{
	const char *value = strchr(spec, '=');

	*options = (struct console_link_options){ .path = value ? value + 1 : NULL };
	if (strcmp(spec, "tty") == 0)
		return console_tty_parse(options);
	if (strcmp(spec, "pty") == 0)
		options->ops = &console_pty_ops;
	else if (strncmp(spec, "unix=", 5) == 0)
		options->ops = &console_socket_ops;
	else if (strncmp(spec, "file=", 5) == 0)
		options->ops = &console_file_ops;
	else
		return option_error(spec, "not tty, pty, unix=PATH or file=PATH");
	if (options->path && !*options->path)
		return option_error(spec, "no path");
	if (options->ops == &console_socket_ops && !unix_listener_fits(options->path))
		return option_error(options->path, "too long for the path of a socket");
	return 0;
}
