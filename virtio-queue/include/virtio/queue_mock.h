/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The driver's side of a split virtqueue, for tests of devices (libvirtio-queue-mock.a).
 *
 * A mock can be a good driver, a hostile driver, or both in turn:
 * - A good driver: virtio_mock_add() allocates descriptors, writes a chain and makes it available.
 *   virtio_mock_should_kick() says whether to kick the device. virtio_mock_pop_used() pops a used
 *   element, checks its values, and frees the descriptors.
 * - A hostile driver: virtio_mock_set_desc(), virtio_mock_offer() and virtio_mock_set() put any
 *   value into any field of the table and the rings. These functions check no value.
 *
 *	virtio_mock_init(&mock, &map, 0x1000, 8, slots, 8);
 *	virtio_mock_create_queue(&mock, &queue, inflight, 8, &map);
 *	head = virtio_mock_add(&mock, buffers, 2);
 *	the device pops, serves and completes;
 *	got = virtio_mock_pop_used(&mock, &element);
 *
 * A mock accesses guest memory through <virtio/guest_memory.h> only, so areas and buffers may lie
 * in any map, even in a map of one-byte regions. The driver's map may differ from the device's map.
 * All three areas must be writable in the driver's map, whatever the device's map permits.
 *
 * What the device can do: write anything into the used ring at any time. The mock copies a used
 * element once, and checks the copy. No function asserts.
 *
 * Threads:
 *   functions             who may call           what must not run beside
 *   all of this header    the driver's thread    another call on the same mock
 *
 * The device may run on another thread, because mock and device share only guest memory. 16-bit
 * fields of the rings are loaded with acquire order and stored with release order. A field that is
 * misaligned, or that a region boundary cuts in two, is accessed by a plain copy.
 *
 * Freestanding. Allocates nothing.
 *
 * virtio 1.4, 2.7 (split virtqueues), 2.7.13 and 2.7.14 (the driver's procedures)
 */
#ifndef VIRTIO_QUEUE_MOCK_H
#define VIRTIO_QUEUE_MOCK_H

#include <virtio/bindings/virtio_ring.h>
#include <virtio/descriptor.h>
#include <virtio/guest_memory.h>
#include <virtio/queue.h>

VIRTIO_BEGIN_DECLS

/* The driver's record of one descriptor. The caller's storage has a slot for each descriptor. */
struct virtio_mock_slot {
	uint64_t writable; /* of a head: number of bytes that the device may write to its chain */
	uint32_t offered;  /* of a head: offers to the device, minus popped used elements */
	uint16_t next;     /* next descriptor of the chain, or of the free list */
	uint16_t count;    /* of a head: number of descriptors of its allocated chain; else 0 */
};

/* One buffer of a chain. */
struct virtio_mock_buffer {
	uint64_t addr;  /* guest address */
	uint32_t len;   /* bytes */
	uint16_t flags; /* VRING_DESC_F_WRITE, or any other flags of the descriptor */
};

/*
 * A driver. The caller allocates it, may read every member, and sets the three features after
 * virtio_mock_init(). A driver must not be copied, because it contains a cursor.
 */
struct virtio_mock {
	struct virtio_memory_cursor memory; /* for the driver's map; callers may use the cursor */
	uint64_t addr[3];                   /* the areas, indexed by enum virtio_queue_area */
	struct virtio_mock_slot *slots;
	uint64_t avail_idx; /* available index of the next entry, not cut to 16 bits */
	uint64_t published; /* the entries before this index were made visible to the device */
	uint64_t kicked;    /* virtio_mock_should_kick() considers the entries from here on */
	uint16_t used_idx;  /* index of the next used element to pop */
	uint16_t size;
	uint16_t free_head;  /* first free descriptor, if free_count is not 0 */
	uint16_t free_count; /* number of free descriptors */
	uint32_t in_flight;  /* sum of `offered` over all slots */

	/* Negotiated features. virtio_mock_init() sets none. */
	bool event_idx; /* VIRTIO_RING_F_EVENT_IDX */
	bool indirect;  /* VIRTIO_RING_F_INDIRECT_DESC */
	bool in_order;  /* VIRTIO_F_IN_ORDER */
};

/* The 16-bit fields of the two rings, except the entries. */
enum virtio_mock_field {
	VIRTIO_MOCK_AVAIL_FLAGS,
	VIRTIO_MOCK_AVAIL_IDX,
	VIRTIO_MOCK_USED_EVENT, /* after the available ring's entries (virtio 1.4, 2.7.6) */
	VIRTIO_MOCK_USED_FLAGS,
	VIRTIO_MOCK_USED_IDX,
	VIRTIO_MOCK_AVAIL_EVENT, /* after the used ring's entries (virtio 1.4, 2.7.8) */
};

/* Life cycle */

/*
 * Sets up a driver with its areas one after the other, and zeroes the areas.
 *
 * @mock     filled in
 * @map      the driver's view of guest memory; must live as long as the mock
 * @base     the first area begins at the first multiple of 16 at or above this address
 * @size     descriptors: a power of two, 1 to VIRTIO_QUEUE_MAX_SIZE
 * @slots    the caller's storage; must live as long as the mock
 * @entries  number of entries in slots: at least size
 *
 * Returns 0, or:
 *   VIRTIO_ESIZE    an illegal size
 *   VIRTIO_EINVAL   not enough storage
 *   VIRTIO_EFAULT, VIRTIO_EPERM, VIRTIO_ENOTMAPPED   the areas are not writable in the map
 *
 * A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_mock_init(struct virtio_mock *mock, const struct virtio_memory_map *map, uint64_t base, uint32_t size,
		     struct virtio_mock_slot *slots, uint32_t entries);

/*
 * Moves one area to any address, legal or not, overlapping or not. Does not zero the area: see
 * virtio_mock_reset(). Returns 0; VIRTIO_EINVAL for an unknown area.
 */
int virtio_mock_place(struct virtio_mock *mock, enum virtio_queue_area area, uint64_t addr);

/*
 * Zeroes the three areas and forgets all chains, as a driver does before it enables a queue again.
 *
 * Returns 0; VIRTIO_EFAULT, VIRTIO_EPERM or VIRTIO_ENOTMAPPED. A failure changes nothing.
 */
int virtio_mock_reset(struct virtio_mock *mock);

/*
 * Lets the available and the used index begin at another value than 0, to reach a wrap sooner.
 * Changes the mock's indices and the index fields of both rings. Set the device's indices to the
 * same value with virtio_queue_set_next_avail() and virtio_queue_set_next_used().
 *
 * Returns 0; VIRTIO_EBUSY while chains are in flight or not published; or an error of
 * virtio_mock_set().
 */
int virtio_mock_seek(struct virtio_mock *mock, uint16_t index);

/* Fills in the values that a transport passes to the device: sizes, addresses, features, ready. */
void virtio_mock_fill_config(const struct virtio_mock *mock, struct virtio_queue_config *config);

/*
 * Prepares and starts the device's side of this queue.
 *
 * @mock      set up, with its features
 * @queue     as for virtio_queue_init(); started on success
 * @inflight  storage, as for virtio_queue_init()
 * @entries   number of entries in inflight
 * @map       the device's view of guest memory
 *
 * Returns 0, or an error of virtio_queue_init() or virtio_queue_start().
 */
VIRTIO_MUST_CHECK
int virtio_mock_create_queue(const struct virtio_mock *mock, struct virtio_queue *queue,
			     struct virtio_inflight *inflight, uint32_t entries, const struct virtio_memory_map *map);

/* Addresses */

/* Returns how many bytes the areas need with event fields, if the base is a multiple of 16. */
uint64_t virtio_mock_bytes(uint32_t size);

/* Returns the length of one area in bytes, with its event field; 0 for an unknown area. */
uint64_t virtio_mock_area_bytes(const struct virtio_mock *mock, enum virtio_queue_area area);

/* Returns the address after the last byte of the highest area. */
uint64_t virtio_mock_end(const struct virtio_mock *mock);

/*
 * Return the guest address of a descriptor, of a ring's entry, or of a field. The index may be
 * outside the area. Return 0 for an unknown field.
 */
uint64_t virtio_mock_desc_addr(const struct virtio_mock *mock, uint32_t index);
uint64_t virtio_mock_avail_entry_addr(const struct virtio_mock *mock, uint32_t slot);
uint64_t virtio_mock_used_entry_addr(const struct virtio_mock *mock, uint32_t slot);
uint64_t virtio_mock_field_addr(const struct virtio_mock *mock, enum virtio_mock_field field);

/*
 * Read and write single fields and entries. The driver's records are neither used nor changed.
 *
 * @index, @slot  below the queue size. In the _at functions any index is allowed, and the table may
 *                be at any address.
 * @out           untouched on failure. All values and structures are in the host's byte order.
 *
 * Return 0, or an error after which nothing is written:
 *   VIRTIO_EINVAL      unknown field, or an index outside the area (not for the _at functions)
 *   VIRTIO_EFAULT      the field or entry is not in the driver's map
 *   VIRTIO_EPERM       the field or entry does not permit the access
 *   VIRTIO_ENOTMAPPED  a translation is not known yet
 */
int virtio_mock_get(struct virtio_mock *mock, enum virtio_mock_field field, uint16_t *out);
int virtio_mock_set(struct virtio_mock *mock, enum virtio_mock_field field, uint16_t value);
int virtio_mock_get_avail_entry(struct virtio_mock *mock, uint32_t slot, uint16_t *out);
int virtio_mock_set_avail_entry(struct virtio_mock *mock, uint32_t slot, uint16_t head);
int virtio_mock_get_used_entry(struct virtio_mock *mock, uint32_t slot, struct vring_used_elem *out);
int virtio_mock_set_used_entry(struct virtio_mock *mock, uint32_t slot, const struct vring_used_elem *element);
int virtio_mock_get_desc(struct virtio_mock *mock, uint32_t index, struct vring_desc *out);
int virtio_mock_set_desc(struct virtio_mock *mock, uint32_t index, const struct vring_desc *desc);
int virtio_mock_get_desc_at(struct virtio_mock *mock, uint64_t table, uint32_t index, struct vring_desc *out);
int virtio_mock_set_desc_at(struct virtio_mock *mock, uint64_t table, uint32_t index, const struct vring_desc *desc);

/* Chains without allocation */

/*
 * Writes a chain into the descriptors with the indices `first`, `first` + 1 and so on. Descriptor 0
 * follows the last descriptor of the table.
 *
 * @first    index of the head, below the queue size
 * @buffers  one buffer for each descriptor. Each descriptor except the last also gets
 *           VRING_DESC_F_NEXT.
 * @count    at most the queue size
 *
 * Allocates nothing, and does not check whether the descriptors are free. Returns 0; VIRTIO_EINVAL
 * for a bad `first` or `count`; or an error of virtio_mock_set_desc(), after which a part of the
 * chain may be written.
 */
int virtio_mock_write_chain(struct virtio_mock *mock, uint32_t first, const struct virtio_mock_buffer *buffers,
			    uint32_t count);

/*
 * Writes a chain into entries 0 to count - 1 of an indirect table at any address. Works as
 * virtio_mock_write_chain(), with a count of at most 65,536.
 */
int virtio_mock_write_table(struct virtio_mock *mock, uint64_t table, const struct virtio_mock_buffer *buffers,
			    uint32_t count);

/*
 * Puts any head into the next slot of the available ring. virtio_mock_publish() makes the head
 * visible to the device. Returns 0, or an error of virtio_mock_set_avail_entry().
 */
int virtio_mock_offer(struct virtio_mock *mock, uint16_t head);

/*
 * Makes all offered entries visible to the device by one store of the available index (virtio 1.4,
 * 2.7.13.3). Returns 0, or an error of virtio_mock_set().
 */
int virtio_mock_publish(struct virtio_mock *mock);

/* Chains of allocated descriptors */

/*
 * Allocates descriptors and writes a chain into them. The chain is not made available.
 *
 * @buffers  as for virtio_mock_write_chain()
 * @count    1 to the queue size
 *
 * Returns the head; VIRTIO_EINVAL for a count of 0; VIRTIO_ENOBUFS if too few descriptors are free;
 * or an error of virtio_mock_set_desc(). A failure allocates nothing.
 */
int virtio_mock_alloc(struct virtio_mock *mock, const struct virtio_mock_buffer *buffers, uint32_t count);

/*
 * Allocates a chain with an indirect table, which uses one descriptor of the queue. Returns as
 * virtio_mock_alloc().
 *
 * @table  guest address of the table, at any alignment. Leave the table's 16 * count bytes alone
 *         until the device has used the chain.
 * @count  1 to 65,535; otherwise VIRTIO_EINVAL
 */
int virtio_mock_alloc_indirect(struct virtio_mock *mock, uint64_t table, const struct virtio_mock_buffer *buffers,
			       uint32_t count);

/*
 * Frees an allocated chain that was not offered. Returns 0; VIRTIO_ESTALE if head is not the head
 * of an allocated chain; VIRTIO_EBUSY if the chain was offered.
 */
int virtio_mock_free(struct virtio_mock *mock, uint16_t head);

/*
 * Allocates a chain, perhaps with an indirect table, then offers and publishes it.
 *
 * Returns the head, or an error of virtio_mock_alloc(), virtio_mock_offer() or
 * virtio_mock_publish().
 */
int virtio_mock_add(struct virtio_mock *mock, const struct virtio_mock_buffer *buffers, uint32_t count);
int virtio_mock_add_indirect(struct virtio_mock *mock, uint64_t table, const struct virtio_mock_buffer *buffers,
			     uint32_t count);

/*
 * Adds several chains and publishes them together.
 *
 * @buffers  the buffers of all chains. A chain ends at a buffer without VRING_DESC_F_NEXT, and at
 *           the last buffer.
 * @count    number of all buffers
 * @heads    receives the head of each chain; may be NULL
 *
 * Returns the number of chains, or an error of virtio_mock_add(). A failure adds no chain.
 */
int virtio_mock_add_many(struct virtio_mock *mock, const struct virtio_mock_buffer *buffers, uint32_t count,
			 uint16_t *heads);

/* Used elements */

/*
 * Pops the next used element and checks it. Frees an allocated chain once all its offers are used.
 *
 * @out  id and len in the host's byte order. Untouched unless 1 is returned.
 *
 * Returns 1 for an element, 0 for none, an error of virtio_mock_get(), or the device's fault:
 *   VIRTIO_EBROKEN  the used index announces more than mock->in_flight elements
 *   VIRTIO_EHEAD    id is not the index of a descriptor
 *   VIRTIO_ESTALE   id is not in flight
 *   VIRTIO_EORDER   under in_order, id is not the oldest head in flight
 *   VIRTIO_EBYTES   len is more than the chain's writable bytes. Checked for allocated chains only,
 *                   and not if the caller put an indirect descriptor among the chain's buffers.
 * A failure pops nothing.
 */
int virtio_mock_pop_used(struct virtio_mock *mock, struct vring_used_elem *out);

/* Kicks and interrupts */

/*
 * Decides whether to kick the device for the entries published since the last call.
 *
 * Without event_idx the flags of the used ring decide. With event_idx the position of avail_event
 * decides (virtio 1.4, 2.7.13.4.1). Returns 1 for yes, 0 for no, or an error of virtio_mock_get().
 */
int virtio_mock_should_kick(struct virtio_mock *mock);

/*
 * Asks the device for interrupts, and checks whether buffers were used meanwhile.
 *
 * Returns 1 if there is a used element. The device may send no interrupt for it, so pop the element
 * and call this function again. Returns 0 if there is no used element. The device then interrupts
 * for the next used element. Otherwise returns an error of virtio_mock_set().
 *
 * virtio 1.4, 2.7.14
 */
int virtio_mock_enable_interrupts(struct virtio_mock *mock);

/*
 * Tells the device that no interrupts are wanted. Sets VRING_AVAIL_F_NO_INTERRUPT, or under
 * event_idx sets used_event to used_idx - 1, the index that the device reaches last. This is a
 * hint: interrupts may still arrive. Returns 0, or an error of virtio_mock_set().
 */
int virtio_mock_disable_interrupts(struct virtio_mock *mock);

VIRTIO_END_DECLS

#endif
