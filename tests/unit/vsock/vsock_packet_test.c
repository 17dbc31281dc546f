/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Headers, and packets from the transmit queue and from the caller's buffers. */
#include "vsock_packet_fixture.h"

static void payload_is(const struct virtio_vsock_packet *packet, const uint8_t *bytes, uint32_t len)
{
	struct virtio_reader reader;
	uint8_t got[512];

	assert_int_equal(packet->data.readable_bytes, len);
	assert_int_equal(packet->data.writable_bytes, 0);
	assert_int_equal(packet->data.writable, 0);
	assert_int_equal(virtio_segments_bytes(packet->data.segments, packet->data.readable), len);
	virtio_reader_init(&reader, &packet->data);
	assert_int_equal(virtio_reader_read(&reader, got, sizeof got), len);
	assert_memory_equal(got, bytes, len);
}

static void packet_has_nothing(const struct virtio_vsock_packet *packet, int error)
{
	assert_int_equal(packet->error, error);
	assert_int_equal(packet->data.readable, 0);
	assert_int_equal(packet->data.writable, 0);
	assert_int_equal(packet->data.readable_bytes, 0);
	assert_int_equal(packet->data.writable_bytes, 0);
}

static void header_fields_are_little_endian_at_their_offsets(void **state)
{
	static const uint8_t raw[HEADER] = { 1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
					     16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
					     31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44 };
	struct virtio_vsock_hdr h, copy = { 0 };
	uint8_t back[HEADER];

	(void)state;
	virtio_vsock_header_from_raw(&h, raw);
	assert_int_equal(virtio_vsock_src_cid(&h), UINT64_C(0x0807060504030201));
	assert_int_equal(virtio_vsock_dst_cid(&h), UINT64_C(0x100f0e0d0c0b0a09));
	assert_int_equal(virtio_vsock_src_port(&h), 0x14131211);
	assert_int_equal(virtio_vsock_dst_port(&h), 0x18171615);
	assert_int_equal(virtio_vsock_len(&h), 0x1c1b1a19);
	assert_int_equal(virtio_vsock_type(&h), 0x1e1d);
	assert_int_equal(virtio_vsock_op(&h), 0x201f);
	assert_int_equal(virtio_vsock_flags(&h), 0x24232221);
	assert_int_equal(virtio_vsock_buf_alloc(&h), 0x28272625);
	assert_int_equal(virtio_vsock_fwd_cnt(&h), 0x2c2b2a29);
	virtio_vsock_set_src_cid(&copy, virtio_vsock_src_cid(&h));
	virtio_vsock_set_dst_cid(&copy, virtio_vsock_dst_cid(&h));
	virtio_vsock_set_src_port(&copy, virtio_vsock_src_port(&h));
	virtio_vsock_set_dst_port(&copy, virtio_vsock_dst_port(&h));
	virtio_vsock_set_len(&copy, virtio_vsock_len(&h));
	virtio_vsock_set_type(&copy, virtio_vsock_type(&h));
	virtio_vsock_set_op(&copy, virtio_vsock_op(&h));
	virtio_vsock_set_flags(&copy, virtio_vsock_flags(&h));
	virtio_vsock_set_buf_alloc(&copy, virtio_vsock_buf_alloc(&h));
	virtio_vsock_set_fwd_cnt(&copy, virtio_vsock_fwd_cnt(&h));
	virtio_vsock_header_to_raw(&copy, back);
	assert_memory_equal(back, raw, HEADER);
}

static void header_flags_have_names_for_their_op_alone(void **state)
{
	struct virtio_vsock_hdr h = { 0 };

	(void)state;
	for (uint16_t op = 0; op < 10; op++) {
		for (uint32_t flags = 0; flags < 8; flags++) {
			const bool shutdown = op == VIRTIO_VSOCK_OP_SHUTDOWN, rw = op == VIRTIO_VSOCK_OP_RW;

			virtio_vsock_set_op(&h, op);
			virtio_vsock_set_flags(&h, flags | 0x80000000u);
			assert_int_equal(virtio_vsock_shuts_receive(&h), shutdown && (flags & 1));
			assert_int_equal(virtio_vsock_shuts_send(&h), shutdown && (flags & 2));
			assert_int_equal(virtio_vsock_ends_message(&h), rw && (flags & 1));
			assert_int_equal(virtio_vsock_ends_record(&h), rw && (flags & 2));
		}
	}
}

/* Hostile 164: an RST is never answered. */
static void reset_reply_swaps_addresses_and_spares_rst(void **state)
{
	struct virtio_vsock_hdr in = packets_header(77), out, before;

	(void)state;
	virtio_vsock_set_type(&in, 0x1234);
	assert_int_equal(virtio_vsock_reset_reply(&in, &out), 1);
	assert_int_equal(virtio_vsock_src_cid(&out), 2);
	assert_int_equal(virtio_vsock_dst_cid(&out), 3);
	assert_int_equal(virtio_vsock_src_port(&out), 0x05060708);
	assert_int_equal(virtio_vsock_dst_port(&out), 0x01020304);
	assert_int_equal(virtio_vsock_type(&out), 0x1234);
	assert_int_equal(virtio_vsock_op(&out), VIRTIO_VSOCK_OP_RST);
	assert_int_equal(virtio_vsock_len(&out), 0);
	assert_int_equal(virtio_vsock_flags(&out), 0);
	assert_int_equal(virtio_vsock_buf_alloc(&out), 0);
	assert_int_equal(virtio_vsock_fwd_cnt(&out), 0);
	before = out;
	assert_int_equal(virtio_vsock_reset_reply(&out, &out), 0);
	assert_memory_equal(&out, &before, sizeof out);
	assert_int_equal(virtio_vsock_reset_reply(&in, &in), 1);
	assert_memory_equal(&in, &before, sizeof in);
}

static void packet_init_refuses_no_array(void **state)
{
	struct virtio_segment segments[1];
	struct virtio_vsock_packet packet, before;

	(void)state;
	memset(&packet, 0x5a, sizeof packet);
	memcpy(&before, &packet, sizeof packet);
	assert_int_equal(virtio_vsock_packet_init(&packet, NULL, 1, 1), VIRTIO_EINVAL);
	assert_int_equal(virtio_vsock_packet_init(&packet, segments, 0, 1), VIRTIO_EINVAL);
	assert_memory_equal(&packet, &before, sizeof packet);
	assert_int_equal(virtio_vsock_packet_init(&packet, segments, 1, 0), 0);
}

/*
 * Hostile 149, 150; regressions R35 and R36: the packet is the same in any layout, over any number
 * of regions.
 */
static void tx_pop_finds_the_same_packet_in_any_layout(void **state)
{
	struct packets p;

	for (uint32_t i = 0; i < 2 * LAYOUTS; i++) {
		struct virtio_vsock_hdr h = packets_header(100);

		packets_setup(&p, fixture_kind(state));
		p.unseen = i >= LAYOUTS;
		assert_int_equal(packets_offer(&p, packets_layouts[i % LAYOUTS], 100, 0), 144);
		fixture_save(&p.f);
		assert_int_equal(virtio_vsock_tx_pop(&p.f.queue, &p.packet), 1);
		assert_int_equal(p.packet.error, 0);
		assert_memory_equal(&p.packet.header, &h, HEADER);
		payload_is(&p.packet, p.bytes + HEADER, 100);
		assert_int_equal(virtio_vsock_complete(&p.f.queue, &p.packet), 0);
		assert_int_equal(packets_used(&p), 0);
		assert_int_equal(virtio_vsock_tx_pop(&p.f.queue, &p.packet), 0);
	}
}

/* Drivers with INDIRECT_DESC send packets of two buffers through an indirect table. */
static void pops_find_packets_behind_indirect_tables(void **state)
{
	static const uint32_t layouts[][4] = { { 144 }, { 44, 100 }, { 44, 50, 50 }, { 40, 104 } };
	struct packets p;

	for (uint32_t i = 0; i < 2 * COUNT(layouts); i++) {
		const uint32_t *layout = layouts[i / 2];
		uint32_t count = 0;

		packets_setup(&p, fixture_kind(state));
		(void)packets_offer(&p, layout, 100, i % 2 ? VRING_DESC_F_WRITE : 0);
		assert_int_equal(i % 2 ? virtio_vsock_rx_pop(&p.f.queue, &p.packet)
				       : virtio_vsock_tx_pop(&p.f.queue, &p.packet),
				 1);
		assert_int_equal(virtio_vsock_complete(&p.f.queue, &p.packet), 0);
		while (layout[count] != 0)
			count++;
		/* In the second round, the cursor for tables has a cached region. */
		for (uint32_t round = 0; round < 2; round++) {
			fixture_offer_table(&p.f, 0, VRING_DESC_F_INDIRECT, p.buffers, count);
			assert_int_equal(virtio_queue_available(&p.f.queue), 1);
			assert_int_equal(i % 2 ? virtio_vsock_rx_pop(&p.f.queue, &p.packet)
					       : virtio_vsock_tx_pop(&p.f.queue, &p.packet),
					 1);
			assert_int_equal(p.packet.error, 0);
			if (i % 2)
				assert_int_equal(p.packet.data.writable_bytes, 100);
			else
				payload_is(&p.packet, p.bytes + HEADER, 100);
			assert_int_equal(virtio_vsock_complete(&p.f.queue, &p.packet), 0);
		}
	}
}

static void tx_pop_shows_the_payload_as_an_io_vector(void **state)
{
	static const uint32_t lengths[] = { 50, 30, 64, 0 };
	struct virtio_iovec iov[8];
	struct virtio_reader reader;
	struct packets p;
	uint64_t filled;

	(void)state;
	packets_setup(&p, FIXTURE_FLAT);
	(void)packets_offer(&p, lengths, 100, 0);
	assert_int_equal(virtio_vsock_tx_pop(&p.f.queue, &p.packet), 1);
	virtio_reader_init(&reader, &p.packet.data);
	assert_int_equal(virtio_reader_iovec(&reader, UINT64_MAX, iov, 8, &filled), 3);
	assert_int_equal(filled, 100);
	assert_ptr_equal(iov[0].base, p.f.ram + (FIXTURE_DATA - FIXTURE_BASE) + 44);
	assert_int_equal(iov[0].len, 6);
	assert_int_equal(iov[1].len, 30);
	assert_int_equal(iov[2].len, 64);
}

/*
 * Hostile 152, 185; regression R32: the payload has len bytes, also if the buffers are longer.
 */
static void tx_pop_accepts_no_more_than_len_says(void **state)
{
	static const uint32_t layouts[][4] = { { 300 }, { 44, 256 }, { 50, 100, 150 } };
	struct packets p;

	for (uint32_t i = 0; i < COUNT(layouts); i++) {
		for (uint32_t len = 0; len <= 120; len += len == 6 ? 1 : 3) {
			packets_setup(&p, fixture_kind(state));
			(void)packets_offer(&p, layouts[i], len, 0);
			assert_int_equal(virtio_vsock_tx_pop(&p.f.queue, &p.packet), 1);
			assert_int_equal(p.packet.error, 0);
			payload_is(&p.packet, p.bytes + HEADER, len);
		}
	}
}

/*
 * Hostile 151: a packet whose payload has fewer bytes than len gets an error. The header is copied,
 * so the connection is known.
 */
static void tx_pop_refuses_len_past_the_bytes_present(void **state)
{
	static const uint32_t layouts[][4] = { { 144 }, { 44, 100 }, { 50, 60, 34 }, { 44 } };
	static const uint32_t present[] = { 100, 100, 100, 0 };
	struct packets p;

	for (uint32_t i = 0; i < COUNT(layouts); i++) {
		packets_setup(&p, fixture_kind(state));
		(void)packets_offer(&p, layouts[i], present[i] + 1, 0);
		assert_int_equal(virtio_vsock_tx_pop(&p.f.queue, &p.packet), 1);
		packet_has_nothing(&p.packet, VIRTIO_ESHORT);
		assert_int_equal(virtio_vsock_src_port(&p.packet.header), 0x01020304);
		assert_int_equal(virtio_vsock_complete(&p.f.queue, &p.packet), 0);
		assert_int_equal(packets_used(&p), 0);
	}
}

/*
 * Hostile 153, 188; regression R33: a packet whose len is above the stated maximum is refused,
 * whether or not the bytes are present.
 */
static void tx_pop_refuses_len_above_the_maximum(void **state)
{
	static const uint32_t lengths[] = { 44, 256, 0 };
	static const uint32_t lens[] = { MAX_PAYLOAD + 1, 65536, UINT32_MAX - 43, UINT32_MAX };
	struct packets p;

	for (uint32_t i = 0; i < COUNT(lens); i++) {
		packets_setup(&p, fixture_kind(state));
		(void)packets_offer(&p, lengths, lens[i], 0);
		assert_int_equal(virtio_vsock_tx_pop(&p.f.queue, &p.packet), 1);
		packet_has_nothing(&p.packet, VIRTIO_EBYTES);
		assert_int_equal(virtio_vsock_len(&p.packet.header), lens[i]);
	}
	packets_setup(&p, fixture_kind(state));
	(void)packets_offer(&p, lengths, MAX_PAYLOAD, 0);
	assert_int_equal(virtio_vsock_tx_pop(&p.f.queue, &p.packet), 1);
	payload_is(&p.packet, p.bytes + HEADER, MAX_PAYLOAD);
}

/* Hostile 154: a write of the guest after the pop does not change the packet's header. */
static void tx_pop_keeps_a_private_header(void **state)
{
	static const uint32_t lengths[] = { 44, 100, 0 };
	struct virtio_vsock_hdr h = packets_header(100);
	struct packets p;
	uint8_t other[HEADER];

	packets_setup(&p, fixture_kind(state));
	(void)packets_offer(&p, lengths, 100, 0);
	assert_int_equal(virtio_vsock_tx_pop(&p.f.queue, &p.packet), 1);
	memset(other, 0xff, sizeof other);
	fixture_write(&p.f, FIXTURE_DATA, other, sizeof other);
	assert_memory_equal(&p.packet.header, &h, HEADER);
	assert_int_equal(p.packet.data.readable_bytes, 100);
}

static void tx_pop_refuses_less_than_a_header(void **state)
{
	static const uint32_t layouts[][3] = { { 43 }, { 1 }, { 20, 23 } };
	const struct virtio_vsock_hdr zero = { 0 };
	struct packets p;

	for (uint32_t i = 0; i < COUNT(layouts); i++) {
		packets_setup(&p, fixture_kind(state));
		memset(&p.packet.header, 0x55, sizeof p.packet.header);
		(void)packets_offer(&p, layouts[i], 0, 0);
		assert_int_equal(virtio_vsock_tx_pop(&p.f.queue, &p.packet), 1);
		packet_has_nothing(&p.packet, VIRTIO_ESHORT);
		assert_memory_equal(&p.packet.header, &zero, sizeof zero);
	}
}

/* Hostile 158: a writable buffer in the transmit queue is an error. */
static void tx_pop_refuses_writable_buffers(void **state)
{
	const struct virtio_mock_buffer mixed[] = { READABLE(FIXTURE_DATA, 44), WRITABLE(FIXTURE_DATA + 64, 16) };
	const struct virtio_mock_buffer writable[] = { WRITABLE(FIXTURE_DATA, 200) };
	struct packets p;

	packets_setup(&p, fixture_kind(state));
	fixture_offer_chain(&p.f, 0, mixed, 2);
	assert_int_equal(virtio_queue_available(&p.f.queue), 1);
	assert_int_equal(virtio_vsock_tx_pop(&p.f.queue, &p.packet), 1);
	packet_has_nothing(&p.packet, VIRTIO_EORDER);
	assert_int_equal(virtio_vsock_complete(&p.f.queue, &p.packet), 0);
	fixture_offer_chain(&p.f, 0, writable, 1);
	assert_int_equal(virtio_queue_available(&p.f.queue), 1);
	fixture_save(&p.f);
	assert_int_equal(virtio_vsock_tx_pop(&p.f.queue, &p.packet), 1);
	packet_has_nothing(&p.packet, VIRTIO_ESHORT);
	assert_true(fixture_ram_unchanged(&p.f));
}

static void tx_pop_reports_bad_chains(void **state)
{
	const struct virtio_mock_buffer outside[] = { READABLE(FIXTURE_DATA, 44), READABLE(0x100000, 16) };
	const struct virtio_mock_buffer wraps[] = { READABLE(FIXTURE_DATA, 44), READABLE(UINT64_MAX - 3, 16) };
	const struct virtio_vsock_hdr h = packets_header(16);
	struct packets p;

	packets_setup(&p, fixture_kind(state));
	fixture_write(&p.f, FIXTURE_DATA, &h, sizeof h);
	fixture_offer_chain(&p.f, 0, outside, 2);
	assert_int_equal(virtio_queue_available(&p.f.queue), 1);
	assert_int_equal(virtio_vsock_tx_pop(&p.f.queue, &p.packet), 1);
	packet_has_nothing(&p.packet, VIRTIO_EFAULT);
	/* The part before the bad buffer has the header of the lost packet. */
	assert_memory_equal(&p.packet.header, &h, HEADER);
	assert_int_equal(virtio_vsock_complete(&p.f.queue, &p.packet), 0);
	fixture_offer_chain(&p.f, 4, wraps, 2);
	assert_int_equal(virtio_vsock_tx_pop(&p.f.queue, &p.packet), 1);
	packet_has_nothing(&p.packet, VIRTIO_EFAULT);
	assert_int_equal(virtio_vsock_complete(&p.f.queue, &p.packet), 0);
	/* The next descriptor is outside the table. */
	assert_int_equal(
		virtio_mock_set_desc(&p.f.mock, 0,
				     &(struct vring_desc){
					     .addr = FIXTURE_DATA, .len = 44, .flags = VRING_DESC_F_NEXT, .next = 99 }),
		0);
	fixture_offer_head(&p.f, 0);
	assert_int_equal(virtio_queue_available(&p.f.queue), 1);
	assert_int_equal(virtio_vsock_tx_pop(&p.f.queue, &p.packet), 1);
	packet_has_nothing(&p.packet, VIRTIO_ENEXT);
}

static void tx_pop_reports_an_array_that_is_too_small(void **state)
{
	static const uint32_t lengths[] = { 44, 10, 10, 0 };
	struct virtio_segment two[2];
	struct virtio_vsock_packet packet;
	struct packets p;

	(void)state;
	packets_setup(&p, FIXTURE_FLAT);
	assert_int_equal(virtio_vsock_packet_init(&packet, two, 2, MAX_PAYLOAD), 0);
	(void)packets_offer(&p, lengths, 20, 0);
	assert_int_equal(virtio_vsock_tx_pop(&p.f.queue, &packet), 1);
	packet_has_nothing(&packet, VIRTIO_ENOBUFS);
	assert_int_equal(virtio_vsock_src_cid(&packet.header), 3);
}

static void pops_return_errors_of_the_queue(void **state)
{
	struct virtio_vsock_packet before;
	struct packets p;

	(void)state;
	packets_setup(&p, FIXTURE_FLAT);
	memcpy(&before, &p.packet, sizeof before);
	fixture_offer_head(&p.f, 99);
	assert_int_equal(virtio_vsock_tx_pop(&p.f.queue, &p.packet), VIRTIO_EHEAD);
	assert_int_equal(virtio_vsock_rx_pop(&p.f.queue, &p.packet), VIRTIO_EBROKEN);
	virtio_queue_reset(&p.f.queue);
	assert_int_equal(virtio_vsock_tx_pop(&p.f.queue, &p.packet), VIRTIO_ENOTREADY);
	assert_int_equal(virtio_vsock_rx_pop(&p.f.queue, &p.packet), VIRTIO_ENOTREADY);
	assert_memory_equal(&p.packet, &before, sizeof before);
}

/*
 * The vIOMMU does not know an address yet. Nothing is consumed, and the same packet is popped
 * later.
 */
static void pops_are_retried_when_memory_is_not_mapped(void **state)
{
	static const uint32_t lengths[] = { 44, 100, 0 };
	struct virtio_vsock_packet before;
	struct packets p;

	(void)state;
	for (int tx = 0; tx < 2; tx++) {
		packets_setup(&p, FIXTURE_CHANGING);
		p.f.rewriting = false;
		(void)packets_offer(&p, lengths, 100, tx ? 0 : VRING_DESC_F_WRITE);
		p.f.bad_start = FIXTURE_DATA + 60;
		p.f.bad_end = FIXTURE_DATA + 80;
		p.f.bad_error = VIRTIO_ENOTMAPPED;
		memcpy(&before, &p.packet, sizeof before);
		assert_int_equal(tx ? virtio_vsock_tx_pop(&p.f.queue, &p.packet)
				    : virtio_vsock_rx_pop(&p.f.queue, &p.packet),
				 VIRTIO_ENOTMAPPED);
		assert_memory_equal(&p.packet, &before, sizeof before);
		assert_int_equal(virtio_queue_in_flight(&p.f.queue), 0);
		p.f.bad_error = 0;
		assert_int_equal(tx ? virtio_vsock_tx_pop(&p.f.queue, &p.packet)
				    : virtio_vsock_rx_pop(&p.f.queue, &p.packet),
				 1);
		assert_int_equal(p.packet.error, 0);
	}
}

static void packet_from_buffers_follows_the_rules_of_the_queue(void **state)
{
	struct virtio_vsock_hdr h = packets_header(5);
	uint8_t raw[HEADER + 1], a[3] = { 1, 2, 3 }, b[4] = { 4, 5, 6, 7 };
	const struct virtio_iovec payload[] = { { a, 3 }, { NULL, 0 }, { b, 4 } };
	struct virtio_segment segments[2];
	struct virtio_vsock_packet packet;

	(void)state;
	virtio_vsock_header_to_raw(&h, raw + 1);
	assert_int_equal(virtio_vsock_packet_init(&packet, segments, 2, 5), 0);
	assert_int_equal(virtio_vsock_packet_from_buffers(&packet, raw + 1, payload, 3), 0);
	assert_memory_equal(&packet.header, &h, HEADER);
	payload_is(&packet, (const uint8_t *)"\1\2\3\4\5", 5);
	/* Without buffers the payload is empty. If len is more than 0, the packet is refused. */
	virtio_vsock_set_len(&h, 0);
	assert_int_equal(virtio_vsock_packet_from_buffers(&packet, &h, NULL, 0), 0);
	payload_is(&packet, a, 0);
	virtio_vsock_set_len(&h, 1);
	assert_int_equal(virtio_vsock_packet_from_buffers(&packet, &h, NULL, 0), VIRTIO_ESHORT);
	packet_has_nothing(&packet, VIRTIO_ESHORT);
	virtio_vsock_set_len(&h, 6);
	assert_int_equal(virtio_vsock_packet_from_buffers(&packet, &h, payload, 3), VIRTIO_EBYTES);
	packet_has_nothing(&packet, VIRTIO_EBYTES);
	assert_int_equal(virtio_vsock_packet_init(&packet, segments, 1, 5), 0);
	virtio_vsock_set_len(&h, 5);
	assert_int_equal(virtio_vsock_packet_from_buffers(&packet, &h, payload, 3), VIRTIO_ENOBUFS);
	packet_has_nothing(&packet, VIRTIO_ENOBUFS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_fields_are_little_endian_at_their_offsets),
		cmocka_unit_test(header_flags_have_names_for_their_op_alone),
		cmocka_unit_test(reset_reply_swaps_addresses_and_spares_rst),
		cmocka_unit_test(packet_init_refuses_no_array),
		FIXTURE_ON_ALL(tx_pop_finds_the_same_packet_in_any_layout),
		FIXTURE_ON_ALL(pops_find_packets_behind_indirect_tables),
		cmocka_unit_test(tx_pop_shows_the_payload_as_an_io_vector),
		FIXTURE_ON_ALL(tx_pop_accepts_no_more_than_len_says),
		FIXTURE_ON_ALL(tx_pop_refuses_len_past_the_bytes_present),
		FIXTURE_ON_ALL(tx_pop_refuses_len_above_the_maximum),
		FIXTURE_ON_ALL(tx_pop_keeps_a_private_header),
		FIXTURE_ON_ALL(tx_pop_refuses_less_than_a_header),
		FIXTURE_ON_ALL(tx_pop_refuses_writable_buffers),
		FIXTURE_ON_ALL(tx_pop_reports_bad_chains),
		cmocka_unit_test(tx_pop_reports_an_array_that_is_too_small),
		cmocka_unit_test(pops_return_errors_of_the_queue),
		cmocka_unit_test(pops_are_retried_when_memory_is_not_mapped),
		cmocka_unit_test(packet_from_buffers_follows_the_rules_of_the_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
