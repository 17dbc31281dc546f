/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The device's readers and writers of a resolved chain. */
#ifndef VIRTIO_FUZZ_QUEUE_STREAMS_H
#define VIRTIO_FUZZ_QUEUE_STREAMS_H

#include "harness.h"

/* Carries out one step of a reader or writer of a resolved chain. */
void harness_stream_step(struct harness *h, struct harness_request *r);

/* Starts a reader and a writer. The first `front` and the last `behind` bytes are not data. */
void harness_begin_streams(struct harness_request *r, const struct virtio_chain_segments *data, uint64_t front,
			   uint64_t behind);

/*
 * Reads up to 64 KiB from the request's reader, and writes up to 64 KiB of a pattern to the
 * request's writer.
 */
void harness_echo(struct harness *h, struct harness_request *r);

#endif
