/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Computes what the library must return for a descriptor table. The oracle is slow, and follows the
 * text of virtio 1.4, 2.7.5, and the promises of <virtio/chain.h>. It shares only constants and
 * structures with the library.
 *
 * If a descriptor breaks several rules, neither text defines which error is returned. So a verdict
 * holds the set of allowed errors, which mostly has one member.
 */
#ifndef VIRTIO_TESTS_EXHAUSTIVE_ORACLE_H
#define VIRTIO_TESTS_EXHAUSTIVE_ORACLE_H

#include <virtio/chain.h>

#define DESC_BYTES 16 /* bytes of a descriptor (virtio 1.4, 2.7.5) */
#define ORACLE_MAX_SIZE 4u
#define ORACLE_MAX_SEGMENTS 32u
#define ORACLE_MAX_HEADER 16u

/* A guest: its sorted regions, a table of descriptors, and the negotiated features. */
struct oracle_guest {
	const struct virtio_region *regions;
	uint32_t region_count;
	uint64_t table;
	uint32_t size;
	bool indirect;
};

/* A set of error codes. */
typedef uint64_t oracle_errors;

static inline oracle_errors oracle_error(int code)
{
	return UINT64_C(1) << (VIRTIO_EINVAL - code);
}

struct oracle_verdict {
	/*
	 * Result of the walk: the descriptors in order, and the allowed errors. The set of errors
	 * is empty if the walk ends without an error.
	 */
	struct virtio_desc yields[ORACLE_MAX_SIZE];
	uint32_t count;
	oracle_errors walk;
	/*
	 * Result of the resolution: the errors of the walk, or else the errors of the first bad
	 * buffer. The segments describe the buffers before the bad buffer. All counts in `resolved`
	 * are 0 if the walk has an error.
	 */
	oracle_errors resolve;
	struct virtio_segment segments[ORACLE_MAX_SEGMENTS];
	struct virtio_chain_segments resolved;
};

/* Copies guest memory. Returns false if a part of the range is not in memory. */
bool oracle_peek(const struct oracle_guest *guest, uint64_t addr, void *out, uint32_t len);

/* Judges the chain that begins at `head`. */
void oracle_judge(const struct oracle_guest *guest, uint32_t head, struct oracle_verdict *verdict);

#endif
