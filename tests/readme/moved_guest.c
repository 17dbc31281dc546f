/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The saved state of virtio-vsock's README. One guest is moved and keeps its connections. Another
 * guest gets another context ID and loses its connections.
 */
#include "readme_moved_guest.h"

#include "cmocka_includes.h"

#include <string.h>

struct side {
	struct virtio_vsock vsock;
	struct virtio_vsock_table table;
	struct virtio_vsock_connection connections[16], *buckets[16];
	struct virtio_vsock_hdr replies[4];
};

static void set_up(struct side *side, uint32_t buffer)
{
	const struct virtio_vsock_options options = { .buf_alloc = buffer,
						      .max_packets = 1000,
						      .max_payload = 4096,
						      .connect_timeout = 1,
						      .close_timeout = 1,
						      .credit_retry = 1,
						      .first_port = 1000,
						      .last_port = 2000 };
	const struct virtio_vsock_table_storage storage = {
		side->connections, 16, side->buckets, 16, side->replies, 4
	};
	const uint64_t seed[2] = { 1, 2 };

	memset(side, 0, sizeof *side);
	assert_int_equal(virtio_vsock_init(&side->vsock, 3, false), 0);
	assert_int_equal(virtio_vsock_table_init(&side->table, &side->vsock, &options, &storage, seed), 0);
}

static void receive(struct side *side, uint16_t op, uint32_t guest_port, uint32_t len)
{
	struct virtio_vsock_received what;
	struct virtio_vsock_hdr h;

	memset(&h, 0, sizeof h);
	virtio_vsock_set_src_cid(&h, 3);
	virtio_vsock_set_dst_cid(&h, VIRTIO_VSOCK_CID_HOST);
	virtio_vsock_set_src_port(&h, guest_port);
	virtio_vsock_set_dst_port(&h, 80);
	virtio_vsock_set_type(&h, VIRTIO_VSOCK_TYPE_STREAM);
	virtio_vsock_set_op(&h, op);
	virtio_vsock_set_len(&h, len);
	virtio_vsock_set_buf_alloc(&h, 8192);
	assert_int_equal(virtio_vsock_table_receive(&side->table, &h, 0, 1, &what), 0);
	if (what.got & VIRTIO_VSOCK_GOT_REQUEST)
		assert_int_equal(virtio_vsock_connection_accept(what.connection), 0);
}

static void moved_guest_keeps_its_connections(void **state)
{
	static const struct virtio_vsock_address address = { VIRTIO_VSOCK_CID_HOST, 80, 3, 71 };
	static struct side from, to;
	static uint8_t bytes[4096];
	struct virtio_section_writer writer;
	struct virtio_section_reader reader;
	struct virtio_vsock_events events = { .unsent = true };
	struct virtio_vsock_connection *c, *ours;

	(void)state;
	set_up(&from, 4096);
	set_up(&to, 4096);
	for (uint32_t port = 70; port < 73; port++)
		receive(&from, VIRTIO_VSOCK_OP_REQUEST, port, 0);
	receive(&from, VIRTIO_VSOCK_OP_RW, 71, 100);
	assert_int_equal(virtio_vsock_table_connect(&from.table, VIRTIO_VSOCK_TYPE_STREAM, 22, 1, &ours), 0);
	virtio_section_writer_init(&writer, bytes, sizeof bytes);
	save(&from.table, &events, &writer);
	assert_true(writer.error == 0 && writer.length <= sizeof bytes);
	virtio_section_reader_init(&reader, bytes, 0, writer.length);
	virtio_vsock_events_reset(&events);
	assert_int_equal(restore(&to.vsock, &events, &to.table, &reader, 16384, 2), 0);
	assert_int_equal(virtio_section_reader_end(&reader), 0);
	assert_true(events.unsent);
	assert_int_equal(to.table.count, 4);
	assert_int_equal(to.table.next_port, from.table.next_port);
	c = virtio_vsock_table_find(&to.table, &address);
	assert_non_null(c);
	assert_int_equal(virtio_vsock_connection_buffered(c), 100);
	assert_int_equal(c->buf_alloc, 16384);
	assert_int_equal(virtio_vsock_connection_forwarded(c, 100, 1, 3), 0);
}

static void moved_guest_with_another_cid_is_told(void **state)
{
	static struct side side;
	struct virtio_vsock_events events;

	(void)state;
	set_up(&side, 4096);
	virtio_vsock_events_reset(&events);
	receive(&side, VIRTIO_VSOCK_OP_REQUEST, 70, 0);
	assert_int_equal(renumber(&side.vsock, &side.table, &events, 2), VIRTIO_EINVAL);
	assert_int_equal(side.table.count, 1);
	assert_false(events.unsent);
	assert_int_equal(renumber(&side.vsock, &side.table, &events, 9), 0);
	assert_int_equal(side.vsock.guest_cid, 9);
	assert_int_equal(side.table.count, 0);
	assert_true(events.unsent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moved_guest_keeps_its_connections),
		cmocka_unit_test(moved_guest_with_another_cid_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
