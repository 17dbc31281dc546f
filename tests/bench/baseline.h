/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The baseline is the least that a device must do. It uses raw host pointers and the memory order
 * that the ring needs, and checks nothing. It adds one constant to a guest address to get the host
 * address.
 *
 * next_avail and next_used are in registers within a burst. The library keeps its indices in
 * memory, because it cannot know what its caller does between two calls.
 */
#ifndef TESTS_BENCH_BASELINE_H
#define TESTS_BENCH_BASELINE_H

#include "loops.h"

/* The local variables of one loop. A loop serves one burst. */
struct burst {
	struct rig *rig;
	uint16_t next_avail;
	uint16_t next_used;
};

static inline struct burst burst_begin(struct rig *w)
{
	return (struct burst){ w, w->next_avail, w->next_used };
}

static inline void burst_end(struct rig *w, const struct burst *b)
{
	w->next_avail = b->next_avail;
	w->next_used = b->next_used;
}

static inline bool pop(struct burst *b, uint16_t *head)
{
	if (b->next_avail == __atomic_load_n(&b->rig->avail->idx, __ATOMIC_ACQUIRE))
		return false;
	*head = b->rig->avail->ring[b->next_avail++ & (QUEUE_SIZE - 1)];
	return true;
}

static inline void complete(struct burst *b, uint16_t head, uint32_t len)
{
	struct vring_used_elem *e = &b->rig->used->ring[b->next_used & (QUEUE_SIZE - 1)];

	e->id = head;
	e->len = len;
	__atomic_store_n(&b->rig->used->idx, ++b->next_used, __ATOMIC_RELEASE);
}

static inline const struct vring_desc *first(const struct burst *b, uint16_t head, const struct vring_desc **table)
{
	const struct vring_desc *d = &b->rig->desc[head];

	*table = b->rig->desc;
	if (d->flags & VRING_DESC_F_INDIRECT) {
		*table = (const struct vring_desc *)(const void *)(b->rig->ram + d->addr);
		d = *table;
	}
	return d;
}

#endif
