# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
# Data that shares a buffer with the status is lost.
# file: virtio-queue/include/virtio/inline/request.h
# harness: fuzz_blk
s|if (VIRTIO_UNLIKELY(status->len != 1))|if (false)|
