# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The first byte after the configuration space can be read.
# file: virtio-device/src/device.c
# harness: fuzz_device
s/if (len > device->config_size - offset)/if (len > device->config_size - offset + 1)/
