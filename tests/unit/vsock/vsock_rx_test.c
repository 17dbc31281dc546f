/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Packets to the receive queue: room, commit, used length and dirty log. */
#define _GNU_SOURCE
#include "vsock_packet_fixture.h"
#include <sys/mman.h>

static void set_header(struct packets *p, uint32_t len)
{
	p->packet.header = packets_header(len);
}

/*
 * Hostile 149, 150, 157: the pop writes nothing. The header and the payload go into buffers of any
 * layout, no other byte of the buffers is written, and the used length is exact.
 */
static void rx_commit_fills_any_layout_and_nothing_else(void **state)
{
	struct packets p;
	uint8_t got[512], before[512];

	for (uint32_t i = 0; i < 2 * LAYOUTS; i++) {
		const uint32_t *layout = packets_layouts[i % LAYOUTS];

		for (uint32_t len = 0; len <= 100; len += 25) {
			struct virtio_writer writer;

			packets_setup(&p, fixture_kind(state));
			p.unseen = i >= LAYOUTS;
			assert_int_equal(packets_offer(&p, layout, len, VRING_DESC_F_WRITE), 144);
			packets_read(&p, layout, before);
			fixture_save(&p.f);
			/* The header is set before the pop, or after it. */
			if (i % 2)
				set_header(&p, len);
			assert_int_equal(virtio_vsock_rx_pop(&p.f.queue, &p.packet), 1);
			assert_int_equal(p.packet.error, 0);
			assert_int_equal(p.packet.data.writable_bytes, 100);
			assert_int_equal(p.packet.data.readable, 0);
			if (i % 2 == 0)
				set_header(&p, len);
			if (p.f.kind != FIXTURE_CHANGING)
				assert_true(fixture_ram_unchanged(&p.f));
			virtio_writer_init(&writer, &p.packet.data);
			assert_int_equal(virtio_writer_write(&writer, p.bytes + HEADER, len), len);
			assert_int_equal(virtio_vsock_rx_commit(&p.f.queue, &p.packet), 0);
			assert_int_equal(packets_used(&p), HEADER + len);
			packets_read(&p, layout, got);
			assert_memory_equal(got, p.bytes, HEADER + len);
			assert_memory_equal(got + HEADER + len, before + HEADER + len, 100 - len);
		}
	}
}

/* Hostile 155: a buffer of 44 bytes has room for a header alone. A smaller buffer is refused. */
static void rx_pop_accepts_a_buffer_for_a_header_alone(void **state)
{
	static const uint32_t exact[] = { 44, 0 }, pieces[] = { 20, 24, 0 }, few[] = { 43, 0 }, fewer[] = { 20, 23, 0 };
	struct packets p;

	packets_setup(&p, fixture_kind(state));
	(void)packets_offer(&p, exact, 0, VRING_DESC_F_WRITE);
	assert_int_equal(virtio_vsock_rx_pop(&p.f.queue, &p.packet), 1);
	assert_int_equal(p.packet.error, 0);
	assert_int_equal(p.packet.data.writable, 0);
	set_header(&p, 1);
	assert_int_equal(virtio_vsock_rx_commit(&p.f.queue, &p.packet), VIRTIO_EINVAL);
	set_header(&p, 0);
	assert_int_equal(virtio_vsock_rx_commit(&p.f.queue, &p.packet), 0);
	assert_int_equal(packets_used(&p), 44);
	(void)packets_offer(&p, pieces, 0, VRING_DESC_F_WRITE);
	assert_int_equal(virtio_vsock_rx_pop(&p.f.queue, &p.packet), 1);
	assert_int_equal(p.packet.data.writable_bytes, 0);
	set_header(&p, 0);
	assert_int_equal(virtio_vsock_rx_commit(&p.f.queue, &p.packet), 0);
	assert_int_equal(packets_used(&p), 44);
	for (int i = 0; i < 2; i++) {
		(void)packets_offer(&p, i ? few : fewer, 0, VRING_DESC_F_WRITE);
		assert_int_equal(virtio_vsock_rx_pop(&p.f.queue, &p.packet), 1);
		assert_int_equal(p.packet.error, VIRTIO_ESHORT);
		assert_int_equal(p.packet.data.writable_bytes, 0);
		assert_int_equal(virtio_vsock_rx_commit(&p.f.queue, &p.packet), VIRTIO_EINVAL);
		assert_int_equal(virtio_vsock_complete(&p.f.queue, &p.packet), 0);
		assert_int_equal(packets_used(&p), 0);
	}
}

/*
 * Hostile 156; regression R34: a packet has no more room than the maximum, also in one descriptor.
 */
static void rx_pop_caps_the_room_at_the_maximum(void **state)
{
	static const uint32_t layouts[][4] = {
		{ 400 }, { 44, 300 }, { 44, 150, 100 }, { 144, 100, 50 }, { 44, 200, 1 }
	};
	struct packets p;

	for (uint32_t i = 0; i < COUNT(layouts); i++) {
		packets_setup(&p, fixture_kind(state));
		(void)packets_offer(&p, layouts[i], 0, VRING_DESC_F_WRITE);
		assert_int_equal(virtio_vsock_rx_pop(&p.f.queue, &p.packet), 1);
		assert_int_equal(p.packet.data.writable_bytes, MAX_PAYLOAD);
		assert_int_equal(virtio_segments_bytes(p.packet.data.segments, p.packet.data.writable), MAX_PAYLOAD);
		set_header(&p, MAX_PAYLOAD + 1);
		fixture_save(&p.f);
		assert_int_equal(virtio_vsock_rx_commit(&p.f.queue, &p.packet), VIRTIO_EINVAL);
		assert_true(fixture_unchanged(&p.f));
	}
}

/*
 * Hostile 39: a chain of 2^32 bytes has room for a packet of 2^32 - 1 bytes only. The used length
 * must not wrap to 0.
 */
static void rx_commit_of_4_gib_has_the_exact_used_length(void **state)
{
	static uint8_t ram[0x1000];
	static struct virtio_mock_slot slots[8];
	static struct virtio_inflight inflight[8];
	const uint64_t data_at = UINT64_C(1) << 33, bytes = (UINT64_C(1) << 32) - HEADER;
	struct virtio_region regions[2] = { { .len = sizeof ram, .host = ram }, { .addr = data_at, .len = bytes } };
	const struct virtio_mock_buffer buffers[] = { WRITABLE(0xf00, HEADER), WRITABLE(data_at, (uint32_t)bytes) };
	struct virtio_memory_map map;
	struct virtio_mock mock;
	struct virtio_queue queue;
	struct virtio_segment segments[2];
	struct virtio_vsock_packet packet;
	struct vring_used_elem used = { 0, 0 };

	(void)state;
	regions[1].host = MAP_FAILED;
#if UINTPTR_MAX > 0xffffffffu
	regions[1].host = mmap(NULL, (size_t)bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
#endif
	if (regions[1].host == MAP_FAILED) {
		print_message("no address space for a buffer of 4 GiB\n");
		skip();
	}
	assert_int_equal(virtio_memory_map_init(&map, regions, 2), 0);
	assert_int_equal(virtio_mock_init(&mock, &map, 0, 8, slots, 8), 0);
	assert_int_equal(virtio_mock_create_queue(&mock, &queue, inflight, 8, &map), 0);
	assert_int_equal(virtio_vsock_packet_init(&packet, segments, 2, UINT32_MAX), 0);
	assert_true(virtio_mock_add(&mock, buffers, 2) >= 0);
	assert_int_equal(virtio_vsock_rx_pop(&queue, &packet), 1);
	assert_int_equal(packet.error, 0);
	assert_int_equal(packet.data.writable_bytes, bytes - 1);
	packet.header = packets_header((uint32_t)bytes);
	assert_int_equal(virtio_vsock_rx_commit(&queue, &packet), VIRTIO_EINVAL);
	packet.header = packets_header((uint32_t)bytes - 1);
	assert_int_equal(virtio_vsock_rx_commit(&queue, &packet), 0);
	assert_int_equal(virtio_mock_pop_used(&mock, &used), 1);
	assert_int_equal(used.len, UINT32_MAX);
	munmap(regions[1].host, (size_t)bytes);
}

/* Hostile 157: a commit of more bytes than the buffer has is refused. */
static void rx_commit_refuses_len_above_the_room(void **state)
{
	static const uint32_t lengths[] = { 44, 100, 0 };
	static const uint32_t lens[] = { 101, 65536, UINT32_MAX };
	struct packets p;

	packets_setup(&p, fixture_kind(state));
	(void)packets_offer(&p, lengths, 0, VRING_DESC_F_WRITE);
	assert_int_equal(virtio_vsock_rx_pop(&p.f.queue, &p.packet), 1);
	for (uint32_t i = 0; i < COUNT(lens); i++) {
		set_header(&p, lens[i]);
		fixture_save(&p.f);
		assert_int_equal(virtio_vsock_rx_commit(&p.f.queue, &p.packet), VIRTIO_EINVAL);
		assert_true(fixture_unchanged(&p.f));
	}
	assert_int_equal(virtio_queue_in_flight(&p.f.queue), 1);
}

/* Hostile 158, 203: a bad buffer is completed, and the packet goes to the next buffer. */
static void rx_pop_refuses_bad_buffers(void **state)
{
	const struct virtio_mock_buffer readable[] = { READABLE(FIXTURE_DATA, 200) };
	const struct virtio_mock_buffer mixed[] = { READABLE(FIXTURE_DATA, 4), WRITABLE(FIXTURE_DATA + 64, 100) };
	const struct virtio_mock_buffer outside[] = { WRITABLE(FIXTURE_END - 20, 100) };
	const struct virtio_mock_buffer wraps[] = { WRITABLE(FIXTURE_DATA, 44), WRITABLE(UINT64_MAX - 3, 16) };
	const struct virtio_mock_buffer *bad[] = { readable, mixed, outside, wraps };
	static const uint32_t counts[] = { 1, 2, 1, 2 };
	static const int errors[] = { VIRTIO_EORDER, VIRTIO_EORDER, VIRTIO_EFAULT, VIRTIO_EFAULT };
	static const uint32_t lengths[] = { 44, 100, 0 };
	struct packets p;

	packets_setup(&p, fixture_kind(state));
	for (uint32_t i = 0; i < COUNT(bad); i++) {
		fixture_offer_chain(&p.f, 0, bad[i], counts[i]);
		assert_int_equal(virtio_queue_available(&p.f.queue), 1);
		assert_int_equal(virtio_vsock_rx_pop(&p.f.queue, &p.packet), 1);
		assert_int_equal(p.packet.error, errors[i]);
		assert_int_equal(p.packet.data.writable_bytes, 0);
		set_header(&p, 0);
		assert_int_equal(virtio_vsock_rx_commit(&p.f.queue, &p.packet), VIRTIO_EINVAL);
		assert_int_equal(virtio_vsock_complete(&p.f.queue, &p.packet), 0);
		assert_int_equal(packets_used(&p), 0);
	}
	(void)packets_offer(&p, lengths, 0, VRING_DESC_F_WRITE);
	assert_int_equal(virtio_vsock_rx_pop(&p.f.queue, &p.packet), 1);
	assert_int_equal(p.packet.error, 0);
}

static void rx_pop_reports_an_array_that_is_too_small(void **state)
{
	static const uint32_t lengths[] = { 44, 10, 10, 0 };
	struct virtio_segment two[2];
	struct virtio_vsock_packet packet;
	struct packets p;

	(void)state;
	packets_setup(&p, FIXTURE_FLAT);
	assert_int_equal(virtio_vsock_packet_init(&packet, two, 2, MAX_PAYLOAD), 0);
	(void)packets_offer(&p, lengths, 0, VRING_DESC_F_WRITE);
	assert_int_equal(virtio_vsock_rx_pop(&p.f.queue, &packet), 1);
	assert_int_equal(packet.error, VIRTIO_ENOBUFS);
	assert_int_equal(packet.data.writable_bytes, 0);
}

static void rx_commit_refuses_stale_tokens_and_tx_packets(void **state)
{
	static const uint32_t lengths[] = { 44, 100, 0 };
	struct packets p;

	packets_setup(&p, fixture_kind(state));
	(void)packets_offer(&p, lengths, 100, 0);
	assert_int_equal(virtio_vsock_tx_pop(&p.f.queue, &p.packet), 1);
	virtio_vsock_set_len(&p.packet.header, 0);
	fixture_save(&p.f);
	assert_int_equal(virtio_vsock_rx_commit(&p.f.queue, &p.packet), VIRTIO_EINVAL);
	assert_true(fixture_unchanged(&p.f));
	assert_int_equal(virtio_vsock_complete(&p.f.queue, &p.packet), 0);
	assert_int_equal(virtio_vsock_complete(&p.f.queue, &p.packet), VIRTIO_ESTALE);
	(void)packets_offer(&p, lengths, 100, VRING_DESC_F_WRITE);
	assert_int_equal(virtio_vsock_rx_pop(&p.f.queue, &p.packet), 1);
	set_header(&p, 10);
	assert_int_equal(virtio_vsock_rx_commit(&p.f.queue, &p.packet), 0);
	fixture_save(&p.f);
	set_header(&p, 11);
	assert_int_equal(virtio_vsock_rx_commit(&p.f.queue, &p.packet), VIRTIO_ESTALE);
	assert_true(fixture_unchanged(&p.f));
}

/* Returns a mask of the marked pages of 16 bytes, from FIXTURE_DATA on. */
static uint32_t marked(const uint8_t *bitmap)
{
	const uint32_t at = (FIXTURE_DATA - FIXTURE_BASE) / 16 / 8;

	return bitmap[at] | (uint32_t)bitmap[at + 1] << 8 | (uint32_t)bitmap[at + 2] << 16;
}

static void rx_commit_records_header_and_payload_in_the_dirty_log(void **state)
{
	/*
	 * Lengths of buffers. The first buffer is at FIXTURE_DATA, and each buffer is followed by a
	 * gap of 5 bytes.
	 */
	static const uint32_t layouts[][4] = { { 272 }, { 43, 59, 100 }, { 44, 200 } };
	uint8_t bitmap[FIXTURE_BYTES / 16 / 8];
	const struct virtio_dirty_log log = {
		.bitmap = bitmap, .size = sizeof bitmap, .base = FIXTURE_BASE, .page_shift = 4, .unit = 1
	};
	struct packets p;

	(void)state;
	for (uint32_t i = 0; i < COUNT(layouts); i++) {
		packets_setup(&p, FIXTURE_FLAT);
		p.f.regions[0].dirty = &log;
		virtio_queue_reset(&p.f.queue);
		assert_int_equal(virtio_memory_map_init(&p.f.device_map, p.f.regions, 1), 0);
		assert_int_equal(virtio_queue_start(&p.f.queue, &p.f.config, &p.f.device_map), 0);
		/*
		 * The first packet sets the cursors' cached regions. These regions decide which
		 * path the second packet takes.
		 */
		for (uint32_t round = 0; round < 2; round++) {
			(void)packets_offer(&p, layouts[i], 0, VRING_DESC_F_WRITE);
			memset(bitmap, 0, sizeof bitmap);
			assert_int_equal(virtio_vsock_rx_pop(&p.f.queue, &p.packet), 1);
			assert_int_equal(marked(bitmap), 0);
			set_header(&p, 20);
			assert_int_equal(virtio_vsock_rx_commit(&p.f.queue, &p.packet), 0);
			/*
			 * The bytes written in each layout, as offsets from FIXTURE_DATA:
			 * - layout 0: 0 to 63
			 * - layout 1: 0 to 42, and 48 to 68
			 * - layout 2: 0 to 43, and 49 to 68
			 */
			assert_int_equal(marked(bitmap), i == 0 ? 0xf : 0x1f);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_ON_ALL(rx_commit_fills_any_layout_and_nothing_else),
		FIXTURE_ON_ALL(rx_pop_accepts_a_buffer_for_a_header_alone),
		FIXTURE_ON_ALL(rx_pop_caps_the_room_at_the_maximum),
		cmocka_unit_test(rx_commit_of_4_gib_has_the_exact_used_length),
		FIXTURE_ON_ALL(rx_commit_refuses_len_above_the_room),
		FIXTURE_ON_ALL(rx_pop_refuses_bad_buffers),
		cmocka_unit_test(rx_pop_reports_an_array_that_is_too_small),
		FIXTURE_ON_ALL(rx_commit_refuses_stale_tokens_and_tx_packets),
		cmocka_unit_test(rx_commit_records_header_and_payload_in_the_dirty_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
