# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A notification may name one queue more than the device has.
# file: virtio-device/src/queue_registers.c
# harness: fuzz_device
s/index >= device->num_queues || !device->queues\[index\]\.config\.ready ||/index > device->num_queues || !device->queues[index].config.ready ||/
