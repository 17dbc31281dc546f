# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# FAILED has an effect only in a value with every bit of the status.
# file: virtio-device/src/status.c
# harness: fuzz_device
s/else if (value & VIRTIO_CONFIG_S_FAILED)/else if ((value \& VIRTIO_CONFIG_S_FAILED) \&\& (virtio_device_status(device) \& ~value) == 0)/
