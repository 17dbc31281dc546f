# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The first byte after the configuration space can be written.
# file: virtio-device/src/device.c
# harness: fuzz_device
s/len == 0 || len > device->config_size - offset ||/len == 0 || len > device->config_size - offset + 1 ||/
