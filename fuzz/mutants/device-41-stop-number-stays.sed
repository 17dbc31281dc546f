# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A queue keeps the number of a stop that failed.
# file: virtio-device/src/queue_registers.c
# harness: fuzz_device
s/device->queues\[index\].stop_number = 0;//
