# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path also sends writable buffers.
# file: virtio-console/src/transmit.c
# harness: fuzz_console
s/(d.flags_next & VIRTIO_DESC_FLAGS) != 0)/(d.flags_next \& VRING_DESC_F_NEXT) != 0)/
