# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The stop of a queue is treated as failed while the stop is in progress.
# file: virtio-device/src/queue_registers.c
# harness: fuzz_device
/queue->stopping = result == VIRTIO_DEVICE_IN_PROGRESS;/d
