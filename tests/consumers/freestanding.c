/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A user of the suite: a small hypervisor without a C library. It has static storage, one guest
 * whose memory is in one piece, and a queue that it polls. Requests have a small fixed header,
 * which is read without resolving the chain.
 *
 * The tests compile this with -ffreestanding.
 */
#include <virtio/queue.h>

#include "consumers.h"

static struct virtio_region guest_ram;
static struct virtio_memory_map guest_map;
static struct virtio_inflight inflight[16];
static struct virtio_queue queue;

/* The VMM calls this once. */
int partition_boot(void *ram, uint64_t ram_size)
{
	int error;

	guest_ram.addr = 0;
	guest_ram.len = ram_size;
	guest_ram.host = ram;
	error = virtio_memory_map_init(&guest_map, &guest_ram, 1);
	if (!error)
		error = virtio_queue_init(&queue, inflight, 16);
	return error;
}

/* Called when the driver has set up the queue. The device polls, so it disables kicks. */
int partition_start(const struct virtio_queue_config *config)
{
	int error = virtio_queue_start(&queue, config, &guest_map);

	return error ? error : virtio_queue_disable_kicks(&queue);
}

void partition_stop(void)
{
	virtio_queue_reset(&queue);
}

/*
 * Serves a request: four readable bytes select a sensor, and eight writable bytes receive its
 * value.
 */
static int serve(struct virtio_chain *chain, uint32_t *written)
{
	struct virtio_desc desc;
	uint8_t raw[8];
	int got = virtio_chain_next(chain, &desc);

	if (got != 1 || desc.writable || desc.len < 4)
		return got < 0 ? got : VIRTIO_ESHORT;
	got = virtio_memory_read(chain->memory, desc.addr, raw, 4);
	if (got < 0)
		return got;
	virtio_put_le64(raw, read_sensor(virtio_get_le32(raw)));
	got = virtio_chain_next(chain, &desc);
	if (got != 1 || !desc.writable || desc.len < 8)
		return got < 0 ? got : VIRTIO_ESHORT;
	got = virtio_memory_write(chain->memory, desc.addr, raw, 8);
	if (got < 0)
		return got;
	*written = 8;
	return 0;
}

int partition_poll(void)
{
	struct virtio_chain chain;
	int budget = virtio_queue_available(&queue);
	int got = budget < 0 ? budget : 0;

	while (budget-- > 0 && (got = virtio_queue_pop(&queue, &chain)) == 1) {
		uint32_t written = 0;

		if (serve(&chain, &written) == VIRTIO_ENOTMAPPED) {
			(void)!virtio_queue_unpop(&queue, chain.token);
			got = VIRTIO_ENOTMAPPED;
			break;
		}
		(void)virtio_queue_complete(&queue, chain.token, written);
	}
	if (virtio_queue_needs_interrupt(&queue))
		raise_interrupt();
	return got < 0 ? got : 0;
}
