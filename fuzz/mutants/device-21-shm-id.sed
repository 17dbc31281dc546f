# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Only the low byte of SHMSel is used.
# file: virtio-device/src/device.c
# harness: fuzz_device
s/device->shm\[i\]\.id == id/device->shm[i].id == (uint8_t)id/
