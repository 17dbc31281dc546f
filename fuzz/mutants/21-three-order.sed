# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path for three descriptors accepts a last descriptor that is readable.
# file: virtio-queue/include/virtio/inline/chain.h
# harness: fuzz_queue
s/VIRTIO_LIKELY((d\[2\].flags_next & VIRTIO_DESC_FLAGS) == VRING_DESC_F_WRITE)/(d[2].flags_next \& (VIRTIO_DESC_FLAGS ^ VRING_DESC_F_WRITE)) == 0/
