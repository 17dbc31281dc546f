/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The back end in the host's memory. It accesses guest memory by <virtio/guest_access.h> only. */
#include <virtio/blk_memory.h>

/* Returns how many bytes of a vector's entry fit on the disk from offset on. */
static size_t part_of(const struct virtio_blk_memory *memory, const struct virtio_iovec *iov, uint64_t offset)
{
	const uint64_t left = offset < memory->size ? memory->size - offset : 0;

	return iov->len < left ? iov->len : (size_t)left;
}

static int64_t memory_readv(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	const struct virtio_blk_memory *memory = context;
	uint64_t done = 0;

	for (uint32_t i = 0; i < count; i++) {
		const size_t part = part_of(memory, &iov[i], offset + done);

		if (part == 0)
			break;
		virtio_guest_copy_out(iov[i].base, (const uint8_t *)memory->bytes + (size_t)(offset + done), part);
		done += part;
	}
	return (int64_t)done;
}

static int64_t memory_writev(void *context, const struct virtio_iovec *iov, uint32_t count, uint64_t offset)
{
	const struct virtio_blk_memory *memory = context;
	uint64_t done = 0;

	for (uint32_t i = 0; i < count; i++) {
		const size_t part = part_of(memory, &iov[i], offset + done);

		if (part == 0)
			break;
		virtio_guest_copy_in((uint8_t *)memory->bytes + (size_t)(offset + done), iov[i].base, part);
		done += part;
	}
	return (int64_t)done;
}

static int memory_flush(void *context)
{
	(void)context;
	return 0;
}

static int memory_zero(void *context, uint64_t offset, uint64_t bytes)
{
	const struct virtio_blk_memory *memory = context;

	if (offset > memory->size || bytes > memory->size - offset)
		return VIRTIO_EIO;
	memset((uint8_t *)memory->bytes + (size_t)offset, 0, (size_t)bytes);
	return 0;
}

static int memory_write_zeroes(void *context, uint64_t offset, uint64_t bytes, bool unmap)
{
	(void)unmap;
	return memory_zero(context, offset, bytes);
}

static const struct virtio_blk_backend_ops memory_ops = {
	.readv = memory_readv,
	.writev = memory_writev,
	.flush = memory_flush,
	.discard = memory_zero,
	.write_zeroes = memory_write_zeroes,
	.secure_erase = memory_zero,
};

int virtio_blk_memory_backend(struct virtio_blk_memory *memory, struct virtio_blk_backend *backend)
{
	if ((!memory->bytes && memory->size > 0) || memory->size > SIZE_MAX)
		return VIRTIO_EINVAL;
	*backend = (struct virtio_blk_backend){ .ops = &memory_ops, .context = memory, .max_iovecs = UINT32_MAX };
	return 0;
}
