# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# DRIVER_OK activates a device that needs a reset.
# file: virtio-device/src/status.c
# harness: fuzz_device
s/if (live_set(device, VIRTIO_CONFIG_S_DRIVER_OK) & VIRTIO_CONFIG_S_NEEDS_RESET) {/if (live_set(device, VIRTIO_CONFIG_S_DRIVER_OK) \& VIRTIO_CONFIG_S_FAILED) {/
