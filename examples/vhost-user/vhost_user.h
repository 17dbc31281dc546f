/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The vhost-user protocol: requests, flags and payloads as they cross the socket, for a back end
 * that serves split rings. All numbers are in the host's byte order.
 *
 * The protocol is described in docs/interop/vhost-user of the QEMU manual. This header has no
 * constants for parts that this back end does not offer (logging, postcopy, in-band notifications
 * ...), except VHOST_F_LOG_ALL.
 */
#ifndef VHOST_USER_H
#define VHOST_USER_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum vhost_user_request {
	VHOST_USER_GET_FEATURES = 1,
	VHOST_USER_SET_FEATURES = 2,
	VHOST_USER_SET_OWNER = 3,
	VHOST_USER_RESET_OWNER = 4,
	VHOST_USER_SET_MEM_TABLE = 5,
	VHOST_USER_SET_VRING_NUM = 8,
	VHOST_USER_SET_VRING_ADDR = 9,
	VHOST_USER_SET_VRING_BASE = 10,
	VHOST_USER_GET_VRING_BASE = 11,
	VHOST_USER_SET_VRING_KICK = 12,
	VHOST_USER_SET_VRING_CALL = 13,
	VHOST_USER_SET_VRING_ERR = 14,
	VHOST_USER_GET_PROTOCOL_FEATURES = 15,
	VHOST_USER_SET_PROTOCOL_FEATURES = 16,
	VHOST_USER_GET_QUEUE_NUM = 17,
	VHOST_USER_SET_VRING_ENABLE = 18,
	VHOST_USER_SET_BACKEND_REQ_FD = 21,
	VHOST_USER_GET_CONFIG = 24,
	VHOST_USER_SET_CONFIG = 25,
};

/* Requests that this back end sends, on the channel that SET_BACKEND_REQ_FD has opened. */
enum vhost_user_backend_request {
	VHOST_USER_BACKEND_CONFIG_CHANGE_MSG = 2,
};

/* Bits of the device features that the guest's driver never sees. */
/* Writes to guest memory must be logged. Only this feature may change while rings run. */
#define VHOST_F_LOG_ALL 26
#define VHOST_USER_F_PROTOCOL_FEATURES 30

/* Bits of the protocol features. */
#define VHOST_USER_PROTOCOL_F_MQ 0
#define VHOST_USER_PROTOCOL_F_REPLY_ACK 3
#define VHOST_USER_PROTOCOL_F_BACKEND_REQ 5
#define VHOST_USER_PROTOCOL_F_CONFIG 9

#define VHOST_USER_FLAG_VERSION_MASK 0x3u
#define VHOST_USER_FLAG_VERSION 0x1u
#define VHOST_USER_FLAG_REPLY 0x4u
#define VHOST_USER_FLAG_NEED_REPLY 0x8u

struct vhost_user_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size; /* bytes of payload that follow */
};

/*
 * The most regions of a memory table. QEMU sends at most 8, front ends that use the vhost crate at
 * most 32.
 */
#define VHOST_USER_MAX_REGIONS 32

struct vhost_user_region {
	uint64_t guest_addr;
	uint64_t size;
	uint64_t user_addr; /* in the front end's address space */
	uint64_t mmap_offset;
};

struct vhost_user_memory {
	uint32_t count;
	uint32_t padding;
	struct vhost_user_region regions[VHOST_USER_MAX_REGIONS];
};

struct vhost_user_vring_state {
	uint32_t index;
	uint32_t num;
};

struct vhost_user_vring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc; /* desc, used, avail: the front end's addresses */
	uint64_t used;
	uint64_t avail;
	uint64_t log;
};

/* The most bytes of payload in a message. Front ends that use the vhost crate send no more. */
#define VHOST_USER_MAX_PAYLOAD 4096u

struct vhost_user_config {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	uint8_t data[VHOST_USER_MAX_PAYLOAD - 12];
};

/* The largest configuration space in bytes. No front end accesses bytes after it. */
#define VHOST_USER_CONFIG_SPACE 4096u

/*
 * Some front ends add this to the offset in GET_CONFIG and SET_CONFIG, because virtio-mmio has the
 * configuration space at this offset among its registers.
 */
#define VHOST_USER_CONFIG_BASE 0x100u

/*
 * Flags of SET_CONFIG for a write by the driver: 0 in the protocol, 1 in front ends that use the
 * vhost crate.
 */
#define VHOST_USER_CONFIG_FLAGS_MASK 0x1u

/* Parts of the u64 of SET_VRING_KICK, CALL and ERR. */
#define VHOST_USER_VRING_INDEX_MASK 0xffu
#define VHOST_USER_VRING_NO_FD 0x100u

union vhost_user_payload {
	uint64_t u64;
	struct vhost_user_memory memory;
	struct vhost_user_vring_state state;
	struct vhost_user_vring_addr addr;
	struct vhost_user_config config;
	uint8_t bytes[VHOST_USER_MAX_PAYLOAD]; /* any payload */
};

static_assert(sizeof(struct vhost_user_header) == 12, "size in the protocol");
static_assert(sizeof(struct vhost_user_region) == 32, "size in the protocol");
static_assert(offsetof(struct vhost_user_memory, regions) == 8, "offset in the protocol");
static_assert(sizeof(struct vhost_user_vring_state) == 8, "size in the protocol");
static_assert(sizeof(struct vhost_user_vring_addr) == 40, "size in the protocol");
static_assert(offsetof(struct vhost_user_config, data) == 12, "offset in the protocol");

#endif
