# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A queue that waits for a translation may become enabled while the device resets.
# file: virtio-device/src/status.c
# harness: fuzz_device
/virtio_impl_device_end_enabling(device, 0);/d
