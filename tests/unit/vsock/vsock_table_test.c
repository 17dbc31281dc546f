/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The table of connections: storage, look-up, local ports, packets without a connection, and
 * pending packets.
 */
#include "vsock_fixture.h"

static void table_init_refuses_bad_options_and_storage(void **state)
{
	struct virtio_vsock_options bad[10];
	struct virtio_vsock_table_storage storage[8];
	struct virtio_vsock_table before;
	const uint64_t seed[2] = { 1, 2 };
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	for (uint32_t i = 0; i < COUNT(bad); i++)
		bad[i] = default_options;
	bad[0].buf_alloc = 0;
	bad[1].max_packets = 0;
	bad[2].max_payload = 0;
	bad[3].connect_timeout = 0;
	bad[4].close_timeout = 0;
	bad[5].credit_retry = 0;
	bad[6].first_port = bad[6].last_port + 1;
	bad[7].connect_timeout = (UINT64_C(1) << 62) + 1;
	bad[8].close_timeout = UINT64_MAX;
	bad[9].credit_retry = UINT64_C(1) << 63;
	memset(&s.table, 0x5a, sizeof s.table);
	memcpy(&before, &s.table, sizeof before);
	storage[0] = sockets_storage(&s);
	for (uint32_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(virtio_vsock_table_init(&s.table, &s.vsock, &bad[i], &storage[0], seed),
				 VIRTIO_EINVAL);
	for (uint32_t i = 0; i < COUNT(storage); i++)
		storage[i] = sockets_storage(&s);
	storage[0].connections = NULL;
	storage[1].connection_count = 0;
	storage[2].buckets = NULL;
	storage[3].bucket_count = 0;
	storage[4].bucket_count = 6;
	storage[5].replies = NULL;
	storage[6].reply_count = 0;
	for (uint32_t i = 0; i < 7; i++)
		assert_int_equal(virtio_vsock_table_init(&s.table, &s.vsock, &default_options, &storage[i], seed),
				 VIRTIO_EINVAL);
	assert_memory_equal(&s.table, &before, sizeof before);
	bad[7].connect_timeout--;
	assert_int_equal(virtio_vsock_table_init(&s.table, &s.vsock, &bad[7], &storage[7], seed), 0);
}

/* Hostile 165, 184, 192: packets of foreign addresses are dropped without a reply. */
static void table_drops_packets_of_foreign_addresses(void **state)
{
	static const uint64_t cids[][2] = { { 0, 0 },
					    { 2, 3 },
					    { 4, 2 },
					    { 3, 3 },
					    { UINT64_C(0x100000003), 2 },
					    { 3, UINT64_C(0x100000002) },
					    { 3, 0xffffffff },
					    { UINT64_MAX, 2 },
					    { 3, 1 } };
	struct virtio_vsock_hdr h;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	for (uint32_t i = 0; i < COUNT(cids); i++) {
		h = guest_header(&s, 1, 2, VIRTIO_VSOCK_OP_REQUEST, 0);
		virtio_vsock_set_src_cid(&h, cids[i][0]);
		virtio_vsock_set_dst_cid(&h, cids[i][1]);
		assert_int_equal(virtio_vsock_table_receive(&s.table, &h, 0, s.now, &s.got), 0);
		assert_int_equal(s.got.got, 0);
		assert_int_equal(s.table.dropped, i + 1);
	}
	memset(&h, 0, sizeof h);
	assert_int_equal(virtio_vsock_table_receive(&s.table, &h, VIRTIO_ESHORT, s.now, &s.got), 0);
	assert_int_equal(pending_op(&s), 0);
	assert_int_equal(s.table.count, 0);
}

/* Hostile 193: the device accepts every port number. */
static void table_accepts_any_port_number(void **state)
{
	static const uint32_t ports[] = { 0, 1, 0xffffffff, 0x80000000 };
	struct virtio_vsock_connection *c[COUNT(ports)];
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	for (uint32_t i = 0; i < COUNT(ports); i++) {
		assert_int_equal(
			guest_sends_from(&s, ports[i], ports[COUNT(ports) - 1 - i], VIRTIO_VSOCK_OP_REQUEST, 0),
			VIRTIO_VSOCK_GOT_REQUEST);
		c[i] = s.got.connection;
	}
	for (uint32_t i = 0; i < COUNT(ports); i++) {
		const struct virtio_vsock_address a = { 2, ports[COUNT(ports) - 1 - i], GUEST, ports[i] };

		assert_ptr_equal(virtio_vsock_table_find(&s.table, &a), c[i]);
		assert_null(c[i]->user);
	}
}

static bool find_is(const struct sockets *s, uint32_t local_cid, uint32_t local_port, uint32_t peer_cid,
		    uint32_t peer_port, const struct virtio_vsock_connection *wanted)
{
	const struct virtio_vsock_address a = { local_cid, local_port, peer_cid, peer_port };

	return virtio_vsock_table_find(&s->table, &a) == wanted;
}

static void table_find_compares_the_whole_address(void **state)
{
	struct virtio_vsock_connection *c;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	c = sockets_establish(&s);
	assert_true(find_is(&s, 2, LOCAL_PORT, GUEST, GUEST_PORT, c));
	for (uint32_t i = 1; i < 100; i++) {
		assert_true(find_is(&s, 2 + i, LOCAL_PORT, GUEST, GUEST_PORT, NULL));
		assert_true(find_is(&s, 2, LOCAL_PORT + i, GUEST, GUEST_PORT, NULL));
		assert_true(find_is(&s, 2, LOCAL_PORT, GUEST + i, GUEST_PORT, NULL));
		assert_true(find_is(&s, 2, LOCAL_PORT, GUEST, GUEST_PORT + i, NULL));
	}
	virtio_vsock_connection_reset(c);
	assert_true(find_is(&s, 2, LOCAL_PORT, GUEST, GUEST_PORT, c));
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_RST);
	assert_true(find_is(&s, 2, LOCAL_PORT, GUEST, GUEST_PORT, NULL));
}

/*
 * Hostile 171, 201: a flood of requests only fills the table. Connections in the table still work.
 */
static void table_refuses_requests_when_full(void **state)
{
	struct virtio_vsock_connection *first;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	first = sockets_establish(&s);
	for (uint32_t i = 1; i < PLACES; i++)
		assert_int_equal(guest_sends_from(&s, i, 9, VIRTIO_VSOCK_OP_REQUEST, 0), VIRTIO_VSOCK_GOT_REQUEST);
	for (uint32_t i = 100; i < 1000; i++) {
		struct virtio_vsock_hdr h;

		assert_int_equal(guest_sends_from(&s, i, 9, VIRTIO_VSOCK_OP_REQUEST, 0), 0);
		assert_int_equal(pending_packet(&s, &h), VIRTIO_VSOCK_OP_RST);
		assert_int_equal(virtio_vsock_dst_port(&h), i);
		assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 1), VIRTIO_VSOCK_GOT_DATA);
		assert_int_equal(virtio_vsock_connection_forwarded(first, 1, 1, s.now), 0);
		while (pending_op(&s) != 0) {
		}
	}
	assert_int_equal(s.table.count, PLACES);
	assert_int_equal(s.table.strays, 900);
	/* A freed entry is used again. */
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RST, 0), VIRTIO_VSOCK_GOT_END);
	assert_int_equal(guest_sends_from(&s, 55, 9, VIRTIO_VSOCK_OP_REQUEST, 0), VIRTIO_VSOCK_GOT_REQUEST);
	assert_ptr_equal(s.got.connection, first);
}

/*
 * Hostile 169, 202: the device serves packets from the guest until the list of replies is full.
 * Then the next packet is refused with VIRTIO_EBUSY, and nothing changes.
 */
static void table_waits_at_the_bound_of_replies(void **state)
{
	struct virtio_vsock_table before;
	struct virtio_vsock_received got;
	struct virtio_vsock_hdr h;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	(void)sockets_establish(&s);
	for (uint32_t i = 0; i < REPLIES; i++) {
		/* Every packet except the last arrives twice. Each address gets only one RST. */
		assert_int_equal(guest_sends_from(&s, i, 9, VIRTIO_VSOCK_OP_RW, 10), 0);
		if (i + 1 < REPLIES)
			assert_int_equal(guest_sends_from(&s, i, 9, VIRTIO_VSOCK_OP_RW, 10), 0);
	}
	memcpy(&before, &s.table, sizeof before);
	memset(&got, 0x5a, sizeof got);
	s.got = got;
	h = guest_header(&s, GUEST_PORT, LOCAL_PORT, VIRTIO_VSOCK_OP_RW, 10);
	assert_int_equal(virtio_vsock_table_receive(&s.table, &h, 0, s.now, &got), VIRTIO_EBUSY);
	assert_memory_equal(&s.table, &before, sizeof before);
	assert_memory_equal(&s.got, &got, sizeof got);
	assert_int_equal(virtio_vsock_connection_buffered(sockets_find(&s)), 0);
	for (uint32_t i = 0; i < REPLIES; i++) {
		assert_int_equal(pending_packet(&s, &h), VIRTIO_VSOCK_OP_RST);
		assert_int_equal(virtio_vsock_dst_port(&h), i);
		assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 10), VIRTIO_VSOCK_GOT_DATA);
	}
	assert_int_equal(pending_op(&s), 0);
}

/* A new connection, and an RST of the guest, drop the pending reply to the same address. */
static void table_drops_replies_that_have_become_stale(void **state)
{
	struct virtio_vsock_hdr h;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	/* The rounds let the ring of replies wrap. */
	for (uint32_t round = 0; round < 10; round++) {
		assert_int_equal(guest_sends_from(&s, 1, 9, VIRTIO_VSOCK_OP_RW, 10), 0);
		assert_int_equal(guest_sends_from(&s, 2, 9, VIRTIO_VSOCK_OP_RW, 10), 0);
		assert_int_equal(guest_sends_from(&s, 3, 9, VIRTIO_VSOCK_OP_RW, 10), 0);
		assert_int_equal(guest_sends_from(&s, 2, 9, VIRTIO_VSOCK_OP_REQUEST, 0), VIRTIO_VSOCK_GOT_REQUEST);
		assert_int_equal(virtio_vsock_connection_accept(s.got.connection), 0);
		assert_int_equal(guest_sends_from(&s, 1, 9, VIRTIO_VSOCK_OP_RST, 0), 0);
		assert_int_equal(pending_packet(&s, &h), VIRTIO_VSOCK_OP_RST);
		assert_int_equal(virtio_vsock_dst_port(&h), 3);
		assert_int_equal(pending_packet(&s, &h), VIRTIO_VSOCK_OP_RESPONSE);
		assert_int_equal(virtio_vsock_dst_port(&h), 2);
		/* When a connection ends, its pending packets are dropped. */
		assert_int_equal(guest_sends_from(&s, 2, 9, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0), 0);
		assert_int_equal(guest_sends_from(&s, 2, 9, VIRTIO_VSOCK_OP_RST, 0), VIRTIO_VSOCK_GOT_END);
		assert_int_equal(pending_op(&s), 0);
	}
	assert_int_equal(s.table.count, 0);
}

static void table_serves_connections_in_turn(void **state)
{
	struct virtio_vsock_hdr h;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	for (uint32_t i = 0; i < 3; i++) {
		(void)guest_sends_from(&s, i, 9, VIRTIO_VSOCK_OP_REQUEST, 0);
		assert_int_equal(virtio_vsock_connection_accept(s.got.connection), 0);
		(void)guest_sends_from(&s, i, 9, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0);
	}
	for (uint32_t i = 0; i < 6; i++) {
		assert_int_equal(pending_packet(&s, &h),
				 i < 3 ? VIRTIO_VSOCK_OP_RESPONSE : VIRTIO_VSOCK_OP_CREDIT_UPDATE);
		assert_int_equal(virtio_vsock_dst_port(&h), i % 3);
	}
	assert_int_equal(pending_op(&s), 0);
}

/* Hostile 171: local ports wrap, and a port in use is skipped. */
static void table_connect_chooses_free_local_ports(void **state)
{
	struct virtio_vsock_connection *c[5] = { NULL };
	struct virtio_vsock_hdr h;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 5, s.now, &c[i]), 0);
		assert_int_equal(c[i]->address.local_port, 1000 + i);
		assert_int_equal(pending_packet(&s, &h), VIRTIO_VSOCK_OP_REQUEST);
		assert_int_equal(virtio_vsock_src_port(&h), 1000 + i);
		assert_int_equal(virtio_vsock_dst_port(&h), 5);
		assert_int_equal(virtio_vsock_src_cid(&h), 2);
		assert_int_equal(virtio_vsock_buf_alloc(&h), BUFFER);
	}
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 5, s.now, &c[4]), VIRTIO_ENOBUFS);
	assert_null(c[4]);
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 6, s.now, &c[4]), 0);
	assert_int_equal(c[4]->address.local_port, 1000);
	/* The port stays in use while its RST is pending. */
	virtio_vsock_connection_reset(c[2]);
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 5, s.now, &c[3]), VIRTIO_ENOBUFS);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_RST);
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 5, s.now, &c[2]), 0);
	assert_int_equal(c[2]->address.local_port, 1002);
	for (uint32_t i = s.table.count; i < PLACES; i++)
		assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 100 + i, s.now, &c[4]), 0);
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 5, s.now, &c[4]), VIRTIO_ENOBUFS);
}

static void table_connect_from_refuses_bad_addresses(void **state)
{
	const struct virtio_vsock_address address = { 7, 70, GUEST, 71 }, foreign = { 7, 70, 9, 71 };
	struct virtio_vsock_connection *c = NULL, *other = NULL;
	struct virtio_vsock_hdr h;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	assert_int_equal(virtio_vsock_table_connect_from(&s.table, STREAM, &foreign, s.now, &c), VIRTIO_EINVAL);
	assert_int_equal(virtio_vsock_table_connect_from(&s.table, 3, &address, s.now, &c), VIRTIO_ENOTSUP);
	assert_null(c);
	assert_int_equal(virtio_vsock_table_connect_from(&s.table, SEQPACKET, &address, s.now, &c), 0);
	assert_int_equal(virtio_vsock_table_connect_from(&s.table, STREAM, &address, s.now, &other), VIRTIO_EBUSY);
	assert_null(other);
	assert_int_equal(pending_packet(&s, &h), VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(virtio_vsock_type(&h), SEQPACKET);
	assert_int_equal(virtio_vsock_src_cid(&h), 7);
	assert_int_equal(virtio_vsock_src_port(&h), 70);
	assert_int_equal(pending_op(&s), 0);
}

/* The host requests a connection, which the guest accepts or refuses. */
static void table_connect_is_answered_by_the_guest(void **state)
{
	struct virtio_vsock_connection *c;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	s.buf_alloc = 123;
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 5, s.now, &c), 0);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(guest_sends_from(&s, 5, 1000, VIRTIO_VSOCK_OP_RESPONSE, 0), VIRTIO_VSOCK_GOT_RESPONSE);
	assert_ptr_equal(s.got.connection, c);
	assert_int_equal(c->state, VIRTIO_VSOCK_ESTABLISHED);
	assert_int_equal(host_may_send(&s, c), 123);
	assert_int_equal(virtio_vsock_table_deadline(&s.table), VIRTIO_VSOCK_NO_DEADLINE);
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 6, s.now, &c), 0);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(guest_sends_from(&s, 6, 1001, VIRTIO_VSOCK_OP_RST, 0), VIRTIO_VSOCK_GOT_END);
	assert_ptr_equal(s.got.connection, c);
	assert_int_equal(pending_op(&s), 0);
	assert_int_equal(s.table.count, 1);
}

/*
 * Hostile 228: while the table holds requests back, only the REQUESTs wait. Other packets are still
 * sent.
 */
static void table_hold_keeps_requests_and_nothing_else(void **state)
{
	struct virtio_vsock_connection *c, *other;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	other = sockets_establish(&s);
	virtio_vsock_table_hold(&s.table, true);
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 5, s.now, &c), 0);
	assert_int_equal(pending_op(&s), 0);
	(void)guest_sends(&s, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	host_sends(other, 5, 0);
	assert_int_equal(pending_op(&s), 0);
	virtio_vsock_table_hold(&s.table, false);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(pending_op(&s), 0);
	/*
	 * The REQUEST was not sent, so a RESPONSE ends the connection. The RST that follows is not
	 * held back.
	 */
	virtio_vsock_table_hold(&s.table, true);
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 7, s.now, &c), 0);
	assert_int_equal(guest_sends_from(&s, 7, 1001, VIRTIO_VSOCK_OP_RESPONSE, 0), VIRTIO_VSOCK_GOT_END);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_RST);
	/*
	 * If a connection is reset or its deadline passes while its REQUEST is held back, the
	 * REQUEST is never sent.
	 */
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 6, s.now, &c), 0);
	virtio_vsock_connection_reset(c);
	assert_int_equal(c->state, VIRTIO_VSOCK_CLOSED);
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 6, s.now + 1, &c), 0);
	assert_int_equal(virtio_vsock_table_expire(&s.table, s.now + 20, &other), 1);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_RST);
	assert_int_equal(virtio_vsock_table_expire(&s.table, s.now + 21, &other), 1);
	assert_ptr_equal(other, c);
	virtio_vsock_table_hold(&s.table, false);
	assert_int_equal(pending_op(&s), 0);
}

static void table_clear_forgets_all_but_the_next_port(void **state)
{
	struct virtio_vsock_connection *c;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	(void)sockets_establish(&s);
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 5, s.now, &c), 0);
	(void)guest_sends_from(&s, 1, 9, VIRTIO_VSOCK_OP_RW, 10);
	virtio_vsock_table_hold(&s.table, true);
	virtio_vsock_table_clear(&s.table);
	assert_int_equal(s.table.count, 0);
	assert_int_equal(pending_op(&s), 0);
	assert_null(sockets_find(&s));
	assert_null(virtio_vsock_table_each(&s.table, NULL));
	assert_int_equal(virtio_vsock_table_deadline(&s.table), VIRTIO_VSOCK_NO_DEADLINE);
	assert_int_equal(s.table.strays, 1);
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 5, s.now, &c), 0);
	assert_int_equal(c->address.local_port, 1001);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_REQUEST);
	for (uint32_t i = 1; i < PLACES; i++)
		assert_int_equal(guest_sends_from(&s, i, 9, VIRTIO_VSOCK_OP_REQUEST, 0), VIRTIO_VSOCK_GOT_REQUEST);
}

/* Hostile 227: without an event queue the guest gets an RST for each lost connection. */
static void table_reset_all_sends_each_connection_an_rst(void **state)
{
	struct virtio_vsock_connection *c;
	struct virtio_vsock_hdr h;
	uint32_t seen = 0;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	for (uint32_t i = 0; i < 3; i++)
		(void)guest_sends_from(&s, i, 9, VIRTIO_VSOCK_OP_REQUEST, 0);
	/* The guest does not know this connection, because its REQUEST was not sent yet. */
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 5, s.now, &c), 0);
	virtio_vsock_table_reset_all(&s.table);
	while (pending_packet(&s, &h) != 0) {
		assert_int_equal(virtio_vsock_op(&h), VIRTIO_VSOCK_OP_RST);
		seen |= 1u << virtio_vsock_dst_port(&h);
	}
	assert_int_equal(seen, 7);
	assert_int_equal(s.table.count, 0);
}

static void table_each_yields_every_connection_once(void **state)
{
	const struct virtio_vsock_connection *c;
	uint32_t seen = 0, count = 0;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	assert_null(virtio_vsock_table_each(&s.table, NULL));
	for (uint32_t i = 0; i < PLACES; i++)
		(void)guest_sends_from(&s, i, 9, VIRTIO_VSOCK_OP_REQUEST, 0);
	(void)guest_sends_from(&s, 0, 9, VIRTIO_VSOCK_OP_RST, 0);
	(void)guest_sends_from(&s, 5, 9, VIRTIO_VSOCK_OP_RST, 0);
	for (c = virtio_vsock_table_each(&s.table, NULL); c; c = virtio_vsock_table_each(&s.table, c)) {
		seen |= 1u << c->address.peer_port;
		count++;
	}
	assert_int_equal(seen, 0xde);
	assert_int_equal(count, 6);
}

/*
 * A guest that knows the hash but not the seed can't choose ports that share a bucket, because each
 * seed spreads the guest's ports differently.
 */
static void table_spreads_addresses_by_its_seed(void **state)
{
	enum { BUCKETS = 64, ALL = 1024 };
	static struct virtio_vsock_connection connections[ALL], *buckets[BUCKETS];
	struct virtio_vsock_table_storage storage;
	uint32_t differ = 0;
	uint64_t seed[2] = { 0, 0 };
	uint8_t first[ALL];
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	storage = sockets_storage(&s);
	storage.connections = connections;
	storage.connection_count = ALL;
	storage.buckets = buckets;
	storage.bucket_count = BUCKETS;
	for (int round = 0; round < 2; round++) {
		seed[round] = 0x0123456789abcdef;
		assert_int_equal(virtio_vsock_table_init(&s.table, &s.vsock, &default_options, &storage, seed), 0);
		for (uint32_t i = 0; i < ALL; i++)
			(void)guest_sends_from(&s, i, 9, VIRTIO_VSOCK_OP_REQUEST, 0);
		for (uint32_t b = 0; b < BUCKETS; b++) {
			const struct virtio_vsock_connection *c = buckets[b];
			uint32_t length = 0;

			for (; c; c = c->hash_next, length++) {
				differ += round == 1 && first[c->address.peer_port] != b;
				first[c->address.peer_port] = (uint8_t)b;
			}
			/* The average length of a bucket's list is 16. */
			assert_in_range(length, 1, 40);
		}
	}
	assert_true(differ > ALL * 9 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_init_refuses_bad_options_and_storage),
		cmocka_unit_test(table_drops_packets_of_foreign_addresses),
		cmocka_unit_test(table_accepts_any_port_number),
		cmocka_unit_test(table_find_compares_the_whole_address),
		cmocka_unit_test(table_refuses_requests_when_full),
		cmocka_unit_test(table_waits_at_the_bound_of_replies),
		cmocka_unit_test(table_drops_replies_that_have_become_stale),
		cmocka_unit_test(table_serves_connections_in_turn),
		cmocka_unit_test(table_connect_chooses_free_local_ports),
		cmocka_unit_test(table_connect_from_refuses_bad_addresses),
		cmocka_unit_test(table_connect_is_answered_by_the_guest),
		cmocka_unit_test(table_hold_keeps_requests_and_nothing_else),
		cmocka_unit_test(table_clear_forgets_all_but_the_next_port),
		cmocka_unit_test(table_reset_all_sends_each_connection_an_rst),
		cmocka_unit_test(table_each_yields_every_connection_once),
		cmocka_unit_test(table_spreads_addresses_by_its_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
