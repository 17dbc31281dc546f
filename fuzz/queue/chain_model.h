/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The model of walks along a chain, of its segments, and of requests. */
#ifndef VIRTIO_FUZZ_CHAIN_MODEL_H
#define VIRTIO_FUZZ_CHAIN_MODEL_H

#include "model_types.h"

/* Checks one call of virtio_chain_next(). */
void model_next(struct model *m, struct model_walk *walk, uint16_t head, int got, const struct virtio_desc *desc);

/* Call the first function before virtio_chain_resolve(). The second function checks the result. */
void model_expect_resolve(struct model *m, const struct model_walk *walk, struct model_chain *out);
void model_resolve(struct model *m, struct model_walk *walk, const struct model_chain *expected, uint16_t head, int got,
		   const struct virtio_chain_segments *out);

/* Checks the content of @out after an error other than VIRTIO_ENOBUFS. */
void model_left_behind(const struct model *m, const struct model_chain *expected, int error,
		       const struct virtio_chain_segments *out);

/* Checks the request that virtio_request_pop() or virtio_request_parse() has filled in. */
void model_request(struct model *m, struct model_walk *walk, const struct model_chain *expected, uint16_t head,
		   const struct virtio_request *request);

/* Checks that a pop or a parse of this chain may return VIRTIO_ENOTMAPPED. Then ends the walk. */
void model_not_mapped(struct model *m, struct model_walk *walk, const struct model_chain *expected);

#endif
