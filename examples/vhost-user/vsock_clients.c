/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The host's sockets. The option uds=PATH sets PATH. A guest's connection to port P goes to the
 * listener at PATH_P. A program that wants to reach a guest's port P connects to PATH, sends
 * "CONNECT P\n", and reads "OK Q\n". Q is the program's port that the guest sees. A connection to
 * PATH_seqpacket works in the same way for records, and each of the two lines is a record.
 *
 * The CONNECT line is read up to its newline. The bytes after the newline stay in the socket until
 * the guest has accepted. Time limits end the clients that wait, and the number of clients is
 * bounded.
 */
#include "handover.h"
#include "log.h"
#include "vsock_device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128

/* Guests' connections */

int vsock_clients_dial(struct vsock_stream *s)
{
	const struct vsock_device *vsock = s->vsock;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int got;

	/* The path and the port fit, because check_options() has checked the longest name. */
	snprintf(addr.sun_path, sizeof addr.sun_path, "%s_%u", vsock->path, s->connection->address.local_port);
	do
		got = connect(s->source.fd, (const struct sockaddr *)&addr, sizeof addr);
	while (got < 0 && errno == EINTR);
	if (got == 0 && virtio_vsock_connection_accept(s->connection) == 0) {
		s->vsock->counts.from_guest++;
		vsock_stream_start(s);
		vsock_pay(s->vsock);
		return 0;
	}
	/* The backlog is full. No event tells when the backlog has room again. */
	if (got < 0 && errno == EAGAIN) {
		if (s->stage != VSOCK_STAGE_DIALLING)
			vsock_stream_set_stage(s, VSOCK_STAGE_DIALLING);
		return 0;
	}
	s->vsock->counts.refused++;
	vsock_stream_reset(s);
	return -1;
}

struct vsock_stream *vsock_clients_answer(struct vsock_device *vsock, struct virtio_vsock_connection *connection)
{
	const int type = connection->type == VIRTIO_VSOCK_TYPE_SEQPACKET ? SOCK_SEQPACKET : SOCK_STREAM;
	const int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct vsock_stream *s;

	if (fd < 0)
		return NULL;
	s = vsock_stream_open(vsock, fd, connection->type, VSOCK_STAGE_ANSWER);
	if (!s)
		close(fd);
	return s;
}

/* Clients' lines */

/* Steps over spaces, tabs and carriage returns. */
static const char *skip_spaces(const char *at)
{
	while (*at == ' ' || *at == '\t' || *at == '\r')
		at++;
	return at;
}

/* Parses a line without its newline. Returns 0, or -1. */
static int parse_line(const char *line, uint32_t *port)
{
	static const char word[] = "CONNECT";
	uint64_t number = 0;
	const char *at = skip_spaces(line), *digits;

	if (strncasecmp(at, word, sizeof word - 1) != 0)
		return -1;
	digits = skip_spaces(at + sizeof word - 1);
	if (digits == at + sizeof word - 1)
		return -1;
	for (at = digits; *at >= '0' && *at <= '9' && number <= UINT32_MAX; at++)
		number = 10 * number + (uint64_t)(*at - '0');
	if (at == digits || number > UINT32_MAX || *skip_spaces(at))
		return -1;
	*port = (uint32_t)number;
	return 0;
}

static void refuse(struct vsock_stream *client)
{
	client->vsock->counts.refused++;
	vsock_stream_close(client);
}

/* Handles a complete line, with a newline as its last byte. */
static void on_line(struct vsock_stream *client)
{
	struct vsock_device *vsock = client->vsock;

	client->line[client->line_len - 1] = '\0';
	/* Refuses a line with a zero byte, because the parser would stop at that byte. */
	if (strlen(client->line) != client->line_len - 1 || parse_line(client->line, &client->port)) {
		refuse(client);
		return;
	}
	if (!vsock_is_up(vsock))
		vsock_stream_set_stage(client, VSOCK_STAGE_DRIVER);
	else if (vsock_request(vsock, client, NULL))
		refuse(client);
}

/*
 * Reads bytes of a stream up to the newline, and leaves the bytes after it. Returns 1 for a whole
 * line, 0 to wait, -1 for a line that is too long, or a closed socket.
 */
static int take_line(struct vsock_stream *client)
{
	char *const to = client->line + client->line_len;
	const size_t room = sizeof client->line - client->line_len;
	const char *newline;
	ssize_t got;

	if (room == 0)
		return -1;
	got = recv(client->source.fd, to, room, MSG_DONTWAIT | MSG_PEEK);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0)
		return -1;
	newline = memchr(to, '\n', (size_t)got);
	if (newline)
		got = newline + 1 - to;
	/* MSG_PEEK has returned these bytes, so they are in the socket. */
	if (recv(client->source.fd, to, (size_t)got, MSG_DONTWAIT) != got)
		return -1;
	client->line_len += (uint32_t)got;
	/* No further event follows for bytes that have arrived, so the function reads again. */
	return newline ? 1 : take_line(client);
}

/* Does the same for a socket of records, where the first record is the line. */
static int take_record(struct vsock_stream *client)
{
	const ssize_t got = recv(client->source.fd, client->line, sizeof client->line, MSG_DONTWAIT | MSG_TRUNC);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0 || got > (ssize_t)sizeof client->line ||
	    memchr(client->line, '\n', (size_t)got) != client->line + got - 1)
		return -1;
	client->line_len = (uint32_t)got;
	return 1;
}

void vsock_clients_read(struct vsock_stream *client)
{
	const int got = client->type == VIRTIO_VSOCK_TYPE_STREAM ? take_line(client) : take_record(client);

	if (got == 1)
		on_line(client);
	else if (got < 0)
		refuse(client);
}

void vsock_clients_connect(struct vsock_device *vsock)
{
	struct vsock_stream *client;

	while (vsock_is_up(vsock) && (client = TAILQ_FIRST(&vsock->lists[VSOCK_STAGE_DRIVER])))
		if (vsock_request(vsock, client, NULL))
			refuse(client);
}

/* Listening */

/* If too many clients have not sent their line, the oldest of these clients is closed. */
static void greet(struct vsock_listener *listener, int fd)
{
	struct vsock_device *vsock = listener->vsock;

	if (vsock->counts_of[VSOCK_STAGE_LINE] == VSOCK_MAX_LINES)
		refuse(TAILQ_FIRST(&vsock->lists[VSOCK_STAGE_LINE]));
	if (!vsock_stream_open(vsock, fd, listener->type, VSOCK_STAGE_LINE)) {
		vsock->counts.refused++;
		close(fd);
	}
}

static void watch(struct vsock_listener *listener)
{
	listener->paused = event_loop_want(listener->vsock->loop, &listener->source, EVENT_READABLE) != 0;
}

/* Accepts one client at a time, so that other sources are served, too. */
static void on_client(struct event_source *source)
{
	struct vsock_listener *listener = CONTAINER_OF(source, struct vsock_listener, source);
	const int fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		greet(listener, fd);
		return;
	}
	if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
		return;
	/* The client stays in the backlog. */
	log_line("%s: %s: can't accept a client: %s", listener->vsock->device.name, listener->path, strerror(errno));
	(void)event_loop_want(listener->vsock->loop, source, 0);
	listener->paused = true;
	vsock_arm(listener->vsock);
}

void vsock_clients_resume(struct vsock_device *vsock)
{
	for (int i = 0; i < 2; i++)
		if (vsock->listeners[i].paused && vsock->listeners[i].source.fd >= 0)
			watch(&vsock->listeners[i]);
}

static void close_listener(struct vsock_listener *listener)
{
	if (listener->source.fd < 0)
		return;
	(void)event_loop_want(listener->vsock->loop, &listener->source, 0);
	unix_listener_close(listener->source.fd, listener->path, &listener->file);
	listener->source.fd = -1;
}

static int open_listener(struct vsock_device *vsock, struct vsock_listener *listener, uint16_t type)
{
	const bool records = type == VIRTIO_VSOCK_TYPE_SEQPACKET;
	const struct unix_listener_access access = { .has_mode = false };

	listener->vsock = vsock;
	listener->type = type;
	listener->paused = false;
	snprintf(listener->path, sizeof listener->path, "%s%s", vsock->path, records ? "_seqpacket" : "");
	listener->source = (struct event_source){ .ready = on_client };
	listener->source.fd =
		unix_listener_take(&inherited, &listener->file, "%s listener %u", vsock->device.name, type);
	if (listener->source.fd < 0)
		listener->source.fd = unix_listener_open_type(listener->path, records ? SOCK_SEQPACKET : SOCK_STREAM,
							      BACKLOG, &access, &listener->file);
	if (listener->source.fd < 0)
		return -1;
	watch(listener);
	return 0;
}

int vsock_clients_open(struct vsock_device *vsock)
{
	if (open_listener(vsock, &vsock->listeners[0], VIRTIO_VSOCK_TYPE_STREAM))
		return -1;
	if (open_listener(vsock, &vsock->listeners[1], VIRTIO_VSOCK_TYPE_SEQPACKET) == 0)
		return 0;
	close_listener(&vsock->listeners[0]);
	return -1;
}

void vsock_clients_close(struct vsock_device *vsock)
{
	close_listener(&vsock->listeners[0]);
	close_listener(&vsock->listeners[1]);
}
