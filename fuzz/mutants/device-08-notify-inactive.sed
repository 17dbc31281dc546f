# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A queue gets notifications before the device is active.
# file: virtio-device/src/queue_registers.c
# harness: fuzz_device
s/if (!device->active || (live_load(device) &/if ((live_load(device) \&/
