/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The device's side of a split virtqueue.
 *
 * The life of a buffer:
 * 1. The driver makes the buffer available.
 * 2. virtio_queue_pop() yields the buffer as a chain. The chain is one request, which is now in
 *    flight. The chain's token names the request.
 * 3. The device walks the chain (<virtio/chain.h>) and serves the request.
 * 4. virtio_queue_complete() returns the buffer to the driver. The token must be in flight.
 * 5. virtio_queue_needs_interrupt() says whether to interrupt the driver.
 *
 *	got = virtio_queue_available(q);
 *	for (left = got; left > 0 && (got = virtio_queue_pop(q, &chain)) == 1; left--) {
 *		written = serve(&chain);
 *		virtio_queue_complete(q, chain.token, written);
 *	}
 *	if (virtio_queue_needs_interrupt(q))
 *		interrupt the driver;
 *	if (got >= 0)
 *		got = virtio_queue_enable_kicks(q);
 *	if (got < 0 && got != VIRTIO_ENOTMAPPED)
 *		the queue is broken: set DEVICE_NEEDS_RESET
 *	if (got == 1)
 *		there is more: do other work, then run this loop again without waiting for a kick
 *
 * `left` bounds the loop, because the driver may add buffers all the time. virtio_queue_serve() of
 * <virtio/serve.h> is this loop.
 *
 * What the guest can do: write anything into its half of the rings at any time. Two kinds of fault
 * follow:
 * - A malformed chain under a valid head. The chain functions return the error. The caller
 *   completes the chain with length 0, and continues.
 * - An incoherent ring: an index too far ahead or moved back, a head out of range, or a head that
 *   is still in flight. The queue breaks. The call that finds the fault returns the cause, and
 *   later pops return VIRTIO_EBROKEN until a reset. Requests in flight can still be completed.
 *
 * The queue counts each fault and keeps the first fault (virtio_queue_get_stats()).
 *
 * Threads:
 *   functions            who may call                what must not run beside
 *   all of this header   any thread                  another call on the same queue
 *   a token              may go to another thread
 *
 * <virtio/queue_sync.h> serialises the calls with a lock. No function blocks or allocates.
 *
 * virtio 1.4, 2.6 and 2.7
 */
#ifndef VIRTIO_QUEUE_H
#define VIRTIO_QUEUE_H

#include <virtio/chain.h>
#include <virtio/guest_memory.h>
#include <virtio/queue_config.h>

VIRTIO_BEGIN_DECLS

/* The caller's storage for requests in flight: one entry for each head. */
struct virtio_inflight {
	uint64_t state; /* the state of the head: see <virtio/inline/queue.h> */
	uint32_t place; /* next_avail when the head was popped */
	uint16_t order; /* IN_ORDER: entry n has the head popped at slot n of the available ring */
	uint16_t flags; /* flags of a head that is not idle: see <virtio/inline/queue.h> */
};

/* Counters since virtio_queue_init(). A reset keeps them. */
struct virtio_queue_stats {
	uint64_t chains;            /* chains popped, minus chains unpopped */
	uint64_t completions;       /* requests returned to the driver */
	uint64_t interrupts;        /* how often virtio_queue_needs_interrupt() returned true */
	uint64_t ring_faults;       /* faults that broke the queue */
	uint64_t chain_faults;      /* malformed chains, and resolved chains with a bad buffer */
	uint64_t too_many_segments; /* resolutions for which the caller's array was too small */
	/*
	 * How often a walk, a pop, virtio_queue_available(), virtio_queue_enable_kicks() or
	 * virtio_queue_disable_kicks() failed with VIRTIO_ENOTMAPPED. This is not a fault.
	 */
	uint64_t not_mapped;
	/* The first ring fault or chain fault. first_error is 0 if there was no fault. */
	int first_error;
	uint16_t first_head;     /* the head of this fault; 0xffff if the fault has no head */
	uint16_t first_position; /* available index of the next pop at that time */
};

/*
 * A queue. The caller allocates it, may read every member, and changes it by functions only. A
 * queue must not move and must not be copied, because chains point into it. The members that every
 * request uses come first.
 */
struct virtio_queue {
	/*
	 * Derived members that permit and limit the fast paths. All of them are computed again if a
	 * member that they depend on changes. Of these members, a pop or a read of the driver's
	 * index may change only fast_avail, unless the queue breaks.
	 */
	const uint8_t *fast_avail_ring; /* host address of the available ring's entries; or NULL */
	uint8_t *fast_used;             /* host address of the used ring; or NULL */
	const uint8_t *fast_used_event; /* host address of used_event under EVENT_IDX; or NULL */
	uint32_t fast_heads;            /* size, or 0 if no completion takes the fast path */
	/* A pop is slow, or first reads the driver's index, if next_avail equals this member. */
	uint32_t fast_avail;

	const uint8_t *desc;      /* host address of the descriptor table, or NULL */
	const uint8_t *desc_last; /* host address of the table's last entry, or NULL */
	struct virtio_inflight *inflight;
	uint32_t size;       /* number of descriptors; 0 while the queue is not started */
	uint32_t mask;       /* size - 1 */
	int32_t walk_left;   /* walk.left at the start of a walk */
	uint32_t next_avail; /* the next available index, continued beyond 16 bits */
	uint64_t sequence;   /* token of the last pop, without its head */
	uint64_t used_idx;   /* the next used index, continued beyond 16 bits */
	uint64_t signalled;  /* used_idx at the last virtio_queue_needs_interrupt() */
	struct virtio_memory_cursor memory[VIRTIO_MEMORY_USES]; /* chains point to this array */

	/*
	 * Members for set-up, slow paths and queries. Of these members, the inline fast paths use
	 * only `avail_idx` and `stats`.
	 */
	struct virtio_queue_config config;
	/*
	 * Host addresses of the rings. NULL for a ring that is not contiguous and aligned in host
	 * memory.
	 */
	const uint8_t *avail;
	uint8_t *used;
	struct virtio_memory_cursor ring_memory; /* to access areas without a host address */
	uint16_t avail_idx;                      /* the driver's index as last read */
	bool signalled_valid;                    /* false if indices were set after `signalled` */
	const struct virtio_region *used_region; /* the used ring's dirty-logged region; or NULL */
	uint32_t inflight_entries;
	uint32_t old_map_in_flight; /* requests in flight, popped under an earlier map */
	uint32_t waiting;           /* requests completed, but not yet in the used ring */
	uint16_t replay;            /* after a restore: requests still to be replayed */
	uint16_t oldest;            /* IN_ORDER: available index of the next request to return */
	uint32_t flight_base;       /* next_avail - replay - used_idx when nothing is in flight */
	uint64_t used_start;        /* used_idx when stats.completions was last updated */
	int broken;                 /* 0, or the fault that broke the queue */
	struct virtio_queue_stats stats;
};

/* Life cycle */

/*
 * Prepares a queue. Call this once. virtio_queue_start() starts the queue, the first time and after
 * each reset.
 *
 * @queue    the caller's, filled with zeroes before the first call
 * @inflight the caller's storage; must live as long as the queue
 * @entries  number of entries in inflight: at least the largest size of the queue
 *
 * A second call forgets counters and requests in flight. All earlier tokens become stale.
 *
 * Returns 0; VIRTIO_EINVAL if inflight is NULL or entries is 0. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
VIRTIO_INLINE int virtio_queue_init(struct virtio_queue *queue, struct virtio_inflight *inflight, uint32_t entries);

/*
 * Starts a queue: checks the configuration, translates the three areas and clears the used flags.
 * Both indices are then 0: see virtio_queue_set_next_avail() and virtio_queue_set_next_used().
 *
 * @queue   prepared; not started, or reset since the last start
 * @config  copied
 * @map     the guest's memory. Must live until the queue is reset, or until the queue has another
 *          map and no request popped under this map is in flight. NULL fails with VIRTIO_EFAULT.
 *
 * Returns 0, or:
 *   VIRTIO_EBUSY      the queue is started
 *   VIRTIO_ENOTREADY  config->ready is false
 *   VIRTIO_EINVAL     the in-flight storage is smaller than the queue
 *   other errors      of virtio_queue_config_check()
 *
 * On failure the queue is as before.
 */
VIRTIO_MUST_CHECK
int virtio_queue_start(struct virtio_queue *queue, const struct virtio_queue_config *config,
		       const struct virtio_memory_map *map);

/*
 * Stops a queue, and returns it to its state after virtio_queue_init(). The counters keep their
 * values. virtio_queue_start() can then start the queue again.
 *
 * - The queue does not touch the ring any more, and every token becomes stale.
 * - The call forgets the requests in flight, but cannot stop their I/O. A device whose I/O still
 *   uses guest memory must first wait for virtio_queue_quiesced().
 * - A chain from before the reset must not be walked. Until the next start, access through
 *   chain->memory fails with VIRTIO_EFAULT.
 */
void virtio_queue_reset(struct virtio_queue *queue);

/*
 * Switches a started queue to another map of the guest's memory.
 *
 * @queue  started, perhaps broken
 * @map    as for virtio_queue_start()
 *
 * What happens to a request that was popped before the switch:
 * - It stays in flight, and its bytes stay in the old map. The old map must live until
 *   virtio_queue_old_maps_unused() returns true.
 * - Segments resolved before the switch stay valid. chain->memory uses the new map from now on. In
 *   the new map an address may belong to another owner. To write a status at the end, use segments,
 *   or a cursor of your own on the old map.
 * - Finish its walk, or resolve its chain, before the switch. Otherwise the walk may read tables
 *   from either map.
 * - Its used element is written to the used ring in the new map.
 * - If only the new map has a dirty log, the request's I/O is not recorded. A migration relies on
 *   the log only after virtio_queue_old_maps_unused() has returned true.
 *
 * Returns 0, or an error after which the queue keeps the old map:
 *   VIRTIO_ENOTREADY   the queue is not started
 *   VIRTIO_EFAULT      an area of the queue is not in the new map
 *   VIRTIO_EPERM       an area of the queue does not permit the device's access
 *   VIRTIO_ENOTMAPPED  a translation is not known yet
 */
VIRTIO_MUST_CHECK
int virtio_queue_set_memory(struct virtio_queue *queue, const struct virtio_memory_map *map);

/* Requests */

/*
 * Pops the next chain that the driver has made available. Reads the driver's index again only after
 * all chains that the previous value of the index announced have been popped.
 *
 * @queue  started
 * @chain  filled in if 1 is returned; otherwise untouched. A completion needs chain->token.
 *
 * Returns 1 for a chain, 0 for none, or:
 *   VIRTIO_ENOTREADY   the queue is not started
 *   VIRTIO_EAVAILIDX, VIRTIO_EHEAD, VIRTIO_EINFLIGHT   the ring is incoherent; the queue is broken
 *                                                      now
 *   VIRTIO_EBROKEN     the queue was broken before
 *   VIRTIO_EBUSY       after a restore, requests must still be replayed (<virtio/queue_state.h>)
 *   VIRTIO_ENOTMAPPED  a ring that is not contiguous in host memory is not mapped yet: retry later
 *   VIRTIO_EFAULT, VIRTIO_EPERM   such a ring is no longer accessible; the queue is broken now
 *
 * The caller must complete or unpop each chain, whatever the chain contains.
 */
VIRTIO_MUST_CHECK
VIRTIO_INLINE VIRTIO_HOT int virtio_queue_pop(struct virtio_queue *queue, struct virtio_chain *chain);

/*
 * Returns how many chains can be popped now: 0 to the queue size. Use the number to bound a loop.
 *
 * Reads the driver's index again. Returns the errors of virtio_queue_pop() that concern no head:
 * VIRTIO_ENOTREADY, VIRTIO_EAVAILIDX, VIRTIO_EBROKEN, VIRTIO_EBUSY, VIRTIO_ENOTMAPPED,
 * VIRTIO_EFAULT or VIRTIO_EPERM.
 */
VIRTIO_MUST_CHECK
int virtio_queue_available(struct virtio_queue *queue);

/*
 * Undoes the last pop. The next pop yields the same head under a new token.
 *
 * @queue  started
 * @token  of the last pop that was not unpopped. Undo several pops in reverse order.
 *
 * Returns 0, or:
 *   VIRTIO_ESTALE   the token is not in flight
 *   VIRTIO_ENOTLAST another request was popped later and not unpopped
 *   VIRTIO_EBROKEN  the queue is broken
 *
 * A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_queue_unpop(struct virtio_queue *queue, struct virtio_token token);

/*
 * Returns a request to the driver.
 *
 * @queue  started, perhaps broken since
 * @token  of the request
 * @len    bytes written to the writable buffers, from the first byte on without a gap; 0 for a
 *         malformed chain (virtio 1.4, 2.7.8.2)
 *
 * The driver sees all earlier writes to guest memory before it sees the completion. Under IN_ORDER
 * the queue holds the completion until all earlier requests are completed.
 *
 * Returns 0, or:
 *   VIRTIO_ESTALE   the token is not in flight: completed, unpopped, or from before a reset
 *   VIRTIO_EFAULT, VIRTIO_EPERM, VIRTIO_ENOTMAPPED   only for a used ring that is not contiguous in
 *                                                    host memory. The request stays in flight.
 *
 * A failure changes nothing.
 */
VIRTIO_INLINE VIRTIO_HOT int virtio_queue_complete(struct virtio_queue *queue, struct virtio_token token, uint32_t len);

/* One completion of a batch. */
struct virtio_completion {
	struct virtio_token token;
	uint32_t len; /* as for virtio_queue_complete() */
};

/*
 * Returns several requests with one update of the used index. The driver sees all of them or none.
 * Under IN_ORDER a completion may still wait for earlier requests, as in virtio_queue_complete().
 *
 * @completions  in the order in which the driver sees them, except under IN_ORDER
 * @count        number of completions
 *
 * Returns as virtio_queue_complete(); VIRTIO_ESTALE also if a token occurs twice. A failure
 * completes no request.
 */
int virtio_queue_complete_batch(struct virtio_queue *queue, const struct virtio_completion *completions,
				uint32_t count);

/*
 * Interrupts for the driver (used buffer notifications), and kicks for the device (available buffer
 * notifications).
 */

/*
 * Returns whether the driver wants an interrupt for the completions since the last call. Call this
 * after one or more completions.
 *
 * Without EVENT_IDX the driver's flag decides. With EVENT_IDX the position of used_event decides;
 * the result is exact for any number of completions (virtio 1.4, 2.7.7.2). Without a completion the
 * result is false, except in the first call after virtio_queue_set_next_avail() or
 * virtio_queue_set_next_used(). That first call does not know which completions were signalled
 * before, so under EVENT_IDX it returns true. Without EVENT_IDX the driver's flag still decides.
 * After a completion, a call also returns true if the ring cannot be read. A driver tolerates an
 * extra interrupt, but not a lost one.
 */
VIRTIO_INLINE VIRTIO_HOT bool virtio_queue_needs_interrupt(struct virtio_queue *queue);

/*
 * Asks the driver for kicks, and checks whether buffers are already available.
 *
 * Returns 1 if there is a chain to pop. The driver may send no kick for this chain, so pop it and
 * call this function again. Returns 0 if there is nothing to pop. The driver then kicks for the
 * next chain. Otherwise returns an error of virtio_queue_available(). VIRTIO_ENOTMAPPED,
 * VIRTIO_EFAULT and VIRTIO_EPERM can also concern the used ring.
 *
 * A device that has popped too few chains, and unpops them to wait for more, calls this function
 * before it unpops. The driver then kicks for the next chain after the popped chains.
 *
 * virtio 1.4, 2.7.10.2
 */
VIRTIO_MUST_CHECK
int virtio_queue_enable_kicks(struct virtio_queue *queue);

/*
 * Tells the driver that no kicks are needed. This is a hint: kicks may still arrive. Under
 * EVENT_IDX nothing is written, so avail_event keeps its old value.
 *
 * Returns 0, or:
 *   VIRTIO_ENOTREADY, VIRTIO_EBROKEN, VIRTIO_EBUSY   as virtio_queue_pop()
 *   VIRTIO_ENOTMAPPED              the used ring is not contiguous in host memory, and not mapped
 *                                  yet
 *   VIRTIO_EFAULT, VIRTIO_EPERM    the used ring is no longer accessible; the queue is broken now
 */
int virtio_queue_disable_kicks(struct virtio_queue *queue);

/* Queries and indices */

/* Returns the number of requests in flight: popped, and neither completed nor unpopped. */
VIRTIO_INLINE uint32_t virtio_queue_in_flight(const struct virtio_queue *queue);

/*
 * Returns whether a token is in flight. If a request finishes late, call this before you touch its
 * memory. If the token is stale, the memory may belong to another owner.
 */
bool virtio_queue_is_in_flight(const struct virtio_queue *queue, struct virtio_token token);

/*
 * Returns whether nothing is in flight. A reset, or a new owner of the memory, then disturbs no
 * request.
 */
VIRTIO_INLINE bool virtio_queue_quiesced(const struct virtio_queue *queue);

/* Returns whether no request popped under an earlier map is in flight. */
VIRTIO_INLINE bool virtio_queue_old_maps_unused(const struct virtio_queue *queue);

/* Copies the counters and the first fault. */
void virtio_queue_get_stats(const struct virtio_queue *queue, struct virtio_queue_stats *out);

/* Return the available index of the next pop, and the index of the next used element. */
VIRTIO_INLINE uint16_t virtio_queue_next_avail(const struct virtio_queue *queue);
VIRTIO_INLINE uint16_t virtio_queue_next_used(const struct virtio_queue *queue);

/*
 * Set the available index of the next pop, and the index of the next used element, for a queue that
 * continues where another owner stopped. A vhost-user back end gets the used index from
 * virtio_queue_read_used_idx().
 *
 * Return 0; VIRTIO_ENOTREADY if not started; VIRTIO_EBUSY if a request is in flight, waits under
 * IN_ORDER, or must still be replayed. The next virtio_queue_needs_interrupt() may cause an extra
 * interrupt.
 */
VIRTIO_MUST_CHECK
int virtio_queue_set_next_avail(struct virtio_queue *queue, uint16_t index);
VIRTIO_MUST_CHECK
int virtio_queue_set_next_used(struct virtio_queue *queue, uint16_t index);

/*
 * Read the driver's available index, or the used index, from the ring. The value is not checked, so
 * the queue cannot break. The calls also work on a broken queue, and on a queue with requests still
 * to be replayed.
 *
 * @out  the index; untouched on failure
 *
 * Return 0, or:
 *   VIRTIO_ENOTREADY   the queue is not started
 *   VIRTIO_ENOTMAPPED  a translation is not known yet
 *   VIRTIO_EFAULT, VIRTIO_EPERM
 *                      the translation no longer maps the index, or forbids the access
 * All but VIRTIO_ENOTREADY occur only if the ring is not contiguous in host memory.
 */
VIRTIO_MUST_CHECK
int virtio_queue_read_avail_idx(struct virtio_queue *queue, uint16_t *out);
VIRTIO_MUST_CHECK
int virtio_queue_read_used_idx(struct virtio_queue *queue, uint16_t *out);

VIRTIO_END_DECLS

#include <virtio/inline/queue.h>

#endif
