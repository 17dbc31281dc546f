/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The section of a device core in a saved state. */
#include <virtio/device_state.h>

#define STATE struct virtio_device_state
#define QUEUE struct virtio_queue_registers_state

/* num_queues is not stored, because it is the length of the list. */
static const struct virtio_section_field fields[] = {
	VIRTIO_SECTION_VALUE(STATE, type),
	VIRTIO_SECTION_VALUE(STATE, status),
	VIRTIO_SECTION_VALUE(STATE, interrupt_status),
	VIRTIO_SECTION_VALUE(STATE, generation),
	VIRTIO_SECTION_ELEMENT(STATE, accepted, 0, "accepted[0]"),
	VIRTIO_SECTION_ELEMENT(STATE, accepted, 1, "accepted[1]"),
	VIRTIO_SECTION_ELEMENT(STATE, accepted, 2, "accepted[2]"),
	VIRTIO_SECTION_ELEMENT(STATE, accepted, 3, "accepted[3]"),
	VIRTIO_SECTION_VALUE(STATE, device_features_sel),
	VIRTIO_SECTION_VALUE(STATE, driver_features_sel),
	VIRTIO_SECTION_VALUE(STATE, queue_sel),
	VIRTIO_SECTION_VALUE(STATE, shm_sel),
	VIRTIO_SECTION_BOOL(STATE, accepted_beyond),
	VIRTIO_SECTION_BOOL(STATE, active),
};

static const struct virtio_section_field queue_fields[] = {
	VIRTIO_SECTION_ELEMENT(QUEUE, addr, VIRTIO_QUEUE_DESC, "desc"),
	VIRTIO_SECTION_ELEMENT(QUEUE, addr, VIRTIO_QUEUE_AVAIL, "avail"),
	VIRTIO_SECTION_ELEMENT(QUEUE, addr, VIRTIO_QUEUE_USED, "used"),
	VIRTIO_SECTION_VALUE(QUEUE, max_size),
	VIRTIO_SECTION_VALUE(QUEUE, size),
	VIRTIO_SECTION_BOOL(QUEUE, ready),
	VIRTIO_SECTION_BOOL(QUEUE, may_reenable),
	VIRTIO_SECTION_BOOL(QUEUE, enabling),
	VIRTIO_SECTION_BOOL(QUEUE, resetting),
	VIRTIO_SECTION_VALUE(QUEUE, given),
	VIRTIO_SECTION_VALUE(QUEUE, refused),
};

static const struct virtio_section_layout layout = {
	.name = "device",
	.version = 1,
	.fields = fields,
	.field_count = sizeof fields / sizeof fields[0],
	.entries = "queues",
	.entry_fields = queue_fields,
	.entry_field_count = sizeof queue_fields / sizeof queue_fields[0],
	.entry_size = sizeof(QUEUE),
};

const struct virtio_section_layout *virtio_device_layout(void)
{
	return &layout;
}

void virtio_device_write_state(struct virtio_section_writer *writer, uint32_t number,
			       const struct virtio_device_state *state,
			       const struct virtio_queue_registers_state *queues)
{
	virtio_section_write(writer, &layout, number, 0, state, queues, state->num_queues);
}

int virtio_device_read_state(struct virtio_section_reader *reader, uint32_t number, const struct virtio_device *device,
			     struct virtio_device_state *state, struct virtio_queue_registers_state *queues,
			     uint32_t entries)
{
	struct virtio_device_state read = { .num_queues = 0 };
	struct virtio_section where;
	struct virtio_refusal refusal;
	int error = virtio_section_read(reader, &layout, number, 0, &read, queues, entries, &read.num_queues, &where);

	if (!error) {
		error = virtio_device_check_state(device, &read, queues, device->num_queues, &refusal);
		if (error)
			error = virtio_section_refuse(reader, &layout, &where, &refusal, error);
	}
	if (!error)
		*state = read;
	return error;
}
