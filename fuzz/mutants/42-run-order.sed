# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The fast path of a resolution takes a readable buffer behind a writable one.
# file: virtio-queue/src/chain.c
# harness: fuzz_queue
s/VIRTIO_UNLIKELY((r->usual & VRING_DESC_F_WRITE) > (flags & VRING_DESC_F_WRITE)))/VIRTIO_UNLIKELY(flags > VIRTIO_DESC_FLAGS))/
