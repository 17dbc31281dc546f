/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Steps of the device with requests. A request has a header, data and a status. */
#ifndef VIRTIO_FUZZ_QUEUE_REQUESTS_H
#define VIRTIO_FUZZ_QUEUE_REQUESTS_H

#include "harness.h"

/* Pop a request, make a request from a popped chain, or complete a request. */
void harness_pop_request(struct harness *h);
void harness_parse_request(struct harness *h);
void harness_complete_request(struct harness *h);

#endif
