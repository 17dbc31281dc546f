/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A socket device in a saved state: the library's sections, and
 *
 *   vu-vsock          what the device waits for, and a list of its streams
 *   vu-vsock.bytes    for each stream that has bytes: the client's line, output that its socket has
 *                     not accepted, and the record that goes to the guest in pieces
 *   vu-vsock.counts   statistics; programs that don't know the section skip it
 *
 * The socket of stream I of device NAME is handed over as "NAME stream I", and a listening socket
 * as "NAME listener TYPE". Time limits begin anew.
 */
#include "handover.h"
#include "log.h"
#include "vsock_device.h"
#include "vsock_group.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <virtio/vsock_state.h>

struct device_section {
	bool resumed, new_front_end, held, holds_for_a_while, tx_waits;
};

/* The saved data of a stream, except its bytes and its socket. */
struct stream_state {
	struct virtio_vsock_address address; /* of the connection, if any */
	uint16_t type;
	uint8_t stage;
	bool connected, paired, read_ended, write_ended, discards;
	bool has_last, has_record;
	uint32_t line_len, port;
	uint32_t output_len, output_last, output_payload, output_records;
	uint32_t record_at, record_len, record_marks;
	uint64_t message_sent, message_packets;
};

static const struct virtio_section_field device_fields[] = {
	VIRTIO_SECTION_BOOL(struct device_section, resumed),
	VIRTIO_SECTION_BOOL(struct device_section, new_front_end),
	VIRTIO_SECTION_BOOL(struct device_section, held),
	VIRTIO_SECTION_BOOL(struct device_section, holds_for_a_while),
	VIRTIO_SECTION_BOOL(struct device_section, tx_waits),
};

static const struct virtio_section_field stream_fields[] = {
	VIRTIO_SECTION_NAMED(struct stream_state, address.local_cid, "local_cid"),
	VIRTIO_SECTION_NAMED(struct stream_state, address.local_port, "local_port"),
	VIRTIO_SECTION_NAMED(struct stream_state, address.peer_cid, "peer_cid"),
	VIRTIO_SECTION_NAMED(struct stream_state, address.peer_port, "peer_port"),
	VIRTIO_SECTION_VALUE(struct stream_state, type),
	VIRTIO_SECTION_VALUE(struct stream_state, stage),
	VIRTIO_SECTION_BOOL(struct stream_state, connected),
	VIRTIO_SECTION_BOOL(struct stream_state, paired),
	VIRTIO_SECTION_BOOL(struct stream_state, read_ended),
	VIRTIO_SECTION_BOOL(struct stream_state, write_ended),
	VIRTIO_SECTION_BOOL(struct stream_state, discards),
	VIRTIO_SECTION_BOOL(struct stream_state, has_last),
	VIRTIO_SECTION_BOOL(struct stream_state, has_record),
	VIRTIO_SECTION_VALUE(struct stream_state, line_len),
	VIRTIO_SECTION_VALUE(struct stream_state, port),
	VIRTIO_SECTION_VALUE(struct stream_state, output_len),
	VIRTIO_SECTION_VALUE(struct stream_state, output_last),
	VIRTIO_SECTION_VALUE(struct stream_state, output_payload),
	VIRTIO_SECTION_VALUE(struct stream_state, output_records),
	VIRTIO_SECTION_VALUE(struct stream_state, record_at),
	VIRTIO_SECTION_VALUE(struct stream_state, record_len),
	VIRTIO_SECTION_VALUE(struct stream_state, record_marks),
	VIRTIO_SECTION_VALUE(struct stream_state, message_sent),
	VIRTIO_SECTION_VALUE(struct stream_state, message_packets),
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct virtio_section_layout streams_layout = {
	.name = "vu-vsock",
	.version = 1,
	.fields = device_fields,
	.field_count = COUNT(device_fields),
	.entries = "streams",
	.entry_fields = stream_fields,
	.entry_field_count = COUNT(stream_fields),
	.entry_size = sizeof(struct stream_state),
};

static const struct virtio_section_field byte_fields[] = { { "byte", 0, 0, 1, 1, false } };

static const struct virtio_section_layout bytes_layout = {
	.name = "vu-vsock.bytes",
	.version = 1,
	.entries = "bytes",
	.entry_fields = byte_fields,
	.entry_field_count = 1,
	.entry_size = 1,
};

static const struct virtio_section_field count_fields[] = {
	VIRTIO_SECTION_VALUE(struct vsock_counts, from_guest),
	VIRTIO_SECTION_VALUE(struct vsock_counts, to_guest),
	VIRTIO_SECTION_VALUE(struct vsock_counts, refused),
	VIRTIO_SECTION_VALUE(struct vsock_counts, bytes_from_guest),
	VIRTIO_SECTION_VALUE(struct vsock_counts, bytes_to_guest),
	VIRTIO_SECTION_VALUE(struct vsock_counts, records),
	VIRTIO_SECTION_VALUE(struct vsock_counts, faults),
};

static const struct virtio_section_layout counts_layout = {
	.name = "vu-vsock.counts",
	.version = 1,
	.skippable = true,
	.fields = count_fields,
	.field_count = COUNT(count_fields),
};

/* Saving */

static void save_counts(const struct vsock_device *vsock, struct virtio_section_writer *writer, uint32_t number)
{
	struct vsock_counts counts = vsock->counts;

	counts.faults += vsock->table.overruns;
	virtio_section_write(writer, &counts_layout, number, 0, &counts, NULL, 0);
}

static struct stream_state describe(const struct vsock_stream *s)
{
	const struct vsock_output *output = &s->output;

	return (struct stream_state){
		.address = s->connection ? s->connection->address : (struct virtio_vsock_address){ 0 },
		.type = s->type,
		.stage = s->stage,
		.connected = s->connection,
		.paired = s->paired,
		.read_ended = s->read_ended,
		.write_ended = s->write_ended,
		.discards = s->discards,
		.has_last = output->has_last,
		.has_record = s->has_record,
		.line_len = s->line_len,
		.port = s->port,
		.output_len = (uint32_t)(output->end - output->first),
		.output_last = output->has_last ? (uint32_t)(output->last - output->first) : 0,
		.output_payload = output->payload,
		.output_records = output->records,
		.record_at = s->has_record ? s->record_at : 0,
		.record_len = s->has_record ? s->record_len : 0,
		.record_marks = s->has_record ? s->record_marks : 0,
		.message_sent = s->message_sent,
		.message_packets = s->message_packets,
	};
}

/*
 * Returns the stream after s, or the first stream if s is NULL. Returns NULL after the last stream.
 * The new process keeps this order.
 */
static struct vsock_stream *next_stream(struct vsock_device *vsock, struct vsock_stream *s)
{
	int stage = 0;

	if (s) {
		if (TAILQ_NEXT(s, in_stage))
			return TAILQ_NEXT(s, in_stage);
		stage = s->stage + 1;
	}
	for (; stage < VSOCK_STAGES; stage++)
		if (TAILQ_FIRST(&vsock->lists[stage]))
			return TAILQ_FIRST(&vsock->lists[stage]);
	return NULL;
}

static void save_bytes(const struct vsock_stream *s, const struct stream_state *state,
		       struct virtio_section_writer *writer, uint32_t number, uint32_t i)
{
	const uint32_t count = state->line_len + state->output_len + state->record_len;

	if (count == 0)
		return;
	virtio_section_begin(writer, &bytes_layout, number, i, NULL, count);
	virtio_section_entries(writer, &bytes_layout, s->line, state->line_len);
	if (state->output_len > 0)
		virtio_section_entries(writer, &bytes_layout, s->output.bytes + s->output.first, state->output_len);
	virtio_section_entries(writer, &bytes_layout, s->record, state->record_len);
}

int vsock_save(struct device *device, struct virtio_section_writer *writer, uint32_t number, struct handover *handover)
{
	struct vsock_device *vsock = vsock_from_device(device);
	const struct device_section section = {
		.resumed = vsock->resumed,
		.new_front_end = vsock->new_front_end,
		.held = vsock->table.held,
		.holds_for_a_while = vsock->hold_until != UINT64_MAX,
		.tx_waits = vsock->tx_waits,
	};
	struct vsock_stream *s = NULL;
	uint32_t i = 0;

	/*
	 * Threads stop one after the other. Another guest may have begun a connection after this
	 * thread stopped.
	 */
	if (vsock->group)
		vsock_group_accept(vsock->group);
	virtio_vsock_write_state(writer, number, &vsock->events, &vsock->table);
	virtio_section_begin(writer, &streams_layout, number, 0, &section, vsock->stream_count);
	while ((s = next_stream(vsock, s))) {
		const struct stream_state state = describe(s);

		virtio_section_entries(writer, &streams_layout, &state, 1);
	}
	for (s = next_stream(vsock, NULL); s; s = next_stream(vsock, s), i++) {
		const struct stream_state state = describe(s);

		save_bytes(s, &state, writer, number, i);
		handover_add(handover, s->source.fd, "%s stream %u", device->name, i);
	}
	for (i = 0; i < COUNT(vsock->listeners); i++)
		if (unix_listener_hand_over(handover, vsock->listeners[i].source.fd, &vsock->listeners[i].file,
					    "%s listener %u", device->name, vsock->listeners[i].type)) {
			log_line("%s: %s", vsock->listeners[i].path, strerror(errno));
			return -1;
		}
	save_counts(vsock, writer, number);
	return 0;
}

/* Restoring */

struct restoring {
	struct vsock_device *vsock;
	struct virtio_section_reader *reader;
	uint32_t number;
	bool anew;
	struct virtio_section where; /* the section with the streams */
	struct device_section section;
	struct stream_state *streams;
	uint32_t count;
	struct virtio_vsock_device_state state;
	struct virtio_vsock_saved saved;
};

static int refuse(const struct restoring *r, uint32_t i, const char *field)
{
	const struct virtio_refusal refusal = { .field = field, .entry = i };

	return virtio_section_refuse(r->reader, &streams_layout, &r->where, &refusal, VIRTIO_EINVAL);
}

static int read_sections(struct restoring *r)
{
	struct vsock_device *vsock = r->vsock;
	const uint32_t capacity = 2 * vsock->max_connections;
	int error;

	r->saved.connection_capacity = vsock->max_connections;
	r->saved.reply_capacity = vsock->storage.reply_count;
	r->saved.connections = calloc(r->saved.connection_capacity, sizeof *r->saved.connections);
	r->saved.replies = calloc(r->saved.reply_capacity, sizeof *r->saved.replies);
	r->streams = calloc(capacity, sizeof *r->streams);
	if (!r->saved.connections || !r->saved.replies || !r->streams)
		return VIRTIO_ENOBUFS;
	error = virtio_vsock_read_state(r->reader, r->number, &vsock->table, NULL, &r->state, &r->saved);
	if (error)
		return error;
	return virtio_section_read(r->reader, &streams_layout, r->number, 0, &r->section, r->streams, capacity,
				   &r->count, &r->where);
}

/* Returns whether a stream in this stage has a connection. */
static bool has_connection(uint8_t stage)
{
	return stage == VSOCK_STAGE_REQUESTED || stage == VSOCK_STAGE_DIALLING || stage == VSOCK_STAGE_ANSWER ||
	       stage == VSOCK_STAGE_OPEN;
}

/* Returns whether a connection may be in this state while its stream is in this stage. */
static bool fits_stage(uint8_t state, uint8_t stage)
{
	if (stage == VSOCK_STAGE_REQUESTED)
		return state == VIRTIO_VSOCK_REQUESTED;
	if (stage == VSOCK_STAGE_OPEN)
		return state == VIRTIO_VSOCK_ESTABLISHED || state == VIRTIO_VSOCK_CLOSING;
	return state == VIRTIO_VSOCK_ACCEPTING;
}

/*
 * Checks the values that bound accesses to memory, and the values that the stages rely on. The
 * library has checked the connections.
 */
static int check_stream(const struct restoring *r, uint32_t i)
{
	const struct stream_state *state = &r->streams[i];
	const uint32_t most = 2 * r->vsock->buffer + VSOCK_MAX_PAYLOAD;

	if (state->type != VIRTIO_VSOCK_TYPE_STREAM && state->type != VIRTIO_VSOCK_TYPE_SEQPACKET)
		return refuse(r, i, "type");
	if (state->stage >= VSOCK_STAGES)
		return refuse(r, i, "stage");
	if (state->connected != has_connection(state->stage))
		return refuse(r, i, "connected");
	if (state->line_len > VSOCK_LINE_BYTES)
		return refuse(r, i, "line_len");
	if (state->output_len > (uint64_t)most * sizeof(uint64_t) || state->output_last > state->output_len)
		return refuse(r, i, "output_len");
	if (state->record_len > most || state->record_at > state->record_len)
		return refuse(r, i, "record_len");
	return 0;
}

/*
 * Reads the bytes of a stream, which may have none. Returns an allocation that the caller frees, or
 * NULL with *error set.
 */
static uint8_t *read_bytes(struct restoring *r, uint32_t i, int *error)
{
	const struct stream_state *state = &r->streams[i];
	const uint32_t count = state->line_len + state->output_len + state->record_len;
	uint8_t *bytes = malloc(count + 1);
	uint32_t got = 0;

	*error = bytes ? 0 : VIRTIO_ENOBUFS;
	if (!*error && count > 0)
		*error = virtio_section_read(r->reader, &bytes_layout, r->number, i, NULL, bytes, count, &got, NULL);
	if (!*error && got != count)
		*error = refuse(r, i, "output_len");
	if (!*error)
		return bytes;
	free(bytes);
	return NULL;
}

static uint8_t *copy(const uint8_t *bytes, uint32_t count)
{
	uint8_t *to = malloc(count);

	if (to)
		memcpy(to, bytes, count);
	return to;
}

static int fill(struct vsock_stream *s, const struct stream_state *state, const uint8_t *bytes)
{
	memcpy(s->line, bytes, state->line_len);
	bytes += state->line_len;
	if (state->output_len > 0) {
		s->output.bytes = copy(bytes, state->output_len);
		if (!s->output.bytes)
			return VIRTIO_ENOBUFS;
		s->output.end = s->output.capacity = state->output_len;
		s->output.last = state->output_last;
		s->output.has_last = state->has_last;
		s->output.payload = state->output_payload;
		s->output.records = state->output_records;
		if (!vsock_output_is_sound(&s->output, s->type == VIRTIO_VSOCK_TYPE_SEQPACKET))
			return VIRTIO_EINVAL;
		bytes += state->output_len;
	}
	if (state->has_record) {
		s->record = copy(bytes, state->record_len);
		if (!s->record)
			return VIRTIO_ENOBUFS;
		s->has_record = true;
		s->record_at = state->record_at;
		s->record_len = state->record_len;
		s->record_marks = state->record_marks;
	}
	s->line_len = state->line_len;
	s->port = state->port;
	s->paired = state->paired;
	s->read_ended = state->read_ended;
	s->write_ended = state->write_ended;
	s->discards = state->discards;
	s->message_sent = state->message_sent;
	s->message_packets = state->message_packets;
	return 0;
}

static int connect_stream(const struct restoring *r, struct vsock_stream *s, uint32_t i)
{
	struct virtio_vsock_connection *c;

	if (!r->streams[i].connected)
		return 0;
	c = virtio_vsock_table_find(&r->vsock->table, &r->streams[i].address);
	if (!c || c->user || c->type != s->type)
		return refuse(r, i, "local_port");
	if (!fits_stage(c->state, s->stage))
		return refuse(r, i, "stage");
	c->user = s;
	s->connection = c;
	return 0;
}

/* Makes a stream of an inherited socket. Returns NULL after printing why that fails. */
static struct vsock_stream *open_stream(const struct restoring *r, uint32_t i)
{
	const struct stream_state *state = &r->streams[i];
	const int fd = handover_take(&inherited, "%s stream %u", r->vsock->device.name, i);
	struct vsock_stream *s = fd < 0 ? NULL : vsock_stream_open(r->vsock, fd, state->type, state->stage);

	if (s)
		return s;
	log_line("%s: the socket of stream %u: %s", r->vsock->device.name, i, strerror(errno));
	if (fd >= 0)
		close(fd);
	return NULL;
}

static int restore_stream(struct restoring *r, uint32_t i)
{
	const struct stream_state *state = &r->streams[i];
	struct vsock_stream *s;
	uint8_t *bytes;
	int error = check_stream(r, i);

	if (error)
		return error;
	bytes = read_bytes(r, i, &error);
	if (!bytes)
		return error;
	s = open_stream(r, i);
	error = s ? fill(s, state, bytes) : VIRTIO_ENOBUFS;
	free(bytes);
	if (error == VIRTIO_EINVAL)
		error = refuse(r, i, "output_len");
	if (!error)
		error = connect_stream(r, s, i);
	/*
	 * The socket causes no event for a record that was read already, so this wakes the stream.
	 */
	if (!error)
		vsock_stream_credit(s);
	return error;
}

/* Skips a stream, because the host's end is gone. The values of the stream must still be valid. */
static int skip_stream(struct restoring *r, uint32_t i)
{
	int error = check_stream(r, i);

	if (!error)
		free(read_bytes(r, i, &error));
	return error;
}

static int restore_connections(struct restoring *r)
{
	struct vsock_device *vsock = r->vsock;
	struct virtio_vsock_connection *c;
	int error = virtio_vsock_restore(&vsock->vsock, &vsock->events, &vsock->table, &r->state);

	for (uint32_t i = 0; !error && i < r->saved.connection_count; i++) {
		error = virtio_vsock_connection_restore(&vsock->table, &r->saved.connections[i], vsock_now(), &c);
		if (!error)
			c->user = NULL;
	}
	return error;
}

/* Every connection that isn't over must have a socket. */
static int check_connections(const struct restoring *r)
{
	const struct virtio_vsock_connection *c = NULL;

	while ((c = virtio_vsock_table_each(&r->vsock->table, c)))
		if (!c->user && c->state != VIRTIO_VSOCK_RESET)
			return refuse(r, VIRTIO_SECTION_NO_ENTRY, NULL);
	return 0;
}

static int restore_counts(struct restoring *r)
{
	struct vsock_counts counts = { 0 };
	int error = 0;

	if (virtio_section_is_next(r->reader, &counts_layout, r->number, 0))
		error = virtio_section_read(r->reader, &counts_layout, r->number, 0, &counts, NULL, 0, NULL, NULL);
	if (!error && !r->anew)
		r->vsock->counts = counts;
	return error;
}

static int restore(struct restoring *r)
{
	struct vsock_device *vsock = r->vsock;
	int error = read_sections(r);

	if (!error)
		error = restore_connections(r);
	for (uint32_t i = 0; !error && i < r->count; i++)
		error = r->anew ? skip_stream(r, i) : restore_stream(r, i);
	if (!error && !r->anew)
		error = check_connections(r);
	if (!error)
		error = virtio_vsock_restore_replies(&vsock->table, r->saved.replies, r->saved.reply_count);
	if (!error)
		error = restore_counts(r);
	if (error)
		return error;
	if (r->anew) {
		vsock_end_connections(vsock);
		return 0;
	}
	vsock->resumed = r->section.resumed;
	vsock->new_front_end = r->section.new_front_end;
	vsock->tx_waits = r->section.tx_waits;
	virtio_vsock_table_hold(&vsock->table, r->section.held);
	vsock->hold_until = r->section.holds_for_a_while ? vsock_now() + VSOCK_HOLD_TIME : UINT64_MAX;
	vsock_arm(vsock);
	return 0;
}

/*
 * After an error the device may be restored in part. That does no harm, because the caller drops
 * the device.
 */
int vsock_restore(struct device *device, struct virtio_section_reader *reader, uint32_t number, bool anew)
{
	struct restoring r = {
		.vsock = vsock_from_device(device),
		.reader = reader,
		.number = number,
		.anew = anew,
	};
	const int error = restore(&r);

	free(r.saved.connections);
	free(r.saved.replies);
	free(r.streams);
	return error;
}
