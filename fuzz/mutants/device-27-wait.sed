# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# virtio_device_waiting() does not report a reset in progress.
# file: virtio-device/src/device.c
# harness: fuzz_device
/^bool virtio_device_waiting(/,/^}/s/return virtio_device_resetting(device);/return false;/
