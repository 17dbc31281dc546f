/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Connects devices with their front ends. */
#include "server.h"

#include "log.h"
#include "session_state.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The most events of the first front end that are handled when a second front end connects. */
#define MOST_MESSAGES 256
#define RETRY_NS UINT64_C(1000000000)

static int fail(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	return -1;
}

/* Listening and connecting */
static void listen_again(struct server *server);

/*
 * Called when descriptors or memory have run out. The connection stays in the backlog, so without
 * the pause the listener would be readable all the time.
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
 * Called when there is no front end. Does nothing if the daemon listens. Otherwise sets the time of
 * the next attempt to connect, or prints that no front end will come.
 */
static void await_next(struct server *server)
{
	if (!server->endpoint->client) {
		if (server->listener.fd < 0)
			log_line("%s: the inherited connection has ended: start the daemon again to serve the device",
				 server->path);
		return;
	}
	if (server->endpoint->reconnect > 0)
		event_timer_set(&server->retry, server->endpoint->reconnect * UINT64_C(1000000000));
	else
		log_line("%s: the connection has ended (reconnect=SECONDS connects again)", server->path);
}

/*
 * --once ignores a connection without a message. Another process makes such a connection to find
 * out whether the socket is in use.
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
		await_next(server);
}

static void adopt(struct server *server, struct session *session)
{
	session->ended = on_end;
	session->owner = server;
	server->session = session;
}

/*
 * Begins a session on the descriptor. The descriptor is closed on failure. Returns 0, or -1 after
 * logging why not.
 */
static int serve(struct server *server, int fd)
{
	struct session *session = session_open(server->loop, &server->host, fd);

	if (!session) {
		log_line("%s: can't serve a front end: %s", server->path, strerror(errno));
		close(fd);
		return -1;
	}
	adopt(server, session);
	server->told = false;
	return 0;
}

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

static bool has_hung_up(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLRDHUP | POLLHUP));
}

/*
 * Called when a front end connects. Returns whether the server can serve the new front end. An
 * earlier front end may have left, although the event loop has not handled its end yet. So this
 * function handles that end first. If the earlier front end is still there, the new front end is
 * refused, because two guests would destroy a disk. A process that only tests whether the daemon
 * listens has hung up by now, and is not logged.
 */
static bool make_room(struct server *server, int fd)
{
	/*
	 * Handles messages of the earlier front end. A message may end the session. A message may
	 * also carry, as a descriptor, the front end's own end of the connection. While such a
	 * message is not read, the connection doesn't hang up.
	 */
	for (unsigned int i = 0; i < MOST_MESSAGES && server->session && is_readable(server->session->socket.fd); i++)
		server->session->socket.ready(&server->session->socket);
	if (server->session && has_hung_up(server->session->socket.fd))
		on_end(server->session);
	if (!server->session)
		return !server->loop->stop;
	if (!has_hung_up(fd) && !server->told) {
		log_line("%s: a second front end is refused as long as the first one is connected", server->path);
		server->told = true;
	}
	return false;
}

static void on_connection(struct event_source *source)
{
	struct server *server = CONTAINER_OF(source, struct server, listener);
	int fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		const int error = errno;

		if (error != EAGAIN && error != EINTR && error != ECONNABORTED)
			log_line("%s: can't accept a front end: %s", server->path, strerror(error));
		if (error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS)
			pause_listening(server);
	} else if (make_room(server, fd)) {
		(void)serve(server, fd);
	} else {
		close(fd);
	}
}

/*
 * Makes one attempt to connect. The front end may not listen yet, so only the first of several
 * failures in a row is logged.
 */
static int connect_once(struct server *server)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memcpy(addr.sun_path, server->path, strlen(server->path));
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&addr, sizeof addr) == 0)
		return serve(server, fd);
	if (!server->told)
		log_line("%s: can't connect: %s%s", server->path, strerror(errno),
			 server->endpoint->reconnect ? ": trying again" : "");
	server->told = true;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void listen_again(struct server *server)
{
	if (server->endpoint->client) {
		if (connect_once(server))
			await_next(server);
	} else if (event_loop_add(server->loop, &server->listener, EVENT_WHILE_READABLE)) {
		log_line("%s: can't listen any longer: %s", server->path, strerror(errno));
	}
}

static void on_config_change(struct device_host *host)
{
	struct server *server = CONTAINER_OF(host, struct server, host);

	if (server->session)
		session_tell_config_change(server->session);
	else
		atomic_store(&host->config_changed, false);
}

static int start_client(struct server *server)
{
	if (!unix_listener_fits(server->path))
		return fail(server->path, "too long for the path of a socket");
	if (connect_once(server) == 0)
		return 0;
	if (server->endpoint->reconnect == 0)
		return -1;
	await_next(server);
	return 0;
}

static bool listens(int fd)
{
	int yes = 0;
	socklen_t len = sizeof yes;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) == 0 && yes;
}

/*
 * Called when the device is open. Begins to listen or to connect, or serves an inherited
 * connection.
 */
static int start_meeting(struct server *server)
{
	const struct endpoint *endpoint = server->endpoint;

	if (event_timer_open(&server->retry, server->loop, on_retry))
		return fail(server->path, strerror(errno));
	if (endpoint->client)
		return start_client(server);
	if (endpoint->fd >= 0 && !listens(endpoint->fd))
		return serve(server, endpoint->fd);
	server->listener.fd =
		endpoint->fd >= 0 ? endpoint->fd : unix_listener_open(server->path, &endpoint->access, &server->file);
	if (server->listener.fd < 0)
		return -1;
	if (event_loop_add(server->loop, &server->listener, EVENT_WHILE_READABLE))
		return fail(server->path, strerror(errno));
	return 0;
}

static int open_device(struct server *server, struct event_loop *loop, struct device *device,
		       const struct endpoint *endpoint, bool once, bool paused)
{
	memset(server, 0, sizeof *server);
	server->listener = (struct event_source){ .fd = -1, .ready = on_connection };
	server->retry = (struct event_timer)EVENT_SOURCE_NONE;
	server->loop = loop;
	server->endpoint = endpoint;
	server->path = endpoint->path;
	server->once = once;
	return device_host_open(&server->host, device, loop, on_config_change, paused);
}

int server_open(struct server *server, struct event_loop *loop, struct device *device, const struct endpoint *endpoint,
		bool once)
{
	if (open_device(server, loop, device, endpoint, once, false))
		return -1;
	if (start_meeting(server) == 0)
		return 0;
	server_close(server);
	return -1;
}

/* Ending, and continuing later */

int server_open_restored(struct server *server, struct event_loop *loop, struct device *device,
			 const struct endpoint *endpoint, bool once, struct virtio_section_reader *reader,
			 uint32_t number)
{
	if (open_device(server, loop, device, endpoint, once, true))
		return -1;
	server->host.in_file = true;
	if (session_state_restore_anew(&server->host, reader, number) == 0)
		return 0;
	server_close(server);
	return -1;
}

int server_meet(struct server *server)
{
	return start_meeting(server);
}

void server_begin(struct server *server)
{
	server->host.in_file = false;
	device_host_resume(&server->host);
}

void server_end(struct server *server)
{
	if (server->session)
		session_close(server->session);
	server->session = NULL;
	device_host_pause(&server->host);
	server->host.in_file = true;
}

void server_keep(struct server *server)
{
	server->host.in_file = false;
}

/* Handing over to another process */

static int take_over(struct server *server, struct virtio_section_reader *reader, uint32_t number,
		     struct handover *handover)
{
	struct session *session;

	if (event_timer_open(&server->retry, server->loop, on_retry))
		return fail(server->path, strerror(errno));
	if (session_state_restore(&server->host, server->loop, reader, number, handover, &session))
		return -1;
	if (session)
		adopt(server, session);
	server->listener.fd = unix_listener_take(handover, &server->file, "%u listener", number);
	if (server->endpoint->client || server->endpoint->fd >= 0)
		return 0;
	if (server->listener.fd < 0)
		return fail(server->path, "can't be taken over: its listening socket is missing");
	return 0;
}

int server_take_over(struct server *server, struct event_loop *loop, struct device *device,
		     const struct endpoint *endpoint, bool once, struct virtio_section_reader *reader, uint32_t number,
		     struct handover *handover)
{
	if (open_device(server, loop, device, endpoint, once, true))
		return -1;
	return take_over(server, reader, number, handover);
}

void server_continue(struct server *server)
{
	if (server->session)
		session_state_continue(server->session);
	device_host_resume(&server->host);
	if (server->endpoint->client ? !server->session && server->endpoint->reconnect > 0 : server->listener.fd >= 0)
		listen_again(server);
}

bool server_try_pause(struct server *server, const struct timespec *end)
{
	struct session *session = server->session;
	uint16_t paused = 0;

	if (!device_host_try_pause(&server->host, end))
		return false;
	while (session && paused < session->device->queue_count && vring_try_pause(&session->vrings[paused], end))
		paused++;
	if (!session || paused == session->device->queue_count)
		return true;
	server_resume(server);
	return false;
}

void server_resume(struct server *server)
{
	struct session *session = server->session;

	for (uint16_t i = 0; session && i < session->device->queue_count; i++)
		vring_resume(&session->vrings[i]);
	device_host_resume(&server->host);
}

int server_save(struct server *server, struct virtio_section_writer *writer, uint32_t number, struct handover *handover)
{
	/*
	 * Tells the front end now if the configuration space has changed, because the state has no
	 * flag for such a change.
	 */
	if (server->session)
		session_tell_config_change(server->session);
	if (unix_listener_hand_over(handover, server->listener.fd, &server->file, "%u listener", number))
		return fail(server->path, strerror(errno));
	return session_state_save(&server->host, server->session, writer, number, handover);
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
	/*
	 * The listener isn't in the loop while there is no room for connections. Removing it twice
	 * does no harm.
	 */
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
