# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A queue may be set up while the device runs, even if the queue was not reset.
# file: virtio-device/src/queue_registers.c
# harness: fuzz_device
s/return (live & VIRTIO_CONFIG_S_DRIVER_OK) == 0 || queue->may_reenable;/return true;/
