# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A reset does not clear QueueSel.
# file: virtio-device/src/device.c
# harness: fuzz_device
/device->queue_sel = 0;/d
