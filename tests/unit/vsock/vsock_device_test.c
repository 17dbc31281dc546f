/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The socket device: context IDs, features, configuration space, and its event queue. */
#include <virtio/vsock.h>

#include "../common/fixture.h"

#define STREAM (UINT64_C(1) << VIRTIO_VSOCK_F_STREAM)
#define SEQPACKET (UINT64_C(1) << VIRTIO_VSOCK_F_SEQPACKET)
#define NO_IMPLIED (UINT64_C(1) << VIRTIO_VSOCK_F_NO_IMPLIED_STREAM)

static const uint64_t reserved_cids[] = {
	0, 1, 2, 0xffffffff, UINT64_MAX, UINT64_C(0x100000000), UINT64_C(0x100000003), UINT64_C(0x8000000000000003)
};

/* Hostile 165: a guest_cid that is reserved or wider than 32 bits is refused. */
static void vsock_init_refuses_reserved_cids(void **state)
{
	struct virtio_vsock vsock, before;

	(void)state;
	memset(&vsock, 0x5a, sizeof vsock);
	before = vsock;
	for (uint32_t i = 0; i < COUNT(reserved_cids); i++) {
		assert_false(virtio_vsock_is_guest_cid(reserved_cids[i]));
		assert_int_equal(virtio_vsock_init(&vsock, reserved_cids[i], true), VIRTIO_EINVAL);
		assert_memory_equal(&vsock, &before, sizeof vsock);
	}
	assert_int_equal(virtio_vsock_init(&vsock, 3, true), 0);
	assert_int_equal(virtio_vsock_init(&vsock, 0xfffffffe, true), 0);
	for (uint32_t i = 0; i < COUNT(reserved_cids); i++) {
		assert_int_equal(virtio_vsock_set_guest_cid(&vsock, reserved_cids[i]), VIRTIO_EINVAL);
		assert_int_equal(vsock.guest_cid, 0xfffffffe);
	}
	assert_int_equal(virtio_vsock_set_guest_cid(&vsock, 77), 0);
	assert_int_equal(vsock.guest_cid, 77);
}

static void vsock_offers_streams_and_no_implied_stream(void **state)
{
	struct virtio_vsock vsock;

	(void)state;
	assert_int_equal(virtio_vsock_init(&vsock, 3, false), 0);
	assert_int_equal(virtio_vsock_offered(&vsock), STREAM | NO_IMPLIED);
	assert_int_equal(virtio_vsock_negotiate(&vsock, SEQPACKET), VIRTIO_EINVAL);
	assert_int_equal(vsock.negotiated, 0);
	assert_int_equal(virtio_vsock_init(&vsock, 3, true), 0);
	assert_int_equal(virtio_vsock_offered(&vsock), STREAM | SEQPACKET | NO_IMPLIED);
	assert_int_equal(virtio_vsock_negotiate(&vsock, STREAM), 0);
	assert_int_equal(virtio_vsock_negotiate(&vsock, STREAM | UINT64_C(1) << 3), VIRTIO_EINVAL);
	assert_int_equal(vsock.negotiated, STREAM);
	/* VERSION_1 belongs to the transport, so the device ignores the bit. */
	assert_int_equal(virtio_vsock_negotiate(&vsock, SEQPACKET | UINT64_C(1) << 32), 0);
	assert_int_equal(vsock.negotiated, SEQPACKET);
	virtio_vsock_reset(&vsock);
	assert_int_equal(vsock.negotiated, 0);
	assert_int_equal(vsock.guest_cid, 3);
}

/*
 * Hostile 167, 190: the device knows SEQPACKET only if that feature was negotiated. The device
 * knows streams only if STREAM, no feature, or SEQPACKET alone was negotiated.
 */
static void vsock_types_follow_every_subset_of_features(void **state)
{
	/* Indexed by the feature mask: STREAM 1, SEQPACKET 2, NO_IMPLIED_STREAM 4. */
	static const bool stream[8] = { true, true, true, true, false, true, false, true };
	static const bool seqpacket[8] = { false, false, true, true, false, false, true, true };
	struct virtio_vsock vsock;

	(void)state;
	assert_int_equal(virtio_vsock_init(&vsock, 3, true), 0);
	for (uint64_t features = 0; features < 8; features++) {
		assert_int_equal(virtio_vsock_negotiate(&vsock, features), 0);
		assert_int_equal(virtio_vsock_has_type(&vsock, VIRTIO_VSOCK_TYPE_STREAM), stream[features]);
		assert_int_equal(virtio_vsock_has_type(&vsock, VIRTIO_VSOCK_TYPE_SEQPACKET), seqpacket[features]);
		assert_false(virtio_vsock_has_type(&vsock, 0));
		assert_false(virtio_vsock_has_type(&vsock, 3));
		assert_false(virtio_vsock_has_type(&vsock, UINT16_MAX));
	}
}

/*
 * Hostile 165, 184, 192: the source must be the guest, and the destination the host or a CID that
 * another guest may have.
 */
static void vsock_accepts_packets_from_its_guest_alone(void **state)
{
	static const uint64_t bad[] = { 0, 1, 0xffffffff, UINT64_MAX, UINT64_C(0x100000003), UINT64_C(0x100000002) };
	struct virtio_vsock_hdr h = { 0 };
	struct virtio_vsock vsock;

	(void)state;
	assert_int_equal(virtio_vsock_init(&vsock, 3, true), 0);
	assert_false(virtio_vsock_is_from_guest(&vsock, &h));
	virtio_vsock_set_src_cid(&h, 3);
	virtio_vsock_set_dst_cid(&h, 2);
	assert_true(virtio_vsock_is_from_guest(&vsock, &h));
	virtio_vsock_set_dst_cid(&h, 4);
	assert_true(virtio_vsock_is_from_guest(&vsock, &h));
	virtio_vsock_set_dst_cid(&h, 3);
	assert_false(virtio_vsock_is_from_guest(&vsock, &h));
	for (uint32_t i = 0; i < COUNT(bad); i++) {
		virtio_vsock_set_src_cid(&h, 3);
		virtio_vsock_set_dst_cid(&h, bad[i]);
		assert_false(virtio_vsock_is_from_guest(&vsock, &h));
		virtio_vsock_set_dst_cid(&h, 2);
		virtio_vsock_set_src_cid(&h, bad[i]);
		assert_false(virtio_vsock_is_from_guest(&vsock, &h));
	}
	virtio_vsock_set_src_cid(&h, 2);
	assert_false(virtio_vsock_is_from_guest(&vsock, &h));
	virtio_vsock_set_src_cid(&h, 4);
	assert_false(virtio_vsock_is_from_guest(&vsock, &h));
}

static void vsock_config_reads_in_any_width(void **state)
{
	static const uint8_t wanted[10] = { 0x78, 0x56, 0x34, 0x12 };
	struct virtio_vsock vsock;
	uint8_t got[12];

	(void)state;
	assert_int_equal(virtio_vsock_init(&vsock, 0x12345678, true), 0);
	for (uint64_t offset = 0; offset < 10; offset++) {
		for (size_t len = 0; len <= 10 - offset; len++) {
			memset(got, 0xee, sizeof got);
			virtio_vsock_config_read(&vsock, offset, got, len);
			assert_memory_equal(got, wanted + offset, len);
			assert_int_equal(got[len], 0xee);
		}
	}
	memset(got, 0xee, sizeof got);
	virtio_vsock_config_read(&vsock, UINT64_MAX - 2, got, 8);
	assert_memory_equal(got, wanted + 4, 6);
}

/* Events */

struct event_queue {
	struct fixture f;
	struct virtio_vsock_events events;
	struct virtio_segment segments[8];
};

static void events_setup(struct event_queue *e, enum fixture_memory kind)
{
	fixture_setup(&e->f, kind, 8);
	memset(&e->events, 0xff, sizeof e->events);
	virtio_vsock_events_reset(&e->events);
}

static int events_send(struct event_queue *e)
{
	return virtio_vsock_events_send(&e->events, &e->f.queue, e->segments, 8);
}

/* Hostile 170: without a buffer the event is held. The first buffer gets the event. */
static void events_hold_the_reset_until_there_is_a_buffer(void **state)
{
	const struct virtio_mock_buffer buffer = WRITABLE(FIXTURE_DATA, 6);
	struct vring_used_elem used;
	struct event_queue e;
	uint8_t got[6];

	events_setup(&e, fixture_kind(state));
	(void)fixture_add(&e.f, &buffer, 1);
	assert_int_equal(events_send(&e), 0);
	assert_int_equal(virtio_queue_in_flight(&e.f.queue), 0);
	assert_int_equal(virtio_mock_pop_used(&e.f.mock, &used), 0);
	events_setup(&e, fixture_kind(state));
	virtio_vsock_events_schedule_reset(&e.events);
	virtio_vsock_events_schedule_reset(&e.events);
	assert_int_equal(events_send(&e), 0);
	assert_true(e.events.unsent);
	(void)fixture_add(&e.f, &buffer, 1);
	(void)fixture_add(&e.f, &buffer, 1);
	assert_int_equal(events_send(&e), 1);
	assert_false(e.events.unsent);
	assert_int_equal(virtio_mock_pop_used(&e.f.mock, &used), 1);
	assert_int_equal(used.len, 4);
	fixture_read(&e.f, FIXTURE_DATA, got, 6);
	assert_memory_equal(got, "\0\0\0\0\xa5\xa5", 6);
	assert_int_equal(events_send(&e), 0);
	assert_int_equal(virtio_mock_pop_used(&e.f.mock, &used), 0);
}

/* Hostile 170, 204: short and bad buffers are completed unwritten, and the event is not lost. */
static void events_skip_buffers_that_cannot_hold_one(void **state)
{
	const struct virtio_mock_buffer bad[] = { WRITABLE(FIXTURE_DATA, 3), READABLE(FIXTURE_DATA, 8),
						  WRITABLE(0x100000, 8), WRITABLE(FIXTURE_DATA, 2) };
	const struct virtio_mock_buffer pieces[] = { WRITABLE(FIXTURE_DATA + 16, 1), WRITABLE(FIXTURE_DATA + 32, 3) };
	struct vring_used_elem used;
	struct event_queue e;

	events_setup(&e, fixture_kind(state));
	virtio_vsock_events_schedule_reset(&e.events);
	for (uint32_t i = 0; i < COUNT(bad); i++)
		(void)fixture_add(&e.f, &bad[i], 1);
	assert_int_equal(events_send(&e), 1);
	assert_true(e.events.unsent);
	for (uint32_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(virtio_mock_pop_used(&e.f.mock, &used), 1);
		assert_int_equal(used.len, 0);
	}
	(void)fixture_add(&e.f, pieces, 2);
	assert_int_equal(events_send(&e), 1);
	assert_false(e.events.unsent);
	assert_int_equal(virtio_mock_pop_used(&e.f.mock, &used), 1);
	assert_int_equal(used.len, 4);
}

static void events_report_errors_and_keep_the_reset(void **state)
{
	const struct virtio_mock_buffer buffer = WRITABLE(FIXTURE_DATA, 4);
	struct event_queue e;

	(void)state;
	events_setup(&e, FIXTURE_CHANGING);
	virtio_vsock_events_schedule_reset(&e.events);
	assert_int_equal(virtio_vsock_events_send(&e.events, &e.f.queue, NULL, 8), VIRTIO_EINVAL);
	assert_int_equal(virtio_vsock_events_send(&e.events, &e.f.queue, e.segments, 0), VIRTIO_EINVAL);
	e.f.rewriting = false;
	(void)fixture_add(&e.f, &buffer, 1);
	e.f.bad_start = FIXTURE_DATA;
	e.f.bad_end = FIXTURE_DATA + 4;
	e.f.bad_error = VIRTIO_ENOTMAPPED;
	assert_int_equal(events_send(&e), VIRTIO_ENOTMAPPED);
	assert_int_equal(virtio_queue_in_flight(&e.f.queue), 0);
	assert_true(e.events.unsent);
	e.f.bad_error = 0;
	assert_int_equal(events_send(&e), 1);
	events_setup(&e, FIXTURE_FLAT);
	virtio_vsock_events_schedule_reset(&e.events);
	fixture_offer_head(&e.f, 99);
	assert_int_equal(events_send(&e), VIRTIO_EHEAD);
	assert_int_equal(events_send(&e), VIRTIO_EBROKEN);
	virtio_queue_reset(&e.f.queue);
	assert_int_equal(events_send(&e), VIRTIO_ENOTREADY);
	assert_true(e.events.unsent);
}

#define AVAIL 128u
#define USED 152u

/*
 * A guest whose available or used ring lies in two regions, so that each access to the ring is
 * translated.
 */
struct cut_guest {
	uint8_t ram[2][0x1000];
	struct virtio_region driver_regions[2], device_regions[2];
	struct virtio_memory_map driver_map, device_map;
	struct virtio_mock mock;
	struct virtio_mock_slot slots[8];
	struct virtio_queue queue;
	struct virtio_inflight inflight[8];
	uint32_t answers;  /* number of translations before the next failure */
	uint32_t refusals; /* number of translations that fail after that */
};

static int translate(void *context, uint64_t addr, uint64_t len, uint32_t access, struct virtio_translation *out)
{
	struct cut_guest *g = context;

	(void)access;
	if (g->answers > 0)
		g->answers--;
	else if (g->refusals > 0 && g->refusals--)
		return VIRTIO_ENOTMAPPED;
	*out = (struct virtio_translation){ addr, len, VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE };
	return 0;
}

/* @cut  guest address at which the second region begins */
static void cut_guest_setup(struct cut_guest *g, uint64_t cut)
{
	memset(g, 0, sizeof *g);
	for (int i = 0; i < 2; i++) {
		struct virtio_region *regions = i ? g->device_regions : g->driver_regions;

		regions[0] = (struct virtio_region){ .addr = 0, .len = cut, .host = g->ram[0] };
		regions[1] = (struct virtio_region){ .addr = cut, .len = 0xf00, .host = g->ram[1] + cut % 64 };
		assert_int_equal(virtio_memory_map_init(i ? &g->device_map : &g->driver_map, regions, 2), 0);
	}
	virtio_memory_map_set_translation(&g->device_map, translate, g);
	assert_int_equal(virtio_mock_init(&g->mock, &g->driver_map, 0, 8, g->slots, 8), 0);
	assert_int_equal(g->mock.addr[VIRTIO_QUEUE_AVAIL], AVAIL);
	assert_int_equal(g->mock.addr[VIRTIO_QUEUE_USED], USED);
	assert_int_equal(virtio_mock_create_queue(&g->mock, &g->queue, g->inflight, 8, &g->device_map), 0);
}

/*
 * Sends an event to a guest with this cut. The translation with number i, counted from 0, fails.
 * If the first call fails, a second call must succeed. Returns whether the first call failed.
 */
static bool send_with_a_failure(uint64_t cut, uint32_t i)
{
	const struct virtio_mock_buffer buffer = WRITABLE(0x800, 4);
	struct virtio_vsock_events events;
	struct virtio_segment segment;
	struct vring_used_elem used;
	struct cut_guest g;
	int got;

	cut_guest_setup(&g, cut);
	virtio_vsock_events_reset(&events);
	virtio_vsock_events_schedule_reset(&events);
	assert_true(virtio_mock_add(&g.mock, &buffer, 1) >= 0);
	g.answers = i;
	g.refusals = 1;
	got = virtio_vsock_events_send(&events, &g.queue, &segment, 1);
	if (got != 1) {
		assert_int_equal(got, VIRTIO_ENOTMAPPED);
		assert_true(events.unsent);
		assert_int_equal(virtio_queue_in_flight(&g.queue), 0);
		assert_int_equal(virtio_mock_pop_used(&g.mock, &used), 0);
		assert_int_equal(virtio_vsock_events_send(&events, &g.queue, &segment, 1), 1);
	}
	g.refusals = 0;
	assert_int_equal(virtio_vsock_events_pending(&events, &g.queue), 1);
	assert_int_equal(virtio_mock_pop_used(&g.mock, &used), 1);
	assert_int_equal(used.len, 4);
	return got != 1;
}

/*
 * Hostile 228: memory is not mapped for a moment. Whichever translation fails, the event is sent
 * exactly once. The event then stays pending until the driver handles the event.
 */
static void events_survive_any_translation_that_fails(void **state)
{
	uint32_t failures[2] = { 0, 0 };

	(void)state;
	for (uint32_t i = 0; i < 16; i++) {
		failures[0] += send_with_a_failure(AVAIL + 12, i);
		failures[1] += send_with_a_failure(USED + 8, i);
	}
	/*
	 * The write of the buffer can fail. If the cut is in the available ring, two reads of the
	 * index and the read of an entry can fail, too. If the cut is in the used ring, the
	 * completion can fail, too.
	 */
	assert_true(failures[0] >= 4 && failures[1] >= 2);
}

/*
 * Hostile 228: connection requests wait until the driver has handled the reset event. The event is
 * pending until the driver posts the buffer again, or resets the device.
 */
static void events_are_pending_until_the_driver_accepts_them(void **state)
{
	const struct virtio_mock_buffer buffer = WRITABLE(FIXTURE_DATA, 4);
	struct vring_used_elem used;
	struct event_queue e;

	events_setup(&e, fixture_kind(state));
	assert_int_equal(virtio_vsock_events_pending(&e.events, &e.f.queue), 0);
	virtio_vsock_events_schedule_reset(&e.events);
	assert_int_equal(virtio_vsock_events_pending(&e.events, &e.f.queue), 1);
	(void)fixture_add(&e.f, &buffer, 1);
	(void)fixture_add(&e.f, &buffer, 1);
	assert_int_equal(events_send(&e), 1);
	assert_int_equal(virtio_vsock_events_pending(&e.events, &e.f.queue), 1);
	/* The driver pops the event, and posts the buffer again. */
	assert_int_equal(virtio_mock_pop_used(&e.f.mock, &used), 1);
	assert_int_equal(virtio_vsock_events_pending(&e.events, &e.f.queue), 1);
	(void)fixture_add(&e.f, &buffer, 1);
	assert_int_equal(virtio_vsock_events_pending(&e.events, &e.f.queue), 0);
	assert_int_equal(virtio_vsock_events_pending(&e.events, &e.f.queue), 0);
	/* Instead of popping the event, the driver may reset the device. */
	virtio_vsock_events_schedule_reset(&e.events);
	assert_int_equal(events_send(&e), 1);
	assert_int_equal(virtio_vsock_events_pending(&e.events, &e.f.queue), 1);
	virtio_queue_reset(&e.f.queue);
	assert_int_equal(virtio_vsock_events_pending(&e.events, &e.f.queue), VIRTIO_ENOTREADY);
	assert_true(e.events.waiting);
	virtio_vsock_events_reset(&e.events);
	assert_int_equal(virtio_vsock_events_pending(&e.events, &e.f.queue), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vsock_init_refuses_reserved_cids),
		cmocka_unit_test(vsock_offers_streams_and_no_implied_stream),
		cmocka_unit_test(vsock_types_follow_every_subset_of_features),
		cmocka_unit_test(vsock_accepts_packets_from_its_guest_alone),
		cmocka_unit_test(vsock_config_reads_in_any_width),
		FIXTURE_ON_ALL(events_hold_the_reset_until_there_is_a_buffer),
		FIXTURE_ON_ALL(events_skip_buffers_that_cannot_hold_one),
		cmocka_unit_test(events_report_errors_and_keep_the_reset),
		cmocka_unit_test(events_survive_any_translation_that_fails),
		FIXTURE_ON_ALL(events_are_pending_until_the_driver_accepts_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
