/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A descriptor chain: one request of the driver's, as virtio_queue_pop() yields it.
 *
 * Two ways to read one:
 *
 *   virtio_chain_next()     walks it descriptor by descriptor. It costs least, and suits requests
 *                           of one or two pieces.
 *   virtio_chain_resolve()  walks it to the end, checks all of it, and resolves every buffer into
 *                           segments in the caller's array. Readers, writers and I/O vectors work
 *                           on those (<virtio/reader.h>). A parser resolves, so that nothing has
 *                           happened yet when it finds the chain wrong.
 *
 * <virtio/request.h> has a parser for requests of a header, data and a status.
 *
 * What the guest can do: point any field anywhere and rewrite the tables during the walk. Each
 * descriptor is read from guest memory exactly once, forward only, and at most as many as the queue
 * has entries, an indirect table included; what was read is what is checked and used. An end and an
 * error are different values, and both are final: a walk that has failed returns the same error
 * again.
 *
 * Two kinds of fault, which devices answer differently:
 *
 *   of the shape    next, count, order, bytes or tables are wrong: the chain is completed with
 *                   length 0
 *   of a buffer     it is outside memory, wraps, or lacks permission: the walk goes on, so that a
 *                   device with a status byte can report the failure there. Drivers look at the
 *                   status, and not at the used length.
 *
 * Threads: a chain is walked under the serialisation of its queue. Its token, and segments resolved
 * from it, may go to another thread.
 *
 * virtio 1.4, 2.7.4 (framing), 2.7.5 (descriptor table), 2.7.5.3 (indirect descriptors)
 */
#ifndef VIRTIO_CHAIN_H
#define VIRTIO_CHAIN_H

#include <virtio/bindings/virtio_ring.h>
#include <virtio/guest_memory.h>

VIRTIO_BEGIN_DECLS

/* The flags of a descriptor that mean something; others are to be ignored (virtio 1.4, 2.7.5). */
#define VIRTIO_DESC_FLAGS (VRING_DESC_F_NEXT | VRING_DESC_F_WRITE | VRING_DESC_F_INDIRECT)

/* The most bytes that one chain may describe (virtio 1.4, 2.7.5.2). */
#define VIRTIO_CHAIN_MAX_BYTES (INT64_C(1) << 32)

/*
 * Names one request in flight. Its completion needs the token, and works once. A token of an
 * earlier pop of the same head is refused, also after a reset. No two of 2^47 pops of a queue get
 * the same token. 0 is never a token.
 */
struct virtio_token {
	uint64_t value; /* the head in bits 0 to 15, a sequence number above */
};

/* The index of the chain's first descriptor. */
VIRTIO_INLINE uint16_t virtio_token_head(struct virtio_token token);

/*
 * A buffer of a chain, in the host's byte order. It may lie anywhere: access to it through
 * chain->memory fails then.
 */
struct virtio_desc {
	uint64_t addr; /* as the driver gave it; addr + len may wrap */
	uint32_t len;  /* bytes; may be 0 */
	bool writable; /* the device may write to it, and not read it; otherwise the reverse */
};

/*
 * Where the walk along a chain has come to. No two members of one size are neighbours, hence the
 * gaps: compilers make vectors of such, which costs more than it saves. Addresses rather than
 * indices, for these need no arithmetic before a load.
 */
struct virtio_walk {
	uint64_t table; /* the table in use: its host address, or for a slow walk its guest address */
	int32_t left;   /* how the walk goes on: see below */
	uint64_t next;  /* address of the next descriptor, as table; or the error that ended the walk */
	uint32_t gap_1;
	uint64_t last; /* likewise of the last descriptor in the table: next is none behind it */
	uint32_t gap_2;
	int64_t bytes_left; /* that further descriptors may describe */
};

/*
 * The cursors of a queue: each has a cached region of its own, for what lies in different places.
 */
enum virtio_memory_use {
	VIRTIO_MEMORY_BUFFERS, /* of chains; small ones, for a parser that tells them from data */
	VIRTIO_MEMORY_TABLES,  /* indirect tables */
	VIRTIO_MEMORY_DATA,    /* large buffers, for such a parser: drivers keep headers and status bytes elsewhere */
	VIRTIO_MEMORY_USES,
};

/*
 * A chain. Filled in by virtio_queue_pop(); a caller uses token and memory, and leaves the rest to
 * the functions below.
 */
struct virtio_chain {
	struct virtio_token token;
	/*
	 * For reading and writing the buffers: the array of the queue's cursors, of which a caller
	 * uses the first one.
	 *
	 * They show the queue's map of the moment, not the one that the chain was popped under.
	 * After virtio_queue_set_memory() an address may mean other bytes: those of an uncompleted
	 * request are then reached through segments that were resolved before, or through a cursor
	 * of the caller's own on the old map.
	 */
	struct virtio_memory_cursor *memory;
	struct virtio_walk walk;
};

/*
 * A chain in segments: readable ones first, then writable ones, as the chain has them.
 * Before virtio_chain_resolve() the caller sets segments and capacity, and nothing else.
 */
struct virtio_chain_segments {
	struct virtio_segment *segments; /* the caller's array */
	uint32_t capacity;               /* its entries */
	uint32_t readable;               /* segments of readable buffers, at the front */
	uint32_t writable;               /* segments of writable buffers, after those */
	uint32_t needed;                 /* segments that the chain needs: on success readable + writable */
	uint64_t readable_bytes;
	uint64_t writable_bytes;
	/*
	 * The last writable byte of the chain: where devices put a status. Its length is 1, or 0 if
	 * there is no such byte or it can't be written.
	 */
	struct virtio_segment last_writable;
};

/*
 * Yields the next descriptor of a chain.
 *
 * @chain  from virtio_queue_pop(), not completed yet
 * @out    the descriptor; untouched unless 1 is returned
 *
 * Returns 1 for a descriptor and 0 at the end. The buffer itself is not looked up: that happens
 * when it is accessed through chain->memory. An error means that the chain is malformed, and the
 * caller gives it back with length 0:
 *   VIRTIO_ENEXT       next is outside the table; such a descriptor is not yielded itself
 *   VIRTIO_ETOOLONG    more descriptors than the queue size, or, where long tables are allowed,
 *                      than the table has entries; one that refers to a table does not count
 *   VIRTIO_EORDER      a readable descriptor after a writable one
 *   VIRTIO_EBYTES      more than 2^32 bytes in all
 *   VIRTIO_EINDIRECT   a bad indirect table: nested, empty, not a multiple of 16 bytes, or not
 *                      allowed
 *   VIRTIO_EFAULT      a table is not in guest memory
 *   VIRTIO_EPERM       a table is not readable
 * VIRTIO_ENOTMAPPED is no fault of the chain's: unpop the pop and come again
 * (virtio_queue_unpop()).
 */
VIRTIO_MUST_CHECK
VIRTIO_INLINE VIRTIO_HOT int virtio_chain_next(struct virtio_chain *chain, struct virtio_desc *out);

/*
 * Walks a chain to its end, checks all of it and resolves its buffers.
 *
 * @chain  from virtio_queue_pop(), not walked yet
 * @out    segments and capacity set by the caller; segments may be NULL if capacity is 0. Buffers
 *         of length 0 make no segment, and one that lies over several regions makes several.
 *
 * Returns 0, and the walk is over; or an error:
 *   VIRTIO_EFAULT      a buffer is not in guest memory, or wraps; or as virtio_chain_next()
 *   VIRTIO_EPERM       a buffer is not accessible in its direction; or as virtio_chain_next()
 *   VIRTIO_ENOBUFS     the array is too small. The walk is back at its start: a call with a larger
 *                      array works, and reads the chain anew.
 *   VIRTIO_ENOTMAPPED and others   as virtio_chain_next()
 * After each of them, out describes as much as a device can use:
 *   a bad buffer       in segments, counts and bytes what comes before it. last_writable is that of
 *                      the whole chain.
 *   VIRTIO_ENOBUFS     in segments, counts and bytes what fits, and all of needed and
 *                      last_writable.
 *   any other          nothing: counts and last_writable.len are 0.
 * So last_writable.len says after any error whether a status can be written.
 */
VIRTIO_MUST_CHECK
int virtio_chain_resolve(struct virtio_chain *chain, struct virtio_chain_segments *out);

VIRTIO_END_DECLS

#include <virtio/inline/chain.h>

#endif
