# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The driver may clear bits of the status.
# file: virtio-device/src/status.c
# harness: fuzz_device
s/return virtio_impl_device_status_possible(value) && (status & ~value) == 0;/return (void)status, virtio_impl_device_status_possible(value);/
