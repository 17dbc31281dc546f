# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# After a refused size, a queue may be enabled with its earlier size.
# file: virtio-device/src/queue_registers.c
# harness: fuzz_device
s/queue->refused |= (uint8_t)what;/queue->refused |= (uint8_t)(what \& ALL_AREAS);/
