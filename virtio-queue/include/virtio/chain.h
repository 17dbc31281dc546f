/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A descriptor chain: one request of the driver, as virtio_queue_pop() yields it.
 *
 * Two ways to read a chain:
 *
 *   virtio_chain_next()     yields one descriptor. Cheapest way for chains of one or two buffers.
 *   virtio_chain_resolve()  walks to the end, checks the whole chain, and resolves every buffer
 *                           into segments in the caller's array. Readers, writers and I/O vectors
 *                           work on segments (<virtio/reader.h>). A parser resolves first, so it
 *                           finds a malformed chain before any side effect.
 *
 * <virtio/request.h> has a parser for requests of a header, data and a status.
 *
 * What the guest can do: point any field anywhere, and rewrite the tables during the walk.
 * Therefore:
 * - Each step of a walk reads its descriptor once, and checks and uses this copy.
 * - A walk yields at most as many descriptors as the queue has entries, unless the configuration
 *   allows long indirect tables. The limit includes the descriptors in an indirect table.
 * - The end of a walk and an error are different results. Both results are final: an ended walk
 *   returns 0 again, and a failed walk returns the same error again.
 *
 * Two kinds of fault, which devices handle differently:
 *
 *   chain fault  a next index, the number or order of descriptors, the number of bytes, or a table
 *                is wrong. The device completes the chain with length 0.
 *   bad buffer   a buffer is outside memory, wraps, or does not permit its direction. The walk
 *                continues, so the device can report the failure in a status byte. Drivers look at
 *                the status, not at the used length.
 *
 * Threads:
 *   functions             who may call               what must not run beside
 *   all of this header    the queue's thread         another call on the same queue
 *   token, segments       may go to another thread
 *
 * virtio 1.4, 2.7.4 (framing), 2.7.5 (descriptor table), 2.7.5.3 (indirect descriptors)
 */
#ifndef VIRTIO_CHAIN_H
#define VIRTIO_CHAIN_H

#include <virtio/bindings/virtio_ring.h>
#include <virtio/guest_memory.h>

VIRTIO_BEGIN_DECLS

/* The defined descriptor flags. Other flags are ignored (virtio 1.4, 2.7.5). */
#define VIRTIO_DESC_FLAGS (VRING_DESC_F_NEXT | VRING_DESC_F_WRITE | VRING_DESC_F_INDIRECT)

/* The most bytes that one chain may describe (virtio 1.4, 2.7.5.2). */
#define VIRTIO_CHAIN_MAX_BYTES (INT64_C(1) << 32)

/*
 * Names one request in flight. A token can complete its request once. A token of an earlier pop of
 * the same head is refused, also after a reset. Among 2^47 pops of a queue no two tokens are equal.
 * 0 is never a token.
 */
struct virtio_token {
	uint64_t value; /* the head in bits 0 to 15, a sequence number above */
};

/* Returns the index of the chain's first descriptor. */
VIRTIO_INLINE uint16_t virtio_token_head(struct virtio_token token);

/*
 * A buffer of a chain, in the host's byte order. If the address is outside guest memory, access
 * through chain->memory fails.
 */
struct virtio_desc {
	uint64_t addr; /* as the driver gave it; addr + len may wrap */
	uint32_t len;  /* bytes; may be 0 */
	bool writable; /* true: the device may only write; false: it may only read */
};

/*
 * The position of a walk. Neighbouring members differ in size, because compilers combine members of
 * equal size into vectors. Here vectors cost more than they save. The walk keeps addresses instead
 * of indices, because an address needs no arithmetic before a load.
 */
struct virtio_walk {
	uint64_t table; /* the current table's host address; in a slow walk its guest address */
	int32_t left;   /* descriptors left, and flags: see <virtio/inline/chain.h> */
	uint64_t next;  /* address of the next descriptor; or the walk's error */
	uint32_t gap_1;
	uint64_t last; /* address of the last descriptor of the table */
	uint32_t gap_2;
	int64_t bytes_left; /* bytes that further descriptors may describe */
};

/*
 * The cursors of a queue. Each cursor has a cached region of its own, because drivers allocate
 * small buffers, tables and large buffers in different places.
 */
enum virtio_memory_use {
	VIRTIO_MEMORY_BUFFERS, /* small buffers (headers, status bytes); in a walk, all buffers */
	VIRTIO_MEMORY_TABLES,  /* indirect tables */
	VIRTIO_MEMORY_DATA,    /* large buffers, in parsers that separate large and small buffers */
	VIRTIO_MEMORY_USES,
};

/* A chain. virtio_queue_pop() fills it in. A caller uses only `token` and `memory`. */
struct virtio_chain {
	struct virtio_token token;
	/*
	 * The array of the queue's cursors, for access to the buffers. A caller uses only the first
	 * cursor.
	 *
	 * The cursors show the map that the queue has now, not the map under which the chain was
	 * popped. After virtio_queue_set_memory() an address may mean other bytes. For a request
	 * popped before that call, use segments resolved before that call, or a cursor of your own
	 * on the old map.
	 */
	struct virtio_memory_cursor *memory;
	struct virtio_walk walk;
};

/*
 * A resolved chain: first the readable segments, then the writable ones, in the chain's order.
 * Before virtio_chain_resolve() the caller sets `segments` and `capacity`, and nothing else.
 */
struct virtio_chain_segments {
	struct virtio_segment *segments; /* the caller's array */
	uint32_t capacity;               /* number of entries in that array */
	uint32_t readable;               /* number of readable segments, at the front */
	uint32_t writable;               /* number of writable segments, after the readable ones */
	uint32_t needed;                 /* number of segments that the chain needs */
	uint64_t readable_bytes;
	uint64_t writable_bytes;
	/*
	 * The last writable byte of the chain, where devices put a status. The segment's length is
	 * 1, or 0 if the chain has no such byte or the byte cannot be written.
	 */
	struct virtio_segment last_writable;
};

/*
 * Yields the next descriptor of a chain. The call does not look up the buffer's address. An access
 * through chain->memory does.
 *
 * @chain  from virtio_queue_pop(), not completed yet
 * @out    the descriptor; untouched unless 1 is returned
 *
 * Returns 1 for a descriptor, 0 at the end, or an error. After any error except VIRTIO_ENOTMAPPED
 * the caller completes the chain with length 0. The errors are:
 *   VIRTIO_ENEXT       `next` is outside the table; the descriptor with this `next` is not yielded
 *   VIRTIO_ETOOLONG    more descriptors than the queue size. If long tables are allowed, a table
 *                      longer than the queue may yield all its entries. A descriptor that refers to
 *                      a table is not counted.
 *   VIRTIO_EORDER      a readable descriptor follows a writable one
 *   VIRTIO_EBYTES      more than 2^32 bytes in all
 *   VIRTIO_EINDIRECT   an indirect table is nested, empty, too long, not a multiple of 16 bytes, or
 *                      not negotiated
 *   VIRTIO_EFAULT      a table is not in guest memory
 *   VIRTIO_EPERM       a table is not readable
 *   VIRTIO_ENOTMAPPED  a table is not mapped yet. This is no fault: unpop the chain with
 *                      virtio_queue_unpop(), and retry later.
 */
VIRTIO_MUST_CHECK
VIRTIO_INLINE VIRTIO_HOT int virtio_chain_next(struct virtio_chain *chain, struct virtio_desc *out);

/*
 * Walks a chain to its end, checks all of it, and resolves its buffers.
 *
 * @chain  from virtio_queue_pop(), not walked yet
 * @out    `segments` and `capacity` set by the caller; `segments` may be NULL if `capacity` is 0. A
 *         buffer of length 0 makes no segment. A buffer over several regions makes several.
 *
 * Returns 0, or an error. After an error `out` describes what the device can still use:
 *   Error             Cause                                segments, counts    last_writable
 *   VIRTIO_EFAULT     a buffer is outside memory or wraps  the part before     of the whole chain
 *   VIRTIO_EPERM      memory forbids a buffer's direction  the part before     of the whole chain
 *   VIRTIO_ENOBUFS    the array is too small               the part that fits  of the whole chain
 *   any other         as virtio_chain_next()               counts are 0        length 0
 * The counts include readable_bytes and writable_bytes. "The part before" means the buffers before
 * the bad buffer.
 *
 * The row "any other" includes VIRTIO_EFAULT and VIRTIO_EPERM for a table, and VIRTIO_ENOTMAPPED
 * for a table or a buffer. After every error last_writable.len says whether a status can be
 * written. After VIRTIO_ENOBUFS, `needed` says how large the array must be. A second call with a
 * larger array reads the chain again.
 */
VIRTIO_MUST_CHECK
int virtio_chain_resolve(struct virtio_chain *chain, struct virtio_chain_segments *out);

VIRTIO_END_DECLS

#include <virtio/inline/chain.h>

#endif
