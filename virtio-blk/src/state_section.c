/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The section of a disk in a saved state. */
#include <virtio/blk_state.h>
#include <virtio/features.h>

static const struct virtio_section_field fields[] = {
	VIRTIO_SECTION_VALUE(struct virtio_blk_state, features),
	VIRTIO_SECTION_VALUE(struct virtio_blk_state, capacity),
	VIRTIO_SECTION_VALUE(struct virtio_blk_state, writeback),
};

static const struct virtio_section_layout layout = {
	.name = "blk",
	.version = 1,
	.fields = fields,
	.field_count = sizeof fields / sizeof fields[0],
};

const struct virtio_section_layout *virtio_blk_layout(void)
{
	return &layout;
}

void virtio_blk_write_state(struct virtio_section_writer *writer, uint32_t number, const struct virtio_blk_state *state)
{
	virtio_section_write(writer, &layout, number, 0, state, NULL, 0);
}

int virtio_blk_read_state(struct virtio_section_reader *reader, uint32_t number, const struct virtio_blk *blk,
			  const uint64_t *features, struct virtio_blk_state *state)
{
	struct virtio_blk_state read = { 0 };
	struct virtio_section where;
	struct virtio_refusal refusal;
	int error = virtio_section_read(reader, &layout, number, 0, &read, NULL, 0, NULL, &where);

	if (!error) {
		error = virtio_blk_check_state(blk, &read, &refusal);
		if (!error && features && read.features != (*features & VIRTIO_DEVICE_TYPE_FEATURES)) {
			refusal = (struct virtio_refusal){
				.field = "features",
				.entry = VIRTIO_SECTION_NO_ENTRY,
				.bits = read.features ^ (*features & VIRTIO_DEVICE_TYPE_FEATURES),
			};
			error = VIRTIO_EINVAL;
		}
		if (error)
			error = virtio_section_refuse(reader, &layout, &where, &refusal, error);
	}
	if (!error)
		*state = read;
	return error;
}
