# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A device with a queue that could not be reset can be saved.
# file: virtio-device/src/state.c
# harness: fuzz_device
s/if (device->queues\[i\]\.stopping || device->queues\[i\]\.resetting || /if (device->queues[i].stopping || /
