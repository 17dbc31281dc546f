// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
// The program of consumer.c in C++17.
#include <array>
#include <cstddef>
#include <iostream>
#include <virtio/queue.h>

namespace
{

constexpr std::size_t size = 8;
constexpr std::uint64_t base = 0x1000;

int run()
{
	alignas(16) std::array<std::byte, 1024> memory{};
	virtio_region region{};
	virtio_memory_map map;
	virtio_queue_config config;
	std::array<virtio_inflight, size> inflight;
	virtio_queue queue;
	virtio_chain chain;

	region.addr = base;
	region.len = memory.size();
	region.host = memory.data();
	if (int error = virtio_memory_map_init(&map, &region, 1))
		return error;
	if (int error = virtio_queue_config_init(&config, size))
		return error;
	config.addr[VIRTIO_QUEUE_DESC] = base;
	config.addr[VIRTIO_QUEUE_AVAIL] = base + 0x100;
	config.addr[VIRTIO_QUEUE_USED] = base + 0x200;
	config.ready = true;
	if (int error = virtio_queue_init(&queue, inflight.data(), inflight.size()))
		return error;
	if (int error = virtio_queue_start(&queue, &config, &map))
		return error;
	// The ring is empty, so the result must be 0. A result of 1 would mean a chain.
	return virtio_queue_pop(&queue, &chain);
}

} // namespace

int main()
{
	const int error = run();

	std::cout << "C++: " << virtio_strerror(error) << '\n';
	return error != 0;
}
