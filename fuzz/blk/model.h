/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What a disk must do, written from virtio 1.4, 5.2, and the comments of <virtio/blk.h>: features,
 * configuration space, legal requests, what each request changes, used lengths, counters, and when
 * a write is stable.
 */
#ifndef VIRTIO_FUZZ_BLK_MODEL_H
#define VIRTIO_FUZZ_BLK_MODEL_H

#include <virtio/blk.h>
#include <virtio/blk_state.h>

#include "../queue/model.h"

/* The sectors in storage. A larger disk repeats them. */
#define BLK_DISK_BYTES 0x2000u
#define BLK_DISK_SECTORS (BLK_DISK_BYTES / 512)
#define BLK_MOST_RANGES 16u
#define BLK_STATUS_BIT(status) (1u << (status))

struct blk_model {
	struct virtio_blk_options options; /* with the present capacity */
	uint64_t offered;
	uint64_t negotiated;
	uint8_t writeback;
	struct virtio_blk_stats stats;
	uint8_t disk[BLK_DISK_BYTES];
	bool unstable[BLK_DISK_SECTORS]; /* changed since the last flush */
};

/* A run of a request's bytes: where it begins in the chain, and how long it is. */
struct blk_run {
	uint64_t start;
	uint64_t bytes;
};

/* A request as the driver made it, at the moment when it was parsed. */
struct blk_ask {
	struct model_chain chain;
	uint64_t errors; /* errors that the request may have; 0 if it has none */
	bool answerable; /* there is a byte for a status */
	/* Whether there is a status byte is not known yet: the request must be retried. */
	bool waits;
	struct model_piece status; /* where that byte is */
	uint32_t type;
	uint64_t sector;
	struct blk_run out;
	struct blk_run in;
	uint32_t room; /* for ranges */
	uint32_t range_count;
	struct virtio_blk_range ranges[BLK_MOST_RANGES]; /* ranges that fit */
};

/* The progress of a request. */
struct blk_progress {
	const struct blk_ask *ask;
	bool accepted;    /* it was judged legal */
	uint64_t done;    /* bytes moved */
	uint64_t touched; /* least number of changed bytes of in */
	uint64_t reach;   /* largest number of changed bytes of in */
	uint32_t ranges;  /* ranges carried out */
	bool changed;     /* the disk was changed */
	bool flushed;     /* the disk was flushed after the change */
	bool answered;    /* the lifetime was reported */
	bool failed;
	bool nonsense;   /* failed because of an answer that a back end must not give */
	int error;       /* failed with an error that a back end may return */
	uint64_t calls;  /* of the back end */
	uint8_t wear[6]; /* the answer to GET_LIFETIME */
};

/*
 * Why options are refused: VIRTIO_EINVAL; or VIRTIO_ENOOP, and which operation is missing. 0 if not
 * refused.
 */
int blk_model_bad_options(const struct virtio_blk_options *options, const char **missing);

void blk_model_init(struct blk_model *m, const struct virtio_blk_options *options);
void blk_model_reset(struct blk_model *m);

/* Negotiates the features if they may be negotiated. Returns whether they may. */
bool blk_model_negotiate(struct blk_model *m, uint64_t features);
bool blk_model_can_flush(const struct blk_model *m);
bool blk_model_write_through(const struct blk_model *m);
void blk_model_config(const struct blk_model *m, uint8_t space[VIRTIO_BLK_CONFIG_BYTES]);

/* The result of a restore: 0, 1 or VIRTIO_EINVAL. */
int blk_model_restore(struct blk_model *m, const struct virtio_blk_state *state);

/* The driver writes to the configuration space. Returns whether writeback gets its value. */
bool blk_model_config_write(struct blk_model *m, uint64_t offset, const uint8_t *data, size_t len);

/*
 * Reads a request from the walked chain, for a device with these numbers of segments and ranges.
 * Any bad request has a status byte, unless the chain is malformed or the last writable byte cannot
 * be written.
 */
void blk_model_parse(struct model *queue, struct blk_ask *ask, uint32_t segments, uint32_t ranges);

/* Why a request is refused: the first of all reasons. */
enum virtio_blk_refusal blk_model_refusal(const struct blk_model *m, const struct blk_ask *ask);

/*
 * The statuses that are allowed before a request is carried out: a set of BLK_STATUS_BIT(status).
 */
uint32_t blk_model_check(const struct blk_model *m, const struct blk_ask *ask);

/* Whether the back end must be flushed now, for a FLUSH request or under write-through. */
bool blk_model_flush_due(const struct blk_model *m, const struct blk_progress *p);

/* Whether all that the request asks of the back end was done. */
bool blk_model_complete(const struct blk_model *m, const struct blk_progress *p);

/* Bytes that a request with this outcome writes to the buffers of `in`. */
uint64_t blk_model_written(const struct blk_progress *p, uint8_t status);

/* Checks that a request which ended with OK has kept the promise that it is stable. */
void blk_model_check_stable(const struct blk_model *m, const struct blk_progress *p);

/* Counts a completed request. */
void blk_model_count(struct blk_model *m, const struct blk_ask *ask, uint8_t status, enum virtio_blk_refusal refusal,
		     uint64_t written);

/* The pieces of a run: the piece of the byte at an offset, and the position in that piece. */
const struct model_piece *blk_find(const struct model_chain *chain, const struct blk_run *run, uint64_t offset,
				   uint64_t *within, uint64_t *len);

/* The shadow of a run's bytes. */
void blk_get(const struct shadow_memory *w, const struct model_chain *chain, const struct blk_run *run, uint64_t offset,
	     uint8_t *dst, uint64_t len);
void blk_put(struct shadow_memory *w, const struct model_chain *chain, const struct blk_run *run, uint64_t offset,
	     const uint8_t *src, uint64_t len);

/* Marks the first bytes of a run in the shadows of the dirty logs. */
void blk_mark(struct shadow_memory *w, const struct model_chain *chain, const struct blk_run *run, uint64_t bytes);

#endif
