# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A reset does not clear the interrupt status.
# file: virtio-device/src/status.c
# harness: fuzz_device
s/virtio_impl_device_clear_interrupt(device, ~0u)/virtio_impl_device_clear_interrupt(device, ~LIVE_INTERRUPT)/
