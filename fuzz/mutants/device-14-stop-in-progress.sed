# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The stop of a queue that is in progress counts as done.
# file: virtio-device/src/queue_registers.c
# harness: fuzz_device
/queue->stopping = result == VIRTIO_DEVICE_IN_PROGRESS;/d
