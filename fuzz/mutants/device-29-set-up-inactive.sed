# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A queue may be set up after an activation that failed.
# file: virtio-device/src/queue_registers.c
# harness: fuzz_device
s/return (live \& VIRTIO_CONFIG_S_DRIVER_OK) == 0 || queue->may_reenable;/return !device->active || queue->may_reenable;/
