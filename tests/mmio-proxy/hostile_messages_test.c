/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Messages that a hostile QEMU may send. An invalid message ends the program. The program handles
 * every other message.
 */
#include "driver.h"

#include "cmocka_includes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Commands, each with the size of its payload. */
static const struct {
	int32_t command;
	uint64_t size;
} commands[] = {
	{ PROXY_SET_MEMORY, sizeof(struct proxy_memory) },
	{ PROXY_CONFIG_WRITE, sizeof(struct proxy_config_access) },
	{ PROXY_CONFIG_READ, sizeof(struct proxy_config_access) },
	{ PROXY_BAR_WRITE, sizeof(struct proxy_bar_access) },
	{ PROXY_BAR_READ, sizeof(struct proxy_bar_access) },
	{ PROXY_SET_IRQ, 0 },
	{ PROXY_RESET, 0 },
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Sends a message to a new program, which must end. */
static void expect_refusal(int32_t command, uint64_t size, const void *payload, size_t len, const int *fds,
			   unsigned int fd_count)
{
	struct vm vm;

	vm_start(&vm);
	vm_send(&vm, command, size, payload, len, fds, fd_count);
	vm_expect_refusal(&vm);
}

static void message_of_wrong_size_ends_the_program(void **state)
{
	const uint8_t payload[256] = { 0 };

	(void)state;
	for (unsigned int i = 0; i < COUNT(commands); i++) {
		const uint64_t size = commands[i].size;

		expect_refusal(commands[i].command, size + 1, payload, (size_t)size + 1, NULL, 0);
		expect_refusal(commands[i].command, size - 1, payload, size ? (size_t)size - 1 : 0, NULL, 0);
		expect_refusal(commands[i].command, size ? 0 : 8, payload, 8, NULL, 0);
		expect_refusal(commands[i].command, (UINT64_C(1) << 32) + size, payload, (size_t)size, NULL, 0);
	}
	expect_refusal(PROXY_BAR_READ, UINT64_MAX, payload, sizeof payload, NULL, 0);
	expect_refusal(PROXY_BAR_READ, UINT64_MAX - 15, payload, sizeof payload, NULL, 0);
}

static void message_of_unknown_command_ends_the_program(void **state)
{
	static const int32_t unknown[] = { INT32_MIN, -1, PROXY_REPLY, PROXY_RESET + 1, 255, INT32_MAX };
	const uint64_t value = 0;

	(void)state;
	for (unsigned int i = 0; i < COUNT(unknown); i++) {
		expect_refusal(unknown[i], 0, NULL, 0, NULL, 0);
		expect_refusal(unknown[i], sizeof value, &value, sizeof value, NULL, 0);
	}
}

static void message_cut_short_ends_the_program(void **state)
{
	const struct proxy_header header = { .command = PROXY_BAR_READ, .size = sizeof(struct proxy_bar_access) };
	char bytes[sizeof header + sizeof(struct proxy_bar_access) - 1] = { 0 };
	struct vm vm;

	(void)state;
	memcpy(bytes, &header, sizeof header);
	for (size_t len = 1; len <= sizeof bytes; len += 6) {
		vm_start(&vm);
		vm_send_raw(&vm, bytes, len, NULL, 0);
		shutdown(vm.socket, SHUT_WR);
		vm_expect_refusal(&vm);
	}
}

static void message_in_single_bytes_is_answered(void **state)
{
	const struct proxy_header header = { .command = PROXY_RESET };
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	for (size_t i = 0; i < sizeof header - 1; i++) {
		vm_send_raw(&vm, (const char *)&header + i, 1, NULL, 0);
		usleep(1000);
	}
	/* The next message follows the last byte at once. Each of the two messages gets a reply. */
	vm_send_raw(&vm, (const char *)&header + sizeof header - 1, 1, NULL, 0);
	assert_int_equal(vm_ask(&vm, PROXY_RESET, NULL, 0), 0);
	assert_int_equal(recv(vm.socket, (char[24]){ 0 }, 24, MSG_WAITALL), 24);
	vm_config_write(&vm, 0x10, 4, REGISTERS);
	vm_config_write(&vm, 0x04, 2, 2);
	driver_init(&driver, &vm, BLOCK);
	driver_set_up(&driver, 0);
	block_write_and_read(&driver, 1, 1);
	vm_finish(&vm);
}

static void message_with_wrong_descriptors_ends_the_program(void **state)
{
	const struct proxy_memory table = vm_table();
	int fds[32];

	(void)state;
	for (unsigned int i = 0; i < COUNT(fds); i++) {
		fds[i] = eventfd(0, EFD_CLOEXEC);
		assert_true(fds[i] >= 0);
	}
	for (unsigned int i = 0; i < COUNT(commands); i++) {
		if (commands[i].command == PROXY_SET_MEMORY)
			continue;
		expect_refusal(commands[i].command, commands[i].size, &table, (size_t)commands[i].size, fds, 1);
		expect_refusal(commands[i].command, commands[i].size, &table, (size_t)commands[i].size, fds, 3);
	}
	expect_refusal(PROXY_SET_IRQ, 0, NULL, 0, NULL, 0);
	expect_refusal(PROXY_SET_MEMORY, sizeof table, &table, sizeof table, fds, 9);
	expect_refusal(PROXY_SET_MEMORY, sizeof table, &table, sizeof table, fds, 32);
	for (unsigned int i = 0; i < COUNT(fds); i++)
		close(fds[i]);
}

/* Memory */

static void expect_table_refused(const struct proxy_memory *table, unsigned int count)
{
	struct vm vm;

	vm_start(&vm);
	vm_send_table(&vm, table, vm.memory_fd, count);
	vm_expect_refusal(&vm);
}

static void memory_of_bad_regions_ends_the_program(void **state)
{
	/* addr, size and offset of a region */
	static const uint64_t bad[][3] = {
		{ GUEST_ADDR, 0, 0 },
		{ GUEST_ADDR + 1, 4096, 0 },
		{ GUEST_ADDR, 4095, 0 },
		{ GUEST_ADDR, 4096, 512 },
		{ GUEST_ADDR, GUEST_BYTES + 4096, 0 },
		{ GUEST_ADDR, 4096, GUEST_BYTES },
		{ GUEST_ADDR, GUEST_BYTES, 4096 },
		{ GUEST_ADDR, 8192, UINT64_MAX - 4095 },
		{ GUEST_ADDR, UINT64_MAX - 4095, 4096 },
		{ GUEST_ADDR, UINT64_MAX - 4095, 8192 },
		{ GUEST_ADDR, 4096, UINT64_C(1) << 63 },
		{ GUEST_ADDR, UINT64_C(1) << 63, 0 },
		{ UINT64_MAX - 4095, 8192, 0 },
	};
	struct proxy_memory table;

	(void)state;
	for (unsigned int i = 0; i < COUNT(bad); i++) {
		table = vm_table();
		/* The bad region follows a good region, which the program has mapped by then. */
		table.addr[1] = bad[i][0] + (bad[i][0] == UINT64_MAX - 4095 ? 0 : GUEST_BYTES);
		table.size[1] = bad[i][1];
		table.offset[1] = bad[i][2];
		expect_table_refused(&table, 2);
	}
	table = vm_table();
	table.addr[1] = table.addr[0] + table.size[0] - 4096;
	table.size[1] = 4096;
	expect_table_refused(&table, 2);
	expect_table_refused(&table, 8);
}

static void memory_that_is_no_writable_file_ends_the_program(void **state)
{
	const struct proxy_memory table = vm_table();
	const int guest = memfd_create("guest", MFD_CLOEXEC);
	char path[64];
	int fds[8], ends[2];

	(void)state;
	assert_int_equal(ftruncate(guest, (off_t)GUEST_BYTES), 0);
	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", guest);
	fds[0] = open(path, O_RDONLY | O_CLOEXEC);
	fds[1] = open("/dev/zero", O_RDWR | O_CLOEXEC);
	fds[2] = open("/tmp", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	fds[3] = ends[0];
	fds[4] = ends[1];
	fds[5] = memfd_create("empty", MFD_CLOEXEC);
	fds[6] = eventfd(0, EFD_CLOEXEC);
	fds[7] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	for (unsigned int i = 0; i < COUNT(fds); i++) {
		assert_true(fds[i] >= 0);
		expect_refusal(PROXY_SET_MEMORY, sizeof table, &table, sizeof table, &fds[i], 1);
		close(fds[i]);
	}
	close(guest);
}

static void memory_sent_often_leaves_nothing_behind(void **state)
{
	const struct proxy_memory table = vm_table();
	unsigned int files, mappings;
	struct vm vm;
	int irqs[2];

	(void)state;
	vm_boot(&vm);
	files = vm_open_files(&vm);
	mappings = vm_mappings(&vm);
	for (int i = 0; i < 100; i++) {
		vm_send_table(&vm, &table, vm.memory_fd, 1);
		irqs[0] = irqs[1] = vm.irq;
		vm_send(&vm, PROXY_SET_IRQ, 0, NULL, 0, irqs, 2);
	}
	/* The reply shows that all earlier messages were handled. */
	assert_int_equal(vm_ask(&vm, PROXY_RESET, NULL, 0), 0);
	assert_int_equal(vm_open_files(&vm), files);
	/* An allocator or a sanitizer may have added a few mappings. */
	assert_in_range(vm_mappings(&vm), mappings, mappings + 20);
	vm_finish(&vm);
}

/* A guest without memory may read its devices' registers. No queue can be enabled. */
static void memory_of_no_regions_is_none(void **state)
{
	const struct proxy_memory table = { .addr = { 0 } };
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	vm_send_table(&vm, &table, -1, 0);
	driver_init(&driver, &vm, BLOCK);
	driver_negotiate(&driver, 0);
	reg_write(&driver, 0x038, 8);
	reg_write(&driver, 0x080, (uint32_t)GUEST_ADDR);
	reg_write(&driver, 0x090, (uint32_t)GUEST_ADDR + 0x1000);
	reg_write(&driver, 0x0a0, (uint32_t)GUEST_ADDR + 0x2000);
	reg_write(&driver, 0x044, 1);
	assert_int_equal(reg_read(&driver, 0x044), 0);
	vm_finish(&vm);
}

/* Accesses */

static void access_outside_of_the_page_reads_as_ones(void **state)
{
	static const uint64_t outside[] = {
		0, REGISTERS - 4, REGISTERS + 0x1000, REGISTERS | UINT64_C(1) << 32, UINT64_MAX - 3, UINT64_MAX
	};
	static const uint32_t sizes[] = { 0, 3, 5, 16, 0x80000000, UINT32_MAX };
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	for (unsigned int i = 0; i < COUNT(outside); i++) {
		assert_int_equal(vm_bar_read(&vm, outside[i], 4, true), UINT64_MAX);
		vm_bar_write(&vm, outside[i], 4, true, UINT64_MAX);
	}
	for (unsigned int i = 0; i < COUNT(sizes); i++) {
		assert_int_equal(vm_bar_read(&vm, REGISTERS, sizes[i], true), UINT64_MAX);
		vm_bar_write(&vm, REGISTERS + 0x70, sizes[i], true, UINT64_MAX);
	}
	/*
	 * Reads the page's last bytes, across the page's end, across the end of a window, after the
	 * windows, and from I/O ports.
	 */
	assert_int_equal(vm_bar_read(&vm, REGISTERS + 0xff8, 8, true), UINT64_MAX);
	assert_int_equal(vm_bar_read(&vm, REGISTERS + 0xffc, 8, true), UINT64_MAX);
	assert_int_equal(vm_bar_read(&vm, REGISTERS + WINDOW - 2, 4, true), 0xffffffff);
	assert_int_equal(vm_bar_read(&vm, REGISTERS + 2 * WINDOW, 4, true), 0xffffffff);
	assert_int_equal(vm_bar_read(&vm, REGISTERS, 4, false), UINT64_MAX);
	assert_int_equal(vm_bar_read(&vm, REGISTERS, 4, true), 0x74726976);
	driver_init(&driver, &vm, BLOCK);
	driver_set_up(&driver, 0);
	block_write_and_read(&driver, 1, 1);
	vm_finish(&vm);
}

static void configuration_access_of_any_kind_is_answered(void **state)
{
	static const uint32_t addrs[] = { 0, 2, 4, 0x10, 0x3d, 0x3f, 0x40, 0xff, 0x1000, 0x7fffffff, UINT32_MAX };
	static const int32_t lens[] = { INT32_MIN, -1, 0, 1, 2, 3, 4, 5, 8, 64, INT32_MAX };
	struct vm vm;

	(void)state;
	vm_start(&vm);
	for (unsigned int i = 0; i < COUNT(addrs); i++) {
		for (unsigned int j = 0; j < COUNT(lens); j++) {
			(void)vm_config_read(&vm, addrs[i], lens[j]);
			/* No byte of this value has the bit that switches memory on. */
			vm_config_write(&vm, addrs[i], lens[j], 0xfdfdfdfd);
		}
	}
	assert_int_equal(vm_config_read(&vm, 0, 2), 0x1234);
	assert_int_equal(vm_config_read(&vm, 0, 3), 0);
	vm_finish(&vm);
}

/* Accesses the configuration space as QEMU and the firmware do. */
static void configuration_tells_the_size_of_the_page_and_vanishes(void **state)
{
	struct vm vm;

	(void)state;
	vm_start(&vm);
	for (uint32_t bar = 0x10; bar <= 0x28; bar += 4) {
		assert_int_equal(vm_config_read(&vm, bar, 4), 0);
		vm_config_write(&vm, bar, 4, UINT32_MAX);
		assert_int_equal(vm_config_read(&vm, bar, 4), bar == 0x10 ? 0xfffff000 : 0);
		vm_config_write(&vm, bar, 4, 0);
	}
	vm_config_write(&vm, 0x10, 4, REGISTERS);
	assert_int_equal(vm_config_read(&vm, 0x10, 4), REGISTERS);
	vm_config_write(&vm, 0x04, 2, 0x102);
	assert_int_equal(vm_config_read(&vm, 0, 2) & 0xffff, 0xffff);
	vm_config_write(&vm, 0x10, 4, 0x10000000);
	assert_int_equal(vm_bar_read(&vm, REGISTERS, 4, true), 0x74726976);
	assert_int_equal(vm_ask(&vm, PROXY_RESET, NULL, 0), 0);
	assert_int_equal(vm_config_read(&vm, 0, 2), 0x1234);
	assert_int_equal(vm_config_read(&vm, 0x10, 4), 0);
	vm_finish(&vm);
}

/* Without the interrupt port, interrupts are lost, but the devices continue. */
static void interrupt_port_that_is_gone_does_no_harm(void **state)
{
	unsigned int files;
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	files = vm_open_files(&vm);
	shutdown(vm.irq, SHUT_RDWR);
	/* Between two messages the program notices that the port is gone, and closes its end. */
	for (int i = 0; i < 10; i++)
		(void)vm_config_read(&vm, 0, 2);
	assert_int_equal(vm_open_files(&vm), files - 1);
	driver_init(&driver, &vm, ENTROPY);
	driver_set_up(&driver, 0);
	assert_int_equal(entropy_get(&driver, 64), 64);
	vm_finish(&vm);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_of_wrong_size_ends_the_program),
		cmocka_unit_test(message_of_unknown_command_ends_the_program),
		cmocka_unit_test(message_cut_short_ends_the_program),
		cmocka_unit_test(message_in_single_bytes_is_answered),
		cmocka_unit_test(message_with_wrong_descriptors_ends_the_program),
		cmocka_unit_test(memory_of_bad_regions_ends_the_program),
		cmocka_unit_test(memory_that_is_no_writable_file_ends_the_program),
		cmocka_unit_test(memory_sent_often_leaves_nothing_behind),
		cmocka_unit_test(memory_of_no_regions_is_none),
		cmocka_unit_test(access_outside_of_the_page_reads_as_ones),
		cmocka_unit_test(configuration_access_of_any_kind_is_answered),
		cmocka_unit_test(configuration_tells_the_size_of_the_page_and_vanishes),
		cmocka_unit_test(interrupt_port_that_is_gone_does_no_harm),
	};

	vm_find_program(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
