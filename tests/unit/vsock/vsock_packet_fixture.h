/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The fixture of the tests of socket packets: a guest with a queue, and packets in buffers of any
 * lengths.
 */
#ifndef VIRTIO_TESTS_VSOCK_PACKET_FIXTURE_H
#define VIRTIO_TESTS_VSOCK_PACKET_FIXTURE_H

#include <virtio/reader.h>
#include <virtio/vsock.h>

#include "../common/fixture.h"

#define HEADER VIRTIO_VSOCK_HEADER_BYTES
#define SEGMENTS 1100u
#define PIECES 48u
#define MAX_PAYLOAD 200u

struct packets {
	struct fixture f;
	struct virtio_segment segments[SEGMENTS];
	struct virtio_vsock_packet packet;
	uint8_t bytes[512]; /* bytes of the packet that packets_offer() writes */
	/* If true, the available index is not read before the pop, so the pop reads the index. */
	bool unseen;
	struct virtio_mock_buffer buffers[PIECES];
};

static inline void packets_setup(struct packets *p, enum fixture_memory kind)
{
	fixture_init(&p->f, kind, 16);
	p->f.config.indirect = true;
	p->f.config.allow_long_indirect = true;
	fixture_start(&p->f);
	p->unseen = false;
	memset(&p->packet, 0xee, sizeof p->packet);
	assert_int_equal(virtio_vsock_packet_init(&p->packet, p->segments, SEGMENTS, MAX_PAYLOAD), 0);
	for (uint32_t i = 0; i < sizeof p->bytes; i++)
		p->bytes[i] = (uint8_t)(i * 7 + 1);
}

/* Returns a header in which all fields except len have different values. */
static inline struct virtio_vsock_hdr packets_header(uint32_t len)
{
	struct virtio_vsock_hdr h;

	memset(&h, 0, sizeof h);
	virtio_vsock_set_src_cid(&h, 3);
	virtio_vsock_set_dst_cid(&h, 2);
	virtio_vsock_set_src_port(&h, 0x01020304);
	virtio_vsock_set_dst_port(&h, 0x05060708);
	virtio_vsock_set_len(&h, len);
	virtio_vsock_set_type(&h, VIRTIO_VSOCK_TYPE_STREAM);
	virtio_vsock_set_op(&h, VIRTIO_VSOCK_OP_RW);
	virtio_vsock_set_flags(&h, 0x090a0b0c);
	virtio_vsock_set_buf_alloc(&h, 0x0d0e0f10);
	virtio_vsock_set_fwd_cnt(&h, 0x11121314);
	return h;
}

/*
 * Offers buffers of these lengths, 5 bytes apart. Readable buffers get a header and a payload. If
 * the queue has too few entries, the buffers go into an indirect table. A length of 0 ends the
 * list.
 */
static inline uint32_t packets_offer(struct packets *p, const uint32_t *lengths, uint32_t len, uint16_t flags)
{
	const struct virtio_vsock_hdr h = packets_header(len);
	uint64_t at = FIXTURE_DATA;
	uint32_t done = 0, count = 0;

	virtio_vsock_header_to_raw(&h, p->bytes);
	for (; lengths[count] != 0; count++) {
		p->buffers[count] = (struct virtio_mock_buffer){ at, lengths[count], flags };
		if (!(flags & VRING_DESC_F_WRITE))
			fixture_write(&p->f, at, p->bytes + done, lengths[count]);
		done += lengths[count];
		at += lengths[count] + 5;
	}
	assert_true(at <= FIXTURE_TABLE && done <= sizeof p->bytes);
	if (count > 16)
		fixture_offer_table(&p->f, 0, VRING_DESC_F_INDIRECT, p->buffers, count);
	else
		fixture_offer_chain(&p->f, 0, p->buffers, count);
	if (!p->unseen)
		assert_int_equal(virtio_queue_available(&p->f.queue), 1);
	return done;
}

/* Copies the bytes of the offered buffers, one buffer after the other. */
static inline void packets_read(struct packets *p, const uint32_t *lengths, uint8_t *out)
{
	for (uint32_t i = 0; lengths[i] != 0; i++) {
		fixture_read(&p->f, p->buffers[i].addr, out, lengths[i]);
		out += lengths[i];
	}
}

/* Returns the length in the last used element. The element must be of head 0. */
static inline uint32_t packets_used(struct packets *p)
{
	struct vring_used_elem e;

	assert_int_equal(
		virtio_mock_get_used_entry(&p->f.mock, (fixture_get(&p->f, VIRTIO_MOCK_USED_IDX) + 15u) % 16u, &e), 0);
	assert_int_equal(e.id, 0);
	return e.len;
}

#define ONES_11 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
/* Lengths of buffers for a header of 44 bytes and a payload of 100. */
static const uint32_t packets_layouts[][PIECES] = {
	{ 144 },
	{ 44, 100 },
	{ 44, 1, 99 },
	{ 1, 43, 100 },
	{ 43, 101 },
	{ 43, 1, 100 },
	{ 45, 99 },
	{ 20, 20, 3, 50, 1, 50 },
	{ ONES_11, ONES_11, ONES_11, ONES_11, 100 },
	{ ONES_11, ONES_11, ONES_11, ONES_11, 33, 67 },
};

#define LAYOUTS COUNT(packets_layouts)

#endif
