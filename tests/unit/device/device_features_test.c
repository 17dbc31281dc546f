/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Negotiation of features: every word, every refusal, and the states in which negotiation is
 * allowed (virtio 1.4, 2.2).
 */
#include "device_fixture.h"

static void accept_word(struct device_fixture *f, uint32_t select, uint32_t bits)
{
	reg_set(f, REG_DRIVER_FEATURES_SEL, select);
	reg_set(f, REG_DRIVER_FEATURES, bits);
}

/* Tries FEATURES_OK. Returns whether the bit was set. */
static bool negotiates(struct device_fixture *f)
{
	reg_set(f, REG_STATUS, ST_FEATURES);
	return reg_get(f, REG_STATUS) == ST_FEATURES;
}

/* Hostile 86: FEATURES_OK is accepted with any subset of the offered bits that has VERSION_1. */
static void features_ok_accepts_any_subset(void **state)
{
	static const uint64_t bits[] = { F_DEVICE,   F_INDIRECT,          F_EVENT_IDX,
					 F_IN_ORDER, F_NOTIFICATION_DATA, F_RING_RESET };
	struct device_fixture f;

	(void)state;
	for (uint32_t set = 0; set < 1u << COUNT(bits); set++) {
		uint64_t features = 0;

		for (uint32_t i = 0; i < COUNT(bits); i++)
			features |= set & 1u << i ? bits[i] : 0;
		device_setup(&f);
		driver_negotiate(&f, features);
		assert_int_equal(f.calls[OP_CHECK], 1);
		expect_event(&f, 0, OP_CHECK, (uint32_t)features, (uint32_t)((features | F_VERSION_1) >> 32));
		for (uint32_t bit = 0; bit < 64; bit++)
			assert_int_equal(virtio_device_has_feature(&f.device, bit),
					 ((features | F_VERSION_1) >> bit & 1) != 0);
	}
}

static void features_ok_accepts_words_2_and_3(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_probe(&f);
	accept_word(&f, 1, 1);
	accept_word(&f, 2, WORD2);
	accept_word(&f, 3, WORD3);
	assert_int_equal(virtio_device_accepted_features(&f.device, 2), WORD2);
	assert_int_equal(virtio_device_accepted_features(&f.device, 3), WORD3);
	assert_int_equal(virtio_device_accepted_features(&f.device, 4), 0);
	assert_int_equal(virtio_device_accepted_features(&f.device, UINT32_MAX), 0);
	assert_false(virtio_device_has_feature(&f.device, 68));
	assert_true(negotiates(&f));
	assert_true(virtio_device_has_feature(&f.device, 68));
	assert_true(virtio_device_has_feature(&f.device, 127));
	assert_false(virtio_device_has_feature(&f.device, 69));
	assert_false(virtio_device_has_feature(&f.device, 128));
	assert_false(virtio_device_has_feature(&f.device, 128 + 32));
	assert_false(virtio_device_has_feature(&f.device, UINT32_MAX));
}

/*
 * Hostile 85: FEATURES_OK is refused with one bit that was not offered, in any of the four words.
 */
static void features_ok_refuses_every_unoffered_bit(void **state)
{
	struct device_fixture f;

	(void)state;
	for (uint32_t bit = 0; bit < 128; bit++) {
		const uint32_t word = bit / 32, mask = 1u << bit % 32;

		device_setup(&f);
		driver_probe(&f);
		accept_word(&f, 1, 1);
		accept_word(&f, word, mask | (word == 1 ? 1u : 0u));
		assert_int_equal(negotiates(&f), (virtio_device_offered_features(&f.device, word) & mask) != 0);
	}
}

/* The driver may change its choice until FEATURES_OK is set. */
static void features_ok_is_accepted_after_driver_has_corrected_its_choice(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_probe(&f);
	driver_accept(&f, F_VERSION_1 | FEATURE(5));
	assert_false(negotiates(&f));
	assert_int_equal(reg_get(&f, REG_STATUS), ST_DRIVER);
	assert_int_equal(f.calls[OP_CHECK], 0);
	assert_int_equal(f.device.first_error, VIRTIO_EINVAL);
	driver_accept(&f, F_VERSION_1);
	assert_true(negotiates(&f));
}

/*
 * Hostile 85: words after word 3 have no bits. Writing 0 there has no effect. Any other value makes
 * FEATURES_OK fail until a reset.
 */
static void features_ok_refuses_bits_beyond_the_last_word(void **state)
{
	static const uint32_t beyond[] = { 4, 5, 0x100, 0x10000, 0x10001, 0x80000000, 0x80000001, UINT32_MAX };
	struct device_fixture f;

	(void)state;
	for (uint32_t i = 0; i < COUNT(beyond); i++) {
		device_setup(&f);
		driver_probe(&f);
		driver_accept(&f, F_VERSION_1);
		accept_word(&f, beyond[i], 0);
		assert_true(negotiates(&f));
		reg_set(&f, REG_STATUS, 0);
		driver_probe(&f);
		driver_accept(&f, F_VERSION_1);
		accept_word(&f, beyond[i], 0x80000000);
		accept_word(&f, beyond[i], 0);
		assert_false(negotiates(&f));
		reg_set(&f, REG_STATUS, 0);
		driver_negotiate(&f, 0);
	}
}

/* Hostile 87: FEATURES_OK stays clear if the driver has not accepted VERSION_1. */
static void features_ok_refuses_driver_without_version_1(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_probe(&f);
	assert_false(negotiates(&f));
	driver_accept(&f, F_DEVICE | F_RING_RESET);
	assert_false(negotiates(&f));
	assert_int_equal(f.calls[OP_CHECK], 0);
}

/* The device may refuse a combination of features. Then DRIVER_OK cannot be set either. */
static void features_ok_refused_by_device(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	f.answer[OP_CHECK] = VIRTIO_EINVAL;
	driver_probe(&f);
	driver_accept(&f, F_VERSION_1 | F_DEVICE);
	reg_set(&f, REG_STATUS, ST_OK);
	assert_int_equal(reg_get(&f, REG_STATUS), ST_DRIVER);
	assert_int_equal(f.calls[OP_CHECK], 1);
	assert_int_equal(f.calls[OP_ACTIVATE], 0);
	assert_int_equal(f.device.first_error, VIRTIO_ENOTSUP);
	assert_int_equal(f.device.first_queue, VIRTIO_DEVICE_NO_QUEUE);
	assert_false(virtio_device_has_feature(&f.device, 0));
	f.answer[OP_CHECK] = 0;
	reg_set(&f, REG_STATUS, ST_OK);
	assert_int_equal(reg_get(&f, REG_STATUS), ST_OK);
}

/*
 * Hostile 84: features are ignored before DRIVER, after FEATURES_OK or FAILED, and when the device
 * needs a reset.
 */
static void features_accepted_outside_negotiation_are_ignored(void **state)
{
	static const uint8_t statuses[] = { 0x00, 0x01, 0x0b, 0x0f, 0x80, 0x81, 0x83, 0x8b };
	struct device_fixture f;

	(void)state;
	for (uint32_t i = 0; i < COUNT(statuses); i++) {
		device_setup(&f);
		if (statuses[i] & 2) {
			driver_probe(&f);
			driver_accept(&f, F_VERSION_1);
		}
		reg_set(&f, REG_STATUS, statuses[i] & 0xf);
		reg_set(&f, REG_STATUS, statuses[i]);
		for (uint32_t select = 0; select < 6; select++) {
			reg_set(&f, REG_DRIVER_FEATURES_SEL, select);
			device_keep(&f);
			reg_set(&f, REG_DRIVER_FEATURES, 1);
			assert_true(device_unchanged(&f));
		}
		assert_int_equal(f.device.ignored, 6);
	}
	device_setup(&f);
	driver_probe(&f);
	virtio_device_set_needs_reset(&f.device);
	device_keep(&f);
	reg_set(&f, REG_DRIVER_FEATURES, 1);
	assert_true(device_unchanged(&f));
}

/* A second write to a word replaces the first, and changes no other word. */
static void features_accepted_replace_what_was_accepted(void **state)
{
	struct device_fixture f;

	(void)state;
	device_setup(&f);
	driver_probe(&f);
	accept_word(&f, 0, UINT32_MAX);
	accept_word(&f, 1, UINT32_MAX);
	accept_word(&f, 0, 1);
	assert_int_equal(virtio_device_accepted_features(&f.device, 0), 1);
	assert_int_equal(virtio_device_accepted_features(&f.device, 1), UINT32_MAX);
	accept_word(&f, 1, 1);
	assert_true(negotiates(&f));
}

/* The queue's configuration has the negotiated features and no other features. */
static void features_negotiated_reach_queue_configuration(void **state)
{
	static const uint64_t bits[] = { F_EVENT_IDX, F_INDIRECT, F_IN_ORDER };
	struct device_fixture f;

	(void)state;
	for (uint32_t set = 0; set < 8; set++) {
		uint64_t features = 0;

		for (uint32_t i = 0; i < COUNT(bits); i++)
			features |= set & 1u << i ? bits[i] : 0;
		device_setup(&f);
		driver_negotiate(&f, features);
		driver_queue(&f, 0, 16);
		assert_int_equal(f.queues[0].config.event_idx, set & 1);
		assert_int_equal(f.queues[0].config.indirect, (set & 2) != 0);
		assert_int_equal(f.queues[0].config.in_order, (set & 4) != 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(features_ok_accepts_any_subset),
		cmocka_unit_test(features_ok_accepts_words_2_and_3),
		cmocka_unit_test(features_ok_refuses_every_unoffered_bit),
		cmocka_unit_test(features_ok_is_accepted_after_driver_has_corrected_its_choice),
		cmocka_unit_test(features_ok_refuses_bits_beyond_the_last_word),
		cmocka_unit_test(features_ok_refuses_driver_without_version_1),
		cmocka_unit_test(features_ok_refused_by_device),
		cmocka_unit_test(features_accepted_outside_negotiation_are_ignored),
		cmocka_unit_test(features_accepted_replace_what_was_accepted),
		cmocka_unit_test(features_negotiated_reach_queue_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
