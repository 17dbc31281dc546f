/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What a queue is to do, written from virtio 1.4 and the comments of the public headers, in the plainest way:
 * no host addresses, no caches, no fast paths. It watches each call: it is told the arguments and what
 * the library answered, traps if that is not an answer that is allowed, and draws its own conclusions.
 */
#ifndef VIRTIO_FUZZ_QUEUE_MODEL_H
#define VIRTIO_FUZZ_QUEUE_MODEL_H

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
	uint64_t popped; /* the number of pops before it, unpopped ones apart */
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
	bool doubt;     /* the next check is in doubt */
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
	bool over;     /* and final is the answer from now on */
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
 * A chain that was walked to its end in one go. Pieces, counts and bytes are of the buffers in front of the first bad
 * one, or of all.
 */
struct model_chain {
	uint64_t errors;        /* of which a resolution returns one; 0 if all is well */
	uint64_t shape;         /* what may be said to be wrong with the descriptors */
	uint64_t bad;           /* what may be said to be wrong with the first bad buffer */
	struct virtio_desc end; /* the last buffer to be written that is not empty; of length 0 if there is none */
	uint32_t needed;
	uint32_t readable; /* pieces in front of the writable ones */
	uint64_t readable_bytes;
	uint64_t bytes;
	struct model_piece pieces[MODEL_PIECES]; /* the first ones */
	struct model_piece last;
	struct model_piece status; /* the last byte of end, or of length 0 if it can't be written */
	bool writable;             /* a writable buffer has come */
	uint64_t work;
};

uint64_t model_area_bytes(const struct virtio_queue_config *config, int area);
uint32_t model_in_flight(const struct model *m);
uint32_t model_waiting(const struct model *m);

/* Whether the head of this token is in flight under it. */
bool model_in_flight_token(const struct model *m, struct virtio_token token);

void model_start(struct model *m, const struct virtio_queue_config *config, struct shadow_map *map, int got);
void model_reset(struct model *m);

/* A second virtio_queue_init(): tokens from before it stay stale. */
void model_init_again(struct model *m);
void model_set_memory(struct model *m, struct shadow_map *map, int got);
void model_pop(struct model *m, struct model_walk *walk, int got, const struct virtio_chain *chain);
void model_available(struct model *m, int got);
void model_unpop(struct model *m, struct virtio_token token, int got);
void model_complete(struct model *m, const struct virtio_completion *list, uint32_t count, int got);
void model_needs_notification(struct model *m, bool got);
void model_enable(struct model *m, int got);
void model_disable(struct model *m, int got);
void model_set_index(struct model *m, bool avail, uint16_t index, int got);
void model_read_idx(struct model *m, bool avail, int got, uint16_t value);
void model_save(const struct model *m, int got, const struct virtio_queue_state *state);
void model_save_in_flight(const struct model *m, uint32_t capacity, int got, const struct virtio_queue_state *state,
			  const uint16_t *heads, uint32_t count);
void model_restore(struct model *m, const struct virtio_queue_state *state, struct shadow_map *map, int got);
void model_replay(struct model *m, uint16_t head, struct model_walk *walk, int got, const struct virtio_chain *chain);

/* One step of virtio_chain_next(). */
void model_next(struct model *m, struct model_walk *walk, uint16_t head, int got, const struct virtio_desc *desc);

/* What virtio_chain_resolve() is to find, to be called before it; and then what it said. */
void model_expect_resolve(struct model *m, const struct model_walk *walk, struct model_chain *out);
void model_resolve(struct model *m, struct model_walk *walk, const struct model_chain *expected, uint16_t head, int got,
		   const struct virtio_chain_segments *out);

/* What it has left in out, after an error other than VIRTIO_ENOBUFS. */
void model_left_behind(const struct model *m, const struct model_chain *expected, int error,
		       const struct virtio_chain_segments *out);

/* virtio_request_pop() or virtio_request_parse() of a chain in which this is to be found: what it has filled in. */
void model_request(struct model *m, struct model_walk *walk, const struct model_chain *expected, uint16_t head,
		   const struct virtio_request *request);

/* The same where the answer was that something isn't mapped; of a pop, which was unpopped, returns the work. */
void model_not_mapped(struct model *m, struct model_walk *walk, const struct model_chain *expected);
uint64_t model_pop_not_mapped(struct model *m);

/* Traps unless what can be asked of the queue agrees. */
void model_compare(const struct model *m, const struct virtio_queue *queue);

#endif
