/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Credit both ways: how much may be sent, how much may be received, and the times of updates and
 * requests.
 */
#include "vsock_fixture.h"

/* Sends the guest's report of the bytes that it has forwarded. */
static uint32_t guest_forwards(struct sockets *s, uint32_t fwd_cnt)
{
	s->fwd_cnt = fwd_cnt;
	return guest_sends(s, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0);
}

/* Sets the counters of a new connection as if each side had sent this number of bytes. */
static void begin_at(struct sockets *s, struct virtio_vsock_connection *c, uint32_t at)
{
	c->tx_cnt = c->peer_fwd_cnt = at;
	c->rx_cnt = c->fwd_cnt = c->told_fwd_cnt = at;
	s->fwd_cnt = at;
}

static void credit_is_the_guest_s_buffer_less_what_is_on_its_way(void **state)
{
	const struct virtio_vsock_piece more = { 501, 0 };
	struct virtio_vsock_connection *c;
	struct virtio_vsock_hdr h, before;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	c = sockets_establish(&s);
	assert_int_equal(host_may_send(&s, c), GUEST_BUFFER);
	host_sends(c, 1500, 0);
	assert_int_equal(host_may_send(&s, c), 500);
	memset(&h, 0xcc, sizeof h);
	before = h;
	assert_int_equal(virtio_vsock_connection_send(c, &more, &h), VIRTIO_ENOBUFS);
	assert_memory_equal(&h, &before, sizeof h);
	assert_int_equal(c->tx_cnt, 1500);
	host_sends(c, 500, 0);
	assert_int_equal(host_may_send(&s, c), 0);
	assert_int_equal(guest_forwards(&s, 1), VIRTIO_VSOCK_GOT_CREDIT);
	assert_int_equal(host_may_send(&s, c), 1);
	assert_int_equal(guest_forwards(&s, 2000), 0);
	assert_int_equal(host_may_send(&s, c), GUEST_BUFFER);
}

static void credit_piece_is_the_least_of_left_room_and_credit(void **state)
{
	struct virtio_vsock_connection *c;
	struct virtio_vsock_piece piece;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	c = sockets_establish(&s);
	assert_int_equal(virtio_vsock_connection_piece(c, 10, 0, 20, s.now, &piece), 1);
	assert_int_equal(piece.bytes, 10);
	assert_int_equal(virtio_vsock_connection_piece(c, 30, 0, 20, s.now, &piece), 1);
	assert_int_equal(piece.bytes, 20);
	assert_int_equal(virtio_vsock_connection_piece(c, 3000, 0, 4000, s.now, &piece), 1);
	assert_int_equal(piece.bytes, GUEST_BUFFER);
	assert_int_equal(piece.marks, 0);
}

/*
 * Hostile 159, 194: a bad report of the guest makes the credit 0, and the credit does not wrap. Bad
 * reports are a fwd_cnt ahead of the bytes sent, a fwd_cnt that goes back, and a buf_alloc below
 * the bytes in transit.
 */
static void credit_never_underflows(void **state)
{
	struct virtio_vsock_connection *c;
	struct sockets s;

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		const uint32_t at = i ? 0xfffffff0u : 0;

		sockets_setup(&s, &default_options);
		c = sockets_establish(&s);
		begin_at(&s, c, at);
		host_sends(c, 100, 0);
		/* fwd_cnt is ahead of the bytes sent. */
		for (uint32_t ahead = 1; ahead < 2000; ahead += 333) {
			(void)guest_forwards(&s, at + 100 + ahead);
			assert_int_equal(host_may_send(&s, c), 0);
		}
		s.buf_alloc = UINT32_MAX;
		(void)guest_forwards(&s, at + 102);
		assert_int_equal(host_may_send(&s, c), 0);
		(void)guest_forwards(&s, at + 100 + 0x80000000u);
		assert_int_equal(host_may_send(&s, c), 0);
		/* A correct value restores the credit. */
		s.buf_alloc = GUEST_BUFFER;
		(void)guest_forwards(&s, at + 60);
		assert_int_equal(host_may_send(&s, c), GUEST_BUFFER - 40);
		/* fwd_cnt goes back. */
		(void)guest_forwards(&s, at + 59);
		assert_int_equal(host_may_send(&s, c), 0);
		(void)guest_forwards(&s, at + 60);
		/* The buffer shrinks below the bytes in transit. */
		s.buf_alloc = 39;
		(void)guest_forwards(&s, at + 60);
		assert_int_equal(host_may_send(&s, c), 0);
		s.buf_alloc = 41;
		(void)guest_forwards(&s, at + 60);
		assert_int_equal(host_may_send(&s, c), 1);
	}
}

/* Hostile 160: the credit is correct when the counters wrap. */
static void credit_counts_modulo_2_to_the_32(void **state)
{
	struct virtio_vsock_connection *c;
	struct virtio_vsock_hdr h;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	c = sockets_establish(&s);
	begin_at(&s, c, UINT32_MAX - 9);
	host_sends(c, 20, 0);
	assert_int_equal(c->tx_cnt, 10);
	assert_int_equal(host_may_send(&s, c), GUEST_BUFFER - 20);
	(void)guest_forwards(&s, 5);
	assert_int_equal(host_may_send(&s, c), GUEST_BUFFER - 5);
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 300), VIRTIO_VSOCK_GOT_DATA);
	assert_int_equal(virtio_vsock_connection_buffered(c), 300);
	assert_int_equal(virtio_vsock_connection_forwarded(c, 300, 1, s.now), 0);
	assert_int_equal(pending_packet(&s, &h), VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(virtio_vsock_fwd_cnt(&h), 290);
}

/* Hostile 161: each connection has credit of its own. */
static void credit_is_kept_for_each_connection(void **state)
{
	struct virtio_vsock_connection *a, *b;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	a = sockets_establish(&s);
	assert_int_equal(guest_sends_from(&s, 5, 6, VIRTIO_VSOCK_OP_REQUEST, 0), VIRTIO_VSOCK_GOT_REQUEST);
	b = s.got.connection;
	assert_int_equal(virtio_vsock_connection_accept(b), 0);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_RESPONSE);
	host_sends(a, 2000, 0);
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 1000), VIRTIO_VSOCK_GOT_DATA);
	assert_int_equal(host_may_send(&s, a), 0);
	assert_int_equal(host_may_send(&s, b), GUEST_BUFFER);
	assert_int_equal(guest_sends_from(&s, 5, 6, VIRTIO_VSOCK_OP_RW, 1000), VIRTIO_VSOCK_GOT_DATA);
	assert_int_equal(virtio_vsock_connection_buffered(b), 1000);
}

/* Hostile 195: no data is sent while the guest's buffer has 0 bytes. */
static void credit_of_no_buffer_sends_nothing(void **state)
{
	struct virtio_vsock_connection *c;
	struct virtio_vsock_piece piece;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	s.type = SEQPACKET;
	s.buf_alloc = 0;
	c = sockets_establish(&s);
	assert_int_equal(host_may_send(&s, c), 0);
	assert_int_equal(virtio_vsock_connection_piece(c, 0, EOM, 1, s.now, &piece), 0);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_CREDIT_REQUEST);
	assert_int_equal(guest_forwards(&s, 0), 0);
	s.buf_alloc = 1;
	assert_int_equal(guest_forwards(&s, 0), VIRTIO_VSOCK_GOT_CREDIT);
	assert_int_equal(host_may_send(&s, c), 1);
}

/* A connection that needs credit sends one request, and repeats the request only at intervals. */
static void credit_is_asked_for_at_intervals(void **state)
{
	struct virtio_vsock_connection *c, *out = NULL;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	c = sockets_establish(&s);
	host_sends(c, GUEST_BUFFER, 0);
	assert_int_equal(pending_op(&s), 0);
	assert_int_equal(virtio_vsock_table_deadline(&s.table), VIRTIO_VSOCK_NO_DEADLINE);
	assert_int_equal(host_may_send(&s, c), 0);
	assert_int_equal(host_may_send(&s, c), 0);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_CREDIT_REQUEST);
	assert_int_equal(pending_op(&s), 0);
	/* If the update gives no credit, the next request is not sent at once. */
	assert_int_equal(guest_forwards(&s, 0), 0);
	assert_int_equal(host_may_send(&s, c), 0);
	assert_int_equal(pending_op(&s), 0);
	assert_int_equal(virtio_vsock_table_deadline(&s.table), s.now + 5);
	assert_int_equal(virtio_vsock_table_expire(&s.table, s.now + 4, &out), 0);
	assert_int_equal(pending_op(&s), 0);
	assert_int_equal(virtio_vsock_table_expire(&s.table, s.now + 7, &out), 0);
	assert_null(out);
	assert_int_equal(virtio_vsock_table_deadline(&s.table), s.now + 12);
	/* The credit arrives before the request is sent, so the request is dropped. */
	assert_int_equal(guest_forwards(&s, 100), VIRTIO_VSOCK_GOT_CREDIT);
	assert_int_equal(pending_op(&s), 0);
	assert_int_equal(virtio_vsock_table_deadline(&s.table), VIRTIO_VSOCK_NO_DEADLINE);
	/*
	 * A connection that waits for credit stops waiting when either side shuts down the host's
	 * sending.
	 */
	host_sends(c, 100, 0);
	assert_int_equal(host_may_send(&s, c), 0);
	assert_int_equal(guest_shuts(&s, RCV), VIRTIO_VSOCK_GOT_SHUTDOWN);
	assert_int_equal(pending_op(&s), 0);
	assert_int_equal(virtio_vsock_table_deadline(&s.table), VIRTIO_VSOCK_NO_DEADLINE);
	sockets_setup(&s, &default_options);
	c = sockets_establish(&s);
	host_sends(c, GUEST_BUFFER, 0);
	assert_int_equal(host_may_send(&s, c), 0);
	assert_int_equal(virtio_vsock_connection_shutdown(c, SEND, s.now), 0);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(pending_op(&s), 0);
	assert_int_equal(virtio_vsock_table_deadline(&s.table), VIRTIO_VSOCK_NO_DEADLINE);
}

/*
 * Hostile 162, 223: more bytes or more packets than our buffer can hold reset the connection, and
 * are not delivered.
 */
static void data_beyond_our_buffer_resets(void **state)
{
	struct virtio_vsock_options options = default_options;
	struct virtio_vsock_connection *c;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &options);
	(void)sockets_establish(&s);
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, BUFFER), VIRTIO_VSOCK_GOT_DATA);
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 1), VIRTIO_VSOCK_GOT_END);
	assert_int_equal(s.got.bytes, 0);
	assert_int_equal(s.table.overruns, 1);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_RST);
	c = sockets_establish(&s);
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 600), VIRTIO_VSOCK_GOT_DATA);
	assert_int_equal(virtio_vsock_connection_forwarded(c, 100, 0, s.now), 0);
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 500), VIRTIO_VSOCK_GOT_DATA);
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, UINT32_MAX), VIRTIO_VSOCK_GOT_END);
	options.max_packets = 3;
	sockets_setup(&s, &options);
	s.type = SEQPACKET;
	s.flags = EOM;
	c = sockets_establish(&s);
	for (int i = 0; i < 3; i++)
		assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 0), VIRTIO_VSOCK_GOT_DATA);
	assert_int_equal(virtio_vsock_connection_forwarded(c, 0, 1, s.now), 0);
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 0), VIRTIO_VSOCK_GOT_DATA);
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 0), VIRTIO_VSOCK_GOT_END);
}

/*
 * Hostile 163: an update is pending whenever the guest knows of too little credit for the next
 * packet. The test tries each pair of a buffer size and a packet size.
 */
static void credit_update_comes_at_any_ratio(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 3, 4, 5, 7, 8, 100, 1000, 65535, 65536, 65537, 262144, UINT32_MAX };
	struct virtio_vsock_options options = default_options;
	struct virtio_vsock_connection *c;
	struct virtio_vsock_hdr h;
	struct sockets s;

	(void)state;
	for (uint32_t b = 0; b < COUNT(sizes); b++) {
		for (uint32_t p = 0; p < COUNT(sizes); p++) {
			const uint32_t packet = sizes[p] < sizes[b] ? sizes[p] : sizes[b];
			uint32_t told = 0, sent = 0;

			options.buf_alloc = sizes[b];
			options.max_payload = sizes[p];
			options.max_packets = UINT32_MAX;
			sockets_setup(&s, &options);
			c = sockets_establish(&s);
			/*
			 * The guest sends a whole packet whenever its credit permits. The host
			 * forwards the packet at once.
			 */
			for (int i = 0; i < 40; i++) {
				while (sizes[b] - (sent - told) < packet) {
					assert_int_equal(pending_packet(&s, &h), VIRTIO_VSOCK_OP_CREDIT_UPDATE);
					told = virtio_vsock_fwd_cnt(&h);
				}
				assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, packet), VIRTIO_VSOCK_GOT_DATA);
				sent += packet;
				assert_int_equal(virtio_vsock_connection_forwarded(c, packet, 1, s.now), 0);
			}
		}
	}
}

/*
 * The host forwards 200 bytes, and then nothing more. The guest gets an update when the credit
 * known to the guest is less than one packet.
 */
static void credit_update_comes_while_nothing_is_forwarded(void **state)
{
	struct virtio_vsock_options options = default_options;
	struct virtio_vsock_connection *c;
	struct virtio_vsock_hdr h;
	struct sockets s;

	(void)state;
	options.max_payload = 100;
	sockets_setup(&s, &options);
	c = sockets_establish(&s);
	(void)guest_sends(&s, VIRTIO_VSOCK_OP_RW, 200);
	assert_int_equal(virtio_vsock_connection_forwarded(c, 200, 1, s.now), 0);
	assert_int_equal(pending_op(&s), 0);
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 700), VIRTIO_VSOCK_GOT_DATA);
	assert_int_equal(pending_op(&s), 0);
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 1), VIRTIO_VSOCK_GOT_DATA);
	assert_int_equal(pending_packet(&s, &h), VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(virtio_vsock_fwd_cnt(&h), 200);
	assert_int_equal(pending_op(&s), 0);
}

static void credit_update_is_carried_by_other_packets(void **state)
{
	struct virtio_vsock_connection *c;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	c = sockets_establish(&s);
	(void)guest_sends(&s, VIRTIO_VSOCK_OP_RW, 600);
	assert_int_equal(virtio_vsock_connection_forwarded(c, 600, 1, s.now), 0);
	assert_int_equal(c->pending, VIRTIO_VSOCK_PENDING_UPDATE);
	host_sends(c, 1, 0);
	assert_int_equal(pending_op(&s), 0);
	/*
	 * Hostile 196: two CREDIT_REQUESTs get one update. A data packet, which carries the same
	 * credit, does not replace this update.
	 */
	(void)guest_sends(&s, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0);
	(void)guest_sends(&s, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0);
	host_sends(c, 1, 0);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(pending_op(&s), 0);
	/* A guest that sends no more gets no update. */
	(void)guest_sends(&s, VIRTIO_VSOCK_OP_RW, 900);
	(void)guest_shuts(&s, SEND);
	assert_int_equal(virtio_vsock_connection_forwarded(c, 900, 1, s.now), 0);
	assert_int_equal(pending_op(&s), 0);
}

static void forwarded_refuses_more_than_there_is(void **state)
{
	struct virtio_vsock_connection *c;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	c = sockets_establish(&s);
	(void)guest_sends(&s, VIRTIO_VSOCK_OP_RW, 10);
	assert_int_equal(virtio_vsock_connection_forwarded(c, 11, 1, s.now), VIRTIO_EINVAL);
	assert_int_equal(virtio_vsock_connection_forwarded(c, 10, 2, s.now), VIRTIO_EINVAL);
	assert_int_equal(virtio_vsock_connection_forwarded(c, 9, 1, s.now), VIRTIO_EINVAL);
	assert_int_equal(c->fwd_cnt, 0);
	assert_int_equal(c->rx_packets, 1);
	virtio_vsock_connection_reset(c);
	assert_int_equal(virtio_vsock_connection_forwarded(c, 10, 1, s.now), 0);
	assert_int_equal(c->fwd_cnt, 0);
}

static void set_buffer_grows_and_tells_the_guest(void **state)
{
	struct virtio_vsock_connection *c;
	struct virtio_vsock_hdr h;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	c = sockets_establish(&s);
	assert_int_equal(virtio_vsock_connection_set_buffer(c, BUFFER - 1), VIRTIO_EINVAL);
	assert_int_equal(c->buf_alloc, BUFFER);
	assert_int_equal(virtio_vsock_connection_set_buffer(c, BUFFER), 0);
	assert_int_equal(pending_op(&s), 0);
	assert_int_equal(virtio_vsock_connection_set_buffer(c, 5000), 0);
	assert_int_equal(pending_packet(&s, &h), VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(virtio_vsock_buf_alloc(&h), 5000);
	assert_int_equal(guest_sends(&s, VIRTIO_VSOCK_OP_RW, 5000), VIRTIO_VSOCK_GOT_DATA);
}

/*
 * Hostile 223: each packet that the guest has not forwarded uses credit for its bytes, plus the
 * overhead that the option packet_overhead sets.
 */
static void credit_counts_the_overhead_of_packets(void **state)
{
	struct virtio_vsock_options options = default_options;
	struct virtio_vsock_connection *c;
	uint32_t packets = 0;
	struct sockets s;

	(void)state;
	options.packet_overhead = 100;
	sockets_setup(&s, &options);
	c = sockets_establish(&s);
	assert_int_equal(host_may_send(&s, c), GUEST_BUFFER - 100);
	while (host_may_send(&s, c) != 0) {
		host_sends(c, 1, 0);
		packets++;
		assert_true(packets * (100 + 1) <= GUEST_BUFFER);
	}
	assert_int_equal(packets, 19);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_CREDIT_REQUEST);
	/*
	 * One packet is still at the guest. But tx_packets may be higher, because packets are
	 * counted in groups.
	 */
	assert_int_equal(guest_forwards(&s, 18), VIRTIO_VSOCK_GOT_CREDIT);
	assert_in_range(c->tx_packets, 1, 8);
	assert_int_equal(guest_forwards(&s, 19), 0);
	assert_int_equal(c->tx_packets, 0);
	assert_int_equal(host_may_send(&s, c), GUEST_BUFFER - 100);
	/* A buffer smaller than the overhead accepts one packet at a time. */
	s.buf_alloc = 50;
	(void)guest_forwards(&s, 19);
	assert_int_equal(host_may_send(&s, c), 50);
	host_sends(c, 10, 0);
	assert_int_equal(host_may_send(&s, c), 0);
	assert_int_equal(guest_forwards(&s, 29), VIRTIO_VSOCK_GOT_CREDIT);
	assert_int_equal(host_may_send(&s, c), 50);
}

/*
 * With packets of any sizes, tx_packets is at least the number of packets that the guest may still
 * hold. After the guest has forwarded everything, tx_packets is 0.
 */
static void credit_marks_never_count_too_few_packets(void **state)
{
	struct virtio_vsock_connection *c;
	uint32_t ends[64], sent = 0, state_of = 1;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	s.buf_alloc = 1000000;
	c = sockets_establish(&s);
	for (uint32_t round = 0; round < 200; round++) {
		uint32_t count = 1 + round % 64, first = c->tx_cnt, fwd;

		for (uint32_t i = 0; i < count; i++) {
			state_of = state_of * 1103515245u + 12345u;
			sent = 1 + (state_of >> 16) % 50;
			host_sends(c, sent, 0);
			ends[i] = c->tx_cnt;
		}
		for (fwd = first; fwd != c->tx_cnt + 1; fwd++) {
			uint32_t left = 0;

			(void)guest_forwards(&s, fwd);
			for (uint32_t i = 0; i < count; i++)
				left += ends[i] - first > fwd - first;
			assert_true(c->tx_packets >= left);
			assert_true(c->tx_packets <= count);
		}
		assert_int_equal(c->tx_packets, 0);
	}
}

/*
 * A guest forwards whole messages. Although packets are counted in groups, the packets of forwarded
 * messages no longer use credit.
 */
static void credit_of_a_message_is_not_used_by_those_before(void **state)
{
	struct virtio_vsock_options options = default_options;
	struct virtio_vsock_connection *c;
	struct sockets s;

	(void)state;
	options.packet_overhead = 100;
	for (uint32_t first = 1; first < 18; first++) {
		sockets_setup(&s, &options);
		s.type = SEQPACKET;
		c = sockets_establish(&s);
		for (uint32_t i = 1; i <= 18; i++)
			host_sends(c, 1, i == first ? VIRTIO_VSOCK_SEQ_EOM : 0);
		(void)guest_forwards(&s, first);
		assert_int_equal(c->tx_packets, 18 - first);
		(void)guest_forwards(&s, 18);
		assert_int_equal(c->tx_packets, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credit_is_the_guest_s_buffer_less_what_is_on_its_way),
		cmocka_unit_test(credit_piece_is_the_least_of_left_room_and_credit),
		cmocka_unit_test(credit_never_underflows),
		cmocka_unit_test(credit_counts_modulo_2_to_the_32),
		cmocka_unit_test(credit_is_kept_for_each_connection),
		cmocka_unit_test(credit_of_no_buffer_sends_nothing),
		cmocka_unit_test(credit_is_asked_for_at_intervals),
		cmocka_unit_test(data_beyond_our_buffer_resets),
		cmocka_unit_test(credit_update_comes_at_any_ratio),
		cmocka_unit_test(credit_update_comes_while_nothing_is_forwarded),
		cmocka_unit_test(credit_update_is_carried_by_other_packets),
		cmocka_unit_test(forwarded_refuses_more_than_there_is),
		cmocka_unit_test(set_buffer_grows_and_tells_the_guest),
		cmocka_unit_test(credit_counts_the_overhead_of_packets),
		cmocka_unit_test(credit_of_a_message_is_not_used_by_those_before),
		cmocka_unit_test(credit_marks_never_count_too_few_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
