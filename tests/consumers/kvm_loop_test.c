/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests the KVM-style VMM with its echo device. The memory is two slots. The second slot has a
 * dirty log.
 */
#include "kvm_loop.c"

#include "cmocka_includes.h"
#include "guest.h"

#define ECHO_BYTES 600u /* more than the device's bounce buffer */
#define IN 1024u        /* offset of the answer from the request's address */
#define LOG_BYTES 8u

static struct echo_device device;
static struct vmm vmm;
static uint64_t dirty; /* the dirty log, with one bit for each page */

static void interrupt(void *vm)
{
	assert_ptr_equal(vm, &vmm);
	guest_interrupt();
}

static void start_device(struct guest *g, const struct virtio_queue_config *config)
{
	static const struct kvm_slot slots[] = {
		{ .gpa = 0, .size = GUEST_DATA, .userspace_addr = guest.ram },
		{ .gpa = GUEST_DATA,
		  .size = GUEST_BYTES - GUEST_DATA,
		  .userspace_addr = guest.ram + GUEST_DATA,
		  .log = { .bitmap = &dirty, .size = LOG_BYTES, .page_shift = 12, .unit = 1 } },
	};

	(void)g;
	assert_int_equal(vmm_set_memory(&vmm, slots, 2), 0);
	assert_int_equal(echo_activate(&device, &vmm, config), 0);
}

static void reset_device(struct guest *g)
{
	(void)g;
	echo_reset(&device);
}

static int run_device(struct guest *g)
{
	const int got = echo_kicked(&device);

	(void)g;
	assert_in_range(got, 0, 1);
	return got;
}

static uint32_t fill(struct guest *g, uint32_t number, uint64_t addr, struct virtio_mock_buffer *buffers)
{
	(void)g;
	memset(guest_host(addr), (int)(number & 0x7f), ECHO_BYTES);
	memset(guest_host(addr + IN), 0xff, ECHO_BYTES);
	buffers[0] = (struct virtio_mock_buffer){ .addr = addr, .len = ECHO_BYTES };
	buffers[1] = (struct virtio_mock_buffer){ .addr = addr + IN, .len = ECHO_BYTES, .flags = VRING_DESC_F_WRITE };
	return 2;
}

static void check(struct guest *g, uint32_t number, uint64_t addr, uint32_t len)
{
	uint8_t expected[ECHO_BYTES];

	(void)g;
	memset(expected, (int)(number & 0x7f), sizeof expected);
	assert_int_equal(len, ECHO_BYTES);
	assert_memory_equal(guest_host(addr + IN), expected, sizeof expected);
	assert_true(dirty != 0);
}

static void kvm_loop_answers_every_request(void **state)
{
	static const struct guest_ops ops = {
		.start = start_device, .reset = reset_device, .run = run_device, .fill = fill, .check = check
	};

	(void)state;
	assert_int_equal(echo_init(&device, interrupt, &vmm), 0);
	guest_test_device(&ops);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(kvm_loop_answers_every_request) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
