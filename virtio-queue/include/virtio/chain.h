/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A descriptor chain: one request of the driver's, as virtio_queue_pop() yields it.
 *
 * Two ways to read one. virtio_chain_next() walks it descriptor by descriptor and costs least; it
 * suits a device whose requests have one or two pieces. virtio_chain_collect() walks it once to the
 * end, checks all of it, and resolves every buffer into segments in the caller's array; readers,
 * writers and I/O vectors work on those (<virtio/reader.h>). A parser collects, so that nothing has
 * happened yet when it finds the chain wrong.
 *
 * What the guest can do: point any field anywhere and rewrite the tables during the walk. Each
 * descriptor is read from guest memory exactly once, forward only, and at most as many as the queue
 * has entries, an indirect table included; what was read is what is checked and used. An end and an
 * error are different values, and both are final: after either, the walk yields nothing more.
 *
 * Threads: a chain is walked under the serialisation of its queue. Its token, and segments collected
 * from it, may go to another thread.
 *
 * virtio 1.4, 2.7.4 (framing), 2.7.5 (descriptor table), 2.7.5.3 (indirect descriptors)
 */
#ifndef VIRTIO_CHAIN_H
#define VIRTIO_CHAIN_H

#include <virtio/bindings/virtio_ring.h>
#include <virtio/guest_memory.h>

VIRTIO_BEGIN_DECLS

struct virtio_queue;

/* The most bytes that one chain may describe (virtio 1.4, 2.7.5.2). */
#define VIRTIO_CHAIN_MAX_BYTES (UINT64_C(1) << 32)

/*
 * Names one request in flight: needed to complete it, once. A token of an earlier use of the same
 * head, or from before a reset, is recognised and refused. All zero is never a valid token.
 */
struct virtio_token {
	uint32_t sequence;
	uint16_t head; /* index of the chain's first descriptor */
};

/* A buffer of a chain, in the host's byte order. addr + len does not wrap. */
struct virtio_desc {
	uint64_t addr; /* as the driver gave it */
	uint32_t len;  /* bytes; may be 0 */
	bool writable; /* the device may write to it, and not read it; otherwise the reverse */
};

/*
 * A chain being walked. Filled in by virtio_queue_pop(); of its members a caller uses token and
 * memory, and leaves the rest to the functions below.
 */
struct virtio_chain {
	struct virtio_token token;
	struct virtio_queue *queue;
	struct virtio_memory_cursor *memory; /* the queue's: for reading and writing the buffers */
	const uint8_t *table;                /* table in use, or NULL: through table_addr */
	uint64_t table_addr;                 /* its guest address, while table is NULL */
	uint64_t bytes;                      /* sum of the lengths so far */
	uint32_t table_len;                  /* entries of the table in use */
	uint32_t left;                       /* descriptors that may still be yielded */
	uint32_t next;                       /* index of the next one, below table_len */
	int state;                           /* 1 walking, 0 at the end, or the error that ended the walk */
	bool writable;                       /* a writable descriptor has been yielded */
	bool indirect;                       /* the table in use is an indirect one */
};

/*
 * A whole chain in segments: readable ones first, then writable ones, as the chain has them.
 * Before virtio_chain_collect() the caller sets segments and capacity, and nothing else.
 */
struct virtio_collected {
	struct virtio_segment *segments; /* the caller's array */
	uint32_t capacity;               /* its entries */
	uint32_t readable;               /* segments of readable buffers, at the front */
	uint32_t writable;               /* segments of writable buffers, after those */
	uint32_t needed;                 /* segments that the chain needs: on success readable + writable */
	uint64_t readable_bytes;
	uint64_t writable_bytes;
	/*
	 * The last writable byte of the chain, of length 1, or of length 0 if there is none: where
	 * devices put a status. Set also when the array was too small.
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
 *   VIRTIO_ENEXT       next is outside the table
 *   VIRTIO_ETOOLONG    more descriptors than the queue size
 *   VIRTIO_EORDER      a readable descriptor after a writable one
 *   VIRTIO_EBYTES      more than 2^32 bytes in all
 *   VIRTIO_EINDIRECT   a bad indirect table: nested, empty, not a multiple of 16 bytes, or not allowed
 *   VIRTIO_EFAULT      the buffer's addr + len wraps, or a table is not in guest memory
 *   VIRTIO_EPERM       a table is not readable
 * VIRTIO_ENOTMAPPED is no fault of the chain's: undo the pop and come again (virtio_queue_undo()).
 */
int virtio_chain_next(struct virtio_chain *chain, struct virtio_desc *out);

/*
 * Walks a chain to its end, checks all of it and resolves its buffers.
 *
 * @chain  from virtio_queue_pop(), not walked yet
 * @out    segments and capacity set by the caller. Buffers of length 0 make no segment, and one that
 *         lies over several regions makes several.
 *
 * Returns 0; an error of virtio_chain_next(); VIRTIO_EFAULT or VIRTIO_EPERM for a buffer that is not in
 * guest memory or not accessible in its direction; VIRTIO_ENOTMAPPED, see there; VIRTIO_ENOBUFS if
 * the array is too small, and then needed and last_writable are set and no other member is valid.
 * On every other failure out keeps its members, but for the content of the array. The walk is over
 * in any case.
 */
VIRTIO_MUST_CHECK
int virtio_chain_collect(struct virtio_chain *chain, struct virtio_collected *out);

/* Inline bodies. */

/* The rarely taken parts of virtio_chain_next(). */
int virtio_chain_fail(struct virtio_chain *chain, int error);
int virtio_chain_enter_indirect(struct virtio_chain *chain, const struct virtio_guest_desc *desc);
int virtio_chain_load_slow(struct virtio_chain *chain, struct virtio_guest_desc *desc);

inline int virtio_chain_next(struct virtio_chain *chain, struct virtio_desc *out)
{
	struct virtio_guest_desc d;
	uint32_t len, flags;
	int error;

	for (;;) {
		if (chain->state <= 0)
			return chain->state;
		if (VIRTIO_LIKELY(chain->table != NULL)) {
			d = virtio_guest_load_desc(chain->table + (size_t)chain->next * 16);
		} else {
			error = virtio_chain_load_slow(chain, &d);
			if (error)
				return virtio_chain_fail(chain, error);
		}
		flags = (uint32_t)(d.rest >> 32);
		if (VIRTIO_LIKELY(!(flags & VRING_DESC_F_INDIRECT)))
			break;
		/* At most once: a table inside a table is an error. */
		error = virtio_chain_enter_indirect(chain, &d);
		if (error)
			return virtio_chain_fail(chain, error);
	}

	len = (uint32_t)d.rest;
	chain->bytes += len;
	if (VIRTIO_UNLIKELY(chain->left == 0))
		return virtio_chain_fail(chain, VIRTIO_ETOOLONG);
	chain->left--;
	if (VIRTIO_UNLIKELY(chain->bytes > VIRTIO_CHAIN_MAX_BYTES))
		return virtio_chain_fail(chain, VIRTIO_EBYTES);
	/* A buffer that ends at the last byte of the address space wraps to exactly 0, and is legal. */
	if (VIRTIO_UNLIKELY(d.addr + len < d.addr && d.addr + len != 0))
		return virtio_chain_fail(chain, VIRTIO_EFAULT);
	if (flags & VRING_DESC_F_WRITE)
		chain->writable = true;
	else if (VIRTIO_UNLIKELY(chain->writable))
		return virtio_chain_fail(chain, VIRTIO_EORDER);
	if (flags & VRING_DESC_F_NEXT) {
		chain->next = (uint32_t)(d.rest >> 48);
		if (VIRTIO_UNLIKELY(chain->next >= chain->table_len))
			return virtio_chain_fail(chain, VIRTIO_ENEXT);
	} else {
		chain->state = 0;
	}
	out->addr = d.addr;
	out->len = len;
	out->writable = (flags & VRING_DESC_F_WRITE) != 0;
	return 1;
}

VIRTIO_END_DECLS

#endif
