/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The configuration of a queue: the values that the driver sets through a transport before the
 * queue starts.
 *
 * A plain struct. Each setter checks one value. A refused value leaves the old value in place, as
 * the registers of a transport require. A caller who has all values may fill in the members
 * instead, because virtio_queue_start() checks everything again.
 *
 * The struct does not remember that a value was refused, or that the driver never set an address. A
 * transport must remember both facts, so that no queue starts with a size or an address that the
 * driver did not set. The device core does so (<virtio/device_transport.h>).
 *
 * What the guest can do: choose size, addresses and readiness, in any order, by accesses of any
 * width.
 *
 * Threads:
 *   functions              who may call   what must not run beside
 *   init, reset, setters   any thread     another call on the same configuration
 *   other functions        any thread     init, reset, setters on the same configuration
 *
 * virtio 1.4, 2.6 (virtqueues), 2.7 (split virtqueues), 4.2.2 (the registers)
 */
#ifndef VIRTIO_QUEUE_CONFIG_H
#define VIRTIO_QUEUE_CONFIG_H

#include <virtio/guest_memory.h>

VIRTIO_BEGIN_DECLS

#define VIRTIO_QUEUE_MAX_SIZE 32768 /* the largest queue size (virtio 1.4, 2.7) */

/* The three areas of a queue (virtio 1.4, 2.6), by their split-ring names. */
enum virtio_queue_area {
	VIRTIO_QUEUE_DESC,  /* Descriptor Area: the descriptor table */
	VIRTIO_QUEUE_AVAIL, /* Driver Area: the available ring */
	VIRTIO_QUEUE_USED,  /* Device Area: the used ring */
};

struct virtio_queue_config {
	uint64_t addr[3];  /* guest addresses, indexed by enum virtio_queue_area */
	uint16_t max_size; /* set by the device: a power of two */
	uint16_t size;     /* set by the driver: a power of two, at most max_size */
	bool ready;        /* the driver has enabled the queue */

	/* Negotiated features. */
	bool event_idx; /* VIRTIO_RING_F_EVENT_IDX */
	bool indirect;  /* VIRTIO_RING_F_INDIRECT_DESC */
	bool in_order;  /* VIRTIO_F_IN_ORDER: used elements in the order of the available ring */

	/*
	 * Exceptions for drivers that break one of two rules without harm. If both members are
	 * false, the queue follows the specification. Some drivers use unnegotiated indirect
	 * descriptors. Other drivers build indirect tables with more entries than the queue (virtio
	 * 1.4, 2.7.5.3.1). Such a table may yield as many descriptors as it has entries, at most
	 * 65,535.
	 */
	bool allow_unnegotiated_indirect;
	bool allow_long_indirect;
};

/*
 * Sets every member to its default: no addresses, size = max_size, not ready, no features.
 *
 * @config    filled in
 * @max_size  the largest size that the device supports: a power of two, 1 to VIRTIO_QUEUE_MAX_SIZE
 *
 * Returns 0; VIRTIO_ESIZE for any other max_size. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_queue_config_init(struct virtio_queue_config *config, uint16_t max_size);

/* Restores the defaults of virtio_queue_config_init(). max_size and both allow_ members stay. */
void virtio_queue_config_reset(struct virtio_queue_config *config);

/*
 * Sets the size.
 *
 * @size  in descriptors. The type has 32 bits, like a register, so no bit is lost before the check.
 *
 * Returns 0; VIRTIO_ESIZE if not a power of two from 1 to max_size; VIRTIO_EBUSY once ready. A
 * refused size changes nothing.
 */
int virtio_queue_config_set_size(struct virtio_queue_config *config, uint32_t size);

/*
 * Sets one address, or one 32-bit half of an address as registers do.
 *
 * @area   which area
 * @addr   guest address: a multiple of 16 for the descriptor table, of 2 for the available ring, of
 *         4 for the used ring (virtio 1.4, 2.7). 0 is a legal address.
 * @value  bits 0 to 31 (low) or 32 to 63 (high) of the address; the other half stays
 *
 * Returns 0; VIRTIO_EALIGN; VIRTIO_EBUSY once ready; VIRTIO_EINVAL for an unknown area. A refused
 * value changes nothing.
 */
int virtio_queue_config_set_addr(struct virtio_queue_config *config, enum virtio_queue_area area, uint64_t addr);
int virtio_queue_config_set_addr_low(struct virtio_queue_config *config, enum virtio_queue_area area, uint32_t value);
int virtio_queue_config_set_addr_high(struct virtio_queue_config *config, enum virtio_queue_area area, uint32_t value);

/*
 * Returns the length of an area in bytes, for the configured size and features; 0 for an unknown
 * area. The event fields at the ends of the rings are included only under event_idx, because
 * otherwise the device does not touch them.
 */
uint64_t virtio_queue_config_area_bytes(const struct virtio_queue_config *config, enum virtio_queue_area area);

/*
 * Checks whether a queue could start from this configuration. The member `ready` is not checked.
 * Sizes and alignment must be legal, and each area must lie in memory that permits the device's
 * access.
 *
 * @config  what to check
 * @map     the guest's memory. NULL fails with VIRTIO_EFAULT.
 *
 * Returns 0, or:
 *   VIRTIO_ESIZE       the size is no power of two, or above the maximum
 *   VIRTIO_EALIGN      an area is misaligned
 *   VIRTIO_EFAULT      an area is not in guest memory
 *   VIRTIO_EPERM       an area does not permit the device's access
 *   VIRTIO_ENOTMAPPED  a translation is not known yet
 */
VIRTIO_MUST_CHECK
int virtio_queue_config_check(const struct virtio_queue_config *config, const struct virtio_memory_map *map);

VIRTIO_END_DECLS

#endif
