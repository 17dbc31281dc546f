# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A change leaves the generation as it was.
# file: virtio-device/src/interrupt.c
# harness: fuzz_device
/device->generation++;/d
