/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests the entropy device of the examples through its registers, as a guest uses them (virtio 1.4,
 * 5.4).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <rng.h>
#include <string.h>
#include <sys/random.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_mmio.h>
#include <virtio/bindings/virtio_ring.h>
#include <virtio/endian.h>
#include <virtio/mmio.h>
#include <virtio/queue_mock.h>

#define RAM 0x40000u
#define DATA 0x10000u
#define TABLE 0x8000u
#define FILL 0xa5

struct guest {
	uint8_t ram[RAM];
	struct virtio_region region;
	struct virtio_memory_map map;
	struct virtio_mock mock;
	struct virtio_mock_slot slots[RNG_QUEUE_SIZE];
	struct rng rng;
	unsigned int interrupts;
	bool again;
};

/*
 * The device calls this function, because the build renames getrandom() in this file and in the
 * device's source. Every second call fails with EINTR. The other calls return pseudo-random bytes
 * (xorshift64), at most 100 bytes, like a call that a signal has interrupted.
 */
ssize_t getrandom(void *bytes, size_t len, unsigned int flags)
{
	static uint64_t random = UINT64_C(88172645463325252);
	static bool interrupted;
	const size_t count = len < 100 ? len : 100;

	assert_int_equal(flags, 0);
	interrupted = !interrupted;
	if (interrupted) {
		errno = EINTR;
		return -1;
	}
	for (size_t i = 0; i < count; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		((uint8_t *)bytes)[i] = (uint8_t)(random >> 32);
	}
	return (ssize_t)count;
}

static void on_interrupt(void *context, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	struct guest *g = context;

	(void)cause;
	(void)queue;
	g->interrupts += level;
}

static void on_again(void *context)
{
	((struct guest *)context)->again = true;
}

static void write_register(struct guest *g, uint64_t offset, uint32_t value)
{
	uint8_t bytes[4];

	virtio_put_le32(bytes, value);
	assert_int_equal(virtio_mmio_write(&g->rng.device, offset, bytes, sizeof bytes), 0);
}

static uint32_t read_register(struct guest *g, uint64_t offset)
{
	uint8_t bytes[4];

	virtio_mmio_read(&g->rng.device, offset, bytes, sizeof bytes);
	return virtio_get_le32(bytes);
}

static void write_area(struct guest *g, uint64_t low, enum virtio_queue_area area)
{
	write_register(g, low, (uint32_t)g->mock.addr[area]);
	write_register(g, low + 4, (uint32_t)(g->mock.addr[area] >> 32));
}

/* Initialises the device from reset to DRIVER_OK, with these ring features. */
static void bring_up(struct guest *g, uint32_t features)
{
	uint32_t status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;

	write_register(g, VIRTIO_MMIO_STATUS, status);
	write_register(g, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	write_register(g, VIRTIO_MMIO_DRIVER_FEATURES, features);
	write_register(g, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	write_register(g, VIRTIO_MMIO_DRIVER_FEATURES, 1u << (VIRTIO_F_VERSION_1 - 32));
	status |= VIRTIO_CONFIG_S_FEATURES_OK;
	write_register(g, VIRTIO_MMIO_STATUS, status);
	write_register(g, VIRTIO_MMIO_QUEUE_SEL, 0);
	write_register(g, VIRTIO_MMIO_QUEUE_NUM, RNG_QUEUE_SIZE);
	write_area(g, VIRTIO_MMIO_QUEUE_DESC_LOW, VIRTIO_QUEUE_DESC);
	write_area(g, VIRTIO_MMIO_QUEUE_AVAIL_LOW, VIRTIO_QUEUE_AVAIL);
	write_area(g, VIRTIO_MMIO_QUEUE_USED_LOW, VIRTIO_QUEUE_USED);
	write_register(g, VIRTIO_MMIO_QUEUE_READY, 1);
	status |= VIRTIO_CONFIG_S_DRIVER_OK;
	write_register(g, VIRTIO_MMIO_STATUS, status);
	assert_int_equal(read_register(g, VIRTIO_MMIO_STATUS), status);
	assert_int_equal(read_register(g, VIRTIO_MMIO_QUEUE_READY), 1);
}

static void setup(struct guest *g, uint32_t features)
{
	const struct rng_host host = { .interrupt = on_interrupt, .again = on_again, .context = g };

	memset(g, 0, sizeof *g);
	memset(g->ram, FILL, sizeof g->ram);
	g->region = (struct virtio_region){ .addr = 0, .len = RAM, .host = g->ram };
	assert_int_equal(virtio_memory_map_init(&g->map, &g->region, 1), 0);
	assert_int_equal(virtio_mock_init(&g->mock, &g->map, 0, RNG_QUEUE_SIZE, g->slots, RNG_QUEUE_SIZE), 0);
	g->mock.event_idx = (features & 1u << VIRTIO_RING_F_EVENT_IDX) != 0;
	g->mock.indirect = true;
	assert_int_equal(rng_init(&g->rng, &host, &g->map), 0);
	bring_up(g, features | 1u << VIRTIO_RING_F_INDIRECT_DESC);
}

/*
 * Kicks if the device has enabled kicks, lets the device serve the queue, and returns the used
 * length of the only chain.
 */
static uint32_t serve(struct guest *g)
{
	struct vring_used_elem used;

	if (virtio_mock_should_kick(&g->mock) == 1)
		write_register(g, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	while (g->again) {
		g->again = false;
		rng_run(&g->rng);
	}
	assert_int_equal(virtio_mock_pop_used(&g->mock, &used), 1);
	return used.len;
}

static bool is_filled(const struct guest *g, uint32_t addr, uint32_t len)
{
	uint32_t same = 0;

	for (uint32_t i = 0; i < len; i++)
		same += g->ram[addr + i] == FILL;
	/*
	 * 64 random bytes almost never hold one value eight times. So fewer than 1 in 8 of the
	 * device's bytes may equal FILL.
	 */
	return len >= 64 && same < len / 8;
}

static bool is_untouched(const struct guest *g, uint32_t addr, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		if (g->ram[addr + i] != FILL)
			return false;
	return true;
}

/*
 * Sends more buffers than the ring has entries, one at a time. The device serves the buffers only
 * on notifications.
 */
static void rng_fills_every_buffer_past_the_wrap_of_the_ring(void **state)
{
	static const uint32_t features[] = { 0, 1u << VIRTIO_RING_F_EVENT_IDX };
	struct guest g;

	(void)state;
	for (unsigned int k = 0; k < 2; k++) {
		setup(&g, features[k]);
		for (unsigned int i = 0; i < 3 * RNG_QUEUE_SIZE; i++) {
			const struct virtio_mock_buffer buffer = { DATA, 64, VRING_DESC_F_WRITE };

			memset(g.ram + DATA, FILL, 64);
			assert_true(virtio_mock_add(&g.mock, &buffer, 1) >= 0);
			assert_int_equal(serve(&g), 64);
			assert_true(is_filled(&g, DATA, 64));
		}
		assert_true(g.interrupts > 0);
	}
}

static void rng_serves_again_after_a_reset(void **state)
{
	const struct virtio_mock_buffer buffer = { DATA, 64, VRING_DESC_F_WRITE };
	struct guest g;

	(void)state;
	setup(&g, 0);
	for (unsigned int i = 0; i < 3; i++) {
		assert_true(virtio_mock_add(&g.mock, &buffer, 1) >= 0);
		assert_int_equal(serve(&g), 64);
		write_register(&g, VIRTIO_MMIO_STATUS, 0);
		assert_int_equal(virtio_mock_reset(&g.mock), 0);
		bring_up(&g, 1u << VIRTIO_RING_F_INDIRECT_DESC);
	}
}

/*
 * The chain has more segments than the device's array can hold. The device must still write at
 * least one byte (virtio 1.4, 5.4.6).
 */
static void rng_fills_what_fits_of_a_chain_with_too_many_segments(void **state)
{
	const uint32_t many = RNG_QUEUE_SIZE;
	struct virtio_mock_buffer buffers[RNG_QUEUE_SIZE];
	struct virtio_region regions[2 * RNG_QUEUE_SIZE + 2];
	struct virtio_memory_map pieces;
	struct guest g;
	uint32_t used;

	(void)state;
	setup(&g, 0);
	/* Each buffer lies in three regions of 64 bytes, so the chain has 192 segments. */
	regions[0] = (struct virtio_region){ .addr = 0, .len = DATA, .host = g.ram };
	for (uint32_t i = 0; i < 2 * many; i++)
		regions[1 + i] =
			(struct virtio_region){ .addr = DATA + 64 * i, .len = 64, .host = g.ram + DATA + 64 * i };
	assert_int_equal(virtio_memory_map_init(&pieces, regions, 1 + 2 * many), 0);
	rng_set_memory(&g.rng, &pieces);
	for (uint32_t i = 0; i < many; i++)
		buffers[i] = (struct virtio_mock_buffer){ DATA + 128 * (i % (many - 1)) + 32, 128, VRING_DESC_F_WRITE };
	assert_true(virtio_mock_add_indirect(&g.mock, TABLE, buffers, many) >= 0);
	used = serve(&g);
	assert_true(used > 0 && used < 128 * many);
	/* The array holds 42 buffers of three segments, and two segments of the next buffer. */
	assert_int_equal(used, (RNG_SEGMENTS / 3) * 128 + 32 + 64);
	assert_true(is_filled(&g, DATA + 32, used));
	assert_true(is_untouched(&g, DATA + 32 + used, 32));
}

static void rng_fills_the_good_buffers_before_the_first_bad_one(void **state)
{
	static const struct virtio_mock_buffer bad[] = {
		{ RAM, 64, VRING_DESC_F_WRITE },
		{ RAM - 32, 64, VRING_DESC_F_WRITE },
		{ UINT64_MAX - 31, 64, VRING_DESC_F_WRITE },
	};
	struct guest g;

	(void)state;
	for (uint32_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const struct virtio_mock_buffer buffers[] = {
			{ DATA, 64, VRING_DESC_F_WRITE },
			{ DATA + 128, 64, VRING_DESC_F_WRITE },
			bad[i],
			{ DATA + 256, 64, VRING_DESC_F_WRITE },
		};

		setup(&g, 0);
		assert_true(virtio_mock_add(&g.mock, buffers, 4) >= 0);
		assert_int_equal(serve(&g), 128);
		assert_true(is_filled(&g, DATA, 64) && is_filled(&g, DATA + 128, 64));
		assert_true(is_untouched(&g, DATA + 256, 64) && is_untouched(&g, RAM - 32, 32));
		assert_true(is_untouched(&g, DATA + 64, 64));
	}
}

/* Translates each address to itself. Addresses from DATA on are not mapped until *known is true. */
static int translate_when_known(void *context, uint64_t addr, uint64_t len, uint32_t access,
				struct virtio_translation *out)
{
	const bool *known = context;

	(void)access;
	if (addr >= DATA && !*known)
		return VIRTIO_ENOTMAPPED;
	*out = (struct virtio_translation){ addr, len, VIRTIO_ACCESS_READ | VIRTIO_ACCESS_WRITE };
	return 0;
}

static void rng_waits_for_a_buffer_that_is_not_mapped_yet(void **state)
{
	const struct virtio_mock_buffer buffer = { DATA, 64, VRING_DESC_F_WRITE };
	struct vring_used_elem used;
	bool known = false;
	struct guest g;

	(void)state;
	setup(&g, 0);
	write_register(&g, VIRTIO_MMIO_STATUS, 0);
	virtio_memory_map_set_translation(&g.map, translate_when_known, &known);
	assert_int_equal(virtio_mock_reset(&g.mock), 0);
	bring_up(&g, 0);
	assert_true(virtio_mock_add(&g.mock, &buffer, 1) >= 0);
	write_register(&g, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	assert_true(g.again);
	assert_int_equal(virtio_mock_pop_used(&g.mock, &used), 0);
	assert_true(is_untouched(&g, DATA, 64));
	assert_int_equal(read_register(&g, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET, 0);
	known = true;
	assert_int_equal(serve(&g), 64);
	assert_true(is_filled(&g, DATA, 64));
}

static void rng_returns_malformed_chains_empty_and_goes_on(void **state)
{
	const struct virtio_mock_buffer wrong[] = { { DATA, 64, VRING_DESC_F_WRITE }, { DATA + 128, 64, 0 } };
	const struct virtio_mock_buffer good = { DATA, 64, VRING_DESC_F_WRITE };
	struct guest g;

	(void)state;
	setup(&g, 0);
	assert_int_equal(virtio_mock_write_chain(&g.mock, 0, wrong, 2), 0);
	assert_int_equal(virtio_mock_offer(&g.mock, 0), 0);
	assert_int_equal(virtio_mock_publish(&g.mock), 0);
	write_register(&g, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	/* The used index is 1, and the first element has length 0. */
	assert_int_equal(virtio_get_le16(g.ram + g.mock.addr[VIRTIO_QUEUE_USED] + 2), 1);
	assert_int_equal(virtio_get_le32(g.ram + g.mock.addr[VIRTIO_QUEUE_USED] + 8), 0);
	assert_true(is_untouched(&g, DATA, 256));
	write_register(&g, VIRTIO_MMIO_STATUS, 0);
	assert_int_equal(virtio_mock_reset(&g.mock), 0);
	bring_up(&g, 0);
	assert_true(virtio_mock_add(&g.mock, &good, 1) >= 0);
	assert_int_equal(serve(&g), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rng_fills_every_buffer_past_the_wrap_of_the_ring),
		cmocka_unit_test(rng_serves_again_after_a_reset),
		cmocka_unit_test(rng_fills_what_fits_of_a_chain_with_too_many_segments),
		cmocka_unit_test(rng_fills_the_good_buffers_before_the_first_bad_one),
		cmocka_unit_test(rng_waits_for_a_buffer_that_is_not_mapped_yet),
		cmocka_unit_test(rng_returns_malformed_chains_empty_and_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
