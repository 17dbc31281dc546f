/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The PCI registers of virtio-device's README. The test accesses the registers as a driver does.
 * The device has two queues, 0 and 2.
 */
#include "readme_pci.h"

#include "cmocka_includes.h"

#include <virtio/bindings/virtio_config.h>

#define QUEUES 3 /* queue 1 does not exist */
#define SIZE 8
#define CHOSEN (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK)

static _Alignas(4096) uint8_t ram[0x2000];
static struct virtio_region region = { .addr = 0x100000000, .len = sizeof ram, .host = ram };
static struct virtio_memory_map map;
static struct virtio_queue_registers registers[QUEUES];
static struct virtio_device device;
static bool line;
static uint32_t activations;

static int activate(struct virtio_device *d)
{
	(void)d;
	activations++;
	return 0;
}

static int reset(struct virtio_device *d)
{
	(void)d;
	return 0;
}

static int queue_op(struct virtio_device *d, uint16_t queue)
{
	(void)d, (void)queue;
	return 0;
}

static void queue_notify(struct virtio_device *d, uint16_t queue, uint16_t next)
{
	(void)d, (void)queue, (void)next;
}

static void interrupt(struct virtio_device *d, enum virtio_interrupt cause, uint16_t queue, bool level)
{
	(void)d, (void)cause, (void)queue;
	line = level;
}

static const struct virtio_device_ops ops = {
	.activate = activate,
	.reset = reset,
	.queue_notify = queue_notify,
	.queue_stop = queue_op,
	.queue_start = queue_op,
	.interrupt = interrupt,
};

static void make_device(void)
{
	const struct virtio_device_options options = {
		.ops = &ops,
		.type = 0xffff,
		.features = { 5, 1u << VIRTIO_F_RING_RESET % 32 },
		.queues = registers,
		.num_queues = QUEUES,
		.memory = &map,
	};

	for (uint32_t i = 0; i < QUEUES; i++)
		registers[i] = (struct virtio_queue_registers){ .config.max_size = i == 1 ? 0 : SIZE };
	assert_int_equal(virtio_memory_map_init(&map, &region, 1), 0);
	assert_int_equal(virtio_device_init(&device, &options), 0);
	line = false;
	activations = 0;
}

static void put(uint32_t offset, uint32_t value)
{
	assert_int_equal(pci_common_write(&device, offset, value), 0);
}

static uint32_t get(uint32_t offset)
{
	return pci_common_read(&device, offset);
}

static void choose_features(void)
{
	put(VIRTIO_PCI_COMMON_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	for (uint32_t word = 0; word < 2; word++) {
		put(VIRTIO_PCI_COMMON_DFSELECT, word);
		put(VIRTIO_PCI_COMMON_GFSELECT, word);
		assert_int_equal(get(VIRTIO_PCI_COMMON_DFSELECT), word);
		assert_int_equal(get(VIRTIO_PCI_COMMON_GFSELECT), word);
		put(VIRTIO_PCI_COMMON_GF, get(VIRTIO_PCI_COMMON_DF) & ~4u);
	}
	put(VIRTIO_PCI_COMMON_STATUS, CHOSEN);
	assert_int_equal(get(VIRTIO_PCI_COMMON_STATUS), CHOSEN);
}

/* Sets up queue 2, with all three areas above 4 GiB. */
static void set_up_queue(void)
{
	put(VIRTIO_PCI_COMMON_Q_SELECT, 2);
	put(VIRTIO_PCI_COMMON_Q_SIZE, SIZE / 2);
	for (uint32_t area = 0; area < 3; area++) {
		const uint32_t offset = VIRTIO_PCI_COMMON_Q_DESCLO + 8 * area;

		put(offset, 0x400 * area);
		put(offset + 4, 1);
		assert_int_equal(get(offset), 0x400 * area);
		assert_int_equal(get(offset + 4), 1);
	}
	put(VIRTIO_PCI_COMMON_Q_ENABLE, 0); /* this write has no effect */
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_ENABLE), 0);
	put(VIRTIO_PCI_COMMON_Q_ENABLE, 1);
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_ENABLE), 1);
}

static void pci_driver_initialises_device(void **state)
{
	(void)state;
	make_device();
	assert_int_equal(get(VIRTIO_PCI_COMMON_NUMQ), QUEUES);
	assert_int_equal(get(VIRTIO_PCI_COMMON_MSIX), NO_VECTOR);
	choose_features();
	put(VIRTIO_PCI_COMMON_GFSELECT, 0);
	assert_int_equal(get(VIRTIO_PCI_COMMON_GF), 1);
	put(VIRTIO_PCI_COMMON_GFSELECT, 9);
	assert_int_equal(get(VIRTIO_PCI_COMMON_GF), 0);
	set_up_queue();
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_SIZE), SIZE / 2);
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_NOFF), 2);
	assert_int_equal(activations, 0);
	put(VIRTIO_PCI_COMMON_STATUS, CHOSEN | VIRTIO_CONFIG_S_DRIVER_OK);
	assert_int_equal(activations, 1);
}

static void pci_queue_that_does_not_exist_reads_as_zero(void **state)
{
	(void)state;
	make_device();
	choose_features();
	for (uint32_t queue = 1; queue <= QUEUES; queue += QUEUES - 1) {
		put(VIRTIO_PCI_COMMON_Q_SELECT, queue);
		assert_int_equal(get(VIRTIO_PCI_COMMON_Q_SELECT), queue);
		put(VIRTIO_PCI_COMMON_Q_DESCLO, 0x400);
		put(VIRTIO_PCI_COMMON_Q_ENABLE, 1);
		for (uint32_t offset = VIRTIO_PCI_COMMON_Q_SIZE; offset <= VIRTIO_PCI_COMMON_Q_RESET; offset += 2)
			assert_int_equal(get(offset), offset == VIRTIO_PCI_COMMON_Q_MSIX ? NO_VECTOR : 0);
	}
}

static void pci_queue_reset_disables_queue(void **state)
{
	(void)state;
	make_device();
	choose_features();
	set_up_queue();
	put(VIRTIO_PCI_COMMON_STATUS, CHOSEN | VIRTIO_CONFIG_S_DRIVER_OK);
	put(VIRTIO_PCI_COMMON_Q_RESET, 1);
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_RESET), 0);
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_ENABLE), 0);
	assert_int_equal(get(VIRTIO_PCI_COMMON_Q_SIZE), SIZE);
	set_up_queue();
}

static void pci_isr_read_lowers_line(void **state)
{
	(void)state;
	make_device();
	choose_features();
	set_up_queue();
	put(VIRTIO_PCI_COMMON_STATUS, CHOSEN | VIRTIO_CONFIG_S_DRIVER_OK);
	virtio_device_interrupt_used(&device, 2);
	assert_true(line);
	assert_int_equal(pci_isr_read(&device), VIRTIO_INTERRUPT_USED);
	assert_false(line);
	assert_int_equal(pci_isr_read(&device), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pci_driver_initialises_device),
		cmocka_unit_test(pci_queue_that_does_not_exist_reads_as_zero),
		cmocka_unit_test(pci_queue_reset_disables_queue),
		cmocka_unit_test(pci_isr_read_lowers_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
