/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The section of a queue. */
#include <virtio/queue_ser.h>

/* next_used is not stored: it is next_avail minus the number of "in_flight" entries. */
static const struct virtio_section_field fields[] = {
	VIRTIO_SECTION_ELEMENT(struct virtio_queue_state, config.addr, VIRTIO_QUEUE_DESC, "desc"),
	VIRTIO_SECTION_ELEMENT(struct virtio_queue_state, config.addr, VIRTIO_QUEUE_AVAIL, "avail"),
	VIRTIO_SECTION_ELEMENT(struct virtio_queue_state, config.addr, VIRTIO_QUEUE_USED, "used"),
	VIRTIO_SECTION_NAMED(struct virtio_queue_state, config.max_size, "max_size"),
	VIRTIO_SECTION_NAMED(struct virtio_queue_state, config.size, "size"),
	VIRTIO_SECTION_NAMED_BOOL(struct virtio_queue_state, config.ready, "ready"),
	VIRTIO_SECTION_NAMED_BOOL(struct virtio_queue_state, config.event_idx, "event_idx"),
	VIRTIO_SECTION_NAMED_BOOL(struct virtio_queue_state, config.indirect, "indirect"),
	VIRTIO_SECTION_NAMED_BOOL(struct virtio_queue_state, config.in_order, "in_order"),
	VIRTIO_SECTION_NAMED_BOOL(struct virtio_queue_state, config.allow_unnegotiated_indirect,
				  "allow_unnegotiated_indirect"),
	VIRTIO_SECTION_NAMED_BOOL(struct virtio_queue_state, config.allow_long_indirect, "allow_long_indirect"),
	VIRTIO_SECTION_VALUE(struct virtio_queue_state, next_avail),
	VIRTIO_SECTION_VALUE(struct virtio_queue_state, broken),
};

static const struct virtio_section_field entry_fields[] = {
	VIRTIO_SECTION_VALUE(struct virtio_queue_flight, head),
	VIRTIO_SECTION_BOOL(struct virtio_queue_flight, completed),
	VIRTIO_SECTION_VALUE(struct virtio_queue_flight, written),
};

VIRTIO_STATIC_ASSERT(sizeof(int) == 4, "the fault of a queue has 32 bits in a file");

static const struct virtio_section_layout layout = {
	.name = "queue",
	.version = 1,
	.fields = fields,
	.field_count = sizeof fields / sizeof fields[0],
	.entries = "in_flight",
	.entry_fields = entry_fields,
	.entry_field_count = sizeof entry_fields / sizeof entry_fields[0],
	.entry_size = sizeof(struct virtio_queue_flight),
};

const struct virtio_section_layout *virtio_queue_ser_layout(void)
{
	return &layout;
}

void virtio_queue_ser_default(struct virtio_queue_state *state)
{
	const struct virtio_queue_state none = { .next_avail = 0 };

	*state = none;
}

void virtio_queue_ser_write(struct virtio_section_writer *writer, uint32_t device, uint32_t queue,
			    const struct virtio_queue_state *state, const struct virtio_queue_flight *record,
			    uint32_t count)
{
	if (!writer->error && count != (uint16_t)(state->next_avail - state->next_used))
		writer->error = VIRTIO_EINVAL;
	virtio_section_write(writer, &layout, device, queue, state, record, count);
}

/* Returns the name of the first value that differs between state and config, or NULL. */
static const char *find_difference(const struct virtio_queue_config *state, const struct virtio_queue_config *config)
{
	static const char *const areas[] = { "desc", "avail", "used" };

	/* The state of a queue that was not started agrees with any configuration. */
	if (state->size == 0)
		return NULL;
	if (!config->ready)
		return "ready";
	for (int i = VIRTIO_QUEUE_DESC; i <= VIRTIO_QUEUE_USED; i++) {
		if (state->addr[i] != config->addr[i])
			return areas[i];
	}
	if (state->max_size != config->max_size)
		return "max_size";
	if (state->size != config->size)
		return "size";
	if (state->event_idx != config->event_idx)
		return "event_idx";
	if (state->indirect != config->indirect)
		return "indirect";
	if (state->in_order != config->in_order)
		return "in_order";
	if (state->allow_unnegotiated_indirect != config->allow_unnegotiated_indirect)
		return "allow_unnegotiated_indirect";
	return state->allow_long_indirect != config->allow_long_indirect ? "allow_long_indirect" : NULL;
}

int virtio_queue_ser_read(struct virtio_section_reader *reader, uint32_t device, uint32_t queue,
			  const struct virtio_queue_config *config, const struct virtio_memory_map *map,
			  struct virtio_queue_state *state, struct virtio_queue_flight *record, uint32_t capacity,
			  uint32_t *count, struct virtio_section *where)
{
	struct virtio_queue_state read;
	struct virtio_section section;
	struct virtio_refusal refusal = { .field = NULL, .entry = VIRTIO_SECTION_NO_ENTRY };
	uint32_t n = 0;
	int error;

	virtio_queue_ser_default(&read);
	error = virtio_section_read(reader, &layout, device, queue, &read, record, capacity, &n, &section);
	if (error)
		return error;
	read.next_used = (uint16_t)(read.next_avail - n);
	error = virtio_queue_check_state(&read, record, n, map, &refusal);
	if (!error && config) {
		refusal.field = find_difference(&read.config, config);
		error = refusal.field ? VIRTIO_EINVAL : 0;
	}
	if (error)
		return virtio_section_refuse(reader, &layout, &section, &refusal, error);
	*state = read;
	*count = n;
	if (where)
		*where = section;
	return 0;
}
