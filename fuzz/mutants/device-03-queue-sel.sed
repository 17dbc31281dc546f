# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Only the low half of QueueSel is used.
# file: virtio-device/src/mmio.c
# harness: fuzz_device
s/device->queue_sel = value;/device->queue_sel = (uint16_t)value;/
