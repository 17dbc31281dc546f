# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Interrupts are raised before DRIVER_OK.
# file: virtio-device/src/interrupt.c
# harness: fuzz_device
s/if ((live & VIRTIO_CONFIG_S_DRIVER_OK) == 0 || (live & LIVE_RESETTING) != 0)/if ((live \& LIVE_RESETTING) != 0)/
