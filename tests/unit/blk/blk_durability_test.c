/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Under write-through, a change must be stable before its status reports success. The back end has
 * two copies of the disk: the current content, and the content at the last sync. The back end
 * records the order of its calls, and checks the status byte in each call. So blk_check_disk()
 * fails if the status was written before a change or its sync.
 */
#include "blk_fixture.h"

#include <pthread.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WRITEBACK 32 /* offset of the field in the configuration space */

static const struct virtio_blk_range ranges[] = { { 2, 3, 0 }, { 7, 0, 0 }, { 8, 1, 0 } };

/* A request that changes the disk. */
struct change {
	uint32_t type;
	uint32_t calls; /* number of calls of the back end, without the sync */
	enum blk_op op; /* operation of these calls */
};

static const struct change changes[] = {
	{ VIRTIO_BLK_T_OUT, 1, BLK_WRITE },
	{ VIRTIO_BLK_T_DISCARD, 2, BLK_DISCARD },
	{ VIRTIO_BLK_T_WRITE_ZEROES, 2, BLK_ZERO },
	{ VIRTIO_BLK_T_SECURE_ERASE, 2, BLK_ERASE },
};

static struct blk_ask ask_of(const struct change *change)
{
	static uint8_t bytes[48];
	struct blk_ask ask = { .type = change->type, .out = bytes, .out_bytes = sizeof bytes };

	blk_fill_pattern();
	blk_put_ranges(bytes, ranges, 3);
	if (change->type == VIRTIO_BLK_T_OUT)
		ask = (struct blk_ask){ .type = change->type, .sector = 2, .out = blk_pattern, .out_bytes = 1536 };
	return ask;
}

static void apply(struct blk_fixture *f, const struct change *change)
{
	if (change->type == VIRTIO_BLK_T_OUT)
		memcpy(f->disk_model + 1024, blk_pattern, 1536);
	for (uint32_t i = 0; change->type != VIRTIO_BLK_T_OUT && i < 3; i++)
		memset(f->disk_model + ranges[i].sector * 512, blk_after(change->op), (size_t)ranges[i].sectors * 512);
}

/* A driver that writes the field `writeback` while a request is carried out. */
struct toggle {
	struct virtio_blk *blk;
	enum blk_op when; /* the driver writes in calls of this operation until `taken` is true */
	uint8_t value;    /* value that the driver writes; 2 if it writes nothing */
	bool taken;       /* whether the write had an effect */
};

static void toggle(void *context, enum blk_op op)
{
	struct toggle *t = context;

	if (op != t->when || t->value > 1 || t->taken)
		return;
	t->taken = virtio_blk_config_write(t->blk, WRITEBACK, &t->value, 1);
}

static bool is_written_through(uint64_t features, uint8_t writeback)
{
	return features & BLK_WCE ? writeback == 0 : !(features & BLK_FLUSH);
}

static void setup(struct blk_fixture *f, bool wce, uint64_t features)
{
	blk_setup_commands(f, BLK_RAM);
	f->options.config_wce = wce;
	blk_restart(f, features | BLK_COMMANDS);
}

/*
 * Tests every set of features, every value of writeback at submission, and every change of
 * writeback while the request is carried out or synced. By virtio 1.4, 5.2.6.2, a reported write is
 * stable if writeback is 0 from submission to completion. A reported write is also stable if the
 * driver accepted neither FLUSH nor CONFIG_WCE. If writeback changes during the request, the write
 * may be stable or not. Our library uses the value after the change of the disk.
 */
static void blk_change_is_stable_before_it_is_reported_in_every_cache_mode(void **state)
{
	static const uint64_t features[] = { 0, BLK_FLUSH, BLK_WCE, BLK_FLUSH | BLK_WCE };
	uint32_t synced = 0, unsynced = 0;

	(void)state;
	/*
	 * `i` selects the command, the features, the offer of CONFIG_WCE, and the first value of
	 * writeback. `i` also selects the value that the driver writes (0, 1, none), and when it
	 * writes.
	 */
	for (uint32_t i = 0; i < 4 * 4 * 2 * 2 * 3 * 2; i++) {
		const struct change *change = &changes[i % 4];
		const uint64_t accepted = features[i / 4 % 4];
		const bool wce = i / 16 % 2;
		uint8_t before = (uint8_t)(i / 32 % 2), after;
		static struct blk_fixture f;
		struct toggle t = { .blk = &f.blk,
				    .when = i / 192 ? BLK_SYNC : change->op,
				    .value = (uint8_t)(i / 64 % 3) };
		const struct blk_ask ask = ask_of(change);
		bool through;

		if ((accepted & BLK_WCE) && !wce)
			continue;
		setup(&f, wce, accepted);
		virtio_blk_config_write(&f.blk, WRITEBACK, &before, 1);
		before = f.blk.writeback;
		f.backend.meanwhile = toggle;
		f.backend.meanwhile_context = &t;
		blk_send(&f, &ask);
		assert_int_equal(blk_serve(&f), 1);
		apply(&f, change);
		blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_OK);
		blk_check_memory(&f);
		blk_check_disk(&f);

		/*
		 * Here `after` is the value of writeback after the change of the disk and before
		 * the sync.
		 */
		after = t.taken && t.when == change->op ? t.value : before;
		through = is_written_through(accepted, after);
		assert_int_equal(f.backend.flushes, through);
		assert_int_equal(f.backend.logged, change->calls + through);
		if (through) {
			assert_int_equal(f.backend.log[change->calls].op, BLK_SYNC);
			assert_memory_equal(f.backend.stable, f.disk_model, BLK_DISK);
			synced++;
		} else {
			unsynced++;
		}
	}
	assert_true(synced > 50 && unsynced > 50);
}

/* A change whose sync failed must not be reported as done. */
static void blk_change_fails_when_its_sync_does(void **state)
{
	static const int errors[] = { VIRTIO_EIO, VIRTIO_EFAULT, 1, -5 };

	(void)state;
	for (size_t i = 0; i < 4 * COUNT(errors); i++) {
		const struct change *change = &changes[i % 4];
		const struct blk_ask ask = ask_of(change);
		static struct blk_fixture f;

		setup(&f, true, BLK_WCE);
		f.backend.flush_error = errors[i / 4];
		blk_send(&f, &ask);
		assert_int_equal(blk_serve(&f), 1);
		apply(&f, change);
		blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_IOERR);
		blk_check_memory(&f);
		blk_check_disk(&f);
		assert_int_equal(f.backend.flushes, 1);
		assert_int_equal(f.stats.failed, 1);
		assert_int_equal(f.stats.first_error, errors[i / 4]);
		assert_int_equal(f.stats.written_bytes, 0);
	}
}

/* A failed request is not synced, because its status promises nothing. */
static void blk_change_that_fails_is_not_synced(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const struct blk_ask ask = ask_of(&changes[i]);
		static struct blk_fixture f;

		setup(&f, false, 0);
		f.backend.fail_call = 1;
		f.backend.fail_with = VIRTIO_EIO;
		f.backend.range_fail_call = 2;
		f.backend.range_fail_with = VIRTIO_EIO;
		blk_send(&f, &ask);
		assert_int_equal(blk_serve(&f), 1);
		assert_int_equal(f.ram[blk_status_place(&ask)], VIRTIO_BLK_S_IOERR);
		assert_int_equal(f.backend.flushes, 0);
		assert_false(f.backend.status_early);
	}
}

/* A request that changes nothing is not synced. */
static void blk_change_of_nothing_is_not_synced(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		static const struct virtio_blk_range empty[] = { { BLK_SECTORS, 0, 0 }, { 0, 0, 0 } };
		static struct blk_fixture f;
		uint8_t bytes[32];
		struct blk_ask ask = { .type = changes[i].type, .out = bytes };

		ask.out_bytes = i ? blk_put_ranges(bytes, empty, 2) : 0;
		setup(&f, false, 0);
		blk_send(&f, &ask);
		assert_int_equal(blk_serve(&f), 1);
		blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_OK);
		blk_check_memory(&f);
		blk_check_disk(&f);
		assert_int_equal(f.backend.logged, 0);
	}
}

/*
 * Case 3 of virtio 1.4, 5.2.6.2: a completed flush makes all earlier completed writes stable.
 */
static void blk_flush_makes_everything_before_it_stable(void **state)
{
	static const uint64_t features[] = { BLK_FLUSH, BLK_FLUSH | BLK_WCE };
	const struct blk_ask flush = { .type = VIRTIO_BLK_T_FLUSH };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		static struct blk_fixture f;

		setup(&f, true, features[i]);
		for (size_t k = 0; k < 4; k++) {
			const struct blk_ask ask = ask_of(&changes[k]);

			memcpy(f.disk_model, f.backend.stable, BLK_DISK);
			blk_send(&f, &ask);
			assert_int_equal(blk_serve(&f), 1);
			/* Before the flush the change is volatile. */
			assert_memory_equal(f.backend.stable, f.disk_model, BLK_DISK);
			apply(&f, &changes[k]);
			blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_OK);
			blk_send(&f, &flush);
			assert_int_equal(blk_serve(&f), 1);
			blk_expect(&f, &flush, NULL, 0, VIRTIO_BLK_S_OK);
			blk_check_memory(&f);
			blk_check_disk(&f);
			assert_memory_equal(f.backend.stable, f.disk_model, BLK_DISK);
		}
		assert_int_equal(f.backend.flushes, 4);
		f.backend.flush_error = VIRTIO_EIO;
		blk_send(&f, &flush);
		assert_int_equal(blk_serve(&f), 1);
		assert_int_equal(f.ram[blk_status_place(&flush)], VIRTIO_BLK_S_IOERR);
	}
}

/*
 * If the back end has no operation `flush`, the disk promises no stable writes and must not call
 * the missing operation.
 */
static void blk_change_needs_no_sync_where_none_is_offered(void **state)
{
	struct virtio_blk_backend_ops ops = blk_all_ops;

	(void)state;
	ops.flush = NULL;
	for (size_t i = 0; i < 4; i++) {
		const struct blk_ask ask = ask_of(&changes[i]);
		static struct blk_fixture f;

		blk_setup_commands(&f, BLK_RAM);
		f.options.backend.ops = &ops;
		blk_restart(&f, BLK_COMMANDS);
		blk_send(&f, &ask);
		assert_int_equal(blk_serve(&f), 1);
		apply(&f, &changes[i]);
		blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_OK);
		blk_check_memory(&f);
		blk_check_disk(&f);
		assert_int_equal(f.backend.logged, changes[i].calls);
	}
}

/*
 * A device that does its own I/O calls virtio_blk_write_through() after each write to the disk. The
 * function returns whether the cache is write-through at that moment.
 */
static void blk_write_through_is_that_of_the_moment(void **state)
{
	static struct blk_fixture f;

	(void)state;
	setup(&f, true, BLK_FLUSH | BLK_WCE);
	for (int i = 0; i < 3; i++) {
		assert_false(virtio_blk_write_through(&f.blk));
		assert_true(virtio_blk_config_write(&f.blk, WRITEBACK, "\0", 1));
		assert_true(virtio_blk_write_through(&f.blk));
		assert_true(virtio_blk_config_write(&f.blk, WRITEBACK, "\1", 1));
	}
}

/* Switches the cache mode while another thread serves requests. */
static void *switch_often(void *context)
{
	struct virtio_blk *blk = context;

	for (int i = 0; i < 2000; i++)
		virtio_blk_config_write(blk, WRITEBACK, i % 2 ? "\0" : "\1", 1);
	return NULL;
}

static void blk_config_write_may_run_beside_requests(void **state)
{
	const struct change *change = &changes[0];
	const struct blk_ask ask = ask_of(change);
	static struct blk_fixture f;
	pthread_t thread;

	(void)state;
	setup(&f, true, BLK_FLUSH | BLK_WCE);
	assert_int_equal(pthread_create(&thread, NULL, switch_often, &f.blk), 0);
	for (int i = 0; i < 50; i++) {
		blk_send(&f, &ask);
		assert_int_equal(blk_serve(&f), 1);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(virtio_blk_write_through(&f.blk));
	apply(&f, change);
	blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_OK);
	blk_check_memory(&f);
	blk_check_disk(&f);
	blk_send(&f, &ask);
	assert_int_equal(blk_serve(&f), 1);
	assert_memory_equal(f.backend.stable, f.disk_model, BLK_DISK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blk_change_is_stable_before_it_is_reported_in_every_cache_mode),
		cmocka_unit_test(blk_change_fails_when_its_sync_does),
		cmocka_unit_test(blk_change_that_fails_is_not_synced),
		cmocka_unit_test(blk_change_of_nothing_is_not_synced),
		cmocka_unit_test(blk_flush_makes_everything_before_it_stable),
		cmocka_unit_test(blk_change_needs_no_sync_where_none_is_offered),
		cmocka_unit_test(blk_write_through_is_that_of_the_moment),
		cmocka_unit_test(blk_config_write_may_run_beside_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
