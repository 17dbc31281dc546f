/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A session: its messages, the start of its rings, and its life cycle. */
#include "session.h"

#include "log.h"
#include "requests.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/features.h>

/* Starting rings */

static bool any_ring_runs(struct session *session)
{
	for (uint16_t i = 0; i < session->device->queue_count; i++)
		if (vring_runs(&session->vrings[i]))
			return true;
	return false;
}

/* LOG_ALL concerns the front end only, and may change while the driver's features stay the same. */
static uint64_t drivers_features(const struct session *session)
{
	return session->setup.features & ~virtio_feature_mask(VHOST_F_LOG_ALL);
}

/*
 * Passes the features to the device. A restored device already has the state and the features of
 * its saved driver, so the same features are not passed again. Other features mean another driver,
 * so the device is reset. Returns 0, or an error. An error changes nothing.
 */
static int tell_features(struct device_host *host, uint64_t features)
{
	const bool restored = host->restored, same = host->has_features && host->features == features;
	int error = 0;

	if (!restored || !same)
		error = device_host_check_features(host, features);
	if (!error && restored && !same) {
		device_host_reset(host);
		error = device_host_check_features(host, features);
	}
	if (!error)
		host->restored = false;
	return error;
}

/*
 * Passes new features to the device, and stops all rings before that. Rings that still run belong
 * to an earlier driver, because a driver can't change its features.
 */
static int apply_features(struct session *session)
{
	struct session_setup *setup = &session->setup;
	const uint64_t features = drivers_features(session);

	if (setup->has_applied && setup->applied == features)
		return 0;
	for (uint16_t i = 0; i < session->device->queue_count; i++)
		vring_stop(&session->vrings[i]);
	if (tell_features(session->host, features)) {
		(void)request_refuse(session, "features that do not fit together: 0x%llx",
				     (unsigned long long)features);
		return -1;
	}
	setup->applied = features;
	setup->has_applied = true;
	return 0;
}

int session_apply_features(struct session *session)
{
	return any_ring_runs(session) ? 0 : apply_features(session);
}

/* Prints a hint for the operator about a problem in the guest, once in a session. */
static void hint(struct session *session, enum session_hint what, const char *text)
{
	if (session->hints & what)
		return;
	session->hints |= what;
	log_line("%s: %s", session->device->name, text);
}

static const char *start_error(int error)
{
	return error == VIRTIO_EFAULT ? "the ring is not in memory that the front end shares (QEMU: share=on)"
				      : virtio_strerror(error);
}

int session_start_ring(struct session *session, struct vhost_vring *vring)
{
	int error;

	if (!session->setup.has_features || !vring_can_start(vring, session->memory, session->setup.features))
		return 0;
	if (!(session->setup.features & virtio_feature_mask(VIRTIO_F_VERSION_1))) {
		hint(session, SESSION_HINT_LEGACY,
		     "not started: the driver is older than virtio 1.0, or was shown a legacy device "
		     "(QEMU: disable-legacy=on)");
		return 0;
	}
	if (apply_features(session))
		return -1;
	error = vring_start(vring, session->memory, session->setup.features);
	if (!error)
		return 0;
	(void)request_refuse(session, "queue %u: %s", vring->queue.index, start_error(error));
	return -1;
}

int session_start_rings(struct session *session)
{
	int result = 0;

	for (uint16_t i = 0; i < session->device->queue_count; i++)
		if (session_start_ring(session, &session->vrings[i]))
			result = -1;
	return result;
}

/*
 * Only logs a failure: the memory table is valid, so SET_MEM_TABLE succeeds. A ring outside of the
 * memory waits for the next table.
 */
void session_memory_came(struct session *session)
{
	if (session_start_rings(session))
		log_line("%s: not started: %s", session->device->name, session->reason);
}

/* Messages */

static enum outcome handle(struct session *session, const struct request *request)
{
	const struct message *message = &session->message;

	if (!request)
		return request_refuse(session, "unknown request");
	if (message->header.size < request->min_size || message->header.size > request->max_size)
		return request_violation(session, "payload of %u bytes", message->header.size);
	/*
	 * Refuses a message with a wrong number of descriptors. A request with its own reply can't
	 * report the refusal, so its surplus descriptors are only closed.
	 */
	if (!request->replies &&
	    (message->in.lost || message->in.fd_count < request->min_fds || message->in.fd_count > request->max_fds))
		return request_refuse(session, "%s%u file descriptors", message->in.lost ? "more than " : "",
				      message->in.fd_count);
	return request->handle(session);
}

/* Handles a whole message. Returns 0, or -1 with session->reason set. After -1 the session ends. */
static int dispatch(struct session *session)
{
	const struct vhost_user_header header = session->message.header;
	const struct request *request = request_find(header.request);
	const bool wants_reply = (header.flags & VHOST_USER_FLAG_NEED_REPLY) && !(request && request->replies);
	enum outcome outcome;
	char reason[sizeof session->reason];

	if (!session->spoke)
		device_host_attached(session->host);
	session->spoke = true;
	outcome = handle(session, request);
	if (outcome == REQUEST_DONE && !wants_reply)
		return 0;
	memcpy(reason, session->reason, sizeof reason);
	if (outcome != REQUEST_VIOLATION && wants_reply &&
	    request_reply_u64(session, outcome == REQUEST_DONE ? 0 : 1) != REQUEST_DONE) {
		outcome = REQUEST_VIOLATION;
		memcpy(reason, session->reason, sizeof reason);
	}
	if (outcome == REQUEST_DONE)
		return 0;
	snprintf(session->reason, sizeof session->reason, "%s (request %u): %.120s", request ? request->name : "?",
		 header.request, reason);
	/*
	 * An unknown request may be ignored, and so may a harmless request. Any other request must
	 * not fail without the front end's knowledge.
	 */
	if (outcome == REQUEST_REFUSED && (wants_reply || !request || request->harmless)) {
		log_line("%s: refused: %s", session->device->name, session->reason);
		return 0;
	}
	return -1;
}

/* Session */

static void end(struct session *session, const char *reason)
{
	if (reason)
		log_line("%s: front end dropped: %s", session->device->name, reason);
	session->ended(session);
}

static const char memory_gone[] = "it has taken away memory that it shares";

static void on_damaged(struct event_source *source)
{
	end(CONTAINER_OF(source, struct session, damaged), memory_gone);
}

static void on_readable(struct event_source *source)
{
	struct session *session = CONTAINER_OF(source, struct session, socket);
	const char *reason = NULL;
	int got = message_receive(source->fd, &session->message, &reason);

	if (got == 0)
		return;
	if (got == 1) {
		got = dispatch(session);
		message_clear(&session->message);
		if (got == 0 && !shared_memory_damaged(session->memory))
			return;
		reason = got == 0 ? memory_gone : session->reason;
	}
	end(session, reason);
}

static void open_rings(struct session *session)
{
	for (uint16_t i = 0; i < session->device->queue_count; i++)
		vring_open(&session->vrings[i], session->device, i, device_host_thread(session->host),
			   session->damaged.fd);
}

static void close_rings(struct session *session)
{
	for (uint16_t i = 0; i < session->device->queue_count; i++)
		vring_close(&session->vrings[i]);
}

struct session *session_open(struct event_loop *loop, struct device_host *host, int socket)
{
	struct device *device = host->device;
	struct session *session = calloc(1, sizeof *session + device->queue_count * sizeof *session->vrings);

	if (!session)
		return NULL;
	session->socket = (struct event_source){ .fd = socket, .ready = on_readable };
	session->damaged = (struct event_source){ .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .ready = on_damaged };
	session->loop = loop;
	session->host = host;
	session->device = device;
	session->request_fd = -1;
	if (session->damaged.fd >= 0) {
		open_rings(session);
		if (event_loop_add(loop, &session->damaged, EVENT_WHILE_READABLE) == 0 &&
		    event_loop_add(loop, &session->socket, EVENT_WHILE_READABLE) == 0) {
			atomic_store(&host->told_of_memory, false);
			if (!host->restored)
				device_host_reset(host);
			return session;
		}
		event_loop_remove(loop, &session->damaged);
		close_rings(session);
		close(session->damaged.fd);
	}
	free(session);
	return NULL;
}

void session_tell_config_change(struct session *session)
{
	const uint64_t needed = virtio_feature_mask(VHOST_USER_PROTOCOL_F_BACKEND_REQ) |
				virtio_feature_mask(VHOST_USER_PROTOCOL_F_CONFIG);

	if (!atomic_exchange(&session->host->config_changed, false))
		return;
	if (session->request_fd < 0 || (session->setup.protocol_features & needed) != needed)
		return;
	if (message_send(session->request_fd, VHOST_USER_BACKEND_CONFIG_CHANGE_MSG))
		log_line("%s: can't tell the front end that the configuration space has changed: %s",
			 session->device->name, strerror(errno));
}

void session_close(struct session *session)
{
	event_loop_remove(session->loop, &session->socket);
	event_loop_remove(session->loop, &session->damaged);
	close_rings(session);
	if (session->spoke)
		device_host_detached(session->host);
	shared_memory_free(session->memory);
	message_clear(&session->message);
	if (session->request_fd >= 0)
		close(session->request_fd);
	close(session->damaged.fd);
	close(session->socket.fd);
	free(session);
}
