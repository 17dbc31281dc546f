# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# The field `next` of a descriptor may point one entry past the end of its table.
# file: virtio-queue/include/virtio/inline/chain.h
# harness: fuzz_queue
s/VIRTIO_UNLIKELY(next > walk->last)/VIRTIO_UNLIKELY(next > walk->last + 16)/
