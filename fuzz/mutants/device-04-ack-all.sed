# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# An acknowledgement also clears interrupt causes that it does not name.
# file: virtio-device/src/interrupt.c
# harness: fuzz_device
s/virtio_impl_device_clear_interrupt(device, causes << LIVE_INTERRUPT_SHIFT & LIVE_INTERRUPT)/virtio_impl_device_clear_interrupt(device, causes ? LIVE_INTERRUPT : 0)/
