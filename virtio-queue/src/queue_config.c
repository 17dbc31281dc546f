/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A queue's configuration: setters for single values, and the check of all values. */
#include <virtio/queue.h>

/* Requirements of each area (virtio 1.4, 2.7): alignment in bytes, and the device's access. */
static const struct {
	uint8_t align;
	uint8_t access;
} areas[] = {
	[VIRTIO_QUEUE_DESC] = { VRING_DESC_ALIGN_SIZE, VIRTIO_ACCESS_READ },
	[VIRTIO_QUEUE_AVAIL] = { VRING_AVAIL_ALIGN_SIZE, VIRTIO_ACCESS_READ },
	[VIRTIO_QUEUE_USED] = { VRING_USED_ALIGN_SIZE, VIRTIO_ACCESS_WRITE },
};

static bool size_is_valid(uint32_t size, uint32_t max)
{
	return size != 0 && size <= max && (size & (size - 1)) == 0;
}

int virtio_queue_config_init(struct virtio_queue_config *config, uint16_t max_size)
{
	if (!size_is_valid(max_size, VIRTIO_QUEUE_MAX_SIZE))
		return VIRTIO_ESIZE;
	memset(config, 0, sizeof *config);
	config->max_size = max_size;
	config->size = max_size;
	return 0;
}

void virtio_queue_config_reset(struct virtio_queue_config *config)
{
	const struct virtio_queue_config defaults = {
		.max_size = config->max_size,
		.size = config->max_size,
		.allow_unnegotiated_indirect = config->allow_unnegotiated_indirect,
		.allow_long_indirect = config->allow_long_indirect,
	};

	*config = defaults;
}

int virtio_queue_config_set_size(struct virtio_queue_config *config, uint32_t size)
{
	if (config->ready)
		return VIRTIO_EBUSY;
	if (!size_is_valid(size, config->max_size))
		return VIRTIO_ESIZE;
	config->size = (uint16_t)size;
	return 0;
}

int virtio_queue_config_set_addr(struct virtio_queue_config *config, enum virtio_queue_area area, uint64_t addr)
{
	if ((unsigned int)area > VIRTIO_QUEUE_USED)
		return VIRTIO_EINVAL;
	if (config->ready)
		return VIRTIO_EBUSY;
	if (addr & (areas[area].align - 1u))
		return VIRTIO_EALIGN;
	config->addr[area] = addr;
	return 0;
}

int virtio_queue_config_set_addr_low(struct virtio_queue_config *config, enum virtio_queue_area area, uint32_t value)
{
	if ((unsigned int)area > VIRTIO_QUEUE_USED)
		return VIRTIO_EINVAL;
	return virtio_queue_config_set_addr(config, area, (config->addr[area] & ~(uint64_t)UINT32_MAX) | value);
}

int virtio_queue_config_set_addr_high(struct virtio_queue_config *config, enum virtio_queue_area area, uint32_t value)
{
	if ((unsigned int)area > VIRTIO_QUEUE_USED)
		return VIRTIO_EINVAL;
	return virtio_queue_config_set_addr(config, area, (config->addr[area] & UINT32_MAX) | (uint64_t)value << 32);
}

uint64_t virtio_queue_config_area_bytes(const struct virtio_queue_config *config, enum virtio_queue_area area)
{
	const uint64_t size = config->size;
	const uint64_t event = config->event_idx ? 2 : 0;

	switch (area) {
	case VIRTIO_QUEUE_DESC:
		return VIRTIO_IMPL_DESC_BYTES * size;
	case VIRTIO_QUEUE_AVAIL:
		return VIRTIO_IMPL_RING_ENTRIES + 2 * size + event;
	case VIRTIO_QUEUE_USED:
		return VIRTIO_IMPL_RING_ENTRIES + VIRTIO_IMPL_USED_BYTES * size + event;
	}
	return 0;
}

int virtio_queue_config_check(const struct virtio_queue_config *config, const struct virtio_memory_map *map)
{
	struct virtio_memory_cursor cursor;

	if (!size_is_valid(config->max_size, VIRTIO_QUEUE_MAX_SIZE) || !size_is_valid(config->size, config->max_size))
		return VIRTIO_ESIZE;
	if (!map)
		return VIRTIO_EFAULT;
	virtio_memory_cursor_init(&cursor, map);
	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++) {
		int error;

		if (config->addr[i] & (areas[i].align - 1u))
			return VIRTIO_EALIGN;
		error = virtio_memory_check(&cursor, config->addr[i],
					    virtio_queue_config_area_bytes(config, (enum virtio_queue_area)i),
					    areas[i].access);
		if (error)
			return error;
	}
	return 0;
}
