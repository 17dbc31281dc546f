/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The sections of a socket device in a saved state. */
#include <virtio/features.h>
#include <virtio/vsock_state.h>

#define DEVICE struct virtio_vsock_device_state
#define CONNECTION struct virtio_vsock_connection_state
#define REPLY struct virtio_vsock_reply_state

static const struct virtio_section_field fields[] = {
	VIRTIO_SECTION_VALUE(DEVICE, negotiated),      VIRTIO_SECTION_VALUE(DEVICE, next_port),
	VIRTIO_SECTION_BOOL(DEVICE, event_unsent),     VIRTIO_SECTION_BOOL(DEVICE, event_waiting),
	VIRTIO_SECTION_VALUE(DEVICE, event_avail_idx),
};

static const struct virtio_section_field connection_fields[] = {
	VIRTIO_SECTION_NAMED(CONNECTION, address.local_cid, "local_cid"),
	VIRTIO_SECTION_NAMED(CONNECTION, address.local_port, "local_port"),
	VIRTIO_SECTION_NAMED(CONNECTION, address.peer_cid, "peer_cid"),
	VIRTIO_SECTION_NAMED(CONNECTION, address.peer_port, "peer_port"),
	VIRTIO_SECTION_VALUE(CONNECTION, type),
	VIRTIO_SECTION_VALUE(CONNECTION, state),
	VIRTIO_SECTION_VALUE(CONNECTION, shut_by_us),
	VIRTIO_SECTION_VALUE(CONNECTION, shut_by_peer),
	VIRTIO_SECTION_VALUE(CONNECTION, credit_bad),
	VIRTIO_SECTION_VALUE(CONNECTION, pending),
	VIRTIO_SECTION_VALUE(CONNECTION, buf_alloc),
	VIRTIO_SECTION_VALUE(CONNECTION, rx_cnt),
	VIRTIO_SECTION_VALUE(CONNECTION, fwd_cnt),
	VIRTIO_SECTION_VALUE(CONNECTION, told_fwd_cnt),
	VIRTIO_SECTION_VALUE(CONNECTION, rx_packets),
	VIRTIO_SECTION_VALUE(CONNECTION, peer_buf_alloc),
	VIRTIO_SECTION_VALUE(CONNECTION, tx_cnt),
	VIRTIO_SECTION_VALUE(CONNECTION, peer_fwd_cnt),
	VIRTIO_SECTION_VALUE(CONNECTION, tx_packets),
	/* Version 1 has no such values. A restore then assumes that no message is unfinished. */
	VIRTIO_SECTION_VALUE_SINCE(CONNECTION, message_bytes, 2, 0),
	VIRTIO_SECTION_VALUE_SINCE(CONNECTION, message_packets, 2, 0),
};

static const struct virtio_section_layout layout = {
	.name = "vsock",
	.version = 2,
	.fields = fields,
	.field_count = sizeof fields / sizeof fields[0],
	.entries = "connections",
	.entry_fields = connection_fields,
	.entry_field_count = sizeof connection_fields / sizeof connection_fields[0],
	.entry_size = sizeof(CONNECTION),
};

static const struct virtio_section_field reply_fields[] = {
	VIRTIO_SECTION_VALUE(REPLY, src_cid),  VIRTIO_SECTION_VALUE(REPLY, dst_cid),
	VIRTIO_SECTION_VALUE(REPLY, src_port), VIRTIO_SECTION_VALUE(REPLY, dst_port),
	VIRTIO_SECTION_VALUE(REPLY, type),
};

static const struct virtio_section_layout replies_layout = {
	.name = "vsock.replies",
	.version = 1,
	.entries = "replies",
	.entry_fields = reply_fields,
	.entry_field_count = sizeof reply_fields / sizeof reply_fields[0],
	.entry_size = sizeof(REPLY),
};

const struct virtio_section_layout *virtio_vsock_layout(void)
{
	return &layout;
}

const struct virtio_section_layout *virtio_vsock_replies_layout(void)
{
	return &replies_layout;
}

/* Returns the reply that is sent after i other replies. */
static struct virtio_vsock_hdr *reply_at(const struct virtio_vsock_table *table, uint32_t i)
{
	const uint32_t to_end = table->reply_capacity - table->reply_first;

	return &table->replies[i < to_end ? table->reply_first + i : i - to_end];
}

int virtio_vsock_restore_replies(struct virtio_vsock_table *table, const struct virtio_vsock_reply_state *replies,
				 uint32_t count)
{
	if (count > table->reply_capacity - table->reply_count)
		return VIRTIO_ENOBUFS;
	for (uint32_t i = 0; i < count; i++) {
		struct virtio_vsock_hdr *reply = reply_at(table, table->reply_count++);

		memset(reply, 0, sizeof *reply);
		virtio_vsock_set_src_cid(reply, replies[i].src_cid);
		virtio_vsock_set_dst_cid(reply, replies[i].dst_cid);
		virtio_vsock_set_src_port(reply, replies[i].src_port);
		virtio_vsock_set_dst_port(reply, replies[i].dst_port);
		virtio_vsock_set_type(reply, replies[i].type);
		virtio_vsock_set_op(reply, VIRTIO_VSOCK_OP_RST);
	}
	return 0;
}

static void write_replies(struct virtio_section_writer *writer, uint32_t number, const struct virtio_vsock_table *table)
{
	virtio_section_begin(writer, &replies_layout, number, 0, NULL, table->reply_count);
	for (uint32_t i = 0; i < table->reply_count; i++) {
		const struct virtio_vsock_hdr *reply = reply_at(table, i);
		const struct virtio_vsock_reply_state out = {
			.src_cid = virtio_vsock_src_cid(reply),
			.dst_cid = virtio_vsock_dst_cid(reply),
			.src_port = virtio_vsock_src_port(reply),
			.dst_port = virtio_vsock_dst_port(reply),
			.type = virtio_vsock_type(reply),
		};

		virtio_section_entries(writer, &replies_layout, &out, 1);
	}
}

void virtio_vsock_write_state(struct virtio_section_writer *writer, uint32_t number,
			      const struct virtio_vsock_events *events, const struct virtio_vsock_table *table)
{
	const struct virtio_vsock_connection *c = NULL;
	struct virtio_vsock_device_state state;

	virtio_vsock_save(table->vsock, events, table, &state);
	virtio_section_begin(writer, &layout, number, 0, &state, table->count);
	while ((c = virtio_vsock_table_each(table, c)) != NULL) {
		struct virtio_vsock_connection_state out;

		virtio_vsock_connection_save(c, &out);
		virtio_section_entries(writer, &layout, &out, 1);
	}
	write_replies(writer, number, table);
}

/*
 * Checks the CIDs of saved RSTs, and whether all RSTs fit the table. The destination
 * must be the guest, and the source must be a CID to which the guest may send packets.
 */
static int check_replies(const struct virtio_vsock_table *table, const struct virtio_vsock_saved *saved, uint32_t count,
			 struct virtio_refusal *refusal)
{
	const uint64_t guest = table->vsock->guest_cid;

	for (uint32_t i = 0; i < count; i++) {
		const uint64_t from = saved->replies[i].src_cid;
		const char *field = saved->replies[i].dst_cid != guest ? "dst_cid" : NULL;

		if (!field && (from == guest || (from != VIRTIO_VSOCK_CID_HOST && !virtio_vsock_is_guest_cid(from))))
			field = "src_cid";
		if (!field)
			continue;
		*refusal = (struct virtio_refusal){ .field = field, .entry = i };
		return VIRTIO_EINVAL;
	}
	if (count <= table->reply_capacity - table->reply_count)
		return 0;
	*refusal = (struct virtio_refusal){ .field = replies_layout.entries, .entry = VIRTIO_SECTION_NO_ENTRY };
	return VIRTIO_ENOBUFS;
}

int virtio_vsock_read_state(struct virtio_section_reader *reader, uint32_t number,
			    const struct virtio_vsock_table *table, const uint64_t *features,
			    struct virtio_vsock_device_state *state, struct virtio_vsock_saved *saved)
{
	struct virtio_vsock_device_state read = { 0 };
	struct virtio_section where;
	struct virtio_refusal refusal;
	uint32_t connections = 0, replies = 0;
	int error;

	/* The file has no value for `reserved`, and virtio_vsock_check_state() accepts only 0. */
	for (uint32_t i = 0; i < saved->connection_capacity; i++)
		saved->connections[i].reserved = 0;
	error = virtio_section_read(reader, &layout, number, 0, &read, saved->connections, saved->connection_capacity,
				    &connections, &where);
	if (error)
		return error;
	error = virtio_vsock_check_state(table, &read, saved->connections, connections, &refusal);
	if (!error && features && read.negotiated != (*features & VIRTIO_DEVICE_TYPE_FEATURES)) {
		refusal = (struct virtio_refusal){
			.field = "negotiated",
			.entry = VIRTIO_SECTION_NO_ENTRY,
			.bits = read.negotiated ^ (*features & VIRTIO_DEVICE_TYPE_FEATURES),
		};
		error = VIRTIO_EINVAL;
	}
	if (error)
		return virtio_section_refuse(reader, &layout, &where, &refusal, error);
	error = virtio_section_read(reader, &replies_layout, number, 0, NULL, saved->replies, saved->reply_capacity,
				    &replies, &where);
	if (error)
		return error;
	error = check_replies(table, saved, replies, &refusal);
	if (error)
		return virtio_section_refuse(reader, &replies_layout, &where, &refusal, error);
	*state = read;
	saved->connection_count = connections;
	saved->reply_count = replies;
	return 0;
}
