/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Saves a device and the session with its front end. Restores both, or the device alone for a
 * front end that will connect.
 */
#include "session_state.h"

#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <virtio/queue_ser.h>

/* Sections */

struct device_section {
	uint32_t type; /* see type_of() */
	uint32_t queues;
	uint64_t offered; /* for people who read the file; a restore ignores this value */
	bool has_session;
};

static const struct virtio_section_field device_fields[] = {
	VIRTIO_SECTION_VALUE(struct device_section, type),
	VIRTIO_SECTION_VALUE(struct device_section, queues),
	VIRTIO_SECTION_VALUE(struct device_section, offered),
	VIRTIO_SECTION_BOOL(struct device_section, has_session),
};

static const struct virtio_section_layout device_layout = {
	.name = "vu-device",
	.version = 1,
	.fields = device_fields,
	.field_count = sizeof device_fields / sizeof *device_fields,
};

struct driver_section {
	uint64_t features, ring_faults;
	bool has_features;
	bool restored; /* after a restart, no driver has used the device yet */
};

static const struct virtio_section_field driver_fields[] = {
	VIRTIO_SECTION_VALUE(struct driver_section, features),
	VIRTIO_SECTION_BOOL(struct driver_section, has_features),
	VIRTIO_SECTION_VALUE(struct driver_section, ring_faults),
	VIRTIO_SECTION_BOOL(struct driver_section, restored),
};

static const struct virtio_section_layout driver_layout = {
	.name = "vu-driver",
	.version = 1,
	.skippable = true,
	.fields = driver_fields,
	.field_count = sizeof driver_fields / sizeof *driver_fields,
};

struct session_section {
	struct session_setup setup;
	uint32_t hints;
	uint32_t message_fds;
	bool message_lost;
	bool spoke;
	bool has_message;
};

static const struct virtio_section_field session_fields[] = {
	VIRTIO_SECTION_NAMED(struct session_section, setup.features, "features"),
	VIRTIO_SECTION_NAMED_BOOL(struct session_section, setup.has_features, "has_features"),
	VIRTIO_SECTION_NAMED(struct session_section, setup.protocol_features, "protocol_features"),
	VIRTIO_SECTION_NAMED(struct session_section, setup.applied, "applied_features"),
	VIRTIO_SECTION_NAMED_BOOL(struct session_section, setup.has_applied, "has_applied"),
	VIRTIO_SECTION_VALUE(struct session_section, hints),
	VIRTIO_SECTION_VALUE(struct session_section, message_fds),
	VIRTIO_SECTION_BOOL(struct session_section, message_lost),
	VIRTIO_SECTION_BOOL(struct session_section, spoke),
	VIRTIO_SECTION_BOOL(struct session_section, has_message),
};

static const struct virtio_section_field region_fields[] = {
	VIRTIO_SECTION_VALUE(struct vhost_user_region, guest_addr),
	VIRTIO_SECTION_VALUE(struct vhost_user_region, size),
	VIRTIO_SECTION_VALUE(struct vhost_user_region, user_addr),
	VIRTIO_SECTION_VALUE(struct vhost_user_region, mmap_offset),
};

static const struct virtio_section_layout session_layout = {
	.name = "vu-session",
	.version = 1,
	.fields = session_fields,
	.field_count = sizeof session_fields / sizeof *session_fields,
	.entries = "regions",
	.entry_fields = region_fields,
	.entry_field_count = sizeof region_fields / sizeof *region_fields,
	.entry_size = sizeof(struct vhost_user_region),
};

static const struct virtio_section_field byte_fields[] = { { "byte", 0, 0, 1, 1, false } };

static const struct virtio_section_layout message_layout = {
	.name = "vu-message",
	.version = 1,
	.entries = "bytes",
	.entry_fields = byte_fields,
	.entry_field_count = 1,
	.entry_size = 1,
};

static const struct virtio_section_field ring_fields[] = {
	VIRTIO_SECTION_ELEMENT(struct vring_state, setup.addr, VIRTIO_QUEUE_DESC, "desc"),
	VIRTIO_SECTION_ELEMENT(struct vring_state, setup.addr, VIRTIO_QUEUE_AVAIL, "avail"),
	VIRTIO_SECTION_ELEMENT(struct vring_state, setup.addr, VIRTIO_QUEUE_USED, "used"),
	VIRTIO_SECTION_NAMED(struct vring_state, setup.size, "size"),
	VIRTIO_SECTION_NAMED(struct vring_state, setup.base, "base"),
	VIRTIO_SECTION_NAMED(struct vring_state, setup.enable, "enable"),
	VIRTIO_SECTION_NAMED_BOOL(struct vring_state, setup.addressed, "addressed"),
	VIRTIO_SECTION_NAMED_BOOL(struct vring_state, setup.held, "held"),
	VIRTIO_SECTION_BOOL(struct vring_state, running),
	VIRTIO_SECTION_BOOL(struct vring_state, broken),
	VIRTIO_SECTION_BOOL(struct vring_state, polled),
};

static const struct virtio_section_layout ring_layout = {
	.name = "vu-ring",
	.version = 1,
	.fields = ring_fields,
	.field_count = sizeof ring_fields / sizeof *ring_fields,
};

/*
 * Returns a number made of the first four characters of the device's name. The name begins with the
 * command-line option for the device's type, without the dashes.
 */
static uint32_t type_of(const struct device *device)
{
	uint8_t text[4] = { 0 };

	memcpy(text, device->name, strnlen(device->name, sizeof text));
	return (uint32_t)text[0] | (uint32_t)text[1] << 8 | (uint32_t)text[2] << 16 | (uint32_t)text[3] << 24;
}

/* Saving */

static int fail(const struct device *device, const char *why)
{
	log_line("%s: can't be handed over: %s", device->name, why);
	return -1;
}

static void save_message(const struct session *session, struct virtio_section_writer *writer, uint32_t number,
			 struct handover *handover)
{
	const struct message *message = &session->message;
	uint8_t bytes[sizeof message->header + sizeof message->payload];

	memcpy(bytes, &message->header, sizeof message->header);
	memcpy(bytes + sizeof message->header, &message->payload, sizeof message->payload);
	virtio_section_write(writer, &message_layout, number, 0, NULL, bytes, (uint32_t)message->in.received);
	for (unsigned int i = 0; i < message->in.fd_count; i++)
		handover_add(handover, message->in.fds[i], "%u message %u", number, i);
}

static int save_ring(const struct session *session, const struct vhost_vring *vring,
		     struct virtio_section_writer *writer, uint32_t number, struct handover *handover)
{
	const uint16_t index = vring->queue.index;
	struct vring_state state;

	if (vring_save(vring, &state))
		return fail(session->device, "a request is in flight");
	virtio_section_write(writer, &ring_layout, number, index, &state, NULL, 0);
	if (state.running)
		virtio_queue_ser_write(writer, number, index, &state.queue, NULL, 0);
	if (!state.polled)
		handover_add(handover, vring->kick_fd, "%u kick %u", number, index);
	handover_add(handover, vring->call.fd, "%u call %u", number, index);
	handover_add(handover, vring->err.fd, "%u err %u", number, index);
	return 0;
}

static int save_session(const struct session *session, struct virtio_section_writer *writer, uint32_t number,
			struct handover *handover)
{
	const struct shared_memory *memory = session->memory;
	const struct session_section section = {
		.setup = session->setup,
		.hints = session->hints,
		.message_fds = session->message.in.fd_count,
		.message_lost = session->message.in.lost,
		.spoke = session->spoke,
		.has_message = session->message.in.received > 0,
	};
	struct vhost_user_region regions[VHOST_USER_MAX_REGIONS];

	for (uint32_t i = 0; memory && i < memory->count; i++) {
		regions[i] = memory->regions[i].region;
		handover_add(handover, memory->regions[i].fd, "%u memory %u", number, i);
	}
	virtio_section_write(writer, &session_layout, number, 0, &section, regions, memory ? memory->count : 0);
	if (section.has_message)
		save_message(session, writer, number, handover);
	handover_add(handover, session->socket.fd, "%u socket", number);
	handover_add(handover, session->request_fd, "%u requests", number);
	for (uint16_t i = 0; i < session->device->queue_count; i++)
		if (save_ring(session, &session->vrings[i], writer, number, handover))
			return -1;
	return 0;
}

static void save_driver(const struct device_host *host, const struct session *session,
			struct virtio_section_writer *writer, uint32_t number)
{
	struct driver_section section = {
		.features = host->has_features ? host->features : 0,
		.ring_faults = host->device->ring_faults,
		.has_features = host->has_features,
		.restored = host->restored,
	};

	for (uint16_t i = 0; session && i < host->device->queue_count; i++)
		section.ring_faults += vring_faults(&session->vrings[i]);
	virtio_section_write(writer, &driver_layout, number, 0, &section, NULL, 0);
}

int session_state_save(struct device_host *host, const struct session *session, struct virtio_section_writer *writer,
		       uint32_t number, struct handover *handover)
{
	const struct device *device = host->device;
	const struct device_section section = {
		.type = type_of(device),
		.queues = device->queue_count,
		.offered = device->features,
		.has_session = session,
	};

	virtio_section_write(writer, &device_layout, number, 0, &section, NULL, 0);
	save_driver(host, session, writer, number);
	if (session && save_session(session, writer, number, handover))
		return -1;
	return device_host_save(host, writer, number, handover);
}

/* Restoring */

struct restoring {
	struct device_host *host;
	struct virtio_section_reader *reader;
	uint32_t number;
	struct handover *handover;
	struct session *session;
	struct driver_section driver;
	struct session_section section;
	struct vhost_user_memory table;
};

/* Prints what is wrong. Returns -1. */
static int refuse(const struct restoring *r, const char *why)
{
	char text[256];

	if (r->reader->fault.error) {
		(void)virtio_section_describe(&r->reader->fault, text, sizeof text);
		why = text;
	}
	fprintf(stderr, "%s: can't be taken over: %s\n", r->host->device->name, why);
	return -1;
}

static int refuse_value(const struct restoring *r, const struct virtio_section_layout *layout,
			const struct virtio_section *where, const char *field)
{
	const struct virtio_refusal refusal = { .field = field, .entry = VIRTIO_SECTION_NO_ENTRY };

	(void)virtio_section_refuse(r->reader, layout, where, &refusal, VIRTIO_EINVAL);
	return refuse(r, "");
}

/*
 * Refuses features that are not offered here, because a driver or front end that uses a feature
 * can't continue without this feature.
 */
static int check_feature_bits(const struct restoring *r, const struct virtio_section_layout *layout,
			      const struct virtio_section *where, const char *field, uint64_t features,
			      uint64_t offered)
{
	char text[64];

	if (!(features & ~offered))
		return 0;
	snprintf(text, sizeof text, "feature bit %d is not offered here", __builtin_ctzll(features & ~offered));
	(void)refuse(r, text);
	return refuse_value(r, layout, where, field);
}

/* Prints the type of the device in the state, without unprintable characters. */
static void describe_type(const struct restoring *r, uint32_t type)
{
	char text[32] = "the state is of a device ", name[5] = { 0 };

	for (unsigned int i = 0; i < 4; i++) {
		const char c = (char)(type >> (8 * i));

		if (c > ' ' && c <= '~')
			name[strlen(name)] = c;
	}
	strcat(text, name);
	(void)refuse(r, text);
}

/* The section may be missing, because not every program writes this section. */
static int read_driver(struct restoring *r)
{
	const struct device *device = r->host->device;
	struct virtio_section where;

	if (!virtio_section_is_next(r->reader, &driver_layout, r->number, 0))
		return 0;
	if (virtio_section_read(r->reader, &driver_layout, r->number, 0, &r->driver, NULL, 0, NULL, &where))
		return refuse(r, "");
	return check_feature_bits(r, &driver_layout, &where, "features", r->driver.features, session_offered(device));
}

static int read_device(struct restoring *r, struct device_section *section)
{
	const struct device *device = r->host->device;
	struct virtio_section where;

	if (virtio_section_read(r->reader, &device_layout, r->number, 0, section, NULL, 0, NULL, &where))
		return refuse(r, "");
	if (section->type != type_of(device)) {
		describe_type(r, section->type);
		return refuse_value(r, &device_layout, &where, "type");
	}
	if (section->queues != device->queue_count)
		return refuse_value(r, &device_layout, &where, "queues");
	return read_driver(r);
}

static int read_session(struct restoring *r)
{
	struct session_setup *setup = &r->section.setup;
	struct virtio_section where;

	if (virtio_section_read(r->reader, &session_layout, r->number, 0, &r->section, r->table.regions,
				VHOST_USER_MAX_REGIONS, &r->table.count, &where))
		return refuse(r, "");
	if (check_feature_bits(r, &session_layout, &where, "features", setup->features,
			       session_offered(r->host->device)) ||
	    check_feature_bits(r, &session_layout, &where, "applied_features", setup->applied,
			       session_offered(r->host->device)) ||
	    check_feature_bits(r, &session_layout, &where, "protocol_features", setup->protocol_features,
			       session_offered_protocol(r->session)))
		return -1;
	if (r->section.message_fds > INCOMING_MAX_FDS)
		return refuse_value(r, &session_layout, &where, "message_fds");
	r->session->setup = *setup;
	r->session->hints = r->section.hints;
	r->session->spoke = r->section.spoke;
	return 0;
}

static int read_message(struct restoring *r)
{
	struct message *message = &r->session->message;
	uint8_t bytes[sizeof message->header + sizeof message->payload];
	uint32_t count;

	if (virtio_section_read(r->reader, &message_layout, r->number, 0, NULL, bytes, sizeof bytes, &count, NULL))
		return refuse(r, "");
	memcpy(&message->header, bytes, sizeof message->header);
	memcpy(&message->payload, bytes + sizeof message->header, sizeof message->payload);
	/* If the header is whole, its size field limits the bytes of the payload. */
	if (count >= sizeof message->header &&
	    (message->header.size > sizeof message->payload || count - sizeof message->header > message->header.size))
		return refuse(r, "a message longer than its header says");
	message->in.received = count;
	message->in.lost = r->section.message_lost;
	for (; message->in.fd_count < r->section.message_fds; message->in.fd_count++) {
		int *const fd = &message->in.fds[message->in.fd_count];

		*fd = handover_take(r->handover, "%u message %u", r->number, message->in.fd_count);
		if (*fd < 0)
			return refuse(r, "a descriptor of a message is missing");
	}
	return 0;
}

static int map_memory(struct restoring *r)
{
	int fds[VHOST_USER_MAX_REGIONS];
	const char *reason = NULL;
	uint32_t taken = 0;

	if (r->table.count == 0)
		return 0;
	for (; taken < r->table.count; taken++) {
		fds[taken] = handover_take(r->handover, "%u memory %u", r->number, taken);
		if (fds[taken] < 0)
			break;
	}
	if (taken < r->table.count)
		reason = "a descriptor of its memory is missing";
	else
		r->session->memory = shared_memory_map(&r->table, fds, &reason);
	while (taken > 0)
		close(fds[--taken]);
	return r->session->memory ? 0 : refuse(r, reason);
}

static int check_setup(const struct restoring *r, const struct virtio_section *where, const struct vring_state *state)
{
	const struct vring_setup *setup = &state->setup;

	if (setup->size & (setup->size - 1) || setup->size > r->host->device->max_queue_size)
		return refuse_value(r, &ring_layout, where, "size");
	if ((unsigned int)setup->enable > VRING_ENABLE_ON)
		return refuse_value(r, &ring_layout, where, "enable");
	if (state->running && (!setup->addressed || !r->session->memory))
		return refuse_value(r, &ring_layout, where, "running");
	return 0;
}

static int read_queue(struct restoring *r, struct vhost_vring *vring, struct vring_state *state)
{
	const struct shared_memory *memory = r->session->memory;
	struct virtio_queue_config config;
	uint32_t count;

	if (vring_resolve(vring, memory, r->section.setup.applied, &config))
		return refuse(r, "a ring is not in its memory");
	if (virtio_queue_ser_read(r->reader, r->number, vring->queue.index, &config, &memory->map, &state->queue, NULL,
				  0, &count, NULL))
		return refuse(r, "");
	return 0;
}

static int read_ring(struct restoring *r, struct vhost_vring *vring)
{
	const uint16_t index = vring->queue.index;
	struct vring_state *state = &vring->restored;
	struct virtio_section where;

	*state = (struct vring_state){ .running = false };
	if (virtio_section_read(r->reader, &ring_layout, r->number, index, state, NULL, 0, NULL, &where))
		return refuse(r, "");
	if (check_setup(r, &where, state))
		return -1;
	if (vring_restore(vring, state, handover_take(r->handover, "%u kick %u", r->number, index),
			  handover_take(r->handover, "%u call %u", r->number, index),
			  handover_take(r->handover, "%u err %u", r->number, index)))
		return refuse(r, "no room for a timer");
	if (!state->running)
		return 0;
	if (vring->kick_fd < 0)
		return refuse(r, "the kick descriptor of a ring is missing");
	return read_queue(r, vring, state);
}

/*
 * Passes features to the device. These are the features with which the front end's rings run, or
 * the features of a driver that may continue.
 */
static int tell_features(const struct restoring *r)
{
	const bool applied = r->session && r->session->setup.has_applied;
	const uint64_t features = applied ? r->session->setup.applied : r->driver.features;

	if ((applied || r->driver.has_features) && device_host_check_features(r->host, features))
		return refuse(r, "the device refuses the features");
	return 0;
}

static int restore_session(struct restoring *r)
{
	struct session *session = r->session;

	if (read_session(r) || (r->section.has_message && read_message(r)) || map_memory(r))
		return -1;
	session->request_fd = handover_take(r->handover, "%u requests", r->number);
	if (session->spoke)
		device_host_attached(r->host);
	if (tell_features(r))
		return -1;
	for (uint16_t i = 0; i < session->device->queue_count; i++)
		if (read_ring(r, &session->vrings[i]))
			return -1;
	return 0;
}

static int restore_device(struct restoring *r, bool anew)
{
	if (device_host_restore(r->host, r->reader, r->number, anew))
		return refuse(r, "the device refuses its state");
	if (!anew)
		r->host->device->ring_faults += r->driver.ring_faults;
	r->host->restored = anew || r->driver.restored;
	return 0;
}

/*
 * A device without a front end is saved, too, because its last driver may continue with the next
 * front end.
 */
static int restore_without_session(struct restoring *r, bool anew)
{
	return tell_features(r) || restore_device(r, anew) ? -1 : 0;
}

int session_state_restore(struct device_host *host, struct event_loop *loop, struct virtio_section_reader *reader,
			  uint32_t number, struct handover *handover, struct session **session)
{
	struct restoring r = { .host = host, .reader = reader, .number = number, .handover = handover };
	struct device_section section;
	int socket;

	*session = NULL;
	if (read_device(&r, &section))
		return -1;
	if (!section.has_session)
		return restore_without_session(&r, false);
	socket = handover_take(handover, "%u socket", number);
	r.session = socket >= 0 ? session_open(loop, host, socket) : NULL;
	if (!r.session) {
		if (socket >= 0)
			close(socket);
		return refuse(&r, "its front end's socket is missing");
	}
	*session = r.session;
	return restore_session(&r) || restore_device(&r, false) ? -1 : 0;
}

/* Going on with another front end */

/*
 * Skips the section of a queue. The daemon saves a queue only if no request is in flight. A state
 * with requests in flight, which another program has written, is refused, because the daemon
 * couldn't carry out the requests.
 */
static int skip_queue(struct restoring *r, const struct virtio_section *section)
{
	struct virtio_queue_state state;
	uint32_t count;

	virtio_section_rewind(r->reader, section);
	return virtio_section_read(r->reader, virtio_queue_ser_layout(), r->number, section->index, &state, NULL, 0,
				   &count, NULL)
		       ? refuse(r, "")
		       : 0;
}

/* Skips the front end's settings, memory and rings, because the next front end sends its own. */
static int skip_session(struct restoring *r)
{
	static const struct virtio_section_layout *const layouts[] = { &session_layout, &message_layout, &ring_layout };
	struct virtio_section section;
	int got;

	while ((got = virtio_section_next(r->reader, &section)) == 1) {
		bool known = strcmp(section.name, virtio_queue_ser_layout()->name) == 0;

		if (known && section.device == r->number && skip_queue(r, &section))
			return -1;
		for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
			known = known || strcmp(section.name, layouts[i]->name) == 0;
		if (!known || section.device != r->number)
			break;
	}
	if (got < 0)
		return refuse(r, "");
	if (got == 1)
		virtio_section_rewind(r->reader, &section);
	return 0;
}

int session_state_restore_anew(struct device_host *host, struct virtio_section_reader *reader, uint32_t number)
{
	struct restoring r = { .host = host, .reader = reader, .number = number };
	struct device_section section;

	if (read_device(&r, &section) || (section.has_session && skip_session(&r)))
		return -1;
	device_host_reset(host);
	return restore_without_session(&r, true);
}

void session_state_continue(struct session *session)
{
	for (uint16_t i = 0; i < session->device->queue_count; i++) {
		struct vhost_vring *vring = &session->vrings[i];
		int error;

		if (!vring->restored.running)
			continue;
		error = vring_continue(vring, &vring->restored.queue, session->memory);
		if (error)
			log_line("%s: queue %u: %s", session->device->name, i, virtio_strerror(error));
	}
}
