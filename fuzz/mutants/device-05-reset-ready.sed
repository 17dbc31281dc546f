# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A reset does not clear the set-up of the queues.
# file: virtio-device/src/device.c
# harness: fuzz_device
/^void virtio_impl_device_clear(/,/^}/s/virtio_impl_device_clear_queue(queue);/(void)queue;/
