# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path fills only the first buffer of a chain with several buffers.
# file: virtio-console/src/receive.c
# harness: fuzz_console
s/(d.flags_next & VIRTIO_DESC_FLAGS) != VRING_DESC_F_WRITE)/(d.flags_next \& VRING_DESC_F_WRITE) == 0)/
