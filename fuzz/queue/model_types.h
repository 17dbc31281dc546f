/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What the model knows of a queue and its chains. */
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
	MODEL_WAITS,  /* under IN_ORDER: completed, and not yet in the used ring */
};

/* What is known of one head. */
struct model_request {
	enum model_state state;
	struct virtio_token token;
	uint64_t popped; /* number of earlier pops, without those that were undone */
	uint32_t len;
	bool old_map;
	bool replayed;
};

struct model {
	struct shadow_map *map; /* while started */
	struct virtio_queue_config config;
	uint32_t storage; /* entries of in-flight storage */
	bool started;
	int broken;
	uint16_t next_avail;
	uint16_t seen; /* the driver's index as last read */
	uint16_t next_used;
	uint64_t pops;
	struct model_request requests[MODEL_MAX_SIZE];
	uint16_t order[MODEL_MAX_SIZE]; /* heads not in the used ring yet, oldest first */
	uint32_t order_count;
	uint64_t added; /* used elements since the last notification check */
	bool doubt;     /* the next check always says yes */
	uint32_t replay;
	struct virtio_queue_stats stats;
	struct virtio_token past[MODEL_PAST]; /* tokens given out */
	uint32_t past_count;
};

/* A chain being walked. */
struct model_walk {
	uint64_t table;
	uint32_t table_len;
	uint32_t next;
	uint32_t left; /* descriptors that may still come */
	uint64_t bytes_left;
	bool in_table; /* an indirect one */
	bool writable; /* a writable descriptor has come */
	bool over;     /* the walk has ended: final is the result from now on */
	int final;
	uint64_t work; /* look-ups that a translation may be asked for */
};

/* A run of a chain's bytes in one place. */
struct model_piece {
	uint64_t addr;
	uint64_t len;
	struct shadow_region region;
	uint64_t offset;
};

/*
 * A chain that was walked to its end in one call. Pieces, counts and bytes are those of the buffers
 * before the first bad one, or of all.
 */
struct model_chain {
	uint64_t errors; /* A resolution returns one of these; 0 if there is no fault. */
	uint64_t shape;  /* possible errors of the descriptors */
	uint64_t bad;    /* possible errors of the first bad buffer */
	/* The last writable buffer that is not empty; length 0 if there is none. */
	struct virtio_desc end;
	uint32_t needed;
	uint32_t readable; /* pieces before the writable ones */
	uint64_t readable_bytes;
	uint64_t bytes;
	struct model_piece pieces[MODEL_PIECES]; /* the first ones */
	struct model_piece last;
	struct model_piece status; /* the last byte of last; length 0 if it cannot be written */
	bool writable;             /* the walk has met a writable buffer */
	uint64_t work;
};

#endif
