/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The model's state of a queue and its chains. */
#ifndef VIRTIO_FUZZ_QUEUE_MODEL_TYPES_H
#define VIRTIO_FUZZ_QUEUE_MODEL_TYPES_H

#include <virtio/queue_state.h>
#include <virtio/request.h>

#include "../common/shadow_memory.h"

#define MODEL_MAX_SIZE 32u
#define MODEL_PIECES 64u
#define MODEL_PAST 64u

enum model_state {
	MODEL_IDLE,
	MODEL_FLIGHT, /* popped, and not completed by the device */
	MODEL_WAITS,  /* completed, but not yet in the used ring (only with IN_ORDER) */
};

/* The state of one head. */
struct model_request {
	enum model_state state;
	struct virtio_token token;
	uint64_t popped; /* number of earlier pops that were not unpopped */
	uint32_t len;
	bool old_map;
	bool replayed;
};

struct model {
	struct shadow_map *map; /* valid while the queue is started */
	struct virtio_queue_config config;
	uint32_t storage; /* entries of in-flight storage */
	bool started;
	int broken;
	uint16_t next_avail;
	uint16_t seen; /* the available index that was read last */
	uint16_t next_used;
	uint64_t pops;
	struct model_request requests[MODEL_MAX_SIZE];
	uint16_t order[MODEL_MAX_SIZE]; /* heads not in the used ring yet, oldest first */
	uint32_t order_count;
	uint64_t added;  /* used elements added since the last notification check */
	bool doubt;      /* with EVENT_IDX the next notification check must return true */
	uint32_t replay; /* number of requests not replayed yet */
	struct virtio_queue_stats stats;
	struct virtio_token past[MODEL_PAST]; /* tokens of the last pops */
	uint32_t past_count;
};

/* The state of a walk along a chain. */
struct model_walk {
	uint64_t table;
	uint32_t table_len;
	uint32_t next;
	uint32_t left; /* number of descriptors that may still follow */
	uint64_t bytes_left;
	bool in_table; /* the walk is in an indirect table */
	bool writable; /* the walk has passed a writable descriptor */
	bool over;     /* the walk has ended */
	int final;     /* the result of each call after the walk has ended */
	uint64_t work; /* limit of translations in the walk */
};

/* Consecutive bytes of a chain that lie in one region. */
struct model_piece {
	uint64_t addr;
	uint64_t len;
	struct shadow_region region;
	uint64_t offset;
};

/*
 * The result of a walk over a whole chain. If a buffer is bad, pieces, counts and bytes include
 * only the buffers before the first bad buffer.
 */
struct model_chain {
	uint64_t errors; /* the errors that a resolution may return, except ENOBUFS */
	uint64_t shape;  /* possible errors of the descriptors */
	uint64_t bad;    /* possible errors of the first bad buffer */
	/* The last writable buffer that is not empty. If there is none, the length is 0. */
	struct virtio_desc end;
	uint32_t needed;   /* number of all pieces */
	uint32_t readable; /* number of readable pieces */
	uint64_t readable_bytes;
	uint64_t bytes;
	struct model_piece pieces[MODEL_PIECES]; /* the first MODEL_PIECES pieces */
	struct model_piece last;
	struct model_piece status; /* last byte of `end`; length 0 if that byte can't be written */
	bool writable;             /* the walk has met a writable buffer */
	uint64_t work;
};

#endif
