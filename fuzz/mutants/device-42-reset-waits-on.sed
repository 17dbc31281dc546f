# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A report of a queue's stop leaves the reset of the device waiting.
# file: virtio-device/src/queue_registers.c
# harness: fuzz_device
/^int virtio_device_queue_quiesced(/,/^}/s/if (device->reset_pending)/if (resets)/
