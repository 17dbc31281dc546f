/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The queues that the device serves. */
#ifndef VIRTIO_FUZZ_DEVICE_QUEUES_H
#define VIRTIO_FUZZ_DEVICE_QUEUES_H

#include "harness.h"

/* Makes a new queue that is not started. The next two functions stop or start a queue. */
void device_run_make(struct device_harness *h, uint32_t index);
void device_run_stop(struct device_harness *h, uint32_t index);
void device_run_start(struct device_harness *h, uint32_t index);

/* Stop all queues, or start all queues that the driver has enabled. */
void device_run_stop_all(struct device_harness *h);
void device_run_start_all(struct device_harness *h);

#endif
