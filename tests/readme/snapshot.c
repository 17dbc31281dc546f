/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The saved disk of virtio-blk's README: another disk continues where the first disk stopped, with
 * the driver's cache mode.
 */
#include "readme_snapshot.h"

#include "cmocka_includes.h"

#include <string.h>
#include <virtio/bindings/virtio_config.h>
#include <virtio/bindings/virtio_ids.h>
#include <virtio/blk_memory.h>
#include <virtio/device_transport.h>

#define SIZE 4u
#define SECTORS 8u
#define WRITEBACK offsetof(struct virtio_blk_config, wce)

struct machine {
	uint8_t ram[4096];
	uint8_t storage[SECTORS * 512];
	struct virtio_region region;
	struct virtio_memory_map map;
	struct virtio_blk_memory memory;
	struct virtio_queue_registers queues[1];
	struct virtio_inflight inflight[SIZE];
	struct disk_device disk;
	unsigned int notified;
	unsigned int interrupts[3]; /* number of interrupts by cause */
};

static int check_features(struct virtio_device *device, const uint32_t features[VIRTIO_FEATURE_WORDS])
{
	struct machine *m = device->context;

	return virtio_blk_negotiate(&m->disk.blk, features[0]);
}

static int reset(struct virtio_device *device)
{
	struct machine *m = device->context;

	virtio_blk_reset(&m->disk.blk);
	return virtio_device_queues_reset(device);
}

static void queue_notify(struct virtio_device *device, uint16_t queue, uint16_t next)
{
	struct machine *m = device->context;

	(void)queue;
	(void)next;
	m->notified++;
}

static void config_read(struct virtio_device *device, uint32_t offset, void *data, uint32_t len)
{
	struct machine *m = device->context;

	virtio_blk_config_read(&m->disk.blk, offset, data, len);
}

static void config_write(struct virtio_device *device, uint32_t offset, const void *data, uint32_t len)
{
	struct machine *m = device->context;

	(void)virtio_blk_config_write(&m->disk.blk, offset, data, len);
}

static void interrupt(struct virtio_device *device, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	struct machine *m = device->context;

	(void)queue;
	m->interrupts[cause] += level;
}

/* Makes a machine whose guest does not run yet, with a disk of this number of sectors. */
static void make(struct machine *m, uint64_t sectors)
{
	static const struct virtio_device_ops ops = {
		.check_features = check_features,
		.activate = virtio_device_queues_activate,
		.reset = reset,
		.queue_notify = queue_notify,
		.queue_stop = virtio_device_queues_stop,
		.config_read = config_read,
		.config_write = config_write,
		.interrupt = interrupt,
	};
	struct virtio_blk_options disk = { .capacity = sectors, .config_wce = true };
	const struct virtio_device_queues_storage queues = {
		.registers = m->queues,
		.queues = &m->disk.queue,
		.num_queues = 1,
		.inflight = m->inflight,
		.inflight_entries = SIZE,
	};
	struct virtio_device_options options = {
		.ops = &ops,
		.context = m,
		.type = VIRTIO_ID_BLOCK,
		.device_queues = &m->disk.queues,
		.config_size = VIRTIO_BLK_CONFIG_BYTES,
		.memory = &m->map,
	};

	memset(m, 0, sizeof *m);
	m->region = (struct virtio_region){ .addr = 0, .len = sizeof m->ram, .host = m->ram };
	assert_int_equal(virtio_memory_map_init(&m->map, &m->region, 1), 0);
	m->memory = (struct virtio_blk_memory){ m->storage, sizeof m->storage };
	assert_int_equal(virtio_blk_memory_backend(&m->memory, &disk.backend), 0);
	assert_int_equal(virtio_blk_init(&m->disk.blk, &disk), 0);
	options.features[0] = (uint32_t)virtio_blk_offered(&m->disk.blk);
	m->queues[0].config.max_size = SIZE;
	assert_int_equal(virtio_device_queues_init(&m->disk.queues, &queues), 0);
	assert_int_equal(virtio_device_init(&m->disk.device, &options), 0);
}

/* The driver brings the disk up and switches the disk to write-through. */
static void bring_up(struct machine *m)
{
	struct virtio_device *device = &m->disk.device;
	const uint8_t write_through = 0;
	uint32_t status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;

	assert_int_equal(virtio_device_write_status(device, status), 0);
	virtio_device_accept_features(device, 0, virtio_device_offered_features(device, 0));
	virtio_device_accept_features(device, 1, virtio_device_offered_features(device, 1));
	status |= VIRTIO_CONFIG_S_FEATURES_OK;
	assert_int_equal(virtio_device_write_status(device, status), 0);
	virtio_device_set_queue_addr_low(device, VIRTIO_QUEUE_DESC, 0x100);
	virtio_device_set_queue_addr_low(device, VIRTIO_QUEUE_AVAIL, 0x200);
	virtio_device_set_queue_addr_low(device, VIRTIO_QUEUE_USED, 0x300);
	assert_int_equal(virtio_device_enable_queue(device, 1), 0);
	status |= VIRTIO_CONFIG_S_DRIVER_OK;
	assert_int_equal(virtio_device_write_status(device, status), 0);
	assert_int_equal(virtio_device_status(device), status);
	virtio_device_write_config(device, WRITEBACK, &write_through, 1);
	assert_true(virtio_blk_write_through(&m->disk.blk));
}

static const uint8_t id[VIRTIO_QUEUE_SER_ID_BYTES] = { 1 };
static uint8_t bytes[4096];
static char text[300];
static uint16_t carried_out[SIZE];
static uint32_t carried_out_count;

static void carry_out(struct disk_device *disk, struct virtio_chain *chain)
{
	carried_out[carried_out_count++] = virtio_token_head(chain->token);
	assert_int_equal(virtio_queue_complete(&disk->queue, chain->token, 0), 0);
}

/* Saves one disk and restores another disk from the saved state. */
static int move(const struct machine *source, struct machine *target)
{
	size_t length = 0;

	carried_out_count = 0;
	assert_int_equal(disk_save(&source->disk, id, bytes, sizeof bytes, &length), 0);
	return disk_restore(&target->disk, id, bytes, length, carry_out, text, sizeof text);
}

/* The memory of the guest moves with the disk. */
static void move_memory(const struct machine *source, struct machine *target)
{
	memcpy(target->ram, source->ram, sizeof target->ram);
}

static void snapshot_keeps_what_the_driver_has_set_up(void **state)
{
	static struct machine source, target;

	(void)state;
	make(&source, SECTORS);
	bring_up(&source);
	make(&target, SECTORS);
	assert_int_equal(move(&source, &target), 0);
	assert_int_equal(virtio_device_status(&target.disk.device), virtio_device_status(&source.disk.device));
	assert_true(virtio_blk_write_through(&target.disk.blk));
	assert_int_equal(virtio_queue_available(&target.disk.queue), 0);
	/* The target is notified of its queue once, and interrupts the driver once. */
	assert_int_equal(target.notified, 1);
	assert_int_equal(target.interrupts[VIRTIO_INTERRUPT_USED], 1);
	assert_int_equal(target.interrupts[VIRTIO_INTERRUPT_CONFIG], 0);
}

static void snapshot_carries_out_what_was_in_flight(void **state)
{
	static struct machine source, target;
	struct virtio_chain chain;

	(void)state;
	make(&source, SECTORS);
	bring_up(&source);
	/* Writes heads 2 and 0, and the index 2, into the available ring. */
	virtio_put_le16(source.ram + 0x204, 2);
	virtio_put_le16(source.ram + 0x206, 0);
	virtio_put_le16(source.ram + 0x202, 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(virtio_queue_pop(&source.disk.queue, &chain), 1);
	make(&target, SECTORS);
	move_memory(&source, &target);
	assert_int_equal(move(&source, &target), 0);
	assert_int_equal(carried_out_count, 2);
	assert_true(carried_out[0] == 2 && carried_out[1] == 0);
	assert_int_equal(virtio_get_le16(target.ram + 0x302), 2);
}

static void snapshot_of_a_smaller_disk_tells_the_driver(void **state)
{
	static struct machine source, target;

	(void)state;
	make(&source, SECTORS - 1);
	bring_up(&source);
	make(&target, SECTORS);
	assert_int_equal(move(&source, &target), 0);
	assert_true(target.interrupts[VIRTIO_INTERRUPT_CONFIG] > 0);
}

static void snapshot_of_a_larger_disk_is_refused(void **state)
{
	static struct machine source, target;

	(void)state;
	make(&source, SECTORS);
	bring_up(&source);
	make(&target, SECTORS - 1);
	assert_int_equal(move(&source, &target), VIRTIO_EINVAL);
	assert_string_equal(text,
			    "section blk, device 0, index 0: capacity at byte 196: the target refuses the value: 8 "
			    "(VIRTIO_EINVAL: argument out of range)");
	assert_int_equal(virtio_device_status(&target.disk.device), 0);
}

static void snapshot_before_the_driver_runs_restores_too(void **state)
{
	static struct machine source, target;

	(void)state;
	make(&source, SECTORS);
	make(&target, SECTORS);
	assert_int_equal(move(&source, &target), 0);
	bring_up(&target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snapshot_keeps_what_the_driver_has_set_up),
		cmocka_unit_test(snapshot_carries_out_what_was_in_flight),
		cmocka_unit_test(snapshot_of_a_smaller_disk_tells_the_driver),
		cmocka_unit_test(snapshot_of_a_larger_disk_is_refused),
		cmocka_unit_test(snapshot_before_the_driver_runs_restores_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
