/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A device's reports that a stop or a reset has ended, and when the model accepts a report. */
#ifndef VIRTIO_FUZZ_DEVICE_REPORTS_H
#define VIRTIO_FUZZ_DEVICE_REPORTS_H

#include "model.h"

int device_model_reset_done(struct device_model *m, int error);
int device_model_queue_stopped(struct device_model *m, uint16_t queue, int error);
bool device_model_report_counts(const struct device_model *m, uint16_t queue, uint32_t number);
int device_model_queue_quiesced(struct device_model *m, uint16_t queue, uint32_t number);

#endif
