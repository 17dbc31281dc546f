/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Types of requests, their features, GET_LIFETIME, limits on data, statistics, refusal names. */
#include "blk_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The specification's numbers of the types (5.2.6), each with the feature that it needs, or 0. */
static const struct {
	uint32_t type;
	uint64_t feature;
} known[] = {
	{ 0, 0 },
	{ 1, 0 },
	{ 4, UINT64_C(1) << 9 },
	{ 8, 0 },
	{ 10, UINT64_C(1) << 15 },
	{ 11, UINT64_C(1) << 13 },
	{ 13, UINT64_C(1) << 14 },
	{ 14, UINT64_C(1) << 16 },
};

#define ALL_FEATURES (BLK_FLUSH | BLK_COMMANDS)

/* Returns whether a driver that has accepted these features may use the type. */
static bool is_supported(uint32_t type, uint64_t features)
{
	for (size_t i = 0; i < COUNT(known); i++) {
		if (known[i].type == type)
			return (known[i].feature & ~features) == 0;
	}
	return false;
}

/* Returns a request of this type, which is valid if the type is supported. */
static struct blk_ask ask_of(uint32_t type)
{
	static const uint8_t range[16] = { [8] = 1 };
	struct blk_ask ask = { .type = type };

	if (type == VIRTIO_BLK_T_OUT)
		ask.out = blk_pattern, ask.out_bytes = 512;
	else if (type == VIRTIO_BLK_T_DISCARD || type == VIRTIO_BLK_T_WRITE_ZEROES || type == VIRTIO_BLK_T_SECURE_ERASE)
		ask.out = range, ask.out_bytes = 16;
	else if (type != VIRTIO_BLK_T_FLUSH)
		ask.in_bytes = 512;
	return ask;
}

/*
 * Serves a request of this type and checks its status. After a success restores the disk, and
 * copies guest memory into its model.
 */
static void serve_type(struct blk_fixture *f, uint32_t type, bool supported)
{
	const struct blk_ask ask = ask_of(type);

	if (!supported) {
		blk_refused(f, &ask, VIRTIO_BLK_S_UNSUPP);
		return;
	}
	blk_send(f, &ask);
	assert_true(blk_serve(f) <= ask.in_bytes + 1);
	assert_int_equal(f->ram[blk_status_place(&ask)], VIRTIO_BLK_S_OK);
	assert_false(f->backend.status_early);
	memcpy(f->backend.disk, f->disk_model, BLK_DISK);
	memcpy(f->model, f->ram, sizeof f->ram);
}

/*
 * Hostile 122 and 127: every small type is sent, also the types of zones and legacy types, alone
 * and with one of three high bits.
 */
static void blk_types_are_served_only_under_their_feature(void **state)
{
	static const uint32_t high[] = { 0, UINT32_C(1) << 31, 1u << 8, 1u << 16 };
	static struct blk_fixture f;

	(void)state;
	blk_fill_pattern();
	blk_setup_commands(&f, BLK_RAM);
	/* Every set of the five features. */
	for (uint32_t set = 0; set < 32; set++) {
		uint64_t features = 0;

		for (uint32_t i = 0, bit = 0; i < COUNT(known); i++) {
			if (known[i].feature && set >> bit++ & 1)
				features |= known[i].feature;
		}
		blk_restart(&f, features);
		for (uint32_t type = 0; type <= 40; type++) {
			serve_type(&f, type, is_supported(type, features));
			for (size_t i = 1; i < COUNT(high); i++)
				serve_type(&f, type | high[i], false);
		}
	}
}

static void blk_types_at_random_are_not_supported(void **state)
{
	static struct blk_fixture f;
	uint32_t x = 0x2545f491;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	for (int i = 0; i < 5000; i++) {
		x ^= x << 13, x ^= x >> 17, x ^= x << 5;
		if (x > 40)
			serve_type(&f, x, false);
	}
	serve_type(&f, UINT32_MAX, false);
}

/*
 * The disk offers no optional command but FLUSH. The back end lacks the operations of the other
 * commands, so a call by mistake would crash.
 */
static void blk_types_of_features_not_offered_are_not_supported(void **state)
{
	static struct blk_fixture f;

	(void)state;
	blk_setup(&f, 64);
	for (uint32_t type = 5; type <= 40; type++) {
		if (type != VIRTIO_BLK_T_GET_ID)
			serve_type(&f, type, false);
	}
}

/*
 * Zones are never offered. So commands on zones (5.2.6) are refused whatever was negotiated. The
 * numbers are the specification's.
 */
static void blk_zone_commands_are_not_supported(void **state)
{
	static const uint32_t types[] = { 15, 16, 18, 20, 22, 24, 26 };
	static struct blk_fixture f;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	for (size_t i = 0; i < COUNT(types); i++) {
		struct blk_ask ask = { .type = types[i] };

		blk_refused(&f, &ask, VIRTIO_BLK_S_UNSUPP);
		ask.in_bytes = 8;
		blk_refused(&f, &ask, VIRTIO_BLK_S_UNSUPP);
		ask.out = blk_pattern;
		ask.out_bytes = 512;
		blk_refused(&f, &ask, VIRTIO_BLK_S_UNSUPP);
	}
	assert_int_equal(f.stats.unsupported, 21);
	assert_int_equal(f.stats.others, 21);
	assert_int_equal(virtio_blk_negotiate(&f.blk, UINT64_C(1) << VIRTIO_BLK_F_ZONED), VIRTIO_EINVAL);
}

/* A read-only disk refuses the commands that change the disk. All other commands work. */
static void blk_types_of_a_read_only_disk_only_read(void **state)
{
	static struct blk_fixture f;

	(void)state;
	blk_fill_pattern();
	blk_setup_commands(&f, BLK_RAM);
	f.options.read_only = true;
	f.options.max_discard_seg = f.options.max_write_zeroes_seg = f.options.max_secure_erase_seg = 0;
	f.options.max_discard_sectors = f.options.max_write_zeroes_sectors = f.options.max_secure_erase_sectors = 0;
	blk_restart(&f, BLK_RO | BLK_FLUSH | BLK_F_LIFETIME);
	for (uint32_t type = 2; type <= 40; type++)
		serve_type(&f, type, type == 4 || type == 8 || type == 10);
	serve_type(&f, VIRTIO_BLK_T_IN, true);
	blk_refused(&f, &(struct blk_ask){ .type = VIRTIO_BLK_T_OUT, .out = blk_pattern, .out_bytes = 512 },
		    VIRTIO_BLK_S_IOERR);
}

/* GET_LIFETIME */

static void check_lifetime(struct blk_fixture *f, const struct blk_ask *ask)
{
	const struct virtio_blk_wear *w = &f->backend.wear;
	const uint8_t expected[6] = { (uint8_t)w->pre_eol_info, 0, (uint8_t)w->typ_a, 0, (uint8_t)w->typ_b, 0 };

	memset(f->bitmap, 0, sizeof f->bitmap);
	blk_send(f, ask);
	/* If the buffer has more than 6 bytes, the used length excludes the status. */
	assert_int_equal(blk_serve(f), ask->in_bytes == 6 ? 7 : 6);
	blk_expect(f, ask, expected, 6, VIRTIO_BLK_S_OK);
	blk_check_memory(f);
	blk_check_disk(f);
	blk_check_dirty(f, ask, 6);
}

static void blk_lifetime_fills_six_bytes_in_any_layout(void **state)
{
	(void)state;
	for (size_t r = 0; r < BLK_MEMORIES; r++) {
		static struct blk_fixture f;

		blk_setup_commands(&f, blk_memories[r]);
		f.backend.wear = (struct virtio_blk_wear){ 3, 11, 10 };
		for (uint32_t room = 0; room <= 20; room++) {
			for (uint32_t piece = 0; piece <= room + 1; piece++) {
				const struct blk_ask ask = { .type = VIRTIO_BLK_T_GET_LIFETIME,
							     .sector = UINT64_MAX,
							     .in_bytes = room,
							     .readable_piece = piece % 3,
							     .writable_piece = piece,
							     .gap = 70 };

				if (room < 6)
					blk_refused(&f, &ask, VIRTIO_BLK_S_IOERR);
				else
					check_lifetime(&f, &ask);
			}
		}
	}
}

static void blk_lifetime_with_data_is_refused(void **state)
{
	const struct blk_ask ask = {
		.type = VIRTIO_BLK_T_GET_LIFETIME, .in_bytes = 6, .out = blk_pattern, .out_bytes = 1
	};
	static struct blk_fixture f;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	blk_refused(&f, &ask, VIRTIO_BLK_S_IOERR);
}

/* If one value is reserved, the driver gets none of the values. */
static void blk_lifetime_never_sends_reserved_values(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_GET_LIFETIME, .in_bytes = 6 };
	static struct blk_fixture f;
	uint64_t refused = 0;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	for (uint32_t i = 0; i < 6 * 14 * 14; i++) {
		const uint16_t info = (uint16_t)(i % 6), a = (uint16_t)(i / 6 % 14), b = (uint16_t)(i / 84);
		const struct virtio_blk_wear wear = { info == 5 ? 0x103 : info, a == 13 ? 0x10b : a,
						      b == 13 ? UINT16_MAX : b };

		f.backend.wear = wear;
		if (info <= 3 && a <= 11 && b <= 11) {
			check_lifetime(&f, &ask);
			continue;
		}
		blk_send(&f, &ask);
		assert_int_equal(blk_serve(&f), 0);
		blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_IOERR);
		blk_check_memory(&f);
		assert_int_equal(f.stats.failed, ++refused);
	}
	assert_int_equal(f.stats.first_error, VIRTIO_EIO);
}

static void blk_lifetime_fails_when_the_back_end_does(void **state)
{
	const struct blk_ask ask = { .type = VIRTIO_BLK_T_GET_LIFETIME, .in_bytes = 7 };
	static struct blk_fixture f;

	(void)state;
	blk_setup_commands(&f, BLK_RAM);
	f.backend.wear = (struct virtio_blk_wear){ 1, 2, 3 };
	f.backend.wear_error = VIRTIO_ENOTSUP;
	blk_send(&f, &ask);
	assert_int_equal(blk_serve(&f), 0);
	blk_expect(&f, &ask, NULL, 0, VIRTIO_BLK_S_IOERR);
	blk_check_memory(&f);
	assert_int_equal(f.stats.failed, 1);
	assert_int_equal(f.stats.first_error, VIRTIO_ENOTSUP);
}

/* The limit on a request's data */

static void blk_reads_and_writes_have_the_limit_of_the_options(void **state)
{
	static const uint64_t limits[] = { 1, 511, 512, 513, 1023, 1024, 2048, UINT64_MAX };
	static struct blk_fixture f;

	(void)state;
	blk_fill_pattern();
	blk_setup_commands(&f, BLK_RAM);
	for (size_t i = 0; i < COUNT(limits); i++) {
		f.options.max_request_bytes = limits[i];
		blk_restart(&f, ALL_FEATURES);
		for (uint32_t bytes = 0; bytes <= 2560; bytes += 512) {
			const struct blk_ask in = { .type = VIRTIO_BLK_T_IN, .in_bytes = bytes };
			const struct blk_ask out = { .type = VIRTIO_BLK_T_OUT, .out = blk_pattern, .out_bytes = bytes };

			if (bytes > limits[i]) {
				blk_refused(&f, &in, VIRTIO_BLK_S_IOERR);
				blk_refused(&f, &out, VIRTIO_BLK_S_IOERR);
				continue;
			}
			blk_send(&f, &in);
			assert_int_equal(blk_serve(&f), bytes + 1);
			blk_expect(&f, &in, f.disk_model, bytes, VIRTIO_BLK_S_OK);
			blk_send(&f, &out);
			assert_int_equal(blk_serve(&f), 1);
			memcpy(f.disk_model, blk_pattern, bytes);
			blk_expect(&f, &out, NULL, 0, VIRTIO_BLK_S_OK);
			blk_check_memory(&f);
			blk_check_disk(&f);
		}
		/* The limit holds for reads and writes only. */
		serve_type(&f, VIRTIO_BLK_T_GET_ID, true);
		serve_type(&f, VIRTIO_BLK_T_GET_LIFETIME, true);
		serve_type(&f, VIRTIO_BLK_T_DISCARD, true);
		serve_type(&f, VIRTIO_BLK_T_WRITE_ZEROES, true);
		serve_type(&f, VIRTIO_BLK_T_SECURE_ERASE, true);
	}
}

/* Statistics */

static void blk_stats_count_each_type_in_its_own_place(void **state)
{
	static const size_t counters[] = {
		[VIRTIO_BLK_T_IN] = offsetof(struct virtio_blk_stats, reads),
		[VIRTIO_BLK_T_OUT] = offsetof(struct virtio_blk_stats, writes),
		[VIRTIO_BLK_T_FLUSH] = offsetof(struct virtio_blk_stats, flushes),
		[VIRTIO_BLK_T_GET_ID] = offsetof(struct virtio_blk_stats, ids),
		[VIRTIO_BLK_T_GET_LIFETIME] = offsetof(struct virtio_blk_stats, others),
		[VIRTIO_BLK_T_DISCARD] = offsetof(struct virtio_blk_stats, discards),
		[VIRTIO_BLK_T_WRITE_ZEROES] = offsetof(struct virtio_blk_stats, write_zeroes),
		[VIRTIO_BLK_T_SECURE_ERASE] = offsetof(struct virtio_blk_stats, secure_erases),
	};
	static struct blk_fixture f;

	(void)state;
	blk_fill_pattern();
	blk_setup_commands(&f, BLK_RAM);
	for (size_t i = 0; i < COUNT(known); i++) {
		/*
		 * The outcomes 0, 1 and 2 are done, unsupported and failed. Outcomes 1 and 2 also
		 * have a counter each: `unsupported` and `failed`.
		 */
		for (int outcome = 0; outcome < 3; outcome++) {
			struct virtio_blk_stats expected;
			const bool always = known[i].feature == 0;
			struct blk_ask ask = ask_of(known[i].type);

			if (outcome == 1 && always)
				continue;
			memset(&expected, 0, sizeof expected);
			memset(&f.stats, 0, sizeof f.stats);
			blk_restart(&f, outcome == 1 ? 0 : ALL_FEATURES);
			/*
			 * A request with a partial header has no type. So the counter `others`
			 * counts the request.
			 */
			if (outcome == 2)
				ask.header_bytes = 12, ask.out_bytes = 0;
			blk_send(&f, &ask);
			blk_serve(&f);
			*(uint64_t *)(void *)((uint8_t *)&expected +
					      (outcome == 2 ? offsetof(struct virtio_blk_stats, others)
							    : counters[known[i].type])) = 1;
			expected.unsupported = outcome == 1;
			expected.failed = outcome == 2;
			expected.first_error = outcome == 2 ? VIRTIO_ESHORT : 0;
			expected.first_refusal = outcome == 0   ? VIRTIO_BLK_REFUSAL_NONE
						 : outcome == 1 ? VIRTIO_BLK_REFUSAL_NOT_NEGOTIATED
								: VIRTIO_BLK_REFUSAL_BAD_CHAIN;
			if (outcome == 0) {
				expected.read_bytes = known[i].type == VIRTIO_BLK_T_IN ? 512 : 0;
				expected.written_bytes = known[i].type == VIRTIO_BLK_T_OUT ? 512 : 0;
			}
			assert_memory_equal(&f.stats, &expected, sizeof expected);
		}
	}
}

/* Refusals: their names and statuses */

#define REFUSAL(name) VIRTIO_BLK_REFUSAL_##name

static void blk_refusal_name_differs_for_each_refusal(void **state)
{
	(void)state;
	for (int i = REFUSAL(NONE); i <= REFUSAL(PAST_END); i++) {
		const char *name = virtio_blk_refusal_name((enum virtio_blk_refusal)i);

		assert_true(strlen(name) > 0);
		assert_string_not_equal(name, "unknown refusal");
		assert_ptr_equal(name, virtio_blk_refusal_name((enum virtio_blk_refusal)i));
		for (int k = REFUSAL(NONE); k < i; k++)
			assert_string_not_equal(name, virtio_blk_refusal_name((enum virtio_blk_refusal)k));
	}
	assert_string_equal(virtio_blk_refusal_name(REFUSAL(NONE)), "not refused");
	assert_string_equal(virtio_blk_refusal_name((enum virtio_blk_refusal)(REFUSAL(PAST_END) + 1)),
			    "unknown refusal");
}

static void blk_refusal_status_is_unsupported_for_what_the_device_does_not_know(void **state)
{
	(void)state;
	assert_int_equal(virtio_blk_refusal_status(REFUSAL(NONE)), VIRTIO_BLK_S_OK);
	for (int i = REFUSAL(BAD_CHAIN); i <= REFUSAL(PAST_END); i++) {
		const bool unknown =
			i == REFUSAL(UNKNOWN_TYPE) || i == REFUSAL(NOT_NEGOTIATED) || i == REFUSAL(UNKNOWN_FLAG);

		assert_int_equal(virtio_blk_refusal_status((enum virtio_blk_refusal)i),
				 unknown ? VIRTIO_BLK_S_UNSUPP : VIRTIO_BLK_S_IOERR);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blk_types_are_served_only_under_their_feature),
		cmocka_unit_test(blk_types_at_random_are_not_supported),
		cmocka_unit_test(blk_types_of_features_not_offered_are_not_supported),
		cmocka_unit_test(blk_zone_commands_are_not_supported),
		cmocka_unit_test(blk_types_of_a_read_only_disk_only_read),
		cmocka_unit_test(blk_lifetime_fills_six_bytes_in_any_layout),
		cmocka_unit_test(blk_lifetime_with_data_is_refused),
		cmocka_unit_test(blk_lifetime_never_sends_reserved_values),
		cmocka_unit_test(blk_lifetime_fails_when_the_back_end_does),
		cmocka_unit_test(blk_reads_and_writes_have_the_limit_of_the_options),
		cmocka_unit_test(blk_stats_count_each_type_in_its_own_place),
		cmocka_unit_test(blk_refusal_name_differs_for_each_refusal),
		cmocka_unit_test(blk_refusal_status_is_unsupported_for_what_the_device_does_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
