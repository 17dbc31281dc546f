# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Queues get notifications after DEVICE_NEEDS_RESET.
# file: virtio-device/src/queue_registers.c
# harness: fuzz_device
/^void virtio_device_notify(/,/^}/s/STATUS_STUCK/VIRTIO_CONFIG_S_FAILED/
