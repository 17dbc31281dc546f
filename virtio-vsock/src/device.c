/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The socket device: features, context IDs, configuration space. */
#include <virtio/features.h>
#include <virtio/vsock.h>

#define FEATURE(name) virtio_feature_mask(VIRTIO_VSOCK_F_##name)

bool virtio_vsock_is_guest_cid(uint64_t cid)
{
	return cid > VIRTIO_VSOCK_CID_HOST && cid < UINT32_MAX;
}

int virtio_vsock_init(struct virtio_vsock *vsock, uint64_t guest_cid, bool seqpacket)
{
	if (!virtio_vsock_is_guest_cid(guest_cid))
		return VIRTIO_EINVAL;
	vsock->guest_cid = guest_cid;
	vsock->offered = FEATURE(STREAM) | FEATURE(NO_IMPLIED_STREAM) | (seqpacket ? FEATURE(SEQPACKET) : 0);
	vsock->negotiated = 0;
	return 0;
}

uint64_t virtio_vsock_offered(const struct virtio_vsock *vsock)
{
	return vsock->offered;
}

int virtio_vsock_negotiate(struct virtio_vsock *vsock, uint64_t features)
{
	features &= VIRTIO_DEVICE_TYPE_FEATURES;
	if (features & ~vsock->offered)
		return VIRTIO_EINVAL;
	vsock->negotiated = features;
	return 0;
}

void virtio_vsock_reset(struct virtio_vsock *vsock)
{
	vsock->negotiated = 0;
}

int virtio_vsock_set_guest_cid(struct virtio_vsock *vsock, uint64_t guest_cid)
{
	if (!virtio_vsock_is_guest_cid(guest_cid))
		return VIRTIO_EINVAL;
	vsock->guest_cid = guest_cid;
	return 0;
}

bool virtio_vsock_has_type(const struct virtio_vsock *vsock, uint16_t type)
{
	const uint64_t features = vsock->negotiated;

	if (type == VIRTIO_VSOCK_TYPE_SEQPACKET)
		return (features & FEATURE(SEQPACKET)) != 0;
	if (type != VIRTIO_VSOCK_TYPE_STREAM)
		return false;
	/*
	 * Without STREAM the device should serve streams if no feature was negotiated, and may
	 * serve streams if only SEQPACKET was negotiated (virtio 1.4, 5.10.3.2).
	 */
	return (features & FEATURE(STREAM)) || features == 0 || features == FEATURE(SEQPACKET);
}

bool virtio_vsock_is_from_guest(const struct virtio_vsock *vsock, const struct virtio_vsock_hdr *header)
{
	const uint64_t to = virtio_vsock_dst_cid(header);

	return virtio_vsock_src_cid(header) == vsock->guest_cid && to != vsock->guest_cid &&
	       (to == VIRTIO_VSOCK_CID_HOST || virtio_vsock_is_guest_cid(to));
}

void virtio_vsock_config_read(const struct virtio_vsock *vsock, uint64_t offset, void *data, size_t len)
{
	uint8_t config[VIRTIO_VSOCK_CONFIG_BYTES];
	size_t part;

	if (len == 0)
		return;
	memset(data, 0, len);
	if (offset >= sizeof config)
		return;
	virtio_put_le64(config, vsock->guest_cid);
	part = sizeof config - (size_t)offset;
	memcpy(data, config + offset, len < part ? len : part);
}
