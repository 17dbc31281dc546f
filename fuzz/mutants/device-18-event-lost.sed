# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# An event is lost if it arrives while the interrupt line is being lowered.
# file: virtio-device/src/interrupt.c
# harness: fuzz_device
/^uint32_t virtio_impl_device_clear_interrupt(/,/^}/{/settle(device, false);/d;}
