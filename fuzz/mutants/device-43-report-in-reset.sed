# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A report is accepted during the call of the operation reset().
# file: virtio-device/src/status.c
# harness: fuzz_device
/^int virtio_impl_device_ask_reset(/,/^}/s/device->reset_pending = false;/device->reset_pending = true;/
