/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests the vhost-user back end, whose I/O completes later. Up to three requests are in flight at
 * once.
 */
#include "vhost_user.c"

#include "cmocka_includes.h"
#include "guest.h"

#define FRONT_END_ADDR UINT64_C(0x7f0000000000)
#define IN_BYTES 100u
#define IN_FLIGHT 3u
#define DATA 0x4000u

static struct vhost_vring vring;
static struct memory_table table;
static struct io ios[IN_FLIGHT];
static uint32_t begun, done; /* numbers of requests since the ring's start */

static void start_device(struct guest *g, const struct virtio_queue_config *config)
{
	const uint64_t desc = config->addr[VIRTIO_QUEUE_DESC], avail = config->addr[VIRTIO_QUEUE_AVAIL];
	const uint64_t used = config->addr[VIRTIO_QUEUE_USED];

	table.count = 1;
	table.shared[0] = (struct shared_region){ .front_end_addr = FRONT_END_ADDR, .size = GUEST_BYTES };
	table.regions[0] = g->region;
	assert_int_equal(virtio_memory_map_init(&table.map, table.regions, 1), 0);
	assert_int_equal(virtio_queue_config_set_size(&vring.config, config->size), 0);
	vring.config.event_idx = config->event_idx;
	assert_int_equal(vring_set_addr(&vring, &table, desc, avail, used), VIRTIO_EFAULT);
	assert_int_equal(
		vring_set_addr(&vring, &table, FRONT_END_ADDR + desc, FRONT_END_ADDR + avail, FRONT_END_ADDR + used),
		0);
	assert_int_equal(vring_start(&vring, &table), 0);
	begun = done = 0;
}

static void reset_device(struct guest *g)
{
	(void)g;
	assert_int_equal(vring_stop(&vring), (uint16_t)begun);
}

/* Ends the oldest I/O. Fills its buffer with the request's number. */
static void finish_one(void)
{
	struct io *io = &ios[done % IN_FLIGHT];

	assert_int_equal(io->iov_count, 1);
	memset(io->iov[0].base, (int)(done++ & 0x7f), io->iov[0].len);
	assert_int_equal(vring_io_done(&vring, io, IN_BYTES, guest_interrupt), 0);
}

static int run_device(struct guest *g)
{
	int budget = virtio_queue_available(&vring.queue), got;
	bool old_unused;

	(void)g;
	assert_true(budget >= 0);
	while ((got = vring_next_io(&vring, &ios[begun % IN_FLIGHT], &budget)) == 1) {
		begun++;
		if (begun - done == IN_FLIGHT)
			finish_one();
	}
	assert_int_equal(got, 0);
	/* The front end sends its memory table again while requests are in flight. */
	assert_int_equal(vring_switch_memory(&vring, &table, &old_unused), 0);
	assert_int_equal(old_unused, begun == done);
	while (done != begun)
		finish_one();
	got = vring_sleep(&vring);
	assert_in_range(got, 0, 1);
	return got;
}

static uint32_t fill(struct guest *g, uint32_t number, uint64_t addr, struct virtio_mock_buffer *buffers)
{
	(void)g;
	(void)number;
	memset(guest_host(addr), 0xff, IN_BYTES);
	buffers[0] = (struct virtio_mock_buffer){ .addr = addr, .len = IN_BYTES, .flags = VRING_DESC_F_WRITE };
	return 1;
}

static void check(struct guest *g, uint32_t number, uint64_t addr, uint32_t len)
{
	uint8_t expected[IN_BYTES];

	(void)g;
	memset(expected, (int)(number & 0x7f), sizeof expected);
	assert_int_equal(len, IN_BYTES);
	assert_memory_equal(guest_host(addr), expected, sizeof expected);
}

static void vhost_user_answers_every_request(void **state)
{
	static const struct guest_ops ops = {
		.start = start_device, .reset = reset_device, .run = run_device, .fill = fill, .check = check
	};

	(void)state;
	assert_int_equal(vhost_vring_init(&vring), 0);
	guest_test_device(&ops);
}

static bool mapped; /* whether the translation knows the addresses from DATA on */

static int translate_if_mapped(void *context, uint64_t addr, uint64_t len, uint32_t access,
			       struct virtio_translation *out)
{
	(void)context;
	(void)access;
	if (addr >= DATA && !mapped)
		return VIRTIO_ENOTMAPPED;
	*out = (struct virtio_translation){ addr, len, VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE };
	return 0;
}

/*
 * A request in memory that is not mapped yet can be popped later. I/O that ends after a stop marks
 * nothing in the dirty log.
 */
static void vhost_user_retries_unmapped_request_and_refuses_late_io(void **state)
{
	static uint8_t ram[GUEST_BYTES];
	unsigned long bitmap[GUEST_BYTES >> 12] = { 0 };
	const struct virtio_dirty_log log = { .bitmap = bitmap, .size = sizeof bitmap, .page_shift = 12, .unit = 1 };
	const struct virtio_mock_buffer buffer = { DATA, IN_BYTES, VRING_DESC_F_WRITE };
	struct virtio_mock_slot slots[8];
	struct virtio_mock mock;
	int budget = 1;

	(void)state;
	table.count = 1;
	table.shared[0] = (struct shared_region){ .front_end_addr = FRONT_END_ADDR, .size = GUEST_BYTES };
	table.regions[0] = (struct virtio_region){ .len = GUEST_BYTES, .host = ram, .dirty = &log };
	assert_int_equal(virtio_memory_map_init(&table.map, table.regions, 1), 0);
	virtio_memory_map_set_translation(&table.map, translate_if_mapped, NULL);
	assert_int_equal(virtio_mock_init(&mock, &table.map, 0, 8, slots, 8), 0);
	assert_int_equal(vhost_vring_init(&vring), 0);
	assert_int_equal(virtio_queue_config_set_size(&vring.config, 8), 0);
	assert_int_equal(vring_set_addr(&vring, &table, FRONT_END_ADDR + mock.addr[VIRTIO_QUEUE_DESC],
					FRONT_END_ADDR + mock.addr[VIRTIO_QUEUE_AVAIL],
					FRONT_END_ADDR + mock.addr[VIRTIO_QUEUE_USED]),
			 0);
	assert_int_equal(vring_start(&vring, &table), 0);
	assert_true(virtio_mock_add(&mock, &buffer, 1) >= 0);
	assert_int_equal(vring_next_io(&vring, &ios[0], &budget), VIRTIO_ENOTMAPPED);
	mapped = true;
	budget = 1;
	assert_int_equal(vring_next_io(&vring, &ios[0], &budget), 1);
	(void)vring_stop(&vring);
	memset(bitmap, 0, sizeof bitmap);
	assert_int_equal(vring_io_done(&vring, &ios[0], IN_BYTES, guest_interrupt), VIRTIO_ESTALE);
	for (size_t i = 0; i < sizeof bitmap / sizeof bitmap[0]; i++)
		assert_int_equal(bitmap[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vhost_user_answers_every_request),
		cmocka_unit_test(vhost_user_retries_unmapped_request_and_refuses_late_io),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
