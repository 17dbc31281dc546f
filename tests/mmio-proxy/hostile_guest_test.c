/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A guest may misuse registers and rings. The devices tolerate this, and work again after a reset.
 */
#include "driver.h"

#include "cmocka_includes.h"

#include <rng.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <virtio/bindings/virtio_blk.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_mmio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ALIVE                                                                                                          \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK)

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Checks that both devices still serve requests after a reset. */
static void expect_both_work(struct vm *vm)
{
	struct driver block, entropy;

	driver_init(&block, vm, BLOCK);
	driver_set_up(&block, FEATURE(VIRTIO_RING_F_EVENT_IDX) | FEATURE(VIRTIO_BLK_F_FLUSH));
	driver_init(&entropy, vm, ENTROPY);
	driver_set_up(&entropy, FEATURE(VIRTIO_RING_F_EVENT_IDX));
	block_write_and_read(&block, 3, 0x5a);
	assert_int_equal(entropy_get(&entropy, 100), 100);
}

/*
 * Hostile 95, 96 and 103: the test accesses random offsets with random widths. The values are small
 * numbers, addresses in guest memory, or random. Guest memory holds random bytes.
 */
static void registers_accept_any_access(void **state)
{
	uint32_t seed = 1;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	for (uint32_t i = 0; i < GUEST_BYTES; i++)
		vm.memory[i] = (uint8_t)next_random(&seed);
	for (int i = 0; i < 20000; i++) {
		const uint64_t addr = REGISTERS + next_random(&seed) % (2 * WINDOW + 16);
		const uint32_t size = 1u << next_random(&seed) % 4;
		const uint32_t kind = next_random(&seed) % 8;
		const uint64_t value = kind < 4   ? next_random(&seed) % 16
				       : kind < 6 ? GUEST_ADDR + next_random(&seed) % GUEST_BYTES
						  : (uint64_t)next_random(&seed) << 32 | next_random(&seed);

		if (next_random(&seed) % 4 == 0)
			(void)vm_bar_read(&vm, addr, size, true);
		else
			vm_bar_write(&vm, addr, size, true, value);
	}
	expect_both_work(&vm);
	vm_finish(&vm);
}

/* Writes small random values to random registers after each start of a queue. */
static void registers_accept_any_order_around_a_running_queue(void **state)
{
	static const uint32_t offsets[] = { 0x014, 0x020, 0x024, 0x030, 0x038, 0x044, 0x050, 0x050, 0x050, 0x060, 0x064,
					    0x070, 0x080, 0x084, 0x090, 0x0a0, 0x0ac, 0x0c0, 0x0fc, 0x100, 0x120 };
	uint32_t seed = 2;
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	for (unsigned int round = 0; round < 100; round++) {
		driver_init(&driver, &vm, round % 2);
		driver_set_up(&driver, FEATURE(VIRTIO_F_RING_RESET) | FEATURE(VIRTIO_RING_F_INDIRECT_DESC));
		for (uint32_t i = 0; i < 0x2000; i++)
			vm.memory[RING(driver.window) + i] = (uint8_t)next_random(&seed);
		/* Clears the high bytes of `flags`, in which a split ring has no flag. */
		for (uint32_t i = 0; i < RING_SIZE; i++)
			vm.memory[RING(driver.window) + sizeof(struct vring_desc) * i + 13] = 0;
		for (int i = 0; i < 30; i++)
			reg_write(&driver, offsets[next_random(&seed) % COUNT(offsets)], next_random(&seed) % 4);
	}
	expect_both_work(&vm);
	vm_finish(&vm);
}

/* The ring has an available index too far ahead, or a head outside the table. Hostile 6 and 7. */
static void ring_that_is_incoherent_needs_a_reset(void **state)
{
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	for (unsigned int i = 0; i < 4; i++) {
		driver_init(&driver, &vm, i % 2);
		driver_set_up(&driver, 0);
		if (i < 2) {
			assert_int_equal(virtio_mock_set(&driver.mock, VIRTIO_MOCK_AVAIL_IDX, RING_SIZE + 1), 0);
		} else {
			assert_int_equal(virtio_mock_offer(&driver.mock, RING_SIZE), 0);
			assert_int_equal(virtio_mock_publish(&driver.mock), 0);
		}
		reg_write(&driver, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
		assert_int_equal(driver_wait_interrupt(&driver), VIRTIO_MMIO_INT_CONFIG);
		assert_int_equal(reg_read(&driver, VIRTIO_MMIO_STATUS), ALIVE | VIRTIO_CONFIG_S_NEEDS_RESET);
		/* The device ignores this kick. */
		reg_write(&driver, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
		assert_int_equal(reg_read(&driver, VIRTIO_MMIO_INTERRUPT_STATUS), 0);
		expect_both_work(&vm);
	}
	vm_finish(&vm);
}

/* Entropy */

/* Hostile 31, 34, 40 and 111: the chain is completed with length 0. */
static void entropy_of_malformed_chain_is_completed_empty(void **state)
{
	const struct virtio_mock_buffer wrong[][2] = {
		/*
		 * Rows: no writable byte; buffer beyond memory; buffer that wraps at 2^64; readable
		 * after writable.
		 */
		{ { .addr = GUEST_ADDR + DATA, .len = 64 }, { .addr = GUEST_ADDR + DATA, .len = 64 } },
		{ { .addr = GUEST_ADDR + GUEST_BYTES - 1, .len = 2, .flags = 2 },
		  { .addr = GUEST_ADDR + DATA, .len = 64, .flags = 2 } },
		{ { .addr = UINT64_MAX, .len = 64, .flags = 2 }, { .addr = GUEST_ADDR + DATA, .len = 64, .flags = 2 } },
		{ { .addr = GUEST_ADDR + DATA, .len = 64, .flags = 2 }, { .addr = GUEST_ADDR + DATA, .len = 64 } },
	};
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	driver_init(&driver, &vm, ENTROPY);
	driver_set_up(&driver, 0);
	memset(vm.memory + DATA, 0x77, 64);
	for (unsigned int i = 0; i < COUNT(wrong); i++) {
		assert_true(virtio_mock_add(&driver.mock, wrong[i], 2) >= 0);
		driver_notify(&driver);
		assert_int_equal(driver_wait(&driver).len, 0);
	}
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(vm.memory[DATA + i], 0x77);
	assert_int_equal(entropy_get(&driver, 64), 64);
	vm_finish(&vm);
}

/* Descriptor 0 is its own successor, so the chain has no end. Hostile 1. */
static void entropy_of_endless_chain_is_completed_empty(void **state)
{
	const struct vring_desc loop = { .addr = virtio_le64(GUEST_ADDR + DATA),
					 .len = virtio_le32(16),
					 .flags = virtio_le16(VRING_DESC_F_WRITE | VRING_DESC_F_NEXT) };
	struct vring_used_elem used;
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	driver_init(&driver, &vm, ENTROPY);
	driver_set_up(&driver, 0);
	assert_int_equal(virtio_mock_set_desc(&driver.mock, 0, &loop), 0);
	assert_int_equal(virtio_mock_offer(&driver.mock, 0), 0);
	assert_int_equal(virtio_mock_publish(&driver.mock), 0);
	reg_write(&driver, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	(void)driver_wait_interrupt(&driver);
	assert_int_equal(virtio_mock_get_used_entry(&driver.mock, 0, &used), 0);
	assert_int_equal(used.len, 0);
	expect_both_work(&vm);
	vm_finish(&vm);
}

/* The ring is full of buffers of almost 4 GiB, and each buffer gets RNG_REQUEST_BYTES bytes. */
static void entropy_of_huge_buffers_is_bounded(void **state)
{
	const uint64_t huge = UINT64_C(1) << 32;
	const struct virtio_mock_buffer buffer = { .addr = huge, .len = UINT32_MAX, .flags = VRING_DESC_F_WRITE };
	struct proxy_memory table = vm_table();
	const int file = memfd_create("huge", MFD_CLOEXEC);
	struct driver driver;
	struct vm vm;
	int fds[2];

	(void)state;
	vm_boot(&vm);
	assert_int_equal(ftruncate(file, (off_t)huge), 0);
	table.addr[1] = huge;
	table.size[1] = huge;
	fds[0] = vm.memory_fd;
	fds[1] = file;
	vm_send(&vm, PROXY_SET_MEMORY, sizeof table, &table, sizeof table, fds, 2);
	driver_init(&driver, &vm, ENTROPY);
	driver_set_up(&driver, 0);
	for (int i = 0; i < RING_SIZE; i++)
		assert_true(virtio_mock_add(&driver.mock, &buffer, 1) >= 0);
	driver_notify(&driver);
	for (int i = 0; i < RING_SIZE; i++)
		assert_int_equal(driver_wait(&driver).len, RNG_REQUEST_BYTES);
	expect_both_work(&vm);
	close(file);
	vm_finish(&vm);
}

/* Memory */

static void memory_without_the_rings_needs_a_reset(void **state)
{
	const struct proxy_memory nothing = { .addr = { 0 } }, table = vm_table();
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	for (unsigned int window = BLOCK; window <= ENTROPY; window++) {
		driver_init(&driver, &vm, window);
		driver_set_up(&driver, 0);
		vm_send_table(&vm, &nothing, -1, 0);
		assert_int_equal(driver_wait_interrupt(&driver), VIRTIO_MMIO_INT_CONFIG);
		assert_int_equal(reg_read(&driver, VIRTIO_MMIO_STATUS), ALIVE | VIRTIO_CONFIG_S_NEEDS_RESET);
		reg_write(&driver, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
		vm_send_table(&vm, &table, vm.memory_fd, 1);
		expect_both_work(&vm);
	}
	vm_finish(&vm);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_accept_any_access),
		cmocka_unit_test(registers_accept_any_order_around_a_running_queue),
		cmocka_unit_test(ring_that_is_incoherent_needs_a_reset),
		cmocka_unit_test(entropy_of_malformed_chain_is_completed_empty),
		cmocka_unit_test(entropy_of_endless_chain_is_completed_empty),
		cmocka_unit_test(entropy_of_huge_buffers_is_bounded),
		cmocka_unit_test(memory_without_the_rings_needs_a_reset),
	};

	vm_find_program(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
