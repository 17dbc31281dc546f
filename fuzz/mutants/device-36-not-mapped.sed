# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A queue whose areas are not mapped yet is refused at once.
# file: virtio-device/src/queue_registers.c
# harness: fuzz_device
s/queue->enabling = error == VIRTIO_ENOTMAPPED;/queue->enabling = false;/
