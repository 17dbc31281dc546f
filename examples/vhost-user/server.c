/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Listening sockets. */
#include "server.h"

#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RETRY_NS UINT64_C(1000000000)

static int fail(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	return -1;
}

static void listen_again(struct server *server)
{
	if (event_loop_add(server->loop, &server->listener, EVENT_WHILE_READABLE))
		log_line("%s: can't listen any longer: %s", server->path, strerror(errno));
}

/*
 * No descriptors or no memory are left. The connection stays in the backlog, so the listener would
 * be readable all the time.
 */
static void pause_listening(struct server *server)
{
	event_timer_set(&server->retry, RETRY_NS);
	event_loop_remove(server->loop, &server->listener);
}

static void on_retry(struct event_timer *timer)
{
	listen_again(CONTAINER_OF(timer, struct server, retry));
}

/*
 * A connection without a message does not count: another process finds out that way whether the
 * socket is in use.
 */
static void on_end(struct session *session)
{
	struct server *server = session->owner;
	const bool spoke = session->spoke;

	session_close(session);
	server->session = NULL;
	if (server->once && spoke)
		server->loop->stop = true;
	else
		listen_again(server);
}

static void on_connection(struct event_source *source)
{
	struct server *server = CONTAINER_OF(source, struct server, listener);
	int fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct session *session;

	if (fd < 0) {
		const int error = errno;

		if (error != EAGAIN && error != EINTR && error != ECONNABORTED)
			log_line("%s: can't accept a front end: %s", server->path, strerror(error));
		if (error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS)
			pause_listening(server);
		return;
	}
	session = session_open(server->loop, &server->host, fd);
	if (!session) {
		log_line("%s: can't serve a front end: %s", server->path, strerror(errno));
		close(fd);
		return;
	}
	session->ended = on_end;
	session->owner = server;
	server->session = session;
	event_loop_remove(server->loop, &server->listener);
}

static void on_config_change(struct device_host *host)
{
	struct server *server = CONTAINER_OF(host, struct server, host);

	if (server->session)
		session_tell_config_change(server->session);
	else
		atomic_store(&host->config_changed, false);
}

/* Listens for front ends of a device that is open. */
static int start_listening(struct server *server, const char *path)
{
	static const struct unix_listener_access everybody;

	if (event_timer_open(&server->retry, server->loop, on_retry))
		return fail(path, strerror(errno));
	server->listener.fd = unix_listener_open(path, &everybody, &server->file);
	if (server->listener.fd < 0)
		return -1;
	if (event_loop_add(server->loop, &server->listener, EVENT_WHILE_READABLE))
		return fail(path, strerror(errno));
	return 0;
}

int server_open(struct server *server, struct event_loop *loop, struct device *device, const char *path, bool once)
{
	memset(server, 0, sizeof *server);
	server->listener = (struct event_source){ .fd = -1, .ready = on_connection };
	server->retry = (struct event_timer)EVENT_SOURCE_NONE;
	server->loop = loop;
	server->path = path;
	server->once = once;
	if (device_host_open(&server->host, device, loop, on_config_change))
		return -1;
	if (start_listening(server, path) == 0)
		return 0;
	server_close(server);
	return -1;
}

void server_refresh(struct server *server)
{
	device_host_refresh(&server->host);
	if (server->session)
		session_tell_config_change(server->session);
}

static void stop_listening(struct server *server)
{
	event_timer_close(&server->retry);
	if (server->listener.fd < 0)
		return;
	/* While a session lasts the listener isn't in the loop; removing it twice does no harm. */
	event_loop_remove(server->loop, &server->listener);
	unix_listener_close(server->listener.fd, server->path, &server->file);
	server->listener.fd = -1;
}

void server_close(struct server *server)
{
	if (server->session)
		session_close(server->session);
	server->session = NULL;
	stop_listening(server);
	device_host_close(&server->host);
}
