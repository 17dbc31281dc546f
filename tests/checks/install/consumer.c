/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A user's program: starts a queue over memory on the stack, and finds the queue empty. */
#include <stdio.h>
#include <string.h>
#include <virtio/queue.h>

#define SIZE 8
#define BASE 0x1000

int main(void)
{
	_Alignas(16) unsigned char memory[1024];
	struct virtio_region region;
	struct virtio_memory_map map;
	struct virtio_queue_config config;
	struct virtio_inflight inflight[SIZE];
	struct virtio_queue queue;
	struct virtio_chain chain;
	int error;

	memset(memory, 0, sizeof memory);
	memset(&region, 0, sizeof region);
	region.addr = BASE;
	region.len = sizeof memory;
	region.host = memory;
	error = virtio_memory_map_init(&map, &region, 1);
	if (!error)
		error = virtio_queue_config_init(&config, SIZE);
	if (!error) {
		config.addr[VIRTIO_QUEUE_DESC] = BASE;
		config.addr[VIRTIO_QUEUE_AVAIL] = BASE + 0x100;
		config.addr[VIRTIO_QUEUE_USED] = BASE + 0x200;
		config.ready = true;
		error = virtio_queue_init(&queue, inflight, SIZE);
	}
	if (!error)
		error = virtio_queue_start(&queue, &config, &map);
	if (!error)
		error = virtio_queue_pop(&queue, &chain);
	/* The ring is empty, so the result must be 0. A result of 1 would mean a chain. */
	printf("C: %s\n", virtio_strerror(error));
	return error != 0;
}
