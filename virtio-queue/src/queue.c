/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The queue's life cycle, its memory and its indices. */
#include "queue_internal.h"

void virtio_impl_queue_update_paths(struct virtio_queue *queue)
{
	const bool contiguous = queue->size != 0 && queue->avail && queue->used && !queue->config.in_order;
	const bool pop = contiguous && queue->desc && !queue->broken && queue->replay == 0;
	const bool complete = contiguous && !queue->used_region && queue->old_map_in_flight == 0;
	const bool event = contiguous && queue->config.event_idx && queue->signalled_valid;

	queue->fast_avail = queue->next_avail + (pop ? virtio_queue_known(queue) : 0u);
	queue->fast_heads = complete ? queue->size : 0;
	queue->fast_avail_ring = pop ? queue->avail + VIRTIO_IMPL_RING_ENTRIES : NULL;
	queue->fast_used = contiguous ? queue->used : NULL;
	queue->fast_used_event = event ? queue->avail + VIRTIO_IMPL_RING_ENTRIES + 2 * (size_t)queue->size : NULL;
}

/*
 * The empty memory of a queue that is not started. From a reset to the next start, access through
 * the member `memory` of an earlier chain fails.
 */
static const struct virtio_memory_map no_memory;

static void attach_memory(struct virtio_queue *queue, const struct virtio_memory_map *map)
{
	for (int i = 0; i < VIRTIO_MEMORY_USES; i++)
		virtio_memory_cursor_init(&queue->memory[i], map);
	virtio_memory_cursor_init(&queue->ring_memory, map);
}

static void clear_inflight(struct virtio_inflight *inflight, uint32_t entries)
{
	const struct virtio_inflight idle = { .state = VIRTIO_IMPL_INFLIGHT_IDLE };

	for (uint32_t i = 0; i < entries; i++)
		inflight[i] = idle;
}

int virtio_impl_queue_init_layout_6(struct virtio_queue *queue, struct virtio_inflight *inflight, uint32_t entries)
{
	uint64_t sequence;

	if (!inflight || entries == 0)
		return VIRTIO_EINVAL;
	/*
	 * Continues the sequence of an earlier virtio_queue_init(), so earlier tokens stay stale.
	 */
	sequence = (queue->sequence & ~VIRTIO_IMPL_INFLIGHT_FLAGGED) | VIRTIO_IMPL_TOKEN_SET;
	memset(queue, 0, sizeof *queue);
	clear_inflight(inflight, entries);
	queue->inflight = inflight;
	queue->inflight_entries = entries;
	queue->sequence = sequence;
	queue->stats.first_head = UINT16_MAX;
	attach_memory(queue, &no_memory);
	return 0;
}

/*
 * Returns the host address of an area. Returns NULL if the area is not accessible, is misaligned in
 * host memory, or is not contiguous there.
 */
static uint8_t *area_host(struct virtio_memory_cursor *cursor, const struct virtio_queue_config *config,
			  enum virtio_queue_area area, uint32_t access, uintptr_t align)
{
	uint8_t *host =
		virtio_memory_find(cursor, config->addr[area], virtio_queue_config_area_bytes(config, area), access);

	return ((uintptr_t)host & (align - 1)) ? NULL : host;
}

/*
 * Points the queue at its areas in a map. The areas were checked in that map, unless the queue is
 * started as broken.
 */
static void attach(struct virtio_queue *queue, const struct virtio_memory_map *map)
{
	struct virtio_memory_cursor *cursor = &queue->ring_memory;

	attach_memory(queue, map);
	queue->desc = area_host(cursor, &queue->config, VIRTIO_QUEUE_DESC, VIRTIO_ACCESS_READ, 8);
	queue->desc_last = queue->desc ? queue->desc + ((size_t)queue->size - 1) * VIRTIO_IMPL_DESC_BYTES : NULL;
	queue->avail = area_host(cursor, &queue->config, VIRTIO_QUEUE_AVAIL, VIRTIO_ACCESS_READ, 2);
	queue->used = area_host(cursor, &queue->config, VIRTIO_QUEUE_USED, VIRTIO_ACCESS_WRITE, 4);
	queue->used_region = queue->used && cursor->region->dirty ? cursor->region->self : NULL;
	virtio_impl_queue_update_paths(queue);
}

/* Sets up a queue whose size and alignment have been checked. */
static void set_up(struct virtio_queue *queue, const struct virtio_queue_config *config,
		   const struct virtio_memory_map *map)
{
	queue->config = *config;
	queue->size = config->size;
	queue->mask = config->size - 1u;
	queue->walk_left = (config->size + 1) * VIRTIO_IMPL_WALK_ONE;
	if (config->indirect || config->allow_unnegotiated_indirect)
		queue->walk_left |= VIRTIO_IMPL_WALK_DIRECT;
	queue->signalled_valid = true;
	attach(queue, map);
}

int virtio_impl_queue_start_broken(struct virtio_queue *queue, const struct virtio_queue_config *config,
				   const struct virtio_memory_map *map, int fault)
{
	if (config->size > queue->inflight_entries)
		return VIRTIO_EINVAL;
	queue->broken = fault;
	set_up(queue, config, map ? map : &no_memory);
	return 0;
}

int virtio_queue_start(struct virtio_queue *queue, const struct virtio_queue_config *config,
		       const struct virtio_memory_map *map)
{
	int error;

	if (queue->size != 0)
		return VIRTIO_EBUSY;
	if (!config->ready)
		return VIRTIO_ENOTREADY;
	error = virtio_queue_config_check(config, map);
	if (error)
		return error;
	if (config->size > queue->inflight_entries)
		return VIRTIO_EINVAL;
	set_up(queue, config, map);
	/*
	 * A started queue wants kicks until virtio_queue_disable_kicks(). An earlier owner of the
	 * ring may have set other flags. Under EVENT_IDX the flags must be 0 (virtio 1.4,
	 * 2.7.10.2).
	 */
	error = virtio_ring_store(queue, VIRTIO_IMPL_RING_FLAGS, 0);
	if (error)
		virtio_queue_reset(queue);
	return error;
}

/*
 * Adds the completions since used_start to the statistics. Must run before used_idx changes for
 * another reason than a completion.
 */
static void bank_counters(struct virtio_queue *queue)
{
	queue->stats.completions += queue->used_idx - queue->used_start;
	queue->used_start = queue->used_idx;
}

void virtio_queue_reset(struct virtio_queue *queue)
{
	struct virtio_queue fresh;

	bank_counters(queue);
	/*
	 * Adds the popped requests that are not in the used ring: after a reset they never reach
	 * the ring. virtio_queue_get_stats() counts all other popped chains by their completions.
	 */
	queue->stats.chains += virtio_queue_in_flight(queue) + queue->waiting;
	memset(&fresh, 0, sizeof fresh);
	fresh.inflight = queue->inflight;
	fresh.inflight_entries = queue->inflight_entries;
	fresh.sequence = queue->sequence;
	fresh.stats = queue->stats;
	clear_inflight(queue->inflight, queue->inflight_entries);
	*queue = fresh;
	attach_memory(queue, &no_memory);
}

int virtio_queue_set_memory(struct virtio_queue *queue, const struct virtio_memory_map *map)
{
	int error;

	if (queue->size == 0)
		return VIRTIO_ENOTREADY;
	error = virtio_queue_config_check(&queue->config, map);
	if (error)
		return error;
	if (!virtio_queue_quiesced(queue))
		for (uint32_t i = 0; i < queue->size; i++)
			if (virtio_inflight_has_request(&queue->inflight[i]))
				virtio_inflight_flag(&queue->inflight[i], VIRTIO_IMPL_INFLIGHT_OLD_MAP);
	queue->old_map_in_flight = virtio_queue_in_flight(queue);
	attach(queue, map);
	return 0;
}

void virtio_impl_queue_count_fault(struct virtio_queue *queue, int error, uint16_t head, uint64_t *counter)
{
	++*counter;
	if (queue->stats.first_error != 0)
		return;
	queue->stats.first_error = error;
	queue->stats.first_head = head;
	queue->stats.first_position = (uint16_t)queue->next_avail;
}

VIRTIO_COLD int virtio_impl_queue_break(struct virtio_queue *queue, int error, uint16_t head)
{
	queue->broken = error;
	virtio_impl_queue_count_fault(queue, error, head, &queue->stats.ring_faults);
	virtio_impl_queue_update_paths(queue);
	return error;
}

void virtio_queue_get_stats(const struct virtio_queue *queue, struct virtio_queue_stats *out)
{
	*out = queue->stats;
	out->completions += queue->used_idx - queue->used_start;
	out->chains += out->completions + virtio_queue_in_flight(queue) + queue->waiting;
}

static int may_set_index(const struct virtio_queue *queue)
{
	if (queue->size == 0)
		return VIRTIO_ENOTREADY;
	return !virtio_queue_quiesced(queue) || queue->waiting != 0 || queue->replay != 0 ? VIRTIO_EBUSY : 0;
}

int virtio_queue_set_next_avail(struct virtio_queue *queue, uint16_t index)
{
	int error = may_set_index(queue);

	if (error)
		return error;
	queue->flight_base += index - queue->next_avail;
	queue->next_avail = index;
	queue->avail_idx = index;
	queue->oldest = index;
	queue->signalled_valid = false;
	virtio_impl_queue_update_paths(queue);
	return 0;
}

int virtio_queue_set_next_used(struct virtio_queue *queue, uint16_t index)
{
	int error = may_set_index(queue);

	if (error)
		return error;
	bank_counters(queue);
	queue->flight_base += (uint32_t)queue->used_idx - index;
	queue->used_idx = index;
	queue->used_start = index;
	queue->signalled = index;
	queue->signalled_valid = false;
	virtio_impl_queue_update_paths(queue);
	return 0;
}

int virtio_queue_read_avail_idx(struct virtio_queue *queue, uint16_t *out)
{
	if (queue->size == 0)
		return VIRTIO_ENOTREADY;
	return virtio_ring_load(queue, VIRTIO_QUEUE_AVAIL, VIRTIO_IMPL_RING_IDX, out);
}

int virtio_queue_read_used_idx(struct virtio_queue *queue, uint16_t *out)
{
	if (queue->size == 0)
		return VIRTIO_ENOTREADY;
	return virtio_ring_load(queue, VIRTIO_QUEUE_USED, VIRTIO_IMPL_RING_IDX, out);
}
