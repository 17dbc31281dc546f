# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# FAILED is ignored if the written value lacks a bit that is set in the status.
# file: virtio-device/src/status.c
# harness: fuzz_device
s/else if (value & VIRTIO_CONFIG_S_FAILED)/else if ((value \& VIRTIO_CONFIG_S_FAILED) \&\& (virtio_device_status(device) \& ~value) == 0)/
