/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The fixture of the tests of socket connections: a device, a table of 8 connections, and a guest
 * that sends packets.
 */
#ifndef VIRTIO_TESTS_VSOCK_FIXTURE_H
#define VIRTIO_TESTS_VSOCK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <virtio/vsock_connection.h>

#define GUEST 3u
#define PLACES 8u
#define REPLIES 4u
#define BUFFER 1000u       /* bytes of our buffer */
#define GUEST_BUFFER 2000u /* bytes of the guest's buffer */
#define LOCAL_PORT 80u
#define GUEST_PORT 1234u
#define STREAM VIRTIO_VSOCK_TYPE_STREAM
#define SEQPACKET VIRTIO_VSOCK_TYPE_SEQPACKET
#define EOM ((uint32_t)VIRTIO_VSOCK_SEQ_EOM)
#define EOR ((uint32_t)VIRTIO_VSOCK_SEQ_EOR)
#define RCV ((uint32_t)VIRTIO_VSOCK_SHUTDOWN_RCV)
#define SEND ((uint32_t)VIRTIO_VSOCK_SHUTDOWN_SEND)
#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

struct sockets {
	struct virtio_vsock vsock;
	struct virtio_vsock_options options;
	struct virtio_vsock_table table;
	struct virtio_vsock_connection connections[PLACES];
	struct virtio_vsock_connection *buckets[PLACES];
	struct virtio_vsock_hdr replies[REPLIES];
	struct virtio_vsock_received got; /* result of the guest's last packet */
	uint64_t now;
	/* Header fields of the guest's next packet. */
	uint16_t type;
	uint32_t flags, buf_alloc, fwd_cnt;
};

static const struct virtio_vsock_options default_options = {
	.buf_alloc = BUFFER,
	.max_packets = 100,
	.max_payload = 500,
	.connect_timeout = 20,
	.close_timeout = 80,
	.credit_retry = 5,
	.first_port = 1000,
	.last_port = 1003,
};

static inline struct virtio_vsock_table_storage sockets_storage(struct sockets *s)
{
	return (struct virtio_vsock_table_storage){ s->connections, PLACES, s->buckets, PLACES, s->replies, REPLIES };
}

static inline void sockets_setup(struct sockets *s, const struct virtio_vsock_options *options)
{
	const uint64_t seed[2] = { 1, 2 };
	struct virtio_vsock_table_storage storage;

	memset(s, 0xcc, sizeof *s);
	storage = sockets_storage(s);
	assert_int_equal(virtio_vsock_init(&s->vsock, GUEST, true), 0);
	assert_int_equal(virtio_vsock_negotiate(&s->vsock, virtio_vsock_offered(&s->vsock)), 0);
	s->options = *options;
	assert_int_equal(virtio_vsock_table_init(&s->table, &s->vsock, options, &storage, seed), 0);
	s->now = 1000;
	s->type = STREAM;
	s->flags = 0;
	s->buf_alloc = GUEST_BUFFER;
	s->fwd_cnt = 0;
}

static inline struct virtio_vsock_hdr guest_header(const struct sockets *s, uint32_t from, uint32_t to, uint16_t op,
						   uint32_t len)
{
	struct virtio_vsock_hdr h = { 0 };

	virtio_vsock_set_src_cid(&h, GUEST);
	virtio_vsock_set_dst_cid(&h, VIRTIO_VSOCK_CID_HOST);
	virtio_vsock_set_src_port(&h, from);
	virtio_vsock_set_dst_port(&h, to);
	virtio_vsock_set_len(&h, len);
	virtio_vsock_set_type(&h, s->type);
	virtio_vsock_set_op(&h, op);
	virtio_vsock_set_flags(&h, s->flags);
	virtio_vsock_set_buf_alloc(&h, s->buf_alloc);
	virtio_vsock_set_fwd_cnt(&h, s->fwd_cnt);
	return h;
}

/*
 * Sends a packet of the guest from one port to another. Returns flags VIRTIO_VSOCK_GOT_..., which
 * tell the caller what to do.
 */
static inline uint32_t guest_sends_from(struct sockets *s, uint32_t from, uint32_t to, uint16_t op, uint32_t len)
{
	const struct virtio_vsock_hdr h = guest_header(s, from, to, op, len);

	memset(&s->got, 0xcc, sizeof s->got);
	assert_int_equal(virtio_vsock_table_receive(&s->table, &h, 0, s->now, &s->got), 0);
	if (s->got.got == 0)
		assert_null(s->got.connection);
	return s->got.got;
}

static inline uint32_t guest_sends(struct sockets *s, uint16_t op, uint32_t len)
{
	return guest_sends_from(s, GUEST_PORT, LOCAL_PORT, op, len);
}

static inline uint32_t guest_shuts(struct sockets *s, uint32_t flags)
{
	uint32_t got;

	s->flags = flags;
	got = guest_sends(s, VIRTIO_VSOCK_OP_SHUTDOWN, 0);
	s->flags = 0;
	return got;
}

/* Sends the next pending packet. Returns its op, or 0 if there is none. */
static inline uint16_t pending_packet(struct sockets *s, struct virtio_vsock_hdr *out)
{
	const bool pending = virtio_vsock_table_pending(&s->table);
	int got;

	memset(out, 0xcc, sizeof *out);
	got = virtio_vsock_table_next(&s->table, out);
	assert_int_equal(got, pending);
	if (got == 0)
		return 0;
	assert_int_equal(virtio_vsock_len(out), 0);
	assert_int_equal(virtio_vsock_dst_cid(out), GUEST);
	return virtio_vsock_op(out);
}

static inline uint16_t pending_op(struct sockets *s)
{
	struct virtio_vsock_hdr h;

	return pending_packet(s, &h);
}

/* Makes an established connection from the guest, with no pending packet. */
static inline struct virtio_vsock_connection *sockets_establish(struct sockets *s)
{
	assert_int_equal(guest_sends(s, VIRTIO_VSOCK_OP_REQUEST, 0), VIRTIO_VSOCK_GOT_REQUEST);
	assert_int_equal(virtio_vsock_connection_accept(s->got.connection), 0);
	assert_int_equal(pending_op(s), VIRTIO_VSOCK_OP_RESPONSE);
	assert_int_equal(pending_op(s), 0);
	return s->got.connection;
}

static inline struct virtio_vsock_connection *sockets_find(const struct sockets *s)
{
	const struct virtio_vsock_address address = { VIRTIO_VSOCK_CID_HOST, LOCAL_PORT, GUEST, GUEST_PORT };

	return virtio_vsock_table_find(&s->table, &address);
}

/* Sends data of the host, which the credit must permit. */
static inline void host_sends(struct virtio_vsock_connection *c, uint32_t bytes, uint32_t marks)
{
	const struct virtio_vsock_piece piece = { bytes, marks };
	struct virtio_vsock_hdr h;

	assert_int_equal(virtio_vsock_connection_send(c, &piece, &h), 0);
	assert_int_equal(virtio_vsock_op(&h), VIRTIO_VSOCK_OP_RW);
	assert_int_equal(virtio_vsock_len(&h), bytes);
	assert_int_equal(virtio_vsock_flags(&h), marks);
	assert_int_equal(virtio_vsock_fwd_cnt(&h), c->fwd_cnt);
	assert_int_equal(virtio_vsock_buf_alloc(&h), c->buf_alloc);
}

/* Returns the number of bytes of a stream that may be sent now. */
static inline uint32_t host_may_send(struct sockets *s, struct virtio_vsock_connection *c)
{
	struct virtio_vsock_piece piece = { 0, 0 };
	const int got = virtio_vsock_connection_piece(c, UINT32_MAX, 0, UINT32_MAX, s->now, &piece);

	assert_in_range(got, 0, 1);
	return piece.bytes;
}

#endif
