# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# A buffer for the status that is longer than that is taken for nothing else.
# file: virtio-queue/include/virtio/inline/request.h
# harness: fuzz_blk
s/ || VIRTIO_UNLIKELY(status->len != 1)//
