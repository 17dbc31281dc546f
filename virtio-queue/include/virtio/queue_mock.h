/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The driver's side of a split virtqueue, for tests of devices. In libvirtio-queue-mock.a.
 *
 * Two ways to use it, which mix. As a well-behaved driver: virtio_mock_add() allocates descriptors,
 * writes a chain and makes it available, virtio_mock_should_kick() says whether to notify the
 * device, virtio_mock_pop_used() takes a chain back, checks what the device said, and frees the
 * descriptors. As a hostile one: virtio_mock_set_desc(), virtio_mock_offer() and virtio_mock_set()
 * put any value into any field of the table and the rings, and judge nothing.
 *
 *	virtio_mock_init(&mock, &map, 0x1000, 8, slots, 8);
 *	virtio_mock_create_queue(&mock, &queue, inflight, 8, &map);
 *	head = virtio_mock_add(&mock, buffers, 2);
 *	the device pops, serves and completes;
 *	got = virtio_mock_pop_used(&mock, &element);
 *
 * Guest memory is reached through <virtio/guest_memory.h> only, so the areas and the buffers may
 * lie in any map, also in one that is cut into one-byte regions. The driver has its own map: the
 * table and the available ring must be writable in it, whatever the device's map permits.
 *
 * What the device can do to it: write anything into the used ring at any time. An element is copied
 * once and then checked; no function asserts.
 *
 * Threads: a mock is used by one thread at a time, the driver's. The device may run in another: the
 * two share nothing but guest memory. Single fields are loaded with acquire and stored with release
 * order, unless a region boundary cuts them in two; then the bytes go one by one.
 *
 * Freestanding, and allocates nothing.
 *
 * virtio 1.4, 2.7 (split virtqueues), 2.7.13 and 2.7.14 (the driver's procedures)
 */
#ifndef VIRTIO_QUEUE_MOCK_H
#define VIRTIO_QUEUE_MOCK_H

#include <virtio/bindings/virtio_ring.h>
#include <virtio/guest_memory.h>
#include <virtio/queue.h>

VIRTIO_BEGIN_DECLS

/* The driver's books on one descriptor; the caller's storage, one for each. */
struct virtio_mock_slot {
	uint64_t writable; /* of a head: bytes that the device may write to its chain */
	uint32_t offered;  /* of a head: times made available and not yet used */
	uint16_t next;     /* next descriptor of the chain, or of the free list */
	uint16_t count;    /* of a head: descriptors that its chain has allocated; 0 for any other */
};

/* One buffer of a chain. */
struct virtio_mock_buffer {
	uint64_t addr;  /* guest address */
	uint32_t len;   /* bytes */
	uint16_t flags; /* VRING_DESC_F_WRITE, or whatever else is to stand in the descriptor */
};

/* A driver. The caller allocates it, may read all and sets the three features, right after init. */
struct virtio_mock {
	struct virtio_memory_cursor memory; /* over the driver's map; also for the caller's use */
	uint64_t addr[3];                   /* the areas, indexed by enum virtio_queue_area */
	struct virtio_mock_slot *slots;
	uint64_t avail_idx; /* entries written to the available ring; the index is its low 16 bits */
	uint64_t published; /* of those, made visible to the device */
	uint64_t kicked;    /* of those, considered by virtio_mock_should_kick() */
	uint16_t used_idx;  /* used elements taken back */
	uint16_t size;
	uint16_t free_head;  /* first free descriptor, while free_count is not 0 */
	uint16_t free_count; /* free descriptors */
	uint32_t in_flight;  /* heads made available and not used */

	/* Negotiated features; init sets none. */
	bool event_idx; /* VIRTIO_RING_F_EVENT_IDX */
	bool indirect;  /* VIRTIO_RING_F_INDIRECT_DESC */
	bool in_order;  /* VIRTIO_F_IN_ORDER */
};

/* The 16-bit fields of the two rings. */
enum virtio_mock_field {
	VIRTIO_MOCK_AVAIL_FLAGS,
	VIRTIO_MOCK_AVAIL_IDX,
	VIRTIO_MOCK_USED_EVENT, /* behind the available ring (virtio 1.4, 2.7.6) */
	VIRTIO_MOCK_USED_FLAGS,
	VIRTIO_MOCK_USED_IDX,
	VIRTIO_MOCK_AVAIL_EVENT, /* behind the used ring (virtio 1.4, 2.7.8) */
};

/* Life cycle */

/*
 * Sets up a driver with its areas one behind the other, so that they cannot overlap, and zeroes
 * them.
 *
 * @mock     set up
 * @map      the driver's view of guest memory; must live as long as the mock
 * @base     the first area begins at the first multiple of 16 from here on
 * @size     descriptors: a power of two, 1 to VIRTIO_QUEUE_MAX_SIZE
 * @slots    the caller's storage, used as long as the mock
 * @entries  its entries: size or more
 *
 * Returns 0; VIRTIO_ESIZE; VIRTIO_EINVAL without enough storage; VIRTIO_EFAULT, VIRTIO_EPERM or
 * VIRTIO_ENOTMAPPED if the areas are not writable in the map. On failure nothing is changed.
 */
VIRTIO_MUST_CHECK
int virtio_mock_init(struct virtio_mock *mock, const struct virtio_memory_map *map, uint64_t base, uint32_t size,
		     struct virtio_mock_slot *slots, uint32_t entries);

/*
 * Moves one area to any address, legal or not, overlapping or not. Touches no memory: see
 * virtio_mock_reset(). Returns 0; VIRTIO_EINVAL for an unknown area.
 */
int virtio_mock_place(struct virtio_mock *mock, enum virtio_queue_area area, uint64_t addr);

/*
 * Zeroes the three areas and forgets all chains, as a driver does before it enables a queue anew.
 *
 * Returns 0; VIRTIO_EFAULT, VIRTIO_EPERM or VIRTIO_ENOTMAPPED, and then nothing is changed.
 */
int virtio_mock_reset(struct virtio_mock *mock);

/*
 * Lets both indices begin at another value than 0, to bring a wrap closer: in the books, and in the
 * index fields of both rings. The device must be told too (virtio_queue_set_next_avail() and
 * virtio_queue_set_next_used()).
 *
 * Returns 0; VIRTIO_EBUSY while chains are in flight or not published; or an error of
 * virtio_mock_set().
 */
int virtio_mock_seek(struct virtio_mock *mock, uint16_t index);

/* Fills in what a transport would hand to the device: sizes, addresses, features, ready. */
void virtio_mock_fill_config(const struct virtio_mock *mock, struct virtio_queue_config *config);

/*
 * Prepares and starts the device's side of this queue.
 *
 * @mock      as set up, features included
 * @queue     the caller's; started on success
 * @inflight  storage, as for virtio_queue_init()
 * @entries   its entries
 * @map       the device's view of guest memory
 *
 * Returns 0, or an error of virtio_queue_init() or virtio_queue_start().
 */
VIRTIO_MUST_CHECK
int virtio_mock_create_queue(const struct virtio_mock *mock, struct virtio_queue *queue,
			     struct virtio_inflight *inflight, uint32_t entries, const struct virtio_memory_map *map);

/* Addresses */

/*
 * Bytes that virtio_mock_init() needs from a base that is a multiple of 16, event fields included.
 */
uint64_t virtio_mock_bytes(uint32_t size);

/* Length of one area in bytes, event fields included; 0 for an unknown area. */
uint64_t virtio_mock_area_bytes(const struct virtio_mock *mock, enum virtio_queue_area area);

/* The address after the last byte of the highest area. */
uint64_t virtio_mock_end(const struct virtio_mock *mock);

/*
 * Guest address of a descriptor, of an entry of a ring, and of a field, wherever the index points;
 * 0 for an unknown field.
 */
uint64_t virtio_mock_desc_addr(const struct virtio_mock *mock, uint32_t index);
uint64_t virtio_mock_avail_entry_addr(const struct virtio_mock *mock, uint32_t slot);
uint64_t virtio_mock_used_entry_addr(const struct virtio_mock *mock, uint32_t slot);
uint64_t virtio_mock_field_addr(const struct virtio_mock *mock, enum virtio_mock_field field);

/*
 * Single fields. None of these looks at or changes the driver's books.
 *
 * @index, @slot  below the queue size; for the _at functions any entry of the table at table,
 *                which may lie anywhere
 * @out           in the host's byte order; untouched on failure
 *
 * Return 0; VIRTIO_EINVAL for an index outside the area, but for the _at functions, or an unknown
 * field; VIRTIO_EFAULT, VIRTIO_EPERM or VIRTIO_ENOTMAPPED, and then nothing is written.
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

/* Chains, without the books */

/*
 * Writes a chain into descriptors first, first + 1 and so on, around the end of the table.
 *
 * @first    index of the head, below the queue size
 * @buffers  one for each descriptor; each but the last gets VRING_DESC_F_NEXT on top of its flags
 * @count    at most the queue size
 *
 * Allocates nothing and asks nobody whether the descriptors are free. Returns 0; VIRTIO_EINVAL; or
 * an error of virtio_mock_set_desc(), and then part of it may be written.
 */
int virtio_mock_write_chain(struct virtio_mock *mock, uint32_t first, const struct virtio_mock_buffer *buffers,
			    uint32_t count);

/*
 * Writes a chain into entries 0 to count - 1 of an indirect table at any address. As
 * virtio_mock_write_chain(); count is at most 65,536.
 */
int virtio_mock_write_table(struct virtio_mock *mock, uint64_t table, const struct virtio_mock_buffer *buffers,
			    uint32_t count);

/*
 * Puts a head, any value, into the next slot of the available ring. virtio_mock_publish() shows it
 * to the device. Returns 0, or an error of virtio_mock_set_avail_entry().
 */
int virtio_mock_offer(struct virtio_mock *mock, uint16_t head);

/*
 * Makes all entries offered so far visible to the device, with one store of the available index
 * (virtio 1.4, 2.7.13.3). Returns 0, or an error of virtio_mock_set().
 */
int virtio_mock_publish(struct virtio_mock *mock);

/* Chains, with the books */

/*
 * Allocates descriptors and writes a chain into them; it is not made available.
 *
 * @buffers  as for virtio_mock_write_chain()
 * @count    1 to the queue size
 *
 * Returns the head; VIRTIO_EINVAL for a count of 0; VIRTIO_ENOBUFS if fewer descriptors are free;
 * or an error of virtio_mock_set_desc(). A failure allocates nothing.
 */
int virtio_mock_alloc(struct virtio_mock *mock, const struct virtio_mock_buffer *buffers, uint32_t count);

/*
 * The same with an indirect table, which takes one descriptor of the queue.
 *
 * @table  guest address of the table, at any alignment: 16 * count bytes that belong to it until
 *         the chain is used
 * @count  1 to 65,535
 */
int virtio_mock_alloc_indirect(struct virtio_mock *mock, uint64_t table, const struct virtio_mock_buffer *buffers,
			       uint32_t count);

/*
 * Frees a chain that was not made available. Returns 0; VIRTIO_ESTALE if head is none;
 * VIRTIO_EBUSY.
 */
int virtio_mock_free(struct virtio_mock *mock, uint16_t head);

/*
 * Allocates a chain, or one with an indirect table, offers and publishes it.
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
 * @buffers  of all chains: one without VRING_DESC_F_NEXT in its flags is the last of its chain, and
 *           so is the last of all
 * @count    of all
 * @heads    receives the head of each chain, unless NULL
 *
 * Returns the number of chains; or an error of virtio_mock_add(), and then none is added.
 */
int virtio_mock_add_many(struct virtio_mock *mock, const struct virtio_mock_buffer *buffers, uint32_t count,
			 uint16_t *heads);

/* Used elements */

/*
 * Takes the next used element, checks it and frees its chain.
 *
 * @out  id and len; untouched unless 1 is returned
 *
 * Returns 1 for an element and 0 for none. What the device did wrong:
 *   VIRTIO_EBROKEN  the used index is further ahead than chains are in flight
 *   VIRTIO_EHEAD    id is no index of a descriptor
 *   VIRTIO_ESTALE   id is not in flight
 *   VIRTIO_EORDER   under in_order, and id is not the oldest one in flight
 *   VIRTIO_EBYTES   len is more than the chain's writable bytes (known for allocated
 *                   chains alone, and not for one with an indirect descriptor among its buffers)
 * or an error of virtio_mock_get(). A failure takes nothing.
 */
int virtio_mock_pop_used(struct virtio_mock *mock, struct vring_used_elem *out);

/* Notifications */

/*
 * Whether to notify the device of what was published since the last call.
 *
 * Without event_idx the used ring's flags decide, with it the position of avail_event (virtio 1.4,
 * 2.7.13.4.1). Returns 1 for yes, 0 for no, or an error of virtio_mock_get().
 */
int virtio_mock_should_kick(struct virtio_mock *mock);

/*
 * Asks the device for interrupts, and looks whether it has used buffers meanwhile.
 *
 * Returns 1 if there is a used element to pop: no interrupt may come for it, so pop and call this
 * again. 0 if there is none: an interrupt will come with the next. Or an error of
 * virtio_mock_set(). virtio 1.4, 2.7.14
 */
int virtio_mock_enable_interrupts(struct virtio_mock *mock);

/*
 * Tells the device that no interrupts are wanted: by the flag, or under event_idx by a used_event
 * as far away as can be. A hint. Returns 0, or an error of virtio_mock_set().
 */
int virtio_mock_disable_interrupts(struct virtio_mock *mock);

VIRTIO_END_DECLS

#endif
