/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Tests error codes: their values, and their names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <virtio/error.h>

static const struct {
	int code;
	const char *name;
} codes[] = {
#define CODE(name)                                                                                                     \
	{                                                                                                              \
		name, #name                                                                                            \
	}
	CODE(VIRTIO_EINVAL),    CODE(VIRTIO_ENOBUFS),   CODE(VIRTIO_EBUSY),     CODE(VIRTIO_ESTALE),
	CODE(VIRTIO_ENOTSUP),   CODE(VIRTIO_EFAULT),    CODE(VIRTIO_EPERM),     CODE(VIRTIO_ENOTMAPPED),
	CODE(VIRTIO_ENOOP),     CODE(VIRTIO_ENOTLAST),  CODE(VIRTIO_EREGION),   CODE(VIRTIO_EOVERLAP),
	CODE(VIRTIO_EALIGN),    CODE(VIRTIO_ESIZE),     CODE(VIRTIO_ENOTREADY), CODE(VIRTIO_EAVAILIDX),
	CODE(VIRTIO_EHEAD),     CODE(VIRTIO_EINFLIGHT), CODE(VIRTIO_EBROKEN),   CODE(VIRTIO_ENEXT),
	CODE(VIRTIO_ETOOLONG),  CODE(VIRTIO_EORDER),    CODE(VIRTIO_EINDIRECT), CODE(VIRTIO_EBYTES),
	CODE(VIRTIO_ESHORT),    CODE(VIRTIO_EIO),       CODE(VIRTIO_EFORMAT),   CODE(VIRTIO_EVERSION),
	CODE(VIRTIO_ECHECKSUM),
};

#define CODES (sizeof codes / sizeof codes[0])

static bool is_a_code(int value)
{
	for (size_t i = 0; i < CODES; i++)
		if (codes[i].code == value)
			return true;
	return false;
}

/* Tries every value near the codes, also the gaps between groups of codes. */
static void error_text_of_any_other_value_is_unknown(void **state)
{
	(void)state;
	for (int value = -2000; value < 0; value++)
		if (!is_a_code(value))
			assert_string_equal(virtio_strerror(value), "unknown error");
	assert_string_equal(virtio_strerror(INT_MIN), "unknown error");
	assert_string_equal(virtio_strerror(-4095), "unknown error");
}

static void error_text_of_success_is_no_error(void **state)
{
	(void)state;
	assert_string_equal(virtio_strerror(0), "no error");
	assert_string_equal(virtio_strerror(1), "no error");
	assert_string_equal(virtio_strerror(1001), "no error");
	assert_string_equal(virtio_strerror(INT_MAX), "no error");
}

/* A code must not equal an errno value or a count. Otherwise a mix-up would stay hidden. */
static void error_codes_are_distinct_and_no_errno(void **state)
{
	(void)state;
	for (size_t i = 0; i < CODES; i++) {
		assert_true(codes[i].code < -1000 && codes[i].code > -1100);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(codes[i].code, codes[j].code);
	}
}

static void error_text_begins_with_the_name_and_says_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < CODES; i++) {
		const char *text = virtio_strerror(codes[i].code);
		const size_t len = strlen(codes[i].name);

		assert_memory_equal(text, codes[i].name, len);
		assert_memory_equal(text + len, ": ", 2);
		assert_true(strlen(text) > len + 2);
		/* The text is static, so each call returns the same pointer. */
		assert_ptr_equal(text, virtio_strerror(codes[i].code));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_text_of_any_other_value_is_unknown),
		cmocka_unit_test(error_text_of_success_is_no_error),
		cmocka_unit_test(error_codes_are_distinct_and_no_errno),
		cmocka_unit_test(error_text_begins_with_the_name_and_says_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
