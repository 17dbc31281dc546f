/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The mock driver: chains, the records of its descriptors, used elements, kicks and interrupts. */
#include <virtio/queue_mock.h>

/* The most entries that a table can link, because the field `next` has 16 bits. */
#define TABLE_MAX_ENTRIES 65536u
/* The most entries of an indirect table that virtio-queue accepts: see chain.c. */
#define INDIRECT_MAX_ENTRIES 65535u

/* Chains without allocation */

/*
 * Returns the descriptor for one buffer of a chain. Links the descriptor to `next` unless `last`
 * is true.
 */
static struct vring_desc make_desc(const struct virtio_mock_buffer *buffer, bool last, uint32_t next)
{
	struct vring_desc desc = { .addr = buffer->addr, .len = buffer->len, .flags = buffer->flags, .next = 0 };

	if (!last) {
		desc.flags |= VRING_DESC_F_NEXT;
		desc.next = (uint16_t)next;
	}
	return desc;
}

int virtio_mock_write_chain(struct virtio_mock *mock, uint32_t first, const struct virtio_mock_buffer *buffers,
			    uint32_t count)
{
	const uint32_t mask = mock->size - 1u;

	if (first >= mock->size || count > mock->size)
		return VIRTIO_EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		const struct vring_desc desc = make_desc(&buffers[i], i + 1 == count, (first + i + 1) & mask);
		int error = virtio_mock_set_desc(mock, (first + i) & mask, &desc);

		if (error)
			return error;
	}
	return 0;
}

int virtio_mock_write_table(struct virtio_mock *mock, uint64_t table, const struct virtio_mock_buffer *buffers,
			    uint32_t count)
{
	if (count > TABLE_MAX_ENTRIES)
		return VIRTIO_EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		const struct vring_desc desc = make_desc(&buffers[i], i + 1 == count, i + 1);
		int error = virtio_mock_set_desc_at(mock, table, i, &desc);

		if (error)
			return error;
	}
	return 0;
}

int virtio_mock_offer(struct virtio_mock *mock, uint16_t head)
{
	int error = virtio_mock_set_avail_entry(mock, (uint32_t)mock->avail_idx & (mock->size - 1u), head);

	if (error)
		return error;
	mock->avail_idx++;
	if (head < mock->size) {
		mock->slots[head].offered++;
		mock->in_flight++;
	}
	return 0;
}

int virtio_mock_publish(struct virtio_mock *mock)
{
	/*
	 * The release order keeps this store after the stores of entries and descriptors
	 * (2.7.13.3.1).
	 */
	int error = virtio_mock_set(mock, VIRTIO_MOCK_AVAIL_IDX, (uint16_t)mock->avail_idx);

	if (!error)
		mock->published = mock->avail_idx;
	return error;
}

/* Chains of allocated descriptors */

/*
 * Moves the first `count` descriptors from the free list into a chain. Their slots stay linked. The
 * caller has checked that the list has enough descriptors.
 */
static uint16_t pop_free(struct virtio_mock *mock, uint32_t count, uint64_t writable)
{
	const uint16_t head = mock->free_head;
	uint16_t last = head;

	for (uint32_t i = 1; i < count; i++)
		last = mock->slots[last].next;
	mock->free_head = mock->slots[last].next;
	mock->free_count = (uint16_t)(mock->free_count - count);
	mock->slots[head].count = (uint16_t)count;
	mock->slots[head].writable = writable;
	return head;
}

static void push_free(struct virtio_mock *mock, uint16_t head)
{
	struct virtio_mock_slot *slot = &mock->slots[head];
	uint16_t last = head;

	for (uint32_t i = 1; i < slot->count; i++)
		last = mock->slots[last].next;
	mock->slots[last].next = mock->free_head;
	mock->free_head = head;
	mock->free_count = (uint16_t)(mock->free_count + slot->count);
	slot->count = 0;
	slot->writable = 0;
}

/*
 * Returns how many bytes the device may write to a chain. Returns UINT64_MAX if the caller has put
 * an indirect descriptor among the buffers: check_used() then accepts every used length.
 */
static uint64_t writable_bytes(const struct virtio_mock_buffer *buffers, uint32_t count)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (buffers[i].flags & VRING_DESC_F_INDIRECT)
			return UINT64_MAX;
		if (buffers[i].flags & VRING_DESC_F_WRITE)
			sum += buffers[i].len;
	}
	return sum;
}

/*
 * Writes a chain into the first `count` free descriptors, then allocates them. After an error no
 * descriptor is allocated.
 */
static int alloc_chain(struct virtio_mock *mock, const struct virtio_mock_buffer *buffers, uint32_t count,
		       uint64_t writable)
{
	uint16_t index = mock->free_head;

	if (count == 0)
		return VIRTIO_EINVAL;
	if (count > mock->free_count)
		return VIRTIO_ENOBUFS;
	for (uint32_t i = 0; i < count; i++) {
		const uint16_t next = mock->slots[index].next;
		const struct vring_desc desc = make_desc(&buffers[i], i + 1 == count, next);
		int error = virtio_mock_set_desc(mock, index, &desc);

		if (error)
			return error;
		index = next;
	}
	return pop_free(mock, count, writable);
}

int virtio_mock_alloc(struct virtio_mock *mock, const struct virtio_mock_buffer *buffers, uint32_t count)
{
	return alloc_chain(mock, buffers, count, writable_bytes(buffers, count));
}

int virtio_mock_alloc_indirect(struct virtio_mock *mock, uint64_t table, const struct virtio_mock_buffer *buffers,
			       uint32_t count)
{
	const struct virtio_mock_buffer one = { table, count * VIRTIO_IMPL_DESC_BYTES, VRING_DESC_F_INDIRECT };
	int error;

	if (count == 0 || count > INDIRECT_MAX_ENTRIES)
		return VIRTIO_EINVAL;
	if (mock->free_count == 0)
		return VIRTIO_ENOBUFS;
	error = virtio_mock_write_table(mock, table, buffers, count);
	return error ? error : alloc_chain(mock, &one, 1, writable_bytes(buffers, count));
}

int virtio_mock_free(struct virtio_mock *mock, uint16_t head)
{
	if (head >= mock->size || mock->slots[head].count == 0)
		return VIRTIO_ESTALE;
	if (mock->slots[head].offered != 0)
		return VIRTIO_EBUSY;
	push_free(mock, head);
	return 0;
}

/*
 * Returns whether buffer i ends a chain. The last buffer always ends a chain. If `many` is true,
 * each buffer without VRING_DESC_F_NEXT ends a chain, too.
 */
static bool chain_ends(const struct virtio_mock_buffer *buffers, uint32_t count, uint32_t i, bool many)
{
	return i + 1 == count || (many && !(buffers[i].flags & VRING_DESC_F_NEXT));
}

/*
 * Writes chains into the descriptors that pop_free() will allocate, and publishes the chains.
 * Returns the number of chains, or an error.
 */
static int publish_chains(struct virtio_mock *mock, const struct virtio_mock_buffer *buffers, uint32_t count, bool many)
{
	const uint32_t mask = mock->size - 1u;
	uint16_t index = mock->free_head, head = index;
	uint32_t chains = 0;
	int error = 0;

	for (uint32_t i = 0; i < count && !error; i++) {
		const bool last = chain_ends(buffers, count, i, many);
		const uint16_t next = mock->slots[index].next;
		struct vring_desc desc = make_desc(&buffers[i], last, next);

		/*
		 * If `many` is true, the last buffer must not have VRING_DESC_F_NEXT, whatever
		 * flags the caller has set. A single chain keeps the caller's flags.
		 */
		if (many && last)
			desc.flags &= (uint16_t)~VRING_DESC_F_NEXT;
		error = virtio_mock_set_desc(mock, index, &desc);
		if (!error && last) {
			error = virtio_mock_set_avail_entry(mock, (uint32_t)(mock->avail_idx + chains) & mask, head);
			head = next;
			chains++;
		}
		index = next;
	}
	/* Stores the index last, as virtio_mock_publish() does. */
	if (!error)
		error = virtio_mock_set(mock, VIRTIO_MOCK_AVAIL_IDX, (uint16_t)(mock->avail_idx + chains));
	return error ? error : (int)chains;
}

/* Adds chains. The mock's records change only after all accesses that can fail. */
static int add_chains(struct virtio_mock *mock, const struct virtio_mock_buffer *buffers, uint32_t count, bool many,
		      uint16_t *heads)
{
	uint32_t first = 0, chains = 0;
	int got;

	if (count == 0)
		return VIRTIO_EINVAL;
	if (count > mock->free_count)
		return VIRTIO_ENOBUFS;
	got = publish_chains(mock, buffers, count, many);
	if (got < 0)
		return got;
	for (uint32_t i = 0; i < count; i++) {
		uint16_t head;

		if (!chain_ends(buffers, count, i, many))
			continue;
		head = pop_free(mock, i + 1 - first, writable_bytes(buffers + first, i + 1 - first));
		mock->slots[head].offered++;
		mock->in_flight++;
		mock->avail_idx++;
		if (heads)
			heads[chains] = head;
		first = i + 1;
		chains++;
	}
	mock->published = mock->avail_idx;
	return got;
}

int virtio_mock_add(struct virtio_mock *mock, const struct virtio_mock_buffer *buffers, uint32_t count)
{
	uint16_t head;
	int got = add_chains(mock, buffers, count, false, &head);

	return got < 0 ? got : head;
}

int virtio_mock_add_indirect(struct virtio_mock *mock, uint64_t table, const struct virtio_mock_buffer *buffers,
			     uint32_t count)
{
	const struct virtio_mock_buffer one = { table, count * VIRTIO_IMPL_DESC_BYTES, VRING_DESC_F_INDIRECT };
	int got;

	if (count == 0 || count > INDIRECT_MAX_ENTRIES)
		return VIRTIO_EINVAL;
	if (mock->free_count == 0)
		return VIRTIO_ENOBUFS;
	got = virtio_mock_write_table(mock, table, buffers, count);
	if (!got)
		got = virtio_mock_add(mock, &one, 1);
	if (got >= 0)
		mock->slots[got].writable = writable_bytes(buffers, count);
	return got;
}

int virtio_mock_add_many(struct virtio_mock *mock, const struct virtio_mock_buffer *buffers, uint32_t count,
			 uint16_t *heads)
{
	return add_chains(mock, buffers, count, true, heads);
}

/* Used elements */

/* Checks the driver's copy of a used element. */
static int check_used(struct virtio_mock *mock, const struct vring_used_elem *element)
{
	const struct virtio_mock_slot *slot;
	uint16_t oldest;
	int error;

	if (element->id >= mock->size)
		return VIRTIO_EHEAD;
	slot = &mock->slots[element->id];
	if (slot->offered == 0)
		return VIRTIO_ESTALE;
	if (slot->count != 0 && element->len > slot->writable)
		return VIRTIO_EBYTES;
	if (!mock->in_order)
		return 0;
	/*
	 * The device uses the heads in the order of the available ring, so both rings have the same
	 * head at the same position.
	 */
	error = virtio_mock_get_avail_entry(mock, mock->used_idx & (mock->size - 1u), &oldest);
	if (error)
		return error;
	return element->id == oldest ? 0 : VIRTIO_EORDER;
}

int virtio_mock_pop_used(struct virtio_mock *mock, struct vring_used_elem *out)
{
	struct vring_used_elem element;
	uint16_t idx, ahead;
	/*
	 * virtio_mock_get() reads the index with acquire order. So the element and the buffers are
	 * read after the index (virtio 1.4, 2.7.14).
	 */
	int error = virtio_mock_get(mock, VIRTIO_MOCK_USED_IDX, &idx);

	if (error)
		return error;
	ahead = (uint16_t)(idx - mock->used_idx);
	if (ahead == 0)
		return 0;
	if (ahead > mock->in_flight)
		return VIRTIO_EBROKEN;
	error = virtio_mock_get_used_entry(mock, mock->used_idx & (mock->size - 1u), &element);
	if (!error)
		error = check_used(mock, &element);
	if (error)
		return error;
	mock->used_idx++;
	mock->in_flight--;
	mock->slots[element.id].offered--;
	if (mock->slots[element.id].count != 0 && mock->slots[element.id].offered == 0)
		push_free(mock, (uint16_t)element.id);
	*out = element;
	return 1;
}

/* Kicks and interrupts */

int virtio_mock_should_kick(struct virtio_mock *mock)
{
	const uint64_t added = mock->published - mock->kicked;
	uint16_t field;
	int error;

	/*
	 * The available index must be visible before the mock reads whether the device wants a
	 * kick. This fence pairs with the fence in virtio_queue_enable_kicks() (virtio 1.4,
	 * 2.7.13.4.1).
	 */
	virtio_full_fence();
	error = virtio_mock_get(mock, mock->event_idx ? VIRTIO_MOCK_AVAIL_EVENT : VIRTIO_MOCK_USED_FLAGS, &field);
	if (error)
		return error;
	mock->kicked = mock->published;
	if (added == 0)
		return 0;
	if (!mock->event_idx)
		return !(field & VRING_USED_F_NO_NOTIFY);
	/* Returns 1 if avail_event is the index of an added entry. */
	return (uint16_t)(mock->published - 1 - field) < added;
}

int virtio_mock_enable_interrupts(struct virtio_mock *mock)
{
	uint16_t idx;
	int error;

	if (mock->event_idx)
		error = virtio_mock_set(mock, VIRTIO_MOCK_USED_EVENT, mock->used_idx);
	else
		error = virtio_mock_set(mock, VIRTIO_MOCK_AVAIL_FLAGS, 0);
	if (error)
		return error;
	/*
	 * The request for interrupts must be visible before the index is read again. This fence
	 * pairs with the fence in virtio_queue_needs_interrupt(): at least one side sees the other
	 * side's store.
	 */
	virtio_full_fence();
	error = virtio_mock_get(mock, VIRTIO_MOCK_USED_IDX, &idx);
	return error ? error : idx != mock->used_idx;
}

int virtio_mock_disable_interrupts(struct virtio_mock *mock)
{
	/* Under event_idx the flags stay 0 (virtio 1.4, 2.7.7.1). */
	if (mock->event_idx)
		return virtio_mock_set(mock, VIRTIO_MOCK_USED_EVENT, (uint16_t)(mock->used_idx - 1));
	return virtio_mock_set(mock, VIRTIO_MOCK_AVAIL_FLAGS, VRING_AVAIL_F_NO_INTERRUPT);
}
