/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* vhost-user requests, one function for each. */
#include "requests.h"

#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ring.h>
#include <virtio/features.h>

/* Returns the features that all types of device offer. */
static uint64_t ring_features(void)
{
	return virtio_feature_mask(VIRTIO_F_VERSION_1) | virtio_feature_mask(VIRTIO_RING_F_EVENT_IDX) |
	       virtio_feature_mask(VIRTIO_RING_F_INDIRECT_DESC) | virtio_feature_mask(VHOST_USER_F_PROTOCOL_FEATURES);
}

enum outcome request_refuse(struct session *session, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(session->reason, sizeof session->reason, format, args);
	va_end(args);
	return REQUEST_REFUSED;
}

enum outcome request_violation(struct session *session, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(session->reason, sizeof session->reason, format, args);
	va_end(args);
	return REQUEST_VIOLATION;
}

/*
 * Reports a change of the configuration space before the reply. So the report arrives before the
 * driver can read the changed bytes.
 */
enum outcome request_reply(struct session *session, uint32_t size)
{
	session_tell_config_change(session);
	if (message_reply(session->socket.fd, &session->message, size))
		return request_violation(session, "doesn't read replies");
	return REQUEST_DONE;
}

enum outcome request_reply_u64(struct session *session, uint64_t value)
{
	session->message.payload.u64 = value;
	return request_reply(session, sizeof value);
}

/* Features */

uint64_t session_offered(const struct device *device)
{
	return device->features | ring_features();
}

static enum outcome get_features(struct session *session)
{
	return request_reply_u64(session, session_offered(session->device));
}

/*
 * Front ends also send features that are not final. Examples are one 32-bit half alone, features
 * from before the driver has chosen, and features after the driver has reset the device. So new
 * features apply only when a ring starts, or when the driver writes to the configuration space.
 */
static enum outcome set_features(struct session *session)
{
	const struct session_setup before = session->setup;
	const uint64_t features = session->message.payload.u64;

	if (features & ~session_offered(session->device))
		return request_refuse(session, "features that are not offered: 0x%llx",
				      (unsigned long long)(features & ~session_offered(session->device)));
	session->setup.features = features;
	session->setup.has_features = true;
	if (session_start_rings(session) == 0)
		return REQUEST_DONE;
	session->setup.features = before.features;
	session->setup.has_features = before.has_features;
	return REQUEST_REFUSED;
}

/*
 * The daemon sends requests about the configuration space only. So a device without a configuration
 * space needs no channel for requests.
 */
uint64_t session_offered_protocol(const struct session *session)
{
	const uint64_t config = virtio_feature_mask(VHOST_USER_PROTOCOL_F_BACKEND_REQ) |
				virtio_feature_mask(VHOST_USER_PROTOCOL_F_CONFIG);

	return virtio_feature_mask(VHOST_USER_PROTOCOL_F_MQ) | virtio_feature_mask(VHOST_USER_PROTOCOL_F_REPLY_ACK) |
	       (session->device->config_size ? config : 0);
}

static enum outcome get_protocol_features(struct session *session)
{
	return request_reply_u64(session, session_offered_protocol(session));
}

static enum outcome set_protocol_features(struct session *session)
{
	const uint64_t features = session->message.payload.u64;
	const uint64_t unknown = features & ~session_offered_protocol(session);

	if (unknown)
		return request_refuse(session, "protocol features that are not offered: 0x%llx",
				      (unsigned long long)unknown);
	session->setup.protocol_features = features;
	return REQUEST_DONE;
}

/* Ownership */

static enum outcome set_owner(struct session *session)
{
	(void)session;
	return REQUEST_DONE;
}

/* Stops all rings. The request is deprecated, and the protocol also allows to ignore it. */
static enum outcome reset_owner(struct session *session)
{
	for (uint16_t i = 0; i < session->device->queue_count; i++)
		vring_disconnect(&session->vrings[i]);
	return REQUEST_DONE;
}

/* Accepts only a Unix socket, because the daemon must write without waiting, see vring.h. */
static enum outcome set_backend_req_fd(struct session *session)
{
	const int fd = incoming_take_fd(&session->message.in, 0);
	socklen_t len = sizeof(int);
	int domain;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) || domain != AF_UNIX) {
		close(fd);
		return request_refuse(session, "the channel for requests is no Unix socket");
	}
	if (session->request_fd >= 0)
		close(session->request_fd);
	session->request_fd = fd;
	return REQUEST_DONE;
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
 * Moves the running rings into the new memory. All rings are paused. If a running ring lies outside
 * of the new memory, nothing changes. Returns the index of that ring, or the number of rings on
 * success.
 */
static uint16_t switch_rings(struct session *session, const struct shared_memory *memory)
{
	const uint16_t count = session->device->queue_count;
	uint16_t switched = 0;

	while (switched < count && vring_switch_memory(&session->vrings[switched], memory) == 0)
		switched++;
	if (switched < count)
		for (uint16_t i = 0; i < switched; i++)
			/* The rings ran in the old memory, so switching back succeeds. */
			(void)vring_switch_memory(&session->vrings[i], session->memory);
	return switched;
}

/* Checks a table's counts. Returns REQUEST_DONE or REQUEST_REFUSED. */
static enum outcome check_counts(struct session *session)
{
	const struct message *message = &session->message;
	const uint32_t count = message->payload.memory.count;
	const uint32_t room = (uint32_t)((message->header.size - offsetof(struct vhost_user_memory, regions)) /
					 sizeof(struct vhost_user_region));

	if (count > VHOST_USER_MAX_REGIONS)
		return request_refuse(session, "%u memory regions, but at most %u are supported", count,
				      VHOST_USER_MAX_REGIONS);
	/*
	 * Some front ends send only the used entries of the table. Other front ends also send the
	 * unused entries.
	 */
	if (count > room || count != message->in.fd_count)
		return request_refuse(session, "%u regions, %u descriptors and %u bytes do not fit together", count,
				      message->in.fd_count, message->header.size);
	return REQUEST_DONE;
}

/* The old memory is unmapped when no queue uses it any more. */
static enum outcome set_mem_table(struct session *session)
{
	const struct vhost_user_memory *table = &session->message.payload.memory;
	struct shared_memory *memory;
	const char *reason;
	uint16_t failed;

	if (check_counts(session) != REQUEST_DONE)
		return REQUEST_REFUSED;
	memory = shared_memory_map(table, session->message.in.fds, &reason);
	if (!memory)
		return request_refuse(session, "%s", reason);
	pause_rings(session);
	failed = switch_rings(session, memory);
	resume_rings(session);
	if (failed < session->device->queue_count) {
		shared_memory_free(memory);
		return request_refuse(session, "queue %u runs and is not in the new memory", failed);
	}
	shared_memory_free(session->memory);
	session->memory = memory;
	session_memory_came(session);
	return REQUEST_DONE;
}

/* Rings */

static struct vhost_vring *find_vring(struct session *session, uint32_t index)
{
	if (index < session->device->queue_count)
		return &session->vrings[index];
	(void)request_refuse(session, "no queue %u: the device has %u; for a disk, queues= sets the number", index,
			     session->device->queue_count);
	return NULL;
}

/*
 * Ends a request about a ring. The ring starts if the request has completed the ring's set-up. If
 * the ring can't start, the request is refused, and the ring gets its earlier settings back.
 */
static enum outcome end_ring_request(struct session *session, struct vhost_vring *vring,
				     const struct vring_setup *before, int error)
{
	if (error)
		return request_refuse(session, "queue %u: %s", vring->queue.index, virtio_strerror(error));
	if (session_start_ring(session, vring) == 0)
		return REQUEST_DONE;
	vring->setup = *before;
	return REQUEST_REFUSED;
}

/* Carries out a request that sets the ring's size or its base. */
static enum outcome set_vring_number(struct session *session, int (*set)(struct vhost_vring *vring, uint32_t num))
{
	const struct vhost_user_vring_state *state = &session->message.payload.state;
	struct vhost_vring *vring = find_vring(session, state->index);
	struct vring_setup before;

	if (!vring)
		return REQUEST_REFUSED;
	before = vring->setup;
	return end_ring_request(session, vring, &before, set(vring, state->num));
}

static enum outcome set_vring_num(struct session *session)
{
	return set_vring_number(session, vring_set_size);
}

static enum outcome set_vring_base(struct session *session)
{
	return set_vring_number(session, vring_set_base);
}

static enum outcome set_vring_addr(struct session *session)
{
	const struct vhost_user_vring_addr *addr = &session->message.payload.addr;
	const uint64_t areas[3] = {
		[VIRTIO_QUEUE_DESC] = addr->desc, [VIRTIO_QUEUE_AVAIL] = addr->avail, [VIRTIO_QUEUE_USED] = addr->used
	};
	struct vhost_vring *vring = find_vring(session, addr->index);
	struct vring_setup before;

	if (!vring)
		return REQUEST_REFUSED;
	/*
	 * The only flag asks for logging, which isn't offered. A front end that relies on the log
	 * would lose data.
	 */
	if (addr->flags)
		return request_refuse(session, "queue %u: ring flags 0x%x", addr->index, addr->flags);
	before = vring->setup;
	return end_ring_request(session, vring, &before, vring_set_addr(vring, areas));
}

static enum outcome get_vring_base(struct session *session)
{
	struct vhost_user_vring_state *state = &session->message.payload.state;
	struct vhost_vring *vring = find_vring(session, state->index);

	if (!vring)
		return REQUEST_REFUSED;
	vring_disconnect(vring);
	state->num = vring->setup.base;
	return request_reply(session, sizeof *state);
}

/*
 * Finds the ring and the descriptor of a request that sets or removes a descriptor. Returns NULL
 * after refusing the request.
 */
static struct vhost_vring *find_vring_for_fd(struct session *session, int *fd)
{
	struct message *message = &session->message;
	const uint64_t value = message->payload.u64;
	const unsigned int fds = value & VHOST_USER_VRING_NO_FD ? 0 : 1;
	struct vhost_vring *vring;

	if (message->in.fd_count != fds) {
		(void)request_refuse(session, "%u descriptors instead of %u", message->in.fd_count, fds);
		return NULL;
	}
	if (value & ~(uint64_t)(VHOST_USER_VRING_INDEX_MASK | VHOST_USER_VRING_NO_FD)) {
		(void)request_refuse(session, "unknown bits 0x%llx", (unsigned long long)value);
		return NULL;
	}
	vring = find_vring(session, (uint32_t)value & VHOST_USER_VRING_INDEX_MASK);
	if (vring)
		*fd = fds ? incoming_take_fd(&message->in, 0) : -1;
	return vring;
}

static enum outcome set_vring_kick(struct session *session)
{
	struct vring_setup before;
	struct vhost_vring *vring;
	enum outcome outcome;
	int fd, error;

	vring = find_vring_for_fd(session, &fd);
	if (!vring)
		return REQUEST_REFUSED;
	before = vring->setup;
	error = vring_set_kick(vring, fd);
	outcome = end_ring_request(session, vring, &before, error);
	if (outcome != REQUEST_DONE && !error)
		vring_disconnect(vring);
	return outcome;
}

static enum outcome set_vring_signal(struct session *session, int (*set)(struct vhost_vring *vring, int fd))
{
	struct vhost_vring *vring;
	int fd, error;

	vring = find_vring_for_fd(session, &fd);
	if (!vring)
		return REQUEST_REFUSED;
	error = set(vring, fd);
	return error ? request_refuse(session, "queue %u: %s", vring->queue.index, virtio_strerror(error))
		     : REQUEST_DONE;
}

static enum outcome set_vring_call(struct session *session)
{
	return set_vring_signal(session, vring_set_call);
}

static enum outcome set_vring_err(struct session *session)
{
	return set_vring_signal(session, vring_set_err);
}

static enum outcome set_vring_enable(struct session *session)
{
	const struct vhost_user_vring_state *state = &session->message.payload.state;
	struct vhost_vring *vring = find_vring(session, state->index);
	struct vring_setup before;

	if (!vring)
		return REQUEST_REFUSED;
	if (state->num > 1)
		return request_refuse(session, "queue %u: enable is %u, not 0 or 1", state->index, state->num);
	before = vring->setup;
	vring_set_enable(vring, state->num);
	return end_ring_request(session, vring, &before, 0);
}

static enum outcome get_queue_num(struct session *session)
{
	return request_reply_u64(session, session->device->queue_count);
}

/* Configuration space */

/*
 * Computes the offset in the configuration space of the bytes that a message names. Returns 0, or
 * -1 if the bytes exceed the largest payload or the largest configuration space of the protocol.
 */
static int find_config(const struct message *message, uint32_t *offset)
{
	const struct vhost_user_config *config = &message->payload.config;

	*offset = config->offset >= VHOST_USER_CONFIG_BASE ? config->offset - VHOST_USER_CONFIG_BASE : config->offset;
	return config->size <= sizeof config->data && *offset <= VHOST_USER_CONFIG_SPACE - config->size ? 0 : -1;
}

/*
 * Front ends expect a reply as long as their request, and a request may be longer than the bytes
 * that it asks for. An empty reply refuses the request.
 */
static enum outcome get_config(struct session *session)
{
	struct vhost_user_config *config = &session->message.payload.config;
	const uint32_t room = session->message.header.size - (uint32_t)offsetof(struct vhost_user_config, data);
	const uint32_t len = config->size > room ? config->size : room;
	uint32_t offset;

	if (find_config(&session->message, &offset) || session->device->config_size == 0)
		return request_reply(session, 0);
	memset(config->data, 0, len);
	device_host_config_read(session->host, offset, config->data, config->size);
	return request_reply(session, (uint32_t)offsetof(struct vhost_user_config, data) + len);
}

static enum outcome set_config(struct session *session)
{
	const struct vhost_user_config *config = &session->message.payload.config;
	const uint32_t room = session->message.header.size - (uint32_t)offsetof(struct vhost_user_config, data);
	uint32_t offset;

	if (find_config(&session->message, &offset) || config->size > room)
		return request_refuse(session,
				      "%u bytes at %u of the configuration space do not fit a message of %u bytes",
				      config->size, config->offset, session->message.header.size);
	/* Which bytes can be written depends on the features that the driver has accepted. */
	if (session_apply_features(session))
		return REQUEST_REFUSED;
	if (config->flags & ~VHOST_USER_CONFIG_FLAGS_MASK ||
	    device_host_config_write(session->host, offset, config->data, config->size))
		return request_refuse(session, "%u bytes at %u of the configuration space are not writable",
				      config->size, config->offset);
	return REQUEST_DONE;
}

/* The table */

#define BETWEEN(least, most) .min_size = (least), .max_size = (most)
#define SIZE(type) BETWEEN(sizeof(type), sizeof(type))
#define STATE SIZE(struct vhost_user_vring_state)
#define TABLE BETWEEN(offsetof(struct vhost_user_memory, regions), VHOST_USER_MAX_PAYLOAD)
#define CONFIG BETWEEN(offsetof(struct vhost_user_config, data), sizeof(struct vhost_user_config))
#define EMPTY BETWEEN(0, 0)
#define REQUEST(number, handler, ...) [VHOST_USER_##number] = { .name = #number, .handle = (handler), __VA_ARGS__ }

static const struct request requests[] = {
	REQUEST(GET_FEATURES, get_features, EMPTY, .replies = true),
	REQUEST(SET_FEATURES, set_features, SIZE(uint64_t)),
	REQUEST(SET_OWNER, set_owner, EMPTY),
	REQUEST(RESET_OWNER, reset_owner, EMPTY),
	REQUEST(SET_MEM_TABLE, set_mem_table, TABLE, .max_fds = VHOST_USER_MAX_REGIONS),
	REQUEST(SET_VRING_NUM, set_vring_num, STATE),
	REQUEST(SET_VRING_ADDR, set_vring_addr, SIZE(struct vhost_user_vring_addr)),
	REQUEST(SET_VRING_BASE, set_vring_base, STATE),
	REQUEST(GET_VRING_BASE, get_vring_base, STATE, .replies = true),
	REQUEST(SET_VRING_KICK, set_vring_kick, SIZE(uint64_t), .max_fds = 1),
	REQUEST(SET_VRING_CALL, set_vring_call, SIZE(uint64_t), .max_fds = 1),
	REQUEST(SET_VRING_ERR, set_vring_err, SIZE(uint64_t), .max_fds = 1),
	REQUEST(GET_PROTOCOL_FEATURES, get_protocol_features, EMPTY, .replies = true),
	REQUEST(SET_PROTOCOL_FEATURES, set_protocol_features, SIZE(uint64_t)),
	REQUEST(GET_QUEUE_NUM, get_queue_num, EMPTY, .replies = true),
	REQUEST(SET_VRING_ENABLE, set_vring_enable, STATE),
	REQUEST(SET_BACKEND_REQ_FD, set_backend_req_fd, EMPTY, .min_fds = 1, .max_fds = 1),
	REQUEST(GET_CONFIG, get_config, CONFIG, .replies = true),
	/*
	 * A driver can write to a read-only field, and the front end may pass the write on. That is
	 * no reason to end the session.
	 */
	REQUEST(SET_CONFIG, set_config, CONFIG, .harmless = true),
};

const struct request *request_find(uint32_t number)
{
	if (number >= sizeof requests / sizeof *requests || !requests[number].handle)
		return NULL;
	return &requests[number];
}
