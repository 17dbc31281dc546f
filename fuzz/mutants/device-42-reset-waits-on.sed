# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A report that ends a queue's stop does not continue the reset of the device.
# file: virtio-device/src/queue_registers.c
# harness: fuzz_device
/^int virtio_device_queue_quiesced(/,/^}/s/if (device->reset_pending)/if (resets)/
