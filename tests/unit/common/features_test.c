/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests sets of feature bits: each bit has its own position, an operation changes no other bit, and
 * a bit beyond the set changes nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <virtio/features.h>

#define BITS (32 * VIRTIO_FEATURE_WORDS)

/* The set, with a guard word on each side. */
struct guarded {
	uint32_t before;
	uint32_t words[VIRTIO_FEATURE_WORDS];
	uint32_t after;
};

/* Expects the set given as little-endian bytes: bit i of the set is bit i % 8 of byte i / 8. */
static void expect(const struct guarded *got, const uint8_t bytes[BITS / 8])
{
	for (uint32_t i = 0; i < VIRTIO_FEATURE_WORDS; i++) {
		const uint8_t *word = bytes + i * sizeof *got->words;

		assert_int_equal(got->words[i], word[0] + word[1] * 0x100u + word[2] * 0x10000u + word[3] * 0x1000000u);
	}
	assert_int_equal(got->before, 0x5a5a5a5a);
	assert_int_equal(got->after, 0x5a5a5a5a);
}

static void features_set_changes_one_bit(void **state)
{
	(void)state;
	for (uint32_t bit = 0; bit < BITS; bit++) {
		struct guarded set = { .before = 0x5a5a5a5a, .after = 0x5a5a5a5a };
		uint8_t bytes[BITS / 8] = { 0 };

		bytes[bit / 8] = (uint8_t)(1u << bit % 8);
		for (int twice = 0; twice < 2; twice++) {
			virtio_feature_set(set.words, bit);
			expect(&set, bytes);
		}
		memset(set.words, 0xff, sizeof set.words);
		memset(bytes, 0xff, sizeof bytes);
		virtio_feature_set(set.words, bit);
		expect(&set, bytes);
	}
}

static void features_has_answers_for_its_bit_alone(void **state)
{
	(void)state;
	for (uint32_t bit = 0; bit < BITS; bit++) {
		uint32_t one[VIRTIO_FEATURE_WORDS] = { 0 }, others[VIRTIO_FEATURE_WORDS] = { 0 };

		for (uint32_t other = 0; other < BITS; other++)
			virtio_feature_set(other == bit ? one : others, other);
		for (uint32_t other = 0; other < BITS; other++) {
			assert_int_equal(virtio_feature_has(one, other), other == bit);
			assert_int_equal(virtio_feature_has(others, other), other != bit);
		}
	}
}

static void features_of_a_device_type_are_bits_0_to_23(void **state)
{
	(void)state;
	for (uint32_t bit = 0; bit < 64; bit++)
		assert_int_equal((VIRTIO_DEVICE_TYPE_FEATURES & virtio_feature_mask(bit)) != 0, bit < 24);
}

static void features_ignore_bits_beyond_the_set(void **state)
{
	static const uint32_t bits[] = { 128, 129, 159, 160, 255, 256, 0x7fffffff, 0x80000000, 0xffffffff };

	(void)state;
	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
		struct guarded set = { .before = 0x5a5a5a5a, .after = 0x5a5a5a5a };
		uint8_t bytes[BITS / 8] = { 0 };

		virtio_feature_set(set.words, bits[i]);
		expect(&set, bytes);
		assert_false(virtio_feature_has(set.words, bits[i]));
		memset(set.words, 0xff, sizeof set.words);
		assert_false(virtio_feature_has(set.words, bits[i]));
	}
}

static void features_masks_have_one_bit_below_64_and_none_above(void **state)
{
	uint64_t want = 1;

	(void)state;
	for (uint32_t bit = 0; bit < 64; bit++, want *= 2)
		assert_true(virtio_feature_mask(bit) == want);
	for (uint32_t bit = 64; bit < 300; bit++)
		assert_true(virtio_feature_mask(bit) == 0);
	assert_true(virtio_feature_mask(UINT32_MAX) == 0);
}

static void features_convert_from_and_to_a_mask(void **state)
{
	(void)state;
	for (uint32_t bit = 0; bit < 64; bit++) {
		struct guarded set = { .before = 0x5a5a5a5a, .after = 0x5a5a5a5a };
		uint8_t bytes[BITS / 8] = { 0 };

		/* The conversion must clear all old bits, also bits from 64 on. */
		memset(set.words, 0xff, sizeof set.words);
		bytes[bit / 8] = (uint8_t)(1u << bit % 8);
		virtio_features_from_u64(set.words, virtio_feature_mask(bit));
		expect(&set, bytes);
		assert_true(virtio_features_to_u64(set.words) == virtio_feature_mask(bit));
	}
	for (uint32_t bit = 64; bit < BITS; bit++) {
		uint32_t words[VIRTIO_FEATURE_WORDS] = { 1, 0x80000000 };

		virtio_feature_set(words, bit);
		assert_true(virtio_features_to_u64(words) == UINT64_C(0x8000000000000001));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(features_set_changes_one_bit),
		cmocka_unit_test(features_has_answers_for_its_bit_alone),
		cmocka_unit_test(features_of_a_device_type_are_bits_0_to_23),
		cmocka_unit_test(features_ignore_bits_beyond_the_set),
		cmocka_unit_test(features_masks_have_one_bit_below_64_and_none_above),
		cmocka_unit_test(features_convert_from_and_to_a_mask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
