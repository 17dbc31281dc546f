/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Features that a guest's driver and an operator rely on. */
#include "driver.h"

#include "cmocka_includes.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <virtio/bindings/virtio_blk.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_mmio.h>

#define QUEUE_RESET 0x0c0
#define WRITEBACK (VIRTIO_MMIO_CONFIG + 32)

#define BLOCK_FEATURES                                                                                                 \
	(FEATURE(VIRTIO_BLK_F_FLUSH) | FEATURE(VIRTIO_BLK_F_CONFIG_WCE) | FEATURE(VIRTIO_BLK_F_SEG_MAX) |              \
	 FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | FEATURE(VIRTIO_RING_F_EVENT_IDX) | FEATURE(VIRTIO_F_RING_RESET))

static void block_device_serves_requests_with_all_its_features(void **state)
{
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	driver_init(&driver, &vm, BLOCK);
	driver_set_up(&driver, BLOCK_FEATURES);
	for (uint8_t i = 0; i < 100; i++)
		block_write_and_read(&driver, i, i);
	assert_int_equal(block_io(&driver, VIRTIO_BLK_T_GET_ID, 0, 20), VIRTIO_BLK_S_OK);
	assert_string_equal((const char *)vm.memory + DATA, "disk.img");
	/* The driver reads beyond the disk, and sends a request of an unknown type. */
	assert_int_equal(block_io(&driver, VIRTIO_BLK_T_IN, IMAGE_BYTES / 512, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(block_io(&driver, 99, 0, 512), VIRTIO_BLK_S_UNSUPP);
	vm_finish(&vm);
}

static void block_device_has_the_options_of_its_disk(void **state)
{
	const uint64_t read_only = FEATURE(VIRTIO_BLK_F_RO);
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot_with(&vm, ",readonly=on,serial=abc");
	driver_init(&driver, &vm, BLOCK);
	driver_set_up(&driver, BLOCK_FEATURES | read_only);
	assert_int_equal(block_io(&driver, VIRTIO_BLK_T_GET_ID, 0, 20), VIRTIO_BLK_S_OK);
	assert_string_equal((const char *)vm.memory + DATA, "abc");
	assert_int_equal(block_io(&driver, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	memset(vm.memory + DATA, 1, 512);
	assert_int_equal(block_io(&driver, VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(block_io(&driver, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	assert_int_equal(vm.memory[DATA], 0);
	vm_finish(&vm);
}

static void block_device_discards_and_writes_zeroes(void **state)
{
	static const uint8_t zeroes[512];
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	driver_init(&driver, &vm, BLOCK);
	driver_set_up(&driver, FEATURE(VIRTIO_BLK_F_DISCARD) | FEATURE(VIRTIO_BLK_F_WRITE_ZEROES));
	block_write_and_read(&driver, 5, 5);
	virtio_put_le64(vm.memory + DATA, 5);
	virtio_put_le64(vm.memory + DATA + 8, 1);
	assert_int_equal(block_io(&driver, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16), VIRTIO_BLK_S_OK);
	assert_int_equal(block_io(&driver, VIRTIO_BLK_T_IN, 5, 512), VIRTIO_BLK_S_OK);
	assert_memory_equal(vm.memory + DATA, zeroes, 512);
	virtio_put_le64(vm.memory + DATA, 0);
	virtio_put_le64(vm.memory + DATA + 8, 8);
	assert_int_equal(block_io(&driver, VIRTIO_BLK_T_DISCARD, 0, 16), VIRTIO_BLK_S_OK);
	/* The range is longer than the device's limit max_discard_sectors. */
	virtio_put_le64(vm.memory + DATA + 8, 1 << 20);
	assert_int_equal(block_io(&driver, VIRTIO_BLK_T_DISCARD, 0, 16), VIRTIO_BLK_S_IOERR);
	vm_finish(&vm);
}

/* The program's limit RLIMIT_FSIZE is below the size of the image. */
static void block_device_survives_writes_beyond_the_limit_of_files(void **state)
{
	const struct rlimit limit = { IMAGE_BYTES / 2, IMAGE_BYTES / 2 };
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	assert_int_equal(prlimit(vm.pid, RLIMIT_FSIZE, &limit, NULL), 0);
	driver_init(&driver, &vm, BLOCK);
	driver_set_up(&driver, BLOCK_FEATURES);
	assert_int_equal(block_io(&driver, VIRTIO_BLK_T_OUT, IMAGE_BYTES / 2 / 512, 512), VIRTIO_BLK_S_IOERR);
	block_write_and_read(&driver, IMAGE_BYTES / 2 / 512 - 1, 0x3c);
	vm_finish(&vm);
}

/* One kick announces more requests than the budget of one turn. */
static void block_device_serves_many_requests_at_once(void **state)
{
	const struct virtio_blk_outhdr header = { .type = virtio_le32(VIRTIO_BLK_T_IN) };
	const struct virtio_mock_buffer buffers[3] = {
		{ .addr = GUEST_ADDR + HEADERS, .len = sizeof header },
		{ .addr = GUEST_ADDR + DATA, .len = 512, .flags = VRING_DESC_F_WRITE },
		{ .addr = GUEST_ADDR + STATUSES, .len = 1, .flags = VRING_DESC_F_WRITE },
	};
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	driver_init(&driver, &vm, BLOCK);
	driver_set_up(&driver, FEATURE(VIRTIO_RING_F_EVENT_IDX));
	memcpy(vm.memory + HEADERS, &header, sizeof header);
	for (int i = 0; i < RING_SIZE / 3; i++)
		assert_true(virtio_mock_add(&driver.mock, buffers, 3) >= 0);
	driver_notify(&driver);
	for (int i = 0; i < RING_SIZE / 3; i++)
		assert_int_equal(driver_wait(&driver).len, 513);
	vm_finish(&vm);
}

/* Each byte value occurs about 256 times, with a standard deviation of 16. */
static void random_bytes_are_random(void **state)
{
	const uint32_t count = 65536;
	unsigned int times[256] = { 0 };
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	driver_init(&driver, &vm, ENTROPY);
	driver_set_up(&driver, 0);
	assert_int_equal(entropy_get(&driver, count), count);
	for (uint32_t i = 0; i < count; i++)
		times[vm.memory[DATA + i]]++;
	for (unsigned int i = 0; i < 256; i++)
		assert_in_range(times[i], 256 - 10 * 16, 256 + 10 * 16);
	vm_finish(&vm);
}

static void both_devices_share_the_interrupt(void **state)
{
	struct driver block, entropy;
	uint8_t first[64];
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	driver_init(&block, &vm, BLOCK);
	driver_init(&entropy, &vm, ENTROPY);
	driver_set_up(&block, BLOCK_FEATURES);
	driver_set_up(&entropy, FEATURE(VIRTIO_RING_F_EVENT_IDX));
	assert_int_equal(reg_read(&block, VIRTIO_MMIO_DEVICE_ID), 2);
	assert_int_equal(reg_read(&entropy, VIRTIO_MMIO_DEVICE_ID), 4);
	memset(vm.memory + DATA, 0, 65);
	assert_int_equal(entropy_get(&entropy, 64), 64);
	assert_int_equal(vm.memory[DATA + 64], 0);
	memcpy(first, vm.memory + DATA, sizeof first);
	for (int i = 0; i < 50; i++) {
		block_write_and_read(&block, 7, (uint8_t)i);
		assert_int_equal(entropy_get(&entropy, 64), 64);
		assert_memory_not_equal(vm.memory + DATA, first, sizeof first);
	}
	vm_finish(&vm);
}

/*
 * The program sends a byte for an interrupt, and repeats the byte, because the guest may miss the
 * interrupt. After the guest has acknowledged everything, the program sends no more bytes.
 */
static void interrupt_is_repeated_until_it_is_acknowledged(void **state)
{
	const struct virtio_mock_buffer buffer = { .addr = GUEST_ADDR + DATA, .len = 8, .flags = VRING_DESC_F_WRITE };
	struct pollfd irq = { .events = POLLIN };
	struct driver driver;
	char bytes[256];
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	irq.fd = vm.irq;
	driver_init(&driver, &vm, ENTROPY);
	driver_set_up(&driver, 0);
	assert_int_equal(poll(&irq, 1, 0), 0);
	assert_true(virtio_mock_add(&driver.mock, &buffer, 1) >= 0);
	driver_notify(&driver);
	assert_int_equal(recv(vm.irq, bytes, 3, MSG_WAITALL), 3);
	assert_int_equal(reg_read(&driver, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_VRING);
	reg_write(&driver, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
	(void)recv(vm.irq, bytes, sizeof bytes, MSG_DONTWAIT);
	assert_int_equal(poll(&irq, 1, 100), 0);
	vm_finish(&vm);
}

/*
 * Both devices share the interrupt line. The guest acknowledges only the block device's interrupt.
 */
static void interrupt_is_repeated_while_one_device_waits(void **state)
{
	const struct virtio_mock_buffer buffer = { .addr = GUEST_ADDR + DATA, .len = 8, .flags = VRING_DESC_F_WRITE };
	struct driver block, entropy;
	struct vm vm;
	char bytes[256];

	(void)state;
	vm_boot(&vm);
	driver_init(&block, &vm, BLOCK);
	driver_set_up(&block, 0);
	driver_init(&entropy, &vm, ENTROPY);
	driver_set_up(&entropy, 0);
	assert_true(virtio_mock_add(&entropy.mock, &buffer, 1) >= 0);
	driver_notify(&entropy);
	block_write_and_read(&block, 1, 1);
	reg_write(&block, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
	(void)recv(vm.irq, bytes, sizeof bytes, MSG_DONTWAIT);
	assert_int_equal(recv(vm.irq, bytes, 3, MSG_WAITALL), 3);
	reg_write(&entropy, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
	vm_finish(&vm);
}

/* Hostile 101: the driver resets a queue and sets it up with another size. */
static void queue_is_reset_alone_and_set_up_with_another_size(void **state)
{
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	for (unsigned int window = BLOCK; window <= ENTROPY; window++) {
		struct driver driver;

		driver_init(&driver, &vm, window);
		driver_set_up(&driver, FEATURE(VIRTIO_F_RING_RESET) | FEATURE(VIRTIO_RING_F_EVENT_IDX));
		for (uint32_t size = RING_SIZE; size >= 4; size /= 2) {
			reg_write(&driver, QUEUE_RESET, 1);
			assert_int_equal(reg_read(&driver, QUEUE_RESET), 0);
			assert_int_equal(reg_read(&driver, VIRTIO_MMIO_QUEUE_READY), 0);
			/* The queue is not enabled, so the device ignores this kick. */
			reg_write(&driver, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
			driver_set_queue(&driver, size);
			if (window == BLOCK)
				assert_int_equal(block_io(&driver, VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
			else
				assert_int_equal(entropy_get(&driver, 32), 32);
		}
		assert_int_equal(reg_read(&driver, VIRTIO_MMIO_STATUS), 15);
	}
	vm_finish(&vm);
}

/*
 * A buffer that was kicked before DRIVER_OK is served after DRIVER_OK without another kick. Hostile
 * 62.
 */
static void requests_made_early_are_served_by_activation(void **state)
{
	const struct virtio_mock_buffer buffer = { .addr = GUEST_ADDR + DATA, .len = 8, .flags = VRING_DESC_F_WRITE };
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	driver_init(&driver, &vm, ENTROPY);
	driver_negotiate(&driver, 0);
	driver_set_queue(&driver, RING_SIZE);
	assert_true(virtio_mock_add(&driver.mock, &buffer, 1) >= 0);
	reg_write(&driver, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	assert_int_equal(virtio_mock_pop_used(&driver.mock, &(struct vring_used_elem){ 0 }), 0);
	reg_write(&driver, VIRTIO_MMIO_STATUS, 15);
	assert_int_equal(driver_wait(&driver).len, 8);
	vm_finish(&vm);
}

/* A driver need not enable the queue. Hostile 89. */
static void device_without_a_queue_is_active(void **state)
{
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	for (unsigned int window = BLOCK; window <= ENTROPY; window++) {
		struct driver driver;

		driver_init(&driver, &vm, window);
		driver_negotiate(&driver, 0);
		reg_write(&driver, VIRTIO_MMIO_STATUS, 15);
		reg_write(&driver, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
		assert_int_equal(reg_read(&driver, VIRTIO_MMIO_STATUS), 15);
	}
	vm_finish(&vm);
}

static void cache_mode_is_what_the_driver_writes(void **state)
{
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	driver_init(&driver, &vm, BLOCK);
	driver_set_up(&driver, BLOCK_FEATURES);
	assert_int_equal(vm_bar_read(&vm, REGISTERS + WRITEBACK, 1, true), 1);
	vm_bar_write(&vm, REGISTERS + WRITEBACK, 1, true, 0);
	assert_int_equal(vm_bar_read(&vm, REGISTERS + WRITEBACK, 1, true), 0);
	block_write_and_read(&driver, 1, 1);
	driver_set_up(&driver, BLOCK_FEATURES);
	assert_int_equal(vm_bar_read(&vm, REGISTERS + WRITEBACK, 1, true), 1);
	/* Without FLUSH the driver can't flush, so the disk's cache is write-through. */
	driver_set_up(&driver, FEATURE(VIRTIO_BLK_F_CONFIG_WCE));
	assert_int_equal(vm_bar_read(&vm, REGISTERS + WRITEBACK, 1, true), 0);
	vm_finish(&vm);
}

static void image_of_another_size_changes_the_configuration(void **state)
{
	static const off_t sizes[] = { 2 * IMAGE_BYTES, 4096 };
	struct driver driver;
	uint32_t generation;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	driver_init(&driver, &vm, BLOCK);
	driver_set_up(&driver, BLOCK_FEATURES);
	assert_int_equal(vm_bar_read(&vm, REGISTERS + VIRTIO_MMIO_CONFIG, 8, true), IMAGE_BYTES / 512);
	for (int i = 0; i < 2; i++) {
		generation = reg_read(&driver, VIRTIO_MMIO_CONFIG_GENERATION);
		assert_int_equal(truncate(vm.image, sizes[i]), 0);
		assert_int_equal(kill(vm.pid, SIGHUP), 0);
		/* An interrupt for used buffers may arrive first. */
		while (!(driver_wait_interrupt(&driver) & VIRTIO_MMIO_INT_CONFIG))
			;
		assert_int_not_equal(reg_read(&driver, VIRTIO_MMIO_CONFIG_GENERATION), generation);
		assert_int_equal(vm_bar_read(&vm, REGISTERS + VIRTIO_MMIO_CONFIG, 8, true), (uint64_t)sizes[i] / 512);
		block_write_and_read(&driver, (uint64_t)sizes[i] / 512 - 1, 9);
	}
	assert_int_equal(block_io(&driver, VIRTIO_BLK_T_IN, 8, 512), VIRTIO_BLK_S_IOERR);
	assert_int_equal(driver.config_changes, 2);
	vm_finish(&vm);
}

#define LONG_BUFFERS 120u
#define LONG_BYTES 0xb0000u /* bytes of each buffer; LONG_BUFFERS buffers have over 64 MiB */
#define LONG_DATA 0x40000u
#define LONG_TABLE 0xf8000u
#define MANY_BUFFERS 1000u /* more buffers than the ring has entries, and than SEG_MAX */

static void submit_long_read(struct driver *driver, unsigned int count, uint32_t len)
{
	const struct virtio_blk_outhdr header = { .type = virtio_le32(VIRTIO_BLK_T_IN) };
	struct virtio_mock_buffer buffers[MANY_BUFFERS + 2];
	struct vm *vm = driver->vm;

	memcpy(vm->memory + HEADERS, &header, sizeof header);
	vm->memory[STATUSES] = 0xff;
	vm->memory[LONG_DATA] = 0x5a;
	buffers[0] = (struct virtio_mock_buffer){ .addr = GUEST_ADDR + HEADERS, .len = sizeof header };
	for (unsigned int i = 1; i <= count; i++)
		buffers[i] = (struct virtio_mock_buffer){ .addr = GUEST_ADDR + LONG_DATA,
							  .len = len,
							  .flags = VRING_DESC_F_WRITE };
	buffers[count + 1] =
		(struct virtio_mock_buffer){ .addr = GUEST_ADDR + STATUSES, .len = 1, .flags = VRING_DESC_F_WRITE };
	assert_true(virtio_mock_add_indirect(&driver->mock, GUEST_ADDR + LONG_TABLE, buffers, count + 2) >= 0);
	driver_notify(driver);
}

/*
 * Hostile 205: no negotiated feature limits the bytes of a request, and a request has over 64 MiB.
 * During the request the program answers the guest's accesses, and a reset ends the request.
 */
static void request_of_any_length_is_served_in_turns(void **state)
{
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	driver_init(&driver, &vm, BLOCK);
	driver_set_up(&driver, BLOCK_FEATURES);
	assert_int_equal(truncate(vm.image, 1 << 30), 0);
	assert_int_equal(kill(vm.pid, SIGHUP), 0);
	while (!(driver_wait_interrupt(&driver) & VIRTIO_MMIO_INT_CONFIG))
		;
	submit_long_read(&driver, LONG_BUFFERS, LONG_BYTES);
	(void)driver_wait(&driver);
	assert_int_equal(vm.memory[STATUSES], VIRTIO_BLK_S_OK);
	assert_int_equal(vm.memory[LONG_DATA], 0);
	submit_long_read(&driver, LONG_BUFFERS, LONG_BYTES);
	driver_set_up(&driver, BLOCK_FEATURES);
	block_write_and_read(&driver, 1, 1);
	vm_finish(&vm);
}

/* Hostile 205: the driver did not negotiate SEG_MAX, so a request may have many segments. */
static void request_of_many_segments_is_served(void **state)
{
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	driver_init(&driver, &vm, BLOCK);
	driver_set_up(&driver, BLOCK_FEATURES & ~FEATURE(VIRTIO_BLK_F_SEG_MAX));
	submit_long_read(&driver, MANY_BUFFERS, 512);
	(void)driver_wait(&driver);
	assert_int_equal(vm.memory[STATUSES], VIRTIO_BLK_S_OK);
	assert_int_equal(vm.memory[LONG_DATA], 0);
	vm_finish(&vm);
}

/* QEMU sends the whole table of guest memory again after each change of the table. */
static void memory_in_other_pieces_does_not_disturb(void **state)
{
	struct proxy_memory table = vm_table();
	struct driver block, entropy;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	driver_init(&block, &vm, BLOCK);
	driver_init(&entropy, &vm, ENTROPY);
	driver_set_up(&block, BLOCK_FEATURES);
	driver_set_up(&entropy, 0);
	block_write_and_read(&block, 1, 1);
	for (unsigned int i = 0; i < 8; i++) {
		const uint64_t piece = GUEST_BYTES / 8;

		table.addr[i] = GUEST_ADDR + i * piece;
		table.size[i] = piece;
		table.offset[i] = i * piece;
	}
	vm_send_table(&vm, &table, vm.memory_fd, 8);
	block_write_and_read(&block, 2, 2);
	/* The block device's buffer spans three of the table's regions. */
	assert_int_equal(entropy_get(&entropy, 0x10000), 0x10000);
	assert_int_equal(block_io(&block, VIRTIO_BLK_T_IN, 0, 0x40000), VIRTIO_BLK_S_OK);
	assert_int_equal(vm.memory[DATA + 512], 1);
	assert_int_equal(vm.memory[DATA + 1024], 2);
	vm_finish(&vm);
}

static void machine_reset_resets_the_devices(void **state)
{
	struct driver driver;
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	driver_init(&driver, &vm, BLOCK);
	for (int i = 0; i < 3; i++) {
		driver_set_up(&driver, BLOCK_FEATURES);
		block_write_and_read(&driver, 1, 1);
		assert_int_equal(vm_ask(&vm, PROXY_RESET, NULL, 0), 0);
		assert_int_equal(vm_config_read(&vm, 0, 2), 0x1234);
		vm_config_write(&vm, 0x10, 4, REGISTERS);
		vm_config_write(&vm, 0x04, 2, 2);
		assert_int_equal(reg_read(&driver, VIRTIO_MMIO_STATUS), 0);
		assert_int_equal(reg_read(&driver, VIRTIO_MMIO_QUEUE_READY), 0);
	}
	vm_finish(&vm);
}

/* Command line */

/* Runs the program with up to five arguments, and discards its output. Returns the exit status. */
static int run_with(const char *a, const char *b, const char *c, const char *d, const char *e)
{
	const pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		(void)!freopen("/dev/null", "w", stdout);
		(void)!freopen("/dev/null", "w", stderr);
		execl(vm_program(), vm_program(), a, b, c, d, e, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void command_line_that_is_wrong_is_refused(void **state)
{
	struct vm vm;

	(void)state;
	vm_start(&vm);
	assert_int_equal(run_with("--help", NULL, NULL, NULL, NULL), 0);
	assert_int_equal(run_with(NULL, NULL, NULL, NULL, NULL), 1);
	assert_int_equal(run_with("--nonsense", NULL, NULL, NULL, NULL), 1);
	assert_int_equal(run_with("--blk", vm.errors, NULL, NULL, NULL), 1);
	assert_int_equal(run_with("--blk", vm.image, "--socket-fd", "x", NULL), 1);
	assert_int_equal(run_with("--blk", vm.image, "--socket-fd", "-1", NULL), 1);
	assert_int_equal(run_with("--blk", vm.image, "--socket-fd", "0", NULL), 1);
	assert_int_equal(run_with("--blk", "/nonexistent", "true", NULL, NULL), 1);
	assert_int_equal(run_with("--blk", "/dev/null", "true", NULL, NULL), 1);
	/* The program that was started first has locked the image. */
	assert_int_equal(vm_ask(&vm, PROXY_RESET, NULL, 0), 0);
	assert_int_equal(run_with("--blk", vm.image, "true", NULL, NULL), 1);
	vm_finish(&vm);
}

static void command_is_run_with_two_sockets(void **state)
{
	static const struct {
		const char *words;
		int status;
	} options[] = {
		{ "readonly=on,serial=12345678901234567890", 0 },
		{ "readonly=perhaps", 1 },
		{ "serial=123456789012345678901", 1 },
		{ "readonly", 1 },
		{ "socket=x", 1 },
	};
	char image[] = "/tmp/mmio-proxy-test-XXXXXX", disk[128];
	const int fd = mkstemp(image);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(run_with("--blk", image, "true", NULL, NULL), 0);
	for (unsigned int i = 0; i < sizeof options / sizeof *options; i++) {
		snprintf(disk, sizeof disk, "%s,%s", image, options[i].words);
		assert_int_equal(run_with("--blk", disk, "true", NULL, NULL), options[i].status);
	}
	assert_int_equal(run_with("--blk", image, "false", NULL, NULL), 1);
	assert_int_equal(run_with("--blk", image, "/nonexistent", NULL, NULL), 1);
	assert_int_equal(run_with("--blk", image, "sh", "-c", "test -S /dev/fd/3 -a -S /dev/fd/4 -a ! -e /dev/fd/5"),
			 0);
	close(fd);
	unlink(image);
}

static void signal_ends_the_program_well(void **state)
{
	struct vm vm;

	(void)state;
	vm_boot(&vm);
	assert_int_equal(kill(vm.pid, SIGTERM), 0);
	assert_int_equal(recv(vm.socket, (char[1]){ 0 }, 1, 0), 0);
	vm_finish(&vm);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(block_device_serves_requests_with_all_its_features),
		cmocka_unit_test(block_device_has_the_options_of_its_disk),
		cmocka_unit_test(block_device_discards_and_writes_zeroes),
		cmocka_unit_test(block_device_survives_writes_beyond_the_limit_of_files),
		cmocka_unit_test(block_device_serves_many_requests_at_once),
		cmocka_unit_test(random_bytes_are_random),
		cmocka_unit_test(both_devices_share_the_interrupt),
		cmocka_unit_test(interrupt_is_repeated_until_it_is_acknowledged),
		cmocka_unit_test(interrupt_is_repeated_while_one_device_waits),
		cmocka_unit_test(queue_is_reset_alone_and_set_up_with_another_size),
		cmocka_unit_test(requests_made_early_are_served_by_activation),
		cmocka_unit_test(device_without_a_queue_is_active),
		cmocka_unit_test(cache_mode_is_what_the_driver_writes),
		cmocka_unit_test(image_of_another_size_changes_the_configuration),
		cmocka_unit_test(request_of_any_length_is_served_in_turns),
		cmocka_unit_test(request_of_many_segments_is_served),
		cmocka_unit_test(memory_in_other_pieces_does_not_disturb),
		cmocka_unit_test(machine_reset_resets_the_devices),
		cmocka_unit_test(command_line_that_is_wrong_is_refused),
		cmocka_unit_test(command_is_run_with_two_sockets),
		cmocka_unit_test(signal_ends_the_program_well),
	};

	vm_find_program(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
