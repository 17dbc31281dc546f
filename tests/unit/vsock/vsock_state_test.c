/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Saved tables and connections: a restore gives the saved values, and impossible values are
 * refused.
 */
#include "vsock_fixture.h"

/* Saves a connection that has sent and received data, so that its counters are not 0. */
static void used_connection(struct sockets *s, struct virtio_vsock_connection_state *out)
{
	struct virtio_vsock_connection *c;

	sockets_setup(s, &default_options);
	c = sockets_establish(s);
	(void)guest_sends(s, VIRTIO_VSOCK_OP_RW, 300);
	(void)guest_sends(s, VIRTIO_VSOCK_OP_RW, 60);
	assert_int_equal(virtio_vsock_connection_forwarded(c, 310, 1, s->now), 0);
	host_sends(c, 70, 0);
	host_sends(c, 80, 0);
	s->fwd_cnt = 70;
	(void)guest_sends(s, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0);
	virtio_vsock_connection_save(c, out);
}

static void state_restores_what_was_saved(void **state)
{
	struct virtio_vsock_connection_state saved, again;
	struct virtio_vsock_connection *c;
	struct sockets s;

	(void)state;
	used_connection(&s, &saved);
	assert_int_equal(saved.rx_cnt, 360);
	assert_int_equal(saved.fwd_cnt, 310);
	assert_int_equal(saved.rx_packets, 1);
	assert_int_equal(saved.tx_cnt, 150);
	assert_int_equal(saved.peer_fwd_cnt, 70);
	assert_int_equal(saved.tx_packets, 1);
	sockets_setup(&s, &default_options);
	assert_int_equal(virtio_vsock_connection_restore(&s.table, &saved, s.now, &c), 0);
	virtio_vsock_connection_save(c, &again);
	assert_memory_equal(&again, &saved, sizeof saved);
	assert_ptr_equal(sockets_find(&s), c);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(pending_op(&s), 0);
	assert_int_equal(host_may_send(&s, c), GUEST_BUFFER - 80);
	s.fwd_cnt = 150;
	(void)guest_sends(&s, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0);
	assert_int_equal(c->tx_packets, 0);
	assert_int_equal(virtio_vsock_connection_forwarded(c, 50, 1, s.now), 0);
}

static void state_restores_deadlines_anew(void **state)
{
	struct virtio_vsock_connection_state saved;
	struct virtio_vsock_connection *c;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 5, s.now, &c), 0);
	virtio_vsock_connection_save(c, &saved);
	sockets_setup(&s, &default_options);
	assert_int_equal(virtio_vsock_connection_restore(&s.table, &saved, 5000, &c), 0);
	assert_int_equal(virtio_vsock_table_deadline(&s.table), 5020);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_REQUEST);
	sockets_setup(&s, &default_options);
	c = sockets_establish(&s);
	assert_int_equal(virtio_vsock_connection_shutdown(c, RCV | SEND, s.now), 0);
	virtio_vsock_connection_save(c, &saved);
	sockets_setup(&s, &default_options);
	assert_int_equal(virtio_vsock_connection_restore(&s.table, &saved, 5000, &c), 0);
	assert_int_equal(virtio_vsock_table_deadline(&s.table), 5080);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_SHUTDOWN);
	virtio_vsock_connection_reset(c);
	virtio_vsock_connection_save(c, &saved);
	sockets_setup(&s, &default_options);
	assert_int_equal(virtio_vsock_connection_restore(&s.table, &saved, 5000, &c), 0);
	assert_int_equal(virtio_vsock_table_deadline(&s.table), VIRTIO_VSOCK_NO_DEADLINE);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_RST);
	assert_int_equal(s.table.count, 0);
	/* The saved connection waits for credit. The restored connection asks for credit again. */
	c = sockets_establish(&s);
	host_sends(c, GUEST_BUFFER, 0);
	assert_int_equal(host_may_send(&s, c), 0);
	virtio_vsock_connection_save(c, &saved);
	sockets_setup(&s, &default_options);
	assert_int_equal(virtio_vsock_connection_restore(&s.table, &saved, s.now, &c), 0);
	assert_int_equal(pending_op(&s), 0);
	assert_int_equal(host_may_send(&s, c), 0);
	assert_int_equal(pending_op(&s), VIRTIO_VSOCK_OP_CREDIT_REQUEST);
}

/*
 * For an unfinished message, a restore keeps the counts of bytes and packets already sent. Earlier
 * messages that the guest has forwarded use no credit.
 */
static void state_restores_a_message_in_pieces(void **state)
{
	struct virtio_vsock_options options = default_options;
	struct virtio_vsock_connection_state saved;
	struct virtio_vsock_connection *c;
	struct sockets s;

	(void)state;
	options.packet_overhead = 100;
	sockets_setup(&s, &options);
	s.type = SEQPACKET;
	c = sockets_establish(&s);
	for (uint32_t i = 0; i < 10; i++)
		host_sends(c, 1, i == 6 ? EOM : 0);
	virtio_vsock_connection_save(c, &saved);
	assert_int_equal(saved.message_bytes, 3);
	assert_int_equal(saved.message_packets, 3);
	sockets_setup(&s, &options);
	s.type = SEQPACKET;
	assert_int_equal(virtio_vsock_connection_restore(&s.table, &saved, s.now, &c), 0);
	s.fwd_cnt = 7;
	(void)guest_sends(&s, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0);
	assert_int_equal(c->tx_packets, 3);
	host_sends(c, 1, EOM);
	virtio_vsock_connection_save(c, &saved);
	assert_int_equal(saved.message_bytes | saved.message_packets, 0);
	/* However long a message is, the count of its packets never wraps to 0. */
	c->message_packets = UINT32_MAX;
	host_sends(c, 1, 0);
	assert_int_equal(c->message_packets, UINT32_MAX);
	virtio_vsock_connection_save(c, &saved);
	sockets_setup(&s, &options);
	assert_int_equal(virtio_vsock_connection_restore(&s.table, &saved, s.now, &c), 0);
}

/* Changes one or two fields, which `i` selects, so that no connection can have all the values. */
static void change_counter(struct virtio_vsock_connection_state *s, uint32_t i)
{
	switch (i) {
	case 13:
		s->reserved = 1;
		break;
	case 14:
		s->pending |= VIRTIO_VSOCK_PENDING_RST;
		break;
	case 15:
		s->pending |= VIRTIO_VSOCK_PENDING_REQUEST;
		break;
	case 16:
		s->pending |= 128;
		break;
	case 17:
		s->pending |= VIRTIO_VSOCK_PENDING_SHUTDOWN;
		break;
	case 18:
		s->buf_alloc = BUFFER - 1;
		break;
	case 19:
		s->rx_cnt = s->fwd_cnt + BUFFER + 1;
		break;
	case 20:
		s->fwd_cnt = s->rx_cnt + 1;
		break;
	case 21:
		s->told_fwd_cnt = s->fwd_cnt + 1;
		break;
	case 22:
		s->rx_packets = 0;
		break;
	case 23:
		s->rx_packets = 101;
		break;
	case 24:
		s->tx_packets = 0;
		break;
	case 25:
		s->message_packets = 1;
		break;
	case 26:
		s->type = SEQPACKET;
		s->message_bytes = 1;
		break;
	default:
		s->state = VIRTIO_VSOCK_ACCEPTING;
		s->pending = 0;
		break;
	}
}

static void change(struct virtio_vsock_connection_state *s, uint32_t i)
{
	switch (i) {
	case 0:
		s->address.peer_cid++;
		break;
	case 1:
		s->address.local_cid = 1;
		break;
	case 2:
		s->address.local_cid = GUEST;
		break;
	case 3:
		s->state = VIRTIO_VSOCK_CLOSED;
		break;
	case 4:
		s->state = VIRTIO_VSOCK_RESET + 1;
		break;
	case 5:
		s->state = VIRTIO_VSOCK_CLOSING;
		break;
	case 6:
		s->state = VIRTIO_VSOCK_REQUESTED;
		break;
	case 7:
		s->state = VIRTIO_VSOCK_RESET;
		break;
	case 8:
		s->shut_by_us = 4;
		break;
	case 9:
		s->shut_by_peer = 0x80;
		break;
	case 10:
		s->shut_by_us = RCV | SEND;
		break;
	case 11:
		s->shut_by_peer = RCV | SEND;
		break;
	case 12:
		s->credit_bad = 2;
		break;
	default:
		change_counter(s, i);
		break;
	}
}

#define CHANGES 28u

static void state_refuses_what_no_connection_has(void **state)
{
	struct virtio_vsock_connection_state good, bad;
	struct virtio_vsock_connection *c = NULL;
	struct virtio_vsock_table before;
	struct sockets s;

	(void)state;
	used_connection(&s, &good);
	sockets_setup(&s, &default_options);
	memcpy(&before, &s.table, sizeof before);
	for (uint32_t i = 0; i < CHANGES; i++) {
		bad = good;
		change(&bad, i);
		if (virtio_vsock_connection_restore(&s.table, &bad, s.now, &c) != VIRTIO_EINVAL)
			fail_msg("the state with change %u was accepted", i);
	}
	bad = good;
	bad.type = 3;
	assert_int_equal(virtio_vsock_connection_restore(&s.table, &bad, s.now, &c), VIRTIO_ENOTSUP);
	assert_null(c);
	assert_memory_equal(&s.table, &before, sizeof before);
	assert_int_equal(virtio_vsock_connection_restore(&s.table, &good, s.now, &c), 0);
	bad = good;
	assert_int_equal(virtio_vsock_connection_restore(&s.table, &bad, s.now, &c), VIRTIO_EBUSY);
	for (uint32_t i = 1; i < PLACES; i++) {
		bad.address.peer_port = i;
		assert_int_equal(virtio_vsock_connection_restore(&s.table, &bad, s.now, &c), 0);
	}
	bad.address.peer_port = 99;
	assert_int_equal(virtio_vsock_connection_restore(&s.table, &bad, s.now, &c), VIRTIO_ENOBUFS);
}

/*
 * Hostile 227: the next local port is part of the state, so a port that the guest still uses is not
 * reused.
 */
static void state_keeps_the_next_local_port(void **state)
{
	struct virtio_vsock_table_state saved;
	struct virtio_vsock_connection *c;
	struct sockets s;

	(void)state;
	sockets_setup(&s, &default_options);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 5, s.now, &c), 0);
	virtio_vsock_table_save(&s.table, &saved);
	sockets_setup(&s, &default_options);
	assert_int_equal(virtio_vsock_table_restore(&s.table, &saved), 0);
	assert_int_equal(virtio_vsock_table_connect(&s.table, STREAM, 5, s.now, &c), 0);
	assert_int_equal(c->address.local_port, 1003);
	saved.next_port = 999;
	assert_int_equal(virtio_vsock_table_restore(&s.table, &saved), VIRTIO_EINVAL);
	saved.next_port = 1004;
	assert_int_equal(virtio_vsock_table_restore(&s.table, &saved), VIRTIO_EINVAL);
	assert_int_equal(s.table.next_port, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_restores_what_was_saved),
		cmocka_unit_test(state_restores_deadlines_anew),
		cmocka_unit_test(state_restores_a_message_in_pieces),
		cmocka_unit_test(state_refuses_what_no_connection_has),
		cmocka_unit_test(state_keeps_the_next_local_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
