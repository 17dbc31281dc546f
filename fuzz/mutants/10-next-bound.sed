# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The next of a descriptor may be the length of its table, which is one entry too far.
# file: virtio-queue/include/virtio/inline/chain.h
# harness: fuzz_queue
s/VIRTIO_UNLIKELY(next > walk->last)/VIRTIO_UNLIKELY(next > walk->last + 16)/
