# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# FEATURES_OK is accepted without DRIVER.
# file: virtio-device/src/status.c
# harness: fuzz_device
s/if ((status & VIRTIO_CONFIG_S_FEATURES_OK) && !(status & VIRTIO_CONFIG_S_DRIVER))/if ((status \& VIRTIO_CONFIG_S_FEATURES_OK) \&\& !(status \& VIRTIO_CONFIG_S_ACKNOWLEDGE))/
