/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Tests that the image has every write that the device has reported as stored, whenever the daemon
 * is killed. The driver writes numbered sectors, several at once, and records which writes the
 * device has acknowledged.
 */
#include "daemon.h"
#include "front_end.h"
#include "rings.h"

#include "cmocka_includes.h"
#include "watchdog.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <virtio/bindings/virtio_config.h>

#define KILLS 12
#define BATCH 16u
#define SLOTS (RING_SECTORS / REQUEST_SECTORS)

/*
 * The driver numbers its writes. Each array has a write's number for each slot. A slot is
 * REQUEST_BYTES bytes of the disk.
 */
struct promise {
	uint32_t written[SLOTS]; /* the last number that the device reported as written */
	uint32_t stable[SLOTS];  /* the last number that must survive the daemon's end */
	uint32_t begun[SLOTS];   /* the last number that the driver has sent */
};

static void fill(uint8_t *bytes, uint32_t number)
{
	for (unsigned int i = 0; i < REQUEST_BYTES; i += 4)
		memcpy(bytes + i, &number, sizeof number);
}

static void negotiate(struct front_end *fe, uint64_t features)
{
	const uint64_t all = features | FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VHOST_USER_F_PROTOCOL_FEATURES) |
			     FEATURE(VIRTIO_RING_F_INDIRECT_DESC);

	assert_int_equal(front_end_ask_u64(fe, VHOST_USER_SET_FEATURES, all), 0);
}

/* A process that kills the daemon, some time after a write became stable. */
struct killer {
	pid_t pid; /* 0 if not started yet */
	pid_t victim;
	unsigned int after_us;
};

/* Starts the process, unless it was started before. */
static void start_killer(struct killer *killer)
{
	if (killer->pid > 0)
		return;
	killer->pid = fork();
	assert_true(killer->pid >= 0);
	if (killer->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		usleep(killer->after_us);
		_exit(kill(killer->victim, SIGKILL) ? 1 : 0);
	}
}

static bool is_alive(const struct front_end *fe)
{
	char byte;

	/*
	 * The socket closes when the daemon dies. There is never data to read, because the daemon
	 * sends only replies, and the front end has read all replies.
	 */
	return recv(fe->socket, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0;
}

/*
 * Waits until `count` requests are completed, and returns true. Returns false if the daemon is
 * dead. Polls the used ring, because a killed daemon sends no more interrupts.
 */
static bool wait_for(struct ring *ring, struct front_end *fe, unsigned int count)
{
	struct vring_used_elem used;

	while (count > 0) {
		const int got = virtio_mock_pop_used(&ring->mock, &used);

		assert_true(got >= 0);
		count -= (unsigned int)got;
		if (got)
			watchdog_step();
		if (got == 0 && !is_alive(fe))
			return false;
	}
	return true;
}

/*
 * Writes BATCH slots, beginning with slot `first`. Returns true if the device has written all of
 * these slots, or false if the daemon is dead.
 */
static bool write_batch(struct ring *ring, struct front_end *fe, unsigned int first, struct promise *promise,
			uint32_t *number)
{
	bool all;

	for (unsigned int n = 0; n < BATCH; n++) {
		promise->begun[first + n] = ++*number;
		fill(ring_data(ring, n), *number);
		assert_int_equal(ring_submit(ring, n, VIRTIO_BLK_T_OUT, (first + n) * REQUEST_SECTORS, REQUEST_BYTES),
				 0);
	}
	assert_int_equal(ring_kick(ring), 0);
	all = wait_for(ring, fe, BATCH);
	for (unsigned int n = 0; n < BATCH; n++) {
		if (ring_status(ring, n) == VIRTIO_BLK_S_OK)
			promise->written[first + n] = promise->begun[first + n];
		else
			assert_int_equal(ring_status(ring, n), 0xff);
	}
	return all;
}

/* Writes until the daemon is dead. */
static void write_until_the_end(struct ring *ring, struct front_end *fe, bool flushes, struct promise *promise,
				uint32_t *number, struct killer *killer)
{
	for (unsigned int first = 0;; first = (first + BATCH) % SLOTS) {
		const bool all = write_batch(ring, fe, first, promise, number);

		if (!flushes)
			memcpy(promise->stable, promise->written, sizeof promise->stable);
		if (!all)
			return;
		if (flushes) {
			assert_int_equal(ring_submit(ring, BATCH, VIRTIO_BLK_T_FLUSH, 0, 0), 0);
			assert_int_equal(ring_kick(ring), 0);
			if (!wait_for(ring, fe, 1) && ring_status(ring, BATCH) != VIRTIO_BLK_S_OK)
				return;
			assert_int_equal(ring_status(ring, BATCH), VIRTIO_BLK_S_OK);
			memcpy(promise->stable, promise->written, sizeof promise->stable);
		}
		/* Start the killer only now, so that the daemon always finishes the first batch. */
		start_killer(killer);
	}
}

/* Checks that each slot has its last stable write, or a later write. */
static void check_image(const struct daemon_process *daemon, const struct promise *promise)
{
	uint32_t found[REQUEST_BYTES / 4];
	int image = open(daemon->image, O_RDONLY | O_CLOEXEC);

	assert_true(image >= 0);
	for (unsigned int slot = 0; slot < SLOTS; slot++) {
		assert_int_equal(pread(image, found, sizeof found, (off_t)(slot * REQUEST_BYTES)), sizeof found);
		for (unsigned int i = 0; i < REQUEST_BYTES / 4; i++)
			assert_in_range(found[i], promise->stable[slot], promise->begun[slot]);
	}
	close(image);
}

static void kill_again_and_again(bool flushes)
{
	struct daemon_process daemon;
	struct promise promise = { 0 };
	uint32_t number = 0, sum = 0;

	daemon_folder(&daemon);
	for (unsigned int i = 0; i < KILLS; i++) {
		struct front_end fe;
		struct ring ring;
		struct killer killer = { .after_us = 2500 * i };
		int status;

		daemon_start_again(&daemon, "");
		front_end_open(&fe, daemon.socket);
		negotiate(&fe, flushes ? FEATURE(VIRTIO_BLK_F_FLUSH) : 0);
		front_end_share_memory(&fe);
		ring_open(&ring, &fe, 0);
		killer.victim = daemon.pid;
		write_until_the_end(&ring, &fe, flushes, &promise, &number, &killer);
		assert_int_equal(waitpid(killer.pid, &status, 0), killer.pid);
		assert_int_equal(status, 0);
		assert_int_equal(waitpid(daemon.pid, &status, 0), daemon.pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		fclose(daemon.out);
		front_end_close(&fe);
		ring_close(&ring);
		check_image(&daemon, &promise);
	}
	for (unsigned int slot = 0; slot < SLOTS; slot++)
		sum |= promise.stable[slot];
	assert_true(sum > 0);
	unlink(daemon.socket);
	daemon_remove_folder(&daemon);
}

static void writes_that_were_flushed_survive_the_daemon(void **state)
{
	(void)state;
	kill_again_and_again(true);
}

/* Without FLUSH, a driver relies on each completed write. */
static void writes_under_write_through_survive_the_daemon(void **state)
{
	(void)state;
	kill_again_and_again(false);
}

/* Write-back of pages */

/* Bits of /proc/kpageflags. */
#define PAGE_DIRTY (UINT64_C(1) << 4)
#define PAGE_WRITEBACK (UINT64_C(1) << 8)

static bool read_entry(const char *path, uint64_t index, uint64_t *entry)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool whole;

	if (fd < 0)
		return false;
	whole = pread(fd, entry, sizeof *entry, (off_t)(index * sizeof *entry)) == sizeof *entry;
	close(fd);
	return whole;
}

/*
 * Returns 1 if the kernel still has to write a mapped page of a file to its disk, and 0 if not.
 * Returns -1 if the system does not show that.
 */
static int is_unwritten(const volatile char *page)
{
	uint64_t entry, flags;

	(void)*page;
	if (!read_entry("/proc/self/pagemap", (uintptr_t)page / (uint64_t)sysconf(_SC_PAGESIZE), &entry))
		return -1;
	entry &= (UINT64_C(1) << 55) - 1; /* number of the page; 0 without permission */
	if (entry == 0 || !read_entry("/proc/kpageflags", entry, &flags))
		return -1;
	return (flags & (PAGE_DIRTY | PAGE_WRITEBACK)) != 0;
}

/*
 * Returns whether this system shows which pages are on disk. The function needs root, and a file
 * system on a disk.
 */
static bool can_see_writes(const struct daemon_process *daemon, char *page)
{
	int before, after, fd = open(daemon->image, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	before = is_unwritten(page);
	assert_int_equal(fdatasync(fd), 0);
	after = is_unwritten(page);
	close(fd);
	return before == 1 && after == 0;
}

static uint8_t write_page(struct front_end *fe, unsigned int n)
{
	memset(block_data(fe), (int)n + 1, 4096);
	return block_io(fe, VIRTIO_BLK_T_OUT, n * 8, 4096);
}

/*
 * virtio 1.4, 5.2.6.2: when a write of a driver without FLUSH completes, its data is on the disk.
 * With FLUSH, the data must be on the disk after the flush, and usually is not there before. If the
 * data were always there before the flush, this test could prove nothing.
 */
static void writes_are_on_the_disk_before_they_are_reported(void **state)
{
	const unsigned int writes = 32;
	struct daemon_process daemon;
	unsigned int late = 0;
	bool visible;
	char *image;
	int fd;

	(void)state;
	daemon_start(&daemon, "");
	fd = open(daemon.image, O_RDONLY | O_CLOEXEC);
	image = mmap(NULL, IMAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(image, MAP_FAILED);
	close(fd);
	visible = can_see_writes(&daemon, image);
	for (unsigned int flushes = 0; visible && flushes < 2; flushes++) {
		struct front_end fe;

		front_end_open(&fe, daemon.socket);
		negotiate(&fe, flushes ? FEATURE(VIRTIO_BLK_F_FLUSH) : 0);
		front_end_share_memory(&fe);
		front_end_set_ring(&fe, 0);
		front_end_start_ring(&fe);
		for (unsigned int n = 0; n < writes; n++) {
			assert_int_equal(write_page(&fe, n), VIRTIO_BLK_S_OK);
			if (!flushes)
				assert_int_equal(is_unwritten(image + n * 4096), 0);
			else
				late += is_unwritten(image + n * 4096) == 1;
		}
		if (flushes)
			assert_int_equal(block_io(&fe, VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_OK);
		for (unsigned int n = 0; n < writes; n++)
			assert_int_equal(is_unwritten(image + n * 4096), 0);
		front_end_close(&fe);
	}
	munmap(image, IMAGE_BYTES);
	daemon_finish(&daemon);
	if (!visible) {
		print_message(
			"this system doesn't show which pages are dirty: the test needs root, and /tmp on a disk\n");
		skip();
	}
	assert_true(late > 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_are_on_the_disk_before_they_are_reported),
		cmocka_unit_test(writes_that_were_flushed_survive_the_daemon),
		cmocka_unit_test(writes_under_write_through_survive_the_daemon),
	};

	daemon_find(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
