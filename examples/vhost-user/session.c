/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* vhost-user requests, one function for each, and the session around them. */
#include "session.h"

#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ring.h>

#define BIT(n) (UINT64_C(1) << (n))

/* What this side of the device does, whatever its type. */
#define RING_FEATURES                                                                                                  \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_EVENT_IDX) | BIT(VIRTIO_RING_F_INDIRECT_DESC) |                   \
	 BIT(VHOST_USER_F_PROTOCOL_FEATURES))

/* What a handler returns. */
enum outcome {
	DONE,
	REFUSED,   /* nothing has changed, but that a ring may not run that was to start */
	VIOLATION, /* the front end doesn't speak the protocol */
};

__attribute__((format(printf, 2, 3))) static enum outcome refuse(struct session *session, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(session->reason, sizeof session->reason, format, args);
	va_end(args);
	return REFUSED;
}

__attribute__((format(printf, 2, 3))) static enum outcome violation(struct session *session, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(session->reason, sizeof session->reason, format, args);
	va_end(args);
	return VIOLATION;
}

/* What the driver can read has been announced before. */
static enum outcome reply(struct session *session, uint32_t size)
{
	session_tell_config_change(session);
	if (message_reply(session->socket.fd, &session->message, size))
		return violation(session, "doesn't read replies");
	return DONE;
}

static enum outcome reply_u64(struct session *session, uint64_t value)
{
	session->message.payload.u64 = value;
	return reply(session, sizeof value);
}

/* Features */

static uint64_t offered(const struct session *session)
{
	return session->device->features | RING_FEATURES;
}

static enum outcome get_features(struct session *session)
{
	return reply_u64(session, offered(session));
}

/* Rings are enabled from the beginning for a front end that doesn't know SET_VRING_ENABLE. */
static bool can_enable(const struct session *session)
{
	return (session->features & BIT(VHOST_USER_F_PROTOCOL_FEATURES)) != 0;
}

static enum outcome set_features(struct session *session)
{
	const uint64_t features = session->message.payload.u64;
	const struct device *device = session->device;

	if (features & ~offered(session))
		return refuse(session, "features that are not offered: 0x%llx",
			      (unsigned long long)(features & ~offered(session)));
	if (!(features & BIT(VIRTIO_F_VERSION_1)))
		return refuse(session, "the driver is older than virtio 1.0");
	if (features == session->features)
		return DONE;
	for (uint16_t i = 0; i < device->queue_count; i++)
		if (vring_runs(&session->vrings[i]))
			return refuse(session, "features change while queue %u runs", i);
	if (device_host_check_features(session->host, features))
		return refuse(session, "features that do not fit together: 0x%llx", (unsigned long long)features);
	session->features = features;
	for (uint16_t i = 0; i < device->queue_count; i++) {
		struct vhost_vring *vring = &session->vrings[i];

		vring->config.event_idx = (features & BIT(VIRTIO_RING_F_EVENT_IDX)) != 0;
		vring->config.indirect = (features & BIT(VIRTIO_RING_F_INDIRECT_DESC)) != 0;
		vring->enabled = !can_enable(session);
	}
	return DONE;
}

/* Requests of ours are about the configuration space, so a device without it needs no channel for them. */
static uint64_t offered_protocol_features(const struct session *session)
{
	const uint64_t config = BIT(VHOST_USER_PROTOCOL_F_BACKEND_REQ) | BIT(VHOST_USER_PROTOCOL_F_CONFIG);

	return BIT(VHOST_USER_PROTOCOL_F_MQ) | BIT(VHOST_USER_PROTOCOL_F_REPLY_ACK) |
	       (session->device->config_size ? config : 0);
}

static enum outcome get_protocol_features(struct session *session)
{
	return reply_u64(session, offered_protocol_features(session));
}

static enum outcome set_protocol_features(struct session *session)
{
	const uint64_t features = session->message.payload.u64;
	const uint64_t unknown = features & ~offered_protocol_features(session);

	if (unknown)
		return refuse(session, "protocol features that are not offered: 0x%llx", (unsigned long long)unknown);
	session->protocol_features = features;
	return DONE;
}

/* Ownership */

static enum outcome set_owner(struct session *session)
{
	(void)session;
	return DONE;
}

/* Deprecated: the protocol says to ignore it, or to disable all rings. */
static enum outcome reset_owner(struct session *session)
{
	for (uint16_t i = 0; i < session->device->queue_count; i++)
		vring_disconnect(&session->vrings[i]);
	return DONE;
}

/* We write to it, see vring.h. */
static enum outcome set_backend_req_fd(struct session *session)
{
	const int fd = incoming_take_fd(&session->message.in, 0);
	socklen_t len = sizeof(int);
	int domain;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) || domain != AF_UNIX) {
		close(fd);
		return refuse(session, "a channel for requests that is no Unix socket");
	}
	if (session->request_fd >= 0)
		close(session->request_fd);
	session->request_fd = fd;
	return DONE;
}

/* Memory */

static void pause_rings(struct session *session)
{
	for (uint16_t i = 0; i < session->device->queue_count; i++)
		vring_pause(&session->vrings[i]);
}

static void resume_rings(struct session *session)
{
	for (uint16_t i = 0; i < session->device->queue_count; i++)
		vring_resume(&session->vrings[i]);
}

/*
 * Rings may be running, and go on: all of them must lie in the new memory, or nothing changes. Returns the index of one
 * that doesn't, or the number of rings. All rings are paused.
 */
static uint16_t switch_rings(struct session *session, const struct shared_memory *memory)
{
	const uint16_t count = session->device->queue_count;
	uint16_t switched = 0;

	while (switched < count && vring_switch_memory(&session->vrings[switched], memory) == 0)
		switched++;
	if (switched < count)
		for (uint16_t i = 0; i < switched; i++)
			/* They have just come from there. */
			(void)vring_switch_memory(&session->vrings[i], session->memory);
	return switched;
}

/* The old memory is unmapped only after the last queue has left it. */
static enum outcome set_mem_table(struct session *session)
{
	const struct vhost_user_memory *table = &session->message.payload.memory;
	struct message *message = &session->message;
	struct shared_memory *memory;
	const char *reason;
	uint16_t failed;

	/* Some front ends send what is used of the table, others all that they have room for. */
	if (table->count > VHOST_USER_MAX_REGIONS || table->count != message->in.fd_count ||
	    message->header.size % sizeof *table->regions != offsetof(struct vhost_user_memory, regions) ||
	    message->header.size / sizeof *table->regions < table->count)
		return violation(session, "%u regions, %u descriptors and %u bytes do not fit together", table->count,
				 message->in.fd_count, message->header.size);
	memory = shared_memory_map(table, message->in.fds, &reason);
	if (!memory)
		return refuse(session, "%s", reason);
	pause_rings(session);
	failed = switch_rings(session, memory);
	resume_rings(session);
	if (failed < session->device->queue_count) {
		shared_memory_free(memory);
		return refuse(session, "queue %u runs and is not in the new memory", failed);
	}
	shared_memory_free(session->memory);
	session->memory = memory;
	return DONE;
}

/* Rings */

static struct vhost_vring *find_vring(struct session *session, uint32_t index)
{
	if (index < session->device->queue_count)
		return &session->vrings[index];
	(void)refuse(session, "no queue %u", index);
	return NULL;
}

static enum outcome ring_result(struct session *session, const struct vhost_vring *vring, int error)
{
	return error ? refuse(session, "queue %u: %s", vring->queue.index, virtio_strerror(error)) : DONE;
}

static enum outcome set_vring_num(struct session *session)
{
	const struct vhost_user_vring_state *state = &session->message.payload.state;
	struct vhost_vring *vring = find_vring(session, state->index);

	return vring ? ring_result(session, vring, vring_set_size(vring, state->num)) : REFUSED;
}

static enum outcome set_vring_addr(struct session *session)
{
	const struct vhost_user_vring_addr *addr = &session->message.payload.addr;
	const uint64_t areas[3] = {
		[VIRTIO_QUEUE_DESC] = addr->desc, [VIRTIO_QUEUE_AVAIL] = addr->avail, [VIRTIO_QUEUE_USED] = addr->used
	};
	struct vhost_vring *vring = find_vring(session, addr->index);
	int error;

	if (!vring)
		return REFUSED;
	/* The only flag is about logging, which isn't offered. */
	if (addr->flags)
		return refuse(session, "queue %u: ring flags 0x%x", addr->index, addr->flags);
	if (!session->memory)
		return refuse(session, "queue %u: ring addresses before memory", addr->index);
	error = vring_set_addr(vring, session->memory, areas);
	if (!error)
		error = vring_start(vring, session->memory);
	return ring_result(session, vring, error);
}

static enum outcome set_vring_base(struct session *session)
{
	const struct vhost_user_vring_state *state = &session->message.payload.state;
	struct vhost_vring *vring = find_vring(session, state->index);

	return vring ? ring_result(session, vring, vring_set_base(vring, state->num)) : REFUSED;
}

static enum outcome get_vring_base(struct session *session)
{
	struct vhost_user_vring_state *state = &session->message.payload.state;
	struct vhost_vring *vring = find_vring(session, state->index);

	if (!vring)
		return REFUSED;
	vring_disconnect(vring);
	state->num = vring->base;
	return reply(session, sizeof *state);
}

/* The three requests that give a ring a descriptor, or take it away. */
static enum outcome set_vring_fd(struct session *session, int (*set)(struct vhost_vring *vring, int fd))
{
	struct message *message = &session->message;
	const uint64_t value = message->payload.u64;
	const unsigned int fds = value & VHOST_USER_VRING_NO_FD ? 0 : 1;
	struct vhost_vring *vring;
	int error;

	if (message->in.fd_count != fds)
		return violation(session, "%u descriptors instead of %u", message->in.fd_count, fds);
	if (value & ~(uint64_t)(VHOST_USER_VRING_INDEX_MASK | VHOST_USER_VRING_NO_FD))
		return refuse(session, "unknown bits 0x%llx", (unsigned long long)value);
	vring = find_vring(session, (uint32_t)value & VHOST_USER_VRING_INDEX_MASK);
	if (!vring)
		return REFUSED;
	error = set(vring, fds ? incoming_take_fd(&message->in, 0) : -1);
	if (!error && set == vring_set_kick) {
		error = vring_start(vring, session->memory);
		if (error)
			vring_disconnect(vring);
	}
	return ring_result(session, vring, error);
}

static enum outcome set_vring_kick(struct session *session)
{
	return set_vring_fd(session, vring_set_kick);
}

static enum outcome set_vring_call(struct session *session)
{
	return set_vring_fd(session, vring_set_call);
}

static enum outcome set_vring_err(struct session *session)
{
	return set_vring_fd(session, vring_set_err);
}

static enum outcome set_vring_enable(struct session *session)
{
	const struct vhost_user_vring_state *state = &session->message.payload.state;
	struct vhost_vring *vring = find_vring(session, state->index);
	int error;

	if (!vring)
		return REFUSED;
	if (!can_enable(session))
		return refuse(session, "queue %u: VHOST_USER_F_PROTOCOL_FEATURES is not negotiated", state->index);
	if (state->num > 1)
		return refuse(session, "queue %u: neither on nor off: %u", state->index, state->num);
	vring->enabled = state->num;
	if (!vring->enabled) {
		vring_stop(vring);
		return DONE;
	}
	error = vring_start(vring, session->memory);
	if (error)
		vring->enabled = false;
	return ring_result(session, vring, error);
}

static enum outcome get_queue_num(struct session *session)
{
	return reply_u64(session, session->device->queue_count);
}

/* Configuration space */

static bool config_is_sound(const struct message *message)
{
	const struct vhost_user_config *config = &message->payload.config;

	return config->size <= VHOST_USER_MAX_CONFIG && config->offset <= VHOST_USER_MAX_CONFIG - config->size &&
	       message->header.size == offsetof(struct vhost_user_config, data) + config->size;
}

static enum outcome get_config(struct session *session)
{
	struct vhost_user_config *config = &session->message.payload.config;

	/* An empty reply is how this request is refused. */
	if (!config_is_sound(&session->message) || session->device->config_size == 0)
		return reply(session, 0);
	device_host_config_read(session->host, config->offset, config->data, config->size);
	return reply(session, session->message.header.size);
}

static enum outcome set_config(struct session *session)
{
	const struct vhost_user_config *config = &session->message.payload.config;

	if (!config_is_sound(&session->message))
		return violation(session, "%u bytes at %u of the configuration space in %u bytes", config->size,
				 config->offset, session->message.header.size);
	if (config->flags != VHOST_USER_CONFIG_WRITABLE ||
	    device_host_config_write(session->host, config->offset, config->data, config->size))
		return refuse(session, "%u bytes at %u of the configuration space are not writable", config->size,
			      config->offset);
	return DONE;
}

/* Dispatch */

struct request {
	const char *name;
	enum outcome (*handle)(struct session *session);
	uint32_t min_size, max_size; /* of the payload */
	unsigned int max_fds;        /* handlers that accept more than one number look themselves */
	unsigned int min_fds;
	bool replies; /* by itself, so that it needs no acknowledgement */
};

#define SIZE(type) sizeof(type), sizeof(type)
#define STATE SIZE(struct vhost_user_vring_state)

static const struct request requests[] = {
	[VHOST_USER_GET_FEATURES] = { "GET_FEATURES", get_features, 0, 0, 0, 0, true },
	[VHOST_USER_SET_FEATURES] = { "SET_FEATURES", set_features, SIZE(uint64_t), 0, 0, false },
	[VHOST_USER_SET_OWNER] = { "SET_OWNER", set_owner, 0, 0, 0, 0, false },
	[VHOST_USER_RESET_OWNER] = { "RESET_OWNER", reset_owner, 0, 0, 0, 0, false },
	[VHOST_USER_SET_MEM_TABLE] = { "SET_MEM_TABLE", set_mem_table, offsetof(struct vhost_user_memory, regions),
				       sizeof(struct vhost_user_memory), VHOST_USER_MAX_REGIONS, 0, false },
	[VHOST_USER_SET_VRING_NUM] = { "SET_VRING_NUM", set_vring_num, STATE, 0, 0, false },
	[VHOST_USER_SET_VRING_ADDR] = { "SET_VRING_ADDR", set_vring_addr, SIZE(struct vhost_user_vring_addr), 0, 0,
					false },
	[VHOST_USER_SET_VRING_BASE] = { "SET_VRING_BASE", set_vring_base, STATE, 0, 0, false },
	[VHOST_USER_GET_VRING_BASE] = { "GET_VRING_BASE", get_vring_base, STATE, 0, 0, true },
	[VHOST_USER_SET_VRING_KICK] = { "SET_VRING_KICK", set_vring_kick, SIZE(uint64_t), 1, 0, false },
	[VHOST_USER_SET_VRING_CALL] = { "SET_VRING_CALL", set_vring_call, SIZE(uint64_t), 1, 0, false },
	[VHOST_USER_SET_VRING_ERR] = { "SET_VRING_ERR", set_vring_err, SIZE(uint64_t), 1, 0, false },
	[VHOST_USER_GET_PROTOCOL_FEATURES] = { "GET_PROTOCOL_FEATURES", get_protocol_features, 0, 0, 0, 0, true },
	[VHOST_USER_SET_PROTOCOL_FEATURES] = { "SET_PROTOCOL_FEATURES", set_protocol_features, SIZE(uint64_t), 0, 0,
					       false },
	[VHOST_USER_GET_QUEUE_NUM] = { "GET_QUEUE_NUM", get_queue_num, 0, 0, 0, 0, true },
	[VHOST_USER_SET_VRING_ENABLE] = { "SET_VRING_ENABLE", set_vring_enable, STATE, 0, 0, false },
	[VHOST_USER_SET_BACKEND_REQ_FD] = { "SET_BACKEND_REQ_FD", set_backend_req_fd, 0, 0, 1, 1, false },
	[VHOST_USER_GET_CONFIG] = { "GET_CONFIG", get_config, offsetof(struct vhost_user_config, data),
				    sizeof(struct vhost_user_config), 0, 0, true },
	[VHOST_USER_SET_CONFIG] = { "SET_CONFIG", set_config, offsetof(struct vhost_user_config, data),
				    sizeof(struct vhost_user_config), 0, 0, false },
};

static const struct request *find_request(uint32_t number)
{
	if (number >= sizeof requests / sizeof *requests || !requests[number].handle)
		return NULL;
	return &requests[number];
}

static enum outcome handle(struct session *session, const struct request *request)
{
	const struct message *message = &session->message;

	if (!request)
		return refuse(session, "unknown request");
	if (message->header.size < request->min_size || message->header.size > request->max_size)
		return violation(session, "payload of %u bytes", message->header.size);
	if (message->in.fd_count < request->min_fds || message->in.fd_count > request->max_fds)
		return violation(session, "%u file descriptors", message->in.fd_count);
	return request->handle(session);
}

/* Handles a whole message, and says in session->reason why it returns -1: the session is over. */
static int dispatch(struct session *session)
{
	const struct vhost_user_header header = session->message.header;
	const struct request *request = find_request(header.request);
	const bool wants_reply = (header.flags & VHOST_USER_FLAG_NEED_REPLY) && !(request && request->replies);
	enum outcome outcome;
	char reason[sizeof session->reason];

	if (!session->spoke)
		device_host_attached(session->host);
	session->spoke = true;
	outcome = handle(session, request);
	if (outcome != VIOLATION && wants_reply)
		outcome = reply_u64(session, outcome == DONE ? 0 : 1) == DONE ? outcome : VIOLATION;
	if (outcome == DONE)
		return 0;
	memcpy(reason, session->reason, sizeof reason);
	snprintf(session->reason, sizeof session->reason, "%s (request %u): %.100s", request ? request->name : "?",
		 header.request, reason);
	/* What isn't known can be left out; a request that is must not fail without the front end knowing. */
	if (outcome == REFUSED && (wants_reply || !request)) {
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

/* Opens all rings, or none. Returns 0, or -1 with errno. */
static int open_rings(struct session *session)
{
	uint16_t opened = 0;

	while (opened < session->device->queue_count)
		if (vring_open(&session->vrings[opened], session->device, opened, device_host_thread(session->host),
			       session->damaged.fd) == 0)
			opened++;
		else
			break;
	if (opened == session->device->queue_count)
		return 0;
	while (opened-- > 0)
		vring_close(&session->vrings[opened]);
	return -1;
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
	if (session->damaged.fd >= 0 && open_rings(session) == 0) {
		if (event_loop_add(loop, &session->damaged, EVENT_WHILE_READABLE) == 0 &&
		    event_loop_add(loop, &session->socket, EVENT_WHILE_READABLE) == 0) {
			device_host_reset(host);
			return session;
		}
		event_loop_remove(loop, &session->damaged);
		for (uint16_t i = 0; i < device->queue_count; i++)
			vring_close(&session->vrings[i]);
	}
	if (session->damaged.fd >= 0)
		close(session->damaged.fd);
	free(session);
	return NULL;
}

void session_tell_config_change(struct session *session)
{
	const uint64_t needed = BIT(VHOST_USER_PROTOCOL_F_BACKEND_REQ) | BIT(VHOST_USER_PROTOCOL_F_CONFIG);

	if (!atomic_exchange(&session->host->config_changed, false))
		return;
	if (session->request_fd < 0 || (session->protocol_features & needed) != needed)
		return;
	if (message_send(session->request_fd, VHOST_USER_BACKEND_CONFIG_CHANGE_MSG))
		log_line("%s: can't tell the front end that the configuration space has changed: %s",
			 session->device->name, strerror(errno));
}

void session_close(struct session *session)
{
	event_loop_remove(session->loop, &session->socket);
	event_loop_remove(session->loop, &session->damaged);
	for (uint16_t i = 0; i < session->device->queue_count; i++)
		vring_close(&session->vrings[i]);
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
