/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Resolves a data chain into segments. All buffers must have the direction of the queue. */
#include "console_internal.h"

/* Adds the segments of a buffer. Returns 0; VIRTIO_EFAULT if addresses wrap; or a look-up error. */
static int add_buffer(struct console_data *data, struct virtio_memory_cursor *memory, const struct virtio_desc *d)
{
	const uint32_t access = data->to_driver ? VIRTIO_ACCESS_WRITE : VIRTIO_ACCESS_READ;
	struct virtio_chain_segments *list = &data->list;
	uint32_t *count = data->to_driver ? &list->writable : &list->readable;
	uint64_t *bytes = data->to_driver ? &list->writable_bytes : &list->readable_bytes;
	uint64_t addr = d->addr, left = d->len;
	struct virtio_segment segment;

	if (addr + (left - 1) < addr)
		return VIRTIO_EFAULT;
	for (;;) {
		const int error = virtio_memory_segment(memory, addr, left, access, &segment);

		if (error)
			return error;
		if (*count < list->capacity) {
			list->segments[(*count)++] = segment;
			*bytes += segment.len;
		} else {
			data->beyond = true;
		}
		if (segment.len == left)
			return 0;
		addr += segment.len;
		left -= segment.len;
		data->steps++;
	}
}

int virtio_impl_console_resolve(struct virtio_chain *chain, struct console_data *data)
{
	uint32_t walked = 0;
	struct virtio_desc d;
	int got, error = 0;

	data->misdirected = false;
	data->beyond = false;
	while (!error) {
		got = virtio_chain_next(chain, &d);
		if (got != 1) {
			error = got;
			break;
		}
		walked++;
		if (d.len == 0)
			continue;
		if (d.writable != data->to_driver)
			data->misdirected = true;
		else
			error = add_buffer(data, chain->memory, &d);
	}
	data->steps += walked;
	return error;
}
