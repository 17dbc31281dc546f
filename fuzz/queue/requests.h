/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The device's requests of a header, data and a status. */
#ifndef VIRTIO_FUZZ_QUEUE_REQUESTS_H
#define VIRTIO_FUZZ_QUEUE_REQUESTS_H

#include "harness.h"

/*
 * Steps with requests of a header, data and a status: to pop one, to make one of a chain, and to
 * complete one.
 */
void harness_pop_request(struct harness *h);
void harness_parse_request(struct harness *h);
void harness_complete_request(struct harness *h);

#endif
