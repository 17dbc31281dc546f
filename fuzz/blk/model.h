/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The model of a disk, written from virtio 1.4, 5.2, and the comments of <virtio/blk.h>. It knows
 * features, configuration space, which requests are valid, the effects of each request, used
 * lengths, counters, and when a write is stable.
 */
#ifndef VIRTIO_FUZZ_BLK_MODEL_H
#define VIRTIO_FUZZ_BLK_MODEL_H

#include <virtio/blk.h>
#include <virtio/blk_state.h>

#include "../queue/model.h"

/* The size of the storage. A disk with a larger capacity repeats the storage. */
#define BLK_DISK_BYTES 0x2000u
#define BLK_DISK_SECTORS (BLK_DISK_BYTES / 512)
#define BLK_MOST_RANGES 16u
#define BLK_STATUS_BIT(status) (1u << (status))

struct blk_model {
	struct virtio_blk_options options; /* with the present capacity, after any resize */
	uint64_t offered;
	uint64_t negotiated;
	uint8_t writeback;
	struct virtio_blk_stats stats;
	uint8_t disk[BLK_DISK_BYTES];
	bool unstable[BLK_DISK_SECTORS]; /* changed since the last flush */
};

/* A run: consecutive bytes of a request. */
struct blk_run {
	uint64_t start; /* offset in the bytes of the chain */
	uint64_t bytes;
};

/* A request as it was in guest memory when it was parsed. */
struct blk_ask {
	struct model_chain chain;
	uint64_t errors; /* errors that the request may have; 0 if there are none */
	bool answerable; /* the request has a status byte */
	/* The status byte is in a page that is not mapped yet, so the request must be retried. */
	bool waits;
	struct model_piece status; /* the status byte */
	uint32_t type;
	uint64_t sector;
	struct blk_run out;
	struct blk_run in;
	uint32_t room; /* number of ranges that the device's array can hold */
	uint32_t range_count;
	struct virtio_blk_range ranges[BLK_MOST_RANGES];
};

/* The progress of a request. */
struct blk_progress {
	const struct blk_ask *ask;
	bool accepted;    /* the request is not refused */
	uint64_t done;    /* bytes moved */
	uint64_t touched; /* bytes of `in` that have certainly changed */
	uint64_t reach;   /* bytes of `in` that may have changed */
	uint32_t ranges;  /* ranges begun, or skipped because they have no sectors */
	bool changed;     /* the disk was changed */
	bool flushed;     /* the disk was flushed, and not changed since */
	bool answered;    /* the back end has reported the lifetime */
	bool failed;
	bool nonsense;   /* the back end failed the request without an error code */
	int error;       /* the result's error, if `failed` is true and `nonsense` is false */
	uint64_t calls;  /* calls of the back end */
	uint8_t wear[6]; /* the answer to GET_LIFETIME */
};

/*
 * Returns VIRTIO_EINVAL if a value is wrong, else VIRTIO_ENOOP if an operation is missing, else 0.
 * Sets @missing to the name of a missing operation, or to NULL.
 */
int blk_model_bad_options(const struct virtio_blk_options *options, const char **missing);

void blk_model_init(struct blk_model *m, const struct virtio_blk_options *options);
void blk_model_reset(struct blk_model *m);

/* Negotiates the features in bits 0 to 23. Returns false if the disk lacks one of the features. */
bool blk_model_negotiate(struct blk_model *m, uint64_t features);
bool blk_model_can_flush(const struct blk_model *m);
bool blk_model_write_through(const struct blk_model *m);
void blk_model_config(const struct blk_model *m, uint8_t space[VIRTIO_BLK_CONFIG_BYTES]);

/* Restores a state. Returns the result that the library must return: 0, 1 or VIRTIO_EINVAL. */
int blk_model_restore(struct blk_model *m, const struct virtio_blk_state *state);

/* Writes to the configuration space as the driver. Returns whether the write sets writeback. */
bool blk_model_config_write(struct blk_model *m, uint64_t offset, const uint8_t *data, size_t len);

/*
 * Reads a request from the walked chain, for a device with room for these numbers of segments and
 * ranges. Even a bad request has a status byte if its chain is well-formed, and if a last writable
 * byte exists and can be written.
 */
void blk_model_parse(struct model *queue, struct blk_ask *ask, uint32_t segments, uint32_t ranges);

/* Returns the first reason, in the order of the enum, to refuse a request. */
enum virtio_blk_refusal blk_model_refusal(const struct blk_model *m, const struct blk_ask *ask);

/*
 * Returns the statuses that the check of a request may yield before the request is carried out, as
 * a set of BLK_STATUS_BIT(status).
 */
uint32_t blk_model_check(const struct blk_model *m, const struct blk_ask *ask);

/* Returns whether a flush must happen now, for a FLUSH request or under write-through. */
bool blk_model_flush_due(const struct blk_model *m, const struct blk_progress *p);

/* Returns whether the back end has done all of the request. */
bool blk_model_complete(const struct blk_model *m, const struct blk_progress *p);

/* Returns the number of bytes that a request with this status writes to `in`. */
uint64_t blk_model_written(const struct blk_progress *p, uint8_t status);

/* Checks that the data of a request that ended with OK is stable, if virtio promises stability. */
void blk_model_check_stable(const struct blk_model *m, const struct blk_progress *p);

/* Counts a completed request. */
void blk_model_count(struct blk_model *m, const struct blk_ask *ask, uint8_t status, enum virtio_blk_refusal refusal,
		     uint64_t written);

/*
 * Returns the piece that contains the byte at an offset of a run. Sets @within to the byte's offset
 * in the piece's region. Sets @len to the number of the run's bytes from there to the piece's end.
 */
const struct model_piece *blk_find(const struct model_chain *chain, const struct blk_run *run, uint64_t offset,
				   uint64_t *within, uint64_t *len);

/* Read and write a run's bytes in shadow memory. */
void blk_get(const struct shadow_memory *w, const struct model_chain *chain, const struct blk_run *run, uint64_t offset,
	     uint8_t *dst, uint64_t len);
void blk_put(struct shadow_memory *w, const struct model_chain *chain, const struct blk_run *run, uint64_t offset,
	     const uint8_t *src, uint64_t len);

/* Marks the first bytes of a run in the shadows of the dirty logs. */
void blk_mark(struct shadow_memory *w, const struct model_chain *chain, const struct blk_run *run, uint64_t bytes);

#endif
