/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The mock driver: the addresses of its areas, and access to each field. */
#include <virtio/descriptor.h>
#include <virtio/queue_mock.h>

/* Sizes in the rings (virtio 1.4, 2.7), in bytes. */
#define AVAIL_ENTRY_BYTES 2u
#define RING_OVERHEAD 6u /* flags and idx before the entries, the event field after them */

/* Access to guest memory */

/*
 * Reads or writes a 16-bit field. If the field lies over two regions or is misaligned, uses a plain
 * copy and orders it by a fence. The fence is enough if mock and device access the field in turn.
 */
static int load16(struct virtio_mock *mock, uint64_t addr, uint16_t *out)
{
	uint8_t raw[2];
	int error = virtio_memory_load_le16(&mock->memory, addr, VIRTIO_ACQUIRE, out);

	if (error != VIRTIO_EALIGN && error != VIRTIO_EFAULT)
		return error;
	error = virtio_memory_read(&mock->memory, addr, raw, sizeof raw);
	if (error)
		return error;
	virtio_full_fence();
	*out = virtio_get_le16(raw);
	return 0;
}

static int store16(struct virtio_mock *mock, uint64_t addr, uint16_t value)
{
	uint8_t raw[2];
	int error = virtio_memory_store_le16(&mock->memory, addr, VIRTIO_RELEASE, value);

	if (error != VIRTIO_EALIGN && error != VIRTIO_EFAULT)
		return error;
	virtio_full_fence();
	virtio_put_le16(raw, value);
	return virtio_memory_write(&mock->memory, addr, raw, sizeof raw);
}

/*
 * Writes whole words by one store each. A device that reads a word at the same time sees the old or
 * the new word, and there is no data race. If a word is misaligned or lies over two regions, writes
 * plain bytes.
 */
static int store_words(struct virtio_mock *mock, uint64_t addr, const void *words, uint32_t bytes)
{
	const uint8_t *raw = words;
	int error = virtio_memory_check(&mock->memory, addr, bytes, VIRTIO_ACCESS_WRITE);

	for (uint32_t i = 0; i < bytes && !error; i += 4)
		error = virtio_memory_store_le32(&mock->memory, addr + i, VIRTIO_RELAXED, virtio_get_le32(raw + i));
	if (error != VIRTIO_EALIGN && error != VIRTIO_EFAULT)
		return error;
	return virtio_memory_write(&mock->memory, addr, raw, bytes);
}

/* Computes base + offset. Fails if the sum leaves the address space. */
static int address(uint64_t base, uint64_t offset, uint64_t *out)
{
	return __builtin_add_overflow(base, offset, out) ? VIRTIO_EFAULT : 0;
}

/* Life cycle */

static uint64_t area_bytes(uint32_t size, enum virtio_queue_area area)
{
	switch (area) {
	case VIRTIO_QUEUE_DESC:
		return (uint64_t)VIRTIO_IMPL_DESC_BYTES * size;
	case VIRTIO_QUEUE_AVAIL:
		return RING_OVERHEAD + (uint64_t)AVAIL_ENTRY_BYTES * size;
	case VIRTIO_QUEUE_USED:
		return RING_OVERHEAD + (uint64_t)VIRTIO_IMPL_USED_BYTES * size;
	}
	return 0;
}

/* Returns the offset of an area from the start of the first area. */
static uint64_t area_offset(uint32_t size, enum virtio_queue_area area)
{
	const uint64_t avail = area_bytes(size, VIRTIO_QUEUE_DESC);
	const uint64_t used = avail + area_bytes(size, VIRTIO_QUEUE_AVAIL) + (VRING_USED_ALIGN_SIZE - 1);

	switch (area) {
	case VIRTIO_QUEUE_AVAIL:
		return avail;
	case VIRTIO_QUEUE_USED:
		return used & ~(uint64_t)(VRING_USED_ALIGN_SIZE - 1);
	case VIRTIO_QUEUE_DESC:
		break;
	}
	return 0;
}

static void forget_chains(struct virtio_mock *mock)
{
	memset(mock->slots, 0, sizeof *mock->slots * mock->size);
	for (uint32_t i = 0; i < mock->size; i++)
		mock->slots[i].next = (uint16_t)(i + 1);
	mock->free_head = 0;
	mock->free_count = mock->size;
	mock->in_flight = 0;
	mock->avail_idx = 0;
	mock->published = 0;
	mock->kicked = 0;
	mock->used_idx = 0;
}

static int check_areas(struct virtio_mock *mock)
{
	int error = 0;

	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED && !error; i++)
		error = virtio_memory_check(&mock->memory, mock->addr[i],
					    area_bytes(mock->size, (enum virtio_queue_area)i), VIRTIO_ACCESS_WRITE);
	return error;
}

static int zero_area(struct virtio_mock *mock, enum virtio_queue_area area)
{
	static const uint8_t zeroes[64];
	const uint64_t bytes = area_bytes(mock->size, area);

	for (uint64_t done = 0; done < bytes; done += sizeof zeroes) {
		const uint64_t left = bytes - done;
		const size_t now = left < sizeof zeroes ? (size_t)left : sizeof zeroes;
		int error = virtio_memory_write(&mock->memory, mock->addr[area] + done, zeroes, now);

		if (error)
			return error;
	}
	return 0;
}

int virtio_mock_init(struct virtio_mock *mock, const struct virtio_memory_map *map, uint64_t base, uint32_t size,
		     struct virtio_mock_slot *slots, uint32_t entries)
{
	struct virtio_mock m;
	uint64_t first;
	int error;

	if (size == 0 || size > VIRTIO_QUEUE_MAX_SIZE || (size & (size - 1)))
		return VIRTIO_ESIZE;
	if (!slots || entries < size)
		return VIRTIO_EINVAL;
	if (address(base, VRING_DESC_ALIGN_SIZE - 1, &first))
		return VIRTIO_EFAULT;
	first &= ~(uint64_t)(VRING_DESC_ALIGN_SIZE - 1);
	memset(&m, 0, sizeof m);
	virtio_memory_cursor_init(&m.memory, map);
	m.size = (uint16_t)size;
	m.slots = slots;
	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++)
		if (address(first, area_offset(size, (enum virtio_queue_area)i), &m.addr[i]))
			return VIRTIO_EFAULT;
	error = virtio_mock_reset(&m);
	if (error)
		return error;
	*mock = m;
	/* Initialises the cursor again, because a cursor must not be copied. */
	virtio_memory_cursor_init(&mock->memory, map);
	return 0;
}

int virtio_mock_place(struct virtio_mock *mock, enum virtio_queue_area area, uint64_t addr)
{
	if ((unsigned int)area > VIRTIO_QUEUE_USED)
		return VIRTIO_EINVAL;
	mock->addr[area] = addr;
	return 0;
}

int virtio_mock_reset(struct virtio_mock *mock)
{
	int error = check_areas(mock);

	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED && !error; i++)
		error = zero_area(mock, (enum virtio_queue_area)i);
	if (!error)
		forget_chains(mock);
	return error;
}

int virtio_mock_seek(struct virtio_mock *mock, uint16_t index)
{
	int error;

	if (mock->in_flight != 0 || mock->published != mock->avail_idx)
		return VIRTIO_EBUSY;
	error = virtio_mock_set(mock, VIRTIO_MOCK_AVAIL_IDX, index);
	if (!error)
		error = virtio_mock_set(mock, VIRTIO_MOCK_USED_IDX, index);
	if (error)
		return error;
	mock->avail_idx = index;
	mock->published = index;
	mock->kicked = index;
	mock->used_idx = index;
	return 0;
}

void virtio_mock_fill_config(const struct virtio_mock *mock, struct virtio_queue_config *config)
{
	memset(config, 0, sizeof *config);
	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++)
		config->addr[i] = mock->addr[i];
	config->max_size = mock->size;
	config->size = mock->size;
	config->event_idx = mock->event_idx;
	config->indirect = mock->indirect;
	config->in_order = mock->in_order;
	config->ready = true;
}

int virtio_mock_create_queue(const struct virtio_mock *mock, struct virtio_queue *queue,
			     struct virtio_inflight *inflight, uint32_t entries, const struct virtio_memory_map *map)
{
	struct virtio_queue_config config;
	int error;

	virtio_mock_fill_config(mock, &config);
	error = virtio_queue_init(queue, inflight, entries);
	return error ? error : virtio_queue_start(queue, &config, map);
}

/* Addresses */

uint64_t virtio_mock_bytes(uint32_t size)
{
	return area_offset(size, VIRTIO_QUEUE_USED) + area_bytes(size, VIRTIO_QUEUE_USED);
}

uint64_t virtio_mock_area_bytes(const struct virtio_mock *mock, enum virtio_queue_area area)
{
	return area_bytes(mock->size, area);
}

uint64_t virtio_mock_end(const struct virtio_mock *mock)
{
	uint64_t end = 0;

	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++) {
		const uint64_t here = mock->addr[i] + area_bytes(mock->size, (enum virtio_queue_area)i);

		if (here > end)
			end = here;
	}
	return end;
}

uint64_t virtio_mock_desc_addr(const struct virtio_mock *mock, uint32_t index)
{
	return mock->addr[VIRTIO_QUEUE_DESC] + (uint64_t)VIRTIO_IMPL_DESC_BYTES * index;
}

uint64_t virtio_mock_avail_entry_addr(const struct virtio_mock *mock, uint32_t slot)
{
	return mock->addr[VIRTIO_QUEUE_AVAIL] + VIRTIO_IMPL_RING_ENTRIES + (uint64_t)AVAIL_ENTRY_BYTES * slot;
}

uint64_t virtio_mock_used_entry_addr(const struct virtio_mock *mock, uint32_t slot)
{
	return mock->addr[VIRTIO_QUEUE_USED] + VIRTIO_IMPL_RING_ENTRIES + (uint64_t)VIRTIO_IMPL_USED_BYTES * slot;
}

uint64_t virtio_mock_field_addr(const struct virtio_mock *mock, enum virtio_mock_field field)
{
	switch (field) {
	case VIRTIO_MOCK_AVAIL_FLAGS:
		return mock->addr[VIRTIO_QUEUE_AVAIL] + VIRTIO_IMPL_RING_FLAGS;
	case VIRTIO_MOCK_AVAIL_IDX:
		return mock->addr[VIRTIO_QUEUE_AVAIL] + VIRTIO_IMPL_RING_IDX;
	case VIRTIO_MOCK_USED_EVENT:
		return virtio_mock_avail_entry_addr(mock, mock->size);
	case VIRTIO_MOCK_USED_FLAGS:
		return mock->addr[VIRTIO_QUEUE_USED] + VIRTIO_IMPL_RING_FLAGS;
	case VIRTIO_MOCK_USED_IDX:
		return mock->addr[VIRTIO_QUEUE_USED] + VIRTIO_IMPL_RING_IDX;
	case VIRTIO_MOCK_AVAIL_EVENT:
		return virtio_mock_used_entry_addr(mock, mock->size);
	}
	return 0;
}

/* Fields */

/*
 * Checks the address of a part of an area. An area that the caller has placed may wrap past 2^64.
 */
static int locate(const struct virtio_mock *mock, enum virtio_queue_area area, uint64_t addr, uint64_t *out)
{
	*out = addr;
	return addr < mock->addr[area] ? VIRTIO_EFAULT : 0;
}

static int locate_field(const struct virtio_mock *mock, enum virtio_mock_field field, uint64_t *out)
{
	if ((unsigned int)field > VIRTIO_MOCK_AVAIL_EVENT)
		return VIRTIO_EINVAL;
	return locate(mock, field < VIRTIO_MOCK_USED_FLAGS ? VIRTIO_QUEUE_AVAIL : VIRTIO_QUEUE_USED,
		      virtio_mock_field_addr(mock, field), out);
}

static int locate_avail_entry(const struct virtio_mock *mock, uint32_t slot, uint64_t *out)
{
	if (slot >= mock->size)
		return VIRTIO_EINVAL;
	return locate(mock, VIRTIO_QUEUE_AVAIL, virtio_mock_avail_entry_addr(mock, slot), out);
}

static int locate_used_entry(const struct virtio_mock *mock, uint32_t slot, uint64_t *out)
{
	if (slot >= mock->size)
		return VIRTIO_EINVAL;
	return locate(mock, VIRTIO_QUEUE_USED, virtio_mock_used_entry_addr(mock, slot), out);
}

int virtio_mock_get(struct virtio_mock *mock, enum virtio_mock_field field, uint16_t *out)
{
	uint64_t addr;
	int error = locate_field(mock, field, &addr);

	return error ? error : load16(mock, addr, out);
}

int virtio_mock_set(struct virtio_mock *mock, enum virtio_mock_field field, uint16_t value)
{
	uint64_t addr;
	int error = locate_field(mock, field, &addr);

	return error ? error : store16(mock, addr, value);
}

int virtio_mock_get_avail_entry(struct virtio_mock *mock, uint32_t slot, uint16_t *out)
{
	uint64_t addr;
	int error = locate_avail_entry(mock, slot, &addr);

	return error ? error : load16(mock, addr, out);
}

int virtio_mock_set_avail_entry(struct virtio_mock *mock, uint32_t slot, uint16_t head)
{
	uint64_t addr;
	int error = locate_avail_entry(mock, slot, &addr);

	return error ? error : store16(mock, addr, head);
}

int virtio_mock_get_used_entry(struct virtio_mock *mock, uint32_t slot, struct vring_used_elem *out)
{
	struct vring_used_elem raw;
	uint64_t addr;
	int error = locate_used_entry(mock, slot, &addr);

	if (!error)
		error = virtio_memory_read(&mock->memory, addr, &raw, sizeof raw);
	if (error)
		return error;
	out->id = virtio_used_elem_id(&raw);
	out->len = virtio_used_elem_len(&raw);
	return 0;
}

int virtio_mock_set_used_entry(struct virtio_mock *mock, uint32_t slot, const struct vring_used_elem *element)
{
	const struct vring_used_elem raw = virtio_used_elem(element->id, element->len);
	uint64_t addr;
	int error = locate_used_entry(mock, slot, &addr);

	return error ? error : store_words(mock, addr, &raw, sizeof raw);
}

int virtio_mock_get_desc(struct virtio_mock *mock, uint32_t index, struct vring_desc *out)
{
	if (index >= mock->size)
		return VIRTIO_EINVAL;
	return virtio_mock_get_desc_at(mock, mock->addr[VIRTIO_QUEUE_DESC], index, out);
}

int virtio_mock_set_desc(struct virtio_mock *mock, uint32_t index, const struct vring_desc *desc)
{
	if (index >= mock->size)
		return VIRTIO_EINVAL;
	return virtio_mock_set_desc_at(mock, mock->addr[VIRTIO_QUEUE_DESC], index, desc);
}

int virtio_mock_get_desc_at(struct virtio_mock *mock, uint64_t table, uint32_t index, struct vring_desc *out)
{
	struct vring_desc raw;
	uint64_t addr;
	int error = address(table, (uint64_t)VIRTIO_IMPL_DESC_BYTES * index, &addr);

	if (!error)
		error = virtio_memory_read(&mock->memory, addr, &raw, sizeof raw);
	if (error)
		return error;
	out->addr = virtio_split_desc_addr(&raw);
	out->len = virtio_split_desc_len(&raw);
	out->flags = virtio_split_desc_flags(&raw);
	out->next = virtio_split_desc_next(&raw);
	return 0;
}

int virtio_mock_set_desc_at(struct virtio_mock *mock, uint64_t table, uint32_t index, const struct vring_desc *desc)
{
	const struct vring_desc raw = virtio_split_desc(desc->addr, desc->len, desc->flags, desc->next);
	uint64_t addr;
	int error = address(table, (uint64_t)VIRTIO_IMPL_DESC_BYTES * index, &addr);

	return error ? error : store_words(mock, addr, &raw, sizeof raw);
}
