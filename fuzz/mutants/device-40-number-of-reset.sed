# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A report of an earlier reset makes the core call reset() again during a later reset.
# file: virtio-device/src/queue_registers.c
# harness: fuzz_device
s/resets = device->reset_pending \&\& device->reset_number == number;/resets = device->reset_pending;/
