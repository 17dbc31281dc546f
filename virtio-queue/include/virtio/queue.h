/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The device's side of a split virtqueue.
 *
 * A buffer's life: the driver makes it available, virtio_queue_pop() yields it as a chain, the
 * device walks the chain (<virtio/chain.h>), virtio_queue_complete() returns it, and
 * virtio_queue_needs_interrupt() says whether to tell the driver. From pop to completion the
 * request is in flight, and its token is what completes it.
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
 *		there is more: see to other work, and come back without being notified
 *
 * A drain until nothing is left might not end, for the driver may go on adding. Hence the count.
 *
 * What the guest can do: write anything into its half of the rings at any time. Two kinds of fault
 * follow. A malformed chain under a valid head is an error of the chain's functions; the caller
 * completes it with length 0 and goes on. An incoherent ring (an index too far ahead, a head out of
 * range or in flight already) breaks the queue: the call that finds it returns the cause, later
 * pops return VIRTIO_EBROKEN, and only a reset mends it, but what is in flight can still be
 * completed. Each fault is counted, and the first one kept (virtio_queue_get_stats()).
 *
 * Threads: all calls on one queue, completion and reset included, are serialised by the caller;
 * <virtio/queue_sync.h> does it with a lock. Tokens may cross threads. Nothing here blocks or
 * allocates.
 *
 * virtio 1.4, 2.6 and 2.7
 */
#ifndef VIRTIO_QUEUE_H
#define VIRTIO_QUEUE_H

#include <virtio/chain.h>
#include <virtio/guest_memory.h>
#include <virtio/queue_config.h>

VIRTIO_BEGIN_DECLS

/* One entry for each head: the caller's storage for the requests in flight. */
struct virtio_inflight {
	uint64_t state; /* what has become of the head: see below */
	uint32_t place; /* value of next_avail at which it was popped */
	uint16_t order; /* under IN_ORDER: the head popped at this slot of the available ring */
	uint16_t flags; /* VIRTIO_INFLIGHT_... of a head that is not idle */
};

/* What has happened in a queue since virtio_queue_init(); a reset doesn't clear it. */
struct virtio_queue_stats {
	uint64_t chains;            /* popped, and not unpopped */
	uint64_t completions;       /* returned to the driver */
	uint64_t interrupts;        /* times that virtio_queue_needs_interrupt() said yes */
	uint64_t ring_faults;       /* that broke the queue */
	uint64_t chain_faults;      /* malformed chains, and chains with a bad buffer that were resolved */
	uint64_t too_many_segments; /* resolutions for which the caller's array was too small */
	uint64_t not_mapped;        /* translations not known yet; no faults */
	/* The first fault of either kind; first_error is 0 while there is none. */
	int first_error;
	uint16_t first_head;     /* the head concerned; 0xffff when there is none */
	uint16_t first_position; /* next available index when it happened */
};

/*
 * A queue. The caller allocates it and reads what it likes, but changes it through the functions
 * below alone, and neither moves nor copies it: chains point into it. The members in front are
 * those that each request touches.
 */
struct virtio_queue {
	/*
	 * Derived: one function computes these five from the other members, whenever one of those
	 * has changed. A fast path is taken only as far as they allow it.
	 */
	const uint8_t *fast_avail_ring; /* host address of the available ring's entries */
	uint8_t *fast_used;             /* host address of the used ring */
	const uint8_t *fast_used_event; /* host address of used_event, while it decides about interrupts; or NULL */
	uint32_t fast_heads;            /* heads below this may be completed: size, or 0 */
	uint32_t fast_avail;            /* pops before this value of next_avail are allowed */

	const uint8_t *desc;      /* host address of the descriptor table, or NULL */
	const uint8_t *desc_last; /* that of its last entry */
	struct virtio_inflight *inflight;
	uint32_t size;       /* descriptors; 0 while the queue is not started */
	uint32_t mask;       /* size - 1 */
	int32_t walk_left;   /* left of a walk that begins */
	uint32_t next_avail; /* pops; the low 16 bits are the available index of the next one */
	uint64_t sequence;   /* token of the last pop, less its head */
	uint64_t used_idx;   /* used index; the ring has its low 16 bits */
	uint64_t signalled;  /* used_idx at the last notification check */
	struct virtio_memory_cursor memory[VIRTIO_MEMORY_USES]; /* chains point to it */

	/* The rest is touched by set-up, slow paths and questions. */
	struct virtio_queue_config config;
	/* Host addresses of the rings; NULL for one that is not contiguous, aligned host memory. */
	const uint8_t *avail;
	uint8_t *used;
	struct virtio_memory_cursor ring_memory; /* for areas without a host address */
	uint16_t avail_idx;                      /* the driver's index as last read */
	bool signalled_valid;                    /* signalled is known; otherwise the next check notifies */
	const struct virtio_region *used_region; /* where used lies, for its dirty log; or NULL */
	uint32_t inflight_entries;
	uint32_t old_map_in_flight; /* requests popped under an earlier map */
	uint32_t waiting;           /* under IN_ORDER: completed, and not yet in the used ring */
	uint16_t replay;            /* after a restore: requests in flight that are still to be replayed */
	uint16_t oldest;            /* under IN_ORDER: available index of the oldest request not in the used ring */
	uint32_t flight_base; /* next_avail less used_idx while nothing is in flight: see virtio_queue_in_flight() */
	uint64_t used_start;  /* used_idx at which the completions counted in stats end */
	int broken;           /* 0, or the fault that broke the queue */
	struct virtio_queue_stats stats;
};

/* Life cycle */

/*
 * Prepares a queue, once in its life. virtio_queue_start() starts it, also after each reset.
 *
 * @queue    the caller's, filled with zeroes before the first call
 * @inflight the caller's storage. The queue uses it as long as the caller uses the queue.
 * @entries  its entries: max_size or more
 *
 * A second call forgets counters and requests in flight. Tokens from before it stay stale.
 * Returns 0; VIRTIO_EINVAL without storage, and changes nothing.
 */
VIRTIO_MUST_CHECK
VIRTIO_INLINE int virtio_queue_init(struct virtio_queue *queue, struct virtio_inflight *inflight, uint32_t entries);

/*
 * Starts a queue: checks the configuration, translates the three areas and clears the used flags.
 *
 * @queue   prepared, and not started, or reset since its last start
 * @config  copied
 * @map     the guest's memory; must live until the queue is reset or has switched to another map
 *          and everything popped under this one is completed. NULL is none, and VIRTIO_EFAULT
 *
 * Both indices start at 0 (virtio_queue_set_next_avail() and virtio_queue_set_next_used() change
 * that). Returns 0; VIRTIO_EBUSY if started; VIRTIO_ENOTREADY if config says not ready;
 * VIRTIO_EINVAL if the in-flight storage is smaller than the queue; an error of
 * virtio_queue_config_check(). On failure the queue is as before.
 */
VIRTIO_MUST_CHECK
int virtio_queue_start(struct virtio_queue *queue, const struct virtio_queue_config *config,
		       const struct virtio_memory_map *map);

/*
 * Stops a queue and returns it to what virtio_queue_init() made, counters apart.
 * virtio_queue_start() starts it again.
 *
 * The ring is not touched again. Every token becomes stale. A device whose requests still point
 * into guest memory first waits until virtio_queue_quiesced(): this call forgets them, it cannot
 * stop them. A chain from before the reset must not be walked any more. Reads and writes through
 * its memory fail with VIRTIO_EFAULT.
 */
void virtio_queue_reset(struct virtio_queue *queue);

/*
 * Switches a started queue to another map of the guest's memory.
 *
 * @queue  started
 * @map    as for virtio_queue_start()
 *
 * Requests in flight stay so. Their bytes stay where they were, in the old map, which must live
 * until virtio_queue_old_maps_unused(), and are reached through the segments that were resolved
 * before, or through a cursor of the caller's own on the old map: chain->memory of every chain,
 * popped before or after, is on the new map from here on, where the same address may belong to
 * someone else. So a device that writes a status in the end resolves, or keeps such a cursor. What
 * was popped must be walked to its end, or resolved, before the switch: a walk afterwards may find
 * its tables in either map. Used elements go where the new map has the used ring. Where the new map
 * has a dirty log and the old one has none, I/O in flight writes unrecorded: a migration counts on
 * the log only from virtio_queue_old_maps_unused() on. A broken queue is switched too, and stays
 * broken. Returns 0; VIRTIO_ENOTREADY if not started;
 * VIRTIO_EFAULT, VIRTIO_EPERM or VIRTIO_ENOTMAPPED if the ring areas are not in the new map: then
 * the queue goes on with the old one.
 */
VIRTIO_MUST_CHECK
int virtio_queue_set_memory(struct virtio_queue *queue, const struct virtio_memory_map *map);

/* Requests */

/*
 * Takes the next chain that the driver has made available. The driver's index is read again only
 * when all chains that it announced before have been taken.
 *
 * @queue  started
 * @chain  filled in; untouched unless 1 is returned. On the stack or kept, until it is completed.
 *
 * Returns 1 for a chain and 0 for none. Errors:
 *   VIRTIO_ENOTREADY   the queue is not started
 *   VIRTIO_EAVAILIDX, VIRTIO_EHEAD, VIRTIO_EINFLIGHT   the ring is incoherent; the queue is broken
 *                                                      now
 *   VIRTIO_EBROKEN     it was broken before
 *   VIRTIO_EBUSY       restored, and requests are still to be replayed (<virtio/queue_state.h>)
 *   VIRTIO_ENOTMAPPED  a ring that is not contiguous in host memory is not mapped at the moment
 *   VIRTIO_EFAULT, VIRTIO_EPERM   or is no longer; the queue is broken now
 * Each chain must be completed, or unpopped, whatever is found in it.
 */
VIRTIO_MUST_CHECK
VIRTIO_INLINE VIRTIO_HOT int virtio_queue_pop(struct virtio_queue *queue, struct virtio_chain *chain);

/*
 * How many chains are there to be popped right now: 0 to the queue size.
 *
 * For a drain that ends although the driver keeps adding: pop as many and see to other work. Reads
 * the driver's index afresh. Returns the count, or an error of virtio_queue_pop() other than those
 * of a head: VIRTIO_ENOTREADY, VIRTIO_EAVAILIDX, VIRTIO_EBROKEN, VIRTIO_EBUSY, VIRTIO_ENOTMAPPED,
 * VIRTIO_EFAULT or VIRTIO_EPERM.
 */
VIRTIO_MUST_CHECK
int virtio_queue_available(struct virtio_queue *queue);

/*
 * Takes back the last pop: the next one yields the same head again, under a new token.
 *
 * @queue  started
 * @token  of the last pop that was not unpopped; unpopping several goes backwards
 *
 * Returns 0; VIRTIO_ESTALE if the token is not in flight; VIRTIO_ENOTLAST if another request was
 * popped after it and has not been unpopped; VIRTIO_EBROKEN. A failure changes nothing.
 */
VIRTIO_MUST_CHECK
int virtio_queue_unpop(struct virtio_queue *queue, struct virtio_token token);

/*
 * Returns a request to the driver.
 *
 * @queue  started, or broken since
 * @token  of the request
 * @len    bytes written to its writable buffers, from the first one on without a gap; for a
 *         malformed chain 0 (virtio 1.4, 2.7.8.2)
 *
 * Whatever was written to guest memory before is visible to the driver before the completion is.
 * Under IN_ORDER the completion may wait in the queue for earlier requests. Returns 0;
 * VIRTIO_ESTALE if the token is not in flight: completed before, or from before a reset. For a used
 * ring that is not contiguous host memory also VIRTIO_EFAULT, VIRTIO_EPERM and VIRTIO_ENOTMAPPED,
 * and the request stays in flight. A failure changes nothing.
 */
VIRTIO_INLINE VIRTIO_HOT int virtio_queue_complete(struct virtio_queue *queue, struct virtio_token token, uint32_t len);

/* One of several completions. */
struct virtio_completion {
	struct virtio_token token;
	uint32_t len; /* as for virtio_queue_complete() */
};

/*
 * Returns several requests with one update of the used index: the driver sees all or none.
 *
 * @completions  in the order in which the driver is to see them
 * @count        how many
 *
 * Returns as virtio_queue_complete(); VIRTIO_ESTALE also if a token stands there twice. A failure
 * completes none of them.
 */
int virtio_queue_complete_batch(struct virtio_queue *queue, const struct virtio_completion *completions,
				uint32_t count);

/*
 * The driver's interrupts (used buffer notifications), and the device's kicks (available buffer
 * notifications).
 */

/*
 * Whether the driver wants an interrupt for what was completed since the last call.
 *
 * To be called after one completion or several. Without EVENT_IDX the driver's flag decides, with
 * it the position of used_event, exactly, however many completions there were (virtio 1.4,
 * 2.7.7.2). Returns false when nothing was completed, unless in doubt. In doubt, which is after
 * virtio_queue_set_next_avail() and virtio_queue_set_next_used() and when the ring cannot be read,
 * returns true unless the driver's flag forbids it: drivers must bear an interrupt too many, not
 * one too few.
 */
VIRTIO_INLINE VIRTIO_HOT bool virtio_queue_needs_interrupt(struct virtio_queue *queue);

/*
 * Asks the driver to kick the device when it makes buffers available, and looks whether it has
 * already.
 *
 * Returns 1 if there is something to pop: the driver may not kick for it, so pop and call this
 * again. 0 if there is nothing: sleep, a kick will come. Errors as virtio_queue_available();
 * VIRTIO_ENOTMAPPED, VIRTIO_EFAULT and VIRTIO_EPERM may be about the used ring, too.
 * virtio 1.4, 2.7.10.2
 */
VIRTIO_MUST_CHECK
int virtio_queue_enable_kicks(struct virtio_queue *queue);

/*
 * Tells the driver that it need not kick. A hint: kicks may still come. Under EVENT_IDX there is
 * nothing to say, the event index simply stays behind. Returns 0; VIRTIO_ENOTREADY, VIRTIO_EBROKEN
 * or VIRTIO_EBUSY as virtio_queue_pop(); and for a used ring that is not contiguous in host memory
 * VIRTIO_ENOTMAPPED, VIRTIO_EFAULT or VIRTIO_EPERM, of which the last two break the queue.
 */
int virtio_queue_disable_kicks(struct virtio_queue *queue);

/* Questions and state */

/* Requests in flight: popped, and neither completed nor unpopped. */
VIRTIO_INLINE uint32_t virtio_queue_in_flight(const struct virtio_queue *queue);

/*
 * Whether a token is that of a request in flight. For a device that has to touch the request's
 * memory before it completes it: a stale token's memory may be somebody else's.
 */
bool virtio_queue_is_in_flight(const struct virtio_queue *queue, struct virtio_token token);

/* Whether nothing is in flight, so that a reset, or a new owner of the memory, disturbs no one. */
VIRTIO_INLINE bool virtio_queue_quiesced(const struct virtio_queue *queue);

/*
 * Whether nothing is in flight that was popped under a map from before virtio_queue_set_memory().
 */
VIRTIO_INLINE bool virtio_queue_old_maps_unused(const struct virtio_queue *queue);

/* Copies the counters and the first fault. */
void virtio_queue_get_stats(const struct virtio_queue *queue, struct virtio_queue_stats *out);

/* The available index of the next pop, and the index of the next used element. */
VIRTIO_INLINE uint16_t virtio_queue_next_avail(const struct virtio_queue *queue);
VIRTIO_INLINE uint16_t virtio_queue_next_used(const struct virtio_queue *queue);

/*
 * Set the two, for a queue that goes on where another left off (virtio_queue_read_used_idx() for a
 * vhost-user back end). Only while nothing is in flight, nor to be replayed: VIRTIO_EBUSY
 * otherwise, VIRTIO_ENOTREADY if not started. The next notification check is then in doubt, see
 * there.
 */
VIRTIO_MUST_CHECK
int virtio_queue_set_next_avail(struct virtio_queue *queue, uint16_t index);
VIRTIO_MUST_CHECK
int virtio_queue_set_next_used(struct virtio_queue *queue, uint16_t index);

/*
 * Reads the driver's available index, or the used index, from the ring.
 *
 * @out  the index; untouched on failure
 *
 * Return 0; VIRTIO_ENOTREADY if not started; VIRTIO_ENOTMAPPED, VIRTIO_EFAULT or VIRTIO_EPERM for a
 * ring that is not contiguous in host memory. Nothing is judged, so nothing breaks, and a broken
 * queue, or one with requests to be replayed, answers as any other.
 */
VIRTIO_MUST_CHECK
int virtio_queue_read_avail_idx(struct virtio_queue *queue, uint16_t *out);
VIRTIO_MUST_CHECK
int virtio_queue_read_used_idx(struct virtio_queue *queue, uint16_t *out);

VIRTIO_END_DECLS

#include <virtio/inline/queue.h>

#endif
