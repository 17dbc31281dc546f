/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A packet's header in host byte order, and its conversions from and to two forms on the wire,
 * without and with a hash. The functions access only the caller's copies, and are thread-safe for
 * different copies. The functions check no value, and a guest may have written any value. The
 * functions access the hash's value by offset, because Linux has renamed that field.
 *
 * virtio 1.4, 5.1.6 (device operation)
 */
#ifndef VIRTIO_BINDINGS_VIRTIO_NET_HDR_H
#define VIRTIO_BINDINGS_VIRTIO_NET_HDR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <virtio/bindings/virtio_net.h>
#include <virtio/endian.h>

/* A header in host byte order, without or with a hash. */
struct virtio_net_hdr_host {
	uint8_t flags;        /* VIRTIO_NET_HDR_F_... */
	uint8_t gso_type;     /* VIRTIO_NET_HDR_GSO_... */
	uint16_t hdr_len;     /* bytes of the packet's headers */
	uint16_t gso_size;    /* largest number of payload bytes in a segment */
	uint16_t csum_start;  /* with VIRTIO_NET_HDR_F_RSC_INFO: coalesced segments */
	uint16_t csum_offset; /* with VIRTIO_NET_HDR_F_RSC_INFO: duplicated acknowledgements */
	uint16_t num_buffers; /* receive buffers of the packet */
	uint16_t hash_report; /* VIRTIO_NET_HASH_REPORT_...; NONE for a header without a hash */
	uint32_t hash_value;  /* 0 for a header without a hash */
};

/* Converts the little-endian header at `from`, without a hash, to host byte order at `to`. */
static inline void virtio_net_hdr_v1_to_host(struct virtio_net_hdr_host *to, const struct virtio_net_hdr_v1 *from)
{
	to->flags = from->flags;
	to->gso_type = from->gso_type;
	to->hdr_len = VIRTIO_LE16(from->hdr_len);
	to->gso_size = VIRTIO_LE16(from->gso_size);
	to->csum_start = VIRTIO_LE16(from->csum_start);
	to->csum_offset = VIRTIO_LE16(from->csum_offset);
	to->num_buffers = VIRTIO_LE16(from->num_buffers);
	to->hash_report = VIRTIO_NET_HASH_REPORT_NONE;
	to->hash_value = 0;
}

/*
 * Converts the header in host byte order at `from` to a little-endian header at `to`, without a
 * hash. The hash is lost.
 */
static inline void virtio_net_hdr_v1_from_host(struct virtio_net_hdr_v1 *to, const struct virtio_net_hdr_host *from)
{
	to->flags = from->flags;
	to->gso_type = from->gso_type;
	to->hdr_len = VIRTIO_LE16(from->hdr_len);
	to->gso_size = VIRTIO_LE16(from->gso_size);
	to->csum_start = VIRTIO_LE16(from->csum_start);
	to->csum_offset = VIRTIO_LE16(from->csum_offset);
	to->num_buffers = VIRTIO_LE16(from->num_buffers);
}

/*
 * Converts the little-endian header at `from`, with a hash, to host byte order at `to`. The padding
 * is lost.
 */
static inline void virtio_net_hdr_v1_hash_to_host(struct virtio_net_hdr_host *to,
						  const struct virtio_net_hdr_v1_hash *from)
{
	uint32_t hash;

	virtio_net_hdr_v1_to_host(to, &from->hdr);
	memcpy(&hash, (const char *)from + sizeof(struct virtio_net_hdr_v1), sizeof hash);
	to->hash_value = VIRTIO_LE32(hash);
	to->hash_report = VIRTIO_LE16(from->hash_report);
}

/*
 * Converts the header in host byte order at `from` to a little-endian header at `to`, with a hash.
 * The padding is 0.
 */
static inline void virtio_net_hdr_v1_hash_from_host(struct virtio_net_hdr_v1_hash *to,
						    const struct virtio_net_hdr_host *from)
{
	uint32_t hash = VIRTIO_LE32(from->hash_value);

	virtio_net_hdr_v1_from_host(&to->hdr, from);
	memcpy((char *)to + sizeof(struct virtio_net_hdr_v1), &hash, sizeof hash);
	to->hash_report = VIRTIO_LE16(from->hash_report);
	to->padding = 0;
}

/*
 * Copies the little-endian header at `from` to `to`, with an empty hash: hash_report is
 * VIRTIO_NET_HASH_REPORT_NONE, and the other added fields are 0.
 */
static inline void virtio_net_hdr_v1_to_hash(struct virtio_net_hdr_v1_hash *to, const struct virtio_net_hdr_v1 *from)
{
	memset(to, 0, sizeof *to);
	to->hdr = *from;
}

/* Copies the little-endian header at `from` to `to`, without the hash. */
static inline void virtio_net_hdr_v1_from_hash(struct virtio_net_hdr_v1 *to, const struct virtio_net_hdr_v1_hash *from)
{
	*to = from->hdr;
}

VIRTIO_STATIC_ASSERT(sizeof(struct virtio_net_hdr_v1) == 12, "the hash is at offset 12");
VIRTIO_STATIC_ASSERT(offsetof(struct virtio_net_hdr_v1_hash, hash_report) == 16, "hash_report follows 4 bytes of hash");
VIRTIO_STATIC_ASSERT(VIRTIO_NET_HASH_REPORT_NONE == 0, "memset() to 0 sets hash_report to NONE");

#endif
