# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A queue may be shown as stopped while the device resets.
# file: virtio-device/src/queue_registers.c
# harness: fuzz_device
/^static int stop(/,/^}/s/if (virtio_device_resetting(device))/if (virtio_device_resetting(device) \&\& reset)/
