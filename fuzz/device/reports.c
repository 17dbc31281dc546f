/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "reports.h"

int device_model_reset_done(struct device_model *m, int error)
{
	if (!m->reset_pending || error == VIRTIO_DEVICE_IN_PROGRESS)
		return VIRTIO_EINVAL;
	device_model_end_reset(m, error);
	return 0;
}

int device_model_queue_stopped(struct device_model *m, uint16_t queue, int error)
{
	const struct device_model_queue *q = device_model_queue(m, queue);

	if (!q || !q->stopping || error == VIRTIO_DEVICE_IN_PROGRESS)
		return VIRTIO_EINVAL;
	device_model_end_stop(m, queue, error);
	return 0;
}

bool device_model_report_counts(const struct device_model *m, uint16_t queue, uint32_t number)
{
	const struct device_model_queue *q = device_model_queue(m, queue);

	return q && number &&
	       ((q->stopping && number == q->stop_number) || (m->reset_pending && number == m->reset_number));
}

/*
 * Reports that the queue has no requests in flight. If a stop of the queue is in progress, the
 * report ends the stop. Then reset() is called again if a reset is in progress. The reset may still
 * wait for another queue.
 */
int device_model_queue_quiesced(struct device_model *m, uint16_t queue, uint32_t number)
{
	if (!device_model_report_counts(m, queue, number))
		return VIRTIO_EINVAL;
	if (m->queues[queue].stopping)
		device_model_end_stop(m, queue, 0);
	if (m->reset_pending)
		device_model_ask_reset(m);
	return 0;
}
