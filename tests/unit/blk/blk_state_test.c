/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The saved state of a disk: its content, restores beside a device core, and refusals. */
#include "blk_fixture.h"

#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ids.h>
#include <virtio/blk_state.h>
#include <virtio/device_state.h>
#include <virtio/device_transport.h>

#define CAPACITY 100u
#define FLUSH (UINT64_C(1) << VIRTIO_BLK_F_FLUSH)
#define WCE (UINT64_C(1) << VIRTIO_BLK_F_CONFIG_WCE)

/* A back end that is never called. */
static int64_t no_move(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	(void)context, (void)iov, (void)count, (void)offset;
	return VIRTIO_EIO;
}

static int no_flush(void *context)
{
	(void)context;
	return VIRTIO_EIO;
}

static const struct virtio_blk_backend_ops all_ops = { .readv = no_move, .writev = no_move, .flush = no_flush };

/* A disk that offers FLUSH and CONFIG_WCE. */
static void make(struct virtio_blk *blk)
{
	const struct virtio_blk_options options = { .backend = { .ops = &all_ops, .max_iovecs = 1 },
						    .capacity = CAPACITY,
						    .config_wce = true };

	assert_int_equal(virtio_blk_init(blk, &options), 0);
}

/* Checks the saved state, the cache mode and the configuration space of the disk. */
static void expect(const struct virtio_blk *blk, uint64_t features, uint8_t writeback, uint64_t capacity)
{
	struct virtio_blk_state state;
	uint8_t config[VIRTIO_BLK_CONFIG_BYTES];

	virtio_blk_save(blk, &state);
	assert_int_equal(state.features, features);
	assert_int_equal(state.writeback, writeback);
	assert_int_equal(state.capacity, capacity);
	virtio_blk_config_read(blk, 0, config, sizeof config);
	assert_int_equal(virtio_get_le64(config), capacity);
	assert_int_equal(config[32], writeback);
	assert_int_equal(virtio_blk_capacity(blk), capacity);
	assert_int_equal(virtio_blk_write_through(blk), features & WCE ? writeback == 0 : !(features & FLUSH));
}

static void refuse(struct virtio_blk *blk, const struct virtio_blk_state *state)
{
	struct virtio_blk before;

	memcpy(&before, blk, sizeof before);
	assert_int_equal(virtio_blk_restore(blk, state), VIRTIO_EINVAL);
	assert_memory_equal(blk, &before, sizeof before);
}

static void blk_save_holds_what_driver_and_operator_have_changed(void **state)
{
	struct virtio_blk blk;

	(void)state;
	make(&blk);
	expect(&blk, 0, 0, CAPACITY);
	assert_int_equal(virtio_blk_negotiate(&blk, FLUSH | WCE | UINT64_C(1) << VIRTIO_F_VERSION_1), 0);
	expect(&blk, FLUSH | WCE, 1, CAPACITY);
	assert_true(virtio_blk_config_write(&blk, 32, "\0", 1));
	assert_int_equal(virtio_blk_set_capacity(&blk, UINT64_C(0x123456789)), 0);
	expect(&blk, FLUSH | WCE, 0, UINT64_C(0x123456789));
	virtio_blk_reset(&blk);
	expect(&blk, 0, 0, UINT64_C(0x123456789));
}

/* All combinations of features and writeback to which a driver can bring the disk. */
static const struct {
	uint64_t features;
	uint8_t writeback;
} reachable[] = { { 0, 0 }, { FLUSH, 1 }, { WCE, 0 }, { FLUSH | WCE, 0 }, { FLUSH | WCE, 1 } };

#define REACHABLE (sizeof reachable / sizeof reachable[0])

static void bring(struct virtio_blk *blk, size_t i)
{
	make(blk);
	assert_int_equal(virtio_blk_negotiate(blk, reachable[i].features), 0);
	if (reachable[i].features & WCE)
		assert_true(virtio_blk_config_write(blk, 32, &reachable[i].writeback, 1));
}

/* Hostile 240: a disk saved in write-through mode is in that mode after the restore. */
static void blk_restore_brings_back_every_state_that_a_driver_can_reach(void **state)
{
	(void)state;
	for (size_t i = 0; i < REACHABLE; i++) {
		struct virtio_blk source, target;
		struct virtio_blk_state saved;

		bring(&source, i);
		virtio_blk_save(&source, &saved);
		make(&target);
		assert_int_equal(virtio_blk_restore(&target, &saved), 0);
		expect(&target, reachable[i].features, reachable[i].writeback, CAPACITY);
		/* A snapshot may be restored again, into a disk that was reset. */
		virtio_blk_reset(&target);
		assert_int_equal(virtio_blk_restore(&target, &saved), 0);
		expect(&target, reachable[i].features, reachable[i].writeback, CAPACITY);
		/* The driver continues from the restored state. */
		assert_int_equal(virtio_blk_config_write(&target, 32, "\1", 1), reachable[i].features == (FLUSH | WCE));
	}
}

static void blk_restore_refuses_a_writeback_that_no_driver_can_reach(void **state)
{
	static const uint64_t features[] = { 0, FLUSH, WCE, FLUSH | WCE };
	struct virtio_blk blk;

	(void)state;
	make(&blk);
	for (size_t f = 0; f < 4; f++) {
		for (uint32_t writeback = 0; writeback <= UINT8_MAX; writeback++) {
			const struct virtio_blk_state saved = { features[f], CAPACITY, (uint8_t)writeback };
			bool good = false;

			for (size_t i = 0; i < REACHABLE; i++)
				good |= reachable[i].features == features[f] && reachable[i].writeback == writeback;
			virtio_blk_reset(&blk);
			if (!good) {
				refuse(&blk, &saved);
				continue;
			}
			assert_int_equal(virtio_blk_restore(&blk, &saved), 0);
			expect(&blk, features[f], (uint8_t)writeback, CAPACITY);
		}
	}
}

static void blk_restore_refuses_a_feature_that_is_not_offered(void **state)
{
	struct virtio_blk blk;

	(void)state;
	make(&blk);
	for (int bit = 0; bit < 64; bit++) {
		const struct virtio_blk_state saved = { FLUSH | UINT64_C(1) << bit, CAPACITY, 1 };

		if (saved.features & ~(FLUSH | WCE))
			refuse(&blk, &saved);
	}
	expect(&blk, 0, 0, CAPACITY);
}

static void blk_restore_refuses_other_features_than_were_negotiated(void **state)
{
	struct virtio_blk_state saved = { FLUSH, CAPACITY, 1 };
	struct virtio_blk blk;

	(void)state;
	make(&blk);
	assert_int_equal(virtio_blk_negotiate(&blk, FLUSH | WCE), 0);
	refuse(&blk, &saved);
	saved = (struct virtio_blk_state){ 0, CAPACITY, 0 };
	refuse(&blk, &saved);
	saved = (struct virtio_blk_state){ FLUSH | WCE, CAPACITY, 0 };
	assert_int_equal(virtio_blk_restore(&blk, &saved), 0);
	expect(&blk, FLUSH | WCE, 0, CAPACITY);
}

/*
 * A restore keeps the disk's own capacity. A disk with fewer sectors than the state is refused. For
 * a disk with more sectors the restore returns 1, so that the caller notifies the driver.
 */
static void blk_restore_keeps_the_capacity_and_refuses_a_smaller_disk(void **state)
{
	struct virtio_blk_state saved = { FLUSH | WCE, CAPACITY + 1, 0 };
	struct virtio_blk blk;

	(void)state;
	make(&blk);
	refuse(&blk, &saved);
	saved.capacity = VIRTIO_BLK_MAX_CAPACITY + 1;
	refuse(&blk, &saved);
	saved.capacity = UINT64_MAX;
	refuse(&blk, &saved);
	/*
	 * If the source was resized before the save, the target must have the new size before the
	 * restore.
	 */
	saved.capacity = CAPACITY + 1;
	assert_int_equal(virtio_blk_set_capacity(&blk, CAPACITY + 1), 0);
	assert_int_equal(virtio_blk_restore(&blk, &saved), 0);
	expect(&blk, FLUSH | WCE, 0, CAPACITY + 1);
	for (saved.capacity = 0; saved.capacity <= CAPACITY; saved.capacity += CAPACITY / 2) {
		virtio_blk_reset(&blk);
		assert_int_equal(virtio_blk_restore(&blk, &saved), 1);
		expect(&blk, FLUSH | WCE, 0, CAPACITY + 1);
	}
	assert_int_equal(virtio_blk_set_capacity(&blk, VIRTIO_BLK_MAX_CAPACITY), 0);
	virtio_blk_reset(&blk);
	saved.capacity = VIRTIO_BLK_MAX_CAPACITY + 1;
	refuse(&blk, &saved);
	saved.capacity--;
	assert_int_equal(virtio_blk_restore(&blk, &saved), 0);
}

/* A block device on the core. */

struct machine {
	struct virtio_device device;
	struct virtio_queue_registers queues[1];
	struct virtio_blk blk;
	uint32_t checks;
};

static int check_features(struct virtio_device *device, const uint32_t features[VIRTIO_FEATURE_WORDS])
{
	struct machine *m = device->context;

	m->checks++;
	return virtio_blk_negotiate(&m->blk, features[0] | (uint64_t)features[1] << 32);
}

static int activate(struct virtio_device *device)
{
	(void)device;
	return 0;
}

static int reset(struct virtio_device *device)
{
	virtio_blk_reset(&((struct machine *)device->context)->blk);
	return 0;
}

static void queue_notify(struct virtio_device *device, uint16_t queue, uint16_t next)
{
	(void)device, (void)queue, (void)next;
}

static int queue_stop(struct virtio_device *device, uint16_t queue)
{
	(void)device, (void)queue;
	return 0;
}

static void config_read(struct virtio_device *device, uint32_t offset, void *data, uint32_t len)
{
	virtio_blk_config_read(&((struct machine *)device->context)->blk, offset, data, len);
}

static void config_write(struct virtio_device *device, uint32_t offset, const void *data, uint32_t len)
{
	(void)virtio_blk_config_write(&((struct machine *)device->context)->blk, offset, data, len);
}

static void interrupt(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	(void)device, (void)cause, (void)queue, (void)level;
}

static void make_machine(struct machine *m)
{
	static const struct virtio_device_ops ops = {
		.check_features = check_features,
		.activate = activate,
		.reset = reset,
		.queue_notify = queue_notify,
		.queue_stop = queue_stop,
		.config_read = config_read,
		.config_write = config_write,
		.interrupt = interrupt,
	};
	const struct virtio_device_options options = {
		.ops = &ops,
		.context = m,
		.type = VIRTIO_ID_BLOCK,
		.features = { (uint32_t)(FLUSH | WCE) },
		.queues = m->queues,
		.num_queues = 1,
		.config_size = VIRTIO_BLK_CONFIG_BYTES,
	};

	memset(m, 0, sizeof *m);
	m->queues[0].config.max_size = 8;
	make(&m->blk);
	assert_int_equal(virtio_device_init(&m->device, &options), 0);
}

/* Plays a driver that accepts features, and that chooses the cache mode if it can. */
static void drive(struct machine *m, uint64_t features, uint8_t writeback)
{
	const uint32_t steps[] = { VIRTIO_CONFIG_S_ACKNOWLEDGE, VIRTIO_CONFIG_S_DRIVER, VIRTIO_CONFIG_S_FEATURES_OK,
				   VIRTIO_CONFIG_S_DRIVER_OK };
	uint32_t status = 0;

	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		if (steps[i] == VIRTIO_CONFIG_S_FEATURES_OK) {
			virtio_device_accept_features(&m->device, 0, (uint32_t)features);
			virtio_device_accept_features(&m->device, 1, 1); /* VERSION_1 */
		}
		status |= steps[i];
		assert_int_equal(virtio_device_write_status(&m->device, status), 0);
		assert_int_equal(virtio_device_status(&m->device), status);
	}
	if (features & WCE)
		virtio_device_write_config(&m->device, 32, &writeback, 1);
}

/*
 * The core's restore negotiates the features again. The cache mode stays, whether the core or the
 * disk is restored first.
 */
static void blk_restore_survives_the_restore_of_a_device_core_in_either_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * REACHABLE; i++) {
		const uint64_t features = reachable[i / 2].features;
		const uint8_t writeback = reachable[i / 2].writeback;
		struct virtio_queue_registers_state queues[1];
		struct virtio_device_state core;
		struct machine source, target;
		struct virtio_blk_state disk;
		uint8_t got;

		make_machine(&source);
		drive(&source, features, writeback);
		assert_int_equal(virtio_device_save(&source.device, &core, queues, 1), 0);
		virtio_blk_save(&source.blk, &disk);
		make_machine(&target);
		if (i % 2)
			assert_int_equal(virtio_blk_restore(&target.blk, &disk), 0);
		assert_int_equal(virtio_device_restore(&target.device, &core, queues, 1), 0);
		assert_int_equal(target.checks, 1);
		if (i % 2 == 0)
			assert_int_equal(virtio_blk_restore(&target.blk, &disk), 0);
		virtio_device_resume(&target.device);
		expect(&target.blk, features, writeback, CAPACITY);
		virtio_device_read_config(&target.device, 32, &got, 1);
		assert_int_equal(got, writeback);
	}
}

/*
 * If the core's features differ from the features of the disk's state, the core's features win.
 * Their negotiation sets writeback.
 */
static void blk_restore_of_other_features_ends_with_the_cores(void **state)
{
	const struct virtio_blk_state disk = { FLUSH | WCE, CAPACITY, 0 };
	struct virtio_queue_registers_state queues[1];
	struct virtio_device_state core;
	struct machine source, target;

	(void)state;
	make_machine(&source);
	drive(&source, FLUSH, 0);
	assert_int_equal(virtio_device_save(&source.device, &core, queues, 1), 0);
	make_machine(&target);
	assert_int_equal(virtio_blk_restore(&target.blk, &disk), 0);
	assert_int_equal(virtio_device_restore(&target.device, &core, queues, 1), 0);
	expect(&target.blk, FLUSH, 1, CAPACITY);
	refuse(&target.blk, &disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blk_save_holds_what_driver_and_operator_have_changed),
		cmocka_unit_test(blk_restore_brings_back_every_state_that_a_driver_can_reach),
		cmocka_unit_test(blk_restore_refuses_a_writeback_that_no_driver_can_reach),
		cmocka_unit_test(blk_restore_refuses_a_feature_that_is_not_offered),
		cmocka_unit_test(blk_restore_refuses_other_features_than_were_negotiated),
		cmocka_unit_test(blk_restore_keeps_the_capacity_and_refuses_a_smaller_disk),
		cmocka_unit_test(blk_restore_survives_the_restore_of_a_device_core_in_either_order),
		cmocka_unit_test(blk_restore_of_other_features_ends_with_the_cores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
