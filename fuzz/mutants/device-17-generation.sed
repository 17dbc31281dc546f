# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A change of the configuration space does not change ConfigGeneration.
# file: virtio-device/src/interrupt.c
# harness: fuzz_device
/device->generation++;/d
